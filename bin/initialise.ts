/**
 * `init`: makes a node's databases, and makes or joins its cluster's bucket. Never touches what exists. What a failed
 * attempt left behind is found again by the next: the directory database comes last and says that all is there.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createClusterKey, deriveKeys, readClusterKey } from '../cluster/cluster-key.ts';
import { entryStoreExists } from '../cluster/directory/entry-store.ts';
import { initClusterDirectory, initEmbeddedDirectory } from '../cluster/directory/init-directory.ts';
import { bucketName, createJetStreamBucket, openJetStreamBucket } from '../cluster/directory/jetstream-bucket.ts';
import { sealWith } from '../cluster/directory/seal.ts';
import { connectNats, type NatsLink } from '../cluster/nats/connect.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLmdbStore, openLmdbStore } from '../store/lmdb-store.ts';
import { silentLog } from '../telemetry/log.ts';
import { CommandError } from './command-error.ts';
import { lockData } from './data-lock.ts';
import { clusterName, directoryPath, mailPath } from './places.ts';

/** How long `init` looks for a nats-server: an operator is waiting. */
const NATS_TIMEOUT_MS = 15_000;

/** @returns what was made, a line each */
export async function initialise(config: Config): Promise<string[]> {
  const path = directoryPath(config);
  if (entryStoreExists(path)) throw new CommandError(`${path}: exists already: this node was initialised before`);
  mkdirSync(join(config.data, 'log'), { recursive: true, mode: 0o700 });
  const lock = await lockData(config.data);
  try {
    const made: string[] = [];
    const key = await clusterKey(config, made);
    const mailHosts = [];
    for (const mailHost of config.mailHosts) mailHosts.push(await mailStore(config, mailHost, made));
    const settings = { cluster: clusterName(config), maxStaleMs: config.directoryMaxStaleMs };
    const common = { me: config.me, path, seal: sealWith(deriveKeys(key).values), settings, mailHosts };
    if (config.nats) await joinCluster(config, config.nats, common, made);
    else await initEmbeddedDirectory(common);
    made.push(`made ${path}`);
    return made;
  } catch (error) {
    throw error instanceof CommandError ? error : new CommandError(error instanceof Error ? error.message : `${error}`);
  } finally {
    lock.release();
  }
}

async function clusterKey(config: Config, made: string[]): Promise<Uint8Array> {
  const file = config.clusterKeyFile;
  if (existsSync(file)) return readClusterKey(file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const key = await createClusterKey(file);
  made.push(config.nats ? `made ${file}: give every node of the cluster a copy` : `made ${file}`);
  return key;
}

/** A new store, or the one that an earlier attempt made. */
async function mailStore(config: Config, mailHost: string, made: string[]) {
  const path = mailPath(config, mailHost);
  const created = await createLmdbStore(path, mailHost);
  if (created.ok) {
    made.push(`made ${path}`);
    return { mailHost, storeId: created.value.storeId };
  }
  const opened = await openLmdbStore(path);
  if (!opened.ok) throw new CommandError(`${path}: exists and is no finished store (${opened.refusal.kind})`);
  const { identity } = opened.value;
  await opened.value.close();
  if (identity.mailHost !== mailHost)
    throw new CommandError(`${path}: is the store of mailHost "${identity.mailHost}", not of "${mailHost}"`);
  return { mailHost, storeId: identity.storeId };
}

async function joinCluster(
  config: Config,
  nats: NonNullable<Config['nats']>,
  common: Parameters<typeof initClusterDirectory>[1],
  made: string[],
): Promise<void> {
  const name = bucketName(nats.cluster);
  await withNats(config, nats, async (link) => {
    const replicas = await createJetStreamBucket(link.connection, name);
    const bucket = await openJetStreamBucket(link, name, systemClock);
    const { isFirst } = await initClusterDirectory(bucket, common).finally(() => bucket.close());
    made.push(
      isFirst ? `made the cluster's bucket ${name}, replicas: ${replicas}` : `joined the cluster "${nats.cluster}"`,
    );
  });
}

/**
 * Makes the cluster's bucket where it was lost with everything in it; what restored nodes have mirrored is written into it by
 * themselves.
 * @returns what was made; undefined when it was there and is left as it is
 */
export async function makeLostBucket(config: Config): Promise<string | undefined> {
  if (!config.nats) throw new CommandError('a node without [nats] has no bucket');
  const name = bucketName(config.nats.cluster);
  const replicas = await withNats(config, config.nats, (link) => createJetStreamBucket(link.connection, name));
  return replicas === 0 ? undefined : `the cluster's bucket ${name}, replicas: ${replicas}`;
}

async function withNats<T>(
  config: Config,
  nats: NonNullable<Config['nats']>,
  use: (link: NatsLink) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(NATS_TIMEOUT_MS);
  const link = await connectNats(nats, { me: config.me, log: silentLog, clock: systemClock, signal }).catch((error) => {
    if (!signal.aborted) throw error;
    throw new CommandError(`no nats-server answers at ${nats.servers.join(', ')}`);
  });
  return await use(link).finally(() => link.close());
}
