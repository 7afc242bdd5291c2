/**
 * What holds whatever is asked, in whatever order, however often, with whatever lost: checked over random histories of a
 * writer whose replies are lost, whose records are refused, and whose owner is replaced.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Journal } from '../../../actors/mailbox-owner/journal.ts';
import { localJournal } from '../../../actors/mailbox-owner/local-journal.ts';
import type { OwnerOperation } from '../../../actors/mailbox-owner/operation.ts';
import type { Delivered, MailboxEdit } from '../../../actors/mailbox-owner/requests.ts';
import { createWriter, type Writer } from '../../../actors/mailbox-owner/writer.ts';
import { mailboxName } from '../../../kernel/mailbox-name.ts';
import { refuse } from '../../../kernel/result.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import { differences } from '../../../store/compare.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import { decodeRecord, encodeRecord } from '../../../store/record.ts';
import type { Store } from '../../../store/store.ts';
import { accounts, FORMAT_VERSION, locks, mailboxes, mailboxNames, messages } from '../../../store/tables.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { follower } from '../../support/follower.ts';
import { deliverTo, front, NOW, openDelivery, openMaildrop, recipient, sha256 } from './state.ts';

const ACCOUNTS = ['ann', 'bob', 'joe'];
const BODIES = ['', 'hello', 'other', 'x'.repeat(500)].map((text) => Buffer.from(text));
const LARGE = Buffer.alloc(CHUNK_OCTETS + 9, 'large');

const account = fc.constantFrom(...ACCOUNTS);
const delivery = fc.constantFrom('d1', 'd2');
const maildrop = fc.constantFrom('s1', 's2', 's3', 's4');
const counter = fc.integer({ min: 1, max: 12 });
/** Names that stand beside, above and below one another, and some that are none. */
const folder = fc.constantFrom('a', 'b', 'a/b', 'a/b/c', 'b/a', 'INBOX', 'inbox/x', 'a//b', 'e\u0301', '\u00e9');
const to = fc.array(
  fc.record({
    account,
    quota: fc.option(fc.integer({ min: 0, max: 900 })),
    folder: fc.option(folder),
    mustExist: fc.boolean(),
    sizeLimitOctets: fc.constantFrom(0, 4, 600),
    ignoresQuota: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);
const edit: fc.Arbitrary<MailboxEdit> = fc.oneof(
  { weight: 4, arbitrary: folder.map((name) => ({ type: 'create' as const, name })) },
  { weight: 1, arbitrary: folder.map((name) => ({ type: 'delete' as const, name })) },
  {
    weight: 2,
    arbitrary: fc.tuple(folder, folder).map(([name, other]) => ({ type: 'rename' as const, name, to: other })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(folder, fc.constantFrom('anyone', '-anyone', 'id-ann'), fc.constantFrom('p', 'lrp', '+p', '-p', '', 'q'))
      .map(([name, identifier, rights]) => ({ type: 'set-rights' as const, name, identifier, rights })),
  },
);

const operation: fc.Arbitrary<OwnerOperation> = fc.oneof(
  { weight: 2, arbitrary: delivery.map((session) => openDelivery(session)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(maildrop, account, fc.boolean(), fc.option(maildrop))
      .map(([session, name, again, abandoned]) => openMaildrop(session, name, { again, abandoned })),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(delivery, counter, fc.constantFrom(...BODIES), to).map(([session, number, body, names]) =>
      deliverTo(
        session,
        number,
        body,
        ...names.map(({ account: name, quota, folder: named, ...how }) =>
          recipient(name, {
            ...how,
            ...(quota !== null && { quotaOctets: quota }),
            ...(named !== null && { folder: named }),
          }),
        ),
      ),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(account, edit, fc.boolean()).map(([name, wanted, withInbox]) => ({
      type: 'change-mailboxes' as const,
      account: name,
      withInbox,
      edit: wanted,
      now: NOW,
    })),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(delivery, fc.constantFrom('b1', 'b2'), fc.nat({ max: 1 })).map(([session, stage, index]) => ({
      type: 'stage' as const,
      session,
      stage,
      index,
      bytes: LARGE.subarray(index * CHUNK_OCTETS, (index + 1) * CHUNK_OCTETS),
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(delivery, counter, fc.constantFrom('b1', 'b2'), fc.integer({ min: 1, max: 9 }), account)
      .map(([session, number, stage, body, name]) => ({
        ...deliverTo(session, number, '', name),
        content: { kind: 'staged' as const, stage, body, sizeOctets: LARGE.length, sha256: sha256(LARGE) },
      })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        maildrop,
        counter,
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }),
      )
      .map(([session, number, lock, uids]) => ({
        type: 'quit' as const,
        session,
        counter: number,
        lock,
        uids,
        now: NOW,
      })),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(delivery, maildrop).map((session) => ({ type: 'close' as const, session, now: NOW })),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(maildrop)
      .map((names) => ({ type: 'sweep' as const, sessions: names.map((session) => ({ session, front })), now: NOW })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 3 }).map((mostChunks) => ({ type: 'collect' as const, mostChunks })),
  },
  { weight: 1, arbitrary: fc.constantFrom(NOW, NOW * 2).map((now) => ({ type: 'forget' as const, now, most: 2 })) },
  {
    weight: 1,
    arbitrary: account.map((name) => ({ type: 'drop-account' as const, account: name, most: 2, now: NOW })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(account, fc.integer({ min: 1, max: 6 }))
      .map(([name, mailbox]) => ({ type: 'clear' as const, account: name, mailbox, most: 2 })),
  },
);

/** What happens to the records, one after another. */
const fate = fc.oneof({ weight: 6, arbitrary: fc.constant('commit') }, { weight: 1, arbitrary: fc.constant('full') });
/** Operations that come at once, and are one batch. */
const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 25 });

/** By account and receipt. */
const messagesOf = (store: Store): ReadonlySet<string> =>
  store.read((view) => new Set([...messages.range(view, [])].map(({ key, row }) => `${key[0]} ${row.sequence}`)));

type Marks = Map<string, number[]>;
/** The numbers that must never go back: for each mailbox its UIDs' end and modseq, for each account all it gave out. */
function marks(store: Store): Marks {
  const found: Marks = new Map();
  store.read((view) => {
    for (const { key, row } of accounts.range(view, [])) {
      found.set(key[0], [row.lastUidValidity, row.lastSequence, row.lastLock, row.lastMailbox]);
    }
    for (const { key, row } of mailboxes.range(view, [])) found.set(key.join(' '), [row.uidNext, row.modSeq]);
  });
  return found;
}

function mustRise(before: Marks, after: Marks): void {
  for (const [name, numbers] of before) {
    const now = after.get(name);
    if (!now) continue; // a mailbox that was deleted, or went with its account, whose own numbers stay
    numbers.forEach((number, at) => {
      assert.ok(now[at]! >= number, `${name}: ${now} after ${numbers}`);
    });
  }
}

test('follower, owner and check agree, and numbers only rise, whatever is asked and refused', async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.array(fate, { maxLength: 25 }), async (history, fates) => {
      const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
      const copy = follower(store.identity);
      const local = localJournal(store, copy.tap);
      const journal: Journal = {
        append: (record) => (fates.shift() === 'full' ? Promise.resolve(refuse('full')) : local.append(record)),
      };
      let writer: Writer | undefined;
      for (const [at, batch] of history.entries()) {
        writer = createWriter({ store, journal, epoch: at + 1, log: silentLog }); // each batch has another owner
        const before = marks(store);
        await Promise.allSettled(batch.map((each) => writer!.submit(each)));
        await writer.stop();
        mustRise(before, marks(store));
        await copy.mustEqual(store);
      }
    }),
    { numRuns: 150 },
  );
});

test('mailboxes are found by one name each, and what one delivery counts is what is there', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (history) => {
      const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
      const writer = createWriter({ store, journal: localJournal(store), epoch: 1, log: silentLog });
      await writer.submit(openDelivery('d1'));
      for (const batch of history) {
        const before = messagesOf(store);
        const written = await Promise.all(batch.map((each) => writer.submit(each).catch(() => undefined)));
        // Only what delivers adds, and only what expunges takes away: then nothing does both.
        if (batch.some(({ type }) => type !== 'deliver')) continue;
        const uids = new Set(
          written.flatMap((each, at) => {
            if (!each?.ok || !each.value.ok) return [];
            const { recipients } = batch[at] as Extract<OwnerOperation, { type: 'deliver' }>;
            const delivered = each.value.value as Delivered;
            // A number that was used before gets the answer from then, which may be to others, and more of them.
            return delivered.flatMap((one, of) =>
              one.ok && recipients[of] ? [`${recipients[of].account} ${one.value.sequence}`] : [],
            );
          }),
        );
        const added = [...messagesOf(store)].filter((each) => !before.has(each));
        for (const each of added) assert.ok(uids.has(each), `${each} was not answered for`);
      }
      store.read((view) => {
        const seen = new Set<string>();
        for (const { key, row } of mailboxNames.range(view, [])) {
          assert.not(seen.has(`${key[0]} ${row}`), 'a mailbox with two names');
          seen.add(`${key[0]} ${row}`);
          assert.equal(mailboxName(key[1]), { ok: true, value: key[1] });
        }
      });
    }),
    { numRuns: 150 },
  );
});

