/** The writer: group commit, and what becomes of a batch that can't be written. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Journal } from '../../../actors/mailbox-owner/journal.ts';
import { localJournal } from '../../../actors/mailbox-owner/local-journal.ts';
import type { OwnerOperation } from '../../../actors/mailbox-owner/operation.ts';
import { createWriter } from '../../../actors/mailbox-owner/writer.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import type { JournalRecord } from '../../../store/record.ts';
import { accounts, FORMAT_VERSION, sessions } from '../../../store/tables.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { follower } from '../../support/follower.ts';
import { deliverTo, NOW, openDelivery, openMaildrop } from './state.ts';

type Fate = 'full' | 'lost' | 'throw' | 'commit';

/** A writer whose journal does with each record what the test says, and then commits the rest. */
function writing(...fates: Fate[]) {
  const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
  const copy = follower(store.identity);
  const local = localJournal(store, copy.tap);
  const records: JournalRecord[] = [];
  const journal: Journal = {
    async append(record) {
      records.push(record);
      const fate = fates.shift() ?? 'commit';
      if (fate === 'throw') throw new Error('broken');
      return fate === 'commit' ? local.append(record) : refuse(fate);
    },
  };
  return { store, copy, records, writer: createWriter({ store, journal, epoch: 3, log: silentLog }) };
}

test('operations that come at once are one record, each decided upon the ones before it', async () => {
  const { writer, records, copy, store } = writing();
  // Made before any is submitted: Deno (2.9) runs what is promised in the middle of a process's first `createHash`.
  const operations = [
    openDelivery('d'),
    deliverTo('d', 1, 'one', 'joe'),
    deliverTo('d', 1, 'one', 'joe'),
    deliverTo('d', 2, 'two', 'joe'),
    openMaildrop('s1'),
    openMaildrop('s2'),
  ];
  const answers = await Promise.all(operations.map((operation) => writer.submit<OwnerOperation>(operation)));
  assert.is(records.length, 1);
  assert.is(records[0]!.epoch, 3);
  assert.equal(answers[1], answers[2]);
  assert.equal(answers[3], accept(accept([accept({ uid: 2, sequence: 2 })])));
  assert.equal(answers[5], accept(refuse('in-use')));
  await copy.mustEqual(store);
});

test('what comes while a record is written waits, and shares the next', async () => {
  const { writer, records, copy, store } = writing();
  const first = writer.submit(openDelivery('d'));
  await Promise.resolve();
  await Promise.resolve();
  const rest = Array.from({ length: 50 }, (_, at) => writer.submit(deliverTo('d', at + 1, `m${at}`, 'joe')));
  await Promise.all([first, ...rest]);
  assert.is(records.length, 2);
  assert.is(store.read((view) => accounts.get(view, 'joe'))?.messages, 50);
  await copy.mustEqual(store);
});

test('a batch is bounded: large bodies take several records', async () => {
  const { writer, records, copy, store } = writing();
  await writer.submit(openDelivery('d'));
  const bodies = Array.from({ length: 10 }, (_, at) => Buffer.alloc(1_000_000, `${at}`));
  await Promise.all(bodies.map((body, at) => writer.submit(deliverTo('d', at + 1, body, 'joe'))));
  assert.is(records.length, 1 + 2);
  await copy.mustEqual(store);
});

test('an operation that changes nothing makes no record', async () => {
  const { writer, records } = writing();
  assert.equal(await writer.submit({ type: 'collect', mostChunks: 5 }), accept(accept({ more: false })));
  assert.equal(await writer.submit({ type: 'close', session: 'none', now: NOW }), accept(accept(null)));
  assert.is(records.length, 0);
});

test('when there is no room the whole batch is refused, and nothing of it is seen afterwards', async () => {
  const { writer, copy, store } = writing('commit', 'full');
  await writer.submit(openDelivery('d'));
  const both = [writer.submit(deliverTo('d', 1, 'one', 'joe')), writer.submit(deliverTo('d', 2, 'two', 'ann'))];
  assert.equal(await Promise.all(both), [refuse('full'), refuse('full')]);
  assert.is(
    store.read((view) => accounts.get(view, 'ann')),
    undefined,
  );
  assert.equal(await writer.submit(deliverTo('d', 1, 'one', 'joe')), accept(accept([accept({ uid: 1, sequence: 1 })])));
  await copy.mustEqual(store);
});

