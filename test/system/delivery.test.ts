/** One mail, any node: in at n2, owned by n1, out at n3, octet for octet. On whole processes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { deliver, endsWith, hasNats, message, openSession, threeNodes, withFleet } from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const ALICE = 'alice@example.test';
const WARM = 20;
/**
 * Newer collectors let more octets outside the heap wait for them when the cores are busy (45 MB were seen on Node 26): there
 * the message is larger instead, so that keeping it whole would show all the same.
 */
const [LARGE_OCTETS, MOST_GROWN_MB] = process.versions.node.startsWith('20.') ? [50_000_000, 32] : [100_000_000, 64];

cluster('messages in at n2 for an account of n1 come out at n3 as they were', () =>
  withFleet(threeNodes(), async (fleet) => {
    const [n1, n2, n3] = fleet.nodes as [(typeof fleet.nodes)[0], (typeof fleet.nodes)[0], (typeof fleet.nodes)[0]];
    await n1.ask('account.add', { name: ALICE, secret: 'of alice', mailHost: 'n1' });
    const messages = [
      message('plain'),
      Buffer.from('Subject: dots\r\n\r\n.\r\n..\r\n.line\r\nend\r\n'),
      Buffer.from('Subject: eight bit body\r\n\r\n\xe9\xff\x80\r\n', 'latin1'),
      Buffer.from('Subject: a bare CR\r\n\r\nin a\rline\r\n'),
      Buffer.from('no header at all\r\n'),
      message('one chunk and a bit', 131_072),
      message('several chunks', 700_000),
    ];
    for (const each of messages) assert.match(await deliver(n2.lmtp, ALICE, each), /^250 2\.\d\.\d .*n1\/\d+/);
    const session = await openSession(n3.pop3, ALICE, 'of alice');
    assert.is((await session.stat()).messages, messages.length);
    for (const [at, sent] of messages.entries()) {
      const got = await session.retrieve(at + 1);
      assert.ok(endsWith(got, sent), `message ${at + 1}`);
      assert.match(got.subarray(0, got.length - sent.length).toString(), /^Return-Path: <sender@example\.test>\r\n/);
    }
    await session.quit();
  }),
);

cluster('a large message does not grow anonymous memory by its size, in or out', () =>
  withFleet(threeNodes(), async (fleet) => {
    const [n1, n2, n3] = fleet.nodes as [(typeof fleet.nodes)[0], (typeof fleet.nodes)[0], (typeof fleet.nodes)[0]];
    await n1.ask('account.add', { name: ALICE, secret: 'of alice', mailHost: 'n1' });
    const large = message('large', LARGE_OCTETS);
    // What traffic of small messages takes at most is measured first: what is more after that is the large one's.
    const peak = fleet.nodes.map(() => 0);
    const watch = setInterval(() => {
      for (const [at, { program }] of fleet.nodes.entries()) peak[at] = Math.max(peak[at]!, program!.rssAnonOctets());
    }, 10);
    for (let warm = 0; warm < WARM; warm++) await deliver(n2.lmtp, ALICE, message('warm', 2_000_000));
    const session = await openSession(n3.pop3, ALICE, 'of alice');
    for (let warm = 1; warm <= WARM; warm++) await session.retrieve(warm);
    await session.quit();
    const before = [...peak];
    try {
      assert.match(await deliver(n2.lmtp, ALICE, large), /^250/);
      const reading = await openSession(n3.pop3, ALICE, 'of alice');
      assert.ok(endsWith(await reading.retrieve(WARM + 1), large));
      await reading.quit();
    } finally {
      clearInterval(watch);
    }
    for (const [at, { me }] of fleet.nodes.entries()) {
      const grown = (peak[at]! - before[at]!) / 1e6;
      assert.ok(grown < MOST_GROWN_MB, `${me} grew by ${grown.toFixed(1)} MB`);
    }
  }),
);

cluster('one transaction for accounts of all three nodes: one reply each, one copy each', () =>
  withFleet(threeNodes(), async (fleet) => {
    const names = fleet.nodes.map(({ me }) => `user-of-${me}@example.test`);
    for (const [at, node] of fleet.nodes.entries())
      await node.ask('account.add', { name: names[at], secret: 'secret', mailHost: node.me });
    const client = await LmtpClient.connect(fleet.node('n2').lmtp);
    const sent = message('to all', 300_000);
    const answers = await client.deliver('sender@example.test', [...names, 'nobody@example.test'], sent);
    await client.quit();
    assert.equal(
      answers.map(({ code }) => code),
      [250, 250, 250, 550],
    );
    for (const [at, node] of fleet.nodes.entries()) {
      const session = await openSession(fleet.nodes[(at + 1) % 3]!.pop3, names[at]!, 'secret');
      assert.is((await session.stat()).messages, 1, node.me);
      assert.ok(endsWith(await session.retrieve(1), sent));
      await session.quit();
    }
  }),
);

cluster('plus and shared addressing from any node: to the mailbox that is named, at whichever owner', () =>
  withFleet(threeNodes(), async (fleet) => {
    const [n1, n2, n3] = fleet.nodes as [(typeof fleet.nodes)[0], (typeof fleet.nodes)[0], (typeof fleet.nodes)[0]];
    await n1.ask('account.add', { name: ALICE, secret: 'of alice', mailHost: 'n1' });
    await n3.ask('mailbox.create', { name: ALICE, mailbox: 'important/March2000', anyone: 'p' });
    const shared = 'shared@example.test';
    await n2.ask('mailbox.create', { name: shared, mailbox: 'bugreports', anyone: 'p', mailHost: 'n3' });
    await n1.ask('mailbox.create', { name: shared, mailbox: 'closed' });
    const client = await LmtpClient.connect(n2.lmtp);
    const to = ['alice', 'ALICE+important/March2000', 'alice+nosuch', 'shared+bugreports', 'shared+closed', 'shared'];
    const answers = await client.deliver(
      'sender@example.test',
      to.map((local) => `${local}@example.test`),
      message('to all of them'),
    );
    await client.quit();
    assert.equal(
      answers.map(({ code }) => code),
      [250, 250, 250, 250, 550, 550],
    );
    assert.equal(answers[0]!.lines, answers[2]!.lines, 'one mailbox, one copy, one receipt');
    const held = async (name: string) =>
      ((await n2.ask('mailbox.list', { name })) as { name: string; messages: number }[]).map((each) => [
        each.name,
        each.messages,
      ]);
    assert.equal(await held(ALICE), [
      ['INBOX', 1],
      ['important', 0],
      ['important/March2000', 1],
    ]);
    assert.equal(await held(shared), [
      ['bugreports', 1],
      ['closed', 0],
    ]);
    const session = await openSession(n3.pop3, ALICE, 'of alice');
    assert.is((await session.stat()).messages, 1, 'POP3 shows INBOX alone');
    await session.quit();
    const { usage } = (await n3.ask('account.show', { name: ALICE })) as { usage: { messages: number } };
    assert.is(usage.messages, 2);
  }),
);

test.run();
