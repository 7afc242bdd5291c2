/** store-flags: RFC 9051 §6.4.6, RFC 7162 §3.1.3, and the rights of RFC 4314 §4. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StoreFlags } from '../../../../actors/mailbox-owner/operation.ts';
import { MOST_STORED_AT_ONCE } from '../../../../actors/mailbox-owner/operations/limits.ts';
import { encode } from '../../../../store/codec.ts';
import {
  ALL_FLAGS,
  FLAG,
  MOST_KEYWORD_OCTETS,
  MOST_KEYWORDS,
  MOST_KEYWORDS_A_MESSAGE,
} from '../../../../store/flags.ts';
import { keywords as keywordsOf, mailboxes, messages } from '../../../../store/tables.ts';
import { appendTo, editOf, lettersFor, type MailboxState, mailboxState, message, uids } from '../mailbox-state.ts';

const ALL = uids([1, 2 ** 32 - 1]);

/** `work` with four messages: of no flag, seen, deleted, and all. */
const ready = (): MailboxState => {
  const fresh = mailboxState();
  fresh.create('work');
  fresh.fill('work', [0, FLAG.seen, FLAG.deleted, ALL_FLAGS]);
  return fresh;
};
const store = (fresh: MailboxState, more: Partial<StoreFlags>, account = 'joe') =>
  fresh.as(account, {
    type: 'store-flags',
    ref: fresh.ref('work'),
    uids: ALL,
    mode: 'add',
    flags: 0,
    keywords: [],
    ...more,
  });

test('flags are added, removed and replaced, and all that changed have one new mod-sequence', () => {
  const fresh = ready();
  const added = store(fresh, { flags: FLAG.seen | FLAG.draft, keywords: ['$Junk'] });
  assert.ok(added.ok);
  assert.equal(added.value, {
    modSeq: 3,
    changed: [
      { uids: uids([1, 2]), flags: FLAG.seen | FLAG.draft, keywords: [0] },
      { uids: uids(3), flags: FLAG.seen | FLAG.draft | FLAG.deleted, keywords: [0] },
      { uids: uids(4), flags: ALL_FLAGS, keywords: [0] },
    ],
    keywords: ['$Junk'],
    same: [],
    modified: [],
  });
  assert.ok(store(fresh, { mode: 'remove', flags: FLAG.seen, keywords: ['$JUNK', 'other'], uids: uids(1, 4) }).ok);
  assert.equal(fresh.flags('work'), [
    [1, FLAG.draft],
    [2, FLAG.seen | FLAG.draft, '$Junk'],
    [3, FLAG.seen | FLAG.draft | FLAG.deleted, '$Junk'],
    [4, ALL_FLAGS & ~FLAG.seen],
  ]);
  assert.ok(store(fresh, { mode: 'replace', flags: FLAG.flagged, keywords: ['b', 'a'] }).ok);
  assert.equal(
    fresh.flags('work'),
    [1, 2, 3, 4].map((uid) => [uid, FLAG.flagged, 'a', 'b']),
  );
  assert.ok(store(fresh, { mode: 'replace' }).ok);
  assert.equal(
    fresh.flags('work'),
    [1, 2, 3, 4].map((uid) => [uid, 0]),
  );
  assert.is(mailboxes.get(fresh.view, 'joe', fresh.ref('work').mailbox)?.modSeq, 6);
});

test('messages that have the flags already keep their mod-sequence, and those that are not there are passed over', () => {
  const fresh = ready();
  const answer = store(fresh, { flags: FLAG.seen, uids: uids(2, [4, 90]) });
  assert.equal(answer, { ok: true, value: { modSeq: 2, changed: [], keywords: [], same: uids(2, 4), modified: [] } });
  assert.equal(fresh.changes(), ['SessionAnswered']);
  assert.ok(store(fresh, { flags: FLAG.seen }).ok);
  const { mailbox } = fresh.ref('work');
  assert.equal(
    [1, 2, 3, 4].map((uid) => messages.get(fresh.view, 'joe', mailbox, uid)?.modSeq),
    [3, 2, 3, 2],
  );
});

test('RFC 7162 §3.1.3: messages changed since are left alone and named', () => {
  const fresh = ready();
  store(fresh, { flags: FLAG.flagged, uids: uids(1, 3) });
  const answer = store(fresh, { flags: FLAG.draft, unchangedSince: 2 });
  assert.ok(answer.ok);
  assert.equal(answer.value.modified, uids(1, 3));
  assert.equal(answer.value.changed, [{ uids: uids(2), flags: FLAG.seen | FLAG.draft }]);
  const never = store(fresh, { flags: FLAG.answered, unchangedSince: 0 });
  assert.ok(never.ok);
  assert.equal(never.value, { modSeq: 4, changed: [], keywords: [], same: [], modified: uids([1, 4]) });
});

