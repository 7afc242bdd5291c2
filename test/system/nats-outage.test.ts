/** nats-server goes away under load and comes back: what needs no other node goes on, the rest is told to try later. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import {
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
const HERE = 'here@example.test';
const THERE = 'there@example.test';
const OUTAGE_MS = scaled(8000, 60_000);

/** What was sent to one account, each with a subject of its own, and what was said of it. */
class Sender {
  readonly said = new Map<string, number>();
  readonly #node: NodeProcess;
  readonly #to: string;

  constructor(node: NodeProcess, to: string) {
    this.#node = node;
    this.#to = to;
  }

  /** One message; its reply's first line. */
  async send(client?: LmtpClient): Promise<string> {
    const subject = `${this.#to} ${this.said.size}`;
    this.said.set(subject, 0);
    const connection = client ?? (await LmtpClient.connect(this.#node.lmtp));
    const [answer] = await connection.deliver('sender@example.test', [this.#to], message(subject));
    this.said.set(subject, answer!.code);
    if (!client) await connection.quit();
    return answer!.lines[0]!;
  }

  async sendOn(isOver: () => boolean): Promise<void> {
    const client = await LmtpClient.connect(this.#node.lmtp);
    while (!isOver()) {
      assert.match(await this.send(client), /^(250|4\d\d) /);
      await new Promise((resolve) => setTimeout(resolve, 5)); // a moderate load
    }
    await client.quit();
  }

  /** Every 250 is there, once; a 4xx may be there, once, where its outcome could not be known. */
  async mustBeIn(node: NodeProcess): Promise<void> {
    const there = (await retrieveAll(node.pop3, this.#to, 'secret')).map(subjectOf);
    for (const [subject, code] of this.said)
      if (code === 250) assert.ok(there.includes(subject), `${subject} got its 250 and is lost`);
    for (const subject of there) assert.ok(this.said.has(subject), `${subject} was never sent`);
    assert.is(new Set(there).size, there.length, 'a message is there twice');
  }
}

cluster(`${OUTAGE_MS / 1000} s without nats-server`, () =>
  withFleet(threeNodes({ top: 'failover-patience = "2s"\n' }), async (fleet) => {
    const n1 = fleet.node('n1');
    await n1.ask('account.add', { name: HERE, secret: 'secret', mailHost: 'n1' });
    await n1.ask('account.add', { name: THERE, secret: 'secret', mailHost: 'n2' });
    const here = new Sender(n1, HERE);
    const there = new Sender(n1, THERE);
    assert.match(await here.send(), /^250/);
    assert.match(await there.send(), /^250/);
    const local = await openSession(n1.pop3, HERE, 'secret');
    const remote = await openSession(n1.pop3, THERE, 'secret');
    let over = false;
    const load = [here, there].map((sender) => sender.sendOn(() => over));

    await fleet.nats[0]!.program.kill();
    const end = performance.now() + OUTAGE_MS;
    await eventually('new log-ins to be refused for now', 6000, async () =>
      /^-ERR \[SYS\/TEMP\]/.test(await logIn(n1.pop3, HERE, 'secret')) ? true : undefined,
    );
    do {
      assert.is(subjectOf(await local.retrieve(1)), `${HERE} 0`); // an open session on a local mailHost goes on
      assert.match(await logIn(n1.pop3, HERE, 'secret'), /^-ERR \[SYS\/TEMP\]/);
      assert.match(await here.send(), /^250/);
      const refused = await remote.retrieve(1).then(String, (error: Error) => error.message);
      assert.match(refused, /^-ERR \[SYS\/TEMP\]/);
      assert.match(await there.send(), /^451 4\.4\.1/);
    } while (performance.now() < end);
    await fleet.nats[0]!.restart();

    const back = performance.now();
    assert.is(subjectOf(await eventually('the remote session', 5000, () => remote.retrieve(1))), `${THERE} 0`);
    await eventually('LMTP to the remote mailHost', 5000, async () =>
      (await there.send()).startsWith('250') ? true : undefined,
    );
    await local.quit();
    await remote.quit();
    for (const { pop3 } of fleet.nodes)
      await eventually('log-ins at every node', 5000, async () =>
        (await logIn(pop3, HERE, 'secret')) === 'ok' ? true : undefined,
      );
    const healedMs = performance.now() - back;
    over = true;
    await Promise.all(load);
    assert.ok(healedMs < 5000, `healed after ${healedMs.toFixed(0)} ms`);
    for (const sender of [here, there]) await sender.mustBeIn(fleet.node('n3'));
  }),
);

test.run();
