/**
 * What a client looks for (RFC 9051 §6.4.4, RFC 3501 §6.4.4) as what an owner looks for: all that only this session knows is put in,
 * so numbers become UIDs, days become moments and octets become text.
 */

import { accept, type Result, refuse } from '../../kernel/result.ts';
import { decodeText, isKnownCharset } from '../../mime/charset.ts';
import type { CalendarDate } from '../../protocols/imap/date-time.ts';
import type { SearchKey } from '../../protocols/imap/search-key.ts';
import { FLAG, MOST_KEYWORD_OCTETS } from '../../store/flags.ts';
import { rangesOf, type UidRanges } from '../../store/uid-ranges.ts';
import { MOST_SEARCH_RANGES } from '../mailbox-owner/search-program.ts';
import type { SearchProgram } from '../mailbox-owner/search-requests.ts';
import { EmailIds } from './email-id.ts';
import { flagBit } from './flags.ts';
import { pagesOf } from './messages.ts';
import { MAX_UID } from './numbering.ts';
import type { ReadFailure, SelectedMailbox } from './selected-mailbox.ts';

export type ProgramRefusal = ReadFailure | 'bad-charset' | 'bad-program' | 'no-such-number';

/** Ids of messages that began elsewhere, for which a whole mailbox is read through once. */
export const MOST_FOREIGN_IDS = 250;

const ALL: SearchProgram = { type: 'and', keys: [] };
const NONE: SearchProgram = { type: 'or', keys: [] };

/** Does some key in it have one of these names? */
export function hasKey(key: SearchKey, names: readonly SearchKey['key'][]): boolean {
  if (names.includes(key.key)) return true;
  if (key.key === 'AND') return key.keys.some((each) => hasKey(each, names));
  if (key.key === 'OR') return hasKey(key.either, names) || hasKey(key.or, names);
  return key.key === 'NOT' && hasKey(key.not, names);
}

type Asked = { readonly charset?: string | undefined; readonly nowMs: number; readonly signal: AbortSignal };

/**
 * @param charset  of the strings; absent: UTF-8, of which US-ASCII is part
 * @param nowMs  what OLDER and YOUNGER count from (RFC 5032 §2)
 * @param signal  aborted when nobody waits for the answer any more: `ended` then
 */
export async function programOf(
  key: SearchKey,
  mailbox: SelectedMailbox,
  { charset = 'UTF-8', nowMs, signal }: Asked,
): Promise<Result<SearchProgram, ProgramRefusal>> {
  if (charset === '' || !isKnownCharset(charset)) return refuse('bad-charset');
  const making = new Making(mailbox, charset, nowMs);
  await making.findForeign(key, signal);
  const program = making.program(key);
  return making.refusal === undefined ? accept(program) : refuse(making.refusal);
}

class Making {
  readonly #mailbox: SelectedMailbox;
  readonly #charset: string;
  readonly #nowMs: number;
  readonly #ids: EmailIds;
  /** Where messages are that began in another account, by their ids. */
  #foreign: ReadonlyMap<string, SearchProgram> = new Map();
  /** What `$` means: made once, however often it is named, for it may take as much room as the rest together. */
  #saved: SearchProgram | undefined;
  #rangesLeft = MOST_SEARCH_RANGES;
  refusal: ProgramRefusal | undefined;

  constructor(mailbox: SelectedMailbox, charset: string, nowMs: number) {
    this.#mailbox = mailbox;
    this.#charset = charset;
    this.#nowMs = nowMs;
    this.#ids = new EmailIds(mailbox.ref.account);
  }

  /** Means nothing once there is a refusal, after which no more of it is made. */
  program(key: SearchKey): SearchProgram {
    if (this.refusal !== undefined) return NONE;
    switch (key.key) {
      case 'AND':
        return { type: 'and', keys: key.keys.map((each) => this.program(each)) };
      case 'OR':
        return { type: 'or', keys: [this.program(key.either), this.program(key.or)] };
      case 'NOT':
        return not(this.program(key.not));
      case 'EMAILID':
        return this.#emailId(key.id);
      case 'THREADID': // RFC 8474 §5.2: there are none
        return NONE;
      default:
        return this.#simple(key);
    }
  }

