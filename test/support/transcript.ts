/**
 * Transcripts: sessions as RFCs print them, in files of `C:` and `S:` lines under test/transcripts/, run against a
 * protocol over an in-memory wire and over a real socket, line by line, pipelined, and cut into single octets.
 *
 *     # a comment
 *     S: +OK ready <timestamp>         <timestamp> stands for any `<unique@host>`
 *     S: * <number> EXISTS             `<number>` stands for any, `<any>` for anything
 *     C: APOP joe <apop tanstaaf>      the digest of that timestamp and a secret (RFC 1939 §7)
 *     C: <close>                       the client ends its side; after that, or after `S: <close>`, nothing may come
 *     C: <tls>                         the client begins TLS; what follows is said after it, whatever the pace
 *     S: <close>                       the server closes
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import * as assert from 'uvu/assert';
import { Connection } from '../../actors/connection.ts';
import { CompressedSocket } from '../../actors/connection-compression.ts';
import type { Ending, Limits } from '../../actors/connection-terms.ts';
import { Listener } from '../../actors/listener.ts';
import type { ListenerOptions } from '../../actors/listener-terms.ts';
import type { Caller, Protocol } from '../../actors/session.ts';
import { sessionIds } from '../../actors/session-ids.ts';
import { Turns } from '../../actors/turns.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';

export type Line = { readonly from: 'C' | 'S'; readonly text: string };
export type Transcript = { readonly name: string; readonly lines: readonly Line[] };

export function parseTranscript(name: string, text: string): Transcript {
  const lines: Line[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, from, said] = /^\s*([CS]):(?: (.*))?$/.exec(line) ?? [];
    if (from === undefined) throw new Error(`${name}:${index + 1}: neither C:, S: nor a comment`);
    lines.push({ from: from as 'C' | 'S', text: said ?? '' });
  }
  return { name, lines };
}

/** The transcripts of a folder below test/transcripts/, by file name. */
export function transcripts(folder: string): readonly Transcript[] {
  const path = join(import.meta.dirname, '..', 'transcripts', folder);
  return readdirSync(path)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => parseTranscript(`${folder}/${file}`, readFileSync(join(path, file), 'utf8')));
}

/** How the client's octets reach the server. */
export type Pace = 'line by line' | 'pipelined' | 'octet by octet';
export const paces: readonly Pace[] = ['line by line', 'pipelined', 'octet by octet'];

/** Plays the client and checks every line of the server. */
export async function play({ name, lines }: Transcript, client: Client, pace: Pace): Promise<void> {
  let timestamp = '';
  let sayable = 0;
  for (const [index, line] of lines.entries()) {
    if (line.from === 'C') {
      if (line.text === '<tls>') {
        await client.secure();
        sayable = index + 1;
        continue;
      }
      // All that the client says from here on may go out at once; but an APOP needs the greeting first, and TLS its go-ahead.
      const tls = lines.findIndex(({ from, text }, at) => at > index && from === 'C' && text === '<tls>');
      const upTo = pace === 'line by line' ? index : tls < 0 ? lines.length - 1 : tls - 1;
      for (; sayable <= upTo; sayable += 1)
        if (lines[sayable]!.from === 'C') say(client, lines[sayable]!.text, pace, timestamp);
      continue;
    }
    const where = `${name}, ${pace}, line ${index + 1}: ${line.text}`;
    if (line.text === '<close>') {
      assert.is(await client.line(where), undefined, where);
      continue;
    }
    const heard = await client.line(where);
    if (heard === undefined) throw new Error(`${where}: the server closed`);
    if (!patternOf(line.text).test(heard))
      throw new assert.Assertion({
        message: `${where}: heard ${heard}`,
        details: '',
        generated: false,
        operator: 'match',
        expects: line.text,
        actual: heard,
      });
    timestamp = /<[^<>@\s]+@[^<>\s]+>/.exec(heard)?.[0] ?? timestamp;
  }
  assert.is(client.unread, '', `${name}, ${pace}: more than the transcript has`);
}

