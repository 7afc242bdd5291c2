/**
 * Account names: what a client may call an account, and what an account may be called. Pure.
 *
 * A name is `local-part@domain` in lower case: the local part a Dot-string, the domain sub-domains joined by dots
 * (RFC 5321 §4.1.2, lengths §4.5.3.1). Quoted local parts and address literals name no account.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';

const MAX_LOCAL_PART = 64; // RFC 5321 §4.5.3.1.1
const MAX_DOMAIN = 255; // RFC 5321 §4.5.3.1.2
const MAX_LABEL = 63; // as DNS has it

/** `Dot-string = Atom *("." Atom)`, `atext` of RFC 5322 §3.2.3 in lower case. */
const DOT_STRING = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** `sub-domain = Let-dig [Ldh-str]`. */
const SUB_DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** Names that access control lists give a meaning of their own (RFC 4314 §2); no account may bear them. */
const RESERVED: ReadonlySet<string> = new Set(['anyone', 'anonymous']);

/** ASCII letters are folded, nothing else: account names hold nothing else. */
export const foldCase = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));

/** The account that a client means: a bare login belongs to the default domain, letters are folded. May name nobody. */
export const canonicalName = (login: string, defaultDomain: string): string =>
  foldCase(login.includes('@') ? login : `${login}@${defaultDomain}`);

/**
 * The canonical form of a name that an account may have, or what is wrong with it, in words for the operator.
 */
export function accountName(text: string, defaultDomain: string): Result<string, string> {
  const name = canonicalName(text, defaultDomain);
  const at = name.lastIndexOf('@');
  const localPart = name.slice(0, at);
  const domain = name.slice(at + 1);
  if (localPart === '') return refuse('the part before @ is empty');
  if (localPart.length > MAX_LOCAL_PART) return refuse(`the part before @ is longer than ${MAX_LOCAL_PART} characters`);
  if (!DOT_STRING.test(localPart)) {
    return refuse("the part before @ may hold letters, digits, single dots between them and !#$%&'*+-/=?^_`{|}~");
  }
  if (RESERVED.has(localPart)) return refuse(`${localPart} is reserved and can't be an account`);
  if (domain.length > MAX_DOMAIN) return refuse(`the domain is longer than ${MAX_DOMAIN} characters`);
  const wrong = domain.split('.').find((label) => label.length > MAX_LABEL || !SUB_DOMAIN.test(label));
  if (wrong !== undefined) {
    return refuse('the domain must be labels of letters, digits and inner hyphens, at most 63 long, joined by dots');
  }
  return accept(name);
}
