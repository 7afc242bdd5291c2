/** A front's session of purpose `mailboxes` with a real owner that dies, is replaced, and is slow to come back. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Admission } from '../../actors/mailbox-owner/admission.ts';
import { MailboxSession } from '../../actors/mailbox-session.ts';
import type { SessionContext } from '../../actors/session-context.ts';
import { FLAG } from '../../store/flags.ts';
import { silentLog } from '../../telemetry/log.ts';
import { ALL, message } from './mailbox-owner/mailboxes-world.ts';
import { must, type World, world } from './mailbox-owner/world.ts';

const within = (what: string, use: (w: World) => Promise<void>) =>
  test(what, async () => {
    const w = await world();
    await use(w);
    await w.end();
  });

async function opened(w: World, id = 's.1', patienceMs = 30_000) {
  const context: SessionContext = {
    bus: w.bus,
    subjects: w.names,
    clock: w.clock,
    log: silentLog,
    patienceMs,
    attemptMs: 5_000,
    me: 'n1',
    startId: 'a',
  };
  const admission: Admission = {
    account: 'joe',
    session: id,
    rights: ['mailboxes'],
    expiresAtMs: w.clock.wall() + 60_000,
  };
  const ticket = JSON.stringify(admission);
  const session = new MailboxSession(context, { session: id, mailHost: 'h1', ticket, purpose: 'mailboxes' });
  must(await w.clock.until(session.open()));
  const { ref } = must(await session.read('select', { account: 'joe', name: 'INBOX', write: false }));
  const append = (text: string, internalDate = 0) =>
    session.change('append', {
      account: 'joe',
      withInbox: true,
      name: 'INBOX',
      messages: [message(text, { internalDate })],
    });
  return { session, ref, append };
}

async function octetsOf(session: MailboxSession, ref: Parameters<MailboxSession['octets']>[0], uid: number, part = {}) {
  const found = must(await session.octets(ref, uid, part));
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.octets) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  assert.is(whole.length, found.lengthOctets);
  return whole;
}

within('an edit whose owner died after its commit is answered by the next one, and was done once', async (w) => {
  const { session, ref, append } = await opened(w);
  must(await append('first'));
  w.fates.push('dies');
  const appending = append('second');
  await w.rest();
  await w.restart();
  const { uids, uidValidity } = must(await w.clock.until(appending));
  assert.equal([uids, uidValidity], [[[2, 2]], ref.uidValidity]);
  const { entries } = must(await session.read('messages', { ref, uids: ALL, limit: 10, with: {} }));
  assert.is(entries.length, 2);
  assert.equal(must(await append('third')).uids, [[3, 3]], 'and the next number is the next');
  await w.clock.until(session.close());
});

within('edits asked at once are done in their order, each once, while the owner changes', async (w) => {
  const { session, ref, append } = await opened(w);
  w.fates.push('dies');
  const asked = Array.from({ length: 5 }, (_, at) => append(`message ${at}`, at));
  await w.rest();
  await w.restart();
  const answers = await w.clock.until(Promise.all(asked));
  assert.equal(
    answers.map((answer) => must(answer).uids),
    [[[1, 1]], [[2, 2]], [[3, 3]], [[4, 4]], [[5, 5]]],
  );
  const { entries } = must(await session.read('messages', { ref, uids: ALL, limit: 10, with: {} }));
  assert.equal(
    entries.map(({ internalDate }) => internalDate),
    [0, 1, 2, 3, 4],
  );
  await w.clock.until(session.close());
});

within('a read that finds no owner waits for one, and gives up after its patience', async (w) => {
  const { session, ref, append } = await opened(w);
  must(await append('first'));
  const grant = w.leases.lose();
  const reading = session.read('messages', { ref, uids: ALL, limit: 1, with: {} });
  await w.rest();
  grant();
  await w.rest();
  assert.is(must(await w.clock.until(reading)).entries.length, 1);
  w.leases.lose();
  await w.rest();
  const refused = await w.clock.until(session.read('messages', { ref, uids: ALL, limit: 1, with: {} }));
  assert.equal(refused, { ok: false, refusal: 'unavailable' });
  await w.clock.until(session.closeOnce());
});

within('refusals of the owner are told as they are', async (w) => {
  const { session, ref } = await opened(w);
  const gone = { ...ref, mailbox: 99 };
  assert.equal(await session.read('changes', { ref: gone, since: 1 }), { ok: false, refusal: 'no-such-mailbox' });
  assert.equal(await session.change('expunge', { ref: gone, uids: null }), { ok: false, refusal: 'no-such-mailbox' });
  assert.equal(await session.octets(ref, 1), { ok: false, refusal: 'gone' });
  assert.equal(await session.structure(ref, 1), { ok: false, refusal: 'gone' });
  await w.clock.until(session.close());
  assert.equal(await session.read('changes', { ref, since: 1 }), { ok: false, refusal: 'ended' });
  assert.equal(await session.change('expunge', { ref, uids: null }), { ok: false, refusal: 'ended' });
});

within('octets come whole or in part, of one chunk or of many, also while the owner changes', async (w) => {
  const { session, ref, append } = await opened(w);
  const text = '0123456789abcdef'.repeat(40_000);
  must(await append(text));
  must(await append(''));
  assert.is(String(await octetsOf(session, ref, 1)), text);
  assert.is(String(await octetsOf(session, ref, 1, { offset: 7, most: 300_000 })), text.slice(7, 300_007));
  assert.is(String(await octetsOf(session, ref, 1, { offset: text.length - 2, most: 300_000 })), text.slice(-2));
  assert.is((await octetsOf(session, ref, 1, { offset: text.length + 9 })).length, 0);
  assert.is((await octetsOf(session, ref, 1, { most: 0 })).length, 0);
  assert.is((await octetsOf(session, ref, 2)).length, 0);
  const found = must(await session.octets(ref, 1));
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of found.octets) if (chunks.push(chunk) === 2) await w.restart();
  })();
  await w.clock.until(reading);
  assert.is(String(Buffer.concat(chunks)), text);
  await w.clock.until(session.close());
});

within('octets of a message that was expunged meanwhile break off', async (w) => {
  const { session, ref, append } = await opened(w);
  must(await append('x'.repeat(600_000)));
  const found = must(await session.octets(ref, 1));
  let read = 0;
  const reading = (async () => {
    for await (const chunk of found.octets) {
      if (read === 0) {
        must(await session.change('store-flags', { ref, uids: ALL, mode: 'add', flags: FLAG.deleted, keywords: [] }));
        must(await session.change('expunge', { ref, uids: null }));
      }
      read += chunk.length;
    }
  })();
  assert.match(
    await w.clock.until(
      reading.then(
        () => 'whole',
        (error: Error) => error.message,
      ),
    ),
    /gone/,
  );
  assert.ok(read > 0 && read < 600_000);
  await w.clock.until(session.close());
});

within('a structure that has to be read by itself comes whole', async (w) => {
  const { session, ref, append } = await opened(w);
  const part = (at: number) => `--x\r\nContent-ID: <${at}-${'y'.repeat(100)}>\r\n\r\n\r\n`;
  const parts = Array.from({ length: 2_000 }, (_, at) => part(at)).join('');
  must(await append(`MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n${parts}--x--\r\n`));
  const { entries } = must(await session.read('messages', { ref, uids: ALL, limit: 1, with: { structure: true } }));
  const structure = must(await session.structure(ref, 1));
  assert.is(structure.length, entries[0]!.structureOctets);
  await w.clock.until(session.close());
});

test.run();
