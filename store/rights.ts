/**
 * Rights as access control lists keep them: the standard letters of RFC 4314 §2.1, each once and in one order. Pure; what
 * they allow, and what a client may write for them, is for owners to know (actors/mailbox-owner/rights.ts).
 *
 * An identifier is `anyone`, `anonymous` or an account's id, never its name: a renamed account keeps its rights, one made
 * anew under an old name gets none. With `-` before it, its rights are taken away from what others give (negative rights).
 */

/** In the order in which they are kept. */
export const STANDARD_RIGHTS = 'lrswipkxtea';

export const ordered = (rights: ReadonlySet<string>): string =>
  [...STANDARD_RIGHTS].filter((each) => rights.has(each)).join('');

export const isOrdered = (rights: string): boolean => rights === ordered(new Set(rights));
