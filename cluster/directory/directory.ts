/**
 * The directory's port: accounts as this node knows them, how fresh that knowledge is, and how one is changed
 * so that after success no node acts on the old version (docs/architecture.md, "Directory and passwords").
 */
import type { Result } from '../../kernel/result.ts';
import type { Service as Subscription } from '../bus/bus.ts';
import type { Account } from './account.ts';

/**
 * `conflict` another change came first, nothing of ours stands; `unavailable` the directory can't be written now, nothing
 * changed; `unknown` the change may or may not stand, or stands and not every node is known to have it.
 */
export type ChangeRefusal = 'conflict' | 'unavailable' | 'unknown';

/**
 * What an account becomes. `version` is the one that the result will carry: a credential made by this change takes it as
 * its `revision`. It can't be told from `current`, since an account made anew goes on counting from its tombstone.
 */
export type Edit = (
  current: Account | undefined,
  version: number,
) => Omit<Account, 'version' | 'changedBy'> | undefined;

export type ChangeOptions = {
  /** Unique to this change, for ever. */
  readonly operation: string;
  /** Only if the account is still at this version; absent: whatever it is. 0 means: only if it does not exist. */
  readonly ifVersion?: number;
  /** The result's version is above this one too: for an account whose id had versions under another name. */
  readonly aboveVersion?: number;
};

export type Directory = {
  /** The account as mirrored here; tombstones are absent. Synchronous; the name is lower case. */
  find(name: string): Account | undefined;
  /** The same, or the tombstone under that name: tells how an account ended. */
  last(name: string): Account | undefined;
  /** The account by `Account.id`. */
  findById(id: string): Account | undefined;
  accounts(): Iterable<Account>;
  /** May a login be answered from the mirror in this very turn? */
  isFresh(): boolean;
  /** Fresh already, or made so by a round trip; false when that can't be had within `timeoutMs`. */
  freshen(timeoutMs: number): Promise<boolean>;
  /**
   * Commits what `edit` returns for the current account (undefined: nothing to change, success) and waits until no
   * node can act on the version before it. `edit` may run more than once and must be pure.
   */
  change(name: string, edit: Edit, options: ChangeOptions): Promise<Result<Account | undefined, ChangeRefusal>>;
  /** The newest bucket revision applied here. */
  revision(): number;
  /** Tells each account applied here after its version changed; a tombstone as its last version. */
  onChange(listener: (account: Account) => void): Subscription;
};

/** A registered node, as seen in the bucket. */
export type Member = { readonly me: string; readonly startId: string; readonly mailHosts: readonly string[] };

export type Members = {
  /** Every registered node, this one too. */
  list(): readonly Member[];
  /** Is this start of that node still registered? */
  isRegistered(me: string, startId: string): boolean;
  /** Told at each arrival, restart (a new start id) and departure. */
  onChange(listener: (members: readonly Member[]) => void): Subscription;
};
