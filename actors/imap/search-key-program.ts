/**
 * What a client looks for (RFC 9051 §6.4.4, RFC 3501 §6.4.4) as what an owner looks for: all that only this session knows is put in,
 * so numbers become UIDs, days become moments and octets become text.
 */

import { accept, type Result, refuse } from '../../kernel/result.ts';
import { decodeText, isKnownCharset } from '../../mime/charset.ts';
import type { CalendarDate } from '../../protocols/imap/date-time.ts';
import type { SearchKey } from '../../protocols/imap/search-key.ts';
import { FLAG, MOST_KEYWORD_OCTETS } from '../../store/flags.ts';
import type { UidRange, UidRanges } from '../../store/uid-ranges.ts';
import type { SearchProgram } from '../mailbox-owner/search-requests.ts';
import { EmailIds } from './email-id.ts';
import { flagBit } from './flags.ts';
import { pagesOf } from './messages.ts';
import { MAX_UID } from './numbering.ts';
import type { ReadFailure, SelectedMailbox } from './selected-mailbox.ts';

export type ProgramRefusal = ReadFailure | 'bad-charset' | 'no-such-number';

const ALL: SearchProgram = { type: 'and', keys: [] };
const NONE: SearchProgram = { type: 'or', keys: [] };

/** Does some key in it have one of these names? */
export function hasKey(key: SearchKey, names: readonly SearchKey['key'][]): boolean {
  if (names.includes(key.key)) return true;
  if (key.key === 'AND') return key.keys.some((each) => hasKey(each, names));
  if (key.key === 'OR') return hasKey(key.either, names) || hasKey(key.or, names);
  return key.key === 'NOT' && hasKey(key.not, names);
}

/**
 * @param charset  of the strings; absent: UTF-8, of which US-ASCII is part
 * @param nowMs  what OLDER and YOUNGER count from (RFC 5032 §2)
 */
export async function programOf(
  key: SearchKey,
  mailbox: SelectedMailbox,
  { charset = 'UTF-8', nowMs }: { readonly charset?: string | undefined; readonly nowMs: number },
): Promise<Result<SearchProgram, ProgramRefusal>> {
  if (charset === '' || !isKnownCharset(charset)) return refuse('bad-charset');
  const making = new Making(mailbox, charset, nowMs);
  const program = await making.program(key);
  return making.refusal === undefined ? accept(program) : refuse(making.refusal);
}

class Making {
  readonly #mailbox: SelectedMailbox;
  readonly #charset: string;
  readonly #nowMs: number;
  refusal: ProgramRefusal | undefined;

  constructor(mailbox: SelectedMailbox, charset: string, nowMs: number) {
    this.#mailbox = mailbox;
    this.#charset = charset;
    this.#nowMs = nowMs;
  }

  /** Means nothing once there is a refusal. */
  async program(key: SearchKey): Promise<SearchProgram> {
    switch (key.key) {
      case 'AND': {
        const keys: SearchProgram[] = [];
        for (const each of key.keys) keys.push(await this.program(each));
        return { type: 'and', keys };
      }
      case 'OR':
        return { type: 'or', keys: [await this.program(key.either), await this.program(key.or)] };
      case 'NOT':
        return not(await this.program(key.not));
      case 'EMAILID':
      case 'THREADID': // RFC 8474 §5.2: there are none
        return key.key === 'THREADID' ? NONE : await this.#emailId(key.id);
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
    const numbers = this.#mailbox.messages(set, areUids);
    if (numbers === undefined) this.refusal ??= 'no-such-number';
    return uids(this.#mailbox.view.numbers.spans(numbers ?? []));
  }

  /** A copy of another account's message can't be looked for by that account, which its id does not tell: so it is looked at. */
  async #emailId(id: string): Promise<SearchProgram> {
    const { view, ref } = this.#mailbox;
    const ids = new EmailIds(ref.account);
    const emailId = ids.parse(id);
    if (emailId === undefined) return NONE;
    if (emailId !== 'other') return { type: 'email-id', emailId };
    const found: UidRange[] = [];
    for await (const page of pagesOf(this.#mailbox, view.numbers.all())) {
      if (!page.ok) this.refusal ??= page.refusal;
      else for (const row of page.value) if (ids.of(row) === id) found.push([row.uid, row.uid]);
    }
    return uids(found);
  }
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
