/** Rights as clients are shown them, and identifiers between clients and owners: RFC 4314 §2. Pure. */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { canonicalName } from '../authenticator/names.ts';
import { ANONYMOUS, ANYONE, NEGATIVE } from '../mailbox-owner/rights.ts';
import type { Accounts } from './services.ts';

/** With the rights of RFC 2086 that some of them make up (RFC 4314 §2.1.1). */
export const shownRights = (rights: string): string =>
  `${rights}${/[kx]/.test(rights) ? 'c' : ''}${/[te]/.test(rights) ? 'd' : ''}`;

const isSpecial = (name: string): boolean => name === ANYONE || name === ANONYMOUS;

/** As owners keep it: an account's id, `anyone` or `anonymous`, with `-` before it for rights taken away (RFC 4314 §2). */
export function keptIdentifier(text: string, accounts: Accounts, defaultDomain: string): Result<string, 'bad-rights'> {
  const sign = text.startsWith(NEGATIVE) ? NEGATIVE : '';
  const name = text.slice(sign.length);
  if (isSpecial(name)) return accept(sign + name);
  const account = accounts.named(canonicalName(name, defaultDomain)) ?? accounts.byId(name);
  return account === undefined ? refuse('bad-rights') : accept(sign + account.id);
}

/** By the account's name; of one that is no more, by its id, so that it can be taken off the list. */
export function shownIdentifier(kept: string, accounts: Accounts, defaultDomain: string): string {
  const sign = kept.startsWith(NEGATIVE) ? NEGATIVE : '';
  const identifier = kept.slice(sign.length);
  if (isSpecial(identifier)) return kept;
  const name = accounts.byId(identifier)?.name;
  if (name === undefined) return kept;
  return sign + (name.endsWith(`@${defaultDomain}`) ? name.slice(0, -defaultDomain.length - 1) : name);
}
