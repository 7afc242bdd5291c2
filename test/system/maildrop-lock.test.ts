/** One POP3 session for each maildrop in the whole cluster (RFC 1939 §4), and what becomes of it when its node dies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deliver, eventually, hasNats, logIn, message, openSession, threeNodes, withFleet } from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const BOB = 'bob@example.test';

cluster('the second log-in on another node is told [IN-USE], and only with the right password', () =>
  withFleet(threeNodes(), async (fleet) => {
    await fleet.node('n1').ask('account.add', { name: BOB, secret: 'of bob', mailHost: 'n1' });
    const first = await openSession(fleet.node('n2').pop3, BOB, 'of bob');
    for (const { pop3 } of fleet.nodes) {
      assert.match(await logIn(pop3, BOB, 'of bob'), /^-ERR \[IN-USE\]/);
      assert.match(await logIn(pop3, BOB, 'wrong'), /^-ERR \[AUTH\]/);
    }
    await first.quit();
    for (const { pop3 } of fleet.nodes) assert.is(await logIn(pop3, BOB, 'of bob'), 'ok');
  }),
);

cluster('a client that vanishes frees its maildrop', () =>
  withFleet(threeNodes(), async (fleet) => {
    await fleet.node('n1').ask('account.add', { name: BOB, secret: 'of bob', mailHost: 'n1' });
    const first = await openSession(fleet.node('n2').pop3, BOB, 'of bob');
    first.close();
    await eventually('a new log-in', 2000, async () =>
      (await logIn(fleet.node('n3').pop3, BOB, 'of bob')) === 'ok' ? true : undefined,
    );
  }),
);

cluster('kill -9 of the node that held the session frees the maildrop within 10 s and removes nothing', () =>
  withFleet(threeNodes(), async (fleet) => {
    await fleet.node('n1').ask('account.add', { name: BOB, secret: 'of bob', mailHost: 'n1' });
    assert.match(await deliver(fleet.node('n1').lmtp, BOB, message('kept')), /^250/);
    const held = await openSession(fleet.node('n2').pop3, BOB, 'of bob');
    await held.ask('DELE 1');
    await fleet.node('n2').program!.kill();
    const next = await eventually('the maildrop to be free', 10_000, () =>
      openSession(fleet.node('n3').pop3, BOB, 'of bob'),
    );
    assert.is((await next.stat()).messages, 1);
    await next.quit();
  }),
);

cluster('a session that lost its lock removes nothing at QUIT', () =>
  withFleet(threeNodes(), async (fleet) => {
    await fleet.node('n1').ask('account.add', { name: BOB, secret: 'of bob', mailHost: 'n1' });
    assert.match(await deliver(fleet.node('n1').lmtp, BOB, message('kept')), /^250/);
    const sleeper = await openSession(fleet.node('n2').pop3, BOB, 'of bob');
    await sleeper.ask('DELE 1');
    fleet.node('n2').program!.hold(); // it keeps its sockets, but its registration goes stale
    const next = await eventually('the maildrop to be free', 10_000, () =>
      openSession(fleet.node('n3').pop3, BOB, 'of bob'),
    );
    fleet.node('n2').program!.continue();
    await sleeper.wire.send('QUIT\r\n');
    assert.match(await sleeper.wire.line(), /^-ERR \[SYS\/TEMP\]/);
    assert.is((await next.stat()).messages, 1);
    assert.ok((await next.retrieve(1)).includes('kept'));
    await next.quit();
    sleeper.close();
    const last = await openSession(fleet.node('n1').pop3, BOB, 'of bob');
    assert.is((await last.stat()).messages, 1);
    await last.quit();
  }),
);

test.run();
