/** The text that SEARCH looks in: which ranges, and what their octets become. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HeaderText, PartText, searchRange, searchRanges, type TextPart } from '../../mime/search-text.ts';
import type { Part } from '../../mime/structure.ts';
import { TextSearch } from '../../mime/text-search.ts';
import { cut, octetsOf, oneByOne, someCuts } from '../properties/cuts.ts';

function textOf(decoder: HeaderText | PartText, chunks: readonly Uint8Array[]): string {
  return chunks.map((chunk) => decoder.write(chunk)).join('') + decoder.end();
}
const header = (text: string): string => textOf(new HeaderText(), [octetsOf(text)]);
const body = (text: string, part: Partial<TextPart>): string =>
  textOf(new PartText({ type: 'text/plain', encoding: '7bit', ...part }), [octetsOf(text)]);

const part = (from: number, at: number, to: number, more: Partial<Part> = {}): Part => ({
  from,
  body: at,
  to,
  lines: 0,
  kind: 'leaf',
  parts: [],
  type: 'text/plain',
  encoding: '7bit',
  ...more,
});

/** A mixed message of text, a picture, a message with a text of its own, and an encoding that nobody knows. */
const MESSAGE = part(0, 100, 1000, {
  kind: 'multipart',
  type: 'multipart/mixed',
  parts: [
    part(110, 120, 200),
    part(210, 220, 300, { type: 'image/png', encoding: 'base64' }),
    part(310, 320, 500, {
      kind: 'message',
      type: 'message/rfc822',
      parts: [part(320, 340, 500, { type: 'text/html' })],
    }),
    part(510, 520, 600, { encoding: 'x-uuencode' }),
    part(610, 620, 700, { type: 'message/delivery-status' }),
    part(710, 720, 720),
    part(720, 720, 730, { type: 'text/csv', encoding: 'quoted-printable' }),
  ],
});
const ranges = (key: 'BODY' | 'TEXT') =>
  searchRanges(MESSAGE, key).map((range) => [range.from, range.to, range.part?.type]);

test('RFC 9051 §6.4.4: BODY looks into parts that are text, and into no header', () => {
  assert.equal(ranges('BODY'), [
    [120, 200, 'text/plain'],
    [340, 500, 'text/html'],
    [620, 700, 'message/delivery-status'],
    [720, 730, 'text/csv'],
  ]);
});

test('RFC 9051 §6.4.4: TEXT looks into all headers besides, those of parts too', () => {
  assert.equal(ranges('TEXT'), [
    [0, 100, undefined],
    [110, 120, undefined],
    [120, 200, 'text/plain'],
    [210, 220, undefined],
    [310, 320, undefined],
    [320, 340, undefined],
    [340, 500, 'text/html'],
    [510, 520, undefined],
    [610, 620, undefined],
    [620, 700, 'message/delivery-status'],
    [710, 720, undefined],
    [720, 730, 'text/csv'],
  ]);
});

test('a header is searched unfolded and decoded, field by field', () => {
  assert.is(
    header('Subject: =?utf-8?Q?caf=C3?=\r\n =?utf-8?Q?=A9?= au lait\r\nX: \xc3\xa9\r\n\r\n'),
    'Subject: café au lait\r\nX: é\r\n',
  );
  assert.is(header('no end'), 'no end');
});

test('a field without end is decoded piece by piece, and not held', () => {
  const decoder = new HeaderText();
  assert.is(decoder.write(octetsOf(`X: ${'a'.repeat(200_000)}`)).length, 3 * 65_536);
  assert.is(decoder.end().length, 200_003 - 3 * 65_536);
});

test('a body is searched without its transfer encoding and charset', () => {
  assert.is(body('caf=E9', { encoding: 'quoted-printable', charset: 'iso-8859-1' }), 'café');
  assert.is(body('Y2Fmw6k=', { encoding: 'base64', charset: 'utf-8' }), 'café');
  assert.is(body('\x1b$BF|\x1b(B', { charset: 'iso-2022-jp' }), '日');
  assert.is(body('caf\xc3\xa9', {}), 'café');
});

test('RFC 5255 §4.6: in an unknown charset what looks like ASCII is found', () => {
  assert.is(body('abc \xc3\xa9', { charset: 'x-none' }), 'abc é');
});

test('RFC 2045 §6.4: what has an unknown encoding has no text', () => {
  assert.is(body('abc', { encoding: 'x-uuencode' }), '');
});

async function* stream(chunks: readonly string[], onRead?: () => void): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    onRead?.();
    yield octetsOf(chunk);
  }
}

test('a range is read until all is found, and strings do not go on into the next', async () => {
  const [first, second] = searchRanges(MESSAGE, 'BODY');
  const search = new TextSearch(['ab', 'cd']);
  await searchRange(first!, stream(['x', 'a']), search);
  await searchRange(second!, stream(['b', 'c']), search);
  assert.not.ok(search.isFound(0));
  let reads = 0;
  await searchRange(
    first!,
    stream(['AB', 'c', 'D', 'more', 'more'], () => (reads += 1)),
    search,
  );
  assert.equal([search.done, reads], [true, 3]);
  await searchRange(
    first!,
    stream(['x'], () => (reads += 1)),
    search,
  );
  assert.is(reads, 3);
});

test('a header range is read as a header', async () => {
  const search = new TextSearch(['subject: café']);
  await searchRange(searchRanges(MESSAGE, 'TEXT')[0]!, stream(['Subject:\r\n =?utf-8', '?Q?caf=C3=A9?=\r\n']), search);
  assert.ok(search.isFound(0));
});

const pieces = fc.constantFrom(
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  'A: b',
  '=?utf-8?Q?=C3?=',
  '=?utf-8?B?qQ==?=',
  '\xc3',
  '\xa9',
  'x'.repeat(70_000),
);

test('property: however a header is cut, its text is the same', () =>
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), someCuts, (parts, cuts) => {
      const octets = octetsOf(parts.join(''));
      const expected = textOf(new HeaderText(), [octets]);
      assert.is(textOf(new HeaderText(), cut(octets, cuts)), expected);
      if (octets.length < 500) assert.is(textOf(new HeaderText(), oneByOne(octets)), expected);
    }),
    { numRuns: 500, seed: 9051 },
  ));

test.run();