  #simple(key: Exclude<SearchKey, { readonly key: 'AND' | 'OR' | 'NOT' | 'EMAILID' | 'THREADID' }>): SearchProgram {
    switch (key.key) {
      case 'ALL':
      case 'SAVEDATESUPPORTED': // RFC 8514 §4.3: of this mailbox, so of all messages
        return ALL;
      case 'RECENT':
        return this.#recent();
      case 'OLD':
        return not(this.#recent());
      case 'NEW':
        return { type: 'and', keys: [this.#recent(), not({ type: 'flag', flag: FLAG.seen })] };
      case 'FLAG':
        return flag({ type: 'flag', flag: flagBit(key.flag) }, key.isSet);
      case 'KEYWORD':
        return flag(key.flag.length > MOST_KEYWORD_OCTETS ? NONE : { type: 'keyword', keyword: key.flag }, key.isSet);
      case 'SEQUENCE':
        return this.#messages(key.set, false);
      case 'UID':
        return this.#messages(key.set, true);
      case 'LARGER':
        return { type: 'size', above: key.sizeOctets };
      case 'SMALLER':
        return { type: 'size', below: key.sizeOctets };
      case 'OLDER': // RFC 5032 §2
        return { type: 'date', of: 'internal', before: this.#ago(key.intervalSeconds) };
      case 'YOUNGER':
        return { type: 'date', of: 'internal', from: this.#ago(key.intervalSeconds) };
      case 'MODSEQ':
        return { type: 'mod-seq', from: key.modSeq };
      case 'HEADER':
        return { type: 'header', field: key.field, text: this.#text(key.octets) };
      case 'BODY':
        return { type: 'body', text: this.#text(key.octets) };
      case 'TEXT':
        return { type: 'text', text: this.#text(key.octets) };
      case 'BCC':
      case 'CC':
      case 'FROM':
      case 'SUBJECT':
      case 'TO':
        return { type: 'header', field: key.key, text: this.#text(key.octets) };
      default:
        return dated(key.key, key.date);
    }
  }

  #ago = (seconds: number): number => Math.max(0, this.#nowMs - seconds * 1_000);

  #text(octets: Uint8Array): string {
    const text = decodeText(octets, this.#charset);
    if (text === undefined) this.refusal ??= 'bad-charset';
    return text ?? '';
  }

  #recent(): SearchProgram {
    return uids([[this.#mailbox.view.recentFrom, MAX_UID]]);
  }

  /** `$` means what was saved, be it asked for by number or by UID (RFC 5182 §2.1). */
  #messages(set: Parameters<SelectedMailbox['messages']>[0], areUids: boolean): SearchProgram {
    if (set === '$' && this.#saved !== undefined) return this.#counted(this.#saved);
    const { view } = this.#mailbox;
    // RFC 9051 §6.4.4 has no error for a mailbox without messages: clients look through 1:* not knowing how many there are.
    const isOfNone = view.numbers.count === 0 && set !== '$' && set.some(({ from, to }) => from === '*' || to === '*');
    const numbers = isOfNone ? [] : this.#mailbox.messages(set, areUids);
    if (numbers === undefined) this.refusal ??= 'no-such-number';
    const program = uids(view.numbers.spans(numbers ?? []));
    if (set === '$') this.#saved = program;
    return this.#counted(program);
  }

  /** The owner counts each time that they are named, so they are counted here, before there is more to be sent than it takes. */
  #counted(program: SearchProgram): SearchProgram {
    if (program.type === 'uids') this.#rangesLeft -= program.uids.length;
    if (this.#rangesLeft < 0) this.refusal ??= 'bad-program';
    return program;
  }

  #emailId(id: string): SearchProgram {
    const emailId = this.#ids.parse(id);
    if (emailId === undefined) return NONE;
    if (emailId !== 'other') return { type: 'email-id', emailId };
    return this.#counted(this.#foreign.get(id) ?? NONE);
  }

  /**
   * A copy of another account's message can't be looked for by that account, which its id does not tell: so all messages are
   * looked at, once for all such ids of the command.
   */
  async findForeign(key: SearchKey, signal: AbortSignal): Promise<void> {
    const wanted = new Set([...emailIdsIn(key)].filter((id) => this.#ids.parse(id) === 'other'));
    if (wanted.size === 0) return;
    if (wanted.size > MOST_FOREIGN_IDS) {
      this.refusal ??= 'bad-program';
      return;
    }
    const found = new Map<string, number[]>([...wanted].map((id) => [id, []]));
    for await (const page of pagesOf(this.#mailbox, this.#mailbox.view.numbers.all())) {
      if (signal.aborted) this.refusal ??= 'ended';
      else if (!page.ok) this.refusal ??= page.refusal;
      else for (const row of page.value) found.get(this.#ids.of(row))?.push(row.uid);
      if (this.refusal !== undefined) return;
    }
    this.#foreign = new Map([...found].map(([id, each]) => [id, uids(rangesOf(each))]));
  }
}

function* emailIdsIn(key: SearchKey): Iterable<string> {
  if (key.key === 'EMAILID') yield key.id;
  else if (key.key === 'AND') for (const each of key.keys) yield* emailIdsIn(each);
  else if (key.key === 'OR') for (const each of [key.either, key.or]) yield* emailIdsIn(each);
  else if (key.key === 'NOT') yield* emailIdsIn(key.not);
}

const not = (key: SearchProgram): SearchProgram => ({ type: 'not', key });
const flag = (key: SearchProgram, isSet: boolean): SearchProgram => (isSet ? key : not(key));
const uids = (ranges: UidRanges): SearchProgram => ({ type: 'uids', uids: ranges });

const DAY_MS = 86_400_000;
type DatedKey = Extract<SearchKey, { readonly date: CalendarDate }>['key'];

/** Days are those of UTC, in which INTERNALDATE and SAVEDATE are told: RFC 9051 §6.4.4 disregards time and zone. */
function dated(key: DatedKey, { year, month, day }: CalendarDate): SearchProgram {
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  const of = key.startsWith('SENT') ? 'sent' : key.startsWith('SAVED') ? 'saved' : 'internal';
  if (key.endsWith('BEFORE')) return { type: 'date', of, before: midnight };
  if (key.endsWith('SINCE')) return { type: 'date', of, from: midnight };
  return { type: 'date', of, from: midnight, before: midnight + DAY_MS };
}
