/** SELECT, EXAMINE and the news that come after them, against real owners. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ImapClient, inHouse, mail } from '../client.ts';

const codeOf = (untagged: readonly string[], name: string): string | undefined =>
  untagged.map((each) => new RegExp(`^OK \\[${name}(?: (.*?))?\\]`).exec(each)).find((found) => found)?.[1];
const add = async (client: ImapClient, ...subjects: string[]) => {
  for (const subject of subjects) assert.match((await client.append('INBOX', mail(subject))).tagged, /^OK/);
};

test('SELECT says what RFC 3501 §6.3.1 wants, and only the first session is shown what is recent', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await add(ann, 'one', 'two');
    const first = await ann.ask('SELECT INBOX');
    assert.match(first.tagged, /^OK \[READ-WRITE\] /);
    for (const each of ['2 EXISTS', '2 RECENT']) assert.ok(first.untagged.includes(each), each);
    assert.is(codeOf(first.untagged, 'UNSEEN'), '1');
    assert.is(codeOf(first.untagged, 'UIDNEXT'), '3');
    assert.is(codeOf(first.untagged, 'HIGHESTMODSEQ'), '3');
    assert.not(first.untagged.some((each) => each.startsWith('LIST')));
    assert.ok((await other.ok('SELECT INBOX')).includes('0 RECENT'));
  });
});

test('what was told as recent while selected is not so later (RFC 3501 §2.3.2)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('SELECT INBOX');
    await add(ann, 'one');
    await ann.ok('UNSELECT');
    assert.ok((await (await logIn()).ok('SELECT INBOX')).includes('0 RECENT'));
  });
});

test('what came and was not told of stays recent for the next session (RFC 3501 §2.3.2)', async () => {
  await inHouse(async ({ logIn, deliver }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await ann.ok('SELECT INBOX');
    await deliver('ann', mail('one'));
    assert.ok((await ann.ok('NOOP')).includes('1 RECENT'));
    await deliver('ann', mail('two'));
    await ann.ok('UNSELECT');
    assert.ok((await other.ok('STATUS INBOX (RECENT)')).includes('STATUS INBOX (RECENT 1)'));
    assert.ok(
      (await other.ok('SELECT INBOX')).includes('1 RECENT'),
      'the first of the two was told of, the second was not',
    );
    assert.equal(await other.ok('FETCH 1:2 FLAGS'), ['1 FETCH (FLAGS ())', '2 FETCH (FLAGS (\\Recent))']);
  });
});

test('what was told as recent to a client that vanished is not so later', async () => {
  await inHouse(async ({ logIn, deliver }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await ann.ok('SELECT INBOX');
    await deliver('ann', mail('one'));
    assert.ok((await ann.ok('NOOP')).includes('1 RECENT'));
    await ann.close();
    assert.ok((await other.ok('SELECT INBOX')).includes('0 RECENT'));
  });
});

test('a session of IMAP4rev2 is told nothing as recent, and takes it from nobody (RFC 9051 §2.3.2)', async () => {
  await inHouse(async ({ logIn, deliver }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await deliver('ann', mail('one'));
    await ann.ok('ENABLE IMAP4rev2');
    await ann.ok('SELECT INBOX');
    await deliver('ann', mail('two'));
    await ann.ok('NOOP');
    await ann.ok('UNSELECT');
    assert.ok((await other.ok('SELECT INBOX')).includes('2 RECENT'));
  });
});

test('EXAMINE changes nothing and lets nothing be changed (RFC 9051 §6.3.3)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await add(ann, 'one');
    const { untagged, tagged } = await ann.ask('EXAMINE INBOX');
    assert.match(tagged, /^OK \[READ-ONLY\] /);
    assert.is(codeOf(untagged, 'PERMANENTFLAGS'), '()');
    assert.match((await ann.ask('STORE 1 +FLAGS (\\Deleted)')).tagged, /^NO /);
    assert.match((await ann.ask('EXPUNGE')).tagged, /^NO /);
    assert.match((await ann.ask('MOVE 1 INBOX')).tagged, /^NO /);
    assert.equal(await ann.ok('FETCH 1 BODY[TEXT]'), ['1 FETCH (BODY[TEXT] {7}\r\nhello\r\n)']);
    assert.equal(await ann.ok('FETCH 1 FLAGS'), ['1 FETCH (FLAGS (\\Recent))']);
    await ann.ok('CLOSE');
    assert.ok((await ann.ok('SELECT INBOX')).includes('1 RECENT'), 'EXAMINE has shown it to nobody');
  });
});

test('IMAP4rev2 has LIST instead of RECENT and UNSEEN (RFC 9051 §6.3.2)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('CREATE box/child');
    await ann.ok('ENABLE IMAP4rev2');
    const untagged = await ann.ok('SELECT box');
    assert.ok(untagged.includes('LIST (\\HasChildren) "/" box') || untagged.includes('LIST (\\HasChildren) "/" "box"'));
    assert.not(untagged.some((each) => /RECENT|UNSEEN/.test(each)));
  });
});

test('a SELECT that fails leaves none selected; what was selected is closed first (RFC 9051 §6.3.2)', async () => {
  await inHouse(async ({ logIn }) => {
    const ann = await logIn();
    await ann.ok('SELECT INBOX');
    const { untagged, tagged } = await ann.ask('SELECT nobox');
    assert.match(untagged.join(), /^OK \[CLOSED\]/);
    assert.match(tagged, /^NO \[NONEXISTENT\] /);
    assert.match((await ann.ask('FETCH 1 FLAGS')).tagged, /^BAD /);
    assert.match((await ann.ok('SELECT INBOX'))[0]!, /^FLAGS /, 'nothing was there to be closed');
  });
});

test('news of others come at the next command, expunges only where numbers may shift', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await add(ann, 'one', 'two', 'three');
    await ann.ok('SELECT INBOX');
    await other.ok('SELECT INBOX');
    await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.ok('STORE 3 +FLAGS.SILENT (\\Flagged)');
    await other.ok('EXPUNGE');
    assert.equal(await ann.ok('FETCH 3 UID'), ['3 FETCH (UID 3)', '3 FETCH (FLAGS (\\Flagged \\Recent))']);
    const gone = await ann.ask('FETCH 1:2 UID');
    assert.equal(gone.untagged, ['2 FETCH (UID 2)']);
    assert.match(gone.tagged, /^NO \[EXPUNGEISSUED\] /, 'RFC 2180 §4.1.3');
    assert.equal(await ann.ok('UID FETCH 1:3 FLAGS'), [
      '2 FETCH (UID 2 FLAGS (\\Recent))',
      '3 FETCH (UID 3 FLAGS (\\Flagged \\Recent))',
      '1 EXPUNGE',
    ]);
    assert.equal(await ann.ok('NOOP'), []);
  });
});

test('a mailbox that another session deletes has no messages any more', async () => {
  await inHouse(async ({ logIn }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await ann.ok('CREATE box');
    await ann.append('box', mail('one'));
    await ann.ok('SELECT box');
    await other.ok('DELETE box');
    assert.equal(await ann.ok('NOOP'), ['1 EXPUNGE']);
    assert.match((await ann.ask('EXPUNGE')).tagged, /^NO \[NONEXISTENT\] /);
  });
});

test('a new owner is asked for what it knows, and the view goes on', async () => {
  await inHouse(async ({ logIn, takeOver }) => {
    const [ann, other] = [await logIn(), await logIn()];
    await add(ann, 'one');
    await ann.ok('SELECT INBOX');
    await takeOver('n1');
    await add(other, 'two');
    assert.ok((await ann.ok('NOOP')).includes('2 EXISTS'));
    assert.equal(await ann.ok('FETCH 1:2 UID'), ['1 FETCH (UID 1)', '2 FETCH (UID 2)']);
  });
});

test('RFC 9051 §6.3.6: who has INBOX selected when it is renamed sees its messages go, and hears of those that come', async () => {
  await inHouse(async ({ logIn, deliver }) => {
    const [ann, other] = [await logIn(), await logIn()];
    for (const each of ['one', 'two']) await ann.append('INBOX', mail(each));
    const told = await ann.ok('SELECT INBOX');
    const code = (responses: readonly string[], name: string) =>
      responses.flatMap((each) => new RegExp(`\\[${name} (.*?)\\]`).exec(each)?.[1] ?? [])[0];
    await other.ok('RENAME INBOX Old');
    assert.equal(await ann.ok('NOOP'), ['1 EXPUNGE', '1 EXPUNGE']);
    await deliver('ann', mail('three'));
    assert.ok((await ann.ok('NOOP')).includes('1 EXISTS'));
    assert.match((await ann.ok('FETCH 1 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])'))[0]!, /UID 3 .*Subject: three/s);
    await ann.ok('STORE 1 +FLAGS (\\Seen)');
    const [again, old] = [await ann.ok('SELECT INBOX'), await ann.ok('SELECT Old')];
    assert.is(code(again, 'UIDVALIDITY'), code(told, 'UIDVALIDITY'));
    assert.is(code(again, 'UIDNEXT'), '4');
    assert.is(code(again, 'MAILBOXID'), code(told, 'MAILBOXID'), 'RFC 8474 §4: INBOX stays what it was');
    assert.is.not(code(old, 'MAILBOXID'), code(told, 'MAILBOXID'));
    assert.is.not(code(old, 'UIDVALIDITY'), code(told, 'UIDVALIDITY'));
    assert.ok(old.includes('2 EXISTS'));
  });
});

test.run();
