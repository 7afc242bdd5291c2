/**
 * What a protocol's session is to the connection that drives it: a machine that hears decoded commands and says typed
 * replies, with the codec to either side of it (docs/architecture.md, "Pull, never push").
 *
 * The vocabulary between driver and machine is closed: what is not named here can't be said. Types only.
 */
import type { Decoder, Encoder, Expectation } from '../protocols/wire/decoder.ts';
import type { ConnectionRecord } from '../telemetry/connection-log.ts';

/** Who has connected, as far as a session may know. */
export type Caller = {
  /** Unique for ever: no other session of any node, past or future, has it. Letters, digits, `-` and `.`. */
  readonly session: string;
  /** The client's IP address; '' on a unix socket. Behind a trusted balancer this, `port` and `local` are what its header tells. */
  readonly address: string;
  /** The client's port; 0 on a unix socket. */
  readonly port: number;
  /** What the client has connected to; on a unix socket its path, and port 0. */
  readonly local: { readonly address: string; readonly port: number };
  /** `active`: TLS from the first octet, or a unix socket, which nobody overhears; `offered`: the session may say `start-tls`. */
  readonly tls: 'none' | 'offered' | 'active';
};

/**
 * Why the house ends a session by itself. `no-log-in`: it has had its time for one. `kicked`: an operator, or a change of the
 * account, wants it gone.
 */
export type StopReason = 'idle' | 'no-log-in' | 'shutdown' | 'kicked';

/** A message body on its way in: pulled piece by piece, each valid until the next is pulled. Read once, by one reader. */
export type Content = AsyncIterable<Uint8Array> & {
  /** Known at the end: an LF without a CR was seen; such a message is refused, not mended (docs/smuggling.md). */
  readonly bareLf: boolean;
};

/** What the driver sends besides commands. Lower case, so that no command can be taken for it. */
export type DriverEvent =
  /** After `expect` a body: here it is. Its iteration throws when the client vanishes before its end. */
  | { readonly type: 'content'; readonly content: Content }
  /** After `start-tls`: the handshake is done, and nothing is left of what came before it. One that fails ends the session. */
  | { readonly type: 'secured' }
  /** After `start-compression`: what is heard and said from now on is compressed. */
  | { readonly type: 'compressed' }
  /** Sent only while `ready` shows: say goodbye if the protocol has a word for it, and reach the final state. */
  | { readonly type: 'stop'; readonly reason: StopReason };

/** What a machine emits. A session closes by reaching its final state; all that it said before is sent first. */
export type Said<Reply> =
  | { readonly type: 'reply'; readonly reply: Reply }
  | { readonly type: 'expect'; readonly next: Exclude<Expectation, 'command'> }
  /**
   * Said after the reply that goes out in clear, while `ready` does not show. The driver sends what was said, discards all that
   * the client sent before the handshake (RFC 2595 §2.1, RFC 3207 §4.2: commands may have been slipped in), makes the
   * handshake, then sends `secured`.
   */
  | { readonly type: 'start-tls' }
  /** Said likewise after the reply that is the last to go out as it is (RFC 4978 §3); answered by `compressed`. */
  | { readonly type: 'start-compression' };

/** `ready`: the next command may come. `dismissed`, on a final state: it was not the client that wished to end. */
export type Tag = 'ready' | 'dismissed';

/** The part of an XState actor that the driver needs; method types, so that an actor of any machine fits. */
export interface SessionActor<Command, Reply> {
  start(): unknown;
  send(event: Command | DriverEvent): void;
  /** The next command is sent only while the tag `ready` shows. */
  getSnapshot(): { readonly status: string; readonly value: unknown; hasTag(tag: Tag): boolean };
  subscribe(observer: { next(): void; error(fault: unknown): void }): unknown;
  on(type: '*', listener: (said: Said<Reply>) => void): unknown;
}

export type Session<Command = object, Reply = object> = {
  readonly actor: SessionActor<Command, Reply>;
  readonly decoder: Decoder<Command>;
  readonly encoder: Encoder<Reply>;
  /** The account's name, once somebody is logged in. Absent: a protocol without log-ins. */
  account?(): string | undefined;
  /** The same by `Account.id`, which outlives a change of the name. */
  accountId?(): string | undefined;
  /** What the connection log hears of it; it is told the end by the connection. Absent: a protocol that is not logged there. */
  readonly record?: Pick<ConnectionRecord, 'ended'> | undefined;
  /**
   * Called exactly once, when the machine has ended or its client has gone. Stops the machine, which aborts the signals
   * of what it has asked and not heard of; then gives back what the session held.
   */
  end(): Promise<void>;
};

/** What a listener needs to know of a protocol: one object for each listener, shared by its sessions. */
export type Protocol = {
  /** For logs and status: `pop3`, `lmtp`, `poppwd`. */
  readonly name: string;
  begin(caller: Caller): Session;
  /** The one line that refuses a connection over the limit, with its CRLF. */
  readonly tooManyConnections: Uint8Array;
  /** The one line for a client whose address has too many connections already, or makes them too fast, with its CRLF. */
  readonly tooManyFromAddress: Uint8Array;
  /** The one line said instead of a greeting while the node takes no log-ins (nologin.ts); absent: no concern of this protocol. */
  readonly nologin?: (text: string) => Uint8Array;
};
