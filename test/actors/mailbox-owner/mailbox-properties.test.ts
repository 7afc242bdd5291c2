/**
 * What holds whatever sessions of mailboxes ask, in whatever order, however often, with whatever lost: random histories of
 * several sessions on the same mailboxes, whose replies are lost and whose records are refused.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Journal } from '../../../actors/mailbox-owner/journal.ts';
import { localJournal } from '../../../actors/mailbox-owner/local-journal.ts';
import type { SessionEdit } from '../../../actors/mailbox-owner/mailbox-requests.ts';
import type { OwnerOperation } from '../../../actors/mailbox-owner/operation.ts';
import { createWriter } from '../../../actors/mailbox-owner/writer.ts';
import { refuse } from '../../../kernel/result.ts';
import { ALL_FLAGS } from '../../../store/flags.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import type { Store } from '../../../store/store.ts';
import { FORMAT_VERSION, mailboxes, messages } from '../../../store/tables.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { follower } from '../../support/follower.ts';
import { message, openMailboxes } from './mailbox-state.ts';
import { deliverTo, NOW, openDelivery } from './state.ts';

const ACCOUNTS = ['ann', 'joe'];
const account = fc.constantFrom(...ACCOUNTS);
const session = fc.constantFrom('s-ann', 's-ann', 's-joe', 's-joe', 's-root', 's-root', 'd');
const counter = fc.integer({ min: 1, max: 12 });
const name = fc.constantFrom('INBOX', 'INBOX', 'a', 'a', 'a/b', 'b');
const uid = fc.integer({ min: 1, max: 9 });
const ranges = fc.oneof(
  fc.tuple(uid, uid).map(([from, more]) => [[from, from + more]] as const),
  fc.constant([[1, 2 ** 32 - 1]] as const),
  uid.map((one) => [[one, one]] as const),
);
const flags = fc.integer({ min: 0, max: ALL_FLAGS });
const keywords = fc.subarray(['$Junk', 'work', 'WORK']);
/** Numbers are given out one after another from the second on in which all this happens. */
const ref = fc
  .tuple(account, fc.integer({ min: 1, max: 5 }), fc.constantFrom(0, 0, 0, 0, 1))
  .map(([of, mailbox, off]) => ({ account: of, mailbox, uidValidity: NOW / 1000 + mailbox - 1 + off * 9 }));
const limits = fc.record({ quotaMessages: fc.constantFrom(0, 0, 6), sizeLimitOctets: fc.constantFrom(0, 0, 3) });
const home = fc.record({ account, withInbox: fc.boolean(), name });
const text = fc.constantFrom('a', 'bb', 'cccc');

const edit: fc.Arbitrary<SessionEdit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('create' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), name }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('rename' as const), name, to: name }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('set-rights' as const),
      name,
      identifier: fc.constantFrom('ann', 'joe', 'anyone', '-ann'),
      rights: fc.constantFrom('lrswipkxtea', 'lr', 'lri', '', '+te', '-w'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('subscribe' as const, 'unsubscribe' as const), name }) },
);

const numbered = { session, counter };
const operation: fc.Arbitrary<OwnerOperation> = fc.oneof(
  {
    weight: 2,
    arbitrary: session.map((each) =>
      each === 'd' ? openDelivery('d') : openMailboxes(each, each.slice(2), admitted(each)),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('store-flags' as const),
      ...numbered,
      ref,
      uids: ranges,
      mode: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const),
      flags,
      keywords,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('expunge' as const),
      ...numbered,
      ref,
      uids: fc.option(ranges, { nil: null }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.record(numbered),
        home,
        limits,
        fc.array(
          fc.tuple(text, flags, keywords).map((all) => message(...all)),
          { minLength: 1, maxLength: 3 },
        ),
      )
      .map(([who, to, most, all]) => ({ type: 'append' as const, ...who, ...to, ...most, messages: all, now: NOW })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.record({ ...numbered, from: ref, uids: ranges, to: home, move: fc.boolean() }), limits)
      .map(([asked, most]) => ({ type: 'copy' as const, ...asked, ...most, now: NOW })),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.record({ ...numbered, account, edit }), fc.boolean())
      .map(([asked, withInbox]) => ({ type: 'edit-mailboxes' as const, ...asked, withInbox, now: NOW })),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('show-recent' as const), ref }) },
  { weight: 2, arbitrary: fc.tuple(counter, account).map(([number, to]) => deliverTo('d', number, 'mail', to)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(account, fc.nat(5))
      .map(([each, luck]) => ({ type: 'drop-account' as const, account: each, most: luck === 0 ? 3 : 0, now: NOW })),
  },
);

