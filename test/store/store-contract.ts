/** What every store must do: run by lmdb-store.test.ts and memory-store.test.ts over their own implementation. */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CHUNK_OCTETS, cut } from '../../store/blob.ts';
import type { Change, FlagsGroup } from '../../store/change.ts';
import { flaws } from '../../store/check.ts';
import { FLAG } from '../../store/flags.ts';
import type { Entry } from '../../store/key-value.ts';
import { NOTHING_APPLIED, seal } from '../../store/record.ts';
import { type Store, StoreFault } from '../../store/store.ts';
import * as t from '../../store/tables.ts';
import { follower } from '../support/follower.ts';

export type Subject = { readonly store: Store; end(): Promise<void> };

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The changes that put one message into a mailbox that is made for it. */
export function delivery(account: string, body: Uint8Array, number = 1): Change[] {
  const hash = sha256(body);
  return [
    { type: 'MailboxCreated', account, mailbox: 1, name: 'INBOX', uidValidity: 7 },
    { type: 'BlobStored', sha256: hash, body: number, sizeOctets: body.length, chunks: cut(body) },
    {
      type: 'Appended',
      account,
      mailbox: 1,
      uid: 1,
      modSeq: 2,
      sequence: 1,
      internalDate: 1_700_000_000_000,
      trace: Buffer.from('Return-Path: <>\r\n'),
      sha256: hash,
    },
  ];
}

