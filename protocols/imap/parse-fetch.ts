/**
 * FETCH and what it asks for: RFC 9051 §6.4.5, RFC 3501 §6.4.5, RFC 7162 §3.1.4, §3.2.6, RFC 8474 §5, RFC 8514 §4.1, RFC 8970 §3.
 * Sections, too, which no other command has.
 */
import type { CommandOf, Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import type { FetchItem, Partial, Section } from './fetch-item.ts';

/** Each is made for every message. */
const MAX_ITEMS = 500;
/** Parts within parts; no message that is kept nests deeper. */
const MAX_PART_DEPTH = 100;

/** `"FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")") [fetch-modifiers]`. */
export function parseFetch(cursor: Cursor, uid: boolean): Verb | undefined {
  const set = cursor.sequenceSet();
  if (set === undefined || !cursor.space()) return undefined;
  const isList = cursor.isNextOf('(');
  const items = isList ? cursor.list(() => itemAt(cursor), { most: MAX_ITEMS }) : macroOrItemAt(cursor);
  if (items === undefined) return undefined;
  const modifiers = cursor.isAtEnd ? { vanished: false } : cursor.space() && modifiersAt(cursor, uid);
  return modifiers && { type: 'FETCH', uid, set, items: distinct(items), ...modifiers };
}

type Modifiers = Pick<CommandOf<'FETCH'>, 'changedSince' | 'vanished'>;

/** `"(" fetch-modifier *(SP fetch-modifier) ")"`; VANISHED only with UID FETCH and CHANGEDSINCE (RFC 7162 §3.2.6). */
function modifiersAt(cursor: Cursor, uid: boolean): Modifiers | undefined {
  let changedSince: number | undefined;
  let vanished = false;
  const modifier = (): true | undefined => {
    const name = cursor.word();
    if (name === 'VANISHED' && !vanished) {
      vanished = true;
      return true;
    }
    if (name === 'CHANGEDSINCE' && changedSince === undefined) {
      changedSince = cursor.space() && cursor.number64();
      return changedSince === undefined ? undefined : true;
    }
    const isAgain = name === 'VANISHED' || name === 'CHANGEDSINCE';
    return cursor.fail(isAgain ? 'an option stands twice' : 'an unknown option');
  };
  if (!cursor.list(modifier)) return undefined;
  if (vanished && !(uid && changedSince !== undefined)) return cursor.fail('an option lacks another that it needs');
  return { ...(changedSince === undefined ? {} : { changedSince }), vanished };
}

const PLAIN = [
  'ENVELOPE',
  'FLAGS',
  'INTERNALDATE',
  'RFC822.SIZE',
  'UID',
  'BODYSTRUCTURE',
  'MODSEQ',
  'EMAILID',
  'THREADID',
  'SAVEDATE',
  'RFC822',
  'RFC822.HEADER',
  'RFC822.TEXT',
] as const;

const FAST = ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'] as const;
/** RFC 9051 §6.4.5: a macro stands by itself, not with others in a list. */
const MACROS: Readonly<Record<string, readonly FetchItem[]>> = {
  FAST: FAST.map((item) => ({ item })),
  ALL: [...FAST, 'ENVELOPE' as const].map((item) => ({ item })),
  FULL: [...FAST, 'ENVELOPE' as const, 'BODY' as const].map((item) => ({ item })),
};

function macroOrItemAt(cursor: Cursor): readonly FetchItem[] | undefined {
  const name = cursor.itemName();
  if (name === undefined) return undefined;
  if (Object.hasOwn(MACROS, name)) return MACROS[name];
  const item = itemNamed(name, cursor);
  return item && [item];
}

function itemAt(cursor: Cursor): FetchItem | undefined {
  const name = cursor.itemName();
  return name === undefined ? undefined : itemNamed(name, cursor);
}

/** `fetch-att`; the cursor stands behind its name. */
function itemNamed(name: string, cursor: Cursor): FetchItem | undefined {
  switch (name) {
    case 'BODY':
    case 'BODY.PEEK': {
      const peek = name === 'BODY.PEEK';
      if (!peek && !cursor.isNextOf('[')) return { item: 'BODY' };
      const section = sectionAt(cursor);
      const partial = section && partialAt(cursor);
      return partial && { item: 'BODY[]', section, ...partial, peek };
    }
    case 'BINARY':
    case 'BINARY.PEEK': {
      const part = binarySectionAt(cursor);
      const partial = part && partialAt(cursor);
      return partial && { item: 'BINARY', part, ...partial, peek: name === 'BINARY.PEEK' };
    }
    case 'BINARY.SIZE': {
      const part = binarySectionAt(cursor);
      return part && { item: name, part };
    }
    case 'PREVIEW':
      return previewAt(cursor);
    default: {
      const item = PLAIN.find((one) => one === name);
      return item === undefined ? cursor.fail('an unknown data item') : { item };
    }
  }
}

/** `"PREVIEW" [SP "(" "LAZY" ")"]` (RFC 8970 §6). */
function previewAt(cursor: Cursor): FetchItem | undefined {
  if (!cursor.isNext(' (LAZY')) return { item: 'PREVIEW', lazy: false };
  cursor.takes(' ');
  const modifier = (): true | undefined => (cursor.word() === 'LAZY' ? true : cursor.fail('an unknown option'));
  return cursor.list(modifier) && { item: 'PREVIEW', lazy: true };
}

/** `section = "[" [section-spec] "]"` (RFC 9051 §9). */
function sectionAt(cursor: Cursor): Section | undefined {
  if (!cursor.takes('[')) return cursor.fail('a bracket was expected');
  if (cursor.takes(']')) return { part: [] };
  const numbers = partAt(cursor);
  if (numbers === undefined) return undefined;
  const { part, hasMore } = numbers;
  const text = part.length === 0 || hasMore ? sectionTextAt(cursor, part) : {};
  return text && closesBracket(cursor) && { part, ...text };
}

const TEXTS = ['HEADER', 'HEADER.FIELDS', 'HEADER.FIELDS.NOT', 'TEXT', 'MIME'] as const;

/** `section-msgtext`, or `section-text` behind a part. */
function sectionTextAt(cursor: Cursor, part: readonly number[]): Omit<Section, 'part'> | undefined {
  const name = cursor.itemName();
  const text = TEXTS.find((one) => one === name);
  if (text === undefined || (text === 'MIME' && part.length === 0)) return cursor.fail('a section was expected');
  if (text !== 'HEADER.FIELDS' && text !== 'HEADER.FIELDS.NOT') return { text };
  const field = (): string | undefined => {
    const name = cursor.astring();
    if (name === undefined) return undefined;
    return /^[\x20-\x7e]+$/.test(name) ? name : cursor.fail('a section was expected');
  };
  const fields = cursor.space() && cursor.list(field);
  return fields && { text, fields };
}

/** `section-part = nz-number *("." nz-number)`, if one is here; `hasMore`: a dot stands behind it that no number follows. */
function partAt(cursor: Cursor): { readonly part: number[]; readonly hasMore: boolean } | undefined {
  const part: number[] = [];
  let hasMore = false;
  while (cursor.isNextOf('0123456789')) {
    const number = cursor.nzNumber();
    if (number === undefined) return undefined;
    if (part.push(number) > MAX_PART_DEPTH) return cursor.fail('nested too deep');
    hasMore = cursor.takes('.');
    if (!hasMore) break;
  }
  return { part, hasMore };
}

/** `section-binary = "[" [section-part] "]"`. */
function binarySectionAt(cursor: Cursor): readonly number[] | undefined {
  if (!cursor.takes('[')) return cursor.fail('a bracket was expected');
  const numbers = partAt(cursor);
  if (numbers === undefined) return undefined;
  if (numbers.hasMore) return cursor.fail('a section was expected');
  return closesBracket(cursor) && numbers.part;
}

const closesBracket = (cursor: Cursor): true | undefined => cursor.takes(']') || cursor.fail('a bracket was expected');

/** `partial = "<" number64 "." nz-number64 ">"`, if one is here. */
function partialAt(cursor: Cursor): { readonly partial?: Partial } | undefined {
  if (!cursor.takes('<')) return {};
  const offsetOctets = cursor.number64();
  if (offsetOctets === undefined || !cursor.takes('.')) return cursor.fail('a number was expected');
  const lengthOctets = cursor.number64();
  if (lengthOctets === undefined || lengthOctets === 0 || !cursor.takes('>'))
    return cursor.fail('a number was expected');
  return { partial: { offsetOctets, lengthOctets } };
}

/** Asked for twice is answered once: a line of 10,000 times `BODY[]` is a way to have much sent. */
function distinct(items: readonly FetchItem[]): readonly FetchItem[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