function admitted(each: string) {
  const rights = each === 's-root' ? ['mailboxes', 'administer'] : ['mailboxes'];
  return { admission: { account: each.slice(2), session: each, rights, expiresAtMs: NOW + 60_000 } };
}

const beginning: readonly OwnerOperation[] = [
  openDelivery('d'),
  ...['s-ann', 's-joe', 's-root'].map((each) => openMailboxes(each, each.slice(2), admitted(each))),
  deliverTo('d', 1, 'first', 'joe', 'ann'),
  ...ACCOUNTS.flatMap((each, at) =>
    (
      [
        { type: 'create', name: 'a' },
        { type: 'set-rights', name: 'a', identifier: 'anyone', rights: 'lrswi' },
        { type: 'set-rights', name: 'INBOX', identifier: 'anyone', rights: 'lrite' },
      ] as const
    ).map(
      (wanted, number): OwnerOperation => ({
        type: 'edit-mailboxes',
        session: 's-root',
        counter: 1 + 3 * at + number,
        account: each,
        withInbox: true,
        edit: wanted,
        now: NOW,
      }),
    ),
  ),
];

/** Counters go on with the batches, so that most are new, some are repeated and some come late. */
const later = (each: OwnerOperation, at: number): OwnerOperation =>
  'counter' in each ? { ...each, counter: each.counter + 8 * at } : each;

/** By mailbox and UID: what must never change of a message, and the mod-sequence, which only rises. */
const messagesIn = (store: Store) =>
  store.read((view) => {
    const found = new Map<string, { readonly lasting: string; readonly modSeq: number; readonly flags: string }>();
    for (const { key, row } of messages.range(view, [])) {
      const home = mailboxes.get(view, key[0], key[1])!;
      const lasting = [row.internalDate, row.sizeOctets, row.blob, row.saveDate, row.emailId, row.emailOf].join(' ');
      const changing = [row.flags, ...(row.keywords ?? [])].join(' ');
      found.set([...key, home.uidValidity].join(' '), { lasting, modSeq: row.modSeq, flags: changing });
    }
    return found;
  });

test('whatever sessions of mailboxes ask, messages last as they are, and owner, follower and check agree', async () => {
  const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 20 });
  const fates = fc.array(fc.constantFrom('commit', 'commit', 'commit', 'commit', 'commit', 'full'), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(batches, fates, async (history, luck) => {
      const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
      const copy = follower(store.identity);
      const local = localJournal(store, copy.tap);
      const first = createWriter({ store, journal: local, epoch: 1, log: silentLog });
      for (const each of beginning) assert.ok((await first.submit(each)).ok);
      await first.stop();
      const fortunes = [...luck];
      const journal: Journal = {
        append: (record) => (fortunes.shift() === 'full' ? Promise.resolve(refuse('full')) : local.append(record)),
      };
      for (const [at, batch] of history.entries()) {
        const writer = createWriter({ store, journal, epoch: at + 2, log: silentLog }); // each batch has another owner
        const before = messagesIn(store);
        await Promise.all(batch.map((each) => writer.submit(later(each, at))));
        await writer.stop();
        for (const [where, now] of messagesIn(store)) {
          const then = before.get(where);
          if (!then) continue;
          assert.is(now.lasting, then.lasting);
          if (now.flags !== then.flags) assert.ok(now.modSeq > then.modSeq, `${where} changed, and is as it was`);
          assert.ok(now.modSeq >= then.modSeq);
        }
        await copy.mustEqual(store);
      }
    }),
    { numRuns: 150 },
  );
});

test('what is asked again, by any owner, is answered as it was, and done once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (history) => {
      const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
      let epoch = 1;
      const journal = localJournal(store);
      const submit = async (each: OwnerOperation) => {
        const writer = createWriter({ store, journal, epoch: epoch++, log: silentLog });
        const written = await writer.submit(each);
        await writer.stop();
        return written;
      };
      for (const each of beginning) await submit(each);
      for (const [at, asked] of history.entries()) {
        const each = later(asked, at);
        const written = await submit(each);
        if (!('counter' in each) || !written.ok || !written.value.ok) continue;
        const before = store.applied();
        assert.equal(await submit(each), written);
        assert.equal(store.applied(), before);
      }
    }),
    { numRuns: 100 },
  );
});

test.run();
