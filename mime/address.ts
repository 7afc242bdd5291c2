/**
 * Address lists: RFC 5322 §3.4 with the obsolete forms of §4.4, as an envelope needs them (RFC 9051 §7.5.2). Whatever stands
 * in the field gives some list, in one pass; display names keep their encoded words (RFC 2047).
 *
 * What is broken: a word alone is a local part without a domain, more words are a name without an address; an address that
 * lacks its local part or domain gets MISSING_MAILBOX or MISSING_DOMAIN, which clients know from other servers; what follows
 * an address is passed over up to the next comma; a group that is not closed ends with the field.
 */
import type { Scanner } from './scanner.ts';

/**
 * A mailbox has both `mailbox` and `host`. The start of a group has its name in `mailbox` and no `host`, its end has neither
 * (RFC 9051 §7.5.2). Latin1 text, one character an octet, quoting removed.
 */
export type Address = {
  readonly name?: string;
  /** `obs-route` without its colon. */
  readonly route?: string;
  readonly mailbox?: string;
  readonly host?: string;
};

const MISSING_MAILBOX = 'MISSING_MAILBOX';
const MISSING_DOMAIN = 'MISSING_DOMAIN';

type Word = { readonly text: string; readonly quoted: boolean };

/**
 * `address-list = (address *("," address)) / obs-addr-list`
 * @param most  stops after that many (a group's end may make it one more)
 */
export function parseAddresses(value: Scanner, most: number): Address[] {
  const addresses: Address[] = [];
  let inGroup = false;
  while (addresses.length < most) {
    value.cfws();
    if (value.peek() === '') break;
    if (value.peek() === ',' || value.peek() === ';') {
      if (value.peek() === ';' && inGroup) addresses.push({});
      if (value.peek() === ';') inGroup = false;
      value.skip();
      continue;
    }
    value.comment = '';
    const words = wordsOf(value);
    if (value.peek() === ':' && !inGroup) {
      value.skip();
      inGroup = true;
      addresses.push({ mailbox: phrase(words) });
      continue;
    }
    const address = mailbox(value, words);
    if (address !== undefined) addresses.push(address);
    passJunk(value);
  }
  if (inGroup) addresses.push({});
  return addresses;
}

/** `mailbox = name-addr / addr-spec`, its first words read already. */
function mailbox(value: Scanner, words: readonly Word[]): Address | undefined {
  if (value.peek() === '<') return angleAddress(value, phrase(words));
  if (value.peek() === '@') return addressSpec(value, words);
  const local = localPartOf(words);
  if (words.length === 0) return undefined;
  if (local.before.length === 0 && !words[0]!.quoted)
    return { ...named(value.comment), mailbox: local.text, host: MISSING_DOMAIN };
  return { name: phrase(words), mailbox: MISSING_MAILBOX, host: MISSING_DOMAIN };
}

/** `addr-spec = local-part "@" domain`; a comment may tell the name (RFC 5322 §3.4). Words before it are taken for a name. */
function addressSpec(value: Scanner, words: readonly Word[]): Address {
  const local = localPartOf(words);
  value.skip();
  const host = domain(value) || MISSING_DOMAIN;
  value.cfws();
  if (value.peek() === '<') return angleAddress(value, `${phrase(words)}@${host}`); // an address as the display name of one
  return {
    ...named(phrase(local.before) || value.comment),
    mailbox: words.length > 0 ? local.text : MISSING_MAILBOX,
    host,
  };
}

/** `angle-addr = "<" [obs-route] addr-spec ">"` */
function angleAddress(value: Scanner, name: string): Address {
  value.skip();
  const route = routeOf(value);
  const words = wordsOf(value);
  const local = words.length === 0 ? MISSING_MAILBOX : together(words);
  let host = '';
  if (value.peek() === '@') {
    value.skip();
    host = domain(value);
  } else if (words.length === 0 && route.last !== undefined && !route.ended) {
    host = route.last; // <@host>
  }
  while (!['>', ',', ';', ''].includes(value.peek())) passSome(value);
  if (value.peek() === '>') value.skip();
  return {
    ...named(name),
    ...(route.ended && { route: route.text }),
    mailbox: local,
    host: host || MISSING_DOMAIN,
  };
}

/** `obs-route = obs-domain-list ":"` with `obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])` */
function routeOf(value: Scanner): { text: string; last: string | undefined; ended: boolean } {
  const domains: string[] = [];
  value.cfws();
  while (value.peek() === '@') {
    value.skip();
    domains.push(domain(value));
    value.cfws();
    while (value.peek() === ',') {
      value.skip();
      value.cfws();
    }
  }
  const ended = domains.length > 0 && value.peek() === ':';
  if (ended) value.skip();
  return { text: domains.map((name) => `@${name}`).join(','), last: domains.at(-1), ended };
}

/** `domain = dot-atom / domain-literal / obs-domain`; empty where there is none. */
function domain(value: Scanner): string {
  value.cfws();
  if (value.peek() === '[') return value.domainLiteral() ?? value.domainWord();
  let name = value.domainWord();
  for (;;) {
    value.cfws();
    if (!name.endsWith('.') && value.peek() !== '.') return name;
    const more = value.domainWord();
    if (more === '') return name;
    name += more;
  }
}

/** `1*word / obs-phrase`: words up to what can't be part of one; stray `)` and `>` and controls are passed over. */
function wordsOf(value: Scanner): Word[] {
  const words: Word[] = [];
  for (;;) {
    value.cfws();
    if (['', ',', ';', ':', '<', '@'].includes(value.peek())) return words;
    if (value.peek() === '>' && words.length > 0) return words;
    if (value.peek() === '"') {
      const text = value.quotedString();
      if (text !== undefined) words.push({ text, quoted: true });
      continue;
    }
    const text = value.word();
    if (text === '') value.skip();
    else words.push({ text, quoted: false });
  }
}

const phrase = (words: readonly Word[]): string => words.map((word) => word.text).join(' ');
const named = (name: string): { name?: string } => (name === '' ? {} : { name });

/** Does a dot join this word to the one before, as in `obs-local-part = word *("." word)`? */
function joins(words: readonly Word[], at: number): boolean {
  const before = words[at - 1]!;
  const word = words[at]!;
  return (!before.quoted && before.text.endsWith('.')) || (!word.quoted && word.text.startsWith('.'));
}

/** The words at the end that dots join, and those before them. */
function localPartOf(words: readonly Word[]): { text: string; before: readonly Word[] } {
  let from = Math.max(0, words.length - 1);
  while (from > 0 && joins(words, from)) from -= 1;
  const text = words
    .slice(from)
    .map((word) => word.text)
    .join('');
  return { text, before: words.slice(0, from) };
}

/** A local part that has spaces where it may not: they stay. */
const together = (words: readonly Word[]): string =>
  words.map((word, at) => (at > 0 && !joins(words, at) ? ` ${word.text}` : word.text)).join('');

function passJunk(value: Scanner): void {
  for (value.cfws(); ![',', ';', ''].includes(value.peek()); ) passSome(value);
}

/** One token, whatever it is, and the spaces behind it. */
function passSome(value: Scanner): void {
  if (value.peek() === '"') value.quotedString();
  else if (value.word() === '') value.skip();
  value.cfws();
}
