/** Clients that come back: RFC 7162 §3.2. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Home, type ImapClient, inHouse, mail } from '../client.ts';

/** Eight messages; UIDs 2, 3 and 7 are expunged, 5 is flagged, since mod-sequence 9. */
const changed = async (logIn: Home['logIn']): Promise<{ ann: ImapClient; uidValidity: string }> => {
  const ann = await logIn();
  await ann.ok('ENABLE QRESYNC');
  for (let n = 1; n <= 8; n++) await ann.append('INBOX', mail(`m${n}`));
  const untagged = await ann.ok('SELECT INBOX');
  assert.ok(untagged.some((each) => each.startsWith('OK [HIGHESTMODSEQ 9]')));
  await ann.ok('UID STORE 2:3,7 +FLAGS.SILENT (\\Deleted)');
  await ann.ok('EXPUNGE');
  await ann.ok('UID STORE 5 +FLAGS.SILENT (\\Flagged)');
  return { ann, uidValidity: /UIDVALIDITY (\d+)/.exec(untagged.join())![1]! };
};
const news = (untagged: readonly string[]) => untagged.filter((each) => /^VANISHED|FETCH/.test(each));

test('SELECT with QRESYNC tells what vanished and changed since', async () => {
  await inHouse(async ({ logIn }) => {
    const { ann, uidValidity } = await changed(logIn);
    const told = await ann.ok(`SELECT INBOX (QRESYNC (${uidValidity} 9))`);
    assert.match(told[0]!, /^OK \[CLOSED\]/);
    assert.equal(news(told), ['VANISHED (EARLIER) 2:3,7', '3 FETCH (UID 5 FLAGS (\\Flagged) MODSEQ (12))']);
    assert.ok(told.indexOf('VANISHED (EARLIER) 2:3,7') > told.indexOf('5 EXISTS'));
    assert.equal(news(await ann.ok(`SELECT INBOX (QRESYNC (${uidValidity} 9 1:4))`)), ['VANISHED (EARLIER) 2:3']);
    assert.equal(news(await ann.ok(`SELECT INBOX (QRESYNC (${uidValidity} 12))`)), []);
    assert.equal(news(await ann.ok('SELECT INBOX (QRESYNC (1 9))')), [], 'of another mailbox');
  });
});

test('it has to be enabled (RFC 7162 §3.2.3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    assert.match((await ann.ask('SELECT INBOX (QRESYNC (1 1))')).tagged, /^BAD/);
  });
});

test('UID FETCH with VANISHED tells what vanished before any FETCH (RFC 7162 §3.2.6)', async () => {
  await inHouse(async ({ logIn }) => {
    const { ann } = await changed(logIn);
    assert.equal(await ann.ok('UID FETCH 1:8 (FLAGS) (CHANGEDSINCE 9 VANISHED)'), [
      'VANISHED (EARLIER) 2:3,7',
      '3 FETCH (UID 5 FLAGS (\\Flagged \\Recent) MODSEQ (12))',
    ]);
    assert.equal(await ann.ok('UID FETCH 7:8 (FLAGS) (CHANGEDSINCE 9 VANISHED)'), ['VANISHED (EARLIER) 7']);
  });
});

test('`*` reaches the last UID that ever was, in an empty mailbox too (RFC 7162 §3.2.6)', async () => {
  await inHouse(async ({ logIn }) => {
    const { ann } = await changed(logIn);
    await ann.ok('UID STORE 8 +FLAGS.SILENT (\\Deleted)');
    await ann.ok('EXPUNGE');
    assert.equal(news(await ann.ok('UID FETCH 7:* (FLAGS) (CHANGEDSINCE 9 VANISHED)')), ['VANISHED (EARLIER) 7:8']);
    assert.equal(news(await ann.ok('UID FETCH * (UID) (CHANGEDSINCE 9 VANISHED)')), ['VANISHED (EARLIER) 8']);
    await ann.ok('UID STORE 1:* +FLAGS.SILENT (\\Deleted)');
    await ann.ok('EXPUNGE');
    for (const set of ['1:*', '*:1', '1:99'])
      assert.equal(await ann.ok(`UID FETCH ${set} (FLAGS) (CHANGEDSINCE 9 VANISHED)`), ['VANISHED (EARLIER) 1:8'], set);
  });
});

test('what vanished in another session is told without EARLIER, and where numbers may shift', async () => {
  await inHouse(async ({ logIn }) => {
    const [{ ann }, other] = [await changed(logIn), await logIn()];
    await other.ok('SELECT INBOX');
    await other.ok('UID STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.ok('EXPUNGE');
    await other.ok('UID STORE 4 +FLAGS.SILENT (\\Seen)');
    const waiting = await ann.ok('FETCH 2 UID');
    assert.equal(waiting.slice(0, 2), ['2 FETCH (UID 4)', '2 FETCH (UID 4 FLAGS (\\Seen \\Recent) MODSEQ (15))']);
    assert.match(waiting[2]!, /^OK \[HIGHESTMODSEQ 12\]/, 'RFC 7162 §3.2: below that of the expunge that waits');
    const told = await ann.ok('NOOP');
    assert.is(told[0], 'VANISHED 1');
    assert.match(told[1]!, /^OK \[HIGHESTMODSEQ 15\]/);
  });
});

test('each command that shows that the client knows of mod-sequences enables CONDSTORE (RFC 7162 §3.1)', async () => {
  await inHouse(async ({ logIn }) => {
    const enabling = [
      'FETCH 1 MODSEQ',
      'FETCH 1 FLAGS (CHANGEDSINCE 1)',
      'STORE 1 (UNCHANGEDSINCE 99) +FLAGS.SILENT (\\Draft)',
      'SEARCH MODSEQ 1',
      'STATUS INBOX (HIGHESTMODSEQ)',
    ];
    await (await logIn()).append('INBOX', mail('one'));
    for (const command of enabling) {
      const ann = await logIn();
      await ann.ok('SELECT INBOX');
      assert.equal(await ann.ok('STORE 1 +FLAGS.SILENT (\\Seen)'), [], command);
      await ann.ok('STORE 1 -FLAGS.SILENT (\\Seen)');
      assert.ok(
        (await ann.ok(command)).some((each) => each.startsWith('OK [HIGHESTMODSEQ ')),
        command,
      );
      assert.match(
        (await ann.ok('STORE 1 +FLAGS.SILENT (\\Answered)')).join(),
        /^(1 FETCH \(UID 1 MODSEQ \(\d+\)\))?$/,
        command,
      );
      assert.match(
        (await ann.ok('STORE 1 -FLAGS.SILENT (\\Answered)')).join(),
        /^1 FETCH \(UID 1 MODSEQ \(\d+\)\)$/,
        command,
      );
    }
    const ann = await logIn();
    await ann.ok('SELECT INBOX (CONDSTORE)');
    assert.match((await ann.ok('STORE 1 +FLAGS (\\Flagged)'))[0]!, /UID 1 .*MODSEQ/);
  });
});

test.run();
