/**
 * What is kept beside messages equals what a naive model keeps: counts, bitmaps, what changed and what vanished since any
 * mod-sequence, over random histories; in one stroke, in parts, and at a follower.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apply, inParts } from '../../store/apply.ts';
import { sha256 } from '../../store/blob.ts';
import type { Change } from '../../store/change.ts';
import { flaws } from '../../store/check.ts';
import { ALL_FLAGS, FLAG } from '../../store/flags.ts';
import type { View } from '../../store/key-value.ts';
import { type Overlay, overlay } from '../../store/overlay.ts';
import * as t from '../../store/tables.ts';
import { uidsWith } from '../../store/uid-bits.ts';
import { rangesOf, uidsIn } from '../../store/uid-ranges.ts';
import { changedSince, MOST_VANISHED_RANGES, vanishedSince, type Walked } from '../../store/vanished.ts';

const empty: View = { get: () => undefined, range: () => [] };
const ACCOUNTS = ['ann', 'joe'];
const BODY = Buffer.from('hello');
const HASH = sha256(BODY);

type Message = { modSeq: number; flags: number; keywords: string[]; sizeOctets: number; emailId: string };
type Mailbox = {
  uidNext: number;
  modSeq: number;
  readonly messages: Map<number, Message>;
  readonly vanished: { readonly uid: number; readonly modSeq: number }[];
};
type Model = Map<string, Mailbox>;

/** A step names mailboxes and messages by numbers that are taken modulo what there is. */
type Step = {
  readonly kind: 'append' | 'flags' | 'expunge' | 'copy' | 'move' | 'raise';
  readonly at: number;
  readonly to: number;
  readonly pick: number;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly masked: number;
};
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'flags', 'flags', 'flags', 'expunge', 'copy', 'move', 'raise'),
  at: fc.nat(3),
  to: fc.nat(3),
  pick: fc.integer({ min: 0, max: 2 ** 20 }),
  flags: fc.integer({ min: 0, max: ALL_FLAGS }),
  keywords: fc.subarray(['$Junk', 'work', 'Play']),
  masked: fc.integer({ min: 0, max: ALL_FLAGS }),
});

/** Two mailboxes of each account: `ann 1`, `ann 2`, `joe 1`, `joe 2`. */
const placeOf = (at: number) => ({ account: ACCOUNTS[at >> 1]!, mailbox: 1 + (at & 1) });
const nameOf = ({ account, mailbox }: { account: string; mailbox: number }) => `${account} ${mailbox}`;

const beginning: Change[] = [
  ...[0, 1, 2, 3].map((at): Change => {
    const place = placeOf(at);
    return { type: 'MailboxCreated', ...place, name: `m${at}`, uidValidity: 7 + place.mailbox };
  }),
  { type: 'BlobStored', sha256: HASH, body: 1, sizeOctets: BODY.length, chunks: [BODY] },
  // One that stays, or the body would go with the last of the others.
  { type: 'MailboxCreated', account: 'zoe', mailbox: 1, name: 'INBOX', uidValidity: 7 },
  {
    type: 'Appended',
    account: 'zoe',
    mailbox: 1,
    uid: 1,
    modSeq: 2,
    sequence: 1,
    internalDate: 1,
    trace: Buffer.alloc(0),
    sha256: HASH,
  },
];

class Play {
  readonly model: Model = new Map(
    [0, 1, 2, 3].map((at) => [nameOf(placeOf(at)), { uidNext: 1, modSeq: 1, messages: new Map(), vanished: [] }]),
  );
  #sequences = new Map(ACCOUNTS.map((account) => [account, 0]));

