/** deliver: one body, many recipients, once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MailboxEdit } from '../../../../actors/mailbox-owner/requests.ts';
import { CHUNK_OCTETS, readMessage } from '../../../../store/blob.ts';
import { accounts, blobs, garbage, mailboxes, messages, stages } from '../../../../store/tables.ts';
import { deliverTo, NOW, openDelivery, openMaildrop, recipient, type State, sha256, state } from '../state.ts';

const ready = (): State => {
  const fresh = state();
  fresh.run(openDelivery('d'));
  return fresh;
};

test('each recipient gets a copy of its own, and the body is kept once', () => {
  const { run, view } = ready();
  const answer = run(deliverTo('d', 1, 'hello', 'joe', 'ann'));
  const first = { ok: true, value: { uid: 1, sequence: 1 } };
  assert.equal(answer, { ok: true, value: [first, first] });
  assert.is(blobs.get(view, sha256(Buffer.from('hello')))?.references, 2);
  const row = messages.get(view, 'ann', 1, 1)!;
  const { trace } = recipient('ann');
  assert.equal(Buffer.from(readMessage(view, row, 0)!).toString(), `${trace}hello`);
});

test('the same content again is not stored again', () => {
  const { run, view, changes } = ready();
  run(deliverTo('d', 1, 'hello', 'joe'));
  run(deliverTo('d', 2, 'hello', 'joe'));
  assert.equal(changes(), ['Appended', 'SessionAnswered']);
  assert.is(blobs.get(view, sha256(Buffer.from('hello')))?.references, 2);
});

test('T-32: an account named twice gets one copy and the same answer twice', () => {
  const { run, view } = ready();
  const answer = run(deliverTo('d', 1, 'hello', 'joe', 'ann', 'joe'));
  assert.ok(answer.ok && answer.value.length === 3);
  assert.equal(answer.value[0], answer.value[2]);
  assert.is(accounts.get(view, 'joe')?.messages, 1);
});

test('UIDs, sequence and modseq rise from message to message', () => {
  const { run, view } = ready();
  const uids = [1, 2, 3].map((counter) => {
    const answer = run(deliverTo('d', counter, `m${counter}`, 'joe'));
    return answer.ok && answer.value[0]!.ok ? answer.value[0]!.value : undefined;
  });
  assert.equal(
    uids,
    [1, 2, 3].map((uid) => ({ uid, sequence: uid })),
  );
  assert.equal(
    [1, 2, 3].map((uid) => messages.get(view, 'joe', 1, uid)?.modSeq),
    [2, 3, 4],
  );
});

test('a message that fills the quota to the octet fits, one octet more does not, and only that recipient is refused', () => {
  const { run, view } = ready();
  const size = recipient('joe').trace.length + 5;
  const fits = recipient('joe', { quotaOctets: size });
  const tight = recipient('ann', { quotaOctets: recipient('ann').trace.length + 4 });
  const answer = run(deliverTo('d', 1, 'hello', fits, tight, recipient('bob', { quotaOctets: 0, quotaMessages: 0 })));
  assert.ok(answer.ok);
  assert.equal(
    answer.value.map(({ ok }) => ok),
    [true, false, true],
  );
  assert.equal(answer.value[1], { ok: false, refusal: 'over-quota' });
  assert.is(accounts.get(view, 'ann'), undefined);
});

test('a quota of messages counts messages', () => {
  const { run } = ready();
  const to = recipient('joe', { quotaMessages: 2 });
  const answers = [1, 2, 3].map((counter) => run(deliverTo('d', counter, 'x', to)));
  assert.equal(
    answers.map((answer) => answer.ok && answer.value[0]!.ok),
    [true, true, false],
  );
});

/** `work` and `closed` of joe; anyone may post to the first. */
const withFolders = (): State => {
  const fresh = ready();
  const change = (edit: MailboxEdit) =>
    fresh.run({ type: 'change-mailboxes', account: 'joe', withInbox: true, edit, now: NOW });
  for (const name of ['work', 'closed']) change({ type: 'create', name });
  change({ type: 'set-rights', name: 'work', identifier: 'anyone', rights: 'p' });
  return fresh;
};
/** How many messages are in each mailbox of joe's. */
const counts = ({ view }: State) =>
  Object.fromEntries([...mailboxes.range(view, ['joe'])].map(({ row }) => [row.name, row.messages]));
const joes = (folder: string, more = {}) => recipient('joe', { folder, ...more });

test('T-06, T-08, T-09: mail goes to the mailbox it names, if it is there and open to anyone, and else to INBOX', () => {
  const fresh = withFolders();
  fresh.run(deliverTo('d', 1, 'one', joes('work')));
  assert.equal(counts(fresh), { work: 1, closed: 0 });
  for (const [at, folder] of ['closed', 'missing', 'WORK', 'INBOX', 'inbox', 'a//b', '', 'w\0'].entries())
    fresh.run(deliverTo('d', 2 + at, 'other', joes(folder)));
  assert.equal(counts(fresh), { work: 1, closed: 0, INBOX: 8 });
});

