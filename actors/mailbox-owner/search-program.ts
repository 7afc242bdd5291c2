/**
 * Search programs (search-requests.ts) as the owner works with them: checked, and asked of one message with whatever is known
 * of it by then. What is not known yet is neither true nor false (three-valued logic), so that a message is read only where
 * flags, dates and sizes leave the question open. Pure.
 */
import { folded } from '../../store/flags.ts';
import type { MessageRow } from '../../store/tables.ts';
import { includes } from '../../store/uid-ranges.ts';
import { isCount, isNumber, isRanges, isText, must } from './must.ts';
import { MOST_SEARCH_DEPTH, MOST_SEARCH_KEYS, type SearchProgram } from './search-requests.ts';

export type SentKey = Extract<SearchProgram, { readonly type: 'date' }> & { readonly of: 'sent' };

export type TextKey = Extract<SearchProgram, { readonly type: 'body' | 'text' }>;
export type HeaderKey = Extract<SearchProgram, { readonly type: 'header' }>;

export type Plan = {
  /** Keywords folded. */
  readonly program: SearchProgram;
  /** So many keys are asked of a message, at most. */
  readonly keys: number;
  /** By the field's name in lower case; `at`: the place of its text in `fieldTexts`. */
  readonly fields: ReadonlyMap<string, readonly { readonly key: HeaderKey; readonly at: number }[]>;
  readonly fieldTexts: readonly string[];
  readonly sent: readonly SentKey[];
  readonly texts: readonly TextKey[];
  /** It has a key `mod-seq`. */
  readonly asksModSeq: boolean;
  readonly asksKeywords: boolean;
};

/** Of all ranges of UIDs in one program. */
export const MOST_SEARCH_RANGES = 50_000;
const MOST_SEARCH_OCTETS = 256 * 1024;

/**
 * @returns undefined for one that is too deep or too long
 * @throws RangeError for one of a wrong shape: a peer's mistake
 */
export function planOf(program: SearchProgram): Plan | undefined {
  const fields = new Map<string, { readonly key: HeaderKey; readonly at: number }[]>();
  const fieldTexts: string[] = [];
  const sent: SentKey[] = [];
  const texts: TextKey[] = [];
  const left = { keys: MOST_SEARCH_KEYS, ranges: MOST_SEARCH_RANGES, octets: MOST_SEARCH_OCTETS };
  let asksModSeq = false;
  let asksKeywords = false;
  const each = (keys: readonly SearchProgram[], depth: number): readonly SearchProgram[] | undefined => {
    must(Array.isArray(keys), 'search: keys');
    const prepared: SearchProgram[] = [];
    for (const key of keys) {
      const one = prepare(key, depth);
      if (one === undefined) return undefined;
      prepared.push(one);
    }
    return prepared;
  };
  const prepare = (key: SearchProgram, depth: number): SearchProgram | undefined => {
    if (depth > MOST_SEARCH_DEPTH || --left.keys < 0) return undefined;
    must(typeof key === 'object' && key !== null, 'search: key');
    switch (key.type) {
      case 'and':
      case 'or': {
        const keys = each(key.keys, depth + 1);
        return keys && { type: key.type, keys };
      }
      case 'not': {
        const inner = prepare(key.key, depth + 1);
        return inner && { type: 'not', key: inner };
      }
      case 'uids':
        must(Array.isArray(key.uids), 'search: UIDs');
        left.ranges -= key.uids.length;
        if (left.ranges < 0) return undefined;
        must(isRanges(key.uids, MOST_SEARCH_RANGES), 'search: UIDs');
        return key;
      case 'keyword':
        must(isText(key.keyword, 1_000), 'search: keyword');
        asksKeywords = true;
        return { type: 'keyword', keyword: folded(key.keyword) };
      case 'mod-seq':
        must(isCount(key.from), 'search: mod-sequence');
        asksModSeq = true;
        return key;
      case 'date':
        must(
          ['internal', 'saved', 'sent'].includes(key.of) && isBound(key.from) && isBound(key.before),
          'search: date',
        );
        if (isSent(key)) sent.push(key);
        return key;
      case 'header':
      case 'body':
      case 'text':
        must(typeof key.text === 'string' && (key.type !== 'header' || typeof key.field === 'string'), 'search: text');
        left.octets -= key.text.length + (key.type === 'header' ? key.field.length : 0);
        if (left.octets < 0) return undefined;
        if (key.type === 'header') group(key);
        else texts.push(key);
        return key;
      default:
        mustBePlain(key);
        return key;
    }
  };
  const group = (key: HeaderKey): void => {
    const name = key.field.toLowerCase();
    const named = { key, at: fieldTexts.push(key.text) - 1 };
    const others = fields.get(name);
    if (others) others.push(named);
    else fields.set(name, [named]);
  };
  const prepared = prepare(program, 0);
  if (!prepared) return undefined;
  const keys = MOST_SEARCH_KEYS - left.keys;
  return { program: prepared, keys, fields, fieldTexts, sent, texts, asksModSeq, asksKeywords };
}

