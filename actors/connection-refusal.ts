/** Connections that are not let in: told so in one line, never left waiting. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import { LINGER_MS } from './connection-terms.ts';

/** Refuses a connection with one line, or none, and closes it; reads nothing. */
export function refuseConnection(socket: Duplex, line: Uint8Array, clock: Clock): void {
  socket.on('error', () => {});
  const timer = clock.after(LINGER_MS, () => socket.destroy());
  socket.on('close', () => timer.cancel());
  socket.resume();
  socket.end(line);
}
