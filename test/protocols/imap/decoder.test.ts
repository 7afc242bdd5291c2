/** IMAP off the wire: commands, their literals, appended messages, and the lines in between. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../../protocols/imap/command.ts';
import { ImapDecoder, MAX_SASL_OCTETS } from '../../../protocols/imap/decoder.ts';
import { MAX_EARLY_LITERALS_OCTETS, MAX_LITERALS_OCTETS, MAX_TEXT_OCTETS } from '../../../protocols/imap/literals.ts';
import type { Piece } from '../../../protocols/wire/decoder.ts';
import { cut, octetsOf, oneByOne, pieces } from '../../properties/cuts.ts';

type Asked = 'body' | 'sasl-response' | 'idle-done';

/** What a session of the simplest kind expects: every message, and the line behind AUTHENTICATE and IDLE. */
const wants = (command: Command): Asked | undefined => {
  if (command.type === 'APPEND' || command.type === 'append-more') return 'body';
  if (command.type === 'AUTHENTICATE') return 'sasl-response';
  return command.type === 'IDLE' ? 'idle-done' : undefined;
};

function readChunks(chunks: readonly Uint8Array[], asks = wants) {
  const decoder = new ImapDecoder();
  return pieces(decoder, chunks, (piece) => {
    const next = piece.kind === 'command' ? asks(piece.command) : undefined;
    if (next !== undefined) decoder.expect(next);
  });
}
const read = (...chunks: string[]) => readChunks(chunks.map(octetsOf));

const command = (fields: object) => ({ kind: 'command', command: fields });
const tagged = (type: string, tag: string) => command({ type, tag });
const body = (text: string) => ({ kind: 'body', octets: [...octetsOf(text)] });
const end = (bareLf = false) => ({ kind: 'body-end', bareLf });
const malformed = (tag: string | undefined, reason: string) =>
  command({ type: 'malformed', ...(tag === undefined ? {} : { tag }), reason });
const append = (tag: string, sizeOctets: number, sync = true, more = {}) =>
  command({ type: 'APPEND', tag, mailbox: 'x', flags: [], sizeOctets, sync, binary: false, ...more });
const goOn = command({ type: 'continue' });
const login = (tag: string, name: string, secret: string) => command({ type: 'LOGIN', name, secret, tag });

test('RFC 9051 §4.3: a synchronizing literal waits for a continuation request, and the command comes whole', () => {
  const decoder = new ImapDecoder();
  decoder.push(octetsOf('A001 LOGIN {11}\r\n'));
  assert.equal(decoder.next(), goOn);
  assert.is(decoder.next(), undefined);
  decoder.push(octetsOf('FRED FOOBAR {7}\r\n'));
  assert.equal(decoder.next(), goOn);
  decoder.push(octetsOf('fat man\r\n'));
  assert.equal(decoder.next(), login('A001', 'FRED FOOBAR', 'fat man'));
});

test('RFC 7888 §3: a non-synchronizing literal asks for nothing', () => {
  assert.equal(read('A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man\r\n'), [login('A001', 'FRED FOOBAR', 'fat man')]);
});

test('a literal of no octets is a string, and one that is announced twice over is two', () => {
  assert.equal(read('a LOGIN {0}\r\n {0+}\r\n\r\n'), [goOn, login('a', '', '')]);
});

test('RFC 9051 §5.5: commands pipelined in one push come one by one', () => {
  const text = 'a NOOP\r\nb CHECK\r\nc CLOSE\r\n';
  assert.equal(read(text), [tagged('NOOP', 'a'), tagged('CHECK', 'b'), tagged('CLOSE', 'c')]);
});

test('a bare LF ends a line, also behind the head of a literal', () => {
  assert.equal(read('a NOOP\nb LOGIN {1+}\nx {1+}\r\ny\n'), [tagged('NOOP', 'a'), login('b', 'x', 'y')]);
});

test('RFC 9051 §6.3.12: APPEND comes with all that stands before its message, and the message as a body', () => {
  const text = 'A003 APPEND saved-messages (\\Seen $Work) {5}\r\nhello\r\nb NOOP\r\n';
  assert.equal(read(text), [
    append('A003', 5, true, { mailbox: 'saved-messages', flags: ['\\Seen', '$Work'] }),
    body('hello'),
    end(),
    command({ type: 'append-end' }),
    tagged('NOOP', 'b'),
  ]);
});

test('RFC 3516 §4.4: a message may be a literal8, and RFC 7888 §6 lets it be a non-synchronizing one', () => {
  assert.equal(read('a APPEND x ~{3+}\r\n\0\r\n\r\n'), [
    append('a', 3, false, { binary: true }),
    body('\0\r\n'),
    end(),
    command({ type: 'append-end' }),
  ]);
});

