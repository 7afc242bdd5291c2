/**
 * FETCH responses: RFC 9051 §7.5.2. A row of 100,000 is made of these: what is stored in wire form is copied, all else put
 * together in one pass. Octets that flow are left to encoder.ts, which reads them as fast as the client does.
 */
import { printDateTime } from './date-time.ts';
import { astring, digits, flagList, objectId, positive, string } from './encode-string.ts';
import type { Writes } from './encode-writes.ts';
import type { Section } from './fetch-item.ts';
import type { Fetch, FetchContent, Streamed } from './fetch-response.ts';

/**
 * Puts `"*" SP nz-number SP "FETCH" SP msg-att CRLF` (RFC 9051 §9).
 * @returns when there are contents: their putting, to be gone through, which yields each that flows where its octets belong
 */
export function putFetch(to: Writes, fetch: Fetch, utf8: boolean): Iterable<Streamed> | undefined {
  const gap = putAttributes(to, fetch, utf8);
  if (fetch.contents !== undefined && fetch.contents.length > 0) return putContents(to, gap, fetch.contents, utf8);
  if (gap === '') throw new TypeError('FETCH without an item can not be told');
  to.text(')\r\n');
  return undefined;
}

function* putContents(
  to: Writes,
  before: '' | ' ',
  contents: readonly FetchContent[],
  utf8: boolean,
): Iterable<Streamed> {
  let gap = before;
  for (const content of contents) {
    to.text(`${gap}${itemName(content, utf8)} `);
    gap = ' ';
    const flowing = put(to, content);
    if (flowing !== undefined) yield flowing;
  }
  to.text(')\r\n');
}

/** All up to the contents; gives what must stand before another item: nothing before the first. */
function putAttributes(to: Writes, fetch: Fetch, utf8: boolean): '' | ' ' {
  const text = textAttributes(fetch, utf8);
  to.text(`* ${positive(fetch.sequence)} FETCH (${text.slice(1)}`);
  let gap: '' | ' ' = text === '' ? '' : ' ';
  if (fetch.envelope !== undefined) gap = putWireForm(to, gap, 'ENVELOPE', fetch.envelope);
  if (fetch.body !== undefined) gap = putWireForm(to, gap, 'BODY', fetch.body);
  if (fetch.bodyStructure !== undefined) gap = putWireForm(to, gap, 'BODYSTRUCTURE', fetch.bodyStructure);
  return gap;
}

/** Each after a space. */
function textAttributes(fetch: Fetch, utf8: boolean): string {
  const { uid, flags, modSeq, internalDateMs, sizeOctets, emailId, threadId, saveDateMs, preview } = fetch;
  let text = '';
  if (uid !== undefined) text += ` UID ${positive(uid)}`;
  if (flags !== undefined) text += ` FLAGS ${flagList(flags)}`;
  if (modSeq !== undefined) text += ` MODSEQ (${positive(modSeq)})`;
  if (internalDateMs !== undefined) text += ` INTERNALDATE ${dateTime(internalDateMs)}`;
  if (sizeOctets !== undefined) text += ` RFC822.SIZE ${digits(sizeOctets)}`;
  if (emailId !== undefined) text += ` EMAILID ${objectId(emailId)}`;
  if (threadId !== undefined) text += ` THREADID ${threadId === null ? 'NIL' : objectId(threadId)}`;
  if (saveDateMs !== undefined) text += ` SAVEDATE ${saveDateMs === null ? 'NIL' : dateTime(saveDateMs)}`;
  if (preview !== undefined) text += ` PREVIEW ${preview === null ? 'NIL' : string(preview, utf8)}`;
  return text;
}

function putWireForm(to: Writes, gap: string, name: string, wireForm: Uint8Array): ' ' {
  to.text(`${gap}${name} `);
  to.octets(wireForm);
  return ' ';
}

function itemName(content: FetchContent, utf8: boolean): string {
  switch (content.item) {
    case 'BODY[]':
      return `BODY[${sectionSpec(content.section, utf8)}]${origin(content.originOctet)}`;
    case 'BINARY':
      return `BINARY[${sectionPart(content.part)}]${origin(content.originOctet)}`;
    case 'BINARY.SIZE':
      return `BINARY.SIZE[${sectionPart(content.part)}]`;
    default:
      return content.item;
  }
}

/** `date-time`, always in UTC. @throws on what is no instant; one out of four-digit years is told as the nearest within */
function dateTime(epochMs: number): string {
  if (!Number.isFinite(epochMs)) throw new RangeError(`no date for the wire: ${epochMs}`);
  return `"${printDateTime({ epochMs, zoneMinutes: 0 })}"`;
}

/** `section-spec = section-msgtext / (section-part ["." section-text])` (RFC 9051 §9). */
function sectionSpec({ part, text, fields }: Section, utf8: boolean): string {
  const numbers = sectionPart(part);
  if (text === undefined) return numbers;
  const spec = numbers === '' ? text : `${numbers}.${text}`;
  if (text !== 'HEADER.FIELDS' && text !== 'HEADER.FIELDS.NOT') return spec;
  return `${spec} (${fields!.map((field) => fieldName(field, utf8)).join(' ')})`; // never without: fetch-item.ts
}

/** `header-fld-name = astring`; with `]` quoted, for a client that looks for the end of the section. */
const fieldName = (field: string, utf8: boolean): string =>
  field.includes(']') ? string(field, utf8) : astring(field, utf8);

/** `section-part = nz-number *("." nz-number)`; empty: all of the message. */
const sectionPart = (part: readonly number[]): string => part.map(positive).join('.');

const origin = (octet: number | undefined): string => (octet === undefined ? '' : `<${digits(octet)}>`);

/** Always a literal, `{0}` too: there are clients that take a quoted string here for no content. */
function put(to: Writes, fetched: FetchContent): Streamed | undefined {
  if (fetched.item === 'BINARY.SIZE') {
    to.text(digits(fetched.sizeOctets));
    return undefined;
  }
  const { content } = fetched;
  if (content === null) to.text('NIL');
  else if (!(content instanceof Uint8Array)) {
    to.text(literal(content.sizeOctets, fetched.item === 'BINARY' && content.withoutNul !== true));
    return content;
  } else {
    to.text(literal(content.length, fetched.item === 'BINARY' && content.includes(0)));
    to.octets(content);
  }
  return undefined;
}

/** `literal / literal8` without the octets; `literal8` may hold NUL (RFC 3516 §4.3). */
const literal = (sizeOctets: number, mayHoldNul: boolean): string =>
  `${mayHoldNul ? '~' : ''}{${digits(sizeOctets)}}\r\n`;
