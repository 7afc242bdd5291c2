/** A mailHost as its fronts meet it, over the bus: once and only once, through every way in which an owner can go. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FRONT_GRACE_MS } from '../../../actors/mailbox-owner/fronts.ts';
import type * as r from '../../../actors/mailbox-owner/requests.ts';
import type { BusError } from '../../../cluster/bus/bus.ts';
import { CHUNK_OCTETS, MAX_READ_OCTETS } from '../../../store/blob.ts';
import { createLmdbStore, openLmdbStore } from '../../../store/lmdb-store.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import type { Store } from '../../../store/store.ts';
import { chunks, endedSessions, FORMAT_VERSION, garbage, locks, sessions } from '../../../store/tables.ts';
import { must, TRACE, type World, world } from './world.ts';

const within = (what: string, run: (w: World) => Promise<void>) =>
  test(what, async () => {
    const w = await world();
    try {
      await run(w);
    } finally {
      await w.end();
    }
  });

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (thrown) {
    return thrown;
  }
  throw new Error('it did not fail');
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    assert.ok(piece.length > 0 && piece.length <= MAX_READ_OCTETS);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

within('a message delivered is listed, fetched whole and removed by QUIT', async (w) => {
  const d = must(await w.open('d', null));
  assert.equal(d.counter, 0);
  assert.is(d.maildrop, undefined);
  must(await w.deliver(d.handle, 1, 'hello', 'joe'));
  const s = must(await w.open('s', 'joe'));
  assert.is(s.maildrop?.uidNext, 2);
  assert.equal(must(await w.list(s.handle)), [{ uid: 1, sizeOctets: TRACE.length + 5 }]);
  const fetched = must(await w.fetch(s.handle, 1));
  assert.is(Buffer.from(fetched.chunk).toString(), `${TRACE}hello`);
  assert.is(Buffer.from(must(await w.fetch(s.handle, 1, TRACE.length + 1)).chunk).toString(), 'ello');
  must(await w.quit(s.handle, 1, s.maildrop!.lock, [1]));
  const again = must(await w.open('s2', 'joe'));
  assert.equal(must(await w.list(again.handle)), []);
});

within('what comes after a maildrop was opened is not shown in it', async (w) => {
  const s = must(await w.open('s', 'joe'));
  const d = must(await w.open('d', null));
  must(await w.deliver(d.handle, 1, 'late', 'joe'));
  assert.equal(must(await w.list(s.handle)), []);
  assert.equal(await w.fetch(s.handle, 1), { ok: false, refusal: 'gone' });
});

within('a list is paged by UID and by a limit', async (w) => {
  const d = must(await w.open('d', null));
  for (let at = 1; at <= 7; at++) must(await w.deliver(d.handle, at, `m${at}`, 'joe', 'ann'));
  const s = must(await w.open('s', 'joe'));
  const page = (afterUid: number, limit: number) => w.ask<r.ListAnswer>('list', { handle: s.handle, afterUid, limit });
  assert.equal(
    must(await page(0, 3)).map(({ uid }) => uid),
    [1, 2, 3],
  );
  assert.equal(
    must(await page(3, 3)).map(({ uid }) => uid),
    [4, 5, 6],
  );
  assert.equal(
    must(await page(6, 3)).map(({ uid }) => uid),
    [7],
  );
  assert.equal(must(await page(7, 3)), []);
});

const big = Buffer.alloc(3 * CHUNK_OCTETS + 1234);
for (let at = 0; at < big.length; at++) big[at] = (at * 31 + (at >> 9)) & 0xff;

async function stageAll(w: World, handle: string, stage: string): Promise<void> {
  const parts = Array.from({ length: 4 }, (_, index) => big.subarray(index * CHUNK_OCTETS, (index + 1) * CHUNK_OCTETS));
  await Promise.all(parts.map(async (bytes, index) => must(await w.stage(handle, stage, index, bytes))));
}

within('a body put aside in parts comes out whole, from any octet on', async (w) => {
  const d = must(await w.open('d', null));
  await stageAll(w, d.handle, 'b');
  must(await w.clock.until(w.deliverStaged(d.handle, 1, 'b', big, 'joe')));
  const s = must(await w.open('s', 'joe'));
  const whole = Buffer.concat([TRACE, big]);
  const first = must(await w.fetch(s.handle, 1));
  assert.is(first.sizeOctets, whole.length);
  assert.ok(first.chunk.length > TRACE.length);
  for (const offset of [0, 1, TRACE.length, first.chunk.length, TRACE.length + CHUNK_OCTETS, whole.length - 1]) {
    assert.ok((await collect(w.body(s.handle, 1, offset))).equals(whole.subarray(offset)), `from ${offset}`);
  }
  assert.is((await collect(w.body(s.handle, 1, whole.length))).length, 0);
});

within('the owner computes the hash itself, over what it has', async (w) => {
  const d = must(await w.open('d', null));
  const lie = {
    handle: d.handle,
    counter: 1,
    content: { kind: 'inline', bytes: Buffer.from('one'), sha256: '0'.repeat(64) },
    recipients: [{ account: 'joe', trace: TRACE, internalDate: 0 }],
  };
  assert.is(((await failure(w.ask('deliver', lie))) as BusError).failure, 'fault');
  await stageAll(w, d.handle, 'b');
  const other = Buffer.from(big);
  other[0]! ^= 1;
  assert.is(
    ((await failure(w.clock.until(w.deliverStaged(d.handle, 1, 'b', other, 'joe')))) as BusError).failure,
    'fault',
  );
  assert.equal(await w.deliverStaged(d.handle, 1, 'c', big, 'joe'), { ok: false, refusal: 'stage-missing' });
});

within('a message expunged while its body flows breaks the stream: it never ends short', async (w) => {
  const d = must(await w.open('d', null));
  await stageAll(w, d.handle, 'b');
  must(await w.clock.until(w.deliverStaged(d.handle, 1, 'b', big, 'joe')));
  const s = must(await w.open('s', 'joe'));
  const stream = w.body(s.handle, 1)[Symbol.asyncIterator]();
  await stream.next();
  must(await w.ask<r.DropAccountAnswer>('drop-account', { account: 'joe' }));
  const rest = async () => {
    for (;;) if ((await stream.next()).done) return;
  };
  assert.is(((await failure(rest())) as BusError).failure, 'fault');
});

within(
  'an account with mail is not vacated; an empty one is, and nothing is taken for one that lives elsewhere',
  async (w) => {
    const vacate = (account: string) => w.ask<r.VacateAnswer>('vacate', { account });
    const d = must(await w.open('d', null));
    must(await w.deliver(d.handle, 1, 'hello', 'joe'));
    assert.equal(must(await vacate('joe')), { messages: 1, mailboxes: 0 });
    const s = must(await w.open('s', 'joe'));
    assert.is(must(await w.ask<r.ListAnswer>('list', { handle: s.handle, afterUid: 0, limit: 9 })).length, 1);
    must(await w.ask<r.QuitAnswer>('quit', { handle: s.handle, counter: 1, lock: s.maildrop!.lock, uids: [1] }));
    let commit: (value?: unknown) => void = () => {};
    w.fates.push(new Promise((resolve) => (commit = resolve)));
    const taken = w.deliver(d.handle, 2, 'taken before', 'joe');
    await w.rest();
    w.elsewhere.add('joe');
    const asked = vacate('joe');
    await w.rest();
    commit();
    assert.equal(must(await asked), { messages: 1, mailboxes: 0 });
    must(await taken);
    assert.equal(await w.deliver(d.handle, 3, 'too late', 'joe'), { ok: false, refusal: 'unavailable' });
    assert.equal(must(await vacate('ann')), { messages: 0, mailboxes: 0 });
    must(await w.deliver(d.handle, 3, 'hello', 'ann'));
    assert.equal(must(await vacate('ann')), { messages: 1, mailboxes: 0 });
  },
);

within('an owner that does not know yet that an account moved does not say that it has no mail', async (w) => {
  const vacate = () => w.ask<r.VacateAnswer>('vacate', { account: 'joe', moved: true });
  const d = must(await w.open('d', null));
  assert.equal(await vacate(), { ok: false, refusal: 'unavailable' });
  must(await w.deliver(d.handle, 1, 'it still takes mail', 'joe'));
  w.elsewhere.add('joe');
  assert.equal(must(await vacate()), { messages: 1, mailboxes: 0 });
});

/** One who began to read a large body and does not read on. */
async function slowReader(w: World): Promise<AsyncIterator<Uint8Array>> {
  const d = must(await w.open('d', null));
  await stageAll(w, d.handle, 'b');
  must(await w.clock.until(w.deliverStaged(d.handle, 1, 'b', big, 'joe')));
  const s = must(await w.open('s', 'joe'));
  const reading = w.body(s.handle, 1)[Symbol.asyncIterator]();
  assert.is((await reading.next()).done, false);
  return reading;
}

