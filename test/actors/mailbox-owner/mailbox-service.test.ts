/** What an owner serves of mailboxes beside the maildrop; and that POP3 sees nothing of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type * as r from '../../../actors/mailbox-owner/requests.ts';
import { BusError } from '../../../cluster/bus/bus.ts';
import { hashOf, must, TRACE, type World, world } from './world.ts';

const within = (what: string, use: (w: World) => Promise<void>) =>
  test(what, async () => {
    const w = await world();
    await use(w);
    await w.end();
  });

const change = (w: World, edit: r.MailboxEdit, account = 'joe') =>
  w.ask<r.ChangeMailboxesAnswer>('change-mailboxes', {
    account,
    withInbox: true,
    edit,
  } satisfies r.ChangeMailboxesRequest);
const list = (w: World, more: Partial<r.MailboxesRequest> = {}) =>
  w.ask<r.MailboxesAnswer>('mailboxes', { account: 'joe', limit: 100, ...more } satisfies r.MailboxesRequest);
const usage = async (w: World, account = 'joe') => must(await w.ask<r.UsageAnswer>('usage', { account }));
const mayPost = async (w: World, folder: string) =>
  must(await w.ask<r.MayPostAnswer>('may-post', { account: 'joe', folder } satisfies r.MayPostRequest));

async function makeWork(w: World): Promise<void> {
  must(await change(w, { type: 'create', name: 'Work' }));
  must(await change(w, { type: 'set-rights', name: 'Work', identifier: 'anyone', rights: 'p' }));
}

const deliverTo = (w: World, handle: string, counter: number, body: string, ...recipients: { folder?: string }[]) =>
  w.ask<r.DeliverAnswer>('deliver', {
    handle,
    counter,
    content: { kind: 'inline', bytes: Buffer.from(body), sha256: hashOf(Buffer.from(body)) },
    recipients: recipients.map((each) => ({ account: 'joe', trace: TRACE, internalDate: 1, ...each })),
  } satisfies r.DeliverRequest);

within('POP3 shows INBOX alone: what another mailbox gets is neither listed nor fetched nor removed', async (w) => {
  await makeWork(w);
  const d = must(await w.open('d', null));
  must(await deliverTo(w, d.handle, 1, 'to work', { folder: 'Work' }));
  must(await deliverTo(w, d.handle, 2, 'to joe', {}));
  const s = must(await w.open('s', 'joe'));
  assert.equal(must(await w.list(s.handle)), [{ uid: 1, sizeOctets: TRACE.length + 6 }]);
  assert.match(Buffer.from(must(await w.fetch(s.handle, 1)).chunk).toString(), /to joe$/);
  must(await deliverTo(w, d.handle, 3, 'to work again', { folder: 'Work' }));
  must(await w.quit(s.handle, 1, s.maildrop!.lock, [1, 2]));
  const [inbox, work] = must(await list(w));
  assert.equal([inbox!.messages, work!.messages], [0, 2]);
  assert.equal(await usage(w), { octets: 2 * TRACE.length + 20, messages: 2 });
});

within('what there is is listed by name, page by page, with its numbers and rights', async (w) => {
  assert.equal(must(await list(w)), []);
  assert.equal(await usage(w), { octets: 0, messages: 0 });
  for (const name of ['b', 'c', 'a/x']) must(await change(w, { type: 'create', name }));
  must(await change(w, { type: 'set-rights', name: 'b', identifier: 'id-ann', rights: 'rl' }));
  const all = must(await list(w));
  assert.equal(
    all.map(({ name }) => name),
    ['a', 'a/x', 'b', 'c'],
  );
  assert.equal(all[2], {
    name: 'b',
    uidValidity: all[2]!.uidValidity,
    uidNext: 1,
    messages: 0,
    octets: 0,
    rights: [{ identifier: 'id-ann', rights: 'lr' }],
  });
  const paged: string[] = [];
  for (;;) {
    const after = paged.at(-1);
    const page = must(await list(w, { limit: 3, ...(after !== undefined && { after }) }));
    paged.push(...page.map(({ name }) => name));
    if (page.length < 3) break;
  }
  assert.equal(
    paged,
    all.map(({ name }) => name),
  );
  assert.equal(must(await list(w, { account: 'ann' })), []);
});

within('one mailbox is asked for by its very name, as it is kept', async (w) => {
  for (const name of ['b', 'a/x']) must(await change(w, { type: 'create', name }));
  const named = async (name: string) => must(await list(w, { name })).map((each) => each.name);
  assert.equal(await named('a'), ['a']);
  assert.equal(await named('a/x'), ['a/x']);
  for (const none of ['A', 'a/', 'a/x/y', '', 'x'.repeat(1_000)]) assert.equal(await named(none), []);
});

within('whether mail may be posted is what a delivery would find', async (w) => {
  assert.is(await mayPost(w, 'Work'), false);
  await makeWork(w);
  assert.is(await mayPost(w, 'Work'), true);
  assert.is(await mayPost(w, 'work'), false);
  assert.is(await mayPost(w, 'INBOX'), false);
  assert.is(await mayPost(w, 'a//\0'), false);
  must(await change(w, { type: 'set-rights', name: 'Work', identifier: 'anyone', rights: '-p' }));
  assert.is(await mayPost(w, 'Work'), false);
});

within('a mailbox that goes is gone for its bodies too, which are collected', async (w) => {
  await makeWork(w);
  const d = must(await w.open('d', null));
  for (let number = 1; number <= 1_100; number++) {
    const body = number === 1 ? 'a body' : 'another';
    must(await deliverTo(w, d.handle, number, body, { folder: 'Work' })); // more than one step removes
  }
  const chunks = () => w.store.read((view) => [...view.range(['chunk'])].length);
  assert.is(chunks(), 2);
  must(await change(w, { type: 'delete', name: 'Work' }));
  for (let waited = 0; chunks() > 0 && waited < 20; waited++) {
    w.clock.advance(1_000);
    await w.rest();
  }
  assert.is(chunks(), 0);
  assert.equal(await usage(w), { octets: 0, messages: 0 });
});

/** So many messages in `a` that a deletion of it takes three steps, and three in `b`. */
async function withTwo(w: World): Promise<void> {
  for (const name of ['a', 'b']) {
    must(await change(w, { type: 'create', name }));
    must(await change(w, { type: 'set-rights', name, identifier: 'anyone', rights: 'p' }));
  }
  const d = must(await w.open('d', null));
  for (let number = 1; number <= 1_100; number++) must(await deliverTo(w, d.handle, number, 'x', { folder: 'a' }));
  for (let number = 1_101; number <= 1_103; number++) must(await deliverTo(w, d.handle, number, 'y', { folder: 'b' }));
}
const counts = async (w: World) => must(await list(w)).map(({ name, messages }) => [name, messages]);

