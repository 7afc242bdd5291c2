/**
 * What everything of a node stands on: the data directory's lock, the cluster's keys, the bus and the directory. A node
 * that serves and a command that works on the databases of a stopped node stand on the same.
 */
import { randomBytes } from 'node:crypto';
import type { Bus } from '../cluster/bus/bus.ts';
import { LocalBus } from '../cluster/bus/local-bus.ts';
import { NatsBus } from '../cluster/bus/nats-bus.ts';
import { type ClusterKeys, deriveKeys, readClusterKey } from '../cluster/cluster-key.ts';
import { type DiskEntryStore, entryStoreExists, openEntryStore } from '../cluster/directory/entry-store.ts';
import { bucketName, openJetStreamBucket } from '../cluster/directory/jetstream-bucket.ts';
import {
  type OpenDirectory,
  openClusterDirectory,
  openEmbeddedDirectory,
} from '../cluster/directory/open-directory.ts';
import { sealWith } from '../cluster/directory/seal.ts';
import { FrameSealer } from '../cluster/frames.ts';
import { connectNats, type NatsLink } from '../cluster/nats/connect.ts';
import { type Subjects, subjects } from '../cluster/subjects.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { Closers } from './closers.ts';
import { CommandError } from './command-error.ts';
import { lockData } from './data-lock.ts';
import { clusterName, directoryPath } from './places.ts';

export type Ground = OpenDirectory & {
  /** Unique to this start: names sessions, operations, the registration. */
  readonly startId: string;
  readonly keys: ClusterKeys;
  /** The directory database itself, for backup and check. */
  readonly entries: DiskEntryStore;
  readonly bus: Bus;
  /** Below the bus; absent: embedded. */
  readonly link?: NatsLink;
  readonly subjects: Subjects;
  /** What stands on the ground is added here and closed before it. */
  readonly closers: Closers;
};

export type GroundOptions = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives up waiting for a nats-server. */
  readonly signal?: AbortSignal;
};

/** Opens it all, or closes again what was opened and throws: a CommandError where the operator must act. */
export async function openGround(options: GroundOptions): Promise<Ground> {
  const closers = new Closers();
  try {
    return await open(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function open(options: GroundOptions, closers: Closers): Promise<Ground> {
  const { config, clock, log } = options;
  requireDirectory(config);
  const lock = await lockData(config.data);
  closers.add('the lock', lock.release);
  const keys = deriveKeys(await readClusterKey(config.clusterKeyFile).catch(asCommandError));
  const startId = randomBytes(12).toString('hex');
  const names = subjects(clusterName(config));
  const local = new LocalBus({ clock, log });
  closers.add('the bus', () => local.close());
  const store = openEntryStore(directoryPath(config));
  const common = {
    me: config.me,
    startId,
    mailHosts: config.mailHosts,
    store,
    seal: sealWith(keys.values),
    clock,
    log,
  };
  if (!config.nats) {
    const opened = openEmbeddedDirectory(common);
    closers.add('the directory', opened.leave);
    return { ...opened, startId, keys, entries: store, bus: local, subjects: names, closers };
  }
  const { me, nats } = config;
  const connecting = { me, log, clock, ...(options.signal && { signal: options.signal }) };
  const link = await connectNats(nats, connecting).catch(async (error) => {
    await store.close();
    throw options.signal?.aborted ? error : asError(error);
  });
  closers.add('the NATS connection', () => link.close());
  const bus = new NatsBus({ link, local, sealer: new FrameSealer({ key: keys.frames, clock, log }), clock, log });
  closers.add('the bus', () => bus.close());
  const bucket = await openJetStreamBucket(link, bucketName(nats.cluster), clock);
  closers.add('the bucket', () => bucket.close());
  const opened = await openClusterDirectory({
    ...common,
    cluster: nats.cluster,
    bucket,
    bus,
    subjects: names,
    leaseTiming: { lastsMs: config.leaseDurationMs, marginMs: Math.max(500, config.leaseDurationMs / 6) },
  }).catch(asCommandError);
  closers.add('the directory', opened.leave);
  return { ...opened, startId, keys, entries: store, bus, link, subjects: names, closers };
}

function requireDirectory(config: Config): void {
  const path = directoryPath(config);
  if (entryStoreExists(path)) return;
  throw new CommandError(
    `${path}: the directory database is missing: restore it from a backup, or run \`homing init\` for a new node`,
  );
}

const asError = (error: unknown): CommandError =>
  new CommandError(error instanceof Error ? error.message : String(error));

/** Opening fails for reasons that the operator must see to: the message names them, and no stack helps. */
const asCommandError = (error: unknown): never => {
  throw asError(error);
};
