/** quit, close, sweep, forget, collect and drop-account: how sessions, messages and bodies go. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Quit } from '../../../../actors/mailbox-owner/operation.ts';
import { CHUNK_OCTETS } from '../../../../store/blob.ts';
import {
  accounts,
  blobs,
  chunks,
  endedSessions,
  garbage,
  locks,
  mailboxes,
  messages,
  sessions,
} from '../../../../store/tables.ts';
import { deliverTo, front, NOW, openDelivery, openMaildrop, type State, sha256, state } from '../state.ts';

const withMail = (count: number): State => {
  const fresh = state();
  fresh.run(openDelivery('d'));
  for (let at = 1; at <= count; at++) fresh.run(deliverTo('d', at, `message ${at}`, 'joe'));
  return fresh;
};
const quitting = (session: string, lock: number, uids: number[], counter = 1): Quit => ({
  type: 'quit',
  session,
  counter,
  lock,
  uids,
  now: NOW,
});
const uidsOf = ({ view }: State) => [...messages.range(view, ['joe'])].map(({ key }) => key[2]);

test('QUIT removes what it names, unlocks and ends the session, in one (RFC 1939 §6)', () => {
  const fresh = withMail(3);
  fresh.run(openMaildrop('s1'));
  assert.equal(fresh.run(quitting('s1', 1, [3, 1, 1])), { ok: true, value: null });
  assert.equal(fresh.changes(), ['Expunged', 'SessionAnswered', 'MaildropUnlocked', 'SessionEnded']);
  assert.equal(uidsOf(fresh), [2]);
  assert.is(locks.get(fresh.view, 'joe'), undefined);
  assert.is(blobs.get(fresh.view, sha256(Buffer.from('message 1'))), undefined);
  assert.is(mailboxes.get(fresh.view, 'joe', 1)?.modSeq, 5);
  assert.is(mailboxes.get(fresh.view, 'joe', 1)?.uidNext, 4);
});

test('QUIT again under its counter gets its answer although the session has ended', () => {
  const fresh = withMail(1);
  fresh.run(openMaildrop('s1'));
  fresh.run(quitting('s1', 1, [1]));
  assert.equal(fresh.run(quitting('s1', 1, [1])), { ok: true, value: null });
  assert.equal(fresh.changes(), []);
  assert.equal(fresh.run(quitting('s1', 1, [1], 2)), { ok: false, refusal: 'unknown-handle' });
});

test('a session that lost its lock removes nothing', () => {
  const fresh = withMail(2);
  fresh.run(openMaildrop('s1'));
  fresh.run(openMaildrop('s2', 'joe', { abandoned: 's1' }));
  assert.equal(fresh.run(quitting('s1', 1, [1])), { ok: false, refusal: 'unknown-handle' });
  assert.equal(fresh.run(quitting('s2', 1, [1])), { ok: false, refusal: 'lock-lost' });
  assert.equal(uidsOf(fresh), [1, 2]);
  assert.ok(fresh.run(quitting('s2', 2, [1])).ok);
});

test('QUIT removes nothing that came after its session began, and minds nothing that is gone', () => {
  const fresh = withMail(1);
  fresh.run(openMaildrop('s1'));
  fresh.run(deliverTo('d', 9, 'new', 'joe'));
  assert.ok(fresh.run(quitting('s1', 1, [1, 2, 77])).ok);
  assert.equal(uidsOf(fresh), [2]);
});

test('a body that another message names stays when one of its messages goes', () => {
  const fresh = withMail(0);
  fresh.run(deliverTo('d', 1, 'same', 'joe', 'ann'));
  fresh.run(openMaildrop('s1'));
  fresh.run(quitting('s1', 1, [1]));
  assert.is(blobs.get(fresh.view, sha256(Buffer.from('same')))?.references, 1);
  assert.equal([...garbage.range(fresh.view, [])], []);
});

test('close ends the session, removes nothing, and may be asked again', () => {
  const fresh = withMail(1);
  fresh.run(openMaildrop('s1'));
  for (const expected of [['MaildropUnlocked', 'SessionEnded'], []]) {
    assert.ok(fresh.run({ type: 'close', session: 's1', now: NOW }).ok);
    assert.equal(fresh.changes(), expected);
  }
  assert.equal(uidsOf(fresh), [1]);
});

test('a sweep ends the sessions of that start of that front only', () => {
  const fresh = withMail(0);
  const other = { me: 'n1', startId: 'start-2' };
  fresh.run(openMaildrop('s1'));
  fresh.run(openMaildrop('s2', 'ann', { front: other }));
  const named = ['s1', 's2', 's3'].map((session) => ({ session, front }));
  assert.equal(fresh.run({ type: 'sweep', sessions: named, now: NOW }), { ok: true, value: ['s1'] });
  assert.is(locks.get(fresh.view, 'joe'), undefined);
  assert.is(locks.get(fresh.view, 'ann')?.session, 's2');
});

test('an ended session is remembered for as long as its ticket could be shown, then forgotten', () => {
  const fresh = withMail(0);
  fresh.run(openMaildrop('s1', 'joe', { now: NOW }));
  fresh.run({ type: 'close', session: 's1', now: NOW });
  const { until } = endedSessions.get(fresh.view, 's1')!;
  assert.ok(until > NOW + 60_000);
  assert.equal(fresh.run({ type: 'forget', now: until - 1, most: 10 }), { ok: true, value: { more: false } });
  assert.ok(endedSessions.get(fresh.view, 's1'));
  fresh.run({ type: 'forget', now: until, most: 10 });
  assert.is(endedSessions.get(fresh.view, 's1'), undefined);
});

test('sessions are forgotten a bounded number at a time', () => {
  const fresh = withMail(0);
  for (const session of ['s1', 's2', 's3']) {
    fresh.run(openMaildrop(session));
    fresh.run({ type: 'close', session, now: NOW });
  }
  assert.equal(fresh.run({ type: 'forget', now: NOW * 2, most: 2 }), { ok: true, value: { more: true } });
  assert.is([...endedSessions.range(fresh.view, [])].length, 1);
});

test('bodies that nothing names are collected chunk by chunk, and nothing else is', () => {
  const fresh = withMail(0);
  fresh.run(deliverTo('d', 1, Buffer.alloc(3 * CHUNK_OCTETS, 'a'), 'joe'));
  fresh.run(deliverTo('d', 2, Buffer.alloc(2 * CHUNK_OCTETS, 'b'), 'joe'));
  fresh.run(deliverTo('d', 3, Buffer.alloc(2 * CHUNK_OCTETS, 'c'), 'joe'));
  fresh.run(openMaildrop('s1'));
  fresh.run(quitting('s1', 1, [1, 2]));
  const left = () => [...chunks.range(fresh.view)].length;
  assert.is(left(), 7);
  assert.equal(fresh.run({ type: 'collect', mostChunks: 2 }), { ok: true, value: { more: true } });
  assert.is(left(), 5);
  assert.equal(garbage.get(fresh.view, 1), { from: 2, parts: 3 });
  assert.equal(fresh.run({ type: 'collect', mostChunks: 2 }), { ok: true, value: { more: true } });
  assert.equal(fresh.run({ type: 'collect', mostChunks: 2 }), { ok: true, value: { more: false } });
  assert.is(left(), 2);
  assert.equal([...garbage.range(fresh.view, [])], []);
  fresh.run({ type: 'collect', mostChunks: 2 });
  assert.equal(fresh.changes(), []);
});

test('content that comes again before its old body is collected is stored anew and outlives the collection', () => {
  const fresh = withMail(1);
  fresh.run(openMaildrop('s1'));
  fresh.run(quitting('s1', 1, [1]));
  fresh.run(deliverTo('d', 9, 'message 1', 'joe'));
  assert.ok(fresh.changes().includes('BlobStored'));
  fresh.run({ type: 'collect', mostChunks: 10 });
  assert.equal(Buffer.from(chunks.get(fresh.view, 2, 0)!).toString(), 'message 1');
  assert.is(chunks.get(fresh.view, 1, 0), undefined);
});

test('an account is dropped in steps, with its session, and its numbers are not given out again', () => {
  const fresh = withMail(5);
  fresh.run(deliverTo('d', 9, 'message 1', 'ann'));
  fresh.run(openMaildrop('s1'));
  const step = () => fresh.run({ type: 'drop-account', account: 'joe', most: 2, now: NOW });
  assert.equal(step(), { ok: true, value: { more: true, ended: ['s1'] } });
  assert.equal(uidsOf(fresh), [3, 4, 5]);
  assert.equal(step(), { ok: true, value: { more: true, ended: [] } });
  assert.equal(step(), { ok: true, value: { more: false, ended: [] } });
  assert.equal(step(), { ok: true, value: { more: false, ended: [] } });
  assert.equal(fresh.changes(), []);
  assert.is(sessions.get(fresh.view, 's1'), undefined);
  assert.is(accounts.get(fresh.view, 'ann')?.messages, 1);
  const before = accounts.get(fresh.view, 'joe')!;
  assert.equal([before.messages, before.octets, before.lastSequence], [0, 0, 5]);
  const answer = fresh.run(deliverTo('d', 10, 'back', 'joe'));
  assert.equal(answer.ok && answer.value[0], { ok: true, value: { uid: 1, sequence: 6 } });
  assert.is(mailboxes.get(fresh.view, 'joe', 2)?.uidValidity, NOW / 1000 + 1);
});

test.run();
