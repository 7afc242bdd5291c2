/**
 * Three nats-servers, of which the one that leads the directory's stream is killed under load, again and again: sessions go
 * on, log-ins heal within seconds, a changed password stays changed, and nothing that was acknowledged is lost.
 */
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { PoppwdClient } from '../../bench/clients/poppwd.ts';
import type { Endpoint } from '../../bench/clients/wire.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import type { NatsProcess } from '../../bench/fleet/nats-process.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import { connectToNats } from '../support/nats-connection.ts';
import {
  deliver,
  eventually,
  hasNats,
  logIn,
  message,
  openSession,
  retrieveAll,
  scaled,
  subjectOf,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const STREAM = 'KV_homing_ZGVtbw_directory';
const HERE = 'here@example.test';
const THERE = 'there@example.test';
const CHANGING = 'changing@example.test';
/** nats-server takes 4 to 9 s to elect a leader for the stream; then nodes write their registrations and are fresh again. */
const HEALS_WITHIN_MS = 15_000;
const ROUNDS = scaled(1, 10);

async function streamAt(fleet: Fleet, server: NatsProcess): Promise<StreamInfo> {
  const connection = await connectToNats(fleet, server);
  try {
    return await (await jetstreamManager(connection, { checkAPI: false })).streams.info(STREAM);
  } finally {
    await connection.close();
  }
}

const leader = (fleet: Fleet): Promise<NatsProcess> =>
  eventually('a leader of the stream', 10_000, async () => {
    const info = await streamAt(fleet, fleet.nats.find(({ program }) => program.isAlive())!);
    return fleet.nats.find((_, at) => `nats${at + 1}` === info.cluster?.leader);
  });

/** Delivers to one account at one node until it is over, each message with a subject of its own. */
async function deliverOn(fleet: Fleet, to: string, isOver: () => boolean): Promise<Map<string, number>> {
  const said = new Map<string, number>();
  const client = await LmtpClient.connect(fleet.node('n1').lmtp);
  while (!isOver()) {
    const subject = `${to} ${said.size}`;
    const [answer] = await client.deliver('sender@example.test', [to], message(subject));
    assert.match(answer!.lines[0]!, /^(250|4\d\d) /);
    said.set(subject, answer!.code);
    await new Promise((resolve) => setTimeout(resolve, 20)); // a small load
  }
  await client.quit();
  return said;
}

/** Changes a password again and again: what got its 200 is true at every node at once. */
class Changer {
  changes = 0;
  /** The secrets of which one is true: more than one after a change whose outcome is not known. */
  mayBe = ['password 0'];
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  async changeOn(isOver: () => boolean): Promise<void> {
    for (let next = 1; !isOver(); next++) {
      await this.#change(this.#fleet.nodes[next % 3]!, this.mayBe[next % this.mayBe.length]!, `password ${next}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #change(node: NodeProcess, before: string, after: string): Promise<void> {
    const client = await PoppwdClient.connect(node.poppwd);
    const reply = await client.changePassword(CHANGING, before, after);
    client.close();
    if (/not known/.test(reply))
      this.mayBe.push(after); // it may be true now, or become so
    else if (!reply.startsWith('200') && this.mayBe.length === 1) assert.match(reply, /temporary failure/);
    if (!reply.startsWith('200')) return;
    for (const { me, pop3 } of this.#fleet.nodes) {
      assert.match(await logIn(pop3, CHANGING, before), /^-ERR/, `${me} accepts what was changed`);
      assert.not.match(await logIn(pop3, CHANGING, after), /^-ERR \[AUTH\]/, `${me} does not know the new one`);
    }
    this.mayBe = [after];
    this.changes += 1;
  }

  /** Asserts that every node accepts the same one of what may be true, and nothing else. */
  async mustAgree(): Promise<void> {
    const accepted = this.#fleet.nodes.map(async ({ pop3 }) => {
      const answers = this.mayBe.map((secret) =>
        eventually('an answer', HEALS_WITHIN_MS, async () => {
          const said = await logIn(pop3, CHANGING, secret);
          return /^(ok|-ERR \[AUTH\])/.test(said) ? said : undefined;
        }),
      );
      const said = await Promise.all(answers);
      return this.mayBe.filter((_, at) => said[at] === 'ok').join();
    });
    const known = await Promise.all(accepted);
    assert.ok(this.mayBe.includes(known[0]!), `of ${this.mayBe} n1 accepts "${known[0]}"`);
    assert.is(new Set(known).size, 1, `the nodes accept ${known.join(' and ')}`);
  }
}