within(
  'a reader of a body that never reads on does not hold up a stop; when it does, its stream is broken',
  async (w) => {
    const reading = await slowReader(w);
    let isStopped = false;
    const restarting = w.restart();
    const stopping = w.host().ended.then(() => (isStopped = true));
    await w.rest();
    const hadStopped = isStopped;
    assert.is(((await failure(reading.next())) as BusError).failure, 'fault'); // also ends a stop that waited for it
    await stopping;
    await restarting;
    assert.ok(hadStopped, 'the stop waited for the reader');
  },
);

within('a reader of a body that never reads on does not keep a deposed owner from its next lease', async (w) => {
  const reading = await slowReader(w);
  const grant = w.leases.lose();
  await w.rest();
  const { state } = w.host().inspect();
  grant();
  assert.is(((await failure(reading.next())) as BusError).failure, 'fault');
  assert.is(state, 'waitingForLease');
});

within('requests of a wrong shape are faults and change nothing', async (w) => {
  const d = must(await w.open('d', null));
  const number = w.store.applied().number;
  const good = { handle: d.handle, stage: 'b', index: 0, bytes: Buffer.from('x') };
  const wrong: [r.Operation, unknown][] = [
    ['stage', { ...good, bytes: Buffer.alloc(CHUNK_OCTETS + 1) }],
    ['stage', { ...good, bytes: Buffer.alloc(0) }],
    ['stage', { ...good, index: -1 }],
    ['fetch', { handle: d.handle, uid: 1, offset: -1 }],
    ['list', { handle: d.handle, afterUid: 0, limit: Number.NaN }],
    [
      'deliver',
      { handle: d.handle, counter: 0, content: { kind: 'inline', bytes: good.bytes, sha256: '' }, recipients: [] },
    ],
    ['quit', { handle: d.handle, counter: 1, lock: 1, uids: [-1] }],
  ];
  for (const [operation, request] of wrong) {
    assert.is(((await failure(w.ask(operation, request))) as BusError).failure, 'fault', operation);
  }
  assert.is(w.store.applied().number, number);
});

