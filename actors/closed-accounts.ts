/**
 * Ends the sessions of accounts that let nobody in any more, on this node, as soon as its directory shows it: whoever changed
 * that, an operator here or elsewhere, and also on a node that was cut off meanwhile.
 *
 * No log-in slips through: it is granted by a look at the same directory (authenticator/grant.ts), and what was granted before
 * the change is a session by the end of that turn. Knows no protocol.
 */
import type { Account } from '../cluster/directory/account.ts';
import type { Directory } from '../cluster/directory/directory.ts';
import type { Doors } from './doors.ts';

/** Accounts for which the number of ended sessions is kept until somebody asks. */
const MAX_COUNTS = 1_000;

export class ClosedAccounts {
  readonly #doors: Pick<Doors, 'kick'>;
  readonly #watch: { stop(): Promise<void> };
  /** By account id. */
  readonly #ended = new Map<string, number>();

  constructor(directory: Pick<Directory, 'onChange' | 'findById'>, doors: Pick<Doors, 'kick'>) {
    this.#doors = doors;
    this.#watch = directory.onChange((account) => {
      if (!isClosed(account, directory)) return void this.#ended.delete(account.id);
      setImmediate(() => this.#end(account.id)); // what was granted before is a session by then
    });
  }

  /**
   * How many sessions were ended since it was asked last. All that were there when the directory of this node showed the
   * account closed are among them.
   */
  async takeEnded(accountId: string): Promise<number> {
    await new Promise<void>((resolve) => setImmediate(resolve)); // after those of the listener above
    const ended = this.#ended.get(accountId) ?? 0;
    this.#ended.delete(accountId);
    return ended;
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  #end(accountId: string): void {
    const ended = this.#doors.kick(accountId);
    if (ended === 0) return;
    this.#ended.set(accountId, (this.#ended.get(accountId) ?? 0) + ended);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MAX_COUNTS) this.#ended.delete(oldest!);
  }
}

/** A tombstone under an old name is no end: the account is there under its new one. */
const isClosed = ({ id, status, deleted }: Account, directory: Pick<Directory, 'findById'>): boolean =>
  deleted ? directory.findById(id) === undefined : status !== 'active';
