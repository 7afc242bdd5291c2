/**
 * TCP ports of 127.0.0.1 for servers that must come back on the same one, so that 0 will not do.
 *
 * They lie below those that systems give to outgoing connections, which would take one between the choice and the use of it,
 * and in a block that no other picker has, of this program or of another at the same time: each listens at its block's first
 * port for as long as its program runs.
 */
import { createServer, type Server } from 'node:net';

const FIRST = 10_000;
const BLOCKS = 220;
const BLOCK_PORTS = 100;

export class PortPicker {
  #block: Promise<number> | undefined;
  #offset = 0;

  /** One that is free now; the same again only after all others of the block. */
  async next(): Promise<number> {
    this.#block ??= claimBlock();
    const block = await this.#block;
    for (let tries = 1; tries < BLOCK_PORTS; tries++) {
      this.#offset = (this.#offset % (BLOCK_PORTS - 1)) + 1;
      const port = block + this.#offset;
      const server = await listening(port);
      if (!server) continue;
      await new Promise((resolve) => server.close(resolve));
      return port;
    }
    throw new Error(`no free port from ${block} to ${block + BLOCK_PORTS - 1}`);
  }
}

/** The first port of a block. Its server is never closed, and keeps no program from ending. */
async function claimBlock(): Promise<number> {
  for (let tries = 0; tries < BLOCKS; tries++) {
    const block = FIRST + ((process.pid + tries) % BLOCKS) * BLOCK_PORTS;
    const server = await listening(block);
    if (!server) continue;
    server.unref();
    return block;
  }
  throw new Error('no block of ports is free');
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
