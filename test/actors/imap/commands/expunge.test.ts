/** EXPUNGE, CLOSE and UNSELECT against real owners. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Home, type ImapClient, inHouse, mail } from '../client.ts';

const selected = async (logIn: Home['logIn'], count: number): Promise<ImapClient> => {
  const ann = await logIn();
  for (let n = 1; n <= count; n++) await ann.append('INBOX', mail(`m${n}`));
  await ann.ok('SELECT INBOX');
  return ann;
};

test('EXPUNGE removes what is \\Deleted, as RFC 9051 §6.4.3 has it', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 11);
    await ann.ok('STORE 3,4,7,11 +FLAGS.SILENT (\\Deleted)');
    assert.equal(await ann.ok('EXPUNGE'), ['3 EXPUNGE', '3 EXPUNGE', '5 EXPUNGE', '8 EXPUNGE']);
    assert.equal(await ann.ok('EXPUNGE'), []);
    assert.equal(await ann.ok('NOOP'), []);
  });
});

test('UID EXPUNGE only of those (RFC 9051 §6.4.9)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 3);
    await ann.ok('STORE 1:2 +FLAGS.SILENT (\\Deleted)');
    assert.equal(await ann.ok('UID EXPUNGE 2:3'), ['2 EXPUNGE']);
  });
});

test('CLOSE expunges in silence, UNSELECT does not (RFC 9051 §6.4.1, §6.4.2)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 2);
    await ann.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await ann.ok('UNSELECT');
    assert.ok((await ann.ok('SELECT INBOX')).includes('2 EXISTS'));
    assert.equal(await ann.ok('CLOSE'), []);
    assert.ok((await ann.ok('SELECT INBOX')).includes('1 EXISTS'));
    await ann.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await ann.ok('EXAMINE INBOX');
    await ann.ok('CLOSE');
    assert.ok((await ann.ok('EXAMINE INBOX')).includes('1 EXISTS'), 'opened for reading only');
  });
});

test('without the right EXPUNGE is NO, and CLOSE expunges nothing and says nothing (RFC 4314 §4)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 1);
    await ann.ok('SETACL INBOX joe lrst');
    const joe = await logIn('joe');
    await joe.ok('SELECT user/ann');
    await joe.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    assert.match((await joe.ask('EXPUNGE')).tagged, /^NO \[NOPERM\]/);
    await joe.ok('CLOSE');
    assert.ok((await ann.ok('NOOP')).includes('1 FETCH (FLAGS (\\Deleted \\Recent))'));
  });
});

test('with QRESYNC it is VANISHED and HIGHESTMODSEQ (RFC 7162 §3.2.7), and CLOSE tells none (§3.2.8)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('ENABLE QRESYNC');
    for (let n = 1; n <= 4; n++) await ann.append('INBOX', mail(`m${n}`));
    await ann.ok('SELECT INBOX');
    await ann.ok('STORE 1:3 +FLAGS.SILENT (\\Deleted)');
    const { untagged, tagged } = await ann.ask('UID EXPUNGE 1:2');
    assert.equal(untagged, ['VANISHED 1:2']);
    assert.match(tagged, /^OK \[HIGHESTMODSEQ 7\]/);
    assert.match((await ann.ask('UID EXPUNGE 1:2')).tagged, /^OK [^[]/);
    assert.match((await ann.ask('CLOSE')).tagged, /^OK [^[]/);
  });
});

test.run();
