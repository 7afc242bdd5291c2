/** Sections: RFC 9051 §6.4.5.1, with the complex message it prints; and BINARY, RFC 9051 §6.4.5. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { binaryOf, inMessage, rangeOf, type Section } from '../../mime/section.ts';
import { octetsOf, textOf } from '../properties/cuts.ts';
import { lines, MIXED, structureOf } from './structure-messages.ts';

/** `4.2.MIME` and the like to its octets; NIL where there are none. */
function section(message: string, specification: string): string {
  const [, numbers = '', text] = /^([\d.]*?)\.?([A-Z]*)$/.exec(specification) ?? [];
  const part = numbers === '' ? [] : numbers.split('.').map(Number);
  const range = rangeOf(structureOf(message), { part, ...(text !== '' && { text: text as Section['text'] }) });
  return range === undefined ? 'NIL' : (range.afterTrace ? '+' : '') + message.slice(range.from, range.to);
}

const multipart = (type: string, boundary: string, ...parts: readonly string[]): string =>
  lines(
    `Content-Type: multipart/${type}; boundary=${boundary}`,
    '',
    ...parts.flatMap((part) => [`--${boundary}`, part]),
    `--${boundary}--`,
  );
const leaf = (type: string, text: string): string => lines(`Content-Type: ${type}`, '', text);
const within = (message: string): string => lines('Content-Type: message/rfc822', '', message);

/** The example of RFC 9051 §6.4.5.1, its parts in the same places. */
const three = lines(
  'Subject: 3',
  multipart('mixed', 'C', leaf('text/plain', '3.1'), leaf('application/octet-stream', '3.2')),
);
const alternative = multipart('alternative', 'F', leaf('text/plain', '4.2.2.1'), leaf('text/richtext', '4.2.2.2'));
const fourTwo = lines('Subject: 4.2', multipart('mixed', 'E', leaf('text/plain', '4.2.1'), alternative));
const four = multipart('mixed', 'D', leaf('image/gif', '4.1'), within(fourTwo));
const complex = multipart(
  'mixed',
  'A',
  leaf('text/plain', '1'),
  leaf('application/octet-stream', '2'),
  within(three),
  four,
);

const bodyOf = (entity: string): string => entity.slice(entity.indexOf('\r\n\r\n') + 4);
const headerOf = (entity: string): string => entity.slice(0, entity.indexOf('\r\n\r\n') + 4);

const table: Record<string, string> = {
  '': `+${complex}`,
  HEADER: `+${headerOf(complex)}`,
  TEXT: bodyOf(complex),
  '1': '1',
  '1.MIME': 'Content-Type: text/plain\r\n\r\n',
  '2': '2',
  '3': three,
  '3.HEADER': headerOf(three),
  '3.TEXT': bodyOf(three),
  '3.MIME': 'Content-Type: message/rfc822\r\n\r\n',
  '3.1': '3.1',
  '3.2': '3.2',
  '4': bodyOf(four),
  '4.MIME': headerOf(four),
  '4.1': '4.1',
  '4.1.MIME': 'Content-Type: image/gif\r\n\r\n',
  '4.2': fourTwo,
  '4.2.HEADER': headerOf(fourTwo),
  '4.2.TEXT': bodyOf(fourTwo),
  '4.2.1': '4.2.1',
  '4.2.2': bodyOf(alternative),
  '4.2.2.1': '4.2.2.1',
  '4.2.2.2': '4.2.2.2',
  '4.2.2.2.MIME': 'Content-Type: text/richtext\r\n\r\n',
};
for (const [specification, expected] of Object.entries(table))
  test(`RFC 9051 §6.4.5.1: BODY[${specification}]`, () => assert.is(section(complex, specification), expected));

