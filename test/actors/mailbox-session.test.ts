/** A front's session with owners that die, forget, answer twice and not at all. */
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Content, DeliverRecipient } from '../../actors/mailbox-owner/requests.ts';
import { MailboxSession } from '../../actors/mailbox-session.ts';
import type { SessionContext } from '../../actors/session-context.ts';
import { BusError } from '../../cluster/bus/bus.ts';
import { subjects } from '../../cluster/subjects.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { type Fate, faultyBus, ModelMailHost } from './mailbox-session-owner.ts';
import { manualClock } from './manual-clock.ts';

function front(fates: readonly Fate[] = []) {
  const clock = manualClock();
  const host = new ModelMailHost();
  const left = [...fates];
  const bus = faultyBus(clock, { n1: host }, () => left.shift() ?? 'done');
  const log = memoryLog();
  const context: SessionContext = {
    bus,
    subjects: subjects('test'),
    clock,
    log,
    patienceMs: 30_000,
    attemptMs: 5_000,
    me: 'n2',
    startId: 'start',
  };
  const session = (purpose: 'maildrop' | 'delivery' = 'maildrop', id = 's.1') =>
    new MailboxSession(context, { session: id, mailHost: 'n1', ticket: 'ticket', purpose });
  /** Whatever comes after this is done as asked, or as given. */
  const then = (...next: readonly Fate[]) => left.splice(0, left.length, ...next);
  return { clock, host, bus, log, context, session, then };
}