within('a reply that was lost is given again, by this owner and by the next', async (w) => {
  const d = must(await w.open('d', null));
  const first = await w.deliver(d.handle, 1, 'hello', 'joe');
  assert.equal(await w.deliver(d.handle, 1, 'hello', 'joe'), first);
  await w.restart();
  assert.equal(await w.deliver(d.handle, 1, 'hello', 'joe'), { ok: false, refusal: 'unknown-handle' });
  const again = must(await w.open('d', null));
  assert.is(again.counter, 1);
  assert.ok(again.epoch > d.epoch);
  assert.equal(await w.deliver(again.handle, 1, 'hello', 'joe'), first);
  assert.equal(await w.deliver(again.handle, 2, 'more', 'joe'), {
    ok: true,
    value: [{ ok: true, value: { uid: 2, sequence: 2 } }],
  });
  assert.equal(await w.deliver(again.handle, 1, 'hello', 'joe'), { ok: false, refusal: 'stale' });
});

within(
  'a QUIT whose reply was lost is answered by the next owner too, under the handle of the one before',
  async (w) => {
    const d = must(await w.open('d', null));
    must(await w.deliver(d.handle, 1, 'hello', 'joe'));
    const s = must(await w.open('s', 'joe'));
    must(await w.quit(s.handle, 1, s.maildrop!.lock, [1]));
    must(await w.quit(s.handle, 1, s.maildrop!.lock, [1]));
    await w.restart();
    must(await w.quit(s.handle, 1, s.maildrop!.lock, [1]));
    assert.equal(await w.quit(s.handle, 2, s.maildrop!.lock, [1]), { ok: false, refusal: 'unknown-handle' });
  },
);

within(
  'a session goes on with the next owner: same lock, same maildrop, a new handle, an expired ticket',
  async (w) => {
    const d = must(await w.open('d', null));
    must(await w.deliver(d.handle, 1, 'hello', 'joe'));
    const shown = w.ticket('s', 'joe');
    const s = must(await w.open('s', 'joe', undefined, shown));
    await w.restart();
    w.clock.advance(3_600_000);
    assert.equal(await w.list(s.handle), { ok: false, refusal: 'unknown-handle' });
    const again = must(await w.open('s', 'joe', undefined, shown));
    assert.equal(again.maildrop, s.maildrop);
    assert.is.not(again.handle, s.handle);
    assert.is(must(await w.list(again.handle)).length, 1);
    must(await w.quit(again.handle, 1, again.maildrop!.lock, [1]));
    assert.equal(await w.open('s', 'joe', undefined, shown), { ok: false, refusal: 'session-ended' });
    assert.equal(await w.open('new', 'joe', undefined, w.ticket('s', 'joe')), { ok: false, refusal: 'ticket-refused' });
  },
);

