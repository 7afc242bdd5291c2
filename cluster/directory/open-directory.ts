/**
 * The directory, the members and the leases of a node that serves: put together, and taken apart in order.
 *
 * Opens what `init` made and refuses where it is missing. The caller holds the data directory's lock before it calls, and
 * owns the bus and the bucket's connection: they are closed after this.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Bus } from '../bus/bus.ts';
import { createEmbeddedLeases } from '../leases/embedded-leases.ts';
import { createLeases, defaultLeaseTiming, type LeaseTiming } from '../leases/leases.ts';
import type { Leases } from '../leases/ownership.ts';
import { waitUntil } from '../members/elapsed.ts';
import { createMembers, onlyMember } from '../members/members.ts';
import { NodeSession } from '../members/node-session.ts';
import { defaultTiming, type Timing } from '../members/timing.ts';
import type { Subjects } from '../subjects.ts';
import { serveApplied } from './barrier.ts';
import { type Bucket, BucketFault } from './bucket.ts';
import { createClusterDirectory } from './cluster-directory.ts';
import type { Directory, Members } from './directory.ts';
import { createEmbeddedDirectory, heldIn } from './embedded-directory.ts';
import type { EntryStore } from './entry-store.ts';
import { createLocalBucket } from './local-bucket.ts';
import { createMirror } from './mirror.ts';
import { type ClusterSettings, decodeRecord, keys, MAIL_HOSTS, nameIn, type Seal } from './records.ts';

export type OpenDirectory = {
  readonly directory: Directory;
  readonly members: Members;
  readonly leases: Leases;
  /** Every mailHost that some node's `init` has entered. */
  mailHosts(): readonly string[];
  /** Registered, and the mirror loaded past that registration; false when that takes longer than `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Stops logins, gives the registration back, closes. For a clean stop, after the leases were released. */
  leave(): Promise<void>;
  /** Closes and leaves the registration as it is: the others wait until it is old. */
  close(): Promise<void>;
};

export type EmbeddedOptions = {
  readonly me: string;
  /** Unique to this start of the process. */
  readonly startId: string;
  readonly mailHosts: readonly string[];
  readonly store: EntryStore;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
};

export function openEmbeddedDirectory(options: EmbeddedOptions): OpenDirectory {
  const { me, startId, mailHosts, store, seal } = options;
  if (!heldIn(store, seal, keys.settings)) throw new Error('directory: no settings; `homing init` did not end well');
  const bucket = createLocalBucket(store);
  const close = async () => {
    await bucket.close();
    await store.close();
  };
  return {
    directory: createEmbeddedDirectory({ ...options, bucket }),
    members: onlyMember({ me, startId, mailHosts }),
    leases: createEmbeddedLeases({ ...options, bucket }),
    mailHosts: () => mailHostsIn(store),
    ready: async () => true,
    leave: close,
    close,
  };
}

export type ClusterOptions = EmbeddedOptions & {
  readonly cluster: string;
  readonly bucket: Bucket;
  readonly bus: Pick<Bus, 'ask' | 'serve'>;
  readonly subjects: Subjects;
  readonly timing?: Partial<Timing>;
  readonly leaseTiming?: LeaseTiming;
  /** How long a change may try to commit before it is refused as unavailable; default 5 s. */
  readonly changeTimeoutMs?: number;
  /** Is the store here the only one of that mailHost? Until mailHosts are replicated: yes. */
  readonly isSoleStore?: (mailHost: string) => boolean;
};

/** Resolves when this node answers others' barriers and has begun to register; `ready` waits for the rest. */
export async function openClusterDirectory(options: ClusterOptions): Promise<OpenDirectory> {
  const { me, startId, store, seal, clock, log, bucket, bus, subjects } = options;
  const timing = { ...defaultTiming, ...options.timing };
  await checkSettings(options, timing.requestTimeoutMs);
  const mirror = createMirror(store, seal, log);
  const session = new NodeSession({ ...options, dataId: store.dataId, mirror, timing });
  const members = createMembers(mirror, log);
  const { requestTimeoutMs, retryMs } = timing;
  const commit = { bucket, seal, mirrored: mirror.get, history: mirror.sweeps, clock, requestTimeoutMs, retryMs };
  const barrier = { me, startId, mirror, clock, bus, subjects, retryMs };
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one for each change under way
  const directory = createClusterDirectory({
    mirror,
    session,
    members,
    commit,
    barrier,
    log,
    marginMs: timing.marginMs,
    changeTimeoutMs: options.changeTimeoutMs ?? 5000,
    signal: stopping.signal,
  });
  const leases = createLeases({
    me,
    startId,
    dataId: store.dataId,
    mirror,
    session,
    commit,
    log,
    timing: options.leaseTiming ?? defaultLeaseTiming,
    isSoleStore: options.isSoleStore ?? (() => true),
  });
  const applied = await serveApplied(barrier, stopping.signal); // before the registration that makes others ask
  session.start();

  let ended: Promise<void> | undefined;
  const end = (how: () => Promise<void>): Promise<void> => {
    ended ??= (async () => {
      stopping.abort(new Error('the node stops'));
      await how();
      await applied.stop();
      await members.stop();
      await store.close();
    })();
    return ended;
  };
  return {
    directory,
    members,
    leases,
    mailHosts: () => mailHostsIn(store),
    ready: (timeoutMs) =>
      waitUntil(
        clock,
        (listener) => session.onChanged(listener),
        () => session.isLive(),
        timeoutMs,
      ),
    leave: () => end(() => session.leave()),
    close: () => end(() => session.close()),
  };
}

const mailHostsIn = (store: EntryStore): string[] => [...store.list(MAIL_HOSTS)].map(({ key }) => nameIn(key));

/** Tells a wrong cluster key or another cluster's bucket from one that is only out of reach. */
async function checkSettings({ bucket, store, seal, cluster, log }: ClusterOptions, timeoutMs: number): Promise<void> {
  const mirrored = heldIn(store, seal, keys.settings)?.record.value as ClusterSettings | undefined;
  if (mirrored) checkCluster(mirrored, cluster);
  try {
    const entry = await bucket.read(keys.settings, timeoutMs);
    const settings = entry?.value && (decodeRecord(seal, keys.settings, entry.value)?.value as ClusterSettings);
    if (settings) checkCluster(settings, cluster);
    else if (entry && mirrored) log.error('the directory bucket has settings that this cluster key does not open');
    else if (entry)
      throw new Error('the cluster key does not open the directory bucket: every node needs the same one');
    else if (!mirrored) throw new Error('the directory bucket has no settings; `homing init` writes them');
  } catch (error) {
    if (!(error instanceof BucketFault)) throw error;
    log.warn('the directory bucket is out of reach', { reason: error.message });
  }
}

function checkCluster(settings: ClusterSettings, cluster: string): void {
  if (settings.cluster === cluster) return;
  throw new Error(`the directory is that of the cluster "${settings.cluster}", not of "${cluster}"`);
}
