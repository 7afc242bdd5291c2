/**
 * A node's databases, each open or the reason why it is not: those of a running node as it has them open, or, when no
 * process has them, opened here for as long as a command takes.
 */
import { existsSync } from 'node:fs';
import { type DiskEntryStore, entryStoreExists, openEntryStore } from '../cluster/directory/entry-store.ts';
import type { Config } from '../config/schema.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { type LmdbStore, openLmdbStore } from '../store/lmdb-store.ts';
import type { OpenRefusal } from '../store/store.ts';
import { Closers } from './closers.ts';
import { CommandError } from './command-error.ts';
import { lockData } from './data-lock.ts';
import { directoryPath, mailPath } from './places.ts';

/** Refusals are sentences that follow the path. */
export type Databases = {
  readonly directory: { readonly path: string; readonly opened: Result<DiskEntryStore, string> };
  readonly mail: readonly MailDatabase[];
};
export type MailDatabase = {
  readonly mailHost: string;
  readonly path: string;
  readonly opened: Result<LmdbStore, string>;
};

/** Those of a running node. A mailHost that failed is closed until it is tried again. */
export const runningDatabases = (
  config: Config,
  directory: DiskEntryStore,
  stores: ReadonlyMap<string, LmdbStore>,
): Databases => ({
  directory: { path: directoryPath(config), opened: accept(directory) },
  mail: config.mailHosts.map((mailHost) => {
    const store = stores.get(mailHost);
    const opened = store ? accept(store) : refuse('is not open just now; the log says why');
    return { mailHost, path: mailPath(config, mailHost), opened };
  }),
});

/** @throws CommandError when a process has them */
export async function openDatabases(config: Config): Promise<{ databases: Databases; close(): Promise<void> }> {
  if (!existsSync(config.data)) throw new CommandError(`${config.data}: there is no such directory`);
  const closers = new Closers();
  const lock = await lockData(config.data);
  closers.add('the lock', lock.release);
  try {
    const directory = openDirectory(directoryPath(config));
    if (directory.ok) closers.add('the directory', () => directory.value.close());
    const mail: MailDatabase[] = [];
    for (const mailHost of config.mailHosts) {
      const path = mailPath(config, mailHost);
      const opened = await openMail(path, mailHost);
      if (opened.ok) closers.add(`mailHost ${mailHost}`, () => opened.value.close());
      mail.push({ mailHost, path, opened });
    }
    const databases = { directory: { path: directoryPath(config), opened: directory }, mail };
    return { databases, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function openDirectory(path: string): Result<DiskEntryStore, string> {
  if (!entryStoreExists(path)) return refuse('the directory database is missing');
  try {
    return accept(openEntryStore(path));
  } catch (error) {
    return refuse(error instanceof Error ? error.message.replace(`directory: ${path}: `, '') : String(error));
  }
}

async function openMail(path: string, mailHost: string): Promise<Result<LmdbStore, string>> {
  const opened = await openLmdbStore(path);
  if (!opened.ok) return refuse(unopened(opened.refusal));
  if (opened.value.identity.mailHost === mailHost) return accept(opened.value);
  await opened.value.close();
  return refuse(`is the store of mailHost "${opened.value.identity.mailHost}", not of "${mailHost}"`);
}

/** Why a mail database was not opened, as a sentence that follows its path. */
export const unopened = (refusal: OpenRefusal): string =>
  refusal.kind === 'missing'
    ? 'the mail database is missing: restore it from a backup; it is never made anew by itself'
    : refusal.kind === 'newer-format'
      ? `its format is ${refusal.found}, and this program knows up to ${refusal.known}`
      : refusal.kind === 'no-room'
        ? `is of an older format, and converting it takes up to ${refusal.neededOctets} octets, which the disk lacks`
        : 'is not a mail database, or one that was never finished';
