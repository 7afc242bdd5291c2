/** LOGIN-DELAY (RFC 2449 §6.5) on a whole node: who comes back too soon is told so, and only with the right password. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { logIn, withFleet } from '../support/system.ts';

const JOE = 'joe@example.test';

test('P-24: with a login delay the second log-in is refused, and only with the right password', () =>
  withFleet({ nodes: ['n1'], nats: 0, tables: '[pop3]\nlogin-delay = "1h"\n' }, async (fleet) => {
    const n1 = fleet.node('n1');
    await n1.ask('account.add', { name: JOE, secret: 'of joe' });
    assert.is(await logIn(n1.pop3, JOE, 'of joe'), 'ok');
    assert.match(await logIn(n1.pop3, JOE, 'of joe'), /^-ERR \[LOGIN-DELAY\]/);
    assert.match(await logIn(n1.pop3, JOE, 'wrong'), /^-ERR \[AUTH\]/);
  }));

test.run();
