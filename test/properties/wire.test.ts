/** What holds for every wire protocol: cuts change nothing, stuffing comes back, no octets make a decoder throw. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Path } from '../../protocols/lmtp/command.ts';
import { LmtpDecoder } from '../../protocols/lmtp/decoder.ts';
import { parsePath, printPath } from '../../protocols/lmtp/path.ts';
import { Pop3Decoder } from '../../protocols/pop3/decoder.ts';
import { pop3Encoder } from '../../protocols/pop3/encoder.ts';
import { ok } from '../../protocols/pop3/reply.ts';
import { PoppwdDecoder } from '../../protocols/poppwd/decoder.ts';
import type { Decoder, Piece } from '../../protocols/wire/decoder.ts';
import { DotStuffer, DotUnstuffer } from '../../protocols/wire/dot-stuffing.ts';
import { OctetQueue } from '../../protocols/wire/octet-queue.ts';
import { cut, octetsOf, oneByOne, pieces, someCuts, textOf, wireOctets } from './cuts.ts';

type AnyDecoder = Decoder<{ readonly type: string }>;
const protocols: readonly { name: string; create: () => AnyDecoder; bareLf: boolean; lines: readonly string[] }[] = [
  {
    name: 'POP3',
    create: () => new Pop3Decoder(),
    bareLf: true,
    lines: [
      'USER ann',
      'PASS a  b ',
      'STAT',
      'LIST 1',
      'TOP 1 2',
      'dele x',
      `APOP ann ${'0'.repeat(32)}`,
      'X'.repeat(5000),
    ],
  },
  {
    name: 'LMTP',
    create: () => new LmtpDecoder(),
    bareLf: false,
    lines: [
      'LHLO a.b',
      'MAIL FROM:<"x y"@b> SIZE=1',
      'MAIL FROM:<\xc3\xbc@\xc3\xbc.b> SMTPUTF8',
      'RCPT TO:<@a:b@c>',
      'DATA',
      'BDAT 5',
      'BDAT 12 LAST',
      'BDAT 0 LAST',
      'BDAT 7 FIRST',
      'BDAT x',
      '..',
      '.',
      'RSET',
      'X'.repeat(3000),
    ],
  },
  {
    name: 'poppwd',
    create: () => new PoppwdDecoder(),
    bareLf: true,
    lines: ['user ann', 'PASS a b ', 'NEWPASS  x', 'NEWPASS', 'quit', 'X'.repeat(5000)],
  },
];

/** As a session would: data after each DATA. */
function read(create: () => AnyDecoder, chunks: Iterable<Uint8Array>) {
  const decoder = create();
  return pieces(decoder, chunks, (piece: Piece<{ readonly type: string }>) => {
    if (piece.kind === 'command' && piece.command.type === 'DATA') decoder.expect('body');
  });
}

for (const { name, create, bareLf, lines } of protocols) {
  const line = fc.oneof(fc.constantFrom(...lines), fc.string({ maxLength: 30 }), wireOctets(12).map(textOf));
  const session = fc.array(fc.tuple(line, fc.constantFrom('\r\n', '\r\n', '\n', '\r', '')), { maxLength: 20 });

  test(`${name}: however the octets are cut, the pieces are the same`, () =>
    fc.assert(
      fc.property(session, someCuts, (parts, cuts) => {
        const octets = octetsOf(parts.map((part) => part.join('')).join(''));
        const whole = read(create, [octets]);
        assert.equal(read(create, cut(octets, cuts)), whole);
        assert.equal(read(create, oneByOne(octets)), whole);
      }),
      { numRuns: 300, seed: 1 },
    ));

  test(`${name}: one command for each line, and none for what is not yet one`, () =>
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), (texts) => {
        const clean = texts.map((text) => text.replace(/[\r\n]/g, '')).filter((text) => !/^data\s*$/i.test(text));
        const octets = Buffer.from(clean.map((text) => text + '\r\n').join('') + 'NOOP', 'utf8');
        assert.is(read(create, [octets]).length, clean.length);
        if (bareLf)
          assert.is(read(create, [Buffer.from(clean.map((text) => text + '\n').join(''))]).length, clean.length);
      }),
      { numRuns: 300, seed: 2 },
    ));

  test(`${name}: no octets make the decoder throw, in commands or in data`, () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(wireOctets(40), fc.uint8Array({ maxLength: 300 })), { maxLength: 10 }),
        (chunks) => {
          for (const piece of read(create, chunks)) assert.ok(piece.kind === 'command' || name === 'LMTP');
        },
      ),
      { numRuns: 500, seed: 3 },
    ));
}

