/**
 * Is a directory database consistent in itself, and does it fit the mail stores beside it? Every record opens with the
 * cluster key and stands under its own name, no two accounts share their mail, whatever is named is there.
 *
 * For a node's own database, of a node that is stopped or serves: nothing here writes, and what was written meanwhile is
 * looked at again before it is called a flaw.
 */
import type { Account } from './account.ts';
import type { EntryStore } from './entry-store.ts';
import {
  ACCOUNTS,
  decodeRecord,
  keys,
  LEASES,
  type LeaseRecord,
  MAIL_HOSTS,
  type MailHostRecord,
  NODES,
  nameIn,
  type Registration,
  type Seal,
  type StoredRecord,
} from './records.ts';

export type EntryCounts = {
  readonly accounts: number;
  /** Names whose account is gone. */
  readonly deleted: number;
  readonly nodes: number;
  readonly mailHosts: number;
};

export type EntryCheck = {
  readonly store: EntryStore;
  readonly seal: Seal;
  /** The stores of this node: the directory must know their mailHosts by them. */
  readonly mailStores: readonly MailHostRecord[];
  /** A mirror of a bucket may lack what is yet to be told, and says so itself; the truth of a node that is alone may not. */
  readonly isMirror: boolean;
  readonly say: (flaw: string) => void;
};

type Steps<T> = Generator<undefined, T, undefined>;

/** One entry a step, so that others can have their turn between two. */
export function* checkEntriesInSteps(check: EntryCheck): Steps<EntryCounts> {
  const { store, seal, isMirror, say } = check;
  const counts = { accounts: 0, deleted: 0, nodes: 0, mailHosts: 0 };
  const namesById = new Map<string, string>();
  const shared = new Set<string>();
  let unopened = 0;
  for (const { key, revision, sealed } of store.list('')) {
    yield;
    const record = decodeRecord(seal, key, sealed);
    if (!record) {
      unopened++;
      continue;
    }
    const wrong = faultOf(key, record);
    if (wrong !== undefined) say(`${key}: ${wrong}`);
    if (!isMirror && revision > store.remembered().revision) say(`${key}: its revision would be given out again`);
    if (key.startsWith(NODES) && record.value !== undefined) counts.nodes++;
    if (key.startsWith(MAIL_HOSTS)) counts.mailHosts++;
    if (!key.startsWith(ACCOUNTS) || wrong !== undefined) continue;
    const account = record.value as Account;
    if (account.deleted) counts.deleted++;
    else {
      counts.accounts++;
      if (namesById.has(account.id)) shared.add(account.id);
      namesById.set(account.id, account.name);
    }
  }
  if (unopened > 0) say(`${unopened} entries do not open with the cluster key: another key's, or damaged`);
  yield* checkAccounts(check, shared);
  checkSettings(check);
  return counts;
}

/** A mirror that has not yet heard the whole bucket proves nothing by what it lacks. */
const mayLack = ({ store, isMirror }: EntryCheck): boolean => {
  const { generation, isDistrusted } = store.remembered();
  return isMirror && (generation < 0 || isDistrusted === true);
};

function* checkAccounts(check: EntryCheck, shared: ReadonlySet<string>): Steps<void> {
  const { store, seal, say } = check;
  const sharers = new Map<string, Account[]>();
  for (const { key } of store.list(ACCOUNTS)) {
    yield;
    const account = valueUnder<Account>(store, seal, key); // as it is by now
    if (!account || account.deleted) continue;
    if (account.movingFrom !== undefined)
      say(
        `account ${account.name}: an unfinished move from ${account.movingFrom}; ` +
          `\`homing account set ${account.name} mail-host=${account.mailHost}\` finishes it`,
      );
    if (shared.has(account.id)) sharers.set(account.id, [...(sharers.get(account.id) ?? []), account]);
    if (!mayLack(check) && !store.get(keys.mailHost(account.mailHost)))
      say(`account ${account.name}: its mailHost ${account.mailHost} is unknown to the directory`);
  }
  for (const [id, accounts] of sharers) {
    if (accounts.length < 2) continue;
    const names = accounts.map(({ name }) => name);
    const made = accounts.find(({ renamedFrom }) => renamedFrom && names.includes(renamedFrom.name));
    const remedy = made
      ? `: an unfinished rename; \`homing account rename ${made.renamedFrom!.name} ${made.name}\` finishes it`
      : '';
    say(`accounts ${names.join(', ')}: they share their mail (id ${id})${remedy}`);
  }
}

function checkSettings(check: EntryCheck): void {
  const { store, seal, mailStores, say } = check;
  if (!store.get(keys.settings) && !mayLack(check)) say('settings: there are none');
  for (const { mailHost, storeId } of mailStores) {
    const known = valueUnder<MailHostRecord>(store, seal, keys.mailHost(mailHost));
    if (!known && !mayLack(check)) say(`mailHost ${mailHost}: unknown to the directory`);
    if (known && known.storeId !== storeId)
      say(`mailHost ${mailHost}: known to the directory with store ${known.storeId}, but the store here is ${storeId}`);
  }
}

function valueUnder<T>(store: EntryStore, seal: Seal, key: string): T | undefined {
  const stored = store.get(key);
  return stored && (decodeRecord(seal, key, stored.sealed)?.value as T | undefined);
}

/** What is wrong with one record by itself. */
function faultOf(key: string, { version, value }: StoredRecord): string | undefined {
  if (version < 1) return `version ${version}`;
  if (key.startsWith(ACCOUNTS)) return accountFault(nameIn(key), version, value as Partial<Account> | undefined);
  if (key.startsWith(NODES))
    return value === undefined || (value as Registration).me === nameIn(key)
      ? undefined
      : 'the registration of another';
  if (key.startsWith(LEASES)) {
    const { mailHost, epoch } = (value ?? {}) as Partial<LeaseRecord>;
    return mailHost === nameIn(key) && Number.isSafeInteger(epoch) ? undefined : 'not a lease on that mailHost';
  }
  if (key.startsWith(MAIL_HOSTS))
    return (value as Partial<MailHostRecord> | undefined)?.mailHost === nameIn(key) ? undefined : 'of another mailHost';
  return key === keys.settings || key === keys.generation ? undefined : 'nothing is kept under such a key';
}

function accountFault(name: string, version: number, account: Partial<Account> | undefined): string | undefined {
  if (!account) return 'holds no account';
  if (account.name !== name) return `holds the account ${account.name}`;
  if (account.version !== version) return `the account's version is ${account.version}, its record's ${version}`;
  if (typeof account.id !== 'string' || typeof account.mailHost !== 'string') return 'lacks its id or mailHost';
  if (account.kind === 'shared' && Object.keys(account.credentials ?? {}).length > 0)
    return 'is the home of shared mailboxes and has a password';
  for (const [service, credential] of Object.entries(account.credentials ?? {}))
    if (credential.revision > version) return `its ${service} password is of a version yet to come`;
  return undefined;
}
