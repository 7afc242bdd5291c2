/** kill -9 at random moments under load: what got its 250 is there, whole and once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import {
  deliver,
  endsWith,
  eventually,
  hasNats,
  message,
  openSession,
  scaled,
  subjectOf,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const ROUNDS = scaled(5, 100);
const SENDERS = 8;
const EVE = 'eve@example.test';

const PLACES = [
  ['one embedded node', { nodes: ['n1'], nats: 0 } as const, test],
  [
    'the owner of three nodes, delivery at another',
    threeNodes({ top: 'failover-patience = "2s"\n' }),
    hasNats() ? test : test.skip,
  ],
] as const;

for (const [name, options, run] of PLACES)
  run(`${name}: ${ROUNDS} rounds of load with kill -9`, () =>
    withFleet(options, async (fleet) => {
      const owner = fleet.node('n1');
      await owner.ask('account.add', { name: EVE, secret: 'of eve', mailHost: 'n1' });
      for (let round = 0; round < ROUNDS; round++) {
        const sent = await loadUntilKilled(fleet, round);
        await owner.start();
        await collectAndCompare(fleet, sent, round);
      }
    }),
  );

for (const [name, options, run] of PLACES)
  run(`${name}: ${ROUNDS} rounds of kill -9 during QUIT: all that was marked is removed, or nothing`, () =>
    withFleet(options, async (fleet) => {
      const owner = fleet.node('n1');
      const reader = fleet.nodes.at(-1)!;
      await owner.ask('account.add', { name: EVE, secret: 'of eve', mailHost: 'n1' });
      for (let round = 0; round < ROUNDS; round++) {
        const before = await fill(owner, 6);
        const session = await openSession(reader.pop3, EVE, 'of eve');
        // Sent together; the owner dies within the few milliseconds that they take.
        const killed = new Promise((resolve) => setTimeout(resolve, round % 12)).then(() => owner.program!.kill());
        await session.wire.send('DELE 1\r\nDELE 2\r\nDELE 3\r\nQUIT\r\n').catch(() => {}); // it may be dead already
        await killed;
        await owner.start();
        const said: string[] = [];
        for (let line = 0; line < 4; line++) said.push(await session.wire.line().catch(() => ''));
        session.close();
        const left = await eventually('a log-in after the crash', 15_000, () =>
          openSession(reader.pop3, EVE, 'of eve'),
        );
        const { messages } = await left.stat();
        const removed = before - messages;
        assert.ok(removed === 0 || removed === 3, `round ${round}: ${removed} of 3 marked messages were removed`);
        if (said[3]!.startsWith('+OK')) assert.is(removed, 3, `round ${round}: QUIT was accepted`);
        for (let number = 1; number <= messages; number++) await left.ask(`DELE ${number}`);
        await left.quit();
      }
    }),
  );

/** Delivers so many messages; how many the maildrop then holds. */
async function fill(owner: NodeProcess, count: number): Promise<number> {
  for (let number = 0; number < count; number++)
    assert.match(await deliver(owner.lmtp, EVE, message(`to be removed ${number}`)), /^250/);
  return count;
}

type Sent = { readonly message: Buffer; state: 'pending' | 'accepted' | 'refused' };

/** Several senders, each with a message after another, until the owner is killed at a moment of this round's own. */
async function loadUntilKilled(fleet: Fleet, round: number): Promise<Map<string, Sent>> {
  const entry = fleet.nodes[fleet.nodes.length > 1 ? 1 : 0]!;
  const sent = new Map<string, Sent>();
  let over = false;
  let begun = () => {};
  const underWay = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const senders = Array.from({ length: SENDERS }, async (_, sender) => {
    let client: LmtpClient | undefined;
    try {
      client = await LmtpClient.connect(entry.lmtp);
      for (let number = 0; !over; number++) {
        const subject = `round ${round} sender ${sender} number ${number}`;
        // Every fifth is larger than a chunk, so that staged bodies are cut too.
        const one: Sent = { message: message(subject, number % 5 === 4 ? 300_000 : 2000), state: 'pending' };
        sent.set(subject, one);
        const [answer] = await client.deliver('sender@example.test', [EVE], one.message);
        one.state = answer!.code === 250 ? 'accepted' : 'refused';
        begun();
      }
    } catch {
      over = true; // the connection went with the node: the message in flight stays `pending`
      begun();
    } finally {
      client?.close();
    }
  });
  await underWay;
  const moment = (round * 7919) % 440; // ms; spread, and the same in each run
  await new Promise((resolve) => setTimeout(resolve, moment));
  await fleet.node('n1').program!.kill();
  over = true;
  await Promise.all(senders);
  return sent;
}

async function collectAndCompare(fleet: Fleet, sent: Map<string, Sent>, round: number): Promise<void> {
  const reader = fleet.nodes.at(-1)!;
  const session = await eventually('a log-in after the crash', 15_000, () => openSession(reader.pop3, EVE, 'of eve'));
  const { messages } = await session.stat();
  const seen = new Map<string, number>();
  for (let number = 1; number <= messages; number++) {
    const got = await session.retrieve(number);
    const subject = subjectOf(got);
    const original = sent.get(subject);
    assert.ok(original, `round ${round}: an unknown message: ${subject}`);
    assert.ok(endsWith(got, original.message), `round ${round}: ${subject} is not whole`);
    seen.set(subject, (seen.get(subject) ?? 0) + 1);
    await session.ask(`DELE ${number}`);
  }
  await session.quit();
  const accepted = [...sent].filter(([, { state }]) => state === 'accepted');
  for (const [subject] of accepted) assert.is(seen.get(subject), 1, `round ${round}: ${subject}`);
  for (const [subject, count] of seen) assert.is(count, 1, `round ${round}: ${subject} is there ${count} times`);
  assert.ok(accepted.length > 0, `round ${round}: nothing was accepted before the kill`);
}

test.run();
