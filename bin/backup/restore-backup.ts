/**
 * `restore`: a backup becomes the databases of a node that has none. Everything is looked at before anything is written;
 * all is copied aside, checked again and made ready there, and moved into place at the end, the directory last: that it is
 * there says that all is. Nothing that exists is ever touched.
 *
 * What was given out after the backup was made is not known to the copy: a mail store's numbers are raised beyond it, its
 * sessions are ended, and a cluster's directory trusts nothing that it holds before the whole bucket was told anew.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ending } from '../../actors/mailbox-owner/session.ts';
import type { Progress } from '../../admin/jobs.ts';
import { deriveKeys, readClusterKey } from '../../cluster/cluster-key.ts';
import { adoptEntryCopy } from '../../cluster/directory/copied-entry-store.ts';
import { heldIn } from '../../cluster/directory/embedded-directory.ts';
import { FORMAT } from '../../cluster/directory/entry-database.ts';
import { openEntryStore } from '../../cluster/directory/entry-store.ts';
import { keys } from '../../cluster/directory/records.ts';
import { sealWith } from '../../cluster/directory/seal.ts';
import type { Config } from '../../config/schema.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { DATA_FILE, isDatabaseFile, syncPath } from '../../kernel/database-copy.ts';
import type { Change } from '../../store/change.ts';
import { type LmdbStore, openLmdbStore } from '../../store/lmdb-store.ts';
import { seal } from '../../store/record.ts';
import { FORMAT_VERSION, locks, sessions } from '../../store/tables.ts';
import { CommandError } from '../command-error.ts';
import { lockData } from '../data-lock.ts';
import { unopened } from '../databases.ts';
import { clusterName, directoryPath, mailPath } from '../places.ts';
import { copyFileSynced, type FileSum, sumOf } from './copied-file.ts';
import { directoryIn, KEY_FILE, type Manifest, mailIn, readManifest } from './manifest.ts';

export type RestoreOptions = {
  readonly config: Config;
  /** The backup's directory. */
  readonly from: string;
  /** Leaves databases that exist alone and restores the others; else any that exists refuses it all. */
  readonly onlyMissing: boolean;
  readonly tell: (progress: Progress) => void;
  /** How old the backup is, and until when its sessions are remembered. */
  readonly clock?: Pick<Clock, 'wall'>;
};

export type Restored = { readonly restored: readonly string[]; readonly begun: string };

/**
 * More than a mailbox gets between two backups, and little enough that UIDs, of 32 bits, outlast some thousand restores. One
 * more for each second since the backup was begun: the same backup restored again starts above what the first life gave out,
 * if that was no more than one a second on average.
 */
const RAISED_BY = 2 ** 20;
const raisedBy = (begun: string, now: number): number => RAISED_BY + Math.ceil((now - Date.parse(begun)) / 1000);
/** Sessions ended in one record. */
const ENDED_AT_ONCE = 500;
const SPARE_OCTETS = 16 * 1024 * 1024;

/** @throws CommandError naming each thing in the way: no database was made then */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { config, from, clock = systemClock } = options;
  const manifest = readManifest(from);
  const misfits = [...misfitsOf(manifest, options), ...wrongTimes(manifest, from, clock.wall())];
  if (misfits.length > 0) throw new CommandError(...misfits);
  const parts = partsOf(manifest, options).filter(({ to }) => !isThere(to));
  if (parts.length === 0) throw new CommandError(`${config.data}: no database is missing`);
  await mustBeWhole(parts, options);
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const lock = await lockData(config.data);
  const suffix = `.unfinished-${randomUUID()}`; // not the pid: in a container it is always the same
  try {
    await mustHaveRoom(config.data, parts);
    const madeKey = await placeKey(manifest, options);
    try {
      for (const part of parts) await makeReady(part, `${part.to}${suffix}`, options, manifest.begun);
    } catch (error) {
      for (const { to } of parts) await rm(`${to}${suffix}`, { recursive: true, force: true });
      if (madeKey) await rm(config.clusterKeyFile, { force: true });
      throw error;
    }
    for (const { to } of parts) {
      await rename(`${to}${suffix}`, to);
      await syncPath(dirname(to));
    }
    await mkdir(join(config.data, 'log'), { recursive: true, mode: 0o700 });
    return {
      restored: [...(madeKey ? [config.clusterKeyFile] : []), ...parts.map(({ to }) => to)],
      begun: manifest.begun,
    };
  } finally {
    lock.release();
  }
}

