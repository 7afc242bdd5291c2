/**
 * DEFLATE over a connection that is there already (RFC 4978): what is written goes out compressed and at once, what comes in is
 * read inflated. Lies over TLS where there is some, so that everything is compressed before it is encrypted (§3). When it begins
 * is actors/connection.ts's to say; nothing here knows a protocol.
 *
 * Both ways keep the pace of the slower side: what a few octets inflate to is made only as it is read.
 */
import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';

/** RFC 4978 §4: raw, and cheap in time. A smaller window than the widest, since each session keeps one; that of what the client sends is the client's choice. */
const DEFLATING = { level: 3, windowBits: 13, memLevel: 6 };

type Done = (fault?: Error | null) => void;

export class CompressedSocket extends Duplex {
  /** What the compressed octets travel on. Destroying this destroys it too. */
  readonly carrier: Duplex;
  readonly #inflate: InflateRaw;
  readonly #deflate: DeflateRaw;

  constructor(carrier: Duplex) {
    super({ decodeStrings: true });
    this.carrier = carrier;
    this.#deflate = createDeflateRaw(DEFLATING);
    // a client that goes leaves its stream of DEFLATE open as a rule: what came until then counts
    this.#inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
    const fail = (fault: Error) => this.destroy(fault);
    this.#inflate.on('error', fail);
    this.#deflate.on('error', fail);
    this.#inflate.on('data', (octets) => this.push(octets) || this.#inflate.pause());
    this.#inflate.on('end', () => {
      // the client has ended its stream: what it may send behind that is read and dropped, or closing would reset our last words
      carrier.unpipe(this.#inflate).resume();
      this.push(null);
    });
    carrier.pipe(this.#inflate);
    this.#deflate.pipe(carrier);
    carrier.once('close', () => {
      // what came before an orderly end is still being inflated, and is to be read
      if (carrier.readableEnded && !this.readableEnded) this.once('end', () => this.destroy());
      else this.destroy();
    });
  }

  override _read(): void {
    this.#inflate.resume();
  }

  override _write(octets: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#deflate.write(octets);
    this.#flush(done);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    for (const { chunk } of chunks) this.#deflate.write(chunk);
    this.#flush(done);
  }

  /** The client must be able to read all that was said so far. */
  #flush(done: Done): void {
    this.#deflate.flush(constants.Z_SYNC_FLUSH, () => done());
  }

  override _final(done: Done): void {
    this.carrier.once('finish', () => done());
    this.#deflate.end(); // and with it the carrier
  }

  override _destroy(fault: Error | null, done: Done): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
    this.carrier.destroy();
    done(fault);
  }
}

/**
 * Begins compression. The socket must not be read or written by anybody else from then on; what it has been given to write goes
 * out before, as it is.
 * @param told  what was wrong, when the client sends what is no DEFLATE; the connection is closed then
 */
export function beginCompression(socket: Duplex, told: (reason: string) => void = () => {}): Duplex {
  socket.removeAllListeners('data');
  socket.removeAllListeners('drain');
  const compressed = new CompressedSocket(socket);
  compressed.once('error', ({ code, message }: NodeJS.ErrnoException) => told(code ?? message));
  return compressed;
}