  /** The change, and what the model becomes. */
  changes(each: Step): Change[] {
    const from = placeOf(each.at);
    const box = this.model.get(nameOf(from))!;
    const picked = [...box.messages.keys()].filter((uid) => (each.pick >> (uid % 20)) & 1);
    switch (each.kind) {
      case 'append':
        return [this.#append(each)];
      case 'flags':
        return picked.length > 0 ? [this.#store(each, picked)] : [];
      case 'expunge':
        return picked.length > 0 ? [this.#expunge(each.at, picked)] : [];
      case 'copy':
      case 'move': {
        if (picked.length === 0) return [];
        const copied = this.#copy(each, picked);
        return each.kind === 'copy' ? [copied] : [copied, this.#expunge(each.at, picked)];
      }
      case 'raise':
        if (each.pick % 4 !== 0) return [];
        for (const every of this.model.values()) {
          every.uidNext += 5000;
          every.modSeq += 5000;
        }
        for (const [account, last] of this.#sequences) this.#sequences.set(account, last + 5000);
        return [{ type: 'NumbersRaised', by: 5000 }];
    }
  }

  #next(account: string): number {
    const sequence = this.#sequences.get(account)! + 1;
    this.#sequences.set(account, sequence);
    return sequence;
  }

  #append({ at, flags, keywords }: Step): Change {
    const place = placeOf(at);
    const box = this.model.get(nameOf(place))!;
    const [uid, modSeq, sequence] = [box.uidNext++, ++box.modSeq, this.#next(place.account)];
    const trace = Buffer.alloc(uid % 7);
    const sorted = [...keywords].sort();
    const emailId = `${place.account} ${sequence}`;
    box.messages.set(uid, { modSeq, flags, keywords: sorted, sizeOctets: BODY.length + trace.length, emailId });
    return {
      type: 'Appended',
      ...place,
      uid,
      modSeq,
      sequence,
      internalDate: 5,
      trace,
      sha256: HASH,
      ...(flags !== 0 && { flags }),
      ...(sorted.length > 0 && { keywords: sorted }),
    };
  }

  #store({ at, flags, keywords, masked }: Step, uids: readonly number[]): Change {
    const place = placeOf(at);
    const box = this.model.get(nameOf(place))!;
    const modSeq = ++box.modSeq;
    const sorted = [...keywords].sort();
    const [one, other] = [uids.filter((uid) => uid % 3 === 0), uids.filter((uid) => uid % 3 !== 0)];
    for (const uid of uids) {
      const message = box.messages.get(uid)!;
      const isOne = one.includes(uid);
      Object.assign(message, { modSeq, flags: isOne ? flags : masked, keywords: isOne ? sorted : [] });
    }
    const byPlace = modSeq % 2 === 0; // as texts, and as places in a list of them
    const theirs = byPlace ? { places: sorted.map((_, index) => sorted.length - 1 - index) } : { keywords: sorted };
    const groups = [
      { uids: rangesOf(one), flags, ...(sorted.length > 0 && theirs) },
      { uids: rangesOf(other), flags: masked },
    ].filter((group) => group.uids.length > 0);
    return { type: 'FlagsChanged', ...place, modSeq, groups, ...(byPlace && { keywords: sorted.toReversed() }) };
  }

  #expunge(at: number, uids: readonly number[]): Change {
    const place = placeOf(at);
    const box = this.model.get(nameOf(place))!;
    const modSeq = ++box.modSeq;
    for (const uid of uids) {
      box.messages.delete(uid);
      box.vanished.push({ uid, modSeq });
    }
    return { type: 'Expunged', ...place, uids, modSeq };
  }

  #copy({ at, to, masked, pick }: Step, uids: readonly number[]): Change {
    const [from, place] = [placeOf(at), placeOf(to)];
    const source = this.model.get(nameOf(from))!;
    const box = this.model.get(nameOf(place))!;
    const withKeywords = pick % 2 === 0;
    const modSeq = ++box.modSeq;
    const uid = box.uidNext;
    const sequence = this.#sequences.get(place.account)! + 1;
    for (const each of uids.map((one) => source.messages.get(one)!)) {
      this.#next(place.account);
      const keywords = withKeywords ? each.keywords : [];
      box.messages.set(box.uidNext++, { ...each, modSeq, flags: each.flags & masked, keywords });
    }
    return {
      type: 'Copied',
      ...place,
      modSeq,
      uid,
      sequence,
      saveDate: 9,
      from,
      uids: rangesOf(uids),
      flags: masked,
      withKeywords,
    };
  }
}

function mustBe(view: Overlay, model: Model): void {
  assert.equal(flaws(view), []);
  for (const [name, box] of model) {
    const [account, number] = name.split(' ') as [string, string];
    const mailbox = Number(number);
    const row = t.mailboxes.get(view, account, mailbox)!;
    const all = [...box.messages].sort(([a], [b]) => a - b);
    const sum = (of: (message: Message) => number) => all.reduce((total, [, message]) => total + of(message), 0);
    const { messages, octets, unseen, deleted, deletedOctets, uidNext, modSeq } = row;
    assert.equal(
      { messages, octets, unseen, deleted, deletedOctets, uidNext, modSeq },
      {
        messages: all.length,
        octets: sum(({ sizeOctets }) => sizeOctets),
        unseen: sum(({ flags }) => (flags & FLAG.seen ? 0 : 1)),
        deleted: sum(({ flags }) => (flags & FLAG.deleted ? 1 : 0)),
        deletedOctets: sum(({ flags, sizeOctets }) => (flags & FLAG.deleted ? sizeOctets : 0)),
        uidNext: box.uidNext,
        modSeq: box.modSeq,
      },
    );
    for (const [uid, message] of all) {
      const kept = t.messages.get(view, account, mailbox, uid)!;
      assert.equal(
        [kept.modSeq, kept.flags, kept.keywords ?? [], `${kept.emailOf ?? account} ${kept.emailId}`],
        [message.modSeq, message.flags, message.keywords, message.emailId],
      );
    }
    for (const [set, unset] of [
      [0, 0],
      [FLAG.deleted, 0],
      [0, FLAG.seen],
      [FLAG.flagged, FLAG.draft],
    ] as const) {
      const expected = all.filter(([, { flags }]) => (flags & set) === set && (flags & unset) === 0);
      assert.equal(
        [...uidsWith(view, account, mailbox, { set, unset })],
        expected.map(([uid]) => uid),
      );
    }
    mustKnowSince(view, account, mailbox, box);
  }
}

const toldIn = (walked: Iterable<Walked>) =>
  [...walked].filter(({ isPassed }) => !isPassed).map(({ modSeq, uid }) => ({ modSeq, uid }));

/** As of every mod-sequence that a client may have been told. */
function mustKnowSince(view: Overlay, account: string, mailbox: number, box: Mailbox): void {
  const row = t.mailboxes.get(view, account, mailbox)!;
  const told = new Set([1, box.modSeq, row.lost?.above ?? 1, (row.lost?.above ?? 1) + 1, row.lost?.below ?? 1]);
  for (const { modSeq } of [...box.messages.values(), ...box.vanished]) told.add(modSeq).add(modSeq - 1);
  for (const since of told) {
    const isLost = row.lost !== undefined && since > row.lost.above && since < row.lost.below;
    const expected = [...box.messages]
      .filter(([, { modSeq }]) => isLost || modSeq > since)
      .map(([uid, { modSeq }]) => ({ modSeq, uid }))
      .sort((a, b) => a.modSeq - b.modSeq || a.uid - b.uid);
    const changed = toldIn(changedSince(view, account, mailbox, row, since));
    assert.equal(changed, expected);
    const half = changed[changed.length >> 1];
    if (half) {
      const rest = toldIn(changedSince(view, account, mailbox, row, since, half));
      assert.equal(rest, expected.slice((changed.length >> 1) + 1));
    }
    const vanished = vanishedSince(view, account, mailbox, row, since);
    if (isLost || since < 1) assert.is(vanished, null);
    else {
      const gone = box.vanished.filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid);
      assert.equal(
        vanished && [...uidsIn(vanished)],
        gone.sort((a, b) => a - b),
      );
    }
  }
}

