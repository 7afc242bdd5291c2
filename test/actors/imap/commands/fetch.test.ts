/** FETCH and UID FETCH against real owners. */
import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ImapClient, inHouse, mail } from '../client.ts';

/** One message of several parts, one of them a message, one with an encoding that nobody knows. */
const NESTED = [
  'From: ann@example.test',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  'preamble',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: base64',
  '',
  'aGVsbG8gd29ybGQNCg==',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'From: joe@example.test',
  'Subject: inner',
  '',
  'inner text',
  '--b',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: x-own',
  '',
  'secret',
  '--b--',
  '',
].join('\r\n');

const selected = async (logIn: () => Promise<ImapClient>, ...texts: string[]): Promise<ImapClient> => {
  const ann = await logIn();
  for (const text of texts) assert.match((await ann.append('INBOX', text)).tagged, /^OK/);
  await ann.ok('SELECT INBOX');
  return ann;
};
const literal = (text: string) => `{${text.length}}\r\n${text}`;

test('sections are octets of the message, and NIL where there is none (RFC 9051 §6.4.5.1)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, NESTED);
    const part = async (section: string) => {
      const [told] = await ann.ok(`FETCH 1 BODY.PEEK[${section}]`);
      return told!.slice(`1 FETCH (BODY[${section}] `.length, -1);
    };
    assert.is(await part(''), literal(NESTED));
    assert.is(await part('1'), literal('aGVsbG8gd29ybGQNCg=='));
    assert.is(await part('2.HEADER'), literal('From: joe@example.test\r\nSubject: inner\r\n\r\n'));
    assert.is(await part('2.TEXT'), literal('inner text'));
    assert.is(await part('2.1'), literal('inner text'));
    assert.is(await part('2.MIME'), literal('Content-Type: message/rfc822\r\n\r\n'));
    assert.is(await part('4'), 'NIL');
    assert.is(await part('HEADER.FIELDS (subject X-NOT)'), literal('Subject: parts\r\n\r\n'));
    const rest = NESTED.slice(0, NESTED.indexOf('\r\n\r\n') + 4).replace('Subject: parts\r\n', '');
    assert.is(await part('HEADER.FIELDS.NOT (SUBJECT)'), literal(rest));
  });
});

test('a partial is told by its beginning; behind the end there is nothing (RFC 9051 §6.4.5)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, mail('one', 'abcdef\r\n'));
    assert.equal(await ann.ok('FETCH 1 (BODY.PEEK[TEXT]<0.3> BODY.PEEK[TEXT]<4.99> BODY.PEEK[TEXT]<8.1>)'), [
      '1 FETCH (BODY[TEXT]<0> {3}\r\nabc BODY[TEXT]<4> {4}\r\nef\r\n BODY[TEXT]<8> {0}\r\n)',
    ]);
    assert.equal(await ann.ok('FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]<9.3>'), [
      '1 FETCH (BODY[HEADER.FIELDS (SUBJECT)]<9> {3}\r\none)',
    ]);
  });
});

test('the message begins with the lines that delivery put before it', async () => {
  await inHouse(async ({ logIn, deliver }) => {
    await deliver('ann', mail('one', 'hello\r\n'));
    const ann = await selected(logIn);
    const [whole] = await ann.ok('FETCH 1 (RFC822.SIZE BODY.PEEK[])');
    const [, size, octets] = /RFC822\.SIZE (\d+) BODY\[\] \{\d+\}\r\n([\s\S]*)\)$/.exec(whole!)!;
    assert.is(octets!.length, Number(size));
    assert.match(octets!, /^Return-Path: <>\r\n/);
    const [header] = await ann.ok('FETCH 1 BODY.PEEK[HEADER]');
    const [text] = await ann.ok('FETCH 1 BODY.PEEK[TEXT]');
    const contentOf = (told: string) => told.slice(told.indexOf('\r\n') + 2, -1);
    assert.is(contentOf(header!) + contentOf(text!), octets);
    assert.match(
      contentOf((await ann.ok('FETCH 1 BODY.PEEK[HEADER.FIELDS (RETURN-PATH)]'))[0]!),
      /^Return-Path: <>\r\n/,
    );
    assert.match((await ann.ok('FETCH 1 BODY.PEEK[1.MIME]'))[0]!, /Return-Path/);
  });
});

