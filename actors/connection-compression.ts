/**
 * DEFLATE over a connection that is there already (RFC 4978): what is written goes out compressed and at once, what comes in is
 * read inflated. Lies over TLS where there is some, so that everything is compressed before it is encrypted (§3). When it begins
 * is actors/connection.ts's to say; nothing here knows a protocol.
 *
 * Both ways keep the pace of the slower side: what a few octets inflate to is made only as it is read.
 */
import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';

/** RFC 4978 §4: raw, and cheap in time. Smaller windows than the widest: each session that is compressed holds two of them. */
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
    this.#inflate.on('end', () => this.push(null));
    carrier.pipe(this.#inflate);
    this.#deflate.pipe(carrier);
    carrier.once('close', () => this.destroy());
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
 */
export function beginCompression(socket: Duplex): Duplex {
  socket.removeAllListeners('data');
  socket.removeAllListeners('drain');
  return new CompressedSocket(socket);
}
