/**
 * `backup`: a copy of each database of a node, made while it serves or stands still. Made aside under a name of its own
 * and renamed when all of it is on the disk, so that what was not finished never looks complete.
 *
 * Mail first, the directory last: every account that has mail in the copy is in the copy of the directory, unless it was
 * deleted meanwhile. Each database is copied as it stood at one moment after the command began.
 */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Progress } from '../../admin/jobs.ts';
import { inspectEntryCopy } from '../../cluster/directory/copied-entry-store.ts';
import { FORMAT } from '../../cluster/directory/entry-database.ts';
import type { Config } from '../../config/schema.ts';
import { type Clock, pause } from '../../kernel/clock.ts';
import { DATA_FILE, syncPath } from '../../kernel/database-copy.ts';
import type { Result } from '../../kernel/result.ts';
import { inspectCopy } from '../../store/lmdb-store.ts';
import { CommandError } from '../command-error.ts';
import type { Databases } from '../databases.ts';
import { clusterName } from '../places.ts';
import { programVersion } from '../version.ts';
import { copyFileSynced, type FileSum, sumOf, writeFileSynced } from './copied-file.ts';
import { BACKUP_FORMAT, directoryIn, KEY_FILE, MANIFEST, type Manifest, mailIn } from './manifest.ts';

export type BackupOptions = {
  readonly config: Config;
  readonly databases: Databases;
  /** The directory to make, absolute. */
  readonly to: string;
  /** Puts the cluster key beside the databases. */
  readonly withKey: boolean;
  readonly clock: Clock;
  readonly tell: (progress: Progress) => void;
  /** Aborted: what was made is removed; a copy under way is waited for first. */
  readonly signal: AbortSignal;
};

/** The disk must have so much more than what is copied: others write to it too. */
const SPARE_OCTETS = 16 * 1024 * 1024;
/** Many times what LMDB's lock file takes. */
const LOCK_ROOM_OCTETS = 1024 * 1024;
/** How often the growth of a copy is looked at. */
const LOOK_MS = 200;

/** @throws CommandError naming what stands in the way; nothing is left of it then */
export async function makeBackup(options: BackupOptions): Promise<Manifest> {
  const { to, signal } = options;
  const sources = sourcesOf(options.databases);
  await mustBeFree(options);
  const aside = await makeAside(to, sources).catch((error) => {
    throw asCommandError(error, to);
  });
  try {
    const manifest = await fill(options, sources, aside);
    signal.throwIfAborted();
    await rename(aside, to);
    await syncPath(dirname(to));
    return manifest;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw asCommandError(error, to);
  }
}

async function makeAside(to: string, sources: Sources): Promise<string> {
  await mkdir(dirname(to), { recursive: true });
  await mustHaveRoom(dirname(to), sources);
  return await mkdtemp(`${to}.unfinished-`); // mode 0700
}

type Source = { readonly sizeOctets: () => number; readonly copyTo: (directory: string) => Promise<void> };
type Sources = {
  readonly directory: Source;
  readonly mail: readonly { readonly mailHost: string; readonly source: Source }[];
};

/** A backup that lacks a database would be taken for one that has them all: any that is not open refuses it. */
function sourcesOf({ directory, mail }: Databases): Sources {
  const errors: string[] = [];
  const open = <T>(path: string, opened: Result<T, string>): T | undefined => {
    if (!opened.ok) errors.push(`${path}: ${opened.refusal}`);
    return opened.ok ? opened.value : undefined;
  };
  const found = {
    directory: open(directory.path, directory.opened),
    mail: mail.map(({ mailHost, path, opened }) => ({ mailHost, source: open(path, opened) })),
  };
  if (errors.length > 0) throw new CommandError(...errors);
  return found as Sources;
}

async function mustBeFree({ to, config }: BackupOptions): Promise<void> {
  for (const own of ['directory', 'mail', 'run', 'ipc']) {
    const below = relative(join(config.data, own), to);
    if (below === '' || !below.startsWith('..'))
      throw new CommandError(`${to}: lies within ${join(config.data, own)}, which is the node's own`);
  }
  const names = await readdir(to).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new CommandError(`${to}: ${error.code === 'ENOTDIR' ? 'is no directory' : error.message}`);
  });
  if (names === undefined) return;
  if (names.length > 0) throw new CommandError(`${to}: is not empty: a backup is made in a new directory`);
  if ((await stat(to)).dev !== (await stat(dirname(to))).dev)
    throw new CommandError(`${to}: is a file system of its own: name a new directory in it`);
}

