/**
 * That no read of a session holds up the owner for long, whatever mail there is and whatever is asked of it: what is done in
 * one stroke is counted, and no clock is asked.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CarriedSearches } from '../../../actors/mailbox-owner/search-carried.ts';
import { matchersOf, matches } from '../../../actors/mailbox-owner/search-content.ts';
import { candidateOf, planOf, truthOf } from '../../../actors/mailbox-owner/search-program.ts';
import type { SearchProgram } from '../../../actors/mailbox-owner/search-requests.ts';
import type { Change } from '../../../store/change.ts';
import { FLAG } from '../../../store/flags.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import { FORMAT_VERSION, type MessageRow, messages } from '../../../store/tables.ts';
import { uidsIn } from '../../../store/uid-ranges.ts';
import { countingStore } from './counting-store.ts';
import { deliver, message, must, type Session, session } from './mailboxes-world.ts';
import { type World, world } from './world.ts';

type Ref = Awaited<ReturnType<Session['select']>>['ref'];

const within = (what: string, use: (w: World, take: () => number[]) => Promise<void>) =>
  test(what, async () => {
    const counting = countingStore(memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION }));
    const w = await world(counting.store);
    await use(w, counting.take);
    await w.end();
  });

const any = (keys: readonly SearchProgram[]): SearchProgram => ({ type: 'or', keys });
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

async function filled(w: World, many: number, keywords: readonly string[] = []) {
  const joe = await session(w, 'joe');
  for (let left = many; left > 0; left -= 500) {
    const some = numbers(Math.min(left, 500)).map((at) => message(`m${at}`, { keywords }));
    must(await joe.change('append', { account: 'joe', withInbox: true, name: 'INBOX', messages: some }));
  }
  return { joe, ref: (await joe.select()).ref };
}

async function flagAll({ joe, ref }: { joe: Session; ref: Ref }, many: number) {
  for (let from = 1; from <= many; from += 1_000) await joe.flag(ref, [[from, Math.min(from + 999, many)]], FLAG.seen);
}

/** @returns how far each request came */
async function search(joe: Session, ref: Ref, program: SearchProgram) {
  const steps: number[] = [];
  const uids: number[] = [];
  for (let afterUid = 0; ; ) {
    const found = must(await joe.read('search', { ref, program, afterUid }));
    uids.push(...uidsIn(found.uids));
    if (found.upTo === null) return { uids, steps };
    steps.push(found.upTo - afterUid);
    afterUid = found.upTo;
  }
}

within('a request asks so many keys of so many messages, though its clock stands still', async (w) => {
  const keywords = numbers(200).map((at) => `Keyword-${at}`);
  const { joe, ref } = await filled(w, 600, keywords);
  const keys = numbers(1_999).map((at): SearchProgram => ({ type: 'keyword', keyword: `no-${at}` }));
  const { uids, steps } = await search(joe, ref, any(keys));
  assert.equal(uids, []);
  assert.ok(steps.length >= 2 && Math.max(...steps) <= 250, `${steps} messages a request`);
  const few = await search(joe, ref, { type: 'keyword', keyword: 'KEYWORD-7' });
  assert.equal([few.uids.length, few.steps.length], [600, 0]);
});

test('keywords of a message are folded once, whatever is asked of them', () => {
  let asked = 0;
  const row = {
    flags: 0,
    get keywords() {
      asked++;
      return ['One', 'TWO'];
    },
  } as unknown as MessageRow;
  const keys = numbers(500).map((at): SearchProgram => ({ type: 'keyword', keyword: `k${at}` }));
  const plan = planOf(any([...keys, { type: 'keyword', keyword: 'tWo' }]))!;
  assert.is(truthOf(plan.program, candidateOf(1, row, plan)), true);
  assert.ok(asked <= 2, `looked at ${asked} times`);
  assert.is(candidateOf(1, row, planOf({ type: 'flag', flag: 1 })!).keywords.size, 0);
});

within('a search by mod-sequence finds out once what changed, however many requests it takes', async (w, take) => {
  const many = 3_000;
  const box = await filled(w, many);
  await flagAll(box, many);
  const { monotonic } = w.clock;
  let now = 0;
  w.clock.monotonic = () => (now += 6); // a machine on which all is slow
  take();
  const program: SearchProgram = {
    type: 'and',
    keys: [{ type: 'mod-seq', from: 1 }, any([{ type: 'size', above: 0 }])],
  };
  const { uids, steps } = await search(box.joe, box.ref, program);
  w.clock.monotonic = monotonic;
  assert.is(uids.length, many);
  assert.ok(steps.length > 100);
  const looks = take();
  assert.ok(sum(looks) < 10 * many, `${sum(looks)} keys read in ${steps.length} requests`);
});

within('what few messages changed is listed once in a search, and each new search lists anew', async (w, take) => {
  const { joe, ref } = await filled(w, 1_000);
  await joe.flag(ref, [[3, 3]], FLAG.seen);
  const { modSeq } = await joe.select();
  const program: SearchProgram = { type: 'mod-seq', from: modSeq };
  take();
  assert.equal((await search(joe, ref, program)).uids, [3]);
  assert.ok(Math.max(...take()) < 60);
  await joe.flag(ref, [[9, 9]], FLAG.seen);
  assert.equal((await search(joe, ref, program)).uids, [3, 9]);
});