within('what is deleted is what had the name, whatever gets that name between two steps', async (w) => {
  await withTwo(w);
  const answers = await Promise.all([
    change(w, { type: 'delete', name: 'a' }),
    change(w, { type: 'rename', name: 'a', to: 'old' }),
    change(w, { type: 'rename', name: 'b', to: 'a' }),
  ]);
  assert.equal(
    answers.map((answer) => (answer.ok ? 'done' : answer.refusal)),
    ['done', 'no-such-mailbox', 'done'],
  );
  assert.equal(await counts(w), [['a', 3]]);
  assert.is((await usage(w)).messages, 3);
});

for (const how of ['lost', 'throw', 'full'] as const)
  within(
    `a deletion that was interrupted (${how}) is nowhere to be seen, and is finished by whoever is owner next`,
    async (w) => {
      await withTwo(w);
      w.fates.push(Promise.resolve(), how);
      await change(w, { type: 'delete', name: 'a' }).catch(() => {}); // answered or not, the first step stands
      if (how === 'throw') await w.restart();
      for (let waited = 0; !(await list(w).catch(() => ({ ok: false }))).ok && waited < 20; waited++) await w.rest();
      assert.equal(await counts(w), [['b', 3]]);
      assert.is(await mayPost(w, 'a'), false);
      must(await change(w, { type: 'rename', name: 'b', to: 'a' }));
      for (let waited = 0; (await usage(w)).messages > 3 && waited < 20; waited++) {
        w.clock.advance(2_000);
        await w.rest();
      }
      assert.equal(await counts(w), [['a', 3]]);
      assert.is((await usage(w)).messages, 3);
      assert.is(
        w.store.read((view) => [...view.range(['going'])].length),
        0,
      );
    },
  );

