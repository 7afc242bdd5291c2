/**
 * What may be written for rights and identifiers, and what it means: RFC 4314 §2 and §3.1; and what rights an account has by
 * all that is written. Pure; kept as store/rights.ts says.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { FLAG } from '../../store/flags.ts';
import type { View } from '../../store/key-value.ts';
import { ordered, STANDARD_RIGHTS } from '../../store/rights.ts';
import { rights as grants } from '../../store/tables.ts';

/** Identifiers that are no account's id. */
export const ANYONE = 'anyone';
export const ANONYMOUS = 'anonymous';
/** Before an identifier: its rights are taken away. */
export const NEGATIVE = '-';

/** RFC 2086's rights and what they stand for: RFC 4314 §2.1.1 leaves the choice, and prints its examples with this one. */
const VIRTUAL: Readonly<Record<string, string>> = { c: 'kx', d: 'et' };

/** The set that the letters name, each once and in order. Refused is the first letter that is no right. */
export function rightsOf(letters: string): Result<string, string> {
  const wanted = new Set<string>();
  for (const letter of letters) {
    const meant = Object.hasOwn(VIRTUAL, letter) ? VIRTUAL[letter]! : letter;
    if (!STANDARD_RIGHTS.includes(meant) && meant === letter) return refuse(letter);
    for (const each of meant) wanted.add(each);
  }
  return accept(ordered(wanted));
}

/** `+` adds to what there is, `-` takes from it, anything else replaces it: SETACL, RFC 4314 §3.1. */
export function editedRights(before: string, edit: string): Result<string, string> {
  const sign = edit[0] === '+' || edit[0] === '-' ? edit[0] : '';
  const named = rightsOf(edit.slice(sign.length));
  if (!named.ok || sign === '') return named;
  const rights = new Set(before);
  for (const each of named.value) sign === '+' ? rights.add(each) : rights.delete(each);
  return accept(ordered(rights));
}

/** Whose rights are looked at: those of an account, or of one that administers, which has all. */
export type Asker = { readonly account: string; readonly administers?: true };

/**
 * The rights of an account on a mailbox: what is granted to it and to `anyone`, less what is taken from either (RFC 4314 §2
 * leaves it to the server). Its own mailboxes' owner has all that its entry there, if there is one, does not leave out, and
 * keeps `l` and `a` whatever is written, so that nobody locks himself out.
 * @returns as store/rights.ts orders them
 */
export function rightsFor(view: View, { account: who, administers }: Asker, account: string, mailbox: number): string {
  if (administers) return STANDARD_RIGHTS;
  const of = (identifier: string) => grants.get(view, account, mailbox, identifier);
  const isOwner = who === account;
  const own = isOwner ? ownersEntry(of(who)) : (of(who) ?? '');
  const rights = new Set(own + (of(ANYONE) ?? ''));
  for (const taken of (of(NEGATIVE + who) ?? '') + (of(NEGATIVE + ANYONE) ?? '')) rights.delete(taken);
  if (isOwner) for (const kept of OWNERS_KEPT) rights.add(kept);
  return ordered(rights);
}

/** What nobody takes from an account on its own mailboxes: RFC 4314 §3.4, the rights that LISTRIGHTS tells as always granted. */
export const OWNERS_KEPT = 'la';

/**
 * What an account's own entry on its mailbox's list stands for: all rights where none was written, and what is always kept
 * with what was.
 */
export const ownersEntry = (entry: string | undefined): string =>
  entry === undefined ? STANDARD_RIGHTS : ordered(new Set(entry + OWNERS_KEPT));

/** The flags that such rights let change, as bits of store/flags.ts, and whether keywords too (RFC 4314 §4: STORE). */
export const changeable = (rights: string): { readonly flags: number; readonly keywords: boolean } => ({
  flags:
    (rights.includes('s') ? FLAG.seen : 0) |
    (rights.includes('t') ? FLAG.deleted : 0) |
    (rights.includes('w') ? FLAG.answered | FLAG.flagged | FLAG.draft : 0),
  keywords: rights.includes('w'),
});

/**
 * What is said to an account that lacks a right: of a mailbox that it may not list, that there is none (RFC 4314 §6).
 * @param rights  that it has
 */
export const lacking = (rights: string): 'no-permission' | 'no-such-mailbox' =>
  rights.includes('l') ? 'no-permission' : 'no-such-mailbox';
