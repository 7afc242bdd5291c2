/** STORE and UID STORE against real owners. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Home, type ImapClient, inHouse, mail } from '../client.ts';

const selected = async (logIn: Home['logIn'], count: number): Promise<ImapClient> => {
  const ann = await logIn();
  for (let n = 1; n <= count; n++) await ann.append('INBOX', mail(`m${n}`));
  await ann.ok('SELECT INBOX');
  return ann;
};

test('flags are added, taken and replaced, and told unless .SILENT (RFC 9051 §6.4.6)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 2);
    assert.equal(await ann.ok('STORE 1:2 +FLAGS (\\Deleted $Work)'), [
      'FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)',
      'OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)] Flags that can be changed',
      '1 FETCH (FLAGS (\\Deleted \\Recent $Work))',
      '2 FETCH (FLAGS (\\Deleted \\Recent $Work))',
    ]);
    assert.equal(await ann.ok('STORE 1 -FLAGS $work'), ['1 FETCH (FLAGS (\\Deleted \\Recent))']);
    assert.equal(await ann.ok('UID STORE 2 FLAGS \\Seen'), ['2 FETCH (UID 2 FLAGS (\\Seen \\Recent))']);
    assert.equal(await ann.ok('STORE 1:2 FLAGS.SILENT (\\Flagged)'), []);
    assert.equal(await ann.ok('NOOP'), []);
    assert.equal(await ann.ok('FETCH 1:2 FLAGS'), [
      '1 FETCH (FLAGS (\\Flagged \\Recent))',
      '2 FETCH (FLAGS (\\Flagged \\Recent))',
    ]);
  });
});

test('what has the flags already is told too, as if it were fetched', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 2);
    await ann.ok('STORE 2 +FLAGS.SILENT (\\Seen)');
    assert.equal(await ann.ok('STORE 1:2 +FLAGS (\\Seen)'), [
      '1 FETCH (FLAGS (\\Seen \\Recent))',
      '2 FETCH (FLAGS (\\Seen \\Recent))',
    ]);
  });
});

test('\\Recent can not be changed, other system flags do not exist', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await selected(logIn, 1);
    assert.equal(await ann.ok('STORE 1 FLAGS (\\Recent \\Seen)'), ['1 FETCH (FLAGS (\\Seen \\Recent))']);
    assert.match((await ann.ask('STORE 1 +FLAGS (\\Nonesuch)')).tagged, /^BAD/);
  });
});

test('UNCHANGEDSINCE leaves alone what changed since, and says which (RFC 7162 §3.1.3)', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await selected(logIn, 3), await logIn()];
    await other.ok('SELECT INBOX');
    await other.ok('STORE 2 +FLAGS.SILENT (\\Flagged)');
    const { untagged, tagged } = await ann.ask('STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Deleted)');
    assert.equal(untagged.slice(1), [
      '1 FETCH (UID 1 MODSEQ (6))',
      '2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) MODSEQ (5))',
      '3 FETCH (UID 3 MODSEQ (6))',
    ]);
    assert.match(tagged, /^OK \[MODIFIED 2\] /);
    assert.match(
      (await ann.ask('UID STORE 3 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)')).tagged,
      /^OK \[MODIFIED 3\] /,
    );
    assert.equal(await ann.ok('NOOP'), []);
  });
});

test('messages that another session expunged: the others are changed, and the answer is NO (RFC 2180 §4.2)', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await selected(logIn, 2), await logIn()];
    await other.ok('SELECT INBOX');
    await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.ok('EXPUNGE');
    const loud = await ann.ask('STORE 1:2 +FLAGS (\\Seen)');
    assert.equal(loud.untagged, ['2 FETCH (FLAGS (\\Seen \\Recent))']);
    assert.match(loud.tagged, /^NO \[EXPUNGEISSUED\]/);
    assert.equal(await ann.ok('STORE 1:2 +FLAGS.SILENT (\\Flagged)'), []);
    assert.equal(await ann.ok('UID STORE 1:2 -FLAGS (\\Seen)'), [
      '2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))',
      '1 EXPUNGE',
    ]);
  });
});

test('more messages than one request may name', async () => {
  await inHouse(async ({ logIn, deliver }) => {
    for (let n = 0; n < 3; n++) await deliver('ann', mail('one'));
    const ann = await selected(logIn, 0);
    // Copies into the very mailbox, until there are enough: 3 * 2^10.
    for (let n = 0; n < 10; n++) await ann.ok('COPY 1:* INBOX');
    const told = await ann.ok('STORE 1:* +FLAGS (\\Deleted)');
    assert.is(told.length, 3_072);
    assert.equal(told.at(-1), '3072 FETCH (FLAGS (\\Deleted \\Recent))');
    assert.equal(await ann.ok('UID SEARCH RETURN (COUNT) DELETED'), ['ESEARCH (TAG "t14") UID COUNT 3072']);
    const gone = await ann.ok('UID EXPUNGE 2:3071');
    assert.is(gone.length, 3_070);
    assert.equal(await ann.ok('FETCH 1:* UID'), ['1 FETCH (UID 1)', '2 FETCH (UID 3072)']);
  });
});

test.run();
