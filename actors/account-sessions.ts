/**
 * How many sessions each account has on this node, over all protocols in which it logs in, and never more than so many.
 * Asked once the password was right, so that nobody learns of it who does not have it.
 */

export class AccountSessions {
  #most: number;
  readonly #counts = new Map<string, number>();

  /** @param most  for one account; 0: as many as there may be */
  constructor(most: number) {
    this.#most = most;
  }

  /** From now on so many; sessions above it go on. */
  allow(most: number): void {
    this.#most = most;
  }

  /** Takes a place for one more session; false when there is none. Each place taken is given back once, by `leave`. */
  enter(accountId: string): boolean {
    const count = this.#counts.get(accountId) ?? 0;
    if (this.#most > 0 && count >= this.#most) return false;
    this.#counts.set(accountId, count + 1);
    return true;
  }

  leave(accountId: string): void {
    const count = this.#counts.get(accountId);
    if (count === undefined) throw new Error('a session left an account that it had not entered');
    if (count === 1) this.#counts.delete(accountId);
    else this.#counts.set(accountId, count - 1);
  }

  /** For status and tests. */
  of(accountId: string): number {
    return this.#counts.get(accountId) ?? 0;
  }
}
