/** Renaming and moving an account in a cluster: the mail is where the account is, and what no longer is the account is refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deliver, hasNats, logIn, message, openSession, retrieveAll, subjectOf, withFleet } from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const [JOE, JIM, ANN] = ['joe@example.test', 'jim@example.test', 'ann@example.test'];

const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: Error) => error.message,
  );

cluster('a renamed account keeps its mail, its password and its sessions; its old name is nobody on any node', () =>
  withFleet({ nodes: ['n1', 'n2'], nats: 1 }, async (fleet) => {
    const [n1, n2] = [fleet.node('n1'), fleet.node('n2')];
    await n1.ask('account.add', { name: JOE, secret: 'secret', mailHost: 'n2' });
    assert.match(await deliver(n1.lmtp, JOE, message('before')), /^250/);
    const session = await openSession(n1.pop3, JOE, 'secret');
    await n1.ask('account.rename', { name: JOE, to: JIM });
    assert.is(subjectOf(await session.retrieve(1)), 'before');
    await session.quit();
    for (const { pop3, lmtp } of [n1, n2]) {
      assert.match(await logIn(pop3, JOE, 'secret'), /^-ERR \[AUTH\]/);
      assert.match(await deliver(lmtp, JOE, message('to the old name')), /^550 5\.1\.1/);
      assert.is(await logIn(pop3, JIM, 'secret'), 'ok');
      assert.match(await deliver(lmtp, JIM, message('after')), /^250/);
    }
    const mail = await retrieveAll(n2.pop3, JIM, 'secret');
    assert.equal(mail.map(subjectOf), ['before', 'after', 'after']);
    await n2.ask('account.add', { name: JOE, secret: 'secret', mailHost: 'n1' });
    assert.equal(await retrieveAll(n2.pop3, JOE, 'secret'), [], 'whoever gets the old name does not get the mail');

    assert.match(
      await refusalOf(n1.ask('account.set', { name: JIM, settings: { 'mail-host': 'n1' } })),
      /stays on n2: it has 3 messages on n2/,
    );
    await n1.ask('account.add', { name: ANN, secret: 'secret', mailHost: 'n2' });
    assert.is(await logIn(n1.pop3, ANN, 'secret'), 'ok');
    await n1.ask('account.set', { name: ANN, settings: { 'mail-host': 'n1', 'quota-messages': '9' } });
    assert.match(await deliver(n2.lmtp, ANN, message('here')), /^250/);
    assert.is((await retrieveAll(n2.pop3, ANN, 'secret')).length, 1);
    const shown = (await n2.ask('account.show', { name: ANN })) as { mailHost: string; settings: object };
    assert.equal([shown.mailHost, shown.settings], ['n1', { quotaMessages: 9 }]);
    await n2.program!.stop();
    assert.match(
      await refusalOf(n1.ask('account.set', { name: JIM, settings: { 'mail-host': 'n1' } })),
      /the owner of n2 does not answer/,
    );
    assert.equal((await retrieveAll(n1.pop3, ANN, 'secret')).map(subjectOf), ['here']);
  }),
);

test.run();