test('RFC 9051 §6.4.5.1: HEADER and TEXT are of messages only, and what is not there is NIL', () => {
  for (const specification of [
    '0',
    '5',
    '1.1',
    '1.HEADER',
    '1.TEXT',
    '4.HEADER',
    '4.TEXT',
    '3.3',
    '4.1.1',
    '4.2.2.3',
    '9.9.9',
    'MIME',
  ])
    assert.is(section(complex, specification), 'NIL', specification);
});

test('RFC 9051 §6.4.5.1: a message that is not multipart has a part 1, its body', () => {
  const message = 'Subject: x\r\n\r\ntext';
  assert.is(section(message, '1'), 'text');
  assert.is(section(message, '1.MIME'), '+Subject: x\r\n\r\n');
  for (const specification of ['2', '1.1', '1.TEXT', '1.HEADER']) assert.is(section(message, specification), 'NIL');
});

test('a message whose body is a message: part 1 is the message within', () => {
  const message = lines('Content-Type: message/rfc822', '', 'Subject: in', '', 'text');
  assert.is(section(message, '1'), 'Subject: in\r\n\r\ntext');
  assert.is(section(message, '1.HEADER'), 'Subject: in\r\n\r\n');
  assert.is(section(message, '1.TEXT'), 'text');
  assert.is(section(message, '1.1'), 'text');
  assert.is(section(message, '1.1.MIME'), 'Subject: in\r\n\r\n');
});

test('a multipart without parts has a part 1 of no octets, as its structure says', () => {
  assert.is(section(MIXED, '1'), '');
  assert.is(section(MIXED, '1.MIME'), '');
  assert.is(section(MIXED, '2'), 'NIL');
});

test('trace lines that are kept apart belong to the header section', () => {
  const trace = 'Return-Path: <a@b>\r\n';
  const body = 'Subject: x\r\n\r\ntext';
  const structure = structureOf(body);
  const sent = (section: Section) => {
    const { from, to } = inMessage(rangeOf(structure, section)!, trace.length);
    return (trace + body).slice(from, to);
  };
  assert.is(sent({ part: [] }), trace + body);
  assert.is(sent({ part: [], text: 'HEADER' }), `${trace}Subject: x\r\n\r\n`);
  assert.is(sent({ part: [1], text: 'MIME' }), `${trace}Subject: x\r\n\r\n`);
  assert.is(sent({ part: [], text: 'TEXT' }), 'text');
  assert.is(sent({ part: [1] }), 'text');
});

function binary(message: string, ...part: readonly number[]): string {
  const found = binaryOf(structureOf(message), part);
  if (typeof found === 'string') return found;
  const octets = octetsOf(message.slice(found.octets.from, found.octets.to));
  return textOf(found.decoder.write(octets)) + textOf(found.decoder.end());
}
const encoded = (encoding: string, text: string): string =>
  `MIME-Version: 1.0\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${text}`;

test('RFC 9051 §6.4.5: BINARY is a part with its encoding taken off', () => {
  assert.is(binary(encoded('BASE64', 'AP8=\r\n'), 1), '\0\xff');
  assert.is(binary(encoded('Quoted-Printable', 'a=3D=\r\nb'), 1), 'a=b');
  for (const encoding of ['7bit', '8BIT', 'binary']) assert.is(binary(encoded(encoding, 'a=3D'), 1), 'a=3D');
});

test('RFC 9051 §6.4.5: an unknown encoding is UNKNOWN-CTE, and what is not there is not there', () => {
  assert.is(binary(encoded('x-uuencode', 'a'), 1), 'unknown-cte');
  assert.is(binary(encoded('base64', 'a'), 2), 'none');
});

test('RFC 2045 §6.4: what holds parts is not encoded itself', () => {
  const whole = encoded('base64', 'YQ==');
  assert.is(binary(whole), whole);
  const message = lines(
    'Content-Type: multipart/x; boundary=B',
    'Content-Transfer-Encoding: base64',
    '',
    '--B',
    '',
    'a',
    '--B--',
  );
  assert.is(binary(message, 1), 'a');
  assert.is(binary(complex, 3), three);
});

test.run();
