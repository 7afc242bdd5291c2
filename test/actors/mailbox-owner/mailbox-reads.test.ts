/** What sessions of purpose `mailboxes` are told of mailboxes as such, and what they are not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { presentBlocks } from '../../../actors/mailbox-owner/mailbox-reads.ts';
import { ANSWER_OCTETS } from '../../../actors/mailbox-owner/message-rows.ts';
import { BusError } from '../../../cluster/bus/bus.ts';
import { FLAG } from '../../../store/flags.ts';
import { overlay } from '../../../store/overlay.ts';
import { mailboxNames, uidBits } from '../../../store/tables.ts';
import { PRESENT } from '../../../store/uid-bits.ts';
import { ALL, deliver, message, must, session, within } from './mailboxes-world.ts';

const list = { limit: 100 };

within('the own INBOX is there before anybody made it, and is made once', async (w) => {
  const joe = await session(w, 'joe');
  const page = must(await joe.read('list-mailboxes', { account: 'joe', ...list }));
  assert.equal(
    page.entries.map(({ name, rights, status }) => [name, rights, status?.messages]),
    [['INBOX', 'lrswipkxtea', 0]],
  );
  assert.is(page.next, null);
  const { ref } = await joe.select();
  assert.is(must(await joe.read('mailbox-named', { account: 'joe', name: 'inbox' })).mailbox, ref.mailbox);
});

within('the INBOX of an account that is dropped at this very moment is not made again', async (w) => {
  for (let ticks = 0; ticks < 40; ticks++) {
    const account = `u${ticks}`;
    const one = await session(w, account);
    const dropped = w.ask<{ ok: true; value: null }>('drop-account', { account });
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve(); // so that each comes first at some time
    await one.read('list-mailboxes', { account, ...list });
    assert.ok((await dropped).ok);
    assert.equal(
      w.store.read((view) => [...mailboxNames.range(view, [account])]),
      [],
      `after ${ticks} ticks`,
    );
  }
});

within('the INBOX of an account whose mail is elsewhere is not made here', async (w) => {
  w.elsewhere.add('joe');
  const joe = await session(w, 'joe');
  assert.equal(await joe.read('list-mailboxes', { account: 'joe', ...list }), { ok: false, refusal: 'unavailable' });
  assert.equal(must(await joe.read('list-mailboxes', { account: 'bob', ...list })).entries, []);
});

within('mailboxes are listed page by page, in one order, each once', async (w) => {
  const joe = await session(w, 'joe');
  const names = ['A', 'A/b', 'A/b/c', 'a', 'Zürich'];
  for (const name of names) await joe.create(name);
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const asked = { account: 'joe', limit: 2, ...(after !== undefined && { after }) };
    const { entries, next } = must(await joe.read('list-mailboxes', asked));
    assert.ok(entries.length <= 2);
    seen.push(...entries.map(({ name }) => name));
    if (next === null) break;
    after = next;
  }
  assert.equal(seen, ['A', 'A/b', 'A/b/c', 'INBOX', 'Zürich', 'a']);
});

within('a mailbox tells what is in it', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'one', 'two!', 'three');
  const { ref } = await joe.select();
  await joe.flag(ref, [[1, 1]], FLAG.seen);
  await joe.flag(ref, [[2, 3]], FLAG.deleted, ['$Work']);
  const { status, specialUse } = must(await joe.read('mailbox-named', { account: 'joe', name: 'INBOX' }));
  assert.is(specialUse, undefined);
  const { modSeq, ...rest } = status!;
  assert.equal(rest, {
    uidNext: 4,
    messages: 3,
    unseen: 2,
    deleted: 2,
    deletedOctets: 9,
    octets: 12,
    recent: 3,
  });
  assert.is(modSeq, (await joe.select()).modSeq);
});

within('select tells UIDs, flags and keywords without a look at any message', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', ...Array.from({ length: 20 }, (_, at) => `message ${at}`));
  const { ref } = await joe.select();
  await joe.flag(ref, [[1, 4]], FLAG.seen, ['$Label1']);
  await joe.flag(ref, [[7, 9]], FLAG.deleted);
  must(await joe.change('expunge', { ref, uids: null }));
  const selected = await joe.select();
  assert.is(selected.messages, 17);
  assert.is(selected.firstUnseen, 5);
  assert.is(selected.unseen, 13);
  assert.is(selected.uidNext, 21);
  assert.equal(selected.keywords, ['$Label1']);
  assert.equal(selected.present.more, false);
  assert.equal(
    selected.present.blocks.map(({ block, bits }) => [block, Buffer.from(bits).toString('hex')]),
    [[0, '3ffe0f']],
  );
  await joe.flag(ref, ALL, FLAG.seen);
  assert.is((await joe.select()).firstUnseen, null);
});

within('what is recent is recent to the first session that selects to write', async (w) => {
  await deliver(w, 'joe', 'one', 'two');
  const [joe, again] = [await session(w, 'joe'), await session(w, 'joe', 's-again')];
  const select = async (who: typeof joe, write: boolean) =>
    must(await who.read('select', { account: 'joe', name: 'INBOX', write })).recentFrom;
  assert.is(await select(joe, false), 1);
  assert.is(await select(again, true), 1);
  assert.is(await select(joe, true), 3);
  const status = async () => must(await joe.read('mailbox-named', { account: 'joe', name: 'INBOX' })).status?.recent;
  assert.is(await status(), 0);
  await deliver(w, 'joe', 'three');
  assert.is(await status(), 1);
  assert.is(await select(joe, true), 3);
});

within('select says up to where it has shown what is recent, and show-recent shows what was told later', async (w) => {
  await deliver(w, 'joe', 'one', 'two');
  const [joe, bob] = [await session(w, 'joe'), await session(w, 'bob')];
  const select = async (write: boolean) => must(await joe.read('select', { account: 'joe', name: 'INBOX', write }));
  const of = ({ recentFrom, recentUpTo }: { recentFrom: number; recentUpTo: number }) => [recentFrom, recentUpTo];
  assert.equal(of(await select(false)), [1, 1]);
  assert.equal(of(await select(true)), [1, 3]);
  await deliver(w, 'joe', 'three', 'four');
  const { ref } = await select(false);
  must(await joe.read('show-recent', { ref, upTo: 4 }));
  assert.equal(of(await select(false)), [4, 4]);
  assert.equal(await bob.read('show-recent', { ref, upTo: 5 }), { ok: false, refusal: 'no-such-mailbox' });
  assert.equal(of(await select(true)), [4, 5]);
});

within('a full disk keeps nobody from a mailbox: recent is shown again', async (w) => {
  await deliver(w, 'joe', 'one');
  const joe = await session(w, 'joe');
  for (let at = 0; at < 2; at++) {
    w.fates.push('full');
    assert.is(must(await joe.read('select', { account: 'joe', name: 'INBOX', write: true })).recentFrom, 1);
  }
});

within('rights decide what is seen: l to list, r to look in, none to know of', async (w) => {
  const [joe, bob] = [await session(w, 'joe'), await session(w, 'bob')];
  await joe.append('INBOX', 'private');
  for (const name of ['Listed', 'Read', 'Posted', 'Hidden']) await joe.create(name);
  await joe.grant('Listed', 'bob', 'l');
  await joe.grant('Read', 'anyone', 'lr');
  await joe.grant('Posted', 'bob', 'p');
  const { entries } = must(await bob.read('list-mailboxes', { account: 'joe', ...list }));
  assert.equal(
    entries.map(({ name, rights, status }) => [name, rights, status === undefined]),
    [
      ['Listed', 'l', true],
      ['Read', 'lr', false],
    ],
  );
  const select = async (name: string) => {
    const answer = await bob.read('select', { account: 'joe', name, write: false });
    return answer.ok || answer.refusal;
  };
  assert.equal(
    [
      await select('Read'),
      await select('Listed'),
      await select('Posted'),
      await select('Hidden'),
      await select('Nope'),
    ],
    [true, 'no-permission', 'no-such-mailbox', 'no-such-mailbox', 'no-such-mailbox'],
  );
  for (const name of ['Posted', 'Hidden', 'Nope', 'INBOX', '', 'a//b']) {
    assert.equal(await bob.read('mailbox-named', { account: 'joe', name }), { ok: false, refusal: 'no-such-mailbox' });
    assert.equal(await bob.read('rights-on', { account: 'joe', name }), { ok: false, refusal: 'no-such-mailbox' });
  }
  assert.equal(await bob.read('rights-on', { account: 'joe', name: 'Read' }), { ok: false, refusal: 'no-permission' });
  assert.equal(must(await joe.read('rights-on', { account: 'joe', name: 'Read' })), [
    { identifier: 'anyone', rights: 'lr' },
  ]);
});

within('what was taken away is refused at the next read, and so is a mailbox made anew', async (w) => {
  const [joe, bob] = [await session(w, 'joe'), await session(w, 'bob')];
  await joe.create('Work');
  await joe.append('Work', 'one');
  await joe.grant('Work', 'bob', 'lr');
  const { ref } = await bob.select('Work', 'joe');
  const reads = () =>
    Promise.all([
      bob.read('messages', { ref, uids: ALL, limit: 10, with: {} }),
      bob.read('changes', { ref, since: 1 }),
      bob.read('octets', { ref, wanted: [{ uid: 1, offset: 0 }] }),
      bob.read('present', { ref, afterBlock: 0 }),
      bob.read('search', { ref, program: { type: 'and', keys: [] }, afterUid: 0 }),
      bob.read('sort-keys', { ref, uids: ALL, keys: [] }),
    ]);
  const refusals = async () => new Set((await reads()).map((answer) => answer.ok || answer.refusal));
  assert.equal([...(await refusals())], [true]);
  await joe.grant('Work', 'bob', 'l');
  assert.equal([...(await refusals())], ['no-permission']);
  await joe.grant('Work', 'bob', '');
  assert.equal([...(await refusals())], ['no-such-mailbox']);
  await joe.grant('Work', 'bob', 'lr');
  const edit = { type: 'delete', name: 'Work' } as const;
  must(await joe.change('edit-mailboxes', { account: 'joe', withInbox: true, edit }));
  assert.equal([...(await refusals())], ['no-such-mailbox']);
  await joe.create('Work');
  await joe.grant('Work', 'bob', 'lr');
  assert.equal([...(await refusals())], ['no-such-mailbox']);
});

within('who administers sees everything', async (w) => {
  const joe = await session(w, 'joe');
  await joe.create('Work');
  const root = await session(w, 'root', 's-root', ['mailboxes', 'administer']);
  const { entries } = must(await root.read('list-mailboxes', { account: 'joe', ...list }));
  assert.equal(
    entries.map(({ name, rights }) => [name, rights]),
    [['Work', 'lrswipkxtea']],
  );
});

within('accounts that share a mailbox are found, page by page, and no others', async (w) => {
  const bob = await session(w, 'bob');
  for (const account of ['a1', 'a2', 'a3', 'a4']) {
    const other = await session(w, account);
    await other.create('Shared');
    if (account !== 'a2') await other.grant('Shared', 'anyone', account === 'a3' ? 'p' : 'l');
  }
  await bob.create('Own');
  await bob.grant('Own', 'anyone', 'l');
  const found: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = must(await bob.read('sharing-accounts', { limit: 1, ...(after !== undefined && { after }) }));
    found.push(...page.accounts);
    if (page.next === null) break;
    after = page.next;
  }
  assert.equal(found, ['a1', 'a4']);
});

within('subscriptions are the session account’s own, whatever they name', async (w) => {
  const [joe, bob] = [await session(w, 'joe'), await session(w, 'bob')];
  for (const name of ['c', 'a', 'Other/b'])
    must(await joe.change('edit-mailboxes', { account: 'joe', withInbox: true, edit: { type: 'subscribe', name } }));
  const first = must(await joe.read('subscriptions', { limit: 2 }));
  assert.equal(first, { entries: ['Other/b', 'a'], more: true });
  assert.equal(must(await joe.read('subscriptions', { limit: 2, after: 'a' })), { entries: ['c'], more: false });
  assert.equal(must(await bob.read('subscriptions', list)), { entries: [], more: false });
});

within('annotations are told to whom they belong, page by page', async (w) => {
  const [joe, bob] = [await session(w, 'joe'), await session(w, 'bob')];
  await joe.create('Work');
  await joe.grant('Work', 'bob', 'lrw');
  const annotate = async (who: typeof joe, entry: string, isPrivate: boolean, text: string) =>
    must(
      await who.change('edit-mailboxes', {
        account: 'joe',
        withInbox: true,
        edit: {
          type: 'set-annotations',
          name: 'Work',
          annotations: [{ entry, isPrivate, value: Buffer.from(text) }],
        },
      }),
    );
  await annotate(joe, '/comment', false, 'shared');
  await annotate(joe, '/comment', true, 'joe’s');
  await annotate(bob, '/comment', true, 'bob’s');
  const seen = async (who: typeof joe) => {
    const all: string[] = [];
    for (let after: { entry: string; isPrivate: boolean } | undefined; ; ) {
      const asked = { account: 'joe', name: 'Work', limit: 1, ...(after && { after }) };
      const { entries, more } = must(await who.read('annotations', asked));
      all.push(...entries.map(({ value, isPrivate }) => `${isPrivate} ${Buffer.from(value)}`));
      if (!more) return all;
      after = entries.at(-1);
    }
  };
  assert.equal(await seen(joe), ['false shared', 'true joe’s']);
  assert.equal(await seen(bob), ['false shared', 'true bob’s']);
  await joe.grant('Work', 'bob', 'l');
  assert.equal(await bob.read('annotations', { account: 'joe', name: 'Work', limit: 1 }), {
    ok: false,
    refusal: 'no-permission',
  });
});

test('a list of UIDs that is too long for one answer goes on behind its last block', () => {
  const view = overlay({ get: () => undefined, range: () => [] });
  for (let block = 0; block < 1_000; block++) uidBits.put(view, ['joe', 1, PRESENT, block * 2], Uint8Array.of(1));
  const seen: number[] = [];
  for (let after = -1, more = true; more; after = seen.at(-1)!) {
    const page = presentBlocks(view, { account: 'joe', mailbox: 1 }, after);
    assert.ok(page.blocks.length > 0 && page.blocks.length * 520 < ANSWER_OCTETS);
    seen.push(...page.blocks.map(({ block }) => block));
    more = page.more;
  }
  assert.equal(
    seen,
    Array.from({ length: 1_000 }, (_, at) => at * 2),
  );
});

within('the rest of such a list is asked for by its mailbox', async (w) => {
  const joe = await session(w, 'joe');
  await joe.append('INBOX', 'one');
  const { ref } = await joe.select();
  assert.equal(must(await joe.read('present', { ref, afterBlock: 0 })), { blocks: [], more: false });
});

within('only sessions of purpose mailboxes ask; an unknown handle and a wrong shape are told apart', async (w) => {
  const maildrop = must(await w.open('m', 'joe'));
  const ask = (handle: string) => w.ask('list-mailboxes', { handle, account: 'joe', limit: 1 });
  assert.equal(await ask(maildrop.handle), { ok: false, refusal: 'unknown-handle' });
  assert.equal(await ask('nobody.s'), { ok: false, refusal: 'unknown-handle' });
  const joe = await session(w, 'joe');
  const { ref } = await joe.select();
  const wrong: readonly (readonly [Parameters<typeof w.ask>[0], object])[] = [
    ['list-mailboxes', { account: '', limit: 1 }],
    ['mailbox-named', { account: 'joe', name: 7 }],
    ['sharing-accounts', { limit: -1 }],
    ['subscriptions', { limit: 1, after: 7 }],
    ['rights-on', { account: 'joe' }],
    ['annotations', { account: 'joe', name: 'INBOX', limit: 1, after: { entry: 7 } }],
    ['select', { account: 'joe', name: 'INBOX' }],
    ['present', { ref: { ...ref, uidValidity: 'x' }, afterBlock: 0 }],
    ['messages', { ref, uids: [[2, 1]], limit: 1, with: {} }],
    [
      'messages',
      {
        ref,
        uids: [
          [1, 3],
          [3, 4],
        ],
        limit: 1,
        with: {},
      },
    ],
    ['messages', { ref, uids: ALL, limit: 1, with: null }],
    ['changes', { ref, since: -1 }],
    ['changes', { ref, since: 1, at: { upTo: 1 } }],
    ['octets', { ref, wanted: [] }],
    ['octets', { ref, wanted: [{ uid: 1, offset: 0, most: -1 }] }],
    ['search', { ref, program: { type: 'nothing' }, afterUid: 0 }],
    ['sort-keys', { ref, uids: ALL, keys: ['colour'] }],
    ['store-flags', { counter: 1, ref, uids: ALL, mode: 'toggle', flags: 1, keywords: [] }],
    ['store-flags', { counter: 1, ref, uids: ALL, mode: 'add', flags: 1, keywords: [''] }],
    ['expunge', { counter: 0, ref, uids: null }],
    ['append', { counter: 1, account: 'joe', withInbox: true, name: 'INBOX', messages: [] }],
    [
      'append',
      { counter: 1, account: 'joe', withInbox: true, name: 'INBOX', messages: [message('x')], quotaOctets: -1 },
    ],
    ['copy', { counter: 1, from: ref, uids: ALL, to: { account: 'joe', name: 'INBOX' }, move: false }],
    ['edit-mailboxes', { counter: 1, account: 'joe', withInbox: true, edit: { type: 'burn', name: 'x' } }],
  ];
  for (const [operation, request] of wrong) {
    const answer = await w.ask(operation, { handle: joe.handle(), ...request }).catch((fault: unknown) => fault);
    assert.ok(answer instanceof BusError && answer.failure === 'fault', `${operation} ${JSON.stringify(request)}`);
  }
});

test.run();
