/** Numbers in rows and in sets: RFC 9051 §9 `sequence-set` and `uid-set`, RFC 3501 §7.2.5. */
import { digits, positive } from './encode-string.ts';
import type { NumberSet } from './response.ts';

/** `*(SP nz-number)`. */
export function numberRow(numbers: Iterable<number>): string {
  let row = '';
  for (const number of numbers) row += ' ' + positive(number);
  return row;
}

/**
 * `uid-set`, in the order given: what rises by one is told as a range. Never empty, which no set on the wire can be.
 * @throws when it is empty, or a range goes down
 */
export function numberSet(set: NumberSet): string {
  let out = '';
  let from = 0; // of the range not written yet; 0: none
  let to = 0;
  for (const next of set) {
    const [first, last] = typeof next === 'number' ? [next, next] : [next.from, next.to];
    if (last < first) throw new RangeError(`a range of numbers that goes down: ${first}:${last}`);
    if (from !== 0 && first === to + 1) {
      to = last;
      continue;
    }
    if (from !== 0) out += range(from, to) + ',';
    from = first;
    to = last;
    positive(from);
  }
  if (from === 0) throw new TypeError('a set of no numbers can not be told');
  return out + range(from, to);
}

const range = (from: number, to: number): string => (from === to ? digits(from) : `${digits(from)}:${digits(to)}`);
