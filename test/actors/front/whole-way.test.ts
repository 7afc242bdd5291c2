/** LMTP in, POP3 out, with the real authenticator and the real owner in between, and owners that change on the way. */
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { admissions } from '../../../actors/authenticator/admission.ts';
import { startAuthenticator } from '../../../actors/authenticator/authenticator.ts';
import { DeliverySessions } from '../../../actors/front/delivery-sessions.ts';
import type { Front } from '../../../actors/front/front.ts';
import { lmtpServices } from '../../../actors/front/lmtp-services.ts';
import { pop3Services } from '../../../actors/front/pop3-services.ts';
import { localJournal } from '../../../actors/mailbox-owner/local-journal.ts';
import { createTenure, type Tenure } from '../../../actors/mailbox-owner/tenure.ts';
import type { Members } from '../../../cluster/directory/directory.ts';
import type { Lease } from '../../../cluster/leases/ownership.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import { follower } from '../../support/follower.ts';
import { credential, joe, surroundings } from '../authenticator/fixtures.ts';
import { caller, never } from './fixtures.ts';

const pencil = { name: 'joe', proof: { mechanism: 'PLAIN', secret: 'pencil' } } as const;

async function house() {
  const around = await surroundings(await joe());
  const { bus, subjects, log, directory, tickets } = around;
  const clock = systemClock; // hashing and signing take their real time, so patience must too
  const awake = setTimeout(() => {}, 20_000); // its timers keep no process alive
  await startAuthenticator({ ...around.options, clock });
  const members: Members = {
    list: () => [{ me: 'n2', startId: 'start', mailHosts: [] }],
    isRegistered: () => true,
    onChange: () => ({ stop: async () => {} }),
  };
  const store = memoryStore({ storeId: 'store', mailHost: 'n1', formatVersion: 1 });
  const freshenTimeoutMs = 1_000;
  const copy = follower(store.identity);
  const journal = localJournal(store, copy.tap);
  const parts = { bus, subjects, store, members, clock, log, random: randomBytes, journal };
  const owner = { ...parts, passivateAfterMs: 60_000 };
  let epoch = 0;
  let tenure: Tenure | undefined;
  /** The owner, if there is one, ends; the next begins. */
  const takeOver = async () => {
    await tenure?.stop();
    const lease: Lease = {
      mailHost: 'n1',
      epoch: ++epoch,
      isHeld: () => true,
      onLost: () => ({ stop: async () => {} }),
      release: async () => {},
    };
    const admitting = admissions({ mailHost: 'n1', directory, tickets, log, freshenTimeoutMs });
    tenure = createTenure({ ...owner, lease, admissions: admitting });
    assert.is(await tenure.begin(), 'begun');
  };
  await takeOver();
  const waits = { patienceMs: 30_000, attemptMs: 5_000, freshenTimeoutMs, authTimeoutMs: 10_000 };
  const front: Front = { bus, subjects, clock, log, directory, me: 'n2', startId: 'start', ...waits };
  let made = 0;
  const sessions = new DeliverySessions(front, () => `start.d${++made}`);
  const delivery = { sessions, chunkOctets: CHUNK_OCTETS, log };
  const lmtp = lmtpServices({ front, delivery, hostName: 'mx.example.test' });
  const pop3 = pop3Services(front);
  const deliver = async (content: AsyncIterable<Uint8Array>) => {
    const session = lmtp.begin(caller);
    const forwardPath = { localPart: 'joe', domain: 'example.test' };
    const resolved = await session.resolve(forwardPath, never);
    assert.ok(resolved.ok);
    const recipients = [{ ...resolved.value, forwardPath }];
    return await session.deliver(
      { clientDomain: 'c.test', reversePath: null, smtputf8: false, secured: false, recipients, content },
      never,
    );
  };
  const stop = async () => {
    await sessions.stop();
    await tenure?.stop();
    await copy.mustEqual(store);
    await bus.close();
    clearTimeout(awake);
  };
  return { directory, front, pop3, deliver, takeOver, stop };
}

async function* inPieces(bytes: Uint8Array, length = 50_000) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

test('a small and a large message go in and come out octet for octet below their trace, through a change of owner', async () => {
  const { pop3, deliver, takeOver, stop } = await house();
  const small = Buffer.from('Subject: small\r\n\r\nhello\r\n');
  const large = randomBytes(6 * CHUNK_OCTETS + 17);
  assert.ok((await deliver(inPieces(small)))[0]?.ok);
  async function* withFailover() {
    yield large.subarray(0, 3 * CHUNK_OCTETS);
    await takeOver();
    yield large.subarray(3 * CHUNK_OCTETS);
  }
  assert.ok((await deliver(withFailover()))[0]?.ok);

  const session = pop3.begin(caller);
  const loggedIn = await session.logIn(pencil, never);
  assert.ok(loggedIn.ok && loggedIn.value.entries.length === 2);
  for (const [{ uid, sizeOctets }, message] of [
    [loggedIn.value.entries[0]!, small],
    [loggedIn.value.entries[1]!, large],
  ] as const) {
    const retrieved = await session.retrieve(uid, never);
    assert.ok(retrieved.ok);
    const chunks: Uint8Array[] = [];
    let taking: Promise<void> | undefined;
    for await (const chunk of retrieved.value.body) {
      chunks.push(chunk);
      if (chunks.length === 3) taking = takeOver(); // in the middle of the body
    }
    await taking;
    const whole = Buffer.concat(chunks);
    assert.is(whole.length, sizeOctets);
    assert.match(String(whole.subarray(0, 300)), /^Return-Path: <>\r\nReceived: from c\.test \(\[127\.0\.0\.1\]\)\r\n/);
    const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    assert.is(hash(whole.subarray(whole.length - message.length)), hash(message));
  }
  await takeOver();
  assert.equal(await session.expunge([loggedIn.value.entries[0]!.uid], never), { ok: true, value: null });
  const again = pop3.begin({ ...caller, session: 'start.2' });
  const left = await again.logIn(pencil, never);
  assert.ok(left.ok && left.value.entries.length === 1);
  await again.leave();
  await stop();
});

test('a password changed between log-in and open is refused by the owner, and leaves nothing locked', async () => {
  const { directory, front, pop3, stop } = await house();
  const ask = front.bus.ask.bind(front.bus);
  const changed = await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } });
  front.bus.ask = (subject, request, options) => {
    if (subject.endsWith('.open')) directory.put(changed);
    return ask(subject, request, options);
  };
  const session = pop3.begin(caller);
  assert.equal(await session.logIn(pencil, never), {
    ok: false,
    refusal: 'bad-credentials',
    reason: 'credential-changed',
  });
  const crayon = { name: 'joe', proof: { mechanism: 'PLAIN', secret: 'crayon' } } as const;
  assert.ok((await session.logIn(crayon, never)).ok);
  await session.leave();
  await stop();
});

test.run();
