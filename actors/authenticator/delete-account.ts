/**
 * `account delete`: an account goes with every name that it has. It has two in the midst of a rename (rename-account.ts); ending
 * one alone would leave the other, with its password, to an account that the operator was told is gone.
 *
 * Leaves tombstones, so that versions go on. The mail is not touched here: it lies under the id, which is never used again.
 */
import type { Account } from '../../cluster/directory/account.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import {
  type AccountRefusal,
  type AccountView,
  type Administration,
  nameFor,
  namesOf,
  no,
  tombstone,
  view,
} from './accounts.ts';
import { standingOf } from './rename-account.ts';

/** `also`: its other names, deleted with it. `mailOf`: the name that the account goes on under instead. */
export type Deleted = AccountView & { readonly also?: readonly string[]; readonly mailOf?: string };

/**
 * Where both names were changed since an unfinished rename, the operator says by a deletion which of them was the wrong one:
 * then the other stays, and the tombstone says so.
 */
export async function deleteAccount(admin: Administration, name: string): Promise<Result<Deleted, AccountRefusal>> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  const account = admin.directory.find(named.value);
  if (!account) return no('no-such-account', named.value);
  const rival = namesOf(admin, account.id).find(
    (other) => other.name !== account.name && standingOf(account, other) === 'both-changed',
  );
  const ended = await end(admin, account, rival?.name);
  if (!ended.ok) return no(ended.refusal, account.name);
  if (!ended.value) return no('no-such-account', account.name); // deleted or renamed in this very moment
  if (rival) return accept({ ...view(ended.value), mailOf: rival.name });
  const also: string[] = [];
  for (let other = namesOf(admin, account.id)[0]; other; other = namesOf(admin, account.id)[0]) {
    const followed = await end(admin, other);
    if (!followed.ok) {
      const message = `${account.name} is deleted, but ${other.name}, the other name of the account, may not be: delete it too`;
      return refuse({ code: followed.refusal, message });
    }
    if (followed.value) also.push(other.name);
  }
  return accept({ ...view(ended.value), ...(also.length > 0 && { also }) });
}

/** The tombstone of an account that was deleted under this name and has no other: its mail is nobody's. */
export function deletedBefore(admin: Administration, name: string): Account | undefined {
  const named = nameFor(admin, name);
  const last = named.ok ? admin.directory.last(named.value) : undefined;
  if (!last?.deleted || last.renamedTo !== undefined) return undefined;
  return namesOf(admin, last.id).length === 0 ? last : undefined;
}

/** @returns the tombstone; undefined: the name is not that account's any more */
async function end(admin: Administration, { name, id }: Account, renamedTo?: string) {
  const edit = (current: Account | undefined) => (current?.id === id ? tombstone(current, renamedTo) : undefined);
  const ended = await admin.directory.change(name, edit, { operation: admin.nextOperation() });
  return ended.ok ? accept(ended.value?.deleted ? ended.value : undefined) : ended;
}