/** Temporary refusals pass: one server is dead still, and a busy machine may let a node's knowledge grow old. */
const allOf = (pop3: Endpoint, name: string): Promise<readonly Buffer[]> =>
  eventually(`the mail of ${name}`, HEALS_WITHIN_MS, () =>
    retrieveAll(pop3, name, 'secret').catch((refused: Error) => {
      if (!/^-ERR \[SYS\/TEMP\]/.test(refused.message)) throw refused;
      return undefined;
    }),
  );

cluster(`the server that leads the stream is killed, ${ROUNDS} times`, () =>
  // Of two passwords that may be true the changer tries one after the other: that is no guessing to be slowed down.
  withFleet(threeNodes({ nats: 3, tables: '[poppwd]\nfailed-login-flow = 0\n' }), async (fleet) => {
    const n1 = fleet.node('n1');
    assert.is((await streamAt(fleet, fleet.nats[0]!)).config.num_replicas, 3);
    await n1.ask('account.add', { name: HERE, secret: 'secret', mailHost: 'n1' });
    await n1.ask('account.add', { name: THERE, secret: 'secret', mailHost: 'n2' });
    await n1.ask('account.add', { name: CHANGING, secret: 'password 0', mailHost: 'n3' });
    for (const name of [HERE, THERE]) assert.match(await deliver(n1.lmtp, name, message(`first of ${name}`)), /^250/);
    const local = await openSession(n1.pop3, HERE, 'secret');
    const remote = await openSession(n1.pop3, THERE, 'secret');
    let isOver = false;
    const over = () => isOver;
    const loads = [deliverOn(fleet, HERE, over), deliverOn(fleet, THERE, over)] as const;
    const changer = new Changer(fleet);
    const changing = changer.changeOn(over);
    for (const each of [...loads, changing]) each.catch(() => {}); // awaited when the load is over

    try {
      for (let round = 0; round < ROUNDS; round++) {
        const killed = await leader(fleet);
        await killed.program.kill();
        const before = changer.changes;
        const start = performance.now();
        assert.is(subjectOf(await local.retrieve(1)), `first of ${HERE}`);
        const got = await eventually('the remote session', HEALS_WITHIN_MS, () => remote.retrieve(1));
        assert.is(subjectOf(got), `first of ${THERE}`);
        // the directory takes changes again and the node that was changed at is fresh; then the others
        await eventually('a password to be changed', HEALS_WITHIN_MS, () => changer.changes > before || undefined);
        for (const { me, pop3 } of fleet.nodes)
          await eventually(`log-ins at ${me}`, HEALS_WITHIN_MS, async () =>
            // there is a session: who is told so has been believed
            /^-ERR \[IN-USE\]/.test(await logIn(pop3, HERE, 'secret')) ? true : undefined,
          );
        const healedMs = performance.now() - start;
        assert.ok(healedMs < HEALS_WITHIN_MS, `healed after ${healedMs.toFixed(0)} ms`);
        if (round === ROUNDS - 1) break; // two are enough for the rest
        await killed.restart();
        await eventually('the server to have caught up', 15_000, async () => {
          const { cluster: raft } = await streamAt(fleet, fleet.nats[0]!);
          return raft?.replicas?.length === 2 && raft.replicas.every(({ current }) => current) ? true : undefined;
        });
      }
    } finally {
      isOver = true;
    }
    const [here, there] = await Promise.all(loads);
    await changing;
    await local.quit();
    await remote.quit();
    for (const [name, said] of [
      [HERE, here],
      [THERE, there],
    ] as const) {
      const kept = (await allOf(fleet.node('n3').pop3, name)).map(subjectOf).slice(1);
      assert.is(new Set(kept).size, kept.length, 'a message is there twice');
      for (const [subject, code] of said)
        if (code === 250) assert.ok(kept.includes(subject), `${subject} got its 250 and is lost`);
    }
    await changer.mustAgree();
  }),
);

test.run();