test('the mailbox of an APPEND may be a literal, which is held, and the message is the one behind it', () => {
  assert.equal(read('a APPEND {1}\r\nx {2+}\r\nhi\r\n'), [
    goOn,
    append('a', 2, false),
    body('hi'),
    end(),
    command({ type: 'append-end' }),
  ]);
});

test('RFC 3502: one APPEND has many messages, each with its own flags and date', () => {
  const text =
    'A003 APPEND x (\\Seen) {3}\r\none (\\Flagged) " 7-Feb-1994 22:43:04 -0800" {3+}\r\ntwo ~{0}\r\n\r\nb NOOP\r\n';
  assert.equal(read(text), [
    append('A003', 3, true, { flags: ['\\Seen'] }),
    body('one'),
    end(),
    command({
      type: 'append-more',
      flags: ['\\Flagged'],
      date: { epochMs: Date.UTC(1994, 1, 8, 6, 43, 4), zoneMinutes: -480 },
      sizeOctets: 3,
      sync: false,
      binary: false,
    }),
    body('two'),
    end(),
    command({ type: 'append-more', flags: [], sizeOctets: 0, sync: true, binary: true }),
    end(),
    command({ type: 'append-end' }),
    tagged('NOOP', 'b'),
  ]);
});

test('a message with a bare LF says so at its end, also across a cut', () => {
  assert.equal(
    read('a APPEND x {3+}\r\na', '\nb\r\nb APPEND x {4+}\r\na\r', '\nb\r\n').filter((p) => p.kind === 'body-end'),
    [end(true), end(false)],
  );
});

test('a synchronizing message that nobody expects is refused: its client sends the next command', () => {
  const chunks = [octetsOf('A004 APPEND x (\\Flagged) {1023}\r\nA005 NOOP\r\n')];
  assert.equal(
    readChunks(chunks, () => undefined),
    [append('A004', 1023, true, { flags: ['\\Flagged'] }), tagged('NOOP', 'A005')],
  );
});

test('attack: what follows a non-synchronizing message that was refused is no command', () => {
  const text = 'a APPEND x {9+}\r\nb LOGOUT\n (\\Seen) {10+}\r\nc LOGOUT\r\n\r\nd NOOP\r\n';
  for (const chunks of [[octetsOf(text)], oneByOne(octetsOf(text))])
    assert.equal(
      readChunks(chunks, () => undefined),
      [append('a', 9, false), tagged('NOOP', 'd')],
    );
});

test('a later message of an APPEND that is refused takes the whole rest with it', () => {
  const text = 'a APPEND x {3+}\r\none {3+}\r\ntwo {3+}\r\nsix\r\nb NOOP\r\n';
  assert.equal(
    readChunks([octetsOf(text)], (c) => (c.type === 'APPEND' ? 'body' : undefined)),
    [
      append('a', 3, false),
      body('one'),
      end(),
      command({ type: 'append-more', flags: [], sizeOctets: 3, sync: false, binary: false }),
      tagged('NOOP', 'b'),
    ],
  );
});

test('what is malformed between two messages is told with the tag of the APPEND, and what it announced is read past', () => {
  const reason = 'APPEND: a flag was expected';
  assert.equal(read('a APPEND x {1+}\r\nx (*) {8+}\r\nb LOGOUT\r\nc NOOP\r\n').slice(3), [
    malformed('a', reason),
    tagged('NOOP', 'c'),
  ]);
  assert.equal(read('a APPEND x {1+}\r\nx y\r\nc NOOP\r\n').slice(3), [
    malformed('a', 'APPEND: a message literal was expected'),
    tagged('NOOP', 'c'),
  ]);
});

test('an APPEND that is malformed before its message: a synchronizing one is refused at once, the other is read past', () => {
  const missing = malformed('a', 'APPEND: a string has no end');
  assert.equal(read('a APPEND "x {8}\r\nb NOOP\r\n'), [missing, tagged('NOOP', 'b')]);
  assert.equal(read('a APPEND "x {8+}\r\nb LOGOUT\r\nc NOOP\r\n'), [missing, tagged('NOOP', 'c')]);
  assert.equal(read('a APPEND x\r\n'), [malformed('a', 'APPEND: a message literal was expected')]);
});

test('a message without its end gives no end', () => {
  assert.equal(read('a APPEND x {9}\r\nhi'), [append('a', 9), body('hi')]);
});

test('a body once begun is read to its end, whatever is expected meanwhile', () => {
  const decoder = new ImapDecoder();
  decoder.push(octetsOf('a APPEND x {8+}\r\nb N'));
  decoder.next();
  decoder.expect('body');
  for (const next of ['command', 'idle-done', 'sasl-response', 'body'] as const) decoder.expect(next);
  assert.is(decoder.next()?.kind, 'body');
  decoder.push(octetsOf('OOP\r\n\r\n'));
  assert.is(decoder.next()?.kind, 'body');
  assert.equal(decoder.next(), end());
  assert.equal(decoder.next(), command({ type: 'append-end' }));
});