test('whatever happens to messages, all that is kept beside them follows', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const view = overlay(empty);
      const parts = overlay(empty);
      const play = new Play();
      const run = (changes: readonly Change[]) => {
        for (const change of changes) {
          apply(view, change);
          for (const part of inSmallParts(change)) apply(parts, part);
        }
      };
      run(beginning);
      for (const each of steps) run(play.changes(each));
      mustBe(view, play.model);
      assert.equal([...parts.range([])], [...view.range([])]);
    }),
    { numRuns: 150 },
  );
});

/** As inParts, of one message each: what is in parts is the same whatever their size. */
function* inSmallParts(change: Change): Iterable<Change> {
  if (change.type === 'Expunged') for (const uid of change.uids) yield { ...change, uids: [uid] };
  else if (change.type === 'FlagsChanged') {
    for (const group of change.groups) {
      for (const uid of uidsIn(group.uids)) yield { ...change, groups: [{ ...group, uids: [[uid, uid]] }] };
    }
  } else if (change.type === 'Copied') {
    let { uid, sequence } = change;
    for (const each of uidsIn(change.uids)) yield { ...change, uid: uid++, sequence: sequence++, uids: [[each, each]] };
  } else yield change;
}

/** A mailbox with so many messages. */
function filled(many: number): Overlay {
  const view = overlay(empty);
  for (const change of beginning) apply(view, change);
  for (let uid = 1; uid <= many; uid++) {
    apply(view, {
      type: 'Appended',
      account: 'joe',
      mailbox: 1,
      uid,
      modSeq: uid + 1,
      sequence: uid,
      internalDate: 1,
      trace: Buffer.alloc(0),
      sha256: HASH,
    });
  }
  return view;
}

const place = { account: 'joe', mailbox: 1 };

test('large changes come in parts, and to the same', () => {
  const uids = Array.from({ length: 9_000 }, (_, at) => 1 + at).filter((uid) => uid % 5 !== 0);
  const changes: Change[] = [
    { type: 'FlagsChanged', ...place, modSeq: 10_001, groups: [{ uids: rangesOf(uids), flags: 9, keywords: ['x'] }] },
    {
      type: 'Copied',
      account: 'ann',
      mailbox: 1,
      modSeq: 2,
      uid: 1,
      sequence: 1,
      saveDate: 3,
      from: place,
      uids: rangesOf(uids),
      flags: 8,
      withKeywords: true,
    },
    { type: 'Expunged', ...place, uids, modSeq: 10_002 },
  ];
  const whole = filled(9_000);
  const parts = overlay(whole);
  for (const change of changes) {
    const all = [...inParts(change)];
    assert.ok(all.length > 3, `${all.length} parts`);
    for (const part of all) apply(parts, part);
  }
  const entries = [...parts.range([])];
  for (const change of changes) apply(whole, change);
  assert.equal(entries, [...whole.range([])]);
  assert.equal(flaws(whole), []);
});

