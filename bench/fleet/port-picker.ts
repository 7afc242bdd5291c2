/**
 * TCP ports of 127.0.0.1 for servers that must come back on the same one, so that 0 will not do.
 *
 * They lie below those that systems give to outgoing connections, which would take one between the choice and the use of it,
 * and in a block that depends on the process, so that programs that choose at the same time do not choose the same.
 */
import { createServer } from 'node:net';

const FIRST = 10_000;
const BLOCKS = 220;
const BLOCK_PORTS = 100;

export class PortPicker {
  readonly #block = FIRST + (process.pid % BLOCKS) * BLOCK_PORTS;
  #offset = Math.floor(Math.random() * BLOCK_PORTS);

  /** One that is free now; the same again only after all others of the block. */
  async next(): Promise<number> {
    for (let tries = 0; tries < BLOCK_PORTS; tries++) {
      this.#offset = (this.#offset + 1) % BLOCK_PORTS;
      const port = this.#block + this.#offset;
      if (await isFree(port)) return port;
    }
    throw new Error(`no free port from ${this.#block} to ${this.#block + BLOCK_PORTS - 1}`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