const inline = (text: string): Content => {
  const bytes = Buffer.from(text);
  return { kind: 'inline', bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
};
const to = (account: string): DeliverRecipient => ({ account, trace: new Uint8Array(), internalDate: 0 });

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('opens, lists page by page, fetches, removes and is over', async () => {
  const { clock, host, session } = front();
  for (let uid = 1; uid <= 2_500; uid += 1) host.messages.set(uid, Buffer.from(`message ${uid}`));
  const maildrop = session();
  const opened = await clock.until(maildrop.open());
  assert.ok(opened.ok && opened.value.maildrop?.uidValidity === 7);
  const listed = await clock.until(maildrop.list());
  assert.ok(listed.ok && listed.value.length === 2_500);
  assert.equal(listed.value[2_499], { uid: 2_500, sizeOctets: 12 });
  const fetched = await clock.until(maildrop.fetch(77));
  assert.ok(fetched.ok);
  assert.is(String(await clock.until(read(fetched.value.body))), 'message 77');
  assert.equal(await clock.until(maildrop.quit([1, 77])), { ok: true, value: null });
  assert.is(host.messages.size, 2_498);
  assert.is(host.lockedBy, undefined);
  assert.ok(maildrop.isOver);
});

test('a refused open is told and leaves nothing behind', async () => {
  for (const refusal of ['in-use', 'ticket-refused', 'session-ended', 'full'] as const) {
    const { clock, host, session } = front();
    host.openRefusal = refusal;
    const maildrop = session();
    assert.equal(await clock.until(maildrop.open()), { ok: false, refusal });
    await clock.until(maildrop.close());
    assert.equal(host.asked, ['open']);
  }
});

test('every fate of an open but death for good ends in one lock, held by the session', async () => {
  for (const fate of [
    'lost',
    'reply-lost',
    'nobody',
    'dies-after',
    'dies-before',
    'late',
    'not-owner',
    'fault',
  ] as const) {
    const { clock, host, session, bus } = front([fate]);
    assert.ok((await clock.until(session().open())).ok, fate);
    while (bus.arriveLate());
    assert.is(host.lockedBy, 's.1', fate);
    assert.is(host.locks, 1, fate);
  }
});

test('an open that was given up does not leave the maildrop locked once an owner is back', async () => {
  const { clock, host, session, bus, then } = front(['reply-lost']);
  then('reply-lost', ...Array.from({ length: 500 }, () => 'nobody' as const));
  const maildrop = session();
  assert.equal(await clock.until(maildrop.open()), { ok: false, refusal: 'unavailable' });
  assert.is(host.lockedBy, 's.1');
  then();
  await clock.until(maildrop.close());
  assert.is(host.lockedBy, undefined);
  assert.ok(bus.isUp);
});

test('a session that no owner can have heard of is over at once when it is given up', async () => {
  for (const fate of ['nobody', 'not-owner'] as const) {
    const { clock, host, session, then } = front();
    then(...Array.from({ length: 500 }, () => fate));
    const delivery = session('delivery');
    assert.equal(await clock.until(delivery.open()), { ok: false, refusal: 'unavailable' });
    const before = clock.monotonic();
    await clock.until(delivery.close());
    assert.is(clock.monotonic(), before);
    then();
    clock.advance(3_600_000);
    await turn();
    assert.equal(host.asked, [], 'nothing was opened only to be closed');
  }
});

test('cut off from the others, what was asked before may have arrived, what is asked after has not', async () => {
  for (const wasConnected of [false, true]) {
    const { clock, host, session, bus, context } = front();
    let isConnected = wasConnected;
    const ask: SessionContext['bus']['ask'] = async (subject, request, options) => {
      if (wasConnected && isConnected) await bus.ask(subject, request, options); // and the link breaks
      isConnected = false;
      throw new BusError('disconnected', subject);
    };
    const cutOff = { ...context, bus: { ...bus, ask, connected: () => isConnected } };
    const identity = { session: 's.1', mailHost: 'n1', ticket: 't', purpose: 'maildrop' } as const;
    const maildrop = new MailboxSession(cutOff, identity);
    assert.not.ok((await clock.until(maildrop.open())).ok);
    assert.is(host.lockedBy, wasConnected ? 's.1' : undefined);
    let isClosed = false;
    const closed = maildrop.close().then(() => {
      isClosed = true;
    });
    for (let i = 0; i < 5; i += 1) await turn();
    assert.is(isClosed, !wasConnected);
    cutOff.bus.ask = bus.ask;
    await clock.until(closed);
    assert.is(host.lockedBy, undefined);
    assert.is(session().isOver, false);
  }
});

test('closing asks ever more rarely; a delivery never opened is given up when its ticket is dead, a maildrop never', async () => {
  for (const [purpose, isGivenUp] of [
    ['delivery', true],
    ['maildrop', false],
  ] as const) {
    const { clock, host, session, bus, then, context } = front();
    let asked = 0;
    const ask = bus.ask;
    bus.ask = (...request) => {
      asked += 1;
      return ask(...request);
    };
    then('reply-lost', ...Array.from({ length: 5_000 }, () => 'nobody' as const));
    const given = session(purpose);
    assert.not.ok((await clock.until(given.open())).ok);
    asked = 0;
    const before = clock.monotonic();
    const anHour = new Promise<'an hour'>((resolve) => clock.after(3_600_000, () => resolve('an hour')));
    const closed = given.close().then(() => 'given up' as const);
    assert.is(await clock.until(Promise.race([closed, anHour])), isGivenUp ? 'given up' : 'an hour');
    assert.is(clock.monotonic() - before, isGivenUp ? 60_000 + context.patienceMs : 3_600_000);
    assert.ok(asked <= (isGivenUp ? 16 : 260), `${asked} requests`);
    if (isGivenUp) continue;
    then();
    await clock.until(closed);
    assert.is(host.lockedBy, undefined);
  }
});

test('without patience, or with little, an attempt still gets its time', async () => {
  for (const patienceMs of [0, 1_000]) {
    const { clock, host, bus, context } = front();
    const slowly: SessionContext['bus']['ask'] = async (subject, request, options) => {
      const answer = await bus.ask(subject, request, options);
      return await new Promise((resolve, reject) => {
        const late = clock.after(options.timeoutMs, () => reject(new BusError('timeout', subject)));
        clock.after(4_999, () => {
          late.cancel();
          resolve(answer);
        });
      });
    };
    const impatient = { ...context, patienceMs, bus: { ...bus, ask: slowly } };
    const identity = { session: 's.1', mailHost: 'n1', ticket: 't', purpose: 'delivery' } as const;
    const delivery = new MailboxSession(impatient, identity);
    assert.ok((await clock.until(delivery.open())).ok);
    assert.ok((await clock.until(delivery.deliver(inline('x'), [to('joe')]))).ok);
    assert.equal(host.asked, ['open', 'deliver']);
    bus.isUp = false;
    const before = clock.monotonic();
    assert.equal(await clock.until(delivery.list()), { ok: false, refusal: 'unavailable' });
    assert.is(clock.monotonic() - before, patienceMs, 'only repeats are bounded');
  }
});

test('patience lasts as long as it should and no longer', async () => {
  const { clock, session, bus } = front();
  const maildrop = session();
  await clock.until(maildrop.open());
  bus.isUp = false;
  const before = clock.monotonic();
  assert.equal(await clock.until(maildrop.list()), { ok: false, refusal: 'unavailable' });
  assert.is(clock.monotonic() - before, 30_000);
  bus.isUp = true;
  assert.ok((await clock.until(maildrop.list())).ok, 'the session goes on when an owner is back');
});

test('a session goes on with the next owner, which is asked to open it first', async () => {
  const { clock, host, session } = front();
  host.messages.set(1, Buffer.from('one'));
  const maildrop = session();
  await clock.until(maildrop.open());
  host.failOver();
  assert.ok((await clock.until(maildrop.list())).ok);
  assert.equal(await clock.until(maildrop.quit([1])), { ok: true, value: null });
  assert.is(host.messages.size, 0);
});

test('what a session was refused on opening it again ends it', async () => {
  for (const refusal of ['ticket-refused', 'in-use', 'session-ended'] as const) {
    const { clock, host, session } = front();
    const maildrop = session();
    await clock.until(maildrop.open());
    host.failOver();
    host.openRefusal = refusal;
    assert.equal(await clock.until(maildrop.list()), { ok: false, refusal: 'ended' });
    assert.equal(await clock.until(maildrop.quit([])), { ok: false, refusal: 'ended' });
    assert.ok(maildrop.isOver);
  }
});

test('an answer of an owner deposed since is not taken', async () => {
  const { clock, host, session } = front();
  const maildrop = session();
  host.epoch = 5;
  await clock.until(maildrop.open());
  host.failOver();
  host.epoch = 4; // one that does not know it was deposed
  assert.equal(await clock.until(maildrop.list()), { ok: false, refusal: 'unavailable' });
  host.epoch = 6;
  assert.ok((await clock.until(maildrop.list())).ok);
});

test('an owner that knows less than was answered, another lock, or more than was asked, ends the session', async () => {
  for (const forget of [
    (host: ModelMailHost) => {
      host.sessions.get('s.1')!.counter = 0;
    },
    (host: ModelMailHost) => {
      host.sessions.get('s.1')!.counter = 9;
    },
    (host: ModelMailHost) => {
      host.sessions.get('s.1')!.lock = 9;
    },
  ]) {
    const { clock, host, session, log } = front();
    const delivery = session('delivery');
    await clock.until(delivery.open());
    assert.ok((await clock.until(delivery.deliver(inline('x'), [to('joe')]))).ok);
    forget(host);
    host.failOver();
    assert.equal(await clock.until(delivery.deliver(inline('y'), [to('joe')])), { ok: false, refusal: 'ended' });
    assert.is(host.delivered.length, 1);
    assert.ok(log.entries.some(({ level }) => level === 'error'));
  }
});

test('RFC 1939 §6: a QUIT whose answer is lost with its owner is answered by the next, and acts once', async () => {
  for (const fate of ['reply-lost', 'dies-after', 'dies-before', 'lost', 'late', 'nobody', 'fault'] as const) {
    const { clock, host, session, bus, then } = front();
    for (const uid of [1, 2, 3]) host.messages.set(uid, Buffer.from('x'));
    const maildrop = session();
    await clock.until(maildrop.open());
    then(fate);
    assert.equal(await clock.until(maildrop.quit([1, 3])), { ok: true, value: null }, fate);
    while (bus.arriveLate());
    assert.equal([...host.messages.keys()], [2], fate);
  }
});

test('a QUIT without the lock removes nothing', async () => {
  const { clock, host, session } = front();
  host.messages.set(1, Buffer.from('x'));
  const maildrop = session();
  await clock.until(maildrop.open());
  host.lockedBy = 'another';
  assert.equal(await clock.until(maildrop.quit([1])), { ok: false, refusal: 'lock-lost' });
  assert.is(host.messages.size, 1);
});

test('a body that breaks goes on at the octet, whatever breaks it and wherever', async () => {
  const text = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const fates = fc.constantFrom<Fate>(
    'done',
    'lost',
    'reply-lost',
    'nobody',
    'dies-after',
    'dies-before',
    'not-owner',
    'fault',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fates, { maxLength: 20 }), fc.nat(text.length), async (broken, length) => {
      const { clock, host, session, then } = front();
      host.messages.set(5, Buffer.from(text.slice(0, length)));
      const maildrop = session();
      await clock.until(maildrop.open());
      then(...broken.slice(0, 15));
      const fetched = await clock.until(maildrop.fetch(5));
      if (!fetched.ok) return assert.is(fetched.refusal, 'unavailable'); // 15 timeouts of 5 s outlast patience
      const whole = await clock.until(read(fetched.value.body)).catch((error: Error) => error);
      if (whole instanceof Error) assert.match(whole.message, /unavailable/);
      else assert.is(String(whole), text.slice(0, length));
    }),
    { numRuns: 200 },
  );
});

