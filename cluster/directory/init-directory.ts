/**
 * What `init` does for the directory: makes the local database, and makes or joins the cluster's bucket. Everything here may
 * be run again after a failure; nothing here ever replaces what exists, and `serve` calls none of it.
 */

import type { Clock } from '../../kernel/clock.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { Bucket } from './bucket.ts';
import { commitRecord } from './commit.ts';
import { createEntryStore, openEntryStore } from './entry-store.ts';
import { createLocalBucket } from './local-bucket.ts';
import { type ClusterSettings, decodeRecord, keys, type MailHostRecord, type Seal } from './records.ts';

export type InitOptions = {
  /** The node that runs init: recorded as the writer. */
  readonly me: string;
  /** Where the LMDB environment goes: `data/directory`. */
  readonly path: string;
  readonly seal: Seal;
  readonly settings: ClusterSettings;
  /** This node's mailHosts with the identities of their stores, made just before. */
  readonly mailHosts: readonly MailHostRecord[];
  readonly clock?: Clock;
};

const TIMEOUT_MS = 10_000;

/** A directory for a node that is alone. Throws when there is one. */
export async function initEmbeddedDirectory(options: InitOptions): Promise<void> {
  await createEntryStore(options.path);
  const store = openEntryStore(options.path);
  const bucket = createLocalBucket(store);
  try {
    await joinBucket(bucket, options);
  } finally {
    await bucket.close();
    await store.close();
  }
}

/**
 * This node's mirror of a cluster's bucket, and its entries in there. The bucket itself was made by
 * `createJetStreamBucket`, or was there.
 * @returns whether this init was the first to write settings into the bucket
 * @throws Error for an operator: a wrong cluster key, another cluster's bucket, a mailHost known by another store
 */
export async function initClusterDirectory(bucket: Bucket, options: InitOptions): Promise<{ isFirst: boolean }> {
  const joined = await joinBucket(bucket, options);
  await createEntryStore(options.path); // last: its being there says that init went through
  return joined;
}

/** Writes settings where there are none, else checks them; enters the mailHosts. */
export async function joinBucket(bucket: Bucket, options: InitOptions): Promise<{ isFirst: boolean }> {
  const { settings, mailHosts } = options;
  const theirs = await enter<ClusterSettings>(bucket, options, keys.settings, settings);
  if (theirs && theirs.cluster !== settings.cluster) {
    throw new Error(`the bucket belongs to the cluster "${theirs.cluster}", not to "${settings.cluster}"`);
  }
  for (const mailHost of mailHosts) await enterMailHost(bucket, options, mailHost);
  return { isFirst: theirs === undefined };
}

/** Throws when the directory knows the mailHost by another store: two stores must never both be its truth. */
export async function enterMailHost(
  bucket: Bucket,
  options: Pick<InitOptions, 'me' | 'seal' | 'clock'>,
  mailHost: MailHostRecord,
): Promise<void> {
  const theirs = await enter<MailHostRecord>(bucket, options, keys.mailHost(mailHost.mailHost), mailHost);
  if (theirs && theirs.storeId !== mailHost.storeId) {
    throw new Error(
      `mailHost "${mailHost.mailHost}" is known to the directory with store ${theirs.storeId}; ` +
        `it can't be entered with store ${mailHost.storeId}`,
    );
  }
}

/** Writes the first record of a key, unless it has one. @returns the one that was there */
async function enter<T>(
  bucket: Bucket,
  { me, seal, clock = systemClock }: Pick<InitOptions, 'me' | 'seal' | 'clock'>,
  key: string,
  value: T,
): Promise<T | undefined> {
  const found = await bucket.read(key, TIMEOUT_MS);
  if (found) return opened<T>(seal, key, found.value);
  const commit = { bucket, seal, clock, requestTimeoutMs: TIMEOUT_MS / 2, retryMs: 250 };
  const record = { version: 1, at: clock.wall(), by: `init ${me}`, after: 0, value };
  const outcome = await commitRecord(commit, key, record, TIMEOUT_MS);
  if (outcome.ok) return undefined;
  if (outcome.refusal.kind !== 'conflict') throw new Error(`directory bucket: "${key}": ${outcome.refusal.kind}`);
  return opened<T>(seal, key, (await bucket.read(key, TIMEOUT_MS))?.value);
}

/** The value in an entry of the bucket. Throws when this cluster key does not open it. */
function opened<T>(seal: Seal, key: string, sealed: Uint8Array | undefined): T {
  const record = sealed && decodeRecord(seal, key, sealed);
  if (record) return record.value as T;
  throw new Error(
    `the cluster key does not open the bucket's entry "${key}": every node of a cluster needs the same key file`,
  );
}