export function storeContract(name: string, make: () => Promise<Subject>): void {
  const against = (what: string, run: (store: Store) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const { store, end } = await make();
      try {
        await run(store);
      } finally {
        await end();
      }
    });

  against('a new store has nothing and has applied nothing', async (store) => {
    assert.equal(store.applied(), NOTHING_APPLIED);
    assert.equal(
      store.read((view) => [...view.range([])]),
      [],
    );
    assert.is(store.identity.formatVersion, t.FORMAT_VERSION);
  });

  against('what was committed is read, and a follower fed with the record equals it', async (store) => {
    const copy = follower(store.identity);
    const body = Buffer.alloc(3 * CHUNK_OCTETS + 5, 'x');
    const record = seal(store.applied(), 1, delivery('joe', body));
    assert.equal(await store.commit(record), { ok: true, value: null });
    copy.tap(record);
    assert.equal(store.applied(), { number: 1, epoch: 1, hash: record.hash });
    const row = store.read((view) => t.messages.get(view, 'joe', 1, 1))!;
    assert.is(row.sizeOctets, body.length + 17);
    assert.equal(
      store.read((view) => t.chunks.get(view, 1, 3)),
      body.subarray(3 * CHUNK_OCTETS),
    );
    await copy.mustEqual(store);
  });

  against(
    'a record that is not the next one, of another chain or of an older epoch is a fault and changes nothing',
    async (store) => {
      const first = seal(store.applied(), 5, delivery('joe', Buffer.from('one')));
      await store.commit(first);
      const before = store.read((view) => [...view.range([])]);
      const drop: Change[] = [{ type: 'AccountDropped', account: 'joe' }];
      const other = seal(NOTHING_APPLIED, 5, []);
      const wrong = [first, seal(other, 5, drop), seal({ ...first, number: 7 }, 5, drop), seal(first, 4, drop)];
      for (const record of wrong) {
        let thrown: unknown;
        await store.commit(record).catch((fault: unknown) => {
          thrown = fault;
        });
        assert.ok(thrown instanceof StoreFault);
      }
      assert.equal(
        store.read((view) => [...view.range([])]),
        before,
      );
      assert.ok((await store.commit(seal(store.applied(), 5, []))).ok);
    },
  );

  against('mailboxes get other names all at once, and go with all that is in them', async (store) => {
    const copy = follower(store.identity);
    const commit = async (...changes: Change[]) => {
      const record = seal(store.applied(), 1, changes);
      assert.ok((await store.commit(record)).ok);
      copy.tap(record);
      assert.equal(store.read(flaws), []);
      await copy.mustEqual(store);
    };
    const named = () =>
      store.read((view) => [...t.mailboxNames.range(view, ['joe'])].map(({ key, row }) => [key[1], row]));
    const account = 'joe';
    await commit(
      ...delivery(account, Buffer.from('one')),
      { type: 'MailboxCreated', account, mailbox: 2, name: 'a', uidValidity: 8 },
      { type: 'MailboxCreated', account, mailbox: 3, name: 'b', uidValidity: 9 },
      { type: 'RightsSet', account, mailbox: 2, identifier: 'anyone', rights: 'lp' },
      { type: 'RightsSet', account, mailbox: 3, identifier: 'anyone', rights: 'l' },
    );
    const swapped = [
      { mailbox: 2, name: 'b' },
      { mailbox: 3, name: 'a' },
      { mailbox: 9, name: 'of none' },
    ];
    await commit({ type: 'MailboxesRenamed', account, mailboxes: swapped });
    assert.equal(named(), [
      ['INBOX', 1],
      ['a', 3],
      ['b', 2],
    ]);
    // All at once: of so many that they are applied in parts, each gets the name of the one before.
    const many = Array.from({ length: 1_100 }, (_, at) => ({
      mailbox: 10 + at,
      name: `m${String(at).padStart(4, '0')}`,
    }));
    await commit(...many.map((each): Change => ({ type: 'MailboxCreated', account, uidValidity: 10, ...each })));
    const rotated = many.map(({ mailbox }, at) => ({ mailbox, name: many[(at + 1) % many.length]!.name }));
    await commit({ type: 'MailboxesRenamed', account, mailboxes: rotated });
    assert.equal(new Map(named() as [string, number][]).get('m0000'), many.at(-1)!.mailbox);
    await commit(...many.map(({ mailbox }): Change => ({ type: 'MailboxDeleted', account, mailbox })));
    await commit({ type: 'RightsSet', account, mailbox: 3, identifier: 'anyone', rights: '' });
    const rights = store.read((view) => [...t.rights.range(view, [])]);
    assert.equal(rights, [{ key: ['joe', 2, 'anyone'], row: 'lp' }]);
    await commit(
      { type: 'MailboxDeleted', account, mailbox: 1 },
      { type: 'MailboxDeleted', account, mailbox: 2 },
      { type: 'MailboxDeleted', account, mailbox: 9 },
      { type: 'RightsSet', account, mailbox: 2, identifier: 'anyone', rights: 'l' },
    );
    assert.equal(named(), [['a', 3]]);
    assert.equal(
      store.read((view) => t.accounts.get(view, account)),
      { octets: 0, messages: 0, lastUidValidity: 10, lastSequence: 1, lastLock: 0, lastMailbox: 1_109 },
    );
    assert.is(
      store.read((view) => [...t.garbage.range(view, [])].length),
      1,
    );
    // Without its name it is found by nobody, and keeps what is in it; the name may be another's.
    await commit(
      { type: 'RightsSet', account, mailbox: 3, identifier: 'anyone', rights: 'l' },
      { type: 'MailboxUnnamed', account, mailbox: 3 },
      { type: 'MailboxUnnamed', account, mailbox: 99 },
      { type: 'MailboxCreated', account, mailbox: 1_110, name: 'a', uidValidity: 11 },
      { type: 'MailboxesRenamed', account, mailboxes: [{ mailbox: 3, name: 'b' }] },
      { type: 'RightsSet', account, mailbox: 3, identifier: 'anyone', rights: 'l' },
    );
    assert.equal(named(), [['a', 1_110]]);
    assert.is(
      store.read((view) => [...t.rights.range(view, [])].length),
      0,
    );
    await commit({ type: 'MailboxDeleted', account, mailbox: 3 });
    assert.equal(named(), [['a', 1_110]]);
    await commit({ type: 'MailboxCreated', account, mailbox: 1_111, name: 'c', uidValidity: 12 });
    await commit({ type: 'MailboxUnnamed', account, mailbox: 1_111 });
    await commit({ type: 'NumbersRaised', by: 100 });
    await commit({ type: 'AccountDropped', account });
    assert.equal(
      store.read((view) => [...t.rights.range(view, [])]),
      [],
    );
  });

  against(
    'flags, copies, what vanished and what is noted beside are kept, and a follower has them too',
    async (store) => {
      const copy = follower(store.identity);
      const commit = async (...changes: Change[]) => {
        const record = seal(store.applied(), 1, changes);
        assert.ok((await store.commit(record)).ok);
        copy.tap(record);
      };
      const home = { account: 'joe', mailbox: 1 };
      const first = delivery('joe', Buffer.from('one'));
      const appended = first.at(-1)!;
      const uids = Array.from({ length: 2_500 }, (_, at) => at + 2);
      const more = uids.map((uid) => ({ ...appended, uid, modSeq: uid + 1, sequence: uid, flags: uid % 32 }) as Change);
      await commit(...first, ...more);
      const groups: FlagsGroup[] = [
        { uids: [[1, 2_100]], flags: FLAG.seen | FLAG.deleted, keywords: ['work'] },
        { uids: [[2_400, 2_400]], flags: 0 },
      ];
      await commit({ type: 'FlagsChanged', ...home, modSeq: 2_503, groups });
      await commit(
        { type: 'MailboxCreated', account: 'ann', mailbox: 1, name: 'INBOX', uidValidity: 8 },
        {
          type: 'Copied',
          account: 'ann',
          mailbox: 1,
          modSeq: 2,
          uid: 1,
          sequence: 1,
          saveDate: 9,
          from: home,
          uids: [[100, 2_400]],
          flags: FLAG.seen,
          withKeywords: true,
        },
      );
      await commit({
        type: 'Expunged',
        ...home,
        uids: uids.filter((uid) => uid < 2_300 && uid % 3 !== 0),
        modSeq: 2_504,
      });
      await commit(
        { type: 'StructureKept', sha256: sha256(Buffer.from('one')), structure: Buffer.from('made of it') },
        { type: 'StructureKept', sha256: 'of none', structure: Buffer.from('nothing') },
        { type: 'RecentShown', ...home, from: 2_000 },
        { type: 'RecentShown', ...home, from: 1_000 },
        { type: 'SpecialUseSet', ...home, specialUse: '\\Sent' },
        { type: 'Subscribed', account: 'joe', name: 'a/b' },
        { type: 'Subscribed', account: 'joe', name: 'INBOX' },
        { type: 'Unsubscribed', account: 'joe', name: 'a/b' },
        { type: 'AnnotationSet', ...home, entry: '/comment', who: '', value: Buffer.alloc(0) },
        { type: 'AnnotationSet', ...home, entry: '/comment', who: 'ann', value: Buffer.from('hers') },
        { type: 'AnnotationSet', ...home, entry: '/comment', who: 'ann', value: null },
        { type: 'AnnotationSet', ...home, mailbox: 77, entry: '/comment', who: '', value: Buffer.from('of none') },
      );
      const found = store.read((view) => ({
        row: t.mailboxes.get(view, 'joe', 1)!,
        copied: t.messages.get(view, 'ann', 1, 2_301)!,
        ann: t.mailboxes.get(view, 'ann', 1)!,
        keywords: t.keywords.get(view, 'ann', 1),
        structures: [...t.structures.range(view, [])].map(({ row }) => String(row)),
        annotations: [...t.annotations.range(view, ['joe'])],
        subscriptions: [...t.subscriptions.range(view, ['joe'])].map(({ key }) => key[1]),
      }));
      assert.is(found.row.specialUse, '\\Sent');
      assert.is(found.row.recentFrom, 2_000);
      assert.is(found.ann.messages, 2_301);
      assert.is(found.ann.unseen, 150); // of 2,101 to 2,400 those with an even UID: the last is seen no more
      assert.equal([found.copied.emailOf, found.copied.emailId, found.copied.flags], ['joe', 2_400, 0]);
      assert.equal(found.keywords, ['work']);
      assert.equal(found.structures, ['made of it']);
      assert.equal(found.annotations, [{ key: ['joe', 1, '/comment', ''], row: Buffer.alloc(0) }]);
      assert.equal(found.subscriptions, ['INBOX']);
      await copy.mustEqual(store);
      await commit({ type: 'SpecialUseSet', ...home, specialUse: null }, { type: 'NumbersRaised', by: 1_000 });
      await commit({ type: 'MailboxUnnamed', ...home });
      await commit({ type: 'Expunged', ...home, uids: [2_401, 2_402], modSeq: 3_510 });
      await commit({ type: 'AccountDropped', account: 'joe' }, { type: 'AccountDropped', account: 'ann' });
      await copy.mustEqual(store);
      const left = store.read((view) => [...view.range([])].map(({ key }) => key[0]));
      assert.equal([...new Set(left)], ['account', 'chunk', 'garbage', 'next']);
    },
  );

  against('commits that are asked for at once are done one after another', async (store) => {
    const first = seal(store.applied(), 1, delivery('joe', Buffer.from('one')));
    const second = seal(first, 1, delivery('ann', Buffer.from('two'), 2));
    await Promise.all([store.commit(first), store.commit(second)]);
    assert.is(store.applied().number, 2);
    assert.equal(store.read(flaws), []);
  });

  against('a look that runs while a commit is under way sees all of it or nothing', async (store) => {
    const committed = store.commit(seal(store.applied(), 1, delivery('joe', Buffer.alloc(500_000, 'y'))));
    let looks = 0;
    let done = false;
    void committed.then(() => {
      done = true;
    });
    while (!done) {
      const [message, blob, chunk] = store.read((view) => [
        t.messages.get(view, 'joe', 1, 1),
        t.next.get(view),
        t.chunks.get(view, 1, 3),
      ]);
      assert.is(message === undefined, blob === undefined);
      assert.is(message === undefined, chunk === undefined);
      looks++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(looks > 0);
    assert.ok(store.read((view) => t.messages.get(view, 'joe', 1, 1)));
  });

  against('what a look gave is a copy that later writes do not touch', async (store) => {
    const body = Buffer.alloc(200_000, 'a');
    await store.commit(seal(store.applied(), 1, delivery('joe', body)));
    const chunk = store.read((view) => t.chunks.get(view, 1, 0))!;
    const kept = Buffer.from(chunk);
    await store.commit(seal(store.applied(), 1, [{ type: 'AccountDropped', account: 'joe' }]));
    await store.commit(seal(store.applied(), 1, [{ type: 'BodyCollected', body: 1, from: 0, to: 2 }]));
    await store.commit(seal(store.applied(), 1, delivery('ann', Buffer.alloc(200_000, 'b'), 2)));
    assert.ok(kept.equals(chunk));
  });

  against('ranges are ascending, begin after a key and end at a limit', async (store) => {
    for (let number = 1; number <= 12; number++) {
      await store.commit(seal(store.applied(), 1, delivery(`u${number}`, Buffer.from(`${number}`), number)));
    }
    const all = store.read((view) => [...t.accounts.range(view, [])].map(({ key }) => key[0]));
    assert.equal(all, [...all].sort());
    assert.is(all.length, 12);
    const some = store.read((view) => [...t.accounts.range(view, [], { after: [all[3]!], limit: 5 })]);
    assert.equal(
      some.map(({ key }) => key[0]),
      all.slice(4, 9),
    );
    const none: Entry[] = store.read((view) => [...view.range(['account', 'nobody'])]);
    assert.equal(none, []);
    // A look that is left in the middle of a range must leave nothing open behind it.
    store.read((view) => {
      for (const entry of view.range([])) if (entry.key[0] === 'blob') break;
    });
    await store.commit(seal(store.applied(), 1, []));
  });

  against('a closed store refuses to be read and written', async (store) => {
    const next = seal(store.applied(), 1, []);
    await store.close();
    await store.close();
    assert.throws(() => store.read(() => 0), /closed/);
    let thrown: unknown;
    await store.commit(next).catch((fault: unknown) => {
      thrown = fault;
    });
    assert.ok(thrown instanceof StoreFault);
  });

  against('close waits for the commit that is running', async (store) => {
    const committing = store.commit(seal(store.applied(), 1, delivery('joe', Buffer.alloc(100_000))));
    await store.close();
    assert.ok((await committing).ok);
  });
}
