/** The numbered requests of sessions of purpose `mailboxes` as they are served: once each, for who may, with what is there. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type * as e from '../../../actors/mailbox-owner/edit-requests.ts';
import type * as r from '../../../actors/mailbox-owner/requests.ts';
import { BusError } from '../../../cluster/bus/bus.ts';
import { FLAG } from '../../../store/flags.ts';
import {
  blobs,
  garbage,
  goingMailboxes,
  mailboxes,
  messages,
  sessions,
  stages,
  structures,
} from '../../../store/tables.ts';
import { ALL, message, must, session, within } from './mailboxes-world.ts';
import { hashOf } from './world.ts';

const to = { account: 'joe', withInbox: true, name: 'INBOX' };

within('the same number again gets the stored answer, a lower one none, also after an owner’s restart', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const append = (handle: string, counter: number, text: string) =>
    w.ask<e.AppendAnswer>('append', { handle, counter, ...to, messages: [message(text)] });
  const first = must(await append(joe.handle(), 1, 'one'));
  assert.equal(must(await append(joe.handle(), 1, 'another')), first);
  await w.restart();
  assert.equal(await append(joe.handle(), 1, 'one'), { ok: false, refusal: 'unknown-handle' });
  await joe.reopen();
  assert.equal(must(await append(joe.handle(), 1, 'one')), first);
  assert.ok((await append(joe.handle(), 2, 'two')).ok);
  assert.equal(await append(joe.handle(), 1, 'one'), { ok: false, refusal: 'stale' });
  assert.is(must(await joe.read('changes', { ref, since: 1 })).messages, 2);
});

within('a session that ended is answered once more what it asked last, and nothing else', async (w) => {
  const joe = await session(w, 'joe');
  const handle = joe.handle();
  const append = (counter: number) =>
    w.ask<e.AppendAnswer>('append', { handle, counter, ...to, messages: [message('one')] });
  const first = must(await append(1));
  must(await w.close(handle));
  assert.equal(must(await append(1)), first);
  assert.equal(await append(2), { ok: false, refusal: 'unknown-handle' });
});

within('a maildrop’s session edits nothing', async (w) => {
  const { handle } = must(await w.open('p', 'joe'));
  const answer = await w.ask<e.AppendAnswer>('append', { handle, counter: 1, ...to, messages: [message('x')] });
  assert.equal(answer, { ok: false, refusal: 'unknown-handle' });
});

within('an append of several is all or none; its limits are those of the account that gets it', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const texts = ['12345', '1234567890'];
  const append = (limits: object) =>
    joe.change('append', { ...to, messages: texts.map((text) => message(text)), ...limits });
  assert.equal(await append({ quotaOctets: 14 }), { ok: false, refusal: 'over-quota' });
  assert.equal(await append({ quotaMessages: 1 }), { ok: false, refusal: 'over-quota' });
  assert.equal(await append({ sizeLimitOctets: 9 }), { ok: false, refusal: 'too-large' });
  assert.is(must(await joe.read('changes', { ref, since: 1 })).messages, 0);
  assert.equal(must(await append({ quotaOctets: 15, quotaMessages: 2, sizeLimitOctets: 10 })).uids, [[1, 2]]);
  const copies = { from: ref, uids: ALL, to, move: false };
  assert.equal(await joe.change('copy', { ...copies, quotaOctets: 29 }), { ok: false, refusal: 'over-quota' });
  assert.ok((await joe.change('copy', { ...copies, quotaOctets: 30 })).ok);
});

within('staged bodies are appended as they are, with their structure; one that is not there is missed', async (w) => {
  const joe = await session(w, 'joe');
  await joe.select();
  const body = Buffer.concat([Buffer.from('Subject: big\r\n\r\n'), Buffer.alloc(300_000, 'line\r\n')]);
  const stage = async (name: string) => {
    for (let index = 0, at = 0; at < body.length; index++, at += 131_048) {
      must(await w.stage(joe.handle(), name, index, body.subarray(at, at + 131_048)));
    }
  };
  await stage('b');
  const staged = (stage: string, bytes: Buffer) => ({
    ...message(''),
    content: { kind: 'staged', stage, sizeOctets: bytes.length, sha256: hashOf(bytes) } as const,
  });
  const missing = await w.clock.until(
    joe.change('append', { ...to, messages: [staged('b', body), staged('c', body)] }),
  );
  assert.equal(missing, { ok: false, refusal: 'stage-missing' });
  await stage('b'); // what a refused append names is given up
  must(await w.clock.until(joe.change('append', { ...to, messages: [message('small'), staged('b', body)] })));
  assert.is(w.store.read((view) => messages.get(view, 'joe', 1, 2))?.blob, hashOf(body));
  assert.ok(w.store.read((view) => structures.get(view, hashOf(body))));
});

within('what a refused append had put aside is given up, and collected', async (w) => {
  const joe = await session(w, 'joe');
  await joe.select();
  const body = Buffer.alloc(1_000, 'x');
  const content = { kind: 'staged', stage: 'b', sizeOctets: body.length, sha256: hashOf(body) } as const;
  const append = (limits: object) =>
    w.clock.until(joe.change('append', { ...to, messages: [{ ...message(''), content }], ...limits }));
  const held = () =>
    w.store.read((view) => [[...stages.range(view, [])].length, [...garbage.range(view, [])].length] as const);
  must(await w.stage(joe.handle(), 'b', 0, body));
  w.fates.push('full');
  assert.equal(await append({}), { ok: false, refusal: 'full' });
  assert.is(held()[0], 1, 'it may be asked again');
  assert.equal(await append({ quotaOctets: 999 }), { ok: false, refusal: 'over-quota' });
  assert.is(held()[0], 0);
  must(await w.stage(joe.handle(), 'c', 0, body));
  must(await joe.read('drop-stages', { stages: ['c', 'none'] }));
  for (let turns = 0; held()[1] > 0 && turns < 50; turns++) {
    w.clock.advance(1_000);
    await w.rest();
  }
  assert.equal(held(), [0, 0]);
});

within(
  'an account that is dropped loses its sessions, of whatever purpose, and nothing comes of them any more',
  async (w) => {
    const [joe, other, ann] = [await session(w, 'joe'), await session(w, 'joe', 's-2'), await session(w, 'ann')];
    await joe.append('INBOX', 'one');
    await other.select();
    must(await w.open('p', 'joe'));
    must(await w.stage(joe.handle(), 'b', 0, Buffer.from('staged')));
    must(await w.clock.until(w.ask<r.DropAccountAnswer>('drop-account', { account: 'joe' })));
    const gone = { ok: false, refusal: 'unknown-handle' };
    for (const each of [joe, other]) {
      assert.equal(await each.read('mailbox-named', { account: 'joe', name: 'INBOX' }), gone);
      assert.equal(await each.change('append', { ...to, messages: [message('x')] }), gone);
    }
    await assertRejected(joe.reopen());
    const left = w.store.read((view) => ({
      sessions: [...sessions.range(view, [])].map(({ key }) => key[0]),
      mailboxes: [...mailboxes.range(view, ['joe'])].length,
      stages: [...stages.range(view, [])].length,
    }));
    assert.equal(left, { sessions: ['s-ann'], mailboxes: 0, stages: 0 });
    assert.ok((await ann.select()).ref);
  },
);

const assertRejected = async (asked: Promise<unknown>) =>
  asked.then(
    () => assert.unreachable('it was opened again'),
    (fault: Error) => assert.match(fault.message, /session-ended/),
  );

within('a body that is not what it is called is a peer’s fault, and nothing was done', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const lie = {
    ...message('x'),
    content: { kind: 'inline', bytes: Buffer.from('y'), sha256: hashOf(Buffer.from('x')) },
  };
  const answer = await w
    .ask('append', { handle: joe.handle(), counter: 1, ...to, messages: [lie] })
    .catch((fault: unknown) => fault);
  assert.ok(answer instanceof BusError && answer.failure === 'fault');
  assert.is(must(await joe.read('changes', { ref, since: 1 })).messages, 0);
});

within('of an account whose mail has moved away nothing is taken', async (w) => {
  const [joe, bob] = [await session(w, 'joe'), await session(w, 'bob')];
  const { ref } = await joe.select();
  await joe.append('INBOX', 'one');
  await joe.grant('INBOX', 'bob', 'lri');
  w.elsewhere.add('joe');
  const unavailable = { ok: false, refusal: 'unavailable' };
  assert.equal(await bob.change('append', { ...to, messages: [message('x')] }), unavailable);
  assert.equal(await joe.change('copy', { from: ref, uids: ALL, to, move: false }), unavailable);
  const edit = { type: 'create', name: 'New' } as const;
  assert.equal(await joe.change('edit-mailboxes', { account: 'joe', withInbox: true, edit }), unavailable);
});

within('what is expunged goes from the disk, and what is in a deleted mailbox too', async (w) => {
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  await joe.append('INBOX', 'a', 'b');
  await joe.flag(ref, ALL, FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  await joe.create('Large');
  for (let at = 0; at < 2; at++) await joe.append('Large', ...Array.from({ length: 400 }, (_, n) => `${at} ${n}`));
  const edit = { type: 'delete', name: 'Large' } as const;
  must(await joe.change('edit-mailboxes', { account: 'joe', withInbox: true, edit }));
  const left = () =>
    w.store.read((view) => [blobs, garbage, goingMailboxes].map((table) => [...table.range(view, [])].length));
  assert.equal(left().at(-1), 0);
  for (let turns = 0; left().some((count) => count > 0) && turns < 200; turns++) {
    w.clock.advance(1_000);
    await w.rest();
  }
  assert.equal(left(), [0, 0, 0]);
});

test.run();
