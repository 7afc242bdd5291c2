/**
 * A view and a client that believes every word: whatever happens to a mailbox, in whatever pages and however late it is told,
 * the client's picture is never false, nothing is told where it may not be, and in the end nothing is missing.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Dialect, View } from '../../actors/imap/view.ts';
import type { MessageEntry } from '../../actors/mailbox-owner/message-requests.ts';
import type { Fetch } from '../../protocols/imap/fetch-response.ts';
import type { NumberSet, Response } from '../../protocols/imap/response.ts';
import { FLAG } from '../../store/flags.ts';
import { BLOCK_UIDS } from '../../store/uid-bits.ts';
import { rangesOf } from '../../store/uid-ranges.ts';

const NAMES: Readonly<Record<number, string>> = { [FLAG.seen]: '\\Seen', [FLAG.flagged]: '\\Flagged' };

/** The mailbox as its owner keeps it. */
class Mailbox {
  readonly messages = new Map<number, MessageEntry>();
  readonly vanished: { readonly modSeq: number; readonly uid: number }[] = [];
  modSeq = 1;
  uidNext = 1;

  append(count: number): void {
    this.modSeq++;
    for (let i = 0; i < count; i++) this.#put(this.uidNext++, 0);
  }

  /** By the owner's rule: what has the flag already stays as it is. */
  store(uids: readonly number[], flag: number, isSet: boolean): MessageEntry[] {
    const changing = uids.filter((uid) => {
      const row = this.messages.get(uid);
      return row !== undefined && ((row.flags & flag) !== 0) !== isSet;
    });
    if (changing.length > 0) this.modSeq++;
    return changing.map((uid) => {
      const { flags } = this.messages.get(uid)!;
      return this.#put(uid, isSet ? flags | flag : flags & ~flag);
    });
  }

  expunge(uids: readonly number[]): number[] {
    const there = uids.filter((uid) => this.messages.has(uid));
    if (there.length > 0) this.modSeq++;
    for (const uid of there) {
      this.messages.delete(uid);
      this.vanished.push({ modSeq: this.modSeq, uid });
    }
    return there;
  }

  get uids(): number[] {
    return [...this.messages.keys()].sort((a, b) => a - b);
  }

  #put(uid: number, flags: number): MessageEntry {
    const row = {
      uid,
      flags,
      modSeq: this.modSeq,
      internalDate: 0,
      saveDate: 0,
      sizeOctets: 1,
      traceOctets: 0,
      emailId: uid,
    };
    this.messages.set(uid, row);
    return row;
  }

  blocks() {
    const bits = new Uint8Array(BLOCK_UIDS / 8);
    for (const uid of this.messages.keys()) bits[(uid - 1) >> 3]! |= 1 << ((uid - 1) & 7);
    return [{ block: 0, bits }];
  }
}

type Known = { uid: number; flags: Set<string> | undefined };

/** Applies every response as RFC 9051 §7 and RFC 7162 §6 say. */
class Client {
  readonly known: Known[];
  highest: number;
  readonly #dialect: Dialect;
  #fetched = 0;
  #coded: number | undefined;

  constructor(mailbox: Mailbox, dialect: Dialect) {
    this.known = mailbox.uids.map((uid) => ({ uid, flags: flagsOf(mailbox, uid) }));
    this.highest = mailbox.modSeq;
    this.#dialect = dialect;
  }

