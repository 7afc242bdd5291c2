/** The registered nodes, as the mirror has them. */
import type { Log } from '../../telemetry/log.ts';
import type { Service } from '../bus/bus.ts';
import type { Member, Members } from '../directory/directory.ts';
import type { Mirror } from '../directory/mirror.ts';
import { keys, NODES, type Registration } from '../directory/records.ts';
import { createListeners } from './listeners.ts';

/** `stop` ends the listening to the mirror. */
export function createMembers(mirror: Mirror, log: Log): Members & Service {
  const listeners = createListeners<readonly Member[]>(log);
  /** Start ids by key: what must differ for others to be told. */
  const starts = new Map<string, string>();
  for (const { key, record } of mirror.list(NODES)) {
    if (record.value !== undefined) starts.set(key, (record.value as Registration).startId);
  }
  const list = () =>
    [...mirror.list(NODES)]
      .filter(({ record }) => record.value !== undefined)
      .map(({ record }) => asMember(record.value as Registration));
  const subscription = mirror.onFollowed(({ key, record }) => {
    if (!key.startsWith(NODES)) return;
    const startId = (record.value as Registration | undefined)?.startId;
    if (starts.get(key) === startId) return;
    if (startId === undefined) starts.delete(key);
    else starts.set(key, startId);
    listeners.tell(list());
  });
  return {
    list,
    isRegistered: (me, startId) => starts.get(keys.node(me)) === startId,
    onChange: (listener) => listeners.add(listener),
    stop: () => subscription.stop(),
  };
}

/** The one node of an embedded system. */
export const onlyMember = (me: Member): Members => ({
  list: () => [me],
  isRegistered: (name, startId) => name === me.me && startId === me.startId,
  onChange: () => ({ stop: async () => {} }),
});

const asMember = ({ me, startId, mailHosts }: Registration): Member => ({ me, startId, mailHosts });
