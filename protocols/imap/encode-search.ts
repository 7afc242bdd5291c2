/** Which messages were found: SEARCH, SORT and ESEARCH (RFC 3501 §7.2.5, RFC 9051 §7.3.4, RFC 4731), THREAD (RFC 5256 §4). */
import { numberRow, numberSet } from './encode-numbers.ts';
import { digits, positive, string } from './encode-string.ts';
import type { ExtendedSearch, Thread } from './response.ts';

/** `"SEARCH" [1*(SP nz-number) [SP "(" "MODSEQ" SP mod-sequence-value ")"]]` (RFC 7162 §7). */
export function found(type: 'SEARCH' | 'SORT', numbers: Iterable<number>, modSeq: number | undefined): string {
  const row = numberRow(numbers);
  return `* ${type}${row}${row === '' || modSeq === undefined ? '' : ` (MODSEQ ${positive(modSeq)})`}\r\n`;
}

/** `"ESEARCH" [SP "(" "TAG" SP tag-string ")"] [SP "UID"] *(SP search-return-data)`. */
export function extendedSearch({ tag, uid, min, max, all, count, modSeq }: ExtendedSearch): string {
  let line = '* ESEARCH';
  if (tag !== undefined) line += ` (TAG ${string(tag, false)})`;
  if (uid) line += ' UID';
  if (min !== undefined) line += ` MIN ${positive(min)}`;
  if (max !== undefined) line += ` MAX ${positive(max)}`;
  if (count !== undefined) line += ` COUNT ${digits(count)}`;
  if (all !== undefined) line += ` ALL ${numberSet(all)}`;
  if (modSeq !== undefined) line += ` MODSEQ ${positive(modSeq)}`;
  return line + '\r\n';
}

/**
 * `"THREAD" [SP 1*thread-list]`: a line of descent stands in one list, siblings each in a list of its own. Holds no stack frame for
 * a generation: a thread may be as deep as its mailbox is large.
 */
export function threaded(threads: Iterable<Thread>): string {
  let line = '* THREAD';
  let before: 'space due' | 'nothing due' = 'space due';
  for (const thread of threads) {
    const ahead: (Thread | '(' | ')')[] = [')', thread, '('];
    for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
      const told = typeof next === 'string' ? next : next.number === null ? undefined : positive(next.number);
      if (told !== undefined) {
        line += before === 'space due' && told !== ')' ? ' ' + told : told;
        before = told === '(' || told === ')' ? 'nothing due' : 'space due';
      }
      if (typeof next !== 'string') descend(next, ahead);
    }
  }
  return line + '\r\n';
}

/** Puts on the stack what comes under this message. */
function descend({ number, children }: Thread, ahead: (Thread | '(' | ')')[]): void {
  if (children.length === 0 && number === null) throw new TypeError('a thread without a message can not be told');
  if (children.length === 1) ahead.push(children[0]!);
  else for (let i = children.length - 1; i >= 0; i -= 1) ahead.push(')', children[i]!, '(');
}