  /** @param uidOf  what a FETCH of UIDs would answer now */
  apply(responses: readonly Response[], mayExpunge: boolean, uidOf: (sequence: number) => number): void {
    for (const response of flat(responses)) {
      if (response.type === 'EXISTS') {
        assert.ok(response.count > this.known.length, 'EXISTS tells of more');
        while (this.known.length < response.count) {
          this.known.push({ uid: uidOf(this.known.length + 1), flags: undefined });
        }
      } else if (response.type === 'EXPUNGE') {
        assert.ok(mayExpunge && !this.#dialect.qresync);
        assert.ok(response.sequence >= 1 && response.sequence <= this.known.length);
        this.known.splice(response.sequence - 1, 1);
      } else if (response.type === 'VANISHED') {
        assert.ok(mayExpunge && this.#dialect.qresync && !response.earlier);
        for (const uid of numbers(response.uids)) {
          const at = this.known.findIndex((each) => each.uid === uid);
          assert.ok(at >= 0, 'only messages that were told of vanish');
          this.known.splice(at, 1);
        }
      } else if (response.type === 'FETCH') this.fetch(response);
      else if (response.type === 'status') this.#code(response);
      else assert.is(response.type, 'RECENT');
    }
  }

  fetch({ sequence, uid, flags, modSeq }: Fetch): void {
    const message = this.known[sequence - 1];
    assert.ok(message, 'FETCH of a message that was told of');
    if (uid !== undefined) assert.is(uid, message.uid);
    if (flags !== undefined) message.flags = new Set(flags.filter((flag) => flag !== '\\Recent'));
    assert.is(modSeq !== undefined, this.#dialect.condstore);
    if (modSeq !== undefined) this.#fetched = Math.max(this.#fetched, modSeq);
  }

  #code({ code }: Extract<Response, { type: 'status' }>): void {
    assert.ok(typeof code === 'object' && code.code === 'HIGHESTMODSEQ');
    this.#coded = code.modSeq;
  }

  /** The tagged response: RFC 7162 §6. */
  tagged(): void {
    this.highest = this.#coded ?? Math.max(this.highest, this.#fetched);
    this.#fetched = 0;
    this.#coded = undefined;
  }

  /** What a client that comes back with this HIGHESTMODSEQ is not told, because it is taken to know it. */
  checkHighest(mailbox: Mailbox): void {
    for (const { uid, flags } of this.known) {
      const row = mailbox.messages.get(uid);
      if (row !== undefined && row.modSeq <= this.highest && flags !== undefined) {
        assert.equal([...flags].sort(), [...flagsOf(mailbox, uid)].sort(), `flags of UID ${uid} as of ${this.highest}`);
      }
    }
    for (const { modSeq, uid } of mailbox.vanished) {
      const knows = this.known.some((each) => each.uid === uid);
      assert.ok(modSeq > this.highest || !knows, `UID ${uid} vanished at ${modSeq}, untold at ${this.highest}`);
    }
  }
}

const flagsOf = (mailbox: Mailbox, uid: number): Set<string> => {
  const { flags } = mailbox.messages.get(uid)!;
  return new Set(Object.entries(NAMES).flatMap(([bit, name]) => ((flags & Number(bit)) !== 0 ? [name] : [])));
};

function* numbers(set: NumberSet): Iterable<number> {
  for (const each of set) {
    if (typeof each === 'number') yield each;
    else for (let n = each.from; n <= each.to; n++) yield n;
  }
}

function* flat(responses: Iterable<Response>): Iterable<Response> {
  for (const response of responses) {
    if (response.type === 'batch') yield* flat(response.responses as Iterable<Response>);
    else if (response.type !== 'fetches') yield response;
    else for (const each of response.items as Iterable<Fetch>) yield { type: 'FETCH', ...each };
  }
}

type Change =
  | { readonly does: 'append'; readonly count: number }
  | { readonly does: 'store'; readonly of: readonly number[]; readonly flag: number; readonly isSet: boolean }
  | { readonly does: 'expunge'; readonly of: readonly number[] };
type Step =
  | { readonly step: 'others'; readonly change: Change }
  | {
      readonly step: 'store';
      readonly of: readonly number[];
      readonly flag: number;
      readonly isSet: boolean;
      readonly silent: boolean;
    }
  | { readonly step: 'expunge'; readonly of: readonly number[] }
  /** A round of changes, cut into pages of so many messages, with something happening after each. */
  | { readonly step: 'round'; readonly page: number; readonly between: readonly Change[]; readonly forgotten: boolean }
  | { readonly step: 'tell'; readonly mayExpunge: boolean }
  | { readonly step: 'fetch'; readonly of: readonly number[] };

/** Of the messages there are, by a fraction each: one arbitrary for mailboxes of any size. */
const some = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 4 });
const flag = fc.constantFrom<number>(FLAG.seen, FLAG.flagged);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ does: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ does: fc.constant('store' as const), of: some, flag, isSet: fc.boolean() }),
  fc.record({ does: fc.constant('expunge' as const), of: some }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ step: fc.constant('others' as const), change }) },
  fc.record({ step: fc.constant('store' as const), of: some, flag, isSet: fc.boolean(), silent: fc.boolean() }),
  fc.record({ step: fc.constant('expunge' as const), of: some }),
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant('round' as const),
      page: fc.integer({ min: 1, max: 9 }),
      between: fc.array(change, { maxLength: 3 }),
      forgotten: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('tell' as const), mayExpunge: fc.boolean() }) },
  fc.record({ step: fc.constant('fetch' as const), of: some }),
);
const dialects: readonly Dialect[] = [
  { rev1: true, condstore: false, qresync: false },
  { rev1: false, condstore: true, qresync: false },
  { rev1: false, condstore: true, qresync: true },
];