test('an owner rebuilt from its records alone is the owner', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (history) => {
      const identity = { storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION };
      const store = memoryStore(identity);
      const records: Buffer[] = [];
      const journal = localJournal(store, (record) => void records.push(Buffer.from(encodeRecord(record))));
      const writer = createWriter({ store, journal, epoch: 1, log: silentLog });
      for (const batch of history) await Promise.allSettled(batch.map((each) => writer.submit(each)));
      const rebuilt = memoryStore(identity);
      for (const sent of records) {
        const record = decodeRecord(sent);
        assert.ok(record.ok);
        await rebuilt.commit(record.value);
      }
      assert.equal(differences(store, rebuilt), []);
    }),
    { numRuns: 100 },
  );
});

test('a delivery that is repeated until it is answered is there exactly once', async () => {
  const lost = fc.array(fc.constantFrom('lost reply', 'full', 'doubled', 'answered'), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(lost, async (luck) => {
      const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
      const copy = follower(store.identity);
      const local = localJournal(store, copy.tap);
      let isFull = false;
      const journal: Journal = {
        append: (record) => (isFull ? Promise.resolve(refuse('full')) : local.append(record)),
      };
      let epoch = 1;
      let writer = createWriter({ store, journal, epoch, log: silentLog });
      await writer.submit(openDelivery('d'));
      let number = 1;
      for (const fortune of luck) {
        isFull = fortune === 'full';
        const request = deliverTo('d', number, `message ${number}`, 'joe', 'ann');
        const copies = fortune === 'doubled' ? [request, request] : [request];
        const answers = await Promise.all(copies.map((each) => writer.submit(each)));
        const answer = answers[0]!;
        assert.equal(answers.at(-1), answer);
        if (fortune === 'lost reply') {
          await writer.stop(); // the owner dies after its commit: the front asks the next one, with the same number
          writer = createWriter({ store, journal, epoch: ++epoch, log: silentLog });
        } else if (answer.ok && answer.value.ok) {
          number++;
        }
      }
      isFull = false;
      await writer.submit(deliverTo('d', number, `message ${number}`, 'joe', 'ann'));
      for (const name of ['joe', 'ann']) {
        const uids = store.read((view) => [...messages.range(view, [name])].map(({ key }) => key[2]));
        assert.equal(
          uids,
          Array.from({ length: number }, (_, at) => at + 1),
        );
      }
      await copy.mustEqual(store);
    }),
    { numRuns: 150 },
  );
});

