/** UIDs as ranges: how many messages are named in a few octets. Pure. */

/** UIDs from the first to the last of each pair, ascending; pairs neither overlap nor touch. */
export type UidRanges = readonly UidRange[];
export type UidRange = readonly [from: number, to: number];

/** @param uids  ascending; the same one twice counts once */
export function rangesOf(uids: Iterable<number>): UidRanges {
  const ranges: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const uid of uids) {
    if (last && uid <= last[1] + 1) last[1] = Math.max(last[1], uid);
    else {
      last = [uid, uid];
      ranges.push(last);
    }
  }
  return ranges;
}

export function* uidsIn(ranges: UidRanges): Iterable<number> {
  for (const [from, to] of ranges) for (let uid = from; uid <= to; uid++) yield uid;
}

export const countIn = (ranges: UidRanges): number => ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);

/** The same UIDs from ranges in any order that may overlap. */
export function united(ranges: Iterable<UidRange>): UidRanges {
  const united: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = united.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}

/** Those that are in both. */
export function intersected(left: UidRanges, right: UidRanges): UidRanges {
  const both: UidRange[] = [];
  for (let a = 0, b = 0; a < left.length && b < right.length; ) {
    const [fromA, toA] = left[a]!;
    const [fromB, toB] = right[b]!;
    const from = Math.max(fromA, fromB);
    const to = Math.min(toA, toB);
    if (from <= to) both.push([from, to]);
    if (toA < toB) a++;
    else b++;
  }
  return both;
}

/** Is it in one of them? In logarithmic time. */
export function includes(ranges: UidRanges, uid: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]![1] < uid) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low]![0] <= uid;
}

/** Cut into pieces of at most so many UIDs each, in order. */
export function* piecesOf(ranges: UidRanges, most: number): Iterable<UidRanges> {
  let piece: UidRange[] = [];
  let room = most;
  for (const range of ranges) {
    for (let from = range[0]; from <= range[1]; ) {
      const to = Math.min(range[1], from + room - 1);
      piece.push([from, to]);
      room -= to - from + 1;
      from = to + 1;
      if (room > 0) continue;
      yield piece;
      piece = [];
      room = most;
    }
  }
  if (piece.length > 0) yield piece;
}
