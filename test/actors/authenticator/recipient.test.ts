/** `auth.recipient` and `auth.delivery-ticket`: whose mailbox an address is, with and without a directory to ask. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recipientFinder } from '../../../actors/authenticator/recipient.ts';
import type { DeliveryTicketAnswer } from '../../../actors/authenticator/requests.ts';
import { TICKET_LIFETIME_MS } from '../../../actors/authenticator/rights.ts';
import { account, fakeDirectory } from './fake-directory.ts';
import { served } from './fixtures.ts';

function finding(isConnected = true) {
  const directory = fakeDirectory(
    account({ settings: { quotaOctets: 10, passwordChange: false } }),
    account({ name: 'postmaster@example.test' }),
    account({ name: 'away@example.test', mailHost: 'n2', settings: { quotaMessages: 2 } }),
    account({ name: 'no@example.test', status: 'noaccess' }),
    account({ name: 'off@example.test', status: 'disabled' }),
    account({ name: 'gone@example.test', status: 'deleted' }),
  );
  const find = recipientFinder({
    directory,
    defaultDomain: 'example.test',
    freshenTimeoutMs: 1000,
    servesHere: (mailHost) => mailHost === 'n1',
    isConnected: () => isConnected,
  });
  const ask = async (localPart: string, domain = 'example.test') => {
    const answer = await find({ localPart, domain });
    return answer.ok ? answer.value.accountId : answer.refusal;
  };
  return { directory, find, ask };
}

test('an account that is between two mailHosts is put off', async () => {
  const { directory, ask } = finding();
  directory.put({ ...directory.find('joe@example.test')!, movingFrom: 'n2' });
  assert.is(await ask('joe'), 'unavailable');
});

test('an address is an account in any case, with its limits and nothing else of its settings', async () => {
  const { find } = finding();
  assert.equal(await find({ localPart: 'JOE', domain: 'Example.Test' }), {
    ok: true,
    value: { account: 'joe@example.test', accountId: 'id-joe', mailHost: 'n1', quotaOctets: 10 },
  });
  assert.equal(await find({ localPart: 'away', domain: 'example.test' }), {
    ok: true,
    value: { account: 'away@example.test', accountId: 'id-away', mailHost: 'n2', quotaMessages: 2 },
  });
});

test('RFC 5321 §4.5.1: a bare Postmaster is the default domain, in any case; no other name goes without a domain', async () => {
  const { ask } = finding();
  assert.is(await ask('PostMaster', ''), 'id-postmaster');
  assert.is(await ask('joe', ''), 'no-such-user');
  assert.is(await ask('postmaster', 'other.test'), 'no-such-user');
});

test('K-20: noaccess is delivered to, disabled and deleted are not, unknown is said to be', async () => {
  const { ask } = finding();
  assert.is(await ask('no'), 'id-no');
  assert.is(await ask('off'), 'disabled');
  assert.is(await ask('gone'), 'disabled');
  assert.is(await ask('nobody'), 'no-such-user');
  assert.is(await ask('joe', 'other.test'), 'no-such-user');
});

test('with a stale mirror only what is served here is delivered; the unknown is not called unknown', async () => {
  const { ask, directory } = finding();
  directory.fresh = false;
  directory.freshens = false;
  assert.is(await ask('joe'), 'id-joe');
  assert.is(await ask('off'), 'disabled');
  assert.is(await ask('away'), 'unavailable');
  assert.is(await ask('nobody'), 'unavailable');
  assert.is(directory.freshened(), 4);
});

test('a stale mirror is freshened first, but a node that is cut off does not wait for that', async () => {
  const here = finding();
  here.directory.fresh = false;
  assert.is(await here.ask('away'), 'id-away');
  assert.is(here.directory.freshened(), 1);
  const cutOff = finding(false);
  cutOff.directory.fresh = false;
  assert.is(await cutOff.ask('joe'), 'id-joe');
  assert.is(await cutOff.ask('away'), 'unavailable');
  assert.is(cutOff.directory.freshened(), 0);
});

test('a ticket for delivery is about a session and a mailHost and no account', async () => {
  const { ask, tickets, clock, authenticator, bus } = await served();
  const answer = (await ask('delivery-ticket', { session: 's.9', mailHost: 'n2' })) as DeliveryTicketAnswer;
  assert.ok(answer.ok);
  assert.equal(await tickets.verifyTicket(answer.value.ticket), {
    ok: true,
    value: {
      session: 's.9',
      mailHost: 'n2',
      rights: ['deliver'],
      holder: null,
      expiresAtMs: clock.wall() + TICKET_LIFETIME_MS.open,
    },
  });
  await authenticator.stop();
  await bus.close();
});

test.run();