within('an account that is not active any more can not go on with its session', async (w) => {
  must(await w.open('s', 'joe'));
  w.disabled.add('joe');
  assert.equal(await w.open('s', 'joe'), { ok: false, refusal: 'ticket-refused' });
});

within(
  'an ended session stays ended for a replayed open, after a restart too, until its ticket is worth nothing',
  async (w) => {
    const shown = w.ticket('s', 'joe');
    const s = must(await w.open('s', 'joe', undefined, shown));
    must(await w.close(s.handle));
    assert.equal(await w.open('s', 'joe', undefined, shown), { ok: false, refusal: 'session-ended' });
    await w.restart();
    assert.equal(await w.open('s', 'joe', undefined, shown), { ok: false, refusal: 'session-ended' });
    w.clock.advance(3_600_000);
    await w.rest();
    w.clock.advance(60_000);
    await w.rest();
    assert.is(
      w.store.read((view) => endedSessions.get(view, 's')),
      undefined,
    );
    assert.equal(await w.open('s', 'joe', undefined, shown), { ok: false, refusal: 'ticket-refused' });
  },
);

within('a second session is refused, until the front of the first is gone', async (w) => {
  w.members.set(['n1', 'a'], ['n2', 'b']);
  const first = must(await w.open('s1', 'joe', { me: 'n2', startId: 'b' }));
  assert.equal(await w.open('s2', 'joe'), { ok: false, refusal: 'in-use' });
  w.members.set(['n1', 'a'], ['n2', 'c']); // killed, and started again
  w.clock.advance(0);
  await w.rest();
  assert.is(
    w.store.read((view) => locks.get(view, 'joe')),
    undefined,
  );
  const second = must(await w.open('s2', 'joe'));
  assert.equal(await w.list(first.handle), { ok: false, refusal: 'unknown-handle' });
  assert.equal(await w.quit(first.handle, 1, first.maildrop!.lock, [1]), { ok: false, refusal: 'unknown-handle' });
  assert.ok(second.maildrop!.lock > first.maildrop!.lock);
});

within('a front that was gone before this owner began loses its sessions after the grace period', async (w) => {
  w.members.set(['n1', 'a'], ['n2', 'b']);
  must(await w.open('s1', 'joe', { me: 'n2', startId: 'b' }));
  await w.host().stop();
  w.members.set(['n1', 'a']);
  await w.restart();
  w.clock.advance(0);
  await w.rest();
  assert.equal(await w.open('s2', 'joe'), { ok: false, refusal: 'in-use' });
  w.clock.advance(FRONT_GRACE_MS);
  await w.rest();
  must(await w.open('s2', 'joe'));
});

within('a registration that has not reached this node yet ends no session', async (w) => {
  w.clock.advance(3_600_000);
  must(await w.open('s1', 'joe', { me: 'n9', startId: 'new' }));
  w.members.set(['n1', 'a'], ['n2', 'b']); // news of another node
  w.clock.advance(0);
  await w.rest();
  assert.equal(await w.open('s2', 'joe'), { ok: false, refusal: 'in-use' });
  w.members.set(); // the mirror is loaded anew
  w.clock.advance(FRONT_GRACE_MS * 2);
  await w.rest();
  assert.ok(w.store.read((view) => sessions.get(view, 's1')));
});

within(
  'nothing is answered once the lease has lapsed, not even what was committed; the next owner gives the answer',
  async (w) => {
    const d = must(await w.open('d', null));
    let release = () => {};
    w.fates.push(
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    );
    const delivering = w.deliver(d.handle, 1, 'hello', 'joe');
    await w.rest();
    const grant = w.leases.lose();
    release();
    assert.equal(await delivering, { ok: false, refusal: 'not-owner' });
    assert.match(String(await failure(w.list(d.handle))), /no-responders/);
    grant();
    await w.rest();
    assert.is(w.host().inspect().state, 'serving');
    const again = must(await w.open('d', null));
    assert.equal([again.counter, again.epoch], [1, d.epoch + 1]);
    assert.equal(must(await w.deliver(again.handle, 1, 'hello', 'joe')), [
      { ok: true, value: { uid: 1, sequence: 1 } },
    ]);
  },
);

