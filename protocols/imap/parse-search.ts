/** SEARCH, SORT and THREAD up to their search keys: RFC 9051 §6.4.4, RFC 4731 §3, RFC 5182, RFC 5256 §3, RFC 5267 §3, RFC 5957. */
import type { SearchReturn, SortCriterion, SortKey, ThreadAlgorithm, Verb } from './command.ts';
import type { Cursor } from './cursor.ts';
import { searchProgramAt } from './parse-search-key.ts';

const RETURNS: readonly SearchReturn[] = ['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE'];
const SORT_KEYS: readonly SortKey[] = [
  'ARRIVAL',
  'CC',
  'DATE',
  'FROM',
  'SIZE',
  'SUBJECT',
  'TO',
  'DISPLAYFROM',
  'DISPLAYTO',
];
const ALGORITHMS: readonly ThreadAlgorithm[] = ['ORDEREDSUBJECT', 'REFERENCES'];
/** Every key, in both directions, and some. */
const MAX_CRITERIA = 32;

/** `"SEARCH" [SP "RETURN" SP "(" ... ")"] SP ["CHARSET" SP charset SP] search-key *(SP search-key)`. */
export function parseSearch(cursor: Cursor, uid: boolean): Verb | undefined {
  const wanted = returnsAt(cursor);
  if (wanted === undefined) return undefined;
  let charset: string | undefined;
  if (cursor.takes('CHARSET ')) {
    charset = charsetAt(cursor);
    if (charset === undefined) return undefined;
  }
  const key = searchProgramAt(cursor);
  return key && { type: 'SEARCH', uid, ...wanted, charset, key };
}

/** `"SORT" [search-return-opts] SP sort-criteria SP search-criteria` (RFC 5256 §5, RFC 5267 §5). */
export function parseSort(cursor: Cursor, uid: boolean): Verb | undefined {
  const wanted = returnsAt(cursor);
  const criteria = wanted && cursor.list(() => criterionAt(cursor), { most: MAX_CRITERIA });
  const charset = criteria && cursor.space() && charsetAt(cursor);
  if (charset === undefined) return undefined;
  const key = searchProgramAt(cursor);
  return key && { type: 'SORT', uid, ...wanted, criteria: criteria ?? [], charset, key };
}

/** `"THREAD" SP thread-alg SP search-criteria` (RFC 5256 §5). */
export function parseThread(cursor: Cursor, uid: boolean): Verb | undefined {
  const name = cursor.word();
  const algorithm = ALGORITHMS.find((one) => one === name);
  if (algorithm === undefined) return cursor.fail('an unknown algorithm');
  const charset = cursor.space() && charsetAt(cursor);
  if (charset === undefined) return undefined;
  const key = searchProgramAt(cursor);
  return key && { type: 'THREAD', uid, algorithm, charset, key };
}

/** `"RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")" SP`, if it is here; empty is ALL (RFC 4731 §3.1). */
function returnsAt(cursor: Cursor): { readonly returns?: readonly SearchReturn[] } | undefined {
  if (!cursor.takes('RETURN ')) return {};
  const option = (): SearchReturn | undefined => {
    const name = cursor.word();
    return RETURNS.find((one) => one === name) ?? cursor.fail('an unknown option');
  };
  const options = cursor.list(option, { mayBeEmpty: true });
  if (options === undefined || !cursor.space()) return undefined;
  return { returns: options.length === 0 ? ['ALL'] : [...new Set(options)] };
}

/** `charset SP`. In upper case: names of charsets have no case (RFC 2978 §2.3). */
function charsetAt(cursor: Cursor): string | undefined {
  const charset = cursor.astring();
  return charset === undefined || !cursor.space() ? undefined : charset.toUpperCase();
}

/** `sort-criterion = ["REVERSE" SP] sort-key`. */
function criterionAt(cursor: Cursor): SortCriterion | undefined {
  const reverse = cursor.takes('REVERSE ');
  const name = cursor.word();
  const by = SORT_KEYS.find((one) => one === name);
  return by === undefined ? cursor.fail('an unknown option') : { by, reverse };
}
