/** The owner of a mailHost is killed: sessions through other nodes keep their connection, and nothing ends short. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { Pop3Refusal } from '../../bench/clients/pop3.ts';
import {
  deliver,
  endsWith,
  eventually,
  hasNats,
  message,
  openSession,
  subjectOf,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const ANN = 'ann@example.test';
const patience = (seconds: number) => threeNodes({ top: `failover-patience = "${seconds}s"\n` });

cluster('a session through another node waits for its owner and goes on with RETR', () =>
  withFleet(patience(30), async (fleet) => {
    const owner = fleet.node('n1');
    await owner.ask('account.add', { name: ANN, secret: 'of ann', mailHost: 'n1' });
    const sent = message('waited for');
    assert.match(await deliver(owner.lmtp, ANN, sent), /^250/);
    const session = await openSession(fleet.node('n3').pop3, ANN, 'of ann');
    await owner.program!.kill();
    const retrieved = session.retrieve(1);
    await owner.start();
    assert.ok(endsWith(await retrieved, sent));
    await session.ask('DELE 1');
    await session.quit();
    const after = await openSession(fleet.node('n2').pop3, ANN, 'of ann');
    assert.is((await after.stat()).messages, 0);
    await after.quit();
  }),
);

cluster(
  'with patience at an end RETR answers [SYS/TEMP], and the same connection retrieves when the owner is back',
  () =>
    withFleet(patience(1), async (fleet) => {
      const owner = fleet.node('n1');
      await owner.ask('account.add', { name: ANN, secret: 'of ann', mailHost: 'n1' });
      const sent = message('not yet');
      assert.match(await deliver(owner.lmtp, ANN, sent), /^250/);
      const session = await openSession(fleet.node('n3').pop3, ANN, 'of ann');
      await owner.program!.kill();
      const refusal = await session.retrieve(1).catch((error: unknown) => error);
      assert.instance(refusal, Pop3Refusal);
      assert.match((refusal as Pop3Refusal).reply, /^-ERR \[SYS\/TEMP\]/);
      await owner.start();
      const got = await eventually('RETR', 10_000, () => session.retrieve(1));
      assert.ok(endsWith(got, sent));
      await session.quit();
    }),
);

cluster('killed in the middle of a body: it resumes at the octet or the connection drops, never a short end', () =>
  withFleet(patience(30), async (fleet) => {
    const owner = fleet.node('n1');
    await owner.ask('account.add', { name: ANN, secret: 'of ann', mailHost: 'n1' });
    const sent = message('long', 24 * 1024 * 1024);
    assert.match(await deliver(owner.lmtp, ANN, sent), /^250/);
    const session = await openSession(fleet.node('n3').pop3, ANN, 'of ann');
    await session.ask('RETR 1');
    const first = await session.wire.some(1_000_000);
    session.wire.stall(); // what is in flight fills the sockets; the rest is still with the owner
    await owner.program!.kill();
    await owner.start();
    const rest = await session.wire.multiline().catch(() => undefined);
    if (rest !== undefined) {
      assert.ok(endsWith(Buffer.concat([first, rest]), sent), 'a body that ended is whole');
      await session.quit();
    }
    session.close();
  }),
);

cluster('LMTP answers 451 while the owner is away; nothing is lost or doubled', () =>
  withFleet(patience(1), async (fleet) => {
    const owner = fleet.node('n1');
    await owner.ask('account.add', { name: ANN, secret: 'of ann', mailHost: 'n1' });
    const client = await LmtpClient.connect(fleet.node('n2').lmtp);
    const accepted: string[] = [];
    const send = async (subject: string) => {
      const [answer] = await client.deliver('sender@example.test', [ANN], message(subject));
      if (answer!.code === 250) accepted.push(subject);
      return answer!;
    };
    await send('before');
    await owner.program!.kill();
    const { code, lines } = await send('while away');
    assert.is(code, 451, lines[0]);
    assert.match(lines[0]!, /^451 4\.4\.1/);
    await owner.start();
    await eventually('delivery', 10_000, async () => ((await send('after')).code === 250 ? true : undefined));
    await client.quit();
    const session = await openSession(fleet.node('n3').pop3, ANN, 'of ann');
    const { messages } = await session.stat();
    const subjects: string[] = [];
    for (let number = 1; number <= messages; number++) subjects.push(subjectOf(await session.retrieve(number)));
    await session.quit();
    assert.equal(subjects.sort(), accepted.sort());
  }),
);

test.run();