within("another owner's record in the journal deposes this one, and nothing of its batch stands", async (w) => {
  const d = must(await w.open('d', null));
  w.fates.push('lost');
  assert.equal(await w.deliver(d.handle, 1, 'hello', 'joe'), { ok: false, refusal: 'not-owner' });
  await w.rest();
  const again = must(await w.open('d', null));
  assert.equal([again.counter, again.epoch], [0, d.epoch + 1]);
});

within('a full disk refuses and heals', async (w) => {
  const d = must(await w.open('d', null));
  w.fates.push('full');
  assert.equal(await w.deliver(d.handle, 1, 'hello', 'joe'), { ok: false, refusal: 'full' });
  must(await w.deliver(d.handle, 1, 'hello', 'joe'));
  w.fates.push('full');
  assert.equal(await w.open('s', 'joe'), { ok: false, refusal: 'full' });
  must(await w.open('s', 'joe'));
});

within('an owner that finds no room for its epoch waits for room, and serves nothing before', async (w) => {
  await w.host().stop();
  w.fates.push('full', 'full');
  const restarting = w.restart();
  await w.rest();
  assert.is(w.host().inspect().state, 'waitingForRoom');
  assert.match(String(await failure(w.open('s', 'joe'))), /no-responders/);
  await w.clock.until(restarting);
  must(await w.open('s', 'joe'));
});

within('a store that fails ends the mailHost, and says so', async (w) => {
  const d = must(await w.open('d', null));
  w.fates.push('throw');
  assert.equal(await w.deliver(d.handle, 1, 'hello', 'joe'), { ok: false, refusal: 'unavailable' });
  assert.equal(await w.host().ended, { how: 'failed', fault: 'Error: the disk is broken' });
  await w.restart();
  must(await w.open('d', null));
});

within('bodies that nothing names are collected in the background', async (w) => {
  const d = must(await w.open('d', null));
  await stageAll(w, d.handle, 'b');
  must(await w.clock.until(w.deliverStaged(d.handle, 1, 'b', big, 'joe')));
  const s = must(await w.open('s', 'joe'));
  must(await w.quit(s.handle, 1, s.maildrop!.lock, [1]));
  assert.is(w.store.read((view) => [...garbage.range(view, [])]).length, 1);
  w.clock.advance(1_000);
  await w.rest();
  assert.equal(
    w.store.read((view) => [...chunks.range(view)]),
    [],
  );
});

within('accounts in use are seen, and passivated when idle', async (w) => {
  const accounts = () =>
    w
      .host()
      .inspect()
      .tenure!.accounts.map(({ account, state }) => `${account} ${state}`);
  const s = must(await w.open('s', 'joe'));
  await w.rest();
  assert.equal(accounts(), ['joe serving']);
  assert.equal(w.host().inspect().tenure!.accounts[0]!.sessions, [{ session: 's', lock: s.maildrop!.lock }]);
  must(await w.close(s.handle));
  assert.equal(accounts(), ['joe idle']);
  w.clock.advance(60_000);
  await w.rest();
  assert.equal(accounts(), []);
  assert.is(w.host().inspect().tenure!.sessions, 0);
});

within('close ends the session by the handle of any owner, and may be asked again', async (w) => {
  const s = must(await w.open('s', 'joe'));
  await w.restart();
  must(await w.close(s.handle));
  must(await w.close(s.handle));
  must(await w.open('s2', 'joe'));
});

within('a delivery whose reply was lost gets its answer although its session has ended', async (w) => {
  w.members.set(['n1', 'a'], ['n2', 'b']);
  const d = must(await w.open('d', null, { me: 'n2', startId: 'b' }));
  const first = await w.deliver(d.handle, 1, 'hello', 'joe');
  must(first);
  w.members.set(['n1', 'a']);
  w.clock.advance(0);
  await w.rest();
  assert.is(
    w.store.read((view) => sessions.get(view, 'd')),
    undefined,
  );
  assert.equal(await w.deliver(d.handle, 1, 'hello', 'joe'), first);
  assert.equal(await w.deliver(d.handle, 2, 'more', 'joe'), { ok: false, refusal: 'unknown-handle' });
});

