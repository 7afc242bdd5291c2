/**
 * The mailboxes of every user, as an administrator may list them: account by account as the client reads, so that a directory of any
 * size takes no more memory than a few accounts, and nobody else waits for it. Each user's are a hierarchy by themselves; only the
 * level above all of them is told at the end (RFC 9051 §6.3.9 asks for no order).
 */
import { setImmediate as turn } from 'node:timers/promises';
import { SEPARATOR } from '../../kernel/mailbox-name.ts';
import type { ListSelection } from '../../protocols/imap/command.ts';
import { type Named, namesFor } from './hierarchy.ts';
import type { ImapSession } from './imap-session.ts';
import { type Listed, mailboxesOf } from './listing.ts';
import { OTHER_USERS, SHARED } from './names.ts';
import type { Pattern } from './patterns.ts';
import type { KnownAccount } from './services.ts';

/** Accounts whose owners are asked together. */
const AT_ONCE = 8;
/** Accounts looked at before others run. */
const A_TURN = 100;

type User = { readonly account: KnownAccount; readonly root: string };

export class EveryUser {
  readonly #session: ImapSession;
  readonly #patterns: readonly Pattern[];
  readonly #selection: readonly ListSelection[];
  readonly #mailHosts: ReadonlySet<string>;
  /** Of these accounts, by their roots: names subscribed to. */
  readonly #subscribed = new Map<string, string[]>();
  /** Subscribed names that are none of theirs. */
  readonly otherSubscriptions: readonly string[];
  /** Did not answer, and are not asked again. */
  readonly #away = new Set<string>();
  /** What all of them stand below, if it is to be told. */
  #above: Named | undefined;

  constructor(
    session: ImapSession,
    asked: {
      readonly patterns: readonly Pattern[];
      readonly selection: readonly ListSelection[];
      readonly subscribed: readonly string[];
    },
  ) {
    this.#session = session;
    this.#patterns = asked.patterns;
    this.#selection = asked.selection;
    this.#mailHosts = new Set(session.services.mailHosts());
    this.otherSubscriptions = asked.subscribed.filter((name) => !this.#keepSubscription(name));
  }

  /** Once all is told: is something missing, because its owner was away? */
  get isPartial(): boolean {
    return this.#away.size > 0;
  }

  /**
   * @param others  what is told of all other names; is told first
   * @returns some names at a time, and now and then none; ends early when the client has gone
   */
  async *names(others: readonly Named[]): AsyncGenerator<readonly Named[]> {
    yield this.#withoutAbove(others);
    let some: User[] = [];
    let looked = 0;
    for (const account of this.#session.services.accounts.all()) {
      if (++looked % A_TURN === 0) await turn();
      if (this.#session.hasLeft) return;
      const user = this.#wanted(account);
      if (user !== undefined) some.push(user);
      if (some.length < AT_ONCE) continue;
      yield await this.#namesOf(some);
      some = [];
    }
    if (some.length > 0) yield await this.#namesOf(some);
    if (this.#above !== undefined) yield [this.#above];
  }

  async #namesOf(users: readonly User[]): Promise<readonly Named[]> {
    const all = await Promise.all(users.map((user) => this.#mailboxesOf(user)));
    return users.flatMap(({ root }, at) => {
      const known = { mailboxes: all[at]!, subscribed: this.#subscribed.get(root) ?? [] };
      return this.#withoutAbove(namesFor(known, this.#patterns, this.#selection));
    });
  }

  async #mailboxesOf({ account }: User): Promise<readonly Listed[]> {
    if (this.#away.has(account.mailHost)) return [];
    const found = await mailboxesOf(this.#session, account);
    if (found.ok) return found.value;
    this.#away.add(account.mailHost);
    return [];
  }

  #withoutAbove(names: readonly Named[]): readonly Named[] {
    const above = names.find(({ name }) => name === OTHER_USERS);
    if (above === undefined) return names;
    const before = this.#above;
    this.#above = {
      name: OTHER_USERS,
      isSubscribed: above.isSubscribed || before?.isSubscribed === true,
      hasChildren: above.hasChildren || before?.hasChildren === true,
      hasSelectedChildren: above.hasSelectedChildren || before?.hasSelectedChildren === true,
    };
    return names.filter((each) => each !== above);
  }

  #wanted(account: KnownAccount): User | undefined {
    const { holder, names } = this.#session;
    if (account.id === holder.accountId || !this.#mailHosts.has(account.mailHost)) return undefined;
    const root = names.rootOf(account);
    if (root === undefined || root === SHARED || !this.#patterns.some((pattern) => pattern.reaches(root)))
      return undefined;
    return { account, root };
  }

  #keepSubscription(name: string): boolean {
    const [first, level] = name.split(SEPARATOR);
    const account = first === OTHER_USERS && level !== undefined ? this.#session.names.user(level) : undefined;
    const root = account && this.#wanted(account)?.root;
    if (root === undefined || (name !== root && !name.startsWith(root + SEPARATOR))) return false;
    const there = this.#subscribed.get(root);
    if (there === undefined) this.#subscribed.set(root, [name]);
    else there.push(name);
    return true;
  }
}