test('a maildrop has one holder at a time, and only the holder removes anything', async () => {
  const step = fc.record({
    session: maildrop,
    abandoned: fc.option(maildrop),
    act: fc.constantFrom('open', 'quit', 'close'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
      const writer = createWriter({ store, journal: localJournal(store), epoch: 1, log: silentLog });
      await writer.submit(openDelivery('d'));
      await writer.submit(deliverTo('d', 1, 'kept', 'joe'));
      const lockOf = new Map<string, number>();
      for (const { session, abandoned, act } of steps) {
        const held = store.read((view) => locks.get(view, 'joe'));
        if (act === 'open') {
          const opened = await writer.submit(openMaildrop(session, 'joe', { abandoned }));
          if (opened.ok && opened.value.ok) lockOf.set(session, opened.value.value.maildrop!.lock);
          const mayOpen = held === undefined || held.session === session || held.session === abandoned;
          assert.ok(mayOpen || !(opened.ok && opened.value.ok));
        } else if (act === 'close') {
          await writer.submit({ type: 'close', session, now: NOW });
        } else {
          const lock = lockOf.get(session) ?? 1;
          const counter = 1 + lock;
          const count = () => store.read((view) => [...messages.range(view, ['joe'])].length);
          const before = count();
          await writer.submit({ type: 'quit', session, counter, lock, uids: [1], now: NOW });
          if (held?.session !== session || held.lock !== lock) assert.is(count(), before);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test.run();
