/** A listener on a port of its own, its log, who has called it, and clients that call from any address of the loopback net. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Listener } from '../../actors/listener.ts';
import type { ListenerOptions } from '../../actors/listener-terms.ts';
import type { Caller, Protocol } from '../../actors/session.ts';
import { sessionIds } from '../../actors/session-ids.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { ConnectionLog } from '../../telemetry/connection-log.ts';
import { type MemoryLog, memoryLog } from '../../telemetry/memory-log.ts';
import { Client } from '../support/transcript.ts';
import * as pop3Fakes from './pop3/fake-services.ts';

export type Listening = {
  readonly listener: Listener;
  readonly log: MemoryLog;
  /** Those whose sessions began. */
  readonly callers: readonly Caller[];
  /** What the connection log was told, a word each. */
  readonly logged: readonly string[];
  /** Connected; as `from` where it is given, which is any of 127.0.0.0/8. */
  call(from?: string): Promise<Client>;
  stop(): Promise<void>;
};

export const pop3 = (): Protocol => pop3Fakes.pop3(pop3Fakes.fakeHouse().services);

export async function listening(options: Partial<ListenerOptions> = {}): Promise<Listening> {
  const log = memoryLog();
  const callers: Caller[] = [];
  const logged: string[] = [];
  const inner = options.protocol ?? pop3();
  const connectionLog: ConnectionLog = {
    begin({ address }, protocol) {
      return {
        failed() {},
        opened: () => logged.push(`opened ${protocol} ${address}`),
        ended: (how, ending) => logged.push(`${how} ${protocol} ${address} ${ending}`),
      };
    },
  };
  const listener = new Listener({
    place: { address: '127.0.0.1', port: 0 },
    channels: 10,
    limits: { idleMs: 600_000, writeMs: 60_000 },
    nextSessionId: sessionIds('listening'),
    clock: systemClock,
    log,
    connectionLog,
    ...options,
    protocol: {
      ...inner,
      begin(caller) {
        callers.push(caller);
        return inner.begin(caller);
      },
    },
  });
  await listener.start();
  const sockets: Socket[] = [];
  return {
    listener,
    log,
    callers,
    logged,
    async call(from) {
      const place = listener.place!;
      const socket =
        'path' in place
          ? connect({ path: place.path })
          : connect({
              port: place.port,
              host: place.address === '::' ? '127.0.0.1' : place.address,
              ...(from && { localAddress: from }),
            });
      sockets.push(socket);
      const client = new Client(socket);
      await once(socket, 'connect');
      return client;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      const awake = setInterval(() => {}, 1000); // the product's own timers keep no process alive, and Deno then ends it
      await listener.stop(0);
      clearInterval(awake);
    },
  };
}
