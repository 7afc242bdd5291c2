/**
 * A client's socket, read line by line: what the load harness and the tests speak POP3, LMTP and poppwd with.
 * Buffers, not strings, so that a message's octets come back as they were sent.
 */
import { connect, type NetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';

const CRLF = Buffer.from('\r\n');
const MULTILINE_END = Buffer.from('\r\n.\r\n');

export class WireClosed extends Error {}

export type Endpoint = ({ readonly host: string; readonly port: number } | { readonly path: string }) & {
  /** The client's own address; absent: the system's choice. */
  readonly localAddress?: string;
  /** TLS from the first octet; absent: none. */
  readonly tls?: ConnectionOptions;
  /** TLS after STLS or STARTTLS, before anything else is said; the client of the protocol sees to it. */
  readonly startTls?: ConnectionOptions;
  /** Where the TLS session of one connection is kept for the next one to resume; absent: none resumes. */
  readonly resumption?: { session?: Buffer };
};

export class Wire {
  #socket!: Duplex; // by #takeOver
  #held: Buffer[] = [];
  #size = 0;
  #ended: Error | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Duplex) {
    this.#takeOver(socket);
  }

  #takeOver(socket: Duplex): void {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#held.push(bytes);
      this.#size += bytes.length;
      if (this.#size > 4 * 1024 * 1024) socket.pause();
      this.#rouse();
    });
    const end = (error?: Error) => {
      if (socket !== this.#socket) return; // TLS has it now, and tells by itself
      this.#ended ??= error ?? new WireClosed('the server closed the connection');
      this.#rouse();
    };
    socket.on('end', () => end());
    socket.on('close', () => end());
    socket.on('error', (error) => end(error));
  }

  /** Over what there is already: one end of a pair in memory, for a server in the same process. */
  static over(duplex: Duplex): Wire {
    return new Wire(duplex);
  }

  static open({ tls, startTls: _, resumption, ...place }: Endpoint): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = tls
        ? resuming(resumption, (session) => connectTls({ ...place, ...tls, ...session } as ConnectionOptions))
        : connect({ ...place, noDelay: true } as NetConnectOpts);
      socket.once('error', reject);
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        resolve(new Wire(socket));
      });
    });
  }

  /** The handshake after STLS or STARTTLS was accepted. Throws when it fails, and when the server said more in clear. */
  async secure(options: ConnectionOptions, resumption?: Endpoint['resumption']): Promise<void> {
    const plain = this.#socket;
    if (this.#size > 0) throw new Error('the server said more in clear after it had accepted TLS');
    plain.removeAllListeners('data');
    const secured = resuming(resumption, (session) => connectTls({ socket: plain, ...options, ...session }));
    await new Promise<void>((resolve, reject) => {
      secured.once('secureConnect', resolve);
      secured.once('error', reject);
      secured.once('close', () => reject(new WireClosed('the server closed the connection during the handshake')));
    });
    this.#takeOver(secured);
  }

  /** What the octets go through under TLS: the version, whether the session was resumed; undefined in clear. */
  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  /** Writes, and waits only while the server does not read. */
  async send(bytes: string | Uint8Array): Promise<void> {
    if (this.#ended) throw this.#ended;
    if (this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#socket.off('drain', go);
        this.#socket.off('close', go);
        resolve();
      };
      this.#socket.on('drain', go);
      this.#socket.on('close', go);
    });
  }

  /** One line without its CRLF, as latin1. */
  async line(): Promise<string> {
    return (await this.#take(CRLF)).toString('latin1');
  }

  /** A multi-line reply's lines up to the final dot (RFC 1939 §3), unstuffed, CRLFs kept. */
  async multiline(): Promise<Buffer> {
    await this.#fill(3);
    const held = this.#whole();
    if (held.subarray(0, 3).equals(Buffer.from('.\r\n'))) {
      this.#keep(held.subarray(3));
      return Buffer.alloc(0);
    }
    return unstuff(Buffer.concat([await this.#take(MULTILINE_END), CRLF]));
  }

  /** Up to `octets` octets as they come; an empty buffer when the server has closed. */
  async some(octets: number): Promise<Buffer> {
    if (!(await this.#fill(1, true))) return Buffer.alloc(0);
    const held = this.#whole();
    this.#keep(held.subarray(octets));
    return held.subarray(0, octets);
  }

  /** Stops reading, as a slow reader does. */
  stall(): void {
    this.#socket.pause();
  }

  /** Resolves when the server has closed. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #take(end: Buffer): Promise<Buffer> {
    let searched = 0; // buffers that hold no whole end
    for (;;) {
      const at = this.#find(end, searched);
      if (at >= 0) {
        const held = this.#whole();
        this.#keep(held.subarray(at + end.length));
        return held.subarray(0, at);
      }
      searched = this.#held.length;
      await this.#fill(this.#size + 1);
    }
  }

  /** Where `end` begins, looking only at the buffers from `first` on and at what may straddle into them. */
  #find(end: Buffer, first: number): number {
    const before = this.#held.slice(0, first);
    const straddling = Buffer.concat(before.slice(-end.length)).subarray(-(end.length - 1));
    const at = Buffer.concat([straddling, ...this.#held.slice(first)]).indexOf(end);
    return at < 0 ? -1 : before.reduce((sum, each) => sum + each.length, 0) - straddling.length + at;
  }

  async #fill(octets: number, endIsFine = false): Promise<boolean> {
    while (this.#size < octets) {
      if (this.#ended && endIsFine) return false;
      if (this.#ended) throw this.#ended;
      await this.#more();
    }
    return true;
  }

  #more(): Promise<void> {
    this.#socket.resume();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #rouse(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #whole(): Buffer {
    if (this.#held.length !== 1) this.#held = [Buffer.concat(this.#held)];
    return this.#held[0]!;
  }

  #keep(rest: Buffer): void {
    this.#held = [rest];
    this.#size = rest.length;
  }
}

/** Begins with the session that is kept, and keeps the one that the server then gives. */
function resuming(kept: Endpoint['resumption'], connect: (session: { session?: Buffer }) => TLSSocket): TLSSocket {
  const socket = connect(kept?.session ? { session: kept.session } : {});
  if (kept)
    socket.on('session', (session: Buffer) => {
      kept.session = session;
    });
  return socket;
}

/** Takes one dot from each line that begins with one (RFC 1939 §3). */
function unstuff(text: Buffer): Buffer {
  if (!text.includes('\r\n.') && text[0] !== 46) return text;
  const kept: Buffer[] = [];
  let from = text[0] === 46 ? 1 : 0;
  for (let at = text.indexOf('\r\n.', from); at >= 0; at = text.indexOf('\r\n.', from)) {
    kept.push(text.subarray(from, at + 2));
    from = at + 3;
  }
  kept.push(text.subarray(from));
  return Buffer.concat(kept);
}

/** Adds one dot to each line that begins with one (RFC 5321 §4.5.2). */
export function stuff(text: Buffer): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  if (text[0] === 46) kept.push(Buffer.from('.'));
  for (let at = text.indexOf('\r\n.'); at >= 0; at = text.indexOf('\r\n.', at + 2)) {
    kept.push(text.subarray(from, at + 2), Buffer.from('.'));
    from = at + 2;
  }
  kept.push(text.subarray(from));
  return Buffer.concat(kept);
}