test('a body never ends short: expunged, changed in size, or out of patience, it throws', async () => {
  for (const spoil of [
    (host: ModelMailHost) => host.messages.delete(5),
    (host: ModelMailHost) => host.messages.set(5, Buffer.from('abcdefghijklmnopqrstuvwxyz more')),
  ]) {
    const { clock, host, session, then } = front();
    host.messages.set(5, Buffer.from('abcdefghijklmnopqrstuvwxyz'));
    const maildrop = session();
    await clock.until(maildrop.open());
    const fetched = await clock.until(maildrop.fetch(5));
    assert.ok(fetched.ok);
    const chunks = fetched.value.body[Symbol.asyncIterator]();
    assert.is(String((await chunks.next()).value), 'abcd');
    then('nobody');
    spoil(host);
    const ended = await clock.until(chunks.next()).catch((error: unknown) => error);
    assert.instance(ended, Error);
  }
  const { clock, host, session, bus } = front();
  host.messages.set(5, Buffer.from('abcdefghijklmnopqrstuvwxyz'));
  const maildrop = session();
  await clock.until(maildrop.open());
  const fetched = await clock.until(maildrop.fetch(5));
  assert.ok(fetched.ok);
  bus.isUp = false;
  const ended = await clock.until(read(fetched.value.body)).catch((error: unknown) => error);
  assert.ok(ended instanceof Error && /octet 4: unavailable/.test(ended.message));
});

