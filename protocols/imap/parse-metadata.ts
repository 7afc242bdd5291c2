/** GETMETADATA and SETMETADATA: RFC 5464 §4.2, §4.3, §5. */
import type { CommandOf, Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import { mailboxAt } from './parse-mailbox.ts';

type Options = { maxSizeOctets?: number; depth?: 0 | 1 | 'infinity' };

/**
 * `"GETMETADATA" [SP getmetadata-options] SP mailbox SP entries` (RFC 5464 §5); its examples (§4.2.1) have the options behind the
 * mailbox, and more entries without parentheses (§4.4.1), so all of these are read.
 */
export function parseGetMetadata(cursor: Cursor): Verb | undefined {
  const options: Options = {};
  const isBefore = cursor.isNextOf('(');
  if (isBefore && !(optionsAt(cursor, options) && cursor.space())) return undefined;
  const mailbox = mailboxAt(cursor);
  if (mailbox === undefined || !cursor.space()) return undefined;
  const isBehind = cursor.isNext('(MAXSIZE ') || cursor.isNext('(DEPTH ');
  if (isBehind && !(optionsAt(cursor, options) && cursor.space())) return undefined;
  const entries = entriesAt(cursor);
  return entries && { type: 'GETMETADATA', mailbox, entries, depth: 0, ...options };
}

/** `"(" getmetadata-option *(SP getmetadata-option) ")"`: MAXSIZE (RFC 5464 §4.2.1) and DEPTH (§4.2.2). */
function optionsAt(cursor: Cursor, options: Options): true | undefined {
  const option = (): true | undefined => {
    const name = cursor.word();
    const isAgain = name === 'MAXSIZE' ? options.maxSizeOctets !== undefined : options.depth !== undefined;
    if (name !== 'MAXSIZE' && name !== 'DEPTH') return cursor.fail('an unknown option');
    if (isAgain) return cursor.fail('an option stands twice');
    if (!cursor.space()) return undefined;
    if (name === 'MAXSIZE') {
      const number = cursor.number();
      if (number !== undefined) options.maxSizeOctets = number;
      return number === undefined ? undefined : true;
    }
    const depth = cursor.word();
    if (depth !== '0' && depth !== '1' && depth !== 'INFINITY') return cursor.fail('an unknown option');
    options.depth = depth === 'INFINITY' ? 'infinity' : depth === '0' ? 0 : 1;
    return true;
  };
  return cursor.list(option) && true;
}

/** `entries = entry / "(" entry *(SP entry) ")"`. */
function entriesAt(cursor: Cursor): string[] | undefined {
  if (cursor.isNextOf('(')) return cursor.list(() => entryAt(cursor));
  const entries: string[] = [];
  do {
    const entry = entryAt(cursor);
    if (entry === undefined) return undefined;
    entries.push(entry);
  } while (!cursor.isAtEnd && cursor.takes(' '));
  return entries;
}

/** A path in ASCII from `/` on, without empty components and without wildcards (RFC 5464 §3.1, §5). */
function entryAt(cursor: Cursor): string | undefined {
  const entry = cursor.astring();
  if (entry === undefined) return undefined;
  return /^(\/[\x20-\x24\x26-\x29\x2b-\x2e\x30-\x7e]+)+$/.test(entry)
    ? entry
    : cursor.fail('an entry name is not well formed');
}

type Entry = CommandOf<'SETMETADATA'>['entries'][number];

/** `"SETMETADATA" SP mailbox SP "(" entry-value *(SP entry-value) ")"`, where `value = nstring / literal8`. */
export function parseSetMetadata(cursor: Cursor): Verb | undefined {
  const mailbox = mailboxAt(cursor);
  if (mailbox === undefined || !cursor.space()) return undefined;
  const pair = (): Entry | undefined => {
    const name = entryAt(cursor);
    if (name === undefined || !cursor.space()) return undefined;
    const value = cursor.octetsOrNil();
    return value === undefined ? undefined : { name, value };
  };
  const entries = cursor.list(pair);
  return entries && { type: 'SETMETADATA', mailbox, entries };
}