test('a body that no command has offered is a mistake of ours', () => {
  assert.throws(() => new ImapDecoder().expect('body'), /no message was offered/);
});

test('RFC 9051 §6.2.2: the line behind a challenge is base64, or a star', () => {
  const text =
    'a AUTHENTICATE plain\r\nAGEAYg==\r\nb AUTHENTICATE LOGIN =\r\n\r\nc AUTHENTICATE X\r\n*\r\nd AUTHENTICATE X\r\nb NOOP\r\n';
  const octets = (text: string) => Buffer.from(text, 'latin1');
  assert.equal(read(text), [
    command({ type: 'AUTHENTICATE', mechanism: 'PLAIN', tag: 'a' }),
    command({ type: 'response', response: octets('\0a\0b') }),
    command({ type: 'AUTHENTICATE', mechanism: 'LOGIN', initial: new Uint8Array(0), tag: 'b' }),
    command({ type: 'response', response: octets('') }),
    command({ type: 'AUTHENTICATE', mechanism: 'X', tag: 'c' }),
    command({ type: 'cancel' }),
    command({ type: 'AUTHENTICATE', mechanism: 'X', tag: 'd' }),
    malformed(undefined, 'not base64'),
  ]);
});

test('a SASL response over its limit is one malformed line', () => {
  const response = 'A'.repeat(MAX_SASL_OCTETS);
  assert.equal(read(`a AUTHENTICATE X\r\n${response}\r\nb NOOP\r\n`).slice(1), [
    malformed(undefined, 'line too long'),
    tagged('NOOP', 'b'),
  ]);
});

test('RFC 9051 §6.3.13: IDLE ends with DONE in any case, and with any other line, which is BAD', () => {
  assert.equal(read('a IDLE\r\ndone\r\nb IDLE\r\nc NOOP\r\nDONE\r\n'), [
    tagged('IDLE', 'a'),
    command({ type: 'DONE' }),
    tagged('IDLE', 'b'),
    malformed(undefined, 'DONE was expected'),
    malformed('DONE', 'no command'),
  ]);
  assert.equal(read(`a IDLE\r\n${'x'.repeat(100_000)}\r\nb NOOP\r\n`).slice(1), [
    malformed(undefined, 'DONE was expected'),
    tagged('NOOP', 'b'),
  ]);
});

test('attack: octets behind a non-synchronizing literal are no command either where DONE was expected', () => {
  assert.equal(read('a IDLE\r\nb NOOP {10+}\r\nc LOGOUT\r\n\r\nd NOOP\r\n').slice(1), [
    malformed(undefined, 'DONE was expected'),
    tagged('NOOP', 'd'),
  ]);
});

test('part of a line that came before DONE was expected belongs to it', () => {
  const decoder = new ImapDecoder();
  decoder.push(octetsOf('a IDLE\r\nDO'));
  assert.equal(decoder.next(), tagged('IDLE', 'a'));
  assert.is(decoder.next(), undefined);
  decoder.expect('idle-done');
  decoder.push(octetsOf('NE\r\n'));
  assert.equal(decoder.next(), command({ type: 'DONE' }));
});

test('RFC 9051 §6.2.1: discard forgets commands, literals, messages and what was expected', () => {
  const beginnings = [
    'a LOGIN {5}\r\nab',
    'a LOGIN "x',
    'a APPEND x {5+}\r\nab',
    'a APPEND x {5+}',
    'a XX {99999999+}\r\n',
    'a IDLE\r\n',
  ];
  for (const beginning of beginnings)
    for (const accepts of [false, true]) {
      const decoder = new ImapDecoder();
      decoder.push(octetsOf(beginning));
      for (let piece = decoder.next(); piece !== undefined; piece = decoder.next()) {
        const next = piece.kind === 'command' && accepts ? wants(piece.command) : undefined;
        if (next !== undefined) decoder.expect(next);
      }
      decoder.discard();
      decoder.push(octetsOf('b NOOP\r\n'));
      assert.equal(decoder.next(), tagged('NOOP', 'b'), `${beginning} ${accepts}`);
    }
});

test('attack: commands slipped in behind STARTTLS are gone after discard', () => {
  const decoder = new ImapDecoder();
  decoder.push(octetsOf('a STARTTLS\r\nb LOGIN mallory x\r\n'));
  assert.equal(decoder.next(), tagged('STARTTLS', 'a'));
  decoder.discard();
  assert.is(decoder.next(), undefined);
});