async function mustHaveRoom(directory: string, { directory: accounts, mail }: Sources): Promise<void> {
  const needed = [accounts, ...mail.map(({ source }) => source)].reduce((sum, each) => sum + each.sizeOctets(), 0);
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= needed + SPARE_OCTETS) return;
  throw new CommandError(
    `${directory}: has room for ${bavail * bsize} octets, and the backup may take ${needed + SPARE_OCTETS}`,
  );
}

/**
 * To be asked before a copy is opened: LMDB writes its lock file through a map, and where there is no room for that, the
 * process ends, which is the server.
 */
async function mustHaveLockRoom(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= LOCK_ROOM_OCTETS) return;
  throw Object.assign(new Error(`${directory}: No space left for a lock file`), { code: 'ENOSPC' });
}

async function fill(options: BackupOptions, sources: Sources, aside: string): Promise<Manifest> {
  const { config, withKey, clock, signal } = options;
  const begun = new Date(clock.wall()).toISOString();
  const mail: Manifest['mail'] = [];
  for (const { mailHost, source } of sources.mail) {
    const at = mailIn(aside, mailHost);
    const sum = await copy(options, `mail of ${mailHost}`, source, at);
    await mustHaveLockRoom(at);
    const { identity, applied } = await inspectCopy(at);
    const { storeId, formatVersion } = identity;
    mail.push({ mailHost, storeId, formatVersion, record: applied.number, epoch: applied.epoch, ...sum });
  }
  const at = directoryIn(aside);
  const sum = await copy(options, 'directory', sources.directory, at);
  await mustHaveLockRoom(at);
  const { dataId, remembered } = await inspectEntryCopy(at);
  const { revision, generation } = remembered;
  if (withKey) await copyFileSynced(config.clusterKeyFile, join(aside, KEY_FILE), { signal });
  const manifest: Manifest = {
    format: BACKUP_FORMAT,
    program: programVersion(),
    me: config.me,
    cluster: clusterName(config),
    begun,
    ended: new Date(clock.wall()).toISOString(),
    hasKey: withKey,
    directory: { format: FORMAT, dataId, revision, generation, ...sum },
    mail,
  };
  await writeFileSynced(join(aside, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const path of [...(mail.length > 0 ? [join(aside, 'mail')] : []), aside]) await syncPath(path);
  return manifest;
}

/** One database: copied, then read back for its sum. */
async function copy(
  { tell, signal, clock }: BackupOptions,
  step: string,
  source: Source,
  to: string,
): Promise<FileSum> {
  signal.throwIfAborted();
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const file = join(to, DATA_FILE);
  const total = source.sizeOctets();
  const watching = new AbortController();
  const watched = watchGrowth(file, clock, watching.signal, (octets) =>
    tell({ step: `copying: ${step}`, done: Math.min(octets, total), total }),
  );
  try {
    await source.copyTo(to);
  } finally {
    watching.abort();
    await watched;
  }
  await chmod(to, 0o700);
  const { size } = await stat(file);
  return sumOf(file, {
    signal,
    tell: (octets) => tell({ step: `reading back: ${step}`, done: octets, total: size }),
  });
}

async function watchGrowth(
  file: string,
  clock: Clock,
  signal: AbortSignal,
  tell: (octets: number) => void,
): Promise<void> {
  while (!signal.aborted) {
    const grown = await stat(file).catch(() => undefined); // not there yet
    tell(grown?.size ?? 0);
    await pause(clock, LOOK_MS, signal).catch(() => {}); // over
  }
}

function asCommandError(error: unknown, to: string): unknown {
  if (!(error instanceof Error) || error instanceof CommandError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || /No space left|quota exceeded/i.test(error.message))
    return new CommandError(`${dirname(to)}: the disk is full; nothing is left of the backup`);
  if (code === 'ENOTEMPTY' || code === 'EEXIST')
    return new CommandError(`${to}: somebody else put something there meanwhile: ${basename(to)} is not empty`);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new CommandError(`${to}: the server's user may not write there (${code})`);
  return error;
}
