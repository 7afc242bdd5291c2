/**
 * What a mailbox's name means to a session: whose it is, where, and under which name it is kept there; and the other way, how
 * a kept name is shown. RFC 9051 §5.1, RFC 2342. Personal mailboxes have no prefix, other users' stand below `user/`, the shared
 * ones of the holder's domain below `shared/`; levels are parted by `/`. Whether a mailbox is there, its owner says.
 */

import { INBOX, mailboxName, SEPARATOR } from '../../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { mailboxNameFrom } from '../../protocols/imap/mailbox-name.ts';
import { canonicalName } from '../authenticator/names.ts';
import type { Constants } from './context.ts';
import type { Accounts, KnownAccount, LoggedIn } from './services.ts';

export const OTHER_USERS = 'user';
export const SHARED = 'shared';

/** A mailbox that may be there or not. */
export type Place = {
  readonly mailHost: string;
  /** `Account.id`. */
  readonly account: string;
  /** As it is kept by the owner: UTF-8, in Normalization Form C. */
  readonly name: string;
  /** How it is told to the client: Unicode, before it is encoded. */
  readonly shown: string;
  readonly isOwn: boolean;
  /** Has that account an INBOX? The home of shared mailboxes has none. */
  readonly withInbox: boolean;
};

/**
 * A delimiter at the end of a name that is made or subscribed to says that there will be mailboxes below it: RFC 9051 §6.3.4. They
 * may be anywhere here, and the name is the one without it.
 */
export const withoutDelimiter = (raw: string): string => (raw.endsWith(SEPARATOR) ? raw.slice(0, -1) : raw);

/** `bad-name` no mailbox can have it; `no-such-mailbox` nobody has one there, or it is a level without a mailbox. */
export type NameRefusal = 'bad-name' | 'no-such-mailbox';

export class Names {
  readonly #holder: LoggedIn;
  readonly #constants: Constants;
  readonly #accounts: Accounts;

  constructor(holder: LoggedIn, constants: Constants, accounts: Accounts) {
    this.#holder = holder;
    this.#constants = constants;
    this.#accounts = accounts;
  }

  /** @param raw  as sent; `isUtf8`: IMAP4rev2 was enabled, so that it is not modified UTF-7 */
  resolve(raw: string, isUtf8: boolean): Result<Place, NameRefusal> {
    const text = mailboxNameFrom(raw, isUtf8);
    return text.ok ? this.resolveText(text.value) : refuse('bad-name');
  }

  /** The same, decoded. */
  resolveText(text: string): Result<Place, NameRefusal> {
    const kept = mailboxName(text);
    if (!kept.ok) return refuse('bad-name');
    const [first, ...rest] = kept.value.split(SEPARATOR);
    if (first === SHARED) return this.#below(this.sharedHome(), rest);
    if (first !== OTHER_USERS) return accept(this.#ownPlace(kept.value));
    const [user, ...below] = rest;
    return user === undefined ? refuse('no-such-mailbox') : this.#below(this.user(user), below);
  }

  /** A user by the level below `user/`: a bare name is of the default domain. */
  user(level: string): KnownAccount | undefined {
    return this.#accounts.named(canonicalName(level, this.#constants.defaultDomain));
  }

  /** The home of the shared mailboxes of the holder's domain; undefined: there are none. */
  sharedHome(): KnownAccount | undefined {
    const domain = this.#holder.account.slice(this.#holder.account.lastIndexOf('@') + 1);
    const home = this.#accounts.named(`${this.#constants.sharedName}@${domain}`);
    return home?.isShared ? home : undefined;
  }

  /** The place of a mailbox that an owner named. */
  placeOf(account: KnownAccount, name: string): Place {
    if (account.id === this.#holder.accountId) return this.#ownPlace(name);
    const { mailHost, id, isShared } = account;
    return {
      mailHost,
      account: id,
      name,
      shown: this.#shown(account, name),
      isOwn: false,
      withInbox: !isShared,
    };
  }

  /** What stands before all names of an account's mailboxes but INBOX, and is INBOX itself; undefined: the holder's own. */
  rootOf(account: KnownAccount): string | undefined {
    if (account.id === this.#holder.accountId) return undefined;
    if (account.id === this.sharedHome()?.id) return SHARED;
    return `${OTHER_USERS}${SEPARATOR}${this.#userLevel(account.name)}`;
  }

  /** A personal mailbox, by the name that it is kept under. */
  #ownPlace(name: string): Place {
    const first = name.split(SEPARATOR, 1)[0];
    // One made elsewhere under a name that means something else here is reached by the long way round.
    const isHidden = first === OTHER_USERS || first === SHARED;
    const { mailHost, accountId, account } = this.#holder;
    const shown = isHidden ? [OTHER_USERS, this.#userLevel(account), name].join(SEPARATOR) : name;
    return { mailHost, account: accountId, name, shown, isOwn: true, withInbox: true };
  }

  #below(account: KnownAccount | undefined, levels: readonly string[]): Result<Place, NameRefusal> {
    if (account === undefined) return refuse('no-such-mailbox');
    if (levels.length === 0 && account.isShared) return refuse('no-such-mailbox');
    const kept = mailboxName(levels.length === 0 ? INBOX : levels.join(SEPARATOR));
    if (!kept.ok) return refuse('bad-name');
    const isMissing = account.isShared && kept.value.split(SEPARATOR, 1)[0] === INBOX; // it has none, nor anything below it
    return isMissing ? refuse('no-such-mailbox') : accept(this.placeOf(account, kept.value));
  }

  /** `user/joe` is joe's INBOX, `user/joe/x` his mailbox x. */
  #shown(account: KnownAccount, name: string): string {
    const root = this.rootOf(account) ?? '';
    return name === INBOX && !account.isShared ? root : `${root}${SEPARATOR}${name}`;
  }

  /** Without its domain where that is the default one. */
  #userLevel(account: string): string {
    const at = account.lastIndexOf('@');
    return account.slice(at + 1) === this.#constants.defaultDomain ? account.slice(0, at) : account;
  }
}