const limits: readonly (readonly [string, number, boolean])[] = [
  ['before log-in', MAX_EARLY_LITERALS_OCTETS, false],
  ['after log-in', MAX_LITERALS_OCTETS, true],
];
for (const [when, most, isKnown] of limits)
  test(`${when} the literals of a command may hold ${most} octets together, and not one more`, () => {
    for (const plus of ['', '+']) {
      const decoder = new ImapDecoder();
      if (isKnown) decoder.authenticated();
      const first = 'x'.repeat(most - 10);
      const inside = `a LOGIN {${first.length}${plus}}\r\n${first} {10${plus}}\r\n0123456789\r\n`;
      const over = `b LOGIN {${first.length}${plus}}\r\n${first} {11${plus}}\r\n${plus === '' ? '' : '0123456789a\r\n'}`;
      const all = pieces(decoder, [octetsOf(`${inside}${over}c NOOP\r\n`)]).filter((p) => !isContinue(p));
      assert.equal(all, [login('a', first, '0123456789'), malformed('b', 'literals too large'), tagged('NOOP', 'c')]);
    }
  });

const isContinue = (piece: { kind: string }): boolean =>
  piece.kind === 'command' && (piece as Piece<Command> & { kind: 'command' }).command.type === 'continue';

test('a command line may be as long as its limit, and one octet more is too long', () => {
  const line = (octets: number) => `a LOGIN ${'x'.repeat(octets - 'a LOGIN  y\r\n'.length)} y\r\n`;
  assert.is(line(MAX_TEXT_OCTETS).length, MAX_TEXT_OCTETS);
  const [whole] = read(line(MAX_TEXT_OCTETS));
  assert.ok(whole?.kind === 'command' && whole.command.type === 'LOGIN');
  assert.equal(read(`${line(MAX_TEXT_OCTETS + 1)}b NOOP\r\n`), [
    malformed('a', 'command too long'),
    tagged('NOOP', 'b'),
  ]);
});

test('the limit is on all lines of a command together', () => {
  const name = 'x'.repeat(MAX_TEXT_OCTETS - 100);
  assert.equal(read(`a LOGIN ${name} {1+}\r\nx${'x'.repeat(100)}\r\nb NOOP\r\n`), [
    malformed('a', 'command too long'),
    tagged('NOOP', 'b'),
  ]);
});

test('every session is read the same in every cut', () => {
  const text =
    'a LOGIN {3}\r\njoe {4+}\r\npass\r\nb APPEND x {4+}\r\na\r\nb (\\seen) ~{2}\r\n\0\0\r\nc AUTHENTICATE x\r\nAA==\r\n' +
    'd IDLE\r\nDONE\r\n\r\n{5+}\r\nabcdef NOOP\r\n+ x\r\ne APPEND "x {3+}\r\nabc\r\nf UID FETCH 1 (BODY[HEADER.FIELDS ({2+}\r\nto)])\r\n' +
    'g\r\rNOOP\r\nh NOOP {9999999+}\r\n';
  const whole = read(text);
  assert.is(whole.length, 20);
  for (let at = 0; at <= text.length; at += 1) assert.equal(readChunks(cut(octetsOf(text), [at / text.length])), whole);
  assert.equal(readChunks(oneByOne(octetsOf(text))), whole);
});

/** What matters to the cutter, and anything else. */
const wild = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          ...[
            '\r\n',
            '\r',
            '\n',
            ' ',
            'a ',
            'NOOP',
            'APPEND x ',
            'LOGIN ',
            '{3}',
            '{0}',
            '{2+}',
            '~{2+}',
            '{99999+}',
            '"',
            '\\',
          ],
          ...[
            '(',
            ')',
            'UID ',
            'FETCH ',
            'SEARCH ',
            'IDLE\r\n',
            'DONE',
            'AUTHENTICATE x',
            '*',
            '+',
            'BODY[',
            ']',
            '<0.1>',
            'NIL',
          ],
        ),
      },
      { weight: 1, arbitrary: fc.nat(255).map((octet) => String.fromCharCode(octet)) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => octetsOf(parts.join('')));

test('random octets never throw, and are read the same in every cut', () => {
  fc.assert(
    fc.property(wild, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), (octets, cuts) => {
      assert.equal(readChunks(cut(octets, cuts)), readChunks([octets]));
    }),
    { numRuns: 2000 },
  );
});

const filling = octetsOf(`${'x'.repeat(100_000)}\r\n`);

test('whatever comes, each line and each literal is accounted for: a NOOP at its end is understood', () => {
  fc.assert(
    fc.property(wild, (octets) => {
      const decoder = new ImapDecoder();
      const all = pieces(decoder, [octets, octetsOf('\r\n'), filling, octetsOf('z NOOP\r\n')]);
      assert.equal(all.at(-1), tagged('NOOP', 'z'));
    }),
    { numRuns: 300 },
  );
});

test.run();