test('\\Seen is set and told with what sets it, once (RFC 9051 §6.4.5)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, mail('one'), mail('two'));
    assert.match((await ann.ok('FETCH 1 BODY.PEEK[TEXT]'))[0]!, /^1 FETCH \(BODY\[TEXT\]/);
    assert.match((await ann.ok('FETCH 1 RFC822.HEADER'))[0]!, /^1 FETCH \(RFC822\.HEADER/);
    assert.match((await ann.ok('FETCH 1 BODY[TEXT]'))[0]!, /^1 FETCH \(FLAGS \(\\Seen \\Recent\) BODY\[TEXT\]/);
    assert.match((await ann.ok('FETCH 1 BODY[TEXT]'))[0]!, /^1 FETCH \(BODY\[TEXT\]/);
    assert.equal(await ann.ok('NOOP'), []);
    await ann.ok('FETCH 2 (MODSEQ)'); // from now on the client knows of mod-sequences: RFC 7162 §3.2.4
    assert.match(
      (await ann.ok('FETCH 2 RFC822'))[0]!,
      /^2 FETCH \(UID 2 FLAGS \(\\Seen \\Recent\) MODSEQ \(5\) RFC822 /,
    );
  });
});

test('without the right \\Seen stays as it is (RFC 4314 §4)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, mail('one'));
    await ann.ok('SETACL INBOX joe lr');
    const joe = await logIn('joe');
    assert.match((await joe.ask('SELECT user/ann')).tagged, /^OK \[READ-ONLY\]/);
    assert.match((await joe.ok('FETCH 1 BODY[TEXT]'))[0]!, /^1 FETCH \(BODY\[TEXT\]/);
    assert.match((await joe.ask('STORE 1 +FLAGS (\\Seen)')).tagged, /^NO \[NOPERM\]/);
  });
});

test('BINARY is without its encoding, and one that is not known is NO (RFC 9051 §6.4.5)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, NESTED);
    assert.equal(await ann.ok('FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.PEEK[1]<6.5>)'), [
      '1 FETCH (BINARY.SIZE[1] 13 BINARY[1] {13}\r\nhello world\r\n BINARY[1]<6> {5}\r\nworld)',
    ]);
    const unknown = await ann.ask('FETCH 1 (UID BINARY.PEEK[3])');
    assert.equal(unknown.untagged, ['1 FETCH (UID 1)']);
    assert.match(unknown.tagged, /^NO \[UNKNOWN-CTE\]/);
  });
});

test('large messages flow: whole, in part, by field and decoded', async () => {
  await inHouse(async ({ logIn }) => {
    const octets = randomBytes(600_000);
    const lines = octets.toString('base64').replaceAll(/.{76}/g, '$&\r\n');
    const fields = Array.from({ length: 2_000 }, (_, n) => `X-Field: ${n} ${'x'.repeat(40)}\r\n`).join('');
    const text = mail('large', lines, `MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n${fields}`);
    const ann = await selected(logIn, text);
    const content = async (item: string) => {
      const [told] = await ann.ok(`FETCH 1 ${item}`);
      const [head] = /\{\d+\}\r\n/.exec(told!)!;
      return told!.slice(told!.indexOf(head) + head.length, -1);
    };
    const isSame = (heard: string, wanted: string) =>
      assert.ok(heard === wanted, `${heard.length} octets, not the ${wanted.length}: ${heard.slice(0, 99)}`);
    isSame(await content('BODY.PEEK[]'), text);
    isSame(await content('BODY.PEEK[TEXT]<70001.200000>'), lines.slice(70_001, 270_001));
    isSame(await content('BODY.PEEK[HEADER.FIELDS (X-FIELD)]'), `${fields}\r\n`);
    isSame(await content('BODY.PEEK[HEADER.FIELDS.NOT (X-FIELD)]<0.20>'), text.slice(0, 20));
    isSame(await content('BINARY.PEEK[1]'), octets.toString('latin1'));
    isSame(await content('BINARY.PEEK[1]<100000.70000>'), octets.subarray(100_000, 170_000).toString('latin1'));
    assert.equal(await ann.ok('FETCH 1 BINARY.SIZE[1]'), ['1 FETCH (BINARY.SIZE[1] 600000)']);
  });
});

test('many messages with small and large contents come in their order', async () => {
  await inHouse(async ({ logIn }) => {
    const texts = Array.from({ length: 30 }, (_, n) =>
      mail(`m${n}`, `${'x'.repeat(n % 7 === 3 ? 90_000 : n * 50)}\r\n`),
    );
    const ann = await selected(logIn, ...texts);
    const told = await ann.ok('UID FETCH 1:* (BODY[] BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
    assert.is(told.length, 30);
    for (const [n, each] of told.entries()) {
      const wanted = `${n + 1} FETCH (UID ${n + 1} FLAGS (\\Seen \\Recent) BODY[] ${literal(texts[n]!)} BODY[HEADER.FIELDS (SUBJECT)] ${literal(`Subject: m${n}\r\n\r\n`)})`;
      assert.ok(each === wanted, `message ${n + 1}`);
    }
  });
});

test('the other items are told as they are kept', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.append('INBOX', mail('one'), '(\\Draft $Work) "01-Feb-2020 10:00:00 +0100" ');
    await ann.ok('SELECT INBOX');
    const [told] = await ann.ok('FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID SAVEDATE PREVIEW BODY)');
    assert.match(
      told!,
      /^1 FETCH \(FLAGS \(\\Draft \\Recent \$Work\) INTERNALDATE " 1-Feb-2020 09:00:00 \+0000" RFC822\.SIZE 145 /,
    );
    assert.match(told!, / EMAILID \(M[\w-]+-1\) THREADID NIL SAVEDATE "[^"]+" PREVIEW "hello" BODY \("text" "plain" /i);
    await ann.ok('CREATE box');
    await ann.ok('COPY 1 box');
    const emailId = /EMAILID \(([^)]+)\)/.exec(told!)![1]!;
    assert.match((await ann.ok(`UID SEARCH EMAILID ${emailId}`))[0]!, /^SEARCH 1$/);
    await ann.ok('SELECT box');
    assert.match(
      (await ann.ok('FETCH 1 EMAILID'))[0]!,
      new RegExp(`\\(${emailId}\\)`),
      'RFC 8474 §5.1: a copy has the same',
    );
    assert.match((await ann.ok(`UID SEARCH EMAILID ${emailId}`))[0]!, /^SEARCH 1$/);
    assert.match((await ann.ok('UID SEARCH EMAILID Mnone'))[0]!, /^SEARCH$/);
  });
});