test('a right taken from anyone counts more than one given, and only anyone counts', () => {
  const fresh = withFolders();
  const grant = (name: string, identifier: string, rights: string) =>
    fresh.run({
      type: 'change-mailboxes',
      account: 'joe',
      withInbox: true,
      edit: { type: 'set-rights', name, identifier, rights },
      now: NOW,
    });
  grant('work', '-anyone', 'p');
  grant('closed', 'id-ann', 'lrp');
  grant('closed', 'anyone', 'lri');
  fresh.run(deliverTo('d', 1, 'one', joes('work'), joes('closed')));
  assert.equal(counts(fresh), { work: 0, closed: 0, INBOX: 1 });
});

test('T-10: where the mailbox must exist nothing stands in for it, and INBOX is no such mailbox', () => {
  const fresh = withFolders();
  const strict = (folder: string) => joes(folder, { mustExist: true });
  const answer = fresh.run(
    deliverTo('d', 1, 'one', strict('work'), strict('closed'), strict('missing'), strict('INBOX'), recipient('ann')),
  );
  assert.ok(answer.ok);
  assert.equal(
    answer.value.map((each) => (each.ok ? 'ok' : each.refusal)),
    ['ok', 'no-such-mailbox', 'no-such-mailbox', 'no-such-mailbox', 'ok'],
  );
  assert.equal(counts(fresh), { work: 1, closed: 0 });
});

test('T-32: a mailbox named twice gets one copy and one answer, two mailboxes of an account get two', () => {
  const fresh = withFolders();
  const answer = fresh.run(
    deliverTo('d', 1, 'one', 'joe', joes('work'), joes('missing'), joes('work'), recipient('joe')),
  );
  assert.ok(answer.ok);
  const [inbox, work] = [
    { ok: true, value: { uid: 1, sequence: 1 } },
    { ok: true, value: { uid: 1, sequence: 2 } },
  ];
  assert.equal(answer.value, [inbox, work, inbox, work, inbox]);
  assert.equal(counts(fresh), { work: 1, closed: 0, INBOX: 1 });
  assert.is(blobs.get(fresh.view, sha256(Buffer.from('one')))?.references, 2);
  assert.is(accounts.get(fresh.view, 'joe')?.lastSequence, 2);
});

test('two mailboxes of an account share its quota within one delivery', () => {
  const fresh = withFolders();
  const size = recipient('joe').trace.length + 3;
  for (const [at, [quota, expected]] of (
    [
      [{ quotaOctets: 2 * size - 1 }, [true, false]],
      [{ quotaMessages: 2 }, [true, false]], // one is there by then
      [{ quotaOctets: 4 * size }, [true, true]],
    ] as const
  ).entries()) {
    const answer = fresh.run(deliverTo('d', 1 + at, 'one', recipient('joe', quota), joes('work', quota)));
    assert.ok(answer.ok);
    assert.equal(
      answer.value.map(({ ok }) => ok),
      expected,
    );
  }
});

test('T-18: a delivery that ignores quotas is counted all the same', () => {
  const { run, view } = ready();
  const tight = recipient('joe', { quotaOctets: 1, quotaMessages: 1 });
  run(deliverTo('d', 1, 'one', { ...tight, ignoresQuota: true }));
  run(deliverTo('d', 2, 'two', { ...tight, ignoresQuota: true }));
  assert.is(accounts.get(view, 'joe')?.messages, 2);
  const answer = run(deliverTo('d', 3, 'three', tight));
  assert.ok(answer.ok);
  assert.equal(answer.value, [{ ok: false, refusal: 'over-quota' }]);
});

test('T-25: a message that is larger than a recipient takes is refused to that recipient, over quota or not', () => {
  const { run, view } = ready();
  const limited = (account: string, sizeLimitOctets: number) =>
    recipient(account, { sizeLimitOctets, quotaOctets: 1, ignoresQuota: account === 'ann' });
  const answer = run(deliverTo('d', 1, 'hello', limited('joe', 4), limited('ann', 5), limited('bob', 0)));
  assert.ok(answer.ok);
  assert.equal(
    answer.value.map((each) => (each.ok ? 'ok' : each.refusal)),
    ['too-large-for-user', 'ok', 'over-quota'],
  );
  assert.is(accounts.get(view, 'joe'), undefined);
});

test('a body that no recipient has room for is not kept', () => {
  const { run, changes } = ready();
  run(deliverTo('d', 1, 'hello', recipient('joe', { quotaOctets: 1 })));
  assert.equal(changes(), ['SessionAnswered']);
});

test('the same counter again gets the stored answer and delivers nothing; a lower one is stale', () => {
  const { run, changes } = ready();
  const first = run(deliverTo('d', 5, 'hello', 'joe', recipient('ann', { quotaOctets: 1 })));
  assert.equal(run(deliverTo('d', 5, 'hello', 'joe', 'ann')), first);
  assert.equal(changes(), []);
  assert.equal(run(deliverTo('d', 4, 'late', 'joe')), { ok: false, refusal: 'stale' });
});