test('a message that is gone is told before its first octet', async () => {
  const { clock, session } = front();
  const maildrop = session();
  await clock.until(maildrop.open());
  assert.equal(await clock.until(maildrop.fetch(5)), { ok: false, refusal: 'gone' });
});

test('close ends reads at once and the session for good; closing twice is closing once', async () => {
  const { clock, host, session, then } = front();
  host.messages.set(5, Buffer.from('abcdefghijklmnopqrstuvwxyz'));
  const maildrop = session();
  await clock.until(maildrop.open());
  const fetched = await clock.until(maildrop.fetch(5));
  assert.ok(fetched.ok);
  const chunks = fetched.value.body[Symbol.asyncIterator]();
  await chunks.next();
  then('lost');
  const listing = maildrop.list();
  await turn(); // it has been asked
  const before = clock.monotonic();
  const closed = maildrop.close();
  assert.is(maildrop.close(), closed);
  assert.equal(await clock.until(listing), { ok: false, refusal: 'ended' });
  await clock.until(closed);
  assert.ok(clock.monotonic() - before < 5_000);
  assert.is(host.lockedBy, undefined);
  assert.instance(await chunks.next().catch((error: unknown) => error), Error);
  assert.equal(await maildrop.list(), { ok: false, refusal: 'ended' });
});

test('close sees a QUIT through that is under way', async () => {
  const { clock, host, session, then } = front();
  host.messages.set(1, Buffer.from('x'));
  const maildrop = session();
  await clock.until(maildrop.open());
  then('lost');
  const quitting = maildrop.quit([1]);
  const closed = maildrop.close();
  assert.equal(await clock.until(quitting), { ok: true, value: null });
  await clock.until(closed);
  assert.is(host.messages.size, 0);
  assert.not.ok(host.asked.includes('close'));
});

test('a session never opened is closed without a word; one on a closed bus gives up at once', async () => {
  const { clock, host, session, bus } = front();
  await clock.until(session().close());
  assert.equal(host.asked, []);
  const maildrop = session('maildrop', 's.2');
  await clock.until(maildrop.open());
  await bus.close();
  const before = clock.monotonic();
  assert.equal(await clock.until(maildrop.list()), { ok: false, refusal: 'ended' });
  await clock.until(maildrop.close());
  assert.is(clock.monotonic(), before);
});

