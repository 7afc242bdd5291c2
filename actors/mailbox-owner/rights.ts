/** What may be written for rights and identifiers, and what it means: RFC 4314 §2 and §3.1. Pure; kept as store/rights.ts says. */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { ordered, STANDARD_RIGHTS } from '../../store/rights.ts';

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