test('keywords are spelt as the mailbox first did', () => {
  const fresh = ready();
  store(fresh, { keywords: ['Work', 'wORK'], uids: uids(1) });
  store(fresh, { keywords: ['work'], uids: uids(2) });
  assert.equal(
    fresh.flags('work').map(([, , ...keywords]) => keywords),
    [['Work'], ['Work'], [], []],
  );
  assert.equal(keywordsOf.get(fresh.view, 'joe', fresh.ref('work').mailbox), ['Work']);
});

test('a mailbox has room for so many keywords, and one more is refused', () => {
  const fresh = ready();
  for (let at = 0; at < MOST_KEYWORDS; at++) {
    assert.ok(store(fresh, { mode: 'replace', keywords: [`k${at}`], uids: uids(1) }).ok);
  }
  assert.ok(store(fresh, { keywords: ['K7'], uids: uids(2) }).ok);
  assert.equal(store(fresh, { keywords: ['k7', 'more'] }), { ok: false, refusal: 'too-many-keywords' });
  assert.ok(store(fresh, { mode: 'remove', keywords: ['more'] }).ok);
});

test('the same counter again gets the stored answer and changes nothing, a lower one is stale', () => {
  const fresh = ready();
  const { ref } = fresh;
  const operation = { type: 'store-flags', ref: ref('work'), uids: uids(1), mode: 'add', keywords: [] } as const;
  const once = { ...operation, session: 's-joe', counter: 7, flags: FLAG.seen };
  const answer = fresh.run(once);
  assert.ok(answer.ok);
  fresh.run({ ...once, counter: 8, mode: 'remove' });
  fresh.run({ ...once, counter: 9 });
  const again = fresh.run({ ...once, counter: 9, mode: 'remove' });
  assert.equal(fresh.changes(), []);
  assert.ok(again.ok && again.value.modSeq === 5);
  assert.equal(fresh.run(once), { ok: false, refusal: 'stale' });
  assert.equal(fresh.run({ ...once, session: 'nobody' }), { ok: false, refusal: 'unknown-handle' });
  assert.equal(fresh.run({ ...once, session: 'd', counter: 2 }), { ok: false, refusal: 'unknown-handle' });
});

test('a mailbox that was deleted, or made anew under its name, is not the one that was selected', () => {
  const fresh = ready();
  const ref = fresh.ref('work');
  assert.ok(fresh.as('joe', editOf('joe', { type: 'delete', name: 'work' })).ok);
  assert.equal(store({ ...fresh, ref: () => ref }, {}), { ok: false, refusal: 'no-such-mailbox' });
  fresh.create('work');
  assert.equal(store({ ...fresh, ref: () => ref }, {}), { ok: false, refusal: 'no-such-mailbox' });
  const other = { ...fresh.ref('work'), uidValidity: ref.uidValidity };
  assert.equal(store({ ...fresh, ref: () => other }, {}), { ok: false, refusal: 'no-such-mailbox' });
});

test('RFC 4314 §4: each flag needs its right, and one alone lets nothing else change', () => {
  const changes = (flags: number, keywords: readonly string[] = []) =>
    lettersFor((letter) => {
      const fresh = ready();
      fresh.grant('work', 'ann', letter);
      const before = fresh.flags('work');
      const answer = store(fresh, { flags, keywords, uids: uids(1) }, 'ann');
      const hasChanged = JSON.stringify(before) !== JSON.stringify(fresh.flags('work'));
      assert.is(answer.ok, hasChanged);
      if (!answer.ok) assert.is(answer.refusal, letter === 'l' ? 'no-permission' : 'no-such-mailbox');
      return hasChanged;
    });
  assert.is(changes(FLAG.seen), 's');
  assert.is(changes(FLAG.deleted), 't');
  assert.is(changes(FLAG.flagged), 'w');
  assert.is(changes(FLAG.answered | FLAG.draft), 'w');
  assert.is(changes(0, ['$Junk']), 'w');
  assert.is(changes(FLAG.seen | FLAG.deleted), 'st');
});