test('what gives room back is tried again without what grows', async () => {
  const { writer, records, copy, store } = writing('commit', 'commit', 'full');
  await writer.submit(openDelivery('d'));
  await Promise.all([writer.submit(deliverTo('d', 1, 'one', 'joe')), writer.submit(openMaildrop('s1'))]);
  const quit = { type: 'quit', session: 's1', counter: 1, lock: 1, uids: [1], now: NOW } as const;
  const answers = await Promise.all([writer.submit(deliverTo('d', 2, 'two', 'joe')), writer.submit(quit)]);
  assert.equal(answers, [refuse('full'), accept(accept(null))]);
  assert.is(records.length, 4);
  await copy.mustEqual(store);
});

test('who opens, beginning to make room, is tried again without the mail that found none', async () => {
  const { writer, copy, store } = writing('commit', 'full');
  await writer.submit(openDelivery('d'));
  const answers = await Promise.all([
    writer.submit(deliverTo('d', 1, 'one', 'joe')),
    writer.submit(openMaildrop('s1')),
    writer.submit(deliverTo('d', 2, 'two', 'joe')),
  ]);
  assert.equal(
    answers.map(({ ok }) => ok),
    [false, true, false],
  );
  assert.ok(store.read((view) => sessions.get(view, 's1')));
  await copy.mustEqual(store);
});

test('what gives room back and still finds none is refused, not tried for ever', async () => {
  const { writer, records } = writing('commit', 'full', 'full');
  await writer.submit(openDelivery('d'));
  const both = [
    writer.submit(deliverTo('d', 1, 'one', 'joe')),
    writer.submit({ type: 'close', session: 'd', now: NOW } as const),
  ];
  assert.equal(await Promise.all(both), [refuse('full'), refuse('full')]);
  assert.is(records.length, 3);
});

test('a lost journal ends the writer: nothing of the batch stands, and nothing more is taken', async () => {
  const { writer, copy, store } = writing('commit', 'lost');
  await writer.submit(openDelivery('d'));
  assert.equal(await writer.submit(deliverTo('d', 1, 'one', 'joe')), refuse('not-owner'));
  assert.equal(await writer.ended, { reason: 'lost' });
  assert.equal(await writer.submit(deliverTo('d', 1, 'one', 'joe')), refuse('not-owner'));
  assert.is(
    store.read((view) => accounts.get(view, 'joe')),
    undefined,
  );
  await copy.mustEqual(store);
});

test('a failing store ends the writer, and all that wait are answered', async () => {
  const { writer } = writing('throw');
  const first = writer.submit(openDelivery('d'));
  await Promise.resolve();
  await Promise.resolve();
  const waiting = writer.submit(openMaildrop('s1'));
  assert.equal(await first, refuse('unavailable'));
  assert.equal(await waiting, refuse('unavailable'));
  const end = await writer.ended;
  assert.is(end.reason, 'fault');
  assert.equal(await writer.submit(openDelivery('d')), refuse('unavailable'));
});

test('an operation that is our own mistake fails alone', async () => {
  const { writer, copy, store } = writing();
  await writer.submit(openDelivery('d'));
  const part = { type: 'stage', session: 'd', stage: 'b', bytes: Buffer.from('short') } as const;
  const wrong = [
    writer.submit({ ...part, index: 0 }),
    writer.submit({ ...part, index: 1 }),
    writer.submit(openMaildrop('s1')),
  ];
  const settled = await Promise.allSettled(wrong);
  assert.equal(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.ok(store.read((view) => sessions.get(view, 's1')));
  await copy.mustEqual(store);
});

test('more than the queue may hold is refused at once', async () => {
  const { writer } = writing();
  await writer.submit(openDelivery('d'));
  const body = Buffer.alloc(8_000_000);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) => writer.submit(deliverTo('d', at + 1, body, 'joe'))),
  );
  assert.equal(
    answers.map(({ ok }) => ok),
    [...Array(9).fill(true), ...Array(3).fill(false)],
  );
  assert.equal(answers.at(-1), refuse('unavailable'));
});

test('stop answers what was accepted and refuses what comes after', async () => {
  const { writer, copy, store } = writing();
  const accepted = writer.submit(openDelivery('d'));
  const stopped = writer.stop();
  assert.equal(await writer.submit(openMaildrop('s1')), refuse('not-owner'));
  await stopped;
  assert.ok((await accepted).ok);
  await copy.mustEqual(store);
});

test.run();
