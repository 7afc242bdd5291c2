/** Connections that are not let in: told so in one line, or none, and closed; never left waiting, and nothing of them is read. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import { LINGER_MS } from './connection-terms.ts';

/** Of those that were told so and have not closed their end. More are closed without waiting for it: a flood must hold no sockets. */
const MOST_LINGERING = 256;

export class Refuser {
  readonly #clock: Clock;
  #lingering = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  refuse(socket: Duplex, line: Uint8Array): void {
    socket.on('error', () => {});
    if (line.length === 0 || this.#lingering >= MOST_LINGERING) {
      socket.end(line); // into the kernel, as far as it takes it
      socket.destroy();
      return;
    }
    this.#lingering += 1;
    const timer = this.#clock.after(LINGER_MS, () => socket.destroy());
    socket.on('close', () => {
      this.#lingering -= 1;
      timer.cancel();
    });
    socket.resume();
    socket.end(line);
  }
}