test('RFC 4314 §4: flags whose right is missing stay as they are, whatever replaces or removes them', () => {
  const fresh = ready();
  store(fresh, { keywords: ['kept'] });
  fresh.grant('work', 'ann', 'lrs');
  assert.ok(store(fresh, { mode: 'replace' }, 'ann').ok);
  assert.ok(store(fresh, { mode: 'remove', flags: ALL_FLAGS, keywords: ['kept'] }, 'ann').ok);
  assert.equal(
    fresh.flags('work').map(([, flags, ...keywords]) => [flags, ...keywords]),
    [
      [0, 'kept'],
      [0, 'kept'],
      [FLAG.deleted, 'kept'],
      [ALL_FLAGS & ~FLAG.seen, 'kept'],
    ],
  );
  fresh.grant('work', 'ann', 'lr');
  for (const mode of ['add', 'remove', 'replace'] as const) {
    assert.equal(store(fresh, { mode, flags: FLAG.seen }, 'ann'), { ok: false, refusal: 'no-permission' });
  }
  assert.ok(store(fresh, {}, 'ann').ok, 'nothing was named that could be refused');
});

test('a message has so many keywords, and one more is refused to all that are named', () => {
  const fresh = ready();
  const full = Array.from({ length: MOST_KEYWORDS_A_MESSAGE }, (_, at) => `k${at}`);
  assert.ok(store(fresh, { keywords: full, uids: uids(1) }).ok);
  const before = fresh.flags('work');
  assert.equal(store(fresh, { keywords: ['more'] }), { ok: false, refusal: 'too-many-keywords' });
  assert.equal(store(fresh, { mode: 'replace', keywords: [...full, 'more'] }), {
    ok: false,
    refusal: 'too-many-keywords',
  });
  assert.equal(fresh.flags('work'), before);
  assert.ok(store(fresh, { keywords: ['K3'], flags: FLAG.draft }).ok);
  assert.ok(store(fresh, { mode: 'remove', keywords: ['k0'], uids: uids(1) }).ok);
  assert.ok(store(fresh, { keywords: ['more'], uids: uids(1) }).ok);
});

test('the largest answer and record there can be are far below what the bus carries', () => {
  const fresh = mailboxState();
  fresh.create('work');
  const all = Array.from({ length: MOST_KEYWORDS }, (_, at) => `${at}`.padEnd(MOST_KEYWORD_OCTETS, 'k'));
  // No two messages have the same keywords, and there is a gap behind each, so that no range has two of them.
  const some = (at: number) =>
    Array.from({ length: MOST_KEYWORDS_A_MESSAGE }, (_, n) => all[(at + n * (1 + (at % 7))) % all.length]!);
  for (let made = 0; made < MOST_STORED_AT_ONCE; made += 250) {
    const messages = Array.from({ length: 250 }, (_, n) => [
      message('x', FLAG.seen, some(made + n)),
      message('gap', FLAG.seen),
    ]).flat();
    assert.ok(fresh.as('joe', appendTo('work', 'joe', { messages })).ok);
  }
  const odd = Array.from({ length: MOST_STORED_AT_ONCE }, (_, at) => 2 * at + 1);
  const answer = store(fresh, { flags: FLAG.flagged, uids: uids(...odd) });
  assert.ok(answer.ok);
  assert.ok(answer.value.changed.length > 900, `${answer.value.changed.length} groups`);
  assert.ok(encode(answer.value).length < 256 * 1024, `${encode(answer.value).length} octets`);
  const recorded = encode(fresh.recorded());
  assert.ok(recorded.length < 512 * 1024, `a record of ${recorded.length} octets`);
  const [first] = answer.value.changed;
  assert.equal(
    first!.keywords!.map((place) => answer.value.keywords[place]),
    fresh.flags('work')[0]!.slice(2),
  );
});

test('what names no flag is done for who may list the mailbox, and to others it is not there (RFC 4314 §6)', () => {
  const fresh = ready();
  assert.equal(store(fresh, {}, 'ann'), { ok: false, refusal: 'no-such-mailbox' });
  fresh.grant('work', 'ann', 'l');
  assert.ok(store(fresh, {}, 'ann').ok);
});

test('more messages than one step changes are a fault of whoever asks', () => {
  const fresh = mailboxState();
  fresh.create('work');
  for (let left = MOST_STORED_AT_ONCE + 1; left > 0; left -= 500) {
    const messages = Array.from({ length: Math.min(500, left) }, () => message('x'));
    assert.ok(fresh.as('joe', appendTo('work', 'joe', { messages })).ok);
  }
  assert.throws(() => store(fresh, { flags: 1 }), /1001 messages at once/);
  assert.ok(store(fresh, { flags: 1, uids: uids([2, 2 ** 32 - 1]) }).ok);
  assert.is(mailboxes.get(fresh.view, 'joe', fresh.ref('work').mailbox)?.unseen, 1);
});

test.run();
