/** A mailbox of another, selected, while its list of rights changes: what is refused then, and in which words (RFC 4314 §4, §6). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Home, type ImapClient, inHouse, mail } from './client.ts';

/** ann's X with two messages, the first with \Deleted; joe has it selected with these rights. */
async function shared({ logIn }: Home, rights: string): Promise<readonly [ann: ImapClient, joe: ImapClient]> {
  const [ann, joe] = [await logIn('ann'), await logIn('joe')];
  await ann.ok('CREATE X');
  for (const each of ['one', 'two']) await ann.append('X', mail(each));
  await ann.ok('SELECT X');
  await ann.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
  await ann.ok(`SETACL X joe ${rights}`);
  await joe.ok('CREATE mine');
  await joe.ok('SELECT user/ann/X');
  return [ann, joe];
}
const READING = [
  'FETCH 1 FLAGS',
  'FETCH 1:2 BODY[]',
  'UID FETCH 1:* (UID)',
  'SEARCH ALL',
  'UID SEARCH SUBJECT one',
  'SORT (SUBJECT) UTF-8 ALL',
  'THREAD REFERENCES UTF-8 ALL',
  'COPY 1:2 mine',
  'UID MOVE 1 mine',
];

test('without r nothing is read, nothing new is told, and the client hears why, once', async () => {
  await inHouse(async (home) => {
    const [ann, joe] = await shared(home, 'lrswite');
    await ann.ok('SETACL X joe -r');
    await ann.append('X', mail('three'));
    await ann.ok('STORE 2 +FLAGS.SILENT (\\Flagged)');
    assert.equal(await joe.ok('NOOP'), ['NO [NOPERM] the mailbox may not be read any more']);
    assert.equal(await joe.ok('NOOP'), []);
    for (const command of READING) {
      const { untagged, tagged } = await joe.ask(command);
      assert.match(tagged, /^NO \[NOPERM\] not permitted/, command);
      assert.equal(untagged, [], command);
    }
    assert.match((await joe.ask('STATUS user/ann/X (MESSAGES)')).tagged, /^NO \[NOPERM\]/);
    assert.equal(await joe.ok('STATUS mine (MESSAGES)'), ['STATUS mine (MESSAGES 0)'], 'nothing was copied');
    await ann.ok('SETACL X joe +r');
    const told = await joe.ok('NOOP');
    assert.ok(told.includes('3 EXISTS'), told.join('; '));
    assert.ok(told.some((each) => /^2 FETCH \(FLAGS \(\\Flagged/.test(each)));
    assert.match((await joe.ok('FETCH 3 BODY.PEEK[HEADER.FIELDS (SUBJECT)]'))[0]!, /Subject: three/);
  });
});

test('in IDLE too', async () => {
  await inHouse(async (home) => {
    const [ann, joe] = await shared(home, 'lr');
    const tag = joe.say('IDLE');
    assert.match((await joe.response())!, /^\+ /);
    await ann.ok('SETACL X joe l');
    assert.is(await joe.response(), '* NO [NOPERM] the mailbox may not be read any more');
    await ann.append('X', mail('three'));
    joe.send('DONE\r\n');
    const { untagged, tagged } = await joe.answer(tag);
    assert.equal(untagged, []);
    assert.match(tagged, /^OK /);
  });
});

test('without any right its messages are gone, as with a mailbox that is not there, until it is selected anew', async () => {
  await inHouse(async (home) => {
    const [ann, joe] = await shared(home, 'lrswite');
    await ann.ok('DELETEACL X joe');
    await ann.append('X', mail('three'));
    assert.equal(await joe.ok('NOOP'), ['1 EXPUNGE', '1 EXPUNGE']);
    for (const command of ['FETCH 1 FLAGS', 'COPY 1 mine', 'STORE 1 FLAGS ()'])
      assert.match((await joe.ask(command)).tagged, /^BAD /, command);
    assert.equal(await joe.ok('UID FETCH 1:* FLAGS'), []);
    for (const command of ['EXPUNGE', 'SEARCH ALL', 'STATUS user/ann/X (MESSAGES)'])
      assert.match((await joe.ask(command)).tagged, /^NO \[NONEXISTENT\] no such mailbox/, command);
    await ann.ok('SETACL X joe lrs');
    await ann.ok('STORE 2 +FLAGS.SILENT (\\Flagged)');
    assert.equal(await joe.ok('NOOP'), [], 'no UID that was told as gone comes back');
    assert.ok((await joe.ok('SELECT user/ann/X')).includes('3 EXISTS'));
  });
});

test('without the rights to change, what is left is told, and the rest is refused', async () => {
  await inHouse(async (home) => {
    const [ann, joe] = await shared(home, 'lrswite');
    await ann.ok('SETACL X joe lrs');
    const told = await joe.ok('NOOP');
    assert.match(told[1]!, /^OK \[PERMANENTFLAGS \(\\Seen\)\]/);
    for (const command of [
      'STORE 1 +FLAGS (\\Flagged)',
      'STORE 1 +FLAGS ($k)',
      'STORE 1 +FLAGS (\\Deleted)',
      'EXPUNGE',
      'UID EXPUNGE 1',
      'MOVE 1 mine',
    ])
      assert.match((await joe.ask(command)).tagged, /^NO \[NOPERM\] not permitted/, command);
    assert.equal(await joe.ok('STORE 1 +FLAGS (\\Seen)'), ['1 FETCH (FLAGS (\\Deleted \\Seen))']);
    assert.match((await joe.append('user/ann/X', mail('four'))).tagged, /^NO \[NOPERM\]/);
    await joe.ok('COPY 2 mine');
    await joe.ok('CLOSE');
    assert.ok((await ann.ok('STATUS X (MESSAGES)')).includes('STATUS X (MESSAGES 2)'), 'CLOSE expunged nothing');
  });
});

test.run();
