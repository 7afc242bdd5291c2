/** Structures of messages made to hurt, and what holds of any message at all. Cost is counted, not timed. */
import fc from 'fast-check';
import { pack, unpack } from 'msgpackr';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_HEADER_OCTETS } from '../../mime/field-collector.ts';
import { rangeOf } from '../../mime/section.ts';
import { MAX_VALUE_OCTETS, type Part, type Structure } from '../../mime/structure.ts';
import { MAX_DEPTH, MAX_PARTS, StructureParser } from '../../mime/structure-parser.ts';
import { cut, octetsOf, oneByOne, someCuts, textOf } from '../properties/cuts.ts';
import { everyPart, MIXED, structureOf } from './structure-messages.ts';

/** The structure, found at a cost that is linear, in one piece and octet by octet. */
function bounded(message: string): Structure {
  const octets = octetsOf(message);
  const parser = new StructureParser();
  parser.push(octets);
  const structure = parser.end();
  assert.ok(parser.steps <= 8 * octets.length + 1000, `${parser.steps} steps for ${octets.length} octets`);
  coherent(structure, octets.length);
  return structure;
}

/** Parts lie within those that hold them, in their order; and the wire forms are as their grammar says. */
function coherent(structure: Structure, size: number): void {
  assert.equal([structure.message.from, structure.message.to, structure.sizeOctets], [0, size, size]);
  for (const part of everyPart(structure.message)) {
    assert.ok(part.from <= part.body && part.body <= part.to && part.lines <= part.to - part.body);
    assert.is(part.parts.length > 0, part.kind !== 'leaf');
    let at = part.body;
    for (const child of part.parts) {
      assert.ok(child.from >= at && child.to <= part.to, JSON.stringify([part.body, part.to, child]));
      at = child.to;
    }
  }
  assert.is(envelopeEnd(textOf(structure.envelope)), structure.envelope.length);
  for (const wire of [structure.body, structure.bodyStructure]) assert.is(listEnd(textOf(wire), 0), wire.length);
}

const depthOf = (part: Part): number => 1 + Math.max(0, ...part.parts.map(depthOf));
const countOf = (structure: Structure): number => [...everyPart(structure.message)].length;

/** Where the list that begins there ends: RFC 9051 §9, strings and literals passed over. -1 where it is none. */
function listEnd(wire: string, from: number): number {
  const token = /\(|\)| |NIL|\d+(?=[ )])|"(?:[^"\\\r\n\x80-\xff]|\\["\\])*"|\{(\d+)\}\r\n/y;
  let depth = 0;
  for (token.lastIndex = from; ; ) {
    const found = token.exec(wire);
    if (found === null) return -1;
    if (found[1] !== undefined) {
      const end = token.lastIndex + Number(found[1]);
      if (wire.slice(token.lastIndex, end).includes('\0')) return -1;
      token.lastIndex = end;
    }
    depth += found[0] === '(' ? 1 : found[0] === ')' ? -1 : 0;
    if (depth === 0) return token.lastIndex;
  }
}
const envelopeEnd = (wire: string): number => listEnd(wire, 0);

test('10,000 multiparts within each other', () => {
  let message = '';
  for (let level = 0; level < 10_000; level += 1)
    message += `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`;
  assert.is(depthOf(bounded(message).message), MAX_DEPTH);
});

test('10,000 messages within each other', () => {
  const structure = bounded('Content-Type: message/rfc822\r\n\r\n'.repeat(10_000));
  assert.is(depthOf(structure.message), MAX_DEPTH);
  const innermost = [...everyPart(structure.message)].at(-1)!;
  assert.equal([innermost.kind, innermost.type], ['leaf', 'application/octet-stream']);
});

test('a hundred multiparts whose boundaries begin each other, and lines that are nearly all of them', () => {
  let message = '';
  for (let level = 0; level < 100; level += 1) {
    const boundary = 'x'.repeat(800 + level);
    message += `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n--${boundary}\r\n`;
  }
  bounded(message + `--${'x'.repeat(799)}\r\n`.repeat(2000) + '--\r\n'.repeat(5000) + '--x\r\n'.repeat(5000));
});

test('parts without number', () => {
  const structure = bounded(MIXED + '--B\r\n\r\n\r\n'.repeat(3 * MAX_PARTS));
  assert.is(countOf(structure), MAX_PARTS);
  const last = structure.message.parts.at(-1)!;
  assert.is(last.to, structure.sizeOctets);
});

test('parts without number, each a multipart', () => {
  const part = '--B\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n\r\n\r\n--C--\r\n';
  assert.is(countOf(bounded(MIXED + part.repeat(MAX_PARTS))), MAX_PARTS);
});

test('a header section without end, of fields and of one field', () => {
  for (const field of ['To: a@b\r\n', 'Content-Type: text/plain\r\n', 'X: y\r\n', ' \r\n', '\t', 'To: '])
    bounded(field.repeat(100_000));
  bounded(`To: a@b${',\r\n a@b'.repeat(100_000)}`);
  bounded(`To: ${'a@b,'.repeat(100_000)}\r\n\r\n`);
});

test('fields that are more than is held are as if they were not there, and those before them stay', () => {
  const { envelope } = bounded(`Subject: s\r\nTo: ${'x'.repeat(MAX_HEADER_OCTETS)}\r\nCc: a@b\r\n\r\nbody`);
  assert.is(textOf(envelope), '(NIL "s" NIL NIL NIL NIL ((NIL NIL "a" "b")) NIL NIL NIL)');
  const folded = bounded(`To: a@b${',\r\n c@d'.repeat(MAX_HEADER_OCTETS / 4)}\r\nSubject: s\r\n\r\n`);
  assert.is(textOf(folded.envelope), '(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)');
});

