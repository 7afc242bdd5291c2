/**
 * `check`: is each database of a node consistent in itself, and do they fit one another? Reads a snapshot of each mail
 * store, so that it may be asked of a node that serves; writes nothing.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Progress } from '../admin/jobs.ts';
import { deriveKeys, readClusterKey } from '../cluster/cluster-key.ts';
import type { Account } from '../cluster/directory/account.ts';
import { checkEntriesInSteps, type EntryCounts } from '../cluster/directory/check-entries.ts';
import type { DiskEntryStore } from '../cluster/directory/entry-store.ts';
import { ACCOUNTS, decodeRecord, MAIL_HOSTS, type Seal } from '../cluster/directory/records.ts';
import { sealWith } from '../cluster/directory/seal.ts';
import type { Config } from '../config/schema.ts';
import { type Counts, checkInSteps } from '../store/check.ts';
import type { LmdbStore } from '../store/lmdb-store.ts';
import * as t from '../store/tables.ts';
import type { Databases } from './databases.ts';

export type DatabaseReport = {
  /** `directory`, or the mailHost. */
  readonly database: string;
  readonly path: string;
  readonly counts?: EntryCounts | (Counts & { readonly record: number });
  /** One sentence for each thing found wrong. */
  readonly flaws: readonly string[];
  /** What is no flaw and yet worth knowing. */
  readonly notes: readonly string[];
};

export type CheckOptions = {
  readonly config: Config;
  readonly databases: Databases;
  readonly tell: (progress: Progress) => void;
  readonly signal: AbortSignal;
};

/** What is damaged all through is not listed all through. */
const MOST_FLAWS = 500;
/** Of deleted accounts whose mail is still there; the others take their place when these are done with. */
const MOST_NAMED = 10;
/** Others have their turn after so many steps: some tens of milliseconds where each hashes a chunk. */
const STEPS_A_TURN = 64;
/** The same where each unseals an entry or reads a row. */
const ROWS_A_TURN = 256;

/** The directory first, then the mailHosts as the configuration has them. */
export async function checkDatabases(options: CheckOptions): Promise<DatabaseReport[]> {
  const { databases } = options;
  const { directory, seal, report } = await checkDirectory(options);
  const ids = directory && seal ? await accountIds(directory, seal, options.signal) : undefined;
  const reports: DatabaseReport[] = [report];
  for (const { mailHost, path, opened } of databases.mail) {
    const about = { database: mailHost, path };
    if (opened.ok) reports.push({ ...about, ...(await checkMail(options, mailHost, opened.value, ids)) });
    else reports.push({ ...about, flaws: [opened.refusal], notes: [] });
  }
  return reports;
}

async function checkDirectory(options: CheckOptions) {
  const { config, databases } = options;
  const { path, opened } = databases.directory;
  const about = { database: 'directory', path };
  const seal = await sealOf(config.clusterKeyFile);
  const flaws: string[] = [];
  if (!opened.ok) flaws.push(opened.refusal);
  if (typeof seal === 'string') flaws.push(seal);
  if (!opened.ok || typeof seal === 'string') return { report: { ...about, flaws, notes: [] } };
  const store = opened.value;
  const mailStores = databases.mail.flatMap(({ mailHost, opened: mail }) =>
    mail.ok ? [{ mailHost, storeId: mail.value.identity.storeId }] : [],
  );
  const isMirror = config.nats !== undefined;
  const { counts, found } = await inTurns('directory', options, (say) =>
    checkEntriesInSteps({ store, seal, mailStores, isMirror, say }),
  );
  const { generation, isDistrusted } = store.remembered();
  const notes =
    isMirror && (generation < 0 || isDistrusted)
      ? ['does not trust what it holds before it has heard the whole bucket: as after a restore']
      : [];
  return { directory: store, seal, report: { ...about, ...(counts && { counts }), flaws: found, notes } };
}

async function sealOf(file: string): Promise<Seal | string> {
  try {
    return sealWith(deriveKeys(await readClusterKey(file)).values);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Others have their turn. @throws the signal's reason */
async function nextTurn(signal: AbortSignal): Promise<void> {
  await turn();
  signal.throwIfAborted();
}

/** Of live accounts, and of those that were deleted under their last name, which is told. */
type Ids = { readonly live: ReadonlySet<string>; readonly deleted: ReadonlyMap<string, string> };

/** Ids of all accounts; undefined while the directory does not know its mailHosts yet. */
async function accountIds(directory: DiskEntryStore, seal: Seal, signal: AbortSignal): Promise<Ids | undefined> {
  const live = new Set<string>();
  const deleted = new Map<string, string>();
  let read = 0;
  for (const { key, sealed } of directory.list(ACCOUNTS)) {
    if (++read % ROWS_A_TURN === 0) await nextTurn(signal);
    const account = decodeRecord(seal, key, sealed)?.value as Account | undefined;
    if (account && !account.deleted) live.add(account.id);
    else if (account && account.renamedTo === undefined) deleted.set(account.id, account.name);
  }
  return [...directory.list(MAIL_HOSTS)].length > 0 ? { live, deleted } : undefined;
}

async function checkMail(
  options: CheckOptions,
  mailHost: string,
  store: LmdbStore,
  ids: Ids | undefined,
): Promise<Pick<DatabaseReport, 'counts' | 'flaws' | 'notes'>> {
  const snapshot = store.snapshot();
  try {
    const { counts, found } = await inTurns(`mail of ${mailHost}`, options, (say) => checkInSteps(snapshot.view, say));
    const unreachable = { accounts: 0, messages: 0, octets: 0 };
    const named: string[] = [];
    if (ids) {
      let read = 0;
      for (const { key, row } of t.accounts.range(snapshot.view, [])) {
        if (++read % ROWS_A_TURN === 0) await nextTurn(options.signal);
        if (row.messages === 0 || ids.live.has(key[0])) continue;
        const name = ids.deleted.get(key[0]);
        if (name !== undefined && named.length < MOST_NAMED) named.push(name);
        unreachable.accounts++;
        unreachable.messages += row.messages;
        unreachable.octets += row.octets;
      }
    }
    const { accounts, messages, octets } = unreachable;
    const note = `${messages} messages (${octets} octets) of ${accounts} accounts that the directory does not have: deleted while this mailHost was away, or not restored${named.length > 0 ? `; deleted were ${named.join(', ')}: \`homing account delete\` again removes that mail` : ''}`;
    return {
      ...(counts && { counts: { ...counts, record: snapshot.applied.number } }),
      flaws: found,
      notes: accounts === 0 ? [] : [note],
    };
  } finally {
    snapshot.release();
  }
}

/** Goes through the steps of a check; a fault in the midst of it is a flaw too: what can't be read is damaged. */
async function inTurns<C>(
  step: string,
  { tell, signal }: CheckOptions,
  begin: (say: (flaw: string) => void) => Generator<undefined, C, undefined>,
): Promise<{ counts?: C; found: string[] }> {
  const found: string[] = [];
  let more = 0;
  const steps = begin((flaw) => (found.length < MOST_FLAWS ? found.push(flaw) : more++));
  const end = (): string[] => (more > 0 ? [...found, `and ${more} more`] : found);
  for (let count = 1; ; count++) {
    if (count % STEPS_A_TURN === 0) {
      tell({ step: `checking: ${step}`, done: count, total: 0 });
      await nextTurn(signal);
    }
    try {
      const next = steps.next();
      if (next.done) return { counts: next.value, found: end() };
    } catch (error) {
      found.push(`can't be read to the end: ${error instanceof Error ? error.message : error}`);
      return { found: end() };
    }
  }
}