test('a session that is unknown, has ended or only reads delivers nothing', () => {
  const { run } = ready();
  const unknown = { ok: false, refusal: 'unknown-handle' };
  assert.equal(run(deliverTo('nobody', 1, 'x', 'joe')), unknown);
  run(openMaildrop('s1'));
  assert.equal(run(deliverTo('s1', 1, 'x', 'joe')), unknown);
  run({ type: 'close', session: 'd', now: NOW });
  assert.equal(run(deliverTo('d', 1, 'x', 'joe')), unknown);
});

test('an empty body is delivered as the trace alone', () => {
  const { run, view } = ready();
  run(deliverTo('d', 1, '', 'joe'));
  assert.is(messages.get(view, 'joe', 1, 1)?.sizeOctets, recipient('joe').trace.length);
});

const big = Buffer.alloc(2 * CHUNK_OCTETS + 77, 'big ');
const put = ({ run }: State, session: string, stage: string, index: number) =>
  run({
    type: 'stage',
    session,
    stage,
    index,
    bytes: big.subarray(index * CHUNK_OCTETS, (index + 1) * CHUNK_OCTETS),
  });
const deliverStaged = (counter: number, stage: string, body: number, ...to: string[]) => ({
  ...deliverTo('d', counter, '', ...to),
  content: { kind: 'staged', stage, body, sizeOctets: big.length, sha256: sha256(big) } as const,
});

test('a staged body becomes a blob without being written again', () => {
  const fresh = ready();
  for (const index of [0, 1, 2]) assert.ok(put(fresh, 'd', 'b1', index).ok);
  assert.ok(fresh.run(deliverStaged(1, 'b1', 1, 'joe')).ok);
  assert.equal(fresh.changes(), ['StageKept', 'MailboxCreated', 'Appended', 'SessionAnswered']);
  const row = messages.get(fresh.view, 'joe', 1, 1)!;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < row.sizeOctets; at += pieces.at(-1)!.length) pieces.push(readMessage(fresh.view, row, at)!);
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat([recipient('joe').trace, big])));
});

test('a staged body whose content is here already, or that nobody has room for, is left to be collected', () => {
  const fresh = ready();
  fresh.run(deliverTo('d', 1, big, 'joe'));
  for (const index of [0, 1, 2]) put(fresh, 'd', 'b1', index);
  assert.ok(fresh.run(deliverStaged(2, 'b1', 2, 'joe')).ok);
  assert.equal(fresh.changes(), ['StageDropped', 'Appended', 'SessionAnswered']);
  assert.equal(garbage.get(fresh.view, 2), { from: 0, parts: 3 });
  assert.ok(fresh.run(deliverStaged(2, 'b1', 2, 'joe')).ok); // the lost reply, although the stage is used up
});

test('a body that is not all there, or is not the one that was looked at, is not delivered', () => {
  const fresh = ready();
  const missing = { ok: false, refusal: 'stage-missing' };
  assert.equal(fresh.run(deliverStaged(1, 'b1', 1, 'joe')), missing);
  for (const index of [0, 1]) put(fresh, 'd', 'b1', index);
  assert.equal(fresh.run(deliverStaged(1, 'b1', 1, 'joe')), missing);
  put(fresh, 'd', 'b1', 2);
  assert.equal(fresh.run(deliverStaged(1, 'b1', 9, 'joe')), missing);
  assert.ok(fresh.run(deliverStaged(1, 'b1', 1, 'joe')).ok);
  assert.is(stages.get(fresh.view, 'd', 'b1'), undefined);
});

test('a part that is here already is accepted again, one that overtook another is to be sent again', () => {
  const fresh = ready();
  assert.ok(put(fresh, 'd', 'b1', 0).ok);
  assert.ok(put(fresh, 'd', 'b1', 0).ok);
  assert.equal(fresh.changes(), []);
  assert.equal(put(fresh, 'd', 'b1', 2), { ok: false, refusal: 'unavailable' });
  put(fresh, 'd', 'b1', 1);
  put(fresh, 'd', 'b1', 2);
  assert.throws(() => put(fresh, 'd', 'b1', 3), /follows a short one/);
  assert.equal(put(fresh, 'nobody', 'b1', 0), { ok: false, refusal: 'unknown-handle' });
});

test('a session puts aside four bodies at most; a fifth drops the oldest', () => {
  const fresh = ready();
  for (const stage of ['z1', 'a2', 'z3', 'a4', 'm5']) put(fresh, 'd', stage, 0);
  assert.is(stages.get(fresh.view, 'd', 'z1'), undefined);
  assert.ok(stages.get(fresh.view, 'd', 'a2'));
  assert.ok(garbage.get(fresh.view, 1));
});

test('what a session had put aside goes with it', () => {
  const fresh = ready();
  for (const index of [0, 1]) put(fresh, 'd', 'b1', index);
  fresh.run({ type: 'close', session: 'd', now: NOW });
  assert.equal([...stages.range(fresh.view, [])], []);
  assert.equal(garbage.get(fresh.view, 1), { from: 0, parts: 2 });
});

test.run();
