/** A selected mailbox and an owner that is away, forgets, or answers page by page. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changedSince } from '../../../actors/imap/changed-since.ts';
import type { Enableable } from '../../../actors/imap/imap-session.ts';
import { SelectedMailbox } from '../../../actors/imap/selected-mailbox.ts';
import type { OwnerSession } from '../../../actors/imap/services.ts';
import { View } from '../../../actors/imap/view.ts';
import type { ChangeEvent } from '../../../actors/mailbox-owner/event.ts';
import type { Changes, MessageEntry } from '../../../actors/mailbox-owner/message-requests.ts';
import { accept, type Result, refuse } from '../../../kernel/result.ts';
import type { Response } from '../../../protocols/imap/response.ts';

const REF = { account: 'a1', mailbox: 1, uidValidity: 7 };
const PLACE = { mailHost: 'n1', account: 'a1', name: 'INBOX', shown: 'INBOX', isOwn: true, withInbox: true };
const RIGHTS = 'lrswipkxtea';

type Answer = Result<unknown, string>;

/** Answers what it is given, in order, and keeps what it was asked. */
class ScriptedOwner {
  readonly asked: { readonly operation: string; readonly request: object }[] = [];
  readonly answers: Answer[] = [];

  async read(operation: string, request: object): Promise<Answer> {
    this.asked.push({ operation, request });
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error(`nothing is scripted for ${operation}`);
    return answer;
  }
}

function selected(count: number, enabled: Iterable<Enableable> = []) {
  const owner = new ScriptedOwner();
  const others: OwnerSession[] = [];
  let hear: (event: ChangeEvent | 'lost') => void = () => {};
  const mailbox = new SelectedMailbox(
    {
      enabled: new Set(enabled),
      owner: async () => (others.length > 0 ? accept(others.shift()!) : refuse('unavailable')),
    },
    {
      place: PLACE,
      ref: REF,
      uidNext: count + 1,
      recentUpTo: 100,
      // Cast: of an owner's session only `read` is used here.
      owner: owner as unknown as OwnerSession,
      view: new View({
        uids: Uint32Array.from({ length: count }, (_, index) => index + 1),
        ...{ modSeq: 10, recentFrom: 100, keywords: [], rights: RIGHTS, readOnly: false },
      }),
      watch: (listener) => {
        hear = listener;
        return () => {};
      },
    },
  );
  return { mailbox, owner, others, hear: (event: ChangeEvent | 'lost') => hear(event) };
}

const entry = (uid: number, modSeq: number): MessageEntry => ({
  ...{ uid, modSeq, flags: 1, internalDate: 0, saveDate: 0, sizeOctets: 1, traceOctets: 0, emailId: uid },
});
const page = (more: Partial<Changes>): Answer =>
  accept({
    ...{ modSeq: 11, uidNext: 9, messages: 3, changed: [], vanished: [], keywords: [], rights: RIGHTS, next: null },
    ...more,
  });
const event = (modSeq: number, mailbox = 1): ChangeEvent => ({
  ...{ kind: 'messages', epoch: 1, account: 'a1', mailbox, before: modSeq - 1, modSeq },
});
const types = (responses: readonly Response[]) => responses.map(({ type }) => type);
const quiet = { mayExpunge: true, ask: false };

test('nobody is asked without news, and of its own news only once', async () => {
  const { mailbox, owner, hear } = selected(3);
  assert.equal(await mailbox.sync(quiet), []);
  hear(event(10));
  hear(event(11, 2));
  assert.equal(await mailbox.sync(quiet), [], 'known already, or of another mailbox');
  hear(event(11));
  owner.answers.push(page({ changed: [entry(2, 11)] }));
  assert.equal(types(await mailbox.sync(quiet)), ['FETCH']);
  assert.equal(await mailbox.sync(quiet), []);
  assert.equal(owner.asked, [{ operation: 'changes', request: { ref: REF, since: 10 } }]);
});

test('a lost event, a new owner and a change of mailboxes make it ask', async () => {
  for (const news of [
    'lost' as const,
    { kind: 'owner', epoch: 2 } as const,
    { kind: 'mailboxes', epoch: 1, account: 'a1' } as const,
  ]) {
    const { mailbox, owner, hear } = selected(1);
    hear(news);
    owner.answers.push(page({}));
    await mailbox.sync(quiet);
    assert.is(owner.asked.length, 1);
  }
});