class World {
  readonly mailbox = new Mailbox();
  readonly view: View;
  readonly client: Client;
  readonly dialect: Dialect;

  constructor(dialect: Dialect, messages: number) {
    this.dialect = dialect;
    if (messages > 0) this.mailbox.append(messages);
    const { modSeq } = this.mailbox;
    this.view = new View({
      uids: Uint32Array.from(this.mailbox.uids),
      modSeq,
      recentFrom: Math.ceil(messages / 2),
      keywords: [],
      rights: 'lrswipkxtea',
      readOnly: false,
    });
    this.client = new Client(this.mailbox, dialect);
  }

  do(step: Step): void {
    if (step.step === 'others') this.#change(step.change);
    else if (step.step === 'store') this.#ownStore(step);
    else if (step.step === 'expunge') this.#ownExpunge(step.of);
    else if (step.step === 'round') this.round(step.page, step.between, step.forgotten);
    else if (step.step === 'fetch') this.#fetch(this.#told(step.of));
    else this.tell(step.mayExpunge);
  }

  #change(change: Change): void {
    const { mailbox } = this;
    if (change.does === 'append') mailbox.append(change.count);
    else if (change.does === 'expunge') mailbox.expunge(pick(mailbox.uids, change.of));
    else mailbox.store(pick(mailbox.uids, change.of), change.flag, change.isSet);
  }

  /** UIDs of messages that the client knows of. */
  #told = (of: readonly number[]): number[] =>
    pick(
      this.client.known.map(({ uid }) => uid),
      of,
    );

  #ownStore({ of, flag, isSet, silent }: Extract<Step, { step: 'store' }>): void {
    const { mailbox, view, client, dialect } = this;
    const uids = this.#told(of);
    const changed = mailbox.store(uids, flag, isSet);
    if (changed.length > 0) view.noteOwn(mailbox.modSeq, changed, silent ? 'silently' : 'in full');
    for (const uid of silent ? uids : []) {
      const known = client.known.find((each) => each.uid === uid)!;
      if (mailbox.messages.has(uid)) known.flags?.[isSet ? 'add' : 'delete'](NAMES[flag]!);
    }
    for (const row of changed) {
      if (silent && !dialect.condstore) continue;
      if (dialect.condstore) view.noteFetched(row.modSeq);
      client.fetch({
        sequence: view.numbers.sequence(row.uid),
        ...(silent ? {} : { flags: view.flagsOf(row, dialect.rev1) }),
        ...(dialect.condstore ? { modSeq: row.modSeq } : {}),
      });
    }
    this.tell(false);
  }

  #ownExpunge(of: readonly number[]): void {
    this.view.vanish(rangesOf(this.mailbox.expunge(this.#told(of))));
    this.tell(true);
  }

  #fetch(uids: readonly number[]): void {
    for (const uid of new Set(uids)) {
      const row = this.mailbox.messages.get(uid);
      if (row === undefined) continue;
      this.view.noteFlagsTold(uid, row.modSeq);
      if (this.dialect.condstore) this.view.noteFetched(row.modSeq);
      this.client.fetch({
        sequence: this.view.numbers.sequence(uid),
        flags: this.view.flagsOf(row, this.dialect.rev1),
        ...(this.dialect.condstore ? { modSeq: row.modSeq } : {}),
      });
    }
    this.tell(false);
  }

  round(page: number, between: readonly Change[], forgotten: boolean): void {
    const { mailbox, view } = this;
    const since = view.modSeq;
    const upTo = mailbox.modSeq;
    const rows = () =>
      [...mailbox.messages.values()]
        .filter((row) => row.modSeq > since && row.modSeq <= upTo)
        .sort((a, b) => a.modSeq - b.modSeq || a.uid - b.uid);
    const common = { keywords: [], rights: 'lrswipkxtea' };
    if (forgotten) view.keepOnly(mailbox.blocks());
    const gone = mailbox.vanished.filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid);
    const vanished = forgotten ? null : rangesOf(gone.sort((a, b) => a - b));
    let last: MessageEntry | undefined;
    for (let pages = 0; ; pages++) {
      const after = last;
      const rest = rows().filter(
        ({ modSeq, uid }) =>
          after === undefined || modSeq > after.modSeq || (modSeq === after.modSeq && uid > after.uid),
      );
      const changed = rest.slice(0, page);
      view.absorb({ ...common, changed, vanished: pages === 0 ? vanished : [] });
      last = changed.at(-1);
      if (rest.length <= page) {
        view.settle(upTo, pages === 0);
        return;
      }
      if (between[pages] !== undefined) this.#change(between[pages]!);
    }
  }

  tell(mayExpunge: boolean): void {
    const { view, client, mailbox } = this;
    client.apply(view.tell(this.dialect, mayExpunge), mayExpunge, (sequence) => view.numbers.uid(sequence));
    client.tagged();
    const there = client.known.map(({ uid }) => uid);
    assert.equal([...view.numbers.uidsOf(view.numbers.bySequence([{ from: 1, to: '*' }]) ?? [])], there);
    assert.is(view.recentCount, there.filter((uid) => uid >= view.recentFrom).length);
    if (this.dialect.condstore) client.checkHighest(mailbox);
  }
}

