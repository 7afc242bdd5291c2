/** A set of listeners told one after the other; one that throws is logged and does not keep the others from hearing. */
import type { Log } from '../../telemetry/log.ts';
import type { Service } from '../bus/bus.ts';

export type Listeners<T> = {
  add(listener: (value: T) => void): Service;
  tell(value: T): void;
};

export function createListeners<T>(log: Log): Listeners<T> {
  const all = new Set<{ listener: (value: T) => void }>();
  return {
    add(listener) {
      const entry = { listener };
      all.add(entry);
      return {
        async stop() {
          all.delete(entry);
        },
      };
    },
    tell(value) {
      for (const { listener } of [...all]) {
        try {
          listener(value);
        } catch (error) {
          log.error('a listener threw', { error });
        }
      }
    },
  };
}