for (const [why, fate] of [
  ['its lease was lost', 'lost'],
  ['its store failed', 'throw'],
] as const) {
  within(`a stop while the owner leaves because ${why} waits until it has left`, async (w) => {
    const d = must(await w.open('d', null));
    const release = w.leases.holdReleases();
    w.fates.push(fate);
    await w.deliver(d.handle, 1, 'hello', 'joe');
    await w.rest();
    assert.is(w.host().inspect().state, fate === 'lost' ? 'deposed' : 'failing');
    let hasStopped = false;
    const stopped = w
      .host()
      .stop()
      .then(() => {
        hasStopped = true;
      });
    await w.rest();
    assert.is(hasStopped, false);
    release();
    await stopped;
  });
}

within('stop waits for what is being written, and answers it', async (w) => {
  const d = must(await w.open('d', null));
  const delivering = w.deliver(d.handle, 1, 'hello', 'joe');
  await w.rest();
  await w.host().stop();
  must(await delivering);
  assert.is(w.host().inspect().state, 'stopped');
});

const OPERATIONS: readonly r.Operation[] = [
  'open',
  'list',
  'fetch',
  'stage',
  'deliver',
  'quit',
  'close',
  'may-post',
  'usage',
  'mailboxes',
  'change-mailboxes',
  'drop-account',
  'vacate',
];

/** Nothing of the mailHost can be reached, and nobody looks into its store by himself. */
async function mustBeLeft(w: World, readings: () => number): Promise<void> {
  for (const operation of OPERATIONS)
    assert.is(((await failure(w.ask(operation, {}))) as BusError).failure, 'no-responders', operation);
  assert.is(((await failure(collect(w.body('h', 1)))) as BusError).failure, 'no-responders');
  const before = readings();
  w.clock.advance(120_000); // a housekeeper would look for garbage by now, and for sessions to end
  await w.rest();
  assert.is(readings(), before);
}

test('a stop at any moment of the beginning leaves nothing that is served, with its lease still held or not', async () => {
  let readings = 0;
  const store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
  const read: Store['read'] = (use) => {
    readings += 1;
    return store.read(use);
  };
  const w = await world({ ...store, read });
  try {
    // So many microtasks after its record was let through; -1: before. On, until it serves.
    for (let ticks = -1, state = ''; state !== 'serving'; ticks++) {
      let letThrough = () => {};
      await w.host().stop();
      w.fates.push(
        new Promise<void>((resolve) => {
          letThrough = resolve;
        }),
      );
      void w.restart(); // it may never be served
      await w.rest();
      assert.is(w.host().inspect().state, 'beginningEpoch');
      const giveBack = w.leases.holdReleases();
      if (ticks >= 0) letThrough();
      for (let i = 0; i < ticks; i++) await Promise.resolve();
      state = w.host().inspect().state;
      const stopping = w.host().stop();
      try {
        await w.rest();
        letThrough();
        await w.rest();
        assert.is(w.host().inspect().state, 'stopping', `${ticks} ticks`);
        await mustBeLeft(w, () => readings);
      } finally {
        giveBack();
      }
      await stopping;
      await mustBeLeft(w, () => readings);
    }
  } finally {
    await w.end();
  }
});

test('the same on the disk: many deliveries at once, read back, and the follower equals', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-owner-'));
  const path = join(directory, 'h1');
  await createLmdbStore(path, 'h1');
  const opened = await openLmdbStore(path);
  const w = await world(must(opened));
  try {
    const handles = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => must(await w.open(`d${at}`, null)).handle),
    );
    const before = w.store.applied().number;
    await Promise.all(
      handles.map(async (handle, at) => {
        for (let counter = 1; counter <= 10; counter++)
          must(await w.deliver(handle, counter, `${at} ${counter}`, 'joe'));
      }),
    );
    assert.ok(w.store.applied().number - before < 100, 'deliveries share records');
    const s = must(await w.open('s', 'joe'));
    const entries = must(await w.ask<r.ListAnswer>('list', { handle: s.handle, afterUid: 0, limit: 1000 }));
    assert.equal(
      entries.map(({ uid }) => uid),
      Array.from({ length: 200 }, (_, at) => at + 1),
    );
    const bodies = new Set<string>();
    for (const { uid } of entries) bodies.add(Buffer.from(must(await w.fetch(s.handle, uid)).chunk).toString());
    assert.is(bodies.size, 200);
  } finally {
    await w.end();
    rmSync(directory, { recursive: true, force: true });
  }
});

test.run();