type Part = { readonly kind: 'mail' | 'directory'; readonly from: string; readonly to: string; readonly sum: FileSum };

/** In the order in which they are moved into place. */
function partsOf({ mail, directory }: Manifest, { config, from }: RestoreOptions): Part[] {
  return [
    ...mail.map((each) => ({
      kind: 'mail' as const,
      from: join(mailIn(from, each.mailHost), DATA_FILE),
      to: mailPath(config, each.mailHost),
      sum: each,
    })),
    { kind: 'directory', from: join(directoryIn(from), DATA_FILE), to: directoryPath(config), sum: directory },
  ];
}

/** Whatever is there, but for an empty directory, is somebody's. */
const isThere = (path: string): boolean =>
  existsSync(path) && !(statSync(path).isDirectory() && readdirSync(path).length === 0);

/** What of the manifest does not fit this node and this program, a line each. */
function misfitsOf(manifest: Manifest, { config, from, onlyMissing }: RestoreOptions): string[] {
  const lines: string[] = [];
  if (manifest.me !== config.me) lines.push(`${from}: is a backup of the node "${manifest.me}", not of "${config.me}"`);
  if (manifest.cluster !== clusterName(config))
    lines.push(`${from}: is of the cluster "${manifest.cluster}", not of "${clusterName(config)}"`);
  if (manifest.directory.format !== FORMAT)
    lines.push(
      `${directoryIn(from)}: its format is "${manifest.directory.format}", and this program knows "${FORMAT}"`,
    );
  for (const { mailHost, formatVersion } of manifest.mail) {
    if (!config.mailHosts.includes(mailHost))
      lines.push(`${from}: holds the mailHost "${mailHost}", which the configuration does not name`);
    if (formatVersion > FORMAT_VERSION)
      lines.push(
        `${mailIn(from, mailHost)}: its format is ${formatVersion}, and this program knows up to ${FORMAT_VERSION}`,
      );
  }
  for (const mailHost of config.mailHosts)
    if (!manifest.mail.some((each) => each.mailHost === mailHost))
      lines.push(`${from}: lacks the mailHost "${mailHost}", which the configuration names`);
  if (lines.length > 0) return lines; // of another node: which paths are there says nothing
  if (!existsSync(config.clusterKeyFile) && !manifest.hasKey)
    lines.push(`${config.clusterKeyFile}: the cluster key is missing, and the backup has none: put it there first`);
  if (!onlyMissing)
    for (const { to } of partsOf(manifest, { config, from, onlyMissing, tell: () => {} }))
      if (isThere(to)) lines.push(`${to}: exists already; a restore never touches what exists`);
  return lines;
}

/** What was given out since is reckoned from the backup's age: by a wrong clock numbers would be given out again. */
function wrongTimes({ begun }: Manifest, from: string, now: number): string[] {
  const at = Date.parse(begun);
  if (Number.isNaN(at)) return [`${from}: its manifest says that it was begun at "${begun}", which is no time`];
  if (at <= now) return [];
  return [`${from}: was begun at ${begun}, and it is ${new Date(now).toISOString()} here: set the clock right first`];
}

/** Every file is what the manifest says, before anything is written. */
async function mustBeWhole(parts: readonly Part[], { tell }: RestoreOptions): Promise<void> {
  const wrong: string[] = [];
  for (const { from, sum } of parts) {
    const found = await sumOf(from, {
      tell: (octets) => tell({ step: 'checking the backup', done: octets, total: sum.octets }),
    }).catch((error: NodeJS.ErrnoException) => {
      wrong.push(`${from}: ${error.code === 'ENOENT' ? 'is missing' : error.message}`);
    });
    if (found && !isSame(found, sum))
      wrong.push(
        `${from}: is damaged: ${found.octets} octets, SHA-256 ${found.sha256}, and not what the manifest says`,
      );
    else if (found && !isDatabaseFile(from)) wrong.push(`${from}: is no database`);
  }
  if (wrong.length > 0) throw new CommandError(...wrong);
}

