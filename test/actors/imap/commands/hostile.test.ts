/** Commands made to cost more than they should: RFC 9051 §11 and what attackers do. Against real owners. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Home, type ImapClient, inHouse, mail } from '../client.ts';

const selected = async (logIn: Home['logIn'], count: number): Promise<ImapClient> => {
  const ann = await logIn();
  for (let n = 1; n <= count; n++) await ann.append('INBOX', mail(`m${n}`));
  await ann.ok('SELECT INBOX');
  return ann;
};
/** Far less than the time after which an owner is given up. */
const quickly = async (ask: () => Promise<unknown>) => {
  const begun = Date.now();
  await ask();
  assert.ok(Date.now() - begun < 5_000, 'in bounded time');
};

test('sets of thousands of ranges, overlapping, backwards and far beyond', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 3);
    const many = Array.from({ length: 2_000 }, (_, n) => `${n + 1}:${n % 3 === 0 ? 1 : 4_294_967_295}`).join(',');
    const odd = Array.from({ length: 5_000 }, (_, n) => 2 * n + 1).join(',');
    await quickly(async () => {
      assert.is((await ann.ok(`UID FETCH ${many} FLAGS`)).length, 3);
      assert.is((await ann.ok(`UID STORE ${odd} +FLAGS (\\Seen)`)).length, 2);
      assert.match((await ann.ask(`UID COPY ${odd} INBOX`)).tagged, /^OK \[COPYUID \d+ 1,3 4:5\]/);
      assert.match((await ann.ask(`FETCH ${many} FLAGS`)).tagged, /^BAD/);
      assert.is((await ann.ok(`UID SEARCH UID ${odd} NOT UID ${many}`))[0], 'SEARCH');
      assert.match((await ann.ask(`UID EXPUNGE ${odd}`)).tagged, /^OK/);
    });
  });
});

test('QRESYNC with sets that would take for ever to go through', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('ENABLE QRESYNC');
    await ann.append('INBOX', mail('one'));
    const uidValidity = /UIDVALIDITY (\d+)/.exec((await ann.ok('SELECT INBOX')).join())![1];
    const all = '1:4294967295';
    await quickly(async () => {
      const told = await ann.ok(`SELECT INBOX (QRESYNC (${uidValidity} 1 ${all} (${all} ${all})))`);
      assert.ok(told.includes('1 FETCH (UID 1 FLAGS () MODSEQ (2))'));
      await ann.ok(`UID FETCH ${all} (FLAGS) (CHANGEDSINCE 1 VANISHED)`);
      await ann.ok(`UID FETCH ${all} (FLAGS) (CHANGEDSINCE 9223372036854775807 VANISHED)`);
    });
  });
});

test('keywords, dates and numbers that nothing can hold are refused at once', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 1);
    await quickly(async () => {
      assert.match((await ann.ask(`STORE 1 +FLAGS (${'k'.repeat(2_000)})`)).tagged, /^NO \[LIMIT\]/);
      const many = Array.from({ length: 2_000 }, (_, n) => `k${n}`).join(' ');
      assert.match((await ann.ask(`STORE 1 +FLAGS (${many})`)).tagged, /^(NO|BAD)/);
      assert.match((await ann.append('INBOX', mail('x'), `(${many}) `)).tagged, /^(NO|BAD)/);
      assert.match((await ann.append('INBOX', mail('x'), '"01-Jan-1900 00:00:00 +0000" ')).tagged, /^OK/);
      assert.is((await ann.ok(`SEARCH KEYWORD ${'k'.repeat(5_000)}`))[0], 'SEARCH');
      assert.is((await ann.ok('SEARCH OLDER 4294967295'))[0], 'SEARCH');
      assert.is((await ann.ok('SEARCH UNKEYWORD x LARGER 4294967295 SINCE 1-Jan-9999'))[0], 'SEARCH');
    });
  });
});

test('a search of a thousand keys, and of a hundred in each other', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 2);
    await quickly(async () => {
      assert.is((await ann.ok(`SEARCH ${'NOT SEEN '.repeat(900).trim()}`))[0], 'SEARCH 1 2');
      assert.is((await ann.ok(`SEARCH ${'('.repeat(90)}ALL${')'.repeat(90)}`))[0], 'SEARCH 1 2');
      assert.match((await ann.ask(`SEARCH ${'NOT '.repeat(20_000)}SEEN`)).tagged, /^(BAD|NO)/);
      assert.match((await ann.ask(`SEARCH ${'SUBJECT x '.repeat(5_000).trim()}`)).tagged, /^(BAD|NO)/);
    });
  });
});

test('an annotation above the limit is told the limit (RFC 5464 §4.3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 1);
    const set = (octets: number) =>
      ann.ask(`SETMETADATA INBOX (/private/comment ~{${octets}+}\r\n${'x'.repeat(octets)})`);
    assert.match((await set(65_537)).tagged, /^NO \[METADATA MAXSIZE 65536\]/);
    assert.match((await set(65_536)).tagged, /^OK/);
  });
});

test('items asked for a thousand times over', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 2);
    await quickly(async () => {
      const { tagged } = await ann.ask(`FETCH 1:2 (${'BODY.PEEK[] '.repeat(1_000).trim()})`);
      assert.match(tagged, /^(OK|BAD)/);
      assert.match((await ann.ask(`FETCH 1 BODY.PEEK[${'1.'.repeat(500)}1]`)).tagged, /^(OK|BAD)/);
    });
  });
});

test.run();
