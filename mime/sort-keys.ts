/**
 * What SORT and THREAD need to know of a message: RFC 5256 §3, RFC 5957 §3. A function of its header alone, computed once
 * and kept; strings are in the form of `casemap`, ready to be compared.
 */
import { type Address, parseAddresses } from './address.ts';
import { baseSubject } from './base-subject.ts';
import { casemap, compareCasemapped } from './casemap.ts';
import { decodeHeader, decodeUnfolded } from './encoded-word.ts';
import { lenientText } from './lenient-utf8.ts';
import { messageIds } from './message-ids.ts';
import { Scanner } from './scanner.ts';
import { type SentDate, sentDate } from './sent-date.ts';
import type { HeaderValues } from './structure.ts';

/** What is absent is the empty string, which comes before all others (RFC 5256 §3). */
export type SortKeys = {
  readonly cc: string;
  readonly from: string;
  readonly to: string;
  readonly displayFrom: string;
  readonly displayTo: string;
  readonly baseSubject: string;
  readonly isReplyOrForward: boolean;
  readonly sent: SentDate | undefined;
  readonly messageId: string | undefined;
  readonly references: readonly string[];
  readonly inReplyTo: string | undefined;
};

export type SortRow = {
  /** The message sequence number: what decides between equals. */
  readonly sequence: number;
  /** The internal date; also the sent date where the message has none (RFC 5256 §2.2). */
  readonly arrivalMs: number;
  readonly sizeOctets: number;
  readonly keys: SortKeys;
};

export type SortBy = 'ARRIVAL' | 'CC' | 'DATE' | 'DISPLAYFROM' | 'DISPLAYTO' | 'FROM' | 'SIZE' | 'SUBJECT' | 'TO';

/** UTF-16 units of a key that is kept: no line a person reads is longer, and decomposition lengthens some texts 18 times. */
const MOST_KEY_UNITS = 2048;

/** Never throws, whatever the fields hold. */
export function sortKeys(header: HeaderValues): SortKeys {
  const from = firstAddress(header.from);
  const to = firstAddress(header.to);
  const subject = baseSubject(header.subject === undefined ? '' : decodeHeader(header.subject));
  return {
    cc: key(rawText(firstAddress(header.cc)?.mailbox)),
    from: key(rawText(from?.mailbox)),
    to: key(rawText(to?.mailbox)),
    displayFrom: key(displayOf(from)),
    displayTo: key(displayOf(to)),
    baseSubject: key(subject.text),
    isReplyOrForward: subject.isReplyOrForward,
    sent: sentDate(latin1(header.date)),
    messageId: messageIds(latin1(header.messageId))[0],
    references: messageIds(latin1(header.references)),
    inReplyTo: messageIds(latin1(header.inReplyTo))[0],
  };
}

/** UTC, in milliseconds: RFC 5256 §2.2. */
export const sentMs = (row: Pick<SortRow, 'arrivalMs' | 'keys'>): number => row.keys.sent?.utcMs ?? row.arrivalMs;

/** For `Array.sort`: by the criteria in their order, REVERSE turning its own only, then by sequence number (RFC 5256 §3). */
export function compareRows(
  criteria: readonly { readonly by: SortBy; readonly reverse: boolean }[],
): (a: SortRow, b: SortRow) => number {
  const comparisons = criteria.map(({ by, reverse }) => ({ compare: COMPARISONS[by], sign: reverse ? -1 : 1 }));
  return (a, b) => {
    for (const { compare, sign } of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return sign * order;
    }
    return a.sequence - b.sequence;
  };
}

const COMPARISONS: { readonly [by in SortBy]: (a: SortRow, b: SortRow) => number } = {
  ARRIVAL: (a, b) => a.arrivalMs - b.arrivalMs,
  CC: (a, b) => compareCasemapped(a.keys.cc, b.keys.cc),
  DATE: (a, b) => sentMs(a) - sentMs(b),
  DISPLAYFROM: (a, b) => compareCasemapped(a.keys.displayFrom, b.keys.displayFrom),
  DISPLAYTO: (a, b) => compareCasemapped(a.keys.displayTo, b.keys.displayTo),
  FROM: (a, b) => compareCasemapped(a.keys.from, b.keys.from),
  SIZE: (a, b) => a.sizeOctets - b.sizeOctets,
  SUBJECT: (a, b) => compareCasemapped(a.keys.baseSubject, b.keys.baseSubject),
  TO: (a, b) => compareCasemapped(a.keys.to, b.keys.to),
};

/** The first of the envelope's list: the name of a group where one comes first (RFC 9051 §7.5.2). */
const firstAddress = (value: Uint8Array | undefined): Address | undefined =>
  parseAddresses(new Scanner(latin1(value).replace(/[\r\n]+/g, '')), 1)[0];

/** RFC 5957 §3: only the name has encoded words. */
function displayOf(address: Address | undefined): string {
  const name = decodeUnfolded(address?.name ?? '');
  if (name !== '' || address?.mailbox === undefined) return name;
  return rawText(address.host === undefined ? address.mailbox : `${address.mailbox}@${address.host}`);
}

const latin1 = (octets: Uint8Array | undefined): string =>
  octets === undefined ? '' : Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');

/** What latin1 text stands for: UTF-8, most likely (RFC 6532 §3.2). */
const rawText = (raw: string | undefined): string => lenientText(Buffer.from(raw ?? '', 'latin1'));

function key(text: string): string {
  const mapped = casemap(text.slice(0, MOST_KEY_UNITS));
  const isCut = (mapped.charCodeAt(MOST_KEY_UNITS - 1) & 0xfc00) === 0xd800; // in the middle of a pair
  return mapped.slice(0, isCut ? MOST_KEY_UNITS - 1 : MOST_KEY_UNITS);
}
