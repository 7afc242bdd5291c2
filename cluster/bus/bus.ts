/**
 * The bus: how actors ask each other, on this node or another (docs/architecture.md, "The bus").
 *
 * LocalBus and NatsBus pass the same contract test. Only plain data crosses: null, booleans, numbers, bigints,
 * strings, Uint8Array, arrays and plain objects. Values are treated as immutable on both sides, because a subject served in this
 * process is called directly, without a copy. A bus never retries: whether to repeat is the caller's to know.
 */

/** Why a request got no answer. `fault` is the server's own: it threw; nothing of what it threw crosses the bus. */
export type BusFailure = 'no-responders' | 'timeout' | 'disconnected' | 'fault' | 'closed';

/** Thrown by `ask` and by an iteration of `stream`. An aborted signal throws the signal's own reason instead. */
export class BusError extends Error {
  readonly failure: BusFailure;
  constructor(failure: BusFailure, subject: string, options?: ErrorOptions) {
    super(`bus: ${subject}: ${failure}`, options);
    this.name = 'BusError';
    this.failure = failure;
  }
}

export type AskOptions = { readonly timeoutMs: number; readonly signal?: AbortSignal };

export type StreamOptions = {
  /** The stream breaks with `timeout` when the sender is silent this long while it has credit. */
  readonly idleTimeoutMs: number;
  /** Chunks the sender may be ahead of the reader; default 8. */
  readonly credit?: number;
  readonly signal?: AbortSignal;
};

/** What is being served or listened to, until stopped. `stop` lets running handlers finish. */
export type Service = { stop(): Promise<void> };

export type Handler = (request: unknown) => Promise<unknown> | unknown;
/** Yields chunks of at most MAX_CHUNK octets; is returned early (`finally` runs) when the reader leaves or dies. */
export type StreamHandler = (request: unknown, signal: AbortSignal) => AsyncIterable<Uint8Array>;

export const MAX_CHUNK = 128 * 1024;

/** Octets that one request, answer or message may take when encoded; larger ones are the sender's fault, on NATS a RangeError. */
export const MAX_MESSAGE = 1_000_000;

export type Bus = {
  /** One request, one answer from one server of the subject. Throws BusError. */
  ask(subject: string, request: unknown, options: AskOptions): Promise<unknown>;
  /** Serves a subject; `queue` names a group of which one member gets each request. Resolves once others can reach it. */
  serve(subject: string, handler: Handler, options?: { readonly queue?: string }): Promise<Service>;
  /** Tells all subscribers, here and elsewhere; may be lost. */
  publish(subject: string, message: unknown): void;
  /** A last token `>` or any token `*` is a wildcard, as NATS has them. A throwing listener is logged, not fatal. */
  subscribe(subject: string, listener: (message: unknown, subject: string) => void): Promise<Service>;
  /**
   * Reads chunks from the subject's server: pulled, so that a slow reader slows the sender. Ends only when the sender's
   * iteration ended; anything else (sender died, threw, was silent) throws BusError, so a short stream never looks whole.
   */
  stream(subject: string, request: unknown, options: StreamOptions): AsyncIterable<Uint8Array>;
  serveStream(subject: string, handler: StreamHandler): Promise<Service>;
  /** False while other nodes can't be reached; subjects served here go on. */
  connected(): boolean;
  /** Calls back at each change of `connected`. */
  onConnection(listener: (connected: boolean) => void): Service;
  close(): Promise<void>;
};
