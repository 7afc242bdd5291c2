/**
 * What nats.js (3.4) leaves undone when it gives a connection up: it takes every listener from the socket, and then destroys
 * it. On Deno a reset that came just before, as after refused credentials, is told only then, finds no listener, and would
 * end the process. Here a socket that lost its listeners keeps one that drops the error: whoever gave it up wants none.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type { Service } from '../bus/bus.ts';

/** Sees to the sockets that this process opens from now on, until it is stopped. */
export function muteAbandonedSockets(): Service {
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: EventEmitter };
    const removeAllListeners = socket.removeAllListeners.bind(socket);
    socket.removeAllListeners = (name) => {
      if (name !== undefined) return removeAllListeners(name);
      removeAllListeners();
      return socket.on('error', drop);
    };
  };
  subscribe(CHANNEL, onSocket);
  return { stop: async () => void unsubscribe(CHANNEL, onSocket) };
}

/** Node's documentation, diagnostics_channel: published for each new client socket, before it connects. */
const CHANNEL = 'net.client.socket';

const drop = (): void => {};
