/** A directory in one Map, for tests: fresh or not as the test wants it, and changed as the test wants it. */
import type { Account } from '../../../cluster/directory/account.ts';
import type { ChangeRefusal, Directory } from '../../../cluster/directory/directory.ts';
import { accept, refuse } from '../../../kernel/result.ts';

export type FakeDirectory = Directory & {
  fresh: boolean;
  /** What `freshen` makes of it. */
  freshens: boolean;
  /** What the next `change` answers instead of doing anything. */
  fails: ChangeRefusal | undefined;
  /** The account as it will be found, tombstones too. */
  put(account: Account): void;
  freshened(): number;
};

export function fakeDirectory(...accounts: readonly Account[]): FakeDirectory {
  const all = new Map(accounts.map((account) => [account.name, account]));
  const listeners = new Set<(account: Account) => void>();
  let freshened = 0;
  const directory: FakeDirectory = {
    fresh: true,
    freshens: true,
    fails: undefined,
    put(account) {
      all.set(account.name, account);
      for (const listener of listeners) listener(account);
    },
    freshened: () => freshened,
    find: (name) => (all.get(name)?.deleted ? undefined : all.get(name)),
    last: (name) => all.get(name),
    findById: (id) => [...all.values()].find((account) => account.id === id && !account.deleted),
    accounts: () => [...all.values()].filter((account) => !account.deleted),
    isFresh: () => directory.fresh,
    async freshen() {
      freshened += 1;
      if (directory.freshens) directory.fresh = true;
      return directory.fresh;
    },
    async change(name, edit, { operation, ifVersion, aboveVersion = 0 }) {
      if (directory.fails !== undefined) return refuse(directory.fails);
      const current = directory.find(name);
      if (current?.changedBy === operation) return accept(current);
      if (ifVersion !== undefined && (current?.version ?? 0) !== ifVersion) return refuse('conflict');
      const version = Math.max(all.get(name)?.version ?? 0, aboveVersion) + 1;
      const edited = edit(current, version);
      if (edited === undefined) return accept(current);
      const account: Account = { ...edited, version, changedBy: operation };
      directory.put(account);
      return accept(account);
    },
    revision: () => 0,
    onChange(listener) {
      listeners.add(listener);
      return {
        async stop() {
          listeners.delete(listener);
        },
      };
    },
  };
  return directory;
}

export const account = (given: Partial<Account> = {}): Account => ({
  name: 'joe@example.test',
  id: `id-${(given.name ?? 'joe@example.test').split('@')[0]}`,
  mailHost: 'n1',
  status: 'active',
  credentials: {},
  settings: {},
  version: 1,
  changedBy: 'op-1',
  ...given,
});