within(
  'refusals come back as they were decided, and nothing is changed for an account that lives elsewhere',
  async (w) => {
    assert.equal(await change(w, { type: 'delete', name: 'Work' }), { ok: false, refusal: 'no-such-mailbox' });
    w.fates.push('full');
    assert.equal(await change(w, { type: 'create', name: 'Work' }), { ok: false, refusal: 'full' });
    w.elsewhere.add('joe');
    assert.equal(await change(w, { type: 'create', name: 'Work' }), { ok: false, refusal: 'unavailable' });
    assert.equal(must(await list(w)), []);
  },
);

within('mailboxes outlive their owner, and keep an account from being vacated', async (w) => {
  await makeWork(w);
  await w.restart();
  assert.is(await mayPost(w, 'Work'), true);
  assert.equal(must(await w.ask<r.VacateAnswer>('vacate', { account: 'joe' })), { messages: 0, mailboxes: 1 });
  must(await w.ask<r.DropAccountAnswer>('drop-account', { account: 'joe' }));
  assert.equal(must(await list(w)), []);
  assert.equal(must(await w.ask<r.VacateAnswer>('vacate', { account: 'joe' })), { messages: 0, mailboxes: 0 });
});

within("a request of a wrong shape is its sender's fault, and does nothing", async (w) => {
  const delivering = (more: object) => ({
    handle: 'd',
    counter: 1,
    content: { kind: 'inline', bytes: Buffer.from('x'), sha256: hashOf(Buffer.from('x')) },
    recipients: [{ account: 'joe', trace: TRACE, internalDate: 1, ...more }],
  });
  const wrong: [r.Operation, object][] = [
    ['deliver', delivering({ ignoresQuota: 'yes' })],
    ['deliver', delivering({ mustExist: 1 })],
    ['deliver', delivering({ folder: 'x'.repeat(3_000) })],
    ['deliver', delivering({ account: '\u20ac'.repeat(400) })], // 1200 octets
    ['deliver', delivering({ account: 'a\0b' })],
    ['may-post', { account: 'joe', folder: '\u20ac'.repeat(1_000) }],
    ['mailboxes', { account: 'joe', limit: 1, after: '\u20ac'.repeat(700) }],
    ['mailboxes', { account: 'joe', limit: 1, name: 7 }],
    ['change-mailboxes', { account: 'joe', withInbox: true, edit: { type: 'create', name: 'x'.repeat(5_000) } }],
    ['usage', {}],
    ['may-post', { account: 'joe' }],
    ['mailboxes', { account: 'joe', limit: -1 }],
    ['mailboxes', { account: 'joe', limit: 1, after: 7 }],
    ['change-mailboxes', { account: 'joe', withInbox: true, edit: { type: 'explode', name: 'x' } }],
    ['change-mailboxes', { account: 'joe', withInbox: true, edit: { type: 'create', name: 7 } }],
    ['change-mailboxes', { account: 'joe', withInbox: 'yes', edit: { type: 'create', name: 'x' } }],
    [
      'change-mailboxes',
      { account: 'joe', withInbox: true, edit: { type: 'set-rights', name: 'x', identifier: '', rights: 'l' } },
    ],
  ];
  for (const [operation, request] of wrong) {
    const fault = await w.ask(operation, request).catch((error: unknown) => error);
    assert.ok(fault instanceof BusError && fault.failure === 'fault', `${operation} ${JSON.stringify(request)}`);
  }
  assert.equal(must(await list(w)), []);
});

test.run();
