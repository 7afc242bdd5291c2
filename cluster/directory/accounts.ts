/** Accounts as records of the bucket: what find, accounts and onChange show of a store of entries. */
import type { Account } from './account.ts';
import type { ChangeOptions, ChangeRefusal, Edit } from './directory.ts';
import type { Held } from './mirror.ts';
import type { StoredRecord } from './records.ts';

/** The account in a record, tombstones included. */
export const accountIn = ({ record }: Held): Account => record.value as Account;

export const lastAccount = (held: Held | undefined): Account | undefined => held && accountIn(held);

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
  { operation, ifVersion, aboveVersion = 0 }: ChangeOptions,
  wallMs: number,
): Planned {
  if (held && accountIn(held).changedBy === operation) return { kind: 'stands', account: accountIn(held), held };
  const current = liveAccount(held);
  if (ifVersion !== undefined && ifVersion !== (current?.version ?? 0)) return { kind: 'refused', refusal: 'conflict' };
  // versions go on after a deletion, so that no credential of the old account is ever taken for the new one's
  const version = Math.max(held?.record.version ?? 0, aboveVersion) + 1;
  const next = edit(current, version);
  if (!next) return { kind: 'stands', account: current };
  if (next.name !== name) throw new Error('directory: a change may not give an account another name');
  const account: Account = { ...next, version, changedBy: operation };
  const record = { version, at: wallMs, by: operation, after: held?.revision ?? 0, value: account };
  return { kind: 'write', account, record };
}

/**
 * Names by id: one, or two in the midst of a rename, and of these the one told last. A renamed account is told under its new
 * name and as the old name's tombstone, in either order, with changes of both between.
 */
export function createIdIndex(accounts: Iterable<Account>) {
  const names = new Map<string, readonly string[]>();
  const add = ({ id, name, deleted }: Account) => {
    const others = names.get(id)?.filter((each) => each !== name) ?? [];
    if (!deleted) names.set(id, [...others, name]);
    else if (others.length > 0) names.set(id, others);
    else names.delete(id);
  };
  for (const account of accounts) add(account);
  return { add, nameOf: (id: string): string | undefined => names.get(id)?.at(-1) };
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
