/** LIST with its options, and LSUB: RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154 §2, RFC 8440; RFC 3501 §6.3.9. */
import type { CommandOf, ListReturn, ListSelection, StatusItem, Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import { mailboxAt, statusItemsAt } from './parse-mailbox.ts';

/** Each is matched against every mailbox. */
const MAX_PATTERNS = 100;

const SELECTION: readonly ListSelection[] = ['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE'];
const RETURNS: readonly ListReturn[] = ['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE', 'MYRIGHTS'];

/** `"LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]` (RFC 5258 §6). */
export function parseList(cursor: Cursor): Verb | undefined {
  const isSelecting = cursor.isNextOf('(');
  const selection = isSelecting ? selectionAt(cursor) : [];
  if (selection === undefined || (isSelecting && !cursor.space())) return undefined;
  const reference = mailboxAt(cursor);
  if (reference === undefined || !cursor.space()) return undefined;
  const isListed = cursor.isNextOf('(');
  const patterns = isListed ? cursor.list(() => patternAt(cursor), { most: MAX_PATTERNS }) : onePatternAt(cursor);
  if (patterns === undefined) return undefined;
  const isReturning = !cursor.isAtEnd;
  const wanted = isReturning ? cursor.space() && returnsAt(cursor) : { returns: [] };
  if (wanted === undefined) return undefined;
  return {
    type: 'LIST',
    reference,
    patterns,
    selection,
    ...wanted,
    isExtended: isSelecting || isListed || isReturning,
  };
}

/** `"LSUB" SP mailbox SP list-mailbox` (RFC 3501 §6.3.9). */
export function parseLsub(cursor: Cursor): Verb | undefined {
  const reference = mailboxAt(cursor);
  if (reference === undefined || !cursor.space()) return undefined;
  const pattern = patternAt(cursor);
  return pattern === undefined ? undefined : { type: 'LSUB', reference, pattern };
}

const patternAt = (cursor: Cursor): string | undefined => cursor.unicode(cursor.listMailbox());

function onePatternAt(cursor: Cursor): string[] | undefined {
  const pattern = patternAt(cursor);
  return pattern === undefined ? undefined : [pattern];
}

/** `list-select-opts`: unknown ones are BAD, and so is RECURSIVEMATCH without one that it can modify (RFC 5258 §3, §3.1). */
function selectionAt(cursor: Cursor): ListSelection[] | undefined {
  const option = (): ListSelection | undefined => {
    const name = cursor.word();
    return SELECTION.find((one) => one === name) ?? cursor.fail('an unknown option');
  };
  const options = cursor.list(option, { mayBeEmpty: true });
  if (options === undefined) return undefined;
  const lacksBase = !options.includes('SUBSCRIBED') && !options.includes('SPECIAL-USE');
  if (options.includes('RECURSIVEMATCH') && lacksBase) return cursor.fail('an option lacks another that it needs');
  return [...new Set(options)];
}

type Wanted = Pick<CommandOf<'LIST'>, 'returns' | 'status'>;

/** `"RETURN" SP "(" [return-option *(SP return-option)] ")"` (RFC 5258 §6), `status-option` (RFC 5819 §2). */
function returnsAt(cursor: Cursor): Wanted | undefined {
  if (cursor.word() !== 'RETURN') return cursor.fail('an unknown option');
  const returns = new Set<ListReturn>();
  let status: StatusItem[] | undefined;
  const option = (): true | undefined => {
    const name = cursor.word();
    if (name === 'STATUS') {
      if (status !== undefined) return cursor.fail('an option stands twice');
      status = cursor.space() && statusItemsAt(cursor);
      return status && true;
    }
    const known = RETURNS.find((one) => one === name);
    if (known === undefined) return cursor.fail('an unknown option');
    returns.add(known);
    return true;
  };
  if (!cursor.space() || !cursor.list(option, { mayBeEmpty: true })) return undefined;
  return { returns: [...returns], ...(status === undefined ? {} : { status }) };
}
