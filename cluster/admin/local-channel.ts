/** Admin messages within one process: for tests and simulators, as the memory bucket is. Octets are copied, as NATS would. */
import type { Log } from '../../telemetry/log.ts';
import type { Service } from '../bus/bus.ts';
import type { AdminChannel, Answer } from './channel.ts';

type Hear = (message: Uint8Array, answer: Answer) => void;

export class LocalAdminChannel implements AdminChannel {
  readonly #nodes = new Set<{ readonly me: string; readonly hear: Hear }>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  async serve(me: string, hear: Hear): Promise<Service> {
    const node = { me, hear };
    this.#nodes.add(node);
    return { stop: async () => void this.#nodes.delete(node) };
  }

  async send(to: string | undefined, message: Uint8Array, hear: (answer: Uint8Array) => void): Promise<Service> {
    let isStopped = false;
    const answer = (octets: Uint8Array) => {
      const copy = octets.slice();
      this.#later(() => {
        if (!isStopped) hear(copy);
      });
    };
    for (const node of this.#nodes)
      if (to === undefined || node.me === to) this.#later(() => node.hear(message.slice(), answer));
    return {
      stop: async () => {
        isStopped = true;
      },
    };
  }

  #later(run: () => void): void {
    queueMicrotask(() => {
      try {
        run();
      } catch (fault) {
        this.#log.error('an admin message could not be heard', { fault });
      }
    });
  }
}