/** Data read off a queue: the body, and what came behind its end. */
function unstuff(chunks: readonly Uint8Array[]) {
  const queue = new OctetQueue();
  for (const chunk of chunks) queue.push(chunk);
  const message = new DotUnstuffer(queue);
  const body: number[] = [];
  for (let piece = message.next(); piece !== undefined; piece = message.next()) {
    if (piece.kind === 'body') {
      body.push(...piece.bytes);
      continue;
    }
    const rest: number[] = [];
    for (let left = queue.take(); left !== undefined; left = queue.take()) rest.push(...left);
    return { body, bareLf: piece.bareLf, rest };
  }
  return undefined;
}

test('dot-stuffing: unstuffed, any octets that end in CRLF are what they were, and nothing behind them is touched', () =>
  fc.assert(
    fc.property(wireOctets(120), wireOctets(20), someCuts, someCuts, (octets, after, cuts, otherCuts) => {
      const message = octets.length === 0 ? octets : Uint8Array.from([...octets, 0x0d, 0x0a]);
      const stuffer = new DotStuffer();
      const wire = Buffer.concat([...cut(message, cuts).map((chunk) => stuffer.stuff(chunk)), stuffer.end(), after]);
      const bareLf = /(^|[^\r])\n/.test(textOf(message));
      assert.equal(unstuff(cut(wire, otherCuts)), { body: [...message], bareLf, rest: [...after] });
    }),
    { numRuns: 1000, seed: 4 },
  ));

test('dot-stuffing: data ends at the first CRLF.CRLF, or at a first .CRLF, and nowhere else', () =>
  fc.assert(
    fc.property(wireOctets(60), someCuts, (octets, cuts) => {
      const end = ('\r\n' + textOf(octets)).indexOf('\r\n.\r\n');
      const result = unstuff(cut(octets, cuts));
      if (end < 0) assert.is(result, undefined);
      else assert.equal(result?.rest, [...octets.subarray(end + 3)]);
    }),
    { numRuns: 2000, seed: 5 },
  ));

test('POP3: a message that is sent ends where it says, however its source is cut', () =>
  fc.assert(
    fc.asyncProperty(wireOctets(120), someCuts, async (message, cuts) => {
      async function* source() {
        yield* cut(message, cuts);
      }
      const sent: Uint8Array[] = [];
      for await (const write of pop3Encoder.encode(ok('', { body: source() })) as AsyncIterable<Uint8Array>)
        sent.push(write);
      const wire = Buffer.concat(sent);
      assert.is(textOf(wire.subarray(0, 5)), '+OK\r\n');
      const result = unstuff([wire.subarray(5)]);
      const whole = message.length === 0 || textOf(message).endsWith('\r\n') ? [...message] : [...message, 0x0d, 0x0a];
      assert.equal(result?.body, whole);
      assert.equal(result?.rest, []);
    }),
    { numRuns: 300, seed: 6 },
  ));

test('LMTP: a path that is printed reads back the same', () => {
  const localPart = fc.string({
    maxLength: 20,
    unit: fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
      fc.constantFrom('ü', '日', '🦉', '\u00a0', '\u2028'),
    ),
  });
  const domain = fc.constantFrom('example.test', 'a', 'bücher.example', '[127.0.0.1]', '[IPv6:::1]', '[x:a>b]');
  fc.assert(
    fc.property(localPart, domain, (local, host) => {
      const path: Path = { localPart: local, domain: host };
      assert.equal(parsePath(printPath(path), 'null'), { path, rest: '' });
    }),
    { numRuns: 1000, seed: 7 },
  );
});

test.run();