function say(client: Client, text: string, pace: Pace, timestamp: string): void {
  if (text === '<close>') {
    client.end();
    return;
  }
  const line = text.replace(/<apop (.*?)>/, (_, secret) =>
    createHash('md5')
      .update(timestamp + secret)
      .digest('hex'),
  );
  const octets = Buffer.from(line + '\r\n', 'utf8');
  if (pace === 'octet by octet') for (const octet of octets) client.send(Uint8Array.of(octet));
  else client.send(octets);
}

const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      .replace('<timestamp>', '<[^<>@\\s]+@[^<>\\s]+>')
      .replaceAll('<number>', '[0-9]+')
      .replaceAll('<any>', '.*')}$`,
  );

/** The client's end of a connection. What it has to say it says; what it hears it keeps until asked. */
export class Client {
  #wire!: Duplex; // by #take
  #heard = '';
  #over = false;
  #arrived: () => void = () => {};

  constructor(wire: Duplex) {
    this.#take(wire);
  }

  #take(wire: Duplex): void {
    this.#wire = wire;
    wire.on('data', (bytes: Buffer) => {
      this.#heard += bytes.toString('latin1');
      this.#arrived();
    });
    const over = () => {
      if (wire !== this.#wire) return; // TLS has taken it over, and tells by itself
      this.#over = true;
      this.#arrived();
    };
    wire
      .on('end', over)
      .on('close', over)
      .on('error', () => {});
  }

  /** What the octets go through now: the socket, or TLS over it. */
  get wire(): Duplex {
    return this.#wire;
  }

  /** Makes a TLS handshake over what there is; any certificate will do unless the options say otherwise. Throws when it fails. */
  async secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const plain = this.#wire;
    plain.removeAllListeners('data');
    const secured = tlsConnect({ socket: plain, rejectUnauthorized: false, ...options });
    this.#take(secured);
    await new Promise<void>((resolve, reject) => {
      secured.once('secureConnect', resolve);
      secured.once('error', reject);
      secured.once('close', () => reject(new Error('the server closed the connection during the handshake')));
    });
    return secured;
  }

  /** DEFLATE both ways from here on (RFC 4978). */
  compress(): void {
    const plain = this.#wire;
    plain.removeAllListeners('data');
    this.#take(new CompressedSocket(plain));
  }

  /** What was heard and not yet asked for. */
  get unread(): string {
    return this.#heard;
  }

  /** @param taken  called when the wire has taken the octets */
  send(octets: Uint8Array | string, taken?: () => void): void {
    if (!this.#wire.writableEnded) this.#wire.write(octets, taken);
  }

  end(): void {
    this.#wire.end();
  }

  destroy(): void {
    this.#wire.destroy();
  }

  /** Counts the chunks that arrive from now on: what each write of the server comes to, over memory. */
  countChunks(): readonly [count: () => number, stop: () => void] {
    let chunks = 0;
    const count = () => {
      chunks += 1;
    };
    this.#wire.on('data', count);
    return [() => chunks, () => this.#wire.off('data', count)];
  }

  /** Stops reading, so that the server's output piles up. */
  stall(): void {
    this.#wire.pause();
  }

  resume(): void {
    this.#wire.resume();
  }

  /** The next line without its CRLF; undefined when the server has closed. Fails loudly after some seconds. */
  async line(what = 'a line'): Promise<string | undefined> {
    await this.#until(() => this.#over || this.#heard.includes('\r\n'), what);
    const end = this.#heard.indexOf('\r\n');
    if (end < 0) return undefined;
    const line = this.#heard.slice(0, end);
    this.#heard = this.#heard.slice(end + 2);
    return line;
  }

  async lines(count: number): Promise<readonly (string | undefined)[]> {
    const lines: (string | undefined)[] = [];
    while (lines.length < count) lines.push(await this.line(`line ${lines.length + 1} of ${count}`));
    return lines;
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    await this.#until(() => this.#over, 'the end of the connection');
    const rest = this.#heard;
    this.#heard = '';
    return rest;
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    let inVain = false;
    const patience = setTimeout(() => {
      inVain = true;
      this.#arrived();
    }, 10_000);
    while (!holds() && !inVain) await new Promise<void>((resolve) => (this.#arrived = resolve));
    clearTimeout(patience);
    if (!holds()) throw new Error(`waited in vain for ${what}; heard ${JSON.stringify(this.#heard)}`);
  }
}