const isSame = (a: FileSum, b: FileSum): boolean => a.octets === b.octets && a.sha256 === b.sha256;

async function mustHaveRoom(directory: string, parts: readonly Part[]): Promise<void> {
  const needed = parts.reduce((sum, { sum: { octets } }) => sum + octets, SPARE_OCTETS);
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= needed) return;
  throw new CommandError(`${directory}: has room for ${bavail * bsize} octets, and the restore takes ${needed}`);
}

/** The backup's own key where the node has none. One that differs is not replaced: what it sealed would be lost. */
async function placeKey({ hasKey }: Manifest, { config, from }: RestoreOptions): Promise<boolean> {
  const [mine, theirs] = [config.clusterKeyFile, join(from, KEY_FILE)];
  if (!hasKey) return false;
  if (!existsSync(mine)) {
    await mkdir(dirname(mine), { recursive: true, mode: 0o700 });
    await copyFileSynced(theirs, mine);
    await syncPath(dirname(mine));
    return true;
  }
  if (!Buffer.from(await keyIn(mine)).equals(await keyIn(theirs)))
    throw new CommandError(`${mine}: is another cluster key than the backup's`);
  return false;
}

const keyIn = (file: string): Promise<Uint8Array> =>
  readClusterKey(file).catch((error) => {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  });

async function makeReady(part: Part, aside: string, options: RestoreOptions, begun: string): Promise<void> {
  const { config, tell, clock = systemClock } = options;
  const { from, sum, kind } = part;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  const file = join(aside, DATA_FILE);
  const step = `restoring: ${kind}`;
  const copied = await copyFileSynced(from, file, {
    tell: (octets) => tell({ step, done: octets, total: sum.octets }),
  });
  if (!isSame(copied, sum)) throw new CommandError(`${from}: changed while it was read`);
  if (kind === 'mail') await forget(aside, from, begun, clock.wall());
  else await adopt(aside, config, from);
  await syncPath(aside);
}

/** A new life of a mail store: it gives out no number of the former one, and serves no session of it. */
async function forget(aside: string, from: string, begun: string, now: number): Promise<void> {
  const opened = await openLmdbStore(aside);
  if (!opened.ok) throw new CommandError(`${from}: ${unopened(opened.refusal)}`);
  const store = opened.value;
  const commit = async (changes: readonly Change[]): Promise<void> => {
    const applied = store.applied();
    const committed = await store.commit(seal(applied, applied.epoch, changes));
    if (!committed.ok) throw new CommandError(`${dirname(aside)}: the disk is full`);
  };
  try {
    await commit([{ type: 'NumbersRaised', by: raisedBy(begun, now) }]);
    for (let changes = endings(store, now); changes.length > 0; changes = endings(store, now)) await commit(changes);
  } finally {
    await store.close();
  }
}

/**
 * Ends the next sessions of the copy: most have ended since, and their fronts may live on, so that nobody else would. At last
 * it opens what maildrops are locked still.
 */
function endings(store: LmdbStore, now: number): Change[] {
  return store.read((view) => {
    const ended = [...sessions.range(view, [], { limit: ENDED_AT_ONCE })];
    if (ended.length > 0) return ended.flatMap(({ key, row }) => ending(view, key[0], row, now));
    const left = [...locks.range(view, [], { limit: ENDED_AT_ONCE })];
    return left.map(({ key, row }) => ({ type: 'MaildropUnlocked', account: key[0], lock: row.lock }));
  });
}

/** A key that does not open the copy would make the restored node useless: seen here, while nothing is in place. */
async function adopt(aside: string, config: Config, from: string): Promise<void> {
  const { values } = deriveKeys(await keyIn(config.clusterKeyFile));
  const store = openEntryStore(aside);
  try {
    heldIn(store, sealWith(values), keys.settings);
  } catch {
    throw new CommandError(`${from}: does not open with ${config.clusterKeyFile}: it is the key of another cluster`);
  } finally {
    await store.close();
  }
  await adoptEntryCopy(aside, config.nats !== undefined);
}
