/**
 * Search keys: RFC 9051 §6.4.4 and §9 `search-key`, RFC 3501 §6.4.4, RFC 5032, RFC 7162 §3.1.5, RFC 8474 §5.3, RFC 8514 §4.3. The
 * only grammar of IMAP's commands that nests; how deep, and how many keys, is bounded.
 */
import type { Cursor } from './cursor.ts';
import { octetsOf } from './cursor.ts';
import { parseDate } from './date-time.ts';
import type { SearchKey, SystemFlag } from './search-key.ts';

/** Parentheses, NOT and OR within one another. */
const MAX_DEPTH = 100;
const MAX_KEYS = 2000;

const FLAGS = new Map<string, { readonly flag: SystemFlag; readonly isSet: boolean }>(
  (['Answered', 'Deleted', 'Draft', 'Flagged', 'Seen'] as const).flatMap((name) => [
    [name.toUpperCase(), { flag: `\\${name}`, isSet: true }] as const,
    [`UN${name.toUpperCase()}`, { flag: `\\${name}`, isSet: false }] as const,
  ]),
);

/** `search-key *(SP search-key)` up to the end of the command; all of them must match. */
export function searchProgramAt(cursor: Cursor): SearchKey | undefined {
  const program = new Program(cursor);
  const keys: SearchKey[] = [];
  do {
    const key = program.key(1);
    if (key === undefined) return undefined;
    keys.push(key);
  } while (!cursor.isAtEnd && cursor.takes(' '));
  return allOf(keys);
}

const allOf = (keys: readonly SearchKey[]): SearchKey => (keys.length === 1 ? keys[0]! : { key: 'AND', keys });

class Program {
  readonly #cursor: Cursor;
  #count = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  key(depth: number): SearchKey | undefined {
    const cursor = this.#cursor;
    if (depth > MAX_DEPTH) return cursor.fail('nested too deep');
    this.#count += 1;
    if (this.#count > MAX_KEYS) return cursor.fail('too many arguments in a list');
    if (cursor.isNextOf('(')) {
      const keys = cursor.list(() => this.key(depth + 1), { most: MAX_KEYS });
      return keys && allOf(keys);
    }
    if (cursor.isNextOf('0123456789*$')) {
      const set = cursor.sequenceSet();
      return set && { key: 'SEQUENCE', set };
    }
    const name = cursor.word();
    return name === undefined ? undefined : this.#named(name, depth);
  }

  /** The keys that hold keys, and what `simpleKeyAt` reads; the cursor stands behind the name. */
  #named(name: string, depth: number): SearchKey | undefined {
    const cursor = this.#cursor;
    if (name === 'NOT') {
      const not = cursor.space() && this.key(depth + 1);
      return not && { key: 'NOT', not };
    }
    if (name === 'OR') {
      const either = cursor.space() && this.key(depth + 1);
      const or = either && cursor.space() && this.key(depth + 1);
      return or && { key: 'OR', either, or };
    }
    return wordAt(name) ?? argumentAt(name, cursor);
  }
}

/** Keys that stand alone. */
function wordAt(name: string): SearchKey | undefined {
  const flag = FLAGS.get(name);
  if (flag !== undefined) return { key: 'FLAG', ...flag };
  switch (name) {
    case 'ALL':
    case 'NEW':
    case 'OLD':
    case 'RECENT':
    case 'SAVEDATESUPPORTED':
      return { key: name };
    default:
      return undefined;
  }
}

/** Keys with an argument. */
function argumentAt(name: string, cursor: Cursor): SearchKey | undefined {
  switch (name) {
    case 'KEYWORD':
    case 'UNKEYWORD': {
      const flag = cursor.space() && cursor.atom();
      return flag === undefined ? undefined : { key: 'KEYWORD', flag, isSet: name === 'KEYWORD' };
    }
    case 'BCC':
    case 'BODY':
    case 'CC':
    case 'FROM':
    case 'SUBJECT':
    case 'TEXT':
    case 'TO': {
      const octets = stringAt(cursor);
      return octets && { key: name, octets };
    }
    case 'HEADER':
      return headerAt(cursor);
    case 'UID': {
      const set = cursor.space() && cursor.sequenceSet();
      return set && { key: name, set };
    }
    case 'LARGER':
    case 'SMALLER': {
      const sizeOctets = cursor.space() && cursor.number64();
      return sizeOctets === undefined ? undefined : { key: name, sizeOctets };
    }
    case 'OLDER':
    case 'YOUNGER': {
      const intervalSeconds = cursor.space() && cursor.nzNumber();
      return intervalSeconds === undefined ? undefined : { key: name, intervalSeconds };
    }
    case 'BEFORE':
    case 'ON':
    case 'SINCE':
    case 'SENTBEFORE':
    case 'SENTON':
    case 'SENTSINCE':
    case 'SAVEDBEFORE':
    case 'SAVEDON':
    case 'SAVEDSINCE': {
      const text = cursor.space() && (cursor.isNextOf('"') ? cursor.string() : cursor.atom());
      const date = text === undefined ? undefined : parseDate(text);
      return date === undefined ? cursor.fail('a date was expected') : { key: name, date };
    }
    case 'MODSEQ':
      return modSeqAt(cursor);
    case 'EMAILID':
    case 'THREADID': {
      const id = cursor.space() && cursor.astring();
      if (id === undefined) return undefined;
      // RFC 8474 §7: 1 to 255 of these
      return /^[A-Za-z0-9_-]{1,255}$/.test(id) ? { key: name, id } : cursor.fail('an atom was expected');
    }
    default:
      return cursor.fail('an unknown search key');
  }
}

function stringAt(cursor: Cursor): Uint8Array | undefined {
  const text = cursor.space() && cursor.astring();
  return text === undefined ? undefined : octetsOf(text);
}

/** `"HEADER" SP header-fld-name SP astring`. */
function headerAt(cursor: Cursor): SearchKey | undefined {
  const field = cursor.space() && cursor.astring();
  if (field === undefined) return undefined;
  if (!/^[\x20-\x7e]+$/.test(field)) return cursor.fail('an atom was expected');
  const octets = stringAt(cursor);
  return octets && { key: 'HEADER', field, octets };
}

/** `"MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer` (RFC 7162 §7). */
function modSeqAt(cursor: Cursor): SearchKey | undefined {
  if (!cursor.space()) return undefined;
  if (cursor.isNextOf('"')) {
    const entry = cursor.string();
    if (entry === undefined || !cursor.space()) return undefined;
    const type = cursor.word();
    const isEntry =
      /^\/flags\/\\?[\x21-\x7e]+$/i.test(entry) && (type === 'PRIV' || type === 'SHARED' || type === 'ALL');
    if (!isEntry) return cursor.fail('an entry name is not well formed');
    if (!cursor.space()) return undefined;
  }
  const modSeq = cursor.number64();
  return modSeq === undefined ? undefined : { key: 'MODSEQ', modSeq };
}
