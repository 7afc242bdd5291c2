/** APPEND against real owners. */
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inHouse, mail } from '../client.ts';

test('APPEND keeps flags, date and octets, and says the UID (RFC 9051 §6.3.12, RFC 4315 §3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('SELECT INBOX');
    const { untagged, tagged } = await ann.append(
      'INBOX',
      mail('one'),
      '(\\Draft \\Recent $k) " 2-Mar-2020 01:02:03 +0200" ',
    );
    assert.match(tagged, /^OK \[APPENDUID \d+ 1\] /);
    assert.ok(untagged.includes('1 EXISTS'), 'it is told at once');
    assert.equal(await ann.ok('FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])'), [
      `1 FETCH (FLAGS (\\Draft \\Recent $k) INTERNALDATE " 1-Mar-2020 23:02:03 +0000" BODY[] {${mail('one').length}}\r\n${mail('one')})`,
    ]);
  });
});

test('a client that waits for the go-ahead gets it, or the refusal before it has sent anything', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    const text = mail('one');
    const tag = ann.say(`APPEND INBOX {${text.length}}`);
    assert.match((await ann.response())!, /^\+ /);
    ann.send(`${text}\r\n`);
    assert.match((await ann.answer(tag)).tagged, /^OK/);
    const refused = ann.say('APPEND nobox {200000}');
    assert.match((await ann.answer(refused)).tagged, /^NO \[TRYCREATE\]/);
    assert.match((await ann.append('nobox', text)).tagged, /^NO \[TRYCREATE\]/);
    await ann.ok('NOOP');
  });
});

test('a large message is stored part by part', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    const text = mail('large', randomBytes(700_000).toString('base64').replaceAll(/.{76}/g, '$&\r\n'));
    assert.match((await ann.append('INBOX', text)).tagged, /^OK \[APPENDUID/);
    await ann.ok('SELECT INBOX');
    const [told] = await ann.ok('FETCH 1 BODY.PEEK[]');
    assert.ok(told === `1 FETCH (BODY[] {${text.length}}\r\n${text})`, 'the same octets');
  });
});

test('several messages, small and large: all or none (RFC 3502)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    const texts = [mail('one'), mail('two', `${'y'.repeat(300_000)}\r\n`), mail('three')];
    const literals = texts.map((text, n) => `${n === 1 ? '(\\Seen) ' : ''}{${text.length}+}\r\n${text}`).join(' ');
    assert.match((await ann.ask(`APPEND INBOX ${literals}`)).tagged, /^OK \[APPENDUID \d+ 1:3\] /);
    await ann.ok('SELECT INBOX');
    assert.equal(await ann.ok('FETCH 1:* (FLAGS RFC822.SIZE)'), [
      `1 FETCH (FLAGS (\\Recent) RFC822.SIZE ${texts[0]!.length})`,
      `2 FETCH (FLAGS (\\Seen \\Recent) RFC822.SIZE ${texts[1]!.length})`,
      `3 FETCH (FLAGS (\\Recent) RFC822.SIZE ${texts[2]!.length})`,
    ]);
    const bad = `{${texts[0]!.length}+}\r\n${texts[0]} {5+}\r\nbare\n`;
    assert.match((await ann.ask(`APPEND INBOX ${bad}`)).tagged, /^NO/);
    assert.match((await ann.ask(`APPEND INBOX {${texts[0]!.length}+}\r\n${texts[0]} {0+}\r\n`)).tagged, /^NO/);
    assert.equal(await ann.ok('NOOP'), [], 'none was appended');
  });
});

test('what is no message of lines is refused, unless it is sent as literal8 (RFC 3516 §4.4)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    assert.match((await ann.append('INBOX', 'Subject: x\n\nbare\n')).tagged, /^NO/);
    assert.match((await ann.append('INBOX', 'Subject: x\r\n\r\n\0\r\n')).tagged, /^NO/);
    assert.match((await ann.append('INBOX', mail('x'), '(\\Nonesuch) ')).tagged, /^BAD/);
    const binary = 'Subject: x\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n';
    assert.match((await ann.ask(`APPEND INBOX ~{${binary.length}+}\r\n${binary}`)).tagged, /^OK/);
    await ann.ok('SELECT INBOX');
    assert.equal(await ann.ok('FETCH 1 BINARY.PEEK[1]'), ['1 FETCH (BINARY[1] ~{2}\r\n\0\n)']);
  });
});

test('to mailboxes of others by right; what flags are kept too (RFC 4314 §4)', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, zoe] = [await logIn(), await logIn('zoe')];
    await zoe.ok('CREATE in');
    assert.match((await ann.append('user/zoe/in', mail('x'))).tagged, /^NO/);
    await zoe.ok('SETACL in ann lis');
    assert.match((await ann.append('user/zoe/in', mail('x'), '(\\Seen \\Flagged) ')).tagged, /^OK [^[]/);
    await zoe.ok('SELECT in');
    assert.equal(await zoe.ok('FETCH 1 FLAGS'), ['1 FETCH (FLAGS (\\Seen \\Recent))']);
  });
});

test('what was put aside for an APPEND that is refused is given up at once', async () => {
  await inHouse(async ({ logIn, bus }) => {
    const ask = bus.ask.bind(bus);
    const held = new Set<string>();
    bus.ask = async (subject, request, options) => {
      const answer = await ask(subject, request, options);
      const { stage, stages = [] } = request as { stage?: string; stages?: readonly string[] };
      if (subject.endsWith('.stage')) held.add(stage!);
      if (subject.endsWith('.drop-stages')) for (const each of stages) held.delete(each);
      return answer;
    };
    const ann = await logIn();
    const large = mail('x', `${'y'.repeat(300_000)}\r\n`);
    const none = async (what: string) => {
      await ann.ok('NOOP');
      for (let turns = 0; held.size > 0 && turns < 100; turns++) await turn();
      assert.is(held.size, 0, what);
    };
    assert.match((await ann.append('INBOX', `${large}\0\r\n`)).tagged, /^NO/);
    await none('NUL');
    assert.match((await ann.append('INBOX', `${large}\n\r\n`)).tagged, /^NO/);
    await none('bare LF');
    assert.match((await ann.ask(`APPEND INBOX {${large.length}+}\r\n${large} {0+}\r\n`)).tagged, /^NO/);
    await none('given up by the client');
    assert.match((await ann.ask(`APPEND INBOX {${large.length}+}\r\n${large} nonsense`)).tagged, /^BAD/);
    await none('malformed');
    assert.match((await ann.append('nobox', large.slice(0, 600))).tagged, /^NO/);
    await none('refused at the end');
    assert.match((await ann.append('INBOX', large)).tagged, /^OK/);
    held.clear();
    const dropping = bus.ask;
    bus.ask = (subject, request, options) =>
      subject.endsWith('.append')
        ? Promise.resolve({ ok: false, refusal: 'over-quota' })
        : dropping(subject, request, options);
    assert.match((await ann.append('INBOX', large)).tagged, /^NO \[OVERQUOTA\]/);
    assert.is(held.size, 0, 'before it is told that it was refused at the end');
  });
});

test('a client that vanishes in the middle leaves nothing behind', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await logIn(), await logIn()];
    ann.say(`APPEND INBOX {500000+}\r\n${'x'.repeat(300_000)}`);
    await ann.close();
    assert.ok((await other.ok('SELECT INBOX')).includes('0 EXISTS'));
  });
});

test.run();