test('of a mailbox that lost very many messages the oldest are forgotten, in parts as in one', () => {
  const many = 2 * MOST_VANISHED_RANGES + 4_000;
  const whole = filled(many);
  const parts = overlay(whole);
  // Every other one, so that each is a range; in three strokes, the second of which leaves more than is remembered.
  const odd = Array.from({ length: many / 2 }, (_, at) => 2 * at + 1);
  const strokes = [odd.slice(0, 500), odd.slice(500, -50), odd.slice(-50)];
  const expunged = strokes.map((uids, at): Change => ({ type: 'Expunged', ...place, uids, modSeq: many + 2 + at }));
  for (const change of expunged) for (const part of inParts(change)) apply(parts, part);
  const entries = [...parts.range(['vanished'])];
  for (const change of expunged) apply(whole, change);
  assert.equal(entries, [...whole.range(['vanished'])]);
  const row = t.mailboxes.get(whole, 'joe', 1)!;
  assert.equal(t.mailboxes.get(parts, 'joe', 1), row);
  assert.ok(row.vanishedRanges <= MOST_VANISHED_RANGES && row.vanishedRanges > MOST_VANISHED_RANGES - 200);
  assert.is(row.vanishedFrom, many + 3); // the second stroke is not remembered whole any more
  assert.is(vanishedSince(whole, 'joe', 1, row, many + 1), null);
  assert.is(vanishedSince(whole, 'joe', 1, row, many + 2), null);
  assert.equal([...uidsIn(vanishedSince(whole, 'joe', 1, row, many + 3)!)], odd.slice(-50));
  assert.equal(vanishedSince(whole, 'joe', 1, row, many + 4), []);
  assert.equal(flaws(whole), []);
});

/** Counts the rows it gives. */
function countingView(base: View): View & { looks: number } {
  return {
    looks: 0,
    get(key) {
      this.looks++;
      return base.get(key);
    },
    *range(prefix, options) {
      for (const entry of base.range(prefix, options)) {
        this.looks++;
        yield entry;
      }
    },
  };
}

test('what vanished since a mod-sequence is found without a look at all that vanished before', () => {
  const view = overlay(filled(8_000));
  const strokes: { readonly modSeq: number; readonly uids: number[] }[] = [];
  const odd = Array.from({ length: 4_000 }, (_, at) => 2 * at + 1);
  // Some are a row, some a part of one, and one is ten rows.
  for (const size of [1, 30, 99, 100, 101, 1_000, 1, 250, 40, 1_500, 3, 70, 5]) {
    const modSeq = 10_000 + 7 * strokes.length;
    strokes.push({ modSeq, uids: odd.splice(0, size) });
    apply(view, { type: 'Expunged', ...place, ...strokes.at(-1)! });
  }
  const row = t.mailboxes.get(view, 'joe', 1)!;
  for (let since = 9_995; since <= row.modSeq; since++) {
    const expected = strokes.filter(({ modSeq }) => modSeq > since).flatMap(({ uids }) => uids);
    const counting = countingView(view);
    assert.equal([...uidsIn(vanishedSince(counting, 'joe', 1, row, since)!)], expected, `since ${since}`);
    const most = 60 + expected.length / 100; // to find the place, and what is told
    assert.ok(counting.looks <= most, `${counting.looks} looks since ${since}`);
  }
});

test('what changed among 100,000 messages is found without a walk over them', () => {
  const base = filled(100_000);
  const groups = [{ uids: rangesOf([7, 50_000, 99_999]), flags: 1 }];
  apply(base, { type: 'FlagsChanged', ...place, modSeq: 100_002, groups });
  apply(base, { type: 'Expunged', ...place, uids: [5, 6, 60_000], modSeq: 100_003 });
  const counting = countingView(base);
  const row = t.mailboxes.get(base, 'joe', 1)!;
  const found = toldIn(changedSince(counting, 'joe', 1, row, 99_999));
  assert.equal(
    found.map(({ uid }) => uid),
    [100_000, 7, 50_000, 99_999],
  );
  assert.equal(vanishedSince(counting, 'joe', 1, row, 99_999), [
    [5, 6],
    [60_000, 60_000],
  ]);
  assert.is([...uidsWith(counting, 'joe', 1, { set: FLAG.seen })].length, 3);
  assert.ok(counting.looks < 200, `${counting.looks} looks`);
});

test.run();