within('changes are told in short strokes, also where nearly all that came has changed since', async (w, take) => {
  const many = 9_000;
  const box = await filled(w, many);
  await flagAll(box, many);
  take();
  const told: number[] = [];
  let at: object = {};
  for (;;) {
    const page = must(await box.joe.read('changes', { ref: box.ref, since: 1, ...at }));
    told.push(...page.changed.map(({ uid }) => uid));
    if (page.next === null) break;
    at = { at: page.next };
  }
  assert.equal(
    told,
    numbers(many).map((each) => each + 1),
  );
  const most = Math.max(...take());
  assert.ok(most < 7_000, `${most} keys in one stroke`);
});

within('header keys are sorted out once for all messages, and others have their turn', async (w) => {
  await deliver(w, 'joe', ...numbers(4).map((at) => `X-${at}: the Text ${at} is here\r\n\r\nbody`));
  let asked = 0;
  const keys = numbers(1_999).map((at) => ({
    type: 'header' as const,
    get field() {
      asked++;
      return `x-${at}`;
    },
    get text() {
      asked++;
      return `text ${at} ${'is'.padEnd(at > 3 ? 90 : 2, 's')}`;
    },
  }));
  const plan = planOf(any(keys))!;
  const turns = { taken: 0 };
  const effort = { took: () => {}, giveWay: () => void turns.taken++ };
  const matchers = await matchersOf(plan, effort);
  assert.ok(turns.taken > 100, `${turns.taken} steps`);
  [asked, turns.taken] = [0, 0];
  const structures = { look: () => assert.unreachable('a header tells') } as never;
  const rows = w.store.read((view) => [...messages.range(view, ['joe'])]);
  for (const { key, row } of rows) {
    const isMatch = await matches(
      { store: w.store, structures },
      plan,
      matchers,
      candidateOf(key[2], row, plan),
      effort,
    );
    assert.ok(isMatch);
  }
  assert.is(rows.length, 4);
  assert.ok(turns.taken >= 4 * keys.length, `${turns.taken} turns given`);
  assert.is(asked, 0);
  const other = planOf({ type: 'and', keys: [keys[0]!, keys[1]!] })!;
  const both = candidateOf(1, rows[0]!.row, other);
  const its = await matchersOf(other, effort);
  assert.not.ok(await matches({ store: w.store, structures }, other, its, both, effort), 'one field has not another’s');
});

test('a search is carried on by its own session, program and place alone, and the oldest are forgotten', () => {
  const searches = new CarriedSearches();
  const search = (text: string) => ({ text, plan: planOf({ type: 'and', keys: [] })! });
  const one = search('one');
  searches.keep('a', one, 7);
  assert.is(searches.take('b', 'one', 7), undefined);
  assert.is(searches.take('a', 'one', 7), one);
  assert.is(searches.take('a', 'one', 7), undefined, 'it is somebody’s now');
  for (const [text, upTo] of [
    ['other', 7],
    ['one', 8],
    ['one', 0],
  ] as const) {
    searches.keep('a', one, 7);
    assert.is(searches.take('a', text, upTo), undefined);
  }
  const kept = (sessions: number) => numbers(sessions).filter((at) => searches.take(`s${at}`, 'x', 1)).length;
  for (const at of numbers(400)) searches.keep(`s${at}`, search('x'), 1);
  assert.is(kept(400), 256);
  const long = 'x'.repeat(600_000);
  for (const name of ['first', 'second']) searches.keep(name, search(long), 1);
  assert.equal([searches.take('first', long, 1), searches.take('second', long, 1)?.text], [undefined, long]);
});

within('accounts that share are looked for in short strokes, though one has very many mailboxes', async (w, take) => {
  const bob = await session(w, 'bob');
  const shares = (account: string, mailbox: number, identifier: string): Change[] => [
    { type: 'MailboxCreated', account, mailbox, name: `m${mailbox}`, uidValidity: mailbox },
    { type: 'RightsSet', account, mailbox, identifier, rights: 'lr' },
    { type: 'RightsSet', account, mailbox, identifier: 'somebody', rights: 'lr' },
  ];
  const all = numbers(2_500).flatMap((at) => shares('joe', at + 1, 'ann'));
  await w.apply(...all, ...shares('joe', 2_501, 'bob'), ...shares('zoe', 1, 'bob'));
  take();
  const found: string[] = [];
  let pages = 0;
  for (let after: string | undefined; ; pages++) {
    const page = must(await bob.read('sharing-accounts', { limit: 10, ...(after !== undefined && { after }) }));
    found.push(...page.accounts);
    if (page.next === null) break;
    after = page.next;
  }
  assert.equal(found, ['joe', 'zoe']);
  const most = Math.max(...take());
  assert.ok(pages >= 2 && most < 8_000, `${most} keys in one stroke`);
});

test.run();