test('of two numbered requests at once the second waits for the first, and is not asked once the session is closed', async () => {
  const { clock, host, session, then } = front();
  const delivery = session('delivery');
  await clock.until(delivery.open());
  then('lost');
  const both = [delivery.deliver(inline('a'), [to('joe')]), delivery.deliver(inline('b'), [to('joe')])];
  assert.equal(
    (await clock.until(Promise.all(both))).map((each) => each.ok),
    [true, true],
  );
  assert.equal(
    host.delivered.map(({ bytes }) => String(bytes)),
    ['a', 'b'],
  );
  then('lost');
  const last = [delivery.deliver(inline('c'), [to('joe')]), delivery.deliver(inline('d'), [to('joe')])];
  const closed = delivery.close();
  assert.ok((await clock.until(last[0]!)).ok);
  assert.equal(await clock.until(last[1]!), { ok: false, refusal: 'ended' });
  await clock.until(closed);
  assert.is(host.delivered.length, 3);
});

test('accepted means delivered once, unavailable at most once, whatever is lost, late, doubled or dead', async () => {
  const fate = fc.constantFrom<Fate | 'arrive'>(
    'done',
    'lost',
    'reply-lost',
    'nobody',
    'dies-after',
    'dies-before',
    'late',
    'not-owner',
    'fault',
    'arrive',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), async (fates, count) => {
      const clock = manualClock();
      const host = new ModelMailHost();
      const left = [...fates];
      const bus = faultyBus(clock, { n1: host }, (): Fate => {
        while (left[0] === 'arrive') {
          left.shift();
          bus.arriveLate();
        }
        return (left.shift() as Fate | undefined) ?? 'done';
      });
      const shared = { bus, subjects: subjects('test'), clock, log: memoryLog(), me: 'n2', startId: 'start' };
      const context: SessionContext = { ...shared, patienceMs: 12_000, attemptMs: 5_000 };
      let session: MailboxSession | undefined;
      const outcomes: boolean[] = [];
      for (let number = 0; number < count; number += 1) {
        const id = `s.${number}`;
        session ??= new MailboxSession(context, { session: id, mailHost: 'n1', ticket: 't', purpose: 'delivery' });
        const answer = await clock.until(session.deliver(inline(`m${number}`), [to('joe')]));
        outcomes.push(answer.ok);
        if (answer.ok) continue;
        if (number % 2 === 0) continue; // the same session goes on, under a higher number
        await clock.until(session.close());
        session = undefined;
      }
      if (session !== undefined) await clock.until(session.close());
      while (bus.arriveLate());
      for (const [number, wasAccepted] of outcomes.entries()) {
        const copies = host.delivered.filter(({ bytes }) => String(bytes) === `m${number}`).length;
        assert.ok(wasAccepted ? copies === 1 : copies <= 1, `m${number}: ${copies} copies, accepted: ${wasAccepted}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('after close no late copy acts', async () => {
  const { clock, host, session, bus, then } = front();
  const delivery = session('delivery');
  await clock.until(delivery.open());
  then('late', ...Array.from({ length: 60 }, () => 'nobody' as const));
  assert.equal(await clock.until(delivery.deliver(inline('x'), [to('joe')])), { ok: false, refusal: 'unavailable' });
  then();
  await clock.until(delivery.close());
  assert.ok(bus.arriveLate());
  assert.is(host.delivered.length, 0);
});

test('a late copy of a request that was given up is stale once the next has been answered', async () => {
  const { clock, host, session, bus, then } = front();
  const delivery = session('delivery');
  await clock.until(delivery.open());
  then('late', ...Array.from({ length: 60 }, () => 'nobody' as const));
  assert.equal(await clock.until(delivery.deliver(inline('x'), [to('joe')])), { ok: false, refusal: 'unavailable' });
  then();
  assert.ok((await clock.until(delivery.deliver(inline('y'), [to('joe')]))).ok);
  assert.ok(bus.arriveLate());
  assert.equal(
    host.delivered.map(({ bytes }) => String(bytes)),
    ['y'],
  );
});

test.run();
