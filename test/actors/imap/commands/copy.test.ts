/** COPY and MOVE against real owners. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Home, type ImapClient, inHouse, mail } from '../client.ts';

const selected = async (logIn: Home['logIn'], count: number): Promise<ImapClient> => {
  const ann = await logIn();
  for (let n = 1; n <= count; n++)
    await ann.append('INBOX', mail(`m${n}`), `(\\Seen $k) "0${n}-Feb-2020 10:00:00 +0000" `);
  await ann.ok('CREATE box');
  await ann.ok('SELECT INBOX');
  return ann;
};
const TOLD = '(UID FLAGS INTERNALDATE)';

test('COPY keeps flags and dates, and says which became which (RFC 9051 §6.4.7, RFC 4315 §3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 3);
    const { untagged, tagged } = await ann.ask('COPY 1,3 box');
    assert.equal(untagged, []);
    assert.match(tagged, /^OK \[COPYUID \d+ 1,3 1:2\] /);
    assert.match((await ann.ask('UID COPY 7:9 box')).tagged, /^OK [^[]/);
    await ann.ok('SELECT box');
    assert.equal(await ann.ok(`FETCH 1:* ${TOLD}`), [
      '1 FETCH (UID 1 FLAGS (\\Seen \\Recent $k) INTERNALDATE " 1-Feb-2020 10:00:00 +0000")',
      '2 FETCH (UID 2 FLAGS (\\Seen \\Recent $k) INTERNALDATE " 3-Feb-2020 10:00:00 +0000")',
    ]);
  });
});

test('a destination that is not there could be made (RFC 9051 §6.4.7 TRYCREATE)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 1);
    assert.match((await ann.ask('COPY 1 nobox')).tagged, /^NO \[TRYCREATE\]/);
    assert.match((await ann.ask('MOVE 1 nobox')).tagged, /^NO \[TRYCREATE\]/);
    assert.match((await ann.ask('COPY 2 box')).tagged, /^BAD/);
  });
});

test('MOVE says COPYUID before the expunge (RFC 9051 §6.4.8)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 3);
    const { untagged, tagged } = await ann.ask('MOVE 2:3 box');
    assert.match(untagged[0]!, /^OK \[COPYUID \d+ 2:3 1:2\]/);
    assert.equal(untagged.slice(1), ['2 EXPUNGE', '2 EXPUNGE']);
    assert.match(tagged, /^OK [^[]/);
    assert.equal(await ann.ok('NOOP'), []);
  });
});

test('into the selected mailbox itself', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 2);
    assert.equal(await ann.ok('COPY 1 INBOX'), ['3 EXISTS', '3 RECENT']);
    const moved = await ann.ok('MOVE 1 INBOX');
    assert.equal(moved.slice(1), ['1 EXPUNGE', '3 EXISTS', '3 RECENT']);
    assert.equal(await ann.ok('FETCH 1:* UID'), ['1 FETCH (UID 2)', '2 FETCH (UID 3)', '3 FETCH (UID 4)']);
  });
});

test('by number, none is copied when one of them is gone (RFC 2180 §4.4.1)', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await selected(logIn, 2), await logIn()];
    await other.ok('SELECT INBOX');
    await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.ok('EXPUNGE');
    assert.equal(await ann.ok('STORE 2 +FLAGS.SILENT (\\Flagged)'), [], 'the expunge waits');
    assert.match((await ann.ask('COPY 1:2 box')).tagged, /^NO \[EXPUNGEISSUED\]/);
    assert.match((await ann.ask('UID COPY 1:2 box')).tagged, /^OK \[COPYUID \d+ 2 1\]/);
  });
});

for (const [command, to] of [
  ['COPY', 'box'],
  ['MOVE', 'box'],
  ['COPY', 'user/zoe/in'],
  ['MOVE', 'user/zoe/in'],
] as const)
  test(`${command} to ${to} by number while expunges are untold: that very message or none (RFC 2180 §4.4)`, async () => {
    await inHouse(async ({ logIn }) => {
      const [ann, other, zoe] = [await selected(logIn, 4), await logIn(), await logIn('zoe')];
      await zoe.ok('CREATE in');
      await zoe.ok('SETACL in ann lrswi');
      await other.ok('SELECT INBOX');
      const expunge = async (sequence: number) => {
        await other.ok(`STORE ${sequence} +FLAGS.SILENT (\\Deleted)`);
        await other.ok('EXPUNGE');
      };
      await expunge(1); // and the client still counts it
      const refused = await ann.ask(`${command} 1:2 ${to}`);
      assert.match(refused.tagged, /^NO \[EXPUNGEISSUED\]/);
      assert.equal(refused.untagged, ['1 EXPUNGE'], 'what is pending is told with it');
      assert.ok((await ann.ok(`STATUS ${to} (MESSAGES)`))[0]!.endsWith('(MESSAGES 0)'), 'none of them');
      await expunge(1); // UID 2, which the client counts as 1, so that UID 3 is its 2
      const { untagged, tagged } = await ann.ask(`${command} 2 ${to}`);
      assert.match(tagged, /^OK /);
      assert.match([...untagged, tagged].join(), /COPYUID \d+ 3 1\]/);
      assert.equal(
        untagged.filter((each) => each.endsWith('EXPUNGE')),
        command === 'COPY' ? ['1 EXPUNGE'] : ['1 EXPUNGE', '1 EXPUNGE'],
      );
      assert.equal(await ann.ok('UID SEARCH ALL'), [command === 'COPY' ? 'SEARCH 3 4' : 'SEARCH 4']);
      const uid = await ann.ask(`UID ${command} 1:9 ${to}`);
      assert.match(uid.tagged, /^OK /, 'by UID what is gone is passed over');
    });
  });

test('to other users and shared mailboxes by right, and without telling UIDs that may not be known', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, joe] = [await selected(logIn, 1), await logIn('joe')];
    await joe.ok('CREATE in');
    assert.match((await ann.ask('COPY 1 user/joe/in')).tagged, /^NO/);
    await joe.ok('SETACL in ann li');
    assert.match((await ann.ask('COPY 1 user/joe/in')).tagged, /^OK [^[]/, 'RFC 9051 §6.4.7: no COPYUID without r');
    await joe.ok('SETACL in ann lri');
    assert.match((await ann.ask('COPY 1 user/joe/in')).tagged, /^OK \[COPYUID \d+ 1 2\]/);
  });
});

test('to a mailbox that another mailHost keeps', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, zoe] = [await selected(logIn, 2), await logIn('zoe')];
    await ann.append('INBOX', mail('large', `${'y'.repeat(400_000)}\r\n`));
    await ann.ok('NOOP');
    await zoe.ok('CREATE in');
    assert.match((await ann.ask('COPY 1 user/zoe/in')).tagged, /^NO/);
    await zoe.ok('SETACL in ann lrswi');
    assert.match((await ann.ask('COPY 1,3 user/zoe/in')).tagged, /^OK \[COPYUID \d+ 1,3 1:2\]/);
    const moved = await ann.ok('MOVE 2 user/zoe/in');
    assert.match(moved[0]!, /^OK \[COPYUID \d+ 2 3\]/);
    assert.equal(moved.slice(1), ['2 EXPUNGE']);
    assert.equal(await ann.ok('FETCH 1:* UID'), ['1 FETCH (UID 1)', '2 FETCH (UID 3)']);
    await zoe.ok('SELECT in');
    const [first, second, third] = await zoe.ok('FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)');
    assert.match(first!, /FLAGS \(\\Seen \\Recent \$k\) INTERNALDATE " 1-Feb-2020 10:00:00 \+0000"/);
    assert.match(second!, new RegExp(`RFC822\\.SIZE ${mail('large').length + 400_002 - 7}\\)`));
    assert.match(third!, / 2-Feb-2020/);
  });
});

test.run();