test('a number that no message has is BAD, a UID is passed over (RFC 9051 §6.4.9)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, mail('one'));
    assert.match((await ann.ask('FETCH 1:2 UID')).tagged, /^BAD/);
    assert.equal(await ann.ok('UID FETCH 7:9 FLAGS'), []);
    assert.equal(await ann.ok('UID FETCH 7:* UID'), ['1 FETCH (UID 1)']);
  });
});

test('CHANGEDSINCE tells only what changed, with MODSEQ, and is CONDSTORE enabling (RFC 7162 §3.1)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, mail('one'), mail('two'), mail('three'));
    await ann.ok('STORE 2 +FLAGS.SILENT (\\Flagged)');
    assert.equal(await ann.ok('FETCH 1:* (FLAGS) (CHANGEDSINCE 3)'), [
      'OK [HIGHESTMODSEQ 5] Highest',
      '2 FETCH (FLAGS (\\Flagged \\Recent) MODSEQ (5))',
      '3 FETCH (FLAGS (\\Recent) MODSEQ (4))',
    ]);
    assert.equal(await ann.ok('STORE 1 +FLAGS.SILENT (\\Seen)'), ['1 FETCH (UID 1 MODSEQ (6))']);
    assert.match((await ann.ask('UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3 VANISHED)')).tagged, /^BAD/);
  });
});

test('a new owner in the middle of it changes nothing of what is told', async () => {
  await inHouse(async ({ logIn, takeOver }) => {
    const large = mail('large', `${'y'.repeat(1_500_000)}\r\n`);
    const texts = [large, ...Array.from({ length: 20 }, (_, n) => mail(`m${n}`, `${'x'.repeat(30_000)}\r\n`)), large];
    const ann = await selected(logIn, ...texts);
    ann.wire.stall();
    const tag = ann.say('FETCH 1:* BODY[]');
    await takeOver('n1');
    ann.wire.resume();
    const { untagged, tagged } = await ann.answer(tag);
    assert.match(tagged, /^OK/);
    for (const [n, text] of texts.entries())
      assert.ok(untagged[n] === `${n + 1} FETCH (FLAGS (\\Seen \\Recent) BODY[] ${literal(text)})`, `message ${n + 1}`);
  });
});

test('a client that goes in the middle of it holds nobody up', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, mail('large', `${'y'.repeat(2_000_000)}\r\n`));
    ann.wire.stall();
    ann.say('FETCH 1 BODY[]');
    await ann.close();
    const other = await logIn();
    await other.ok('SELECT INBOX');
    assert.match((await other.ok('FETCH 1 BODY.PEEK[]<0.1>'))[0]!, /^1 FETCH/);
  });
});

for (const command of [
  'FETCH 1 FLAGS',
  'FETCH 1 BODY[TEXT]',
  'UID FETCH 1 (BODY[TEXT] UID)',
  'STORE 1 +FLAGS (\\Flagged)',
  'NOOP',
])
  test(`a keyword of which the client has not heard is told before the FETCH that shows it: ${command} (RFC 9051 §7.3.5)`, async () => {
    await inHouse(async ({ logIn, bus }) => {
      const [ann, other] = [await logIn(), await logIn()];
      await ann.append('INBOX', mail('one'));
      await ann.ok('SELECT INBOX');
      await other.ok('SELECT INBOX');
      const publish = bus.publish.bind(bus);
      if (command !== 'NOOP') bus.publish = () => {}; // no event wakes the view before the command reads the message
      await other.ok('STORE 1 +FLAGS ($New \\Flagged)');
      bus.publish = publish;
      const told = await ann.ok(command);
      const shown = told.findIndex((each) => / FETCH .*\$New/s.test(each));
      assert.ok(shown >= 2, told.join('; '));
      assert.match(told[shown - 2]!, /^FLAGS \(.*\$New\)$/);
      assert.match(told[shown - 1]!, /^OK \[PERMANENTFLAGS \(.*\$New.*\)\]/);
      assert.not(
        (await ann.ok('FETCH 1 FLAGS')).some((each) => each.startsWith('FLAGS')),
        'once',
      );
    });
  });

test.run();