const pick = (uids: readonly number[], of: readonly number[]): number[] =>
  [...new Set(of.map((fraction) => uids[Math.floor(fraction * uids.length)]))]
    .filter((uid) => uid !== undefined)
    .sort((a, b) => a - b);

for (const dialect of dialects) {
  const spoken = dialect.qresync ? 'QRESYNC' : dialect.condstore ? 'CONDSTORE' : 'IMAP4rev1';
  test(`a client that speaks ${spoken} is never told what is false, and in the end knows all`, () => {
    fc.assert(
      fc.property(fc.nat(8), fc.array(step, { maxLength: 40 }), (messages, steps) => {
        const world = new World(dialect, messages);
        for (const each of steps) world.do(each);
        world.round(1_000, [], false);
        world.round(1_000, [], false);
        world.tell(true);
        const { client, mailbox, view } = world;
        assert.equal(
          client.known.map(({ uid }) => uid),
          mailbox.uids,
        );
        for (const { uid, flags } of client.known) {
          if (flags !== undefined) assert.equal([...flags].sort(), [...flagsOf(mailbox, uid)].sort(), `UID ${uid}`);
        }
        assert.not(view.hasNews);
        if (dialect.qresync) assert.equal(view.tell(dialect, true), []);
      }),
      { numRuns: 1_500 },
    );
  });
}

test.run();
