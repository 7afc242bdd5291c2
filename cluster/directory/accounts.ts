/** Accounts as records of the bucket: what find, accounts and onChange show of a store of entries. */
import type { Account } from './account.ts';
import type { ChangeOptions, ChangeRefusal, Edit } from './directory.ts';
import type { Held } from './mirror.ts';
import type { StoredRecord } from './records.ts';

/** The account in a record, tombstones included. */
export const accountIn = ({ record }: Held): Account => record.value as Account;

/** The account unless it is a tombstone. */
export function liveAccount(held: Held | undefined): Account | undefined {
  const account = held && accountIn(held);
  return account?.deleted ? undefined : account;
}

export type Planned =
  | { readonly kind: 'refused'; readonly refusal: ChangeRefusal }
  /** Nothing to write. `held`: this operation's own work, done before. */
  | { readonly kind: 'stands'; readonly account: Account | undefined; readonly held?: Held }
  | { readonly kind: 'write'; readonly account: Account; readonly record: StoredRecord };

/** What a change comes to, given what is mirrored now. Pure but for `edit`. */
export function plan(
  name: string,
  held: Held | undefined,
  edit: Edit,
  { operation, ifVersion }: ChangeOptions,
  wallMs: number,
): Planned {
  if (held && accountIn(held).changedBy === operation) return { kind: 'stands', account: accountIn(held), held };
  const current = liveAccount(held);
  if (ifVersion !== undefined && ifVersion !== (current?.version ?? 0)) return { kind: 'refused', refusal: 'conflict' };
  // versions go on after a deletion, so that no credential of the old account is ever taken for the new one's
  const version = (held?.record.version ?? 0) + 1;
  const next = edit(current, version);
  if (!next) return { kind: 'stands', account: current };
  if (next.name !== name) throw new Error('directory: a change may not give an account another name');
  const account: Account = { ...next, version, changedBy: operation };
  const record = { version, at: wallMs, by: operation, after: held?.revision ?? 0, value: account };
  return { kind: 'write', account, record };
}

/** Names by id. A renamed account is told twice, under its new name and as the old name's tombstone, in either order. */
export function createIdIndex(accounts: Iterable<Account>) {
  const names = new Map<string, string>();
  const add = (account: Account) => {
    if (!account.deleted) names.set(account.id, account.name);
    else if (names.get(account.id) === account.name) names.delete(account.id);
  };
  for (const account of accounts) add(account);
  return { add, nameOf: (id: string): string | undefined => names.get(id) };
}

/** The account of that name if it still has that id. */
export function withId(
  find: (name: string) => Account | undefined,
  name: string | undefined,
  id: string,
): Account | undefined {
  const account = name === undefined ? undefined : find(name);
  return account?.id === id ? account : undefined;
}
