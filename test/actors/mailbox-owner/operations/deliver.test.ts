/** deliver: one body, many recipients, once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CHUNK_OCTETS, readMessage } from '../../../../store/blob.ts';
import { accounts, blobs, garbage, messages, stages } from '../../../../store/tables.ts';
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

test('an account named twice gets one copy and the same answer twice', () => {
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