/** A client connected to a session of the protocol, and how the connection ended. */
export type Played = {
  readonly client: Client;
  readonly ended: Promise<Ending>;
  /** The server's side; known at once on the memory wire, on a socket once the greeting was heard. */
  connection(): Connection;
  close(): Promise<void>;
};

export type PlayOptions = {
  readonly limits?: Limits;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Over memory: where several of one house's are open at once, each has its own. */
  readonly session?: string;
};

const generous: Limits = { idleMs: 600_000, writeMs: 60_000 };

const callerOf = (session: string): Caller => ({
  session,
  address: '192.0.2.1',
  port: 40_110,
  local: { address: '192.0.2.2', port: 110 },
  tls: 'none',
});

/** Over memory: no socket, no kernel. */
export function overMemory(protocol: Protocol, options: PlayOptions = {}): Played {
  const [near, far] = duplexPair();
  const session = options.session ?? sessionIds('memory')();
  let tell: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => (tell = resolve));
  const caller = callerOf(session);
  const connection = new Connection(caller, far, protocol.begin(caller), {
    protocol: protocol.name,
    limits: options.limits ?? generous,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    closed: (_, ending) => tell(ending),
    turns: new Turns(options.clock ?? systemClock),
  });
  const client = new Client(near);
  return {
    client,
    ended,
    connection: () => connection,
    async close() {
      client.destroy();
      connection.destroy();
      await ended;
    },
  };
}

/** Over a listener and the loopback interface. */
export async function overSocket(
  protocol: Protocol,
  options: PlayOptions & Partial<ListenerOptions> = {},
): Promise<Played> {
  let tell: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => (tell = resolve));
  const log: Log = {
    ...(options.log ?? silentLog),
    debug: (message, fields) => {
      if (message === 'connection closed') tell(fields!.ending as Ending);
    },
  };
  const listener = new Listener({
    place: { address: '127.0.0.1', port: 0 },
    channels: 10,
    limits: generous,
    protocol,
    nextSessionId: sessionIds('socket'),
    clock: systemClock,
    ...options,
    log,
  });
  await listener.start();
  const place = listener.place!;
  const socket = connect('path' in place ? { path: place.path } : { port: place.port, host: place.address });
  const client = new Client(socket);
  await once(socket, 'connect');
  if (options.tls?.mode === 'implicit') await client.secure();
  return {
    client,
    ended,
    connection: () => [...listener.connections][0]!,
    async close() {
      client.destroy();
      const awake = setInterval(() => {}, 1000); // the product's own timers keep no process alive, and Deno then ends it
      await listener.stop(0);
      clearInterval(awake);
    },
  };
}

/** Two ends of one wire in memory: what is written to the one is read from the other, with backpressure. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const make = (): MemoryWire => new MemoryWire({ allowHalfOpen: true });
  const [a, b] = [make(), make()];
  a.other = b;
  b.other = a;
  return [a, b];
}

class MemoryWire extends Duplex {
  other: MemoryWire | undefined;
  #taken: (() => void) | undefined;

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.other!.#put(Buffer.from(bytes), done);
  }

  override _final(done: () => void): void {
    this.other!.#put(null, done);
  }

  override _destroy(fault: Error | null, done: (fault: Error | null) => void): void {
    const other = this.other!;
    if (!other.destroyed && !this.writableFinished) queueMicrotask(() => other.destroy()); // as a reset
    this.#taken?.();
    done(fault);
  }

  /** `done` is called when the reader wants more: until then the writer is held up. */
  #put(bytes: Buffer | null, done: () => void): void {
    if (this.destroyed || this.push(bytes) || bytes === null) done();
    else this.#taken = done;
  }
}
