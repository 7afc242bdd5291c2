/**
 * Reverse-paths and forward-paths: RFC 5321 §4.1.2 and §4.1.3, RFC 6531 §3.3, parsed from arguments and printed back.
 * Strict in what characters it lets in (§4.1.2: 501), since paths end up in Return-Path lines and account names. The
 * sizes of §4.5.3.1.1 to §4.5.3.1.3 are what must be accepted at least; the command line's limit bounds them here.
 */
import type { Path } from './command.ts';

/** A path and what follows it, or undefined where the grammar is broken. `path` is null for `<>`. */
export type Parsed = { readonly path: Path | null; readonly rest: string } | undefined;

/**
 * `Reverse-path = Path / "<>"` and `Path = "<" [ A-d-l ":" ] Mailbox ">"` at the beginning of `text`; the source route
 * is dropped (RFC 5321 §4.1.1.3, Appendix C). With `postmaster` also `<Postmaster>` without a domain, in any case.
 */
export function parsePath(text: string, allow: 'null' | 'postmaster'): Parsed {
  if (text[0] !== '<') return undefined;
  if (allow === 'null' && text[1] === '>') return { path: null, rest: text.slice(2) };
  let at = afterSourceRoute(text, 1);
  const local = at < 0 ? undefined : localPartAt(text, at);
  if (local === undefined) return undefined;
  at = local.end;
  if (text[at] === '>') {
    if (allow !== 'postmaster' || local.value.toLowerCase() !== 'postmaster') return undefined;
    return { path: { localPart: local.value, domain: '' }, rest: text.slice(at + 1) };
  }
  if (text[at] !== '@') return undefined;
  // General-address-literal may hold a '>', but no ']' before its end.
  const end = text[at + 1] === '[' ? text.indexOf(']', at) + 1 : text.indexOf('>', at);
  const domain = text.slice(at + 1, Math.max(end, at + 1));
  if (text[end] !== '>' || !(isDomain(domain) || isInternationalDomain(domain) || isAddressLiteral(domain))) {
    return undefined;
  }
  return { path: { localPart: local.value, domain }, rest: text.slice(end + 1) };
}

/** `Dot-string = Atom *("." Atom)`; `atext` has all that is not ASCII (RFC 6531 §3.3), here without C1 controls. */
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\uffff]+(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\uffff]+)*$/;

/** No octet of it is above 0x7F in UTF-8. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** `<>`, or the path in angle brackets with the least quoting that its local part needs (RFC 5321 §4.1.2). */
export function printPath(path: Path | null): string {
  if (path === null) return '<>';
  const plain = DOT_STRING.test(path.localPart);
  const localPart = plain ? path.localPart : `"${path.localPart.replace(/["\\]/g, '\\$&')}"`;
  return path.domain === '' ? `<${localPart}>` : `<${localPart}@${path.domain}>`;
}

/** `Domain = sub-domain *("." sub-domain)`, `sub-domain = Let-dig [Ldh-str]` (RFC 5321 §4.1.2). */
export function isDomain(text: string): boolean {
  return (
    text.length <= 255 && text.split('.').every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label))
  );
}

/**
 * A domain with at least one label that looks like a U-label (RFC 6531 §3.3, RFC 5890 §2.3.2.1): letters, marks, digits,
 * hyphens, and the few signs that RFC 5892 lets stand between letters. Whether it is one, a look-up says.
 */
function isInternationalDomain(text: string): boolean {
  if (text.length > 255 || isAscii(text)) return false;
  const label = /^(?!-)(?:[\p{L}\p{M}\p{N}\u00b7\u0375\u05f3\u05f4\u30fb-]|\u200c|\u200d)+(?<!-)$/u;
  return text.split('.').every((each) => (isAscii(each) ? isDomain(each) : label.test(each)));
}

/** `address-literal = "[" ( IPv4- / IPv6- / General-address-literal ) "]"` (RFC 5321 §4.1.3). */
export function isAddressLiteral(text: string): boolean {
  if (text.length > 255 || !text.startsWith('[') || !text.endsWith(']')) return false;
  const inside = text.slice(1, -1);
  if (isIpv4(inside)) return true;
  const [, tag, address] = /^([A-Za-z0-9-]*[A-Za-z0-9]):([!-Z^-~]+)$/.exec(inside) ?? [];
  if (tag === undefined || address === undefined) return false;
  return tag.toLowerCase() !== 'ipv6' || isIpv6(address);
}

/** `Snum 3("." Snum)`, each 0 to 255. */
function isIpv4(text: string): boolean {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((n) => /^[0-9]{1,3}$/.test(n) && Number(n) <= 255);
}

/** `IPv6-addr`: eight groups, or at most six and `::` for the others; the last two may be written as IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const endsInIpv4 = !text.endsWith('::') && isIpv4(groups.at(-1) ?? '');
  const hex = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  const count = hex.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 1 ? count === 8 : halves.length === 2 && count <= 6;
}

/** Skips `A-d-l ":"`, `A-d-l = At-domain *( "," At-domain )`; -1 where it is broken. */
function afterSourceRoute(text: string, start: number): number {
  if (text[start] !== '@') return start;
  const colon = text.indexOf(':', start);
  if (colon < 0) return -1;
  const hosts = text.slice(start, colon).split(',');
  const isHost = (name: string): boolean => isDomain(name) || isInternationalDomain(name);
  return hosts.every((host) => host[0] === '@' && isHost(host.slice(1))) ? colon + 1 : -1;
}

/** `Local-part = Dot-string / Quoted-string`; its value is without the quoting, which has no meaning of its own. */
function localPartAt(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  return text[start] === '"' ? quotedStringAt(text, start + 1) : dotStringAt(text, start);
}

/** `Dot-string = Atom *("." Atom)`. */
function dotStringAt(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  let end = start;
  while (end < text.length && /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\u00a0-\uffff]/.test(text[end]!)) end += 1;
  const value = text.slice(start, end);
  if (value === '' || value.startsWith('.') || value.endsWith('.') || value.includes('..')) return undefined;
  return { value, end };
}

/** `*QcontentSMTP DQUOTE`, from behind the opening quote: all but controls, `\` before any of ASCII. */
function quotedStringAt(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  let value = '';
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '"') return { value, end: at + 1 };
    if (text[at] === '\\') at += 1;
    const char = text[at];
    if (char === undefined || char < ' ' || (char > '~' && char < '\u00a0')) return undefined;
    value += char;
  }
  return undefined;
}
