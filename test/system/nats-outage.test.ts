/** nats-server goes away under load and comes back: what needs no other node goes on, the rest is told to try later. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import {
  deliver,
  eventually,
  hasNats,
  logIn,
  message,
  openSession,
  scaled,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const HERE = 'here@example.test';
const THERE = 'there@example.test';
const OUTAGE_MS = scaled(8000, 60_000);

cluster(`${OUTAGE_MS / 1000} s without nats-server`, () =>
  withFleet(threeNodes({ top: 'failover-patience = "2s"\n' }), async (fleet) => {
    const [n1] = fleet.nodes as [(typeof fleet.nodes)[0]];
    await n1.ask('account.add', { name: HERE, secret: 'secret', mailHost: 'n1' });
    await n1.ask('account.add', { name: THERE, secret: 'secret', mailHost: 'n2' });
    for (const name of [HERE, THERE]) assert.match(await deliver(n1.lmtp, name, message('before')), /^250/);
    const local = await openSession(n1.pop3, HERE, 'secret');
    const remote = await openSession(n1.pop3, THERE, 'secret');
    const accepted: Record<string, number> = { [HERE]: 1, [THERE]: 1 };
    let over = false;
    const load = [HERE, THERE].map(async (name) => {
      const client = await LmtpClient.connect(n1.lmtp);
      for (let number = 0; !over; number++) {
        const [answer] = await client.deliver('sender@example.test', [name], message(`${name} ${number}`));
        if (answer!.code === 250) accepted[name]!++;
        else assert.match(answer!.lines[0]!, /^4\d\d /);
        await new Promise((resolve) => setTimeout(resolve, 5)); // a moderate load
      }
      await client.quit();
    });

    await fleet.nats[0]!.program.kill();
    const end = performance.now() + OUTAGE_MS;
    await eventually('new log-ins to be refused for now', 6000, async () =>
      /^-ERR \[SYS\/TEMP\]/.test(await logIn(n1.pop3, HERE, 'secret')) ? true : undefined,
    );
    let during = 0;
    do {
      assert.ok((await local.retrieve(1)).includes('before')); // an open session on a local mailHost goes on
      assert.match(await logIn(n1.pop3, HERE, 'secret'), /^-ERR \[(SYS\/TEMP|IN-USE)\]/);
      assert.match(await deliver(n1.lmtp, HERE, message('local, without NATS')), /^250/);
      during++;
      const refused = await remote.retrieve(1).then(
        () => '',
        (error: Error) => error.message,
      );
      assert.match(refused, /^-ERR \[SYS\/TEMP\]/);
      assert.match(await deliver(n1.lmtp, THERE, message('remote, without NATS')), /^451 4\.4\.1/);
    } while (performance.now() < end);
    await fleet.nats[0]!.restart();

    const back = performance.now();
    assert.ok((await eventually('the remote session', 5000, () => remote.retrieve(1))).includes('before'));
    await eventually('LMTP to the remote mailHost', 5000, async () => {
      const said = await deliver(n1.lmtp, THERE, message('after'));
      if (!said.startsWith('250')) return undefined;
      accepted[THERE]!++;
      return true;
    });
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

    accepted[HERE]! += during;
    for (const name of [HERE, THERE]) {
      const session = await openSession(fleet.node('n3').pop3, name, 'secret');
      const { messages } = await session.stat();
      await session.quit();
      // A 451 whose outcome could not be known may have been delivered; a 250 always was.
      assert.ok(messages >= accepted[name]!, `${name}: ${messages} of ${accepted[name]} accepted messages`);
    }
  }),
);

test.run();
