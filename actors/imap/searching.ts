/**
 * What SEARCH, SORT and THREAD have in common: RFC 9051 §6.4.4, RFC 5256 §3. The owner is asked until it has looked at all; what
 * it found of messages that this client has not been told of is left out.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { CommandOf, SearchReturn } from '../../protocols/imap/command.ts';
import type { NumberSet, Response } from '../../protocols/imap/response.ts';
import { rangesOf, type UidRange } from '../../store/uid-ranges.ts';
import type { SearchProgram } from '../mailbox-owner/search-requests.ts';
import type { ImapSession } from './imap-session.ts';
import { badCharset, noSuchNumber } from './message-replies.ts';
import { allOf } from './messages.ts';
import { countOf, type NumberRanges } from './numbering.ts';
import type { Outcome } from './outcome.ts';
import * as replies from './replies.ts';
import { hasKey, programOf } from './search-key-program.ts';
import { enableCondstore, type SelectedMailbox } from './selected-mailbox.ts';
import { numberSet } from './view.ts';

type Searching = Pick<CommandOf<'SEARCH' | 'SORT' | 'THREAD'>, 'uid' | 'key' | 'charset'>;
export type Found = {
  readonly numbers: NumberRanges;
  /** The highest of these, where the search spoke of mod-sequences and found something (RFC 7162 §3.1.5). */
  readonly modSeq?: number | undefined;
  /** To be told before the answer. */
  readonly told: readonly Response[];
};

/** @param signal  aborted when nobody waits for the answer any more */
export async function find(
  command: Searching,
  session: ImapSession,
  mailbox: SelectedMailbox,
  signal: AbortSignal,
): Promise<Result<Found, Outcome>> {
  const { key, charset, uid } = command;
  const asksModSeq = hasKey(key, ['MODSEQ']);
  // Numbers in it mean what they meant before: RFC 7162 §3.2.10.2.
  if (uid && hasKey(key, ['SEQUENCE'])) mailbox.holdExpunges();
  const program = await programOf(key, mailbox, { charset, nowMs: session.clock.wall(), signal });
  if (!program.ok) {
    if (program.refusal === 'bad-charset') return refuse(badCharset);
    return refuse(program.refusal === 'no-such-number' ? noSuchNumber : replies.refusal(program.refusal));
  }
  const told = asksModSeq ? enableCondstore(session) : [];
  const found = await searched(mailbox, program.value, signal);
  if (!found.ok) return refuse({ ...replies.refusal(found.refusal), untagged: told });
  return accept({ ...found.value, told });
}

async function searched(
  mailbox: SelectedMailbox,
  program: SearchProgram,
  signal: AbortSignal,
): Promise<Result<Omit<Found, 'told'>, replies.Refusal>> {
  const { owner, ref, view } = mailbox;
  const found: UidRange[] = [];
  let modSeq: number | undefined;
  for (let afterUid = 0; ; ) {
    const answer = await owner.read('search', { ref, program, afterUid });
    if (!answer.ok) return answer;
    const { uids, upTo } = answer.value;
    found.push(...uids);
    if (answer.value.modSeq !== undefined) modSeq = Math.max(modSeq ?? 0, answer.value.modSeq);
    if (upTo === null || upTo >= view.numbers.lastUid) break;
    if (signal.aborted) return refuse('ended'); // nobody is there to be told
    afterUid = upTo;
  }
  const numbers = view.numbers.among(found);
  return accept({ numbers, modSeq: numbers.length > 0 ? modSeq : undefined });
}

/** Of numbers in some order, what RETURN asks for: RFC 4731 §3.1; in the order of SORT, RFC 5267 §3. */
export type Ordered = {
  readonly count: number;
  /** Message numbers or UIDs. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly all: NumberSet;
};

export function orderedOf(mailbox: SelectedMailbox, numbers: NumberRanges, areUids: boolean): Ordered {
  const { numbers: numbering } = mailbox.view;
  const told = (sequence: number | undefined) =>
    sequence === undefined || !areUids ? sequence : numbering.uid(sequence);
  return {
    count: countOf(numbers),
    first: told(numbers[0]?.[0]),
    last: told(numbers.at(-1)?.[1]),
    all: numberSet(areUids ? numbering.runs(numbers) : numbers),
  };
}

/** RFC 9051 §7.3.4; undefined where the client wants nothing but to have the result saved (RFC 5182 §2.1). */
export function extendedSearch(
  { tag, uid }: { readonly tag: string; readonly uid: boolean },
  returns: readonly SearchReturn[],
  { count, first, last, all }: Ordered,
  modSeq: number | undefined,
): Response | undefined {
  const has = (each: SearchReturn) => returns.includes(each);
  if (returns.every((each) => each === 'SAVE') && returns.length > 0) return undefined;
  return {
    type: 'ESEARCH',
    tag,
    uid,
    min: has('MIN') ? first : undefined,
    max: has('MAX') ? last : undefined,
    all: count > 0 && (has('ALL') || returns.length === 0) ? all : undefined,
    count: has('COUNT') ? count : undefined,
    modSeq: count > 0 ? modSeq : undefined,
  };
}

/** Only the first, the last, or both of what was found are asked for: RFC 5182 §2.4, RFC 4731 §3.2. */
export const isOfEnds = (returns: readonly SearchReturn[]): boolean =>
  (returns.includes('MIN') || returns.includes('MAX')) && !returns.includes('ALL') && !returns.includes('COUNT');

/** What `$` stands for from now on: RFC 5182 §2.4. @param ends  UIDs of the first and the last, in the order asked for */
export function save(
  { view }: SelectedMailbox,
  returns: readonly SearchReturn[],
  numbers: NumberRanges,
  ends: readonly (number | undefined)[],
): void {
  if (!returns.includes('SAVE')) return;
  view.saved = Uint32Array.from(isOfEnds(returns) ? chosenEnds(returns, ends) : view.numbers.uidsOf(numbers));
}

const chosenEnds = (returns: readonly SearchReturn[], [first, last]: readonly (number | undefined)[]): number[] =>
  [returns.includes('MIN') ? first : undefined, returns.includes('MAX') ? last : undefined]
    .filter((uid) => uid !== undefined)
    .sort((a, b) => a - b);

/** RFC 4731 §3.2: of the messages that are told. */
export async function modSeqTold(
  mailbox: SelectedMailbox,
  returns: readonly SearchReturn[],
  modSeq: number | undefined,
  ends: readonly (number | undefined)[],
): Promise<number | undefined> {
  if (modSeq === undefined || !isOfEnds(returns)) return modSeq;
  const rows = await allOf(mailbox, rangesOf(chosenEnds(returns, ends)));
  return rows.ok && rows.value.length > 0 ? Math.max(...rows.value.map((row) => row.modSeq)) : modSeq;
}