function mustBePlain(key: Extract<SearchProgram, { readonly type: 'flag' | 'size' | 'email-id' }>): void {
  switch (key.type) {
    case 'flag':
      must(isNumber(key.flag), 'search: flag');
      return;
    case 'size':
      must(isLimit(key.above) && isLimit(key.below), 'search: size');
      return;
    case 'email-id':
      must(isCount(key.emailId) && (key.emailOf === undefined || isText(key.emailOf, 500)), 'search: email id');
      return;
    default:
      throw new RangeError('mail request: search: what key?');
  }
}

const isLimit = (value: unknown): boolean => value === undefined || isCount(value);
/** Days before 1970 are days too. */
const isBound = (value: unknown): boolean => value === undefined || Number.isSafeInteger(value);
const isSent = (key: SearchProgram): key is SentKey => key.type === 'date' && key.of === 'sent';

/** undefined: not known yet. */
export type Truth = boolean | undefined;
export type Candidate = { readonly uid: number; readonly row: MessageRow; readonly keywords: ReadonlySet<string> };
const NO_KEYWORDS: ReadonlySet<string> = new Set();

/** A message as a program is asked of it: its keywords folded once, however many keys ask for one. */
export const candidateOf = (uid: number, row: MessageRow, { asksKeywords }: Pick<Plan, 'asksKeywords'>): Candidate => ({
  uid,
  row,
  keywords: asksKeywords && row.keywords ? new Set(row.keywords.map(folded)) : NO_KEYWORDS,
});

/** @param known  of keys that only the message's octets answer: what they answered */
export function truthOf(key: SearchProgram, message: Candidate, known?: ReadonlyMap<SearchProgram, boolean>): Truth {
  const { uid, row, keywords } = message;
  switch (key.type) {
    case 'and':
    case 'or': {
      const settles = key.type === 'or';
      let truth: Truth = !settles;
      for (const each of key.keys) {
        const one = truthOf(each, message, known);
        if (one === settles) return settles;
        if (one === undefined) truth = undefined;
      }
      return truth;
    }
    case 'not': {
      const truth = truthOf(key.key, message, known);
      return truth === undefined ? undefined : !truth;
    }
    case 'uids':
      return includes(key.uids, uid);
    case 'flag':
      return (row.flags & key.flag) !== 0;
    case 'keyword':
      return keywords.has(key.keyword);
    case 'size':
      return row.sizeOctets > (key.above ?? -1) && row.sizeOctets < (key.below ?? Number.POSITIVE_INFINITY);
    case 'mod-seq':
      return row.modSeq >= key.from;
    case 'email-id':
      return row.emailId === key.emailId && row.emailOf === key.emailOf;
    case 'date':
      if (key.of === 'sent') return known?.get(key);
      return isBetween(key.of === 'saved' ? row.saveDate : row.internalDate, key);
    default:
      return known?.get(key);
  }
}

/** @param at  milliseconds since 1970 */
export const isBetween = (
  at: number,
  { from, before }: { readonly from?: number; readonly before?: number },
): boolean => at >= (from ?? Number.NEGATIVE_INFINITY) && at < (before ?? Number.POSITIVE_INFINITY);