test('an owner that is away is asked again at the next time, and the command goes on', async () => {
  const { mailbox, owner } = selected(2);
  owner.answers.push(refuse('unavailable'), page({ vanished: [[1, 1]] }));
  assert.equal(await mailbox.sync({ mayExpunge: true, ask: true }), []);
  assert.equal(types(await mailbox.sync(quiet)), ['EXPUNGE']);
});

test('a session that the owner has ended is opened anew; where none is to be had, nothing is told any more', async () => {
  const { mailbox, owner, others } = selected(2);
  const next = new ScriptedOwner();
  others.push(next as unknown as OwnerSession); // cast: as above
  owner.answers.push(refuse('ended'));
  next.answers.push(page({ vanished: [[1, 1]] }), refuse('ended'));
  assert.equal(types(await mailbox.sync({ mayExpunge: true, ask: true })), ['EXPUNGE']);
  for (const ask of [true, false]) {
    let isRefused = false;
    await mailbox.sync({ mayExpunge: true, ask }).catch(() => {
      isRefused = true;
    });
    assert.ok(isRefused);
  }
});

test('rounds of several pages go on until one is whole', async () => {
  const { mailbox, owner } = selected(1);
  const next = { upTo: 12, modSeq: 12, uid: 3 };
  owner.answers.push(
    page({ changed: [entry(3, 12)], next }),
    page({ changed: [entry(4, 12)], modSeq: 12 }),
    page({ changed: [entry(2, 13)], modSeq: 13 }),
  );
  assert.equal(await mailbox.sync({ mayExpunge: true, ask: true }), [
    { type: 'EXISTS', count: 4 },
    { type: 'RECENT', count: 0 },
  ]);
  assert.equal(
    owner.asked.map(({ request }) => request),
    [
      { ref: REF, since: 10 },
      { ref: REF, since: 10, at: next },
      { ref: REF, since: 12 },
    ],
  );
});

test('what is forgotten is found by what is there, in as many pages as that takes', async () => {
  const { mailbox, owner } = selected(3, ['QRESYNC']);
  const bits = new Uint8Array(512);
  bits[0] = 0b10;
  owner.answers.push(
    page({ vanished: null, present: { blocks: [], more: true } }),
    accept({ blocks: [{ block: 0, bits }], more: false }),
  );
  const [vanished] = await mailbox.sync({ mayExpunge: true, ask: true });
  assert.equal(vanished, { type: 'VANISHED', earlier: false, uids: [1, 3] });
});

test('news wake whoever waits for them, in a turn of their own', async () => {
  const { mailbox, hear } = selected(1);
  let woken = 0;
  const stop = mailbox.onNews(() => {
    woken++;
  });
  hear(event(11));
  assert.is(woken, 0);
  await Promise.resolve();
  assert.is(woken, 1);
  stop();
  hear(event(12));
  await Promise.resolve();
  assert.is(woken, 1);
  mailbox.onNews(() => {
    woken++;
  });
  await Promise.resolve();
  assert.is(woken, 2, 'there are some already');
});

test('expunges are held back once, where a search spoke of numbers (RFC 7162 §3.2.10.2)', async () => {
  const { mailbox, owner } = selected(1);
  owner.answers.push(page({ vanished: [[1, 1]] }));
  mailbox.holdExpunges();
  assert.equal(await mailbox.sync({ mayExpunge: true, ask: true }), []);
  assert.equal(types(await mailbox.sync(quiet)), ['EXPUNGE']);
});

test('what vanished since is told of UIDs without a number alone, and only of those asked about', async () => {
  const { mailbox, owner } = selected(3);
  owner.answers.push(page({ vanished: [[2, 6]], changed: [entry(1, 11), entry(3, 11), entry(9, 11)] }));
  const since = await changedSince(mailbox, 5, [[1, 5]]);
  assert.equal(since.ok && since.value, {
    changed: [
      [1, 1],
      [3, 3],
    ],
    vanished: [[4, 5]],
  });
});

test('where it is forgotten all that is not there counts as vanished, but what the client is known to know (RFC 7162 §3.2.5.2)', async () => {
  const { mailbox, owner } = selected(2);
  for (const [matched, vanished] of [
    [0, [[3, 8]]],
    [6, [[7, 8]]],
  ] as const) {
    owner.answers.push(page({ vanished: null, present: { blocks: [], more: false } }));
    const since = await changedSince(mailbox, 5, [[1, 9]], matched);
    assert.equal(since.ok && since.value.vanished, vanished);
  }
});

test.run();
