/** What owners publish: after the commit, in order, once for each mailbox; and how one that was lost is found. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventsOf } from '../../../actors/mailbox-owner/announcer.ts';
import type { ChangeEvent } from '../../../actors/mailbox-owner/event.ts';
import type { SessionEdit } from '../../../actors/mailbox-owner/mailbox-requests.ts';
import { FLAG } from '../../../store/flags.ts';
import { ALL, deliver, events, must, type Session, session, within } from './mailboxes-world.ts';

const short = (list: readonly ChangeEvent[]) =>
  list.map((event) => (event.kind === 'messages' ? [event.mailbox, event.before, event.modSeq] : event.kind));

const edit = async (who: Session, what: SessionEdit) =>
  must(await who.change('edit-mailboxes', { account: who.account, withInbox: true, edit: what }));

within('a delivery is told, and before it the mailbox that was made for it', async (w) => {
  const heard = await events(w, 'joe');
  await deliver(w, 'joe', 'one', 'two');
  assert.equal(short(await heard.take()), ['mailboxes', [1, 1, 2], [1, 2, 3]]);
  await deliver(w, 'bob', 'not for joe');
  assert.equal(await heard.take(), []);
});

within('messages that a QUIT removes are told', async (w) => {
  await deliver(w, 'joe', 'one', 'two');
  const heard = await events(w, 'joe');
  const { handle, maildrop } = must(await w.open('p', 'joe'));
  must(await w.quit(handle, 1, maildrop!.lock, [1, 2]));
  assert.equal(short(await heard.take()), [[1, 3, 4]]);
});

within('every numbered operation is told once, whatever it touched; one that changes nothing is not', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await joe.create('Other');
  const heard = await events(w, 'joe');
  const told = async () => short(await heard.take());
  await joe.append('INBOX', 'a', 'b', 'c');
  assert.equal(await told(), [[1, 1, 2]]);
  await joe.flag(ref, [[1, 2]], FLAG.seen);
  assert.equal(await told(), [[1, 2, 3]]);
  await joe.flag(ref, [[1, 2]], FLAG.seen);
  assert.equal(await told(), []);
  const to = { account: 'joe', withInbox: true, name: 'Other' };
  must(await joe.change('copy', { from: ref, uids: [[1, 2]], to, move: false }));
  assert.equal(await told(), [[2, 1, 2]]);
  must(await joe.change('copy', { from: ref, uids: [[1, 1]], to, move: true }));
  assert.equal(await told(), [
    [2, 2, 3],
    [1, 3, 4],
  ]);
  await joe.flag(ref, ALL, FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  assert.equal(await told(), [
    [1, 4, 5],
    [1, 5, 6],
  ]);
  assert.not.ok((await joe.change('expunge', { ref: { ...ref, mailbox: 9 }, uids: null })).ok);
  assert.equal(await told(), []);
});

within('whatever changes mailboxes themselves is told of their account', async (w) => {
  const joe = await session(w, 'joe');
  await joe.select();
  const heard = await events(w, 'joe');
  const edits: readonly SessionEdit[] = [
    { type: 'create', name: 'A', specialUse: '\\Sent' },
    { type: 'rename', name: 'A', to: 'B' },
    { type: 'set-rights', name: 'B', identifier: 'bob', rights: 'lr' },
    { type: 'delete-rights', name: 'B', identifier: 'bob' },
    { type: 'subscribe', name: 'B' },
    { type: 'unsubscribe', name: 'B' },
    {
      type: 'set-annotations',
      name: 'B',
      annotations: [{ entry: '/comment', isPrivate: false, value: Buffer.from('x') }],
    },
    { type: 'set-special-use', name: 'B', specialUse: '\\Junk' },
    { type: 'delete', name: 'B' },
  ];
  for (const each of edits) {
    await edit(joe, each);
    assert.equal(short(await heard.take()), ['mailboxes'], each.type);
  }
  const change = { account: 'joe', withInbox: true, edit: { type: 'create', name: 'by an operator' } };
  must(await w.ask<{ ok: true; value: null }>('change-mailboxes', change));
  assert.equal(short(await heard.take()), ['mailboxes']);
  must(await w.ask<{ ok: true; value: null }>('drop-account', { account: 'joe' }));
  assert.ok(short(await heard.take()).includes('mailboxes'));
});

within('what waited together and was committed as one is told as one', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await joe.append('INBOX', 'a', 'b', 'c');
  const bob = await session(w, 'joe', 's-2');
  const heard = await events(w, 'joe');
  await Promise.all([joe.flag(ref, [[1, 1]], FLAG.seen), bob.flag(ref, [[2, 2]], FLAG.seen)]);
  assert.equal(short(await heard.take()), [[1, 2, 4]]);
});

within('nothing is told before the commit stands, nor where it does not', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await joe.append('INBOX', 'a');
  const heard = await events(w, 'joe');
  let release: (value?: unknown) => void = () => {};
  w.fates.push(
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  const storing = joe.flag(ref, ALL, FLAG.seen);
  assert.equal(await heard.take(), []);
  release();
  await storing;
  assert.equal(short(await heard.take()), [[1, 2, 3]]);
  w.fates.push('full');
  const messages = [{ content: { kind: 'inline', bytes: Buffer.of(1), sha256: SHA_OF_1 }, ...plain } as const];
  const append = { account: 'joe', withInbox: true, name: 'INBOX', messages };
  assert.equal(await joe.change('append', append), { ok: false, refusal: 'full' });
  assert.equal(await heard.take(), []);
});
const plain = { flags: 0, keywords: [], internalDate: 0 };
const SHA_OF_1 = '4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a';

within(
  'an owner that dies between commit and publish: its successor says so, and the next change shows the gap',
  async (w) => {
    const joe = await session(w, 'joe');
    const { ref, modSeq } = await joe.select();
    await joe.append('INBOX', 'a');
    const heard = await events(w, 'joe');
    w.fates.push('dies');
    const stored = await joe.flag(ref, ALL, FLAG.seen).then(
      () => true,
      () => false,
    );
    assert.not.ok(stored);
    assert.equal(await heard.take(), [], 'it died');
    await w.restart();
    assert.equal(short(await heard.take()), ['owner']);
    await joe.reopen();
    assert.equal(
      must(await joe.read('changes', { ref, since: modSeq })).changed.map(({ uid, flags }) => [uid, flags]),
      [[1, FLAG.seen]],
    );
    await deliver(w, 'joe', 'next');
    const [next] = await heard.take();
    assert.ok(next?.kind === 'messages');
    assert.is(next.before, 3, 'the last one heard of is 2');
    assert.is(next.epoch, 2);
  },
);

within('an event that can not be published holds nobody up', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  w.bus.publish = () => {
    throw new RangeError('too large');
  };
  await joe.append('INBOX', 'a');
  assert.is((await joe.flag(ref, ALL, FLAG.seen)).modSeq, 3);
});

test('a mailbox that is made and filled in one commit begins with its first mod-sequence', () => {
  const view = { get: () => undefined, range: () => [] };
  const appended = { account: 'joe', mailbox: 1, sequence: 1, internalDate: 0, trace: new Uint8Array(), sha256: '' };
  const list = eventsOf(
    view,
    [
      { type: 'MailboxCreated', account: 'joe', mailbox: 1, name: 'INBOX', uidValidity: 1 },
      { type: 'Appended', ...appended, uid: 1, modSeq: 2 },
      { type: 'Appended', ...appended, uid: 2, modSeq: 3 },
      { type: 'EpochBegan' },
    ],
    7,
  );
  assert.equal(list, [
    { kind: 'mailboxes', epoch: 7, account: 'joe' },
    { kind: 'messages', epoch: 7, account: 'joe', mailbox: 1, before: 1, modSeq: 3 },
  ]);
});

test.run();