test('a line is too long or not whether it comes in pieces or not', () => {
  for (const length of [-8, -6, -5, -4, -3, -2, -1, 0, 1].map((more) => MAX_HEADER_OCTETS + more)) {
    const octets = octetsOf(`Subject:${'x'.repeat(length)}\r\nCc: a@b\r\n\r\n`);
    assert.equal(
      structureOf([octets.subarray(0, 70_000), octets.subarray(70_000)]),
      structureOf([octets]),
      `${length}`,
    );
  }
});

test('the values that are sorted by are cut off', () => {
  const { header } = bounded(`Subject: ${'s'.repeat(20_000)}\r\nReferences: <a>${' <bcd>'.repeat(3000)} <z>\r\n\r\n`);
  assert.equal([header.subject!.length, header.references!.length], [MAX_VALUE_OCTETS, MAX_VALUE_OCTETS]);
  assert.ok(textOf(header.references!).endsWith('<z>'));
});

test('addresses without number in each of many messages: the answer stays in bounds', () => {
  const part = `--B\r\nContent-Type: message/rfc822\r\n\r\nFrom: ${'a,'.repeat(20_000)}\r\n\r\n\r\n`;
  const { bodyStructure } = bounded(MIXED + part.repeat(50));
  assert.ok(bodyStructure.length < 4_000_000, `${bodyStructure.length}`);
});

test('a boundary of 1,000 octets, and one of 100,000', () => {
  for (const length of [1000, 100_000]) {
    const boundary = 'x'.repeat(length);
    const structure = bounded(
      `Content-Type: multipart/x; boundary=${boundary}\r\n\r\n--${boundary}\r\n\r\na\r\n--${boundary}\r\n`,
    );
    assert.is(structure.message.parts[0]!.to - structure.message.parts[0]!.body, 1);
  }
});

test('a body without any line end, and one of nothing else', () => {
  assert.is(bounded(`${MIXED}${'-'.repeat(1_000_000)}`).message.lines, 0);
  assert.is(bounded(`${MIXED}${'\n'.repeat(100_000)}`).message.lines, 100_000);
  assert.is(bounded('\n'.repeat(100_000)).message.lines, 99_999);
});

test('NUL and 8-bit octets everywhere', () => {
  const every = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
  bounded(`Subject: ${every}\r\nFrom: ${every}\r\nTo: "${every}" <${every}>\r\n\r\n${every}`);
  bounded(`Content-Type: ${every}\r\n\r\n`);
  bounded(
    `Content-Type: text/plain; a=${every}; b="${every}"\r\nContent-ID: ${every}\r\nContent-Language: ${every}\r\n\r\n`,
  );
});

test('a long line cut into chunks is not copied again with each', () => {
  const parser = new StructureParser();
  const chunk = new Uint8Array(1000).fill(0x61);
  for (let n = 0; n < 10_000; n += 1) parser.push(chunk);
  assert.is(parser.end().sizeOctets, 10_000_000);
});

/** Messages made of what matters to their structure. */
const message = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('\r\n', '\r\n\r\n', '--B', '--C', '--B--', '--C--', '\r\n--B\r\n', '\n', '\r', ' '),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          '\r\nContent-Type: multipart/mixed; boundary=B\r\n',
          '\r\n--B\r\nContent-Type: multipart/digest; boundary=C\r\n\r\n',
          '\r\n--B\r\nContent-Type: multipart/x; boundary=BB\r\n\r\n--BB\r\n',
          '\r\n--B\r\nContent-Type: message/rfc822\r\n\r\n',
          'Content-Type: message/rfc822',
          'MIME-Version: 1.0',
          'Subject: x',
          'From: "a" <b@c>, d: e@f;',
          'Content-Disposition: a; b*0=c; b*1="d"',
        ),
      },
      { weight: 1, arbitrary: fc.nat(255).map((octet) => String.fromCharCode(octet)) },
    ),
    { maxLength: 40 },
  )
  .map((parts) => octetsOf(`Content-Type: multipart/mixed; boundary=B\r\n${parts.join('')}`));

test('property: however a message is cut, its structure is the same, and plain data', () =>
  fc.assert(
    fc.property(message, someCuts, (octets, cuts) => {
      const expected = structureOf([octets]);
      coherent(expected, octets.length);
      assert.equal(structureOf(cut(octets, cuts)), expected);
      assert.equal(structureOf(oneByOne(octets)), expected);
      assert.equal(pack(unpack(pack(expected))), pack(expected));
    }),
    { numRuns: 1500, seed: 2046 },
  ));

test('property: chunks are not kept', () =>
  fc.assert(
    fc.property(message, someCuts, (octets, cuts) => {
      const parser = new StructureParser();
      for (const chunk of cut(octets, cuts)) {
        parser.push(chunk);
        chunk.fill(0x2d);
      }
      assert.equal(parser.end(), structureOf([octets]));
    }),
    { numRuns: 500, seed: 2 },
  ));

test('property: lines are the LFs of the body, and every part that is told is there to be fetched', () =>
  fc.assert(
    fc.property(message, (octets) => {
      const structure = structureOf([octets]);
      const text = textOf(octets);
      for (const part of everyPart(structure.message))
        assert.is(part.lines, text.slice(part.body, part.to).split('\n').length - 1);
      const { message: root } = structure;
      if (root.kind === 'multipart')
        for (const [n, part] of root.parts.entries()) {
          const range = rangeOf(structure, { part: [n + 1] });
          assert.equal(range, { from: part.body, to: part.to, afterTrace: false });
        }
    }),
    { numRuns: 1500, seed: 3 },
  ));

test.run();
