/** `auth.recipient` and `auth.delivery-ticket`: whose mailbox an address is, with and without a directory to ask. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recipientFinder } from '../../../actors/authenticator/recipient.ts';
import type { DeliveryTicketAnswer, RecipientAnswer } from '../../../actors/authenticator/requests.ts';
import { TICKET_LIFETIME_MS } from '../../../actors/authenticator/rights.ts';
import { account, fakeDirectory } from './fake-directory.ts';
import { served } from './fixtures.ts';

function finding(isConnected = true, quota = { octets: 0, messages: 0 }) {
  const directory = fakeDirectory(
    account({ settings: { quotaOctets: 10, passwordChange: false } }),
    account({ name: 'postmaster@example.test' }),
    account({ name: 'away@example.test', mailHost: 'n2', settings: { quotaMessages: 2 } }),
    account({ name: 'no@example.test', status: 'noaccess' }),
    account({ name: 'off@example.test', status: 'disabled' }),
    account({ name: 'gone@example.test', status: 'deleted' }),
    account({ name: 'c++@example.test' }),
    account({ name: 'none@example.test', settings: { quotaOctets: 0, quotaMessages: 0, sizeLimitOctets: 1000 } }),
    account({ name: 'shared@example.test', kind: 'shared' }),
    account({ name: 'shared@away.test', kind: 'shared', mailHost: 'n2', status: 'disabled' }),
    account({ name: 'public@example.test', kind: 'shared' }), // made when it was the name
    account({ name: 'shared@old.test', settings: { quotaOctets: 3 } }), // an account from before the name was reserved
  );
  /** What the owners of shared mailboxes are asked, and what they have. */
  const asked: string[] = [];
  const answers = new Map<string, boolean>([
    ['bugs', true],
    ['Bugs/Old', true],
    ['closed', false],
  ]);
  const find = recipientFinder({
    directory,
    defaultDomain: 'example.test',
    sharedName: 'shared',
    quota,
    async mayPost(mailHost, { account: id, folder }) {
      asked.push(`${mailHost} ${id} ${folder}`);
      return folder === 'nobody answers' ? undefined : (answers.get(folder) ?? false);
    },
    freshenTimeoutMs: 1000,
    servesHere: (mailHost) => mailHost === 'n1',
    isConnected: () => isConnected,
  });
  const ask = async (localPart: string, domain = 'example.test') => {
    const answer = await find({ localPart, domain });
    return answer.ok ? answer.value.accountId : answer.refusal;
  };
  /** Where it goes, or why not. */
  const where = async (localPart: string, domain = 'example.test') => {
    const answer = await find({ localPart, domain });
    if (!answer.ok) return answer.refusal;
    const { accountId, folder, mustExist } = answer.value;
    return `${accountId}${folder === undefined ? '' : ` ${folder}`}${mustExist ? '!' : ''}`;
  };
  return { directory, find, ask, where, asked };
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

test('T-06, T-07: what stands behind the first + is a mailbox of the account before it, in its own case', async () => {
  const { where } = finding();
  assert.is(await where('joe+important/March2000'), 'id-joe important/March2000');
  assert.is(await where('JOE+Work', 'Example.Test'), 'id-joe Work');
  assert.is(await where('joe+a+b'), 'id-joe a+b');
  assert.is(await where('joe+'), 'id-joe');
  assert.is(await where('no+Work'), 'id-no Work');
  assert.is(await where('off+Work'), 'disabled');
  assert.is(await where('nobody+Work'), 'no-such-user');
  assert.is(await where('+Work'), 'no-such-user');
});

test('an account that has the whole local part for its name comes before one that has its beginning', async () => {
  const { where, directory } = finding();
  assert.is(await where('c++'), 'id-c++');
  assert.is(await where('C+++Work'), 'no-such-user'); // the first + parts it: there is no account c
  directory.put(account({ name: 'joe+work@example.test', id: 'id-other' }));
  assert.is(await where('joe+Work'), 'id-other');
  assert.is(await where('joe+play'), 'id-joe play');
});

test('T-10, T-11: shared mailboxes stand behind the shared name, which alone is nobody', async () => {
  const { where, asked } = finding();
  assert.is(await where('shared+bugs'), 'id-shared bugs!');
  assert.is(await where('Shared+Bugs/Old'), 'id-shared Bugs/Old!');
  assert.equal(asked, ['n1 id-shared bugs', 'n1 id-shared Bugs/Old']);
  assert.is(await where('shared'), 'no-such-user');
  assert.is(await where('shared+'), 'no-such-user');
  assert.is(await where('shared+bugs', 'other.test'), 'no-such-user');
  assert.is(asked.length, 2);
});

test('a shared mailbox that is missing or closed to anyone is nobody, and one whose owner is silent is put off', async () => {
  const { where, asked } = finding();
  assert.is(await where('shared+missing'), 'no-such-user');
  assert.is(await where('shared+closed'), 'no-such-user');
  assert.is(await where('shared+nobody answers'), 'unavailable');
  assert.is(asked.length, 3);
  assert.is(await where('shared+bugs', 'away.test'), 'disabled');
});

test('shared mailboxes under a name that is not configured any more are out of reach; an older account keeps its mail', async () => {
  const { where, asked } = finding();
  assert.is(await where('public+bugs'), 'no-such-user');
  assert.is(await where('public'), 'no-such-user');
  assert.is(await where('shared', 'old.test'), 'id-shared');
  assert.is(await where('shared+bugs', 'old.test'), 'id-shared bugs');
  assert.equal(asked, []);
});

test('T-24: an account without limits of its own has those of the configuration; 0 is no limit, and shared mailboxes have none', async () => {
  const { find } = finding(true, { octets: 500, messages: 50 });
  const limits = async (localPart: string) => {
    const answer = await find({ localPart, domain: 'example.test' });
    assert.ok(answer.ok, localPart);
    const { quotaOctets, quotaMessages, sizeLimitOctets } = answer.value;
    return [quotaOctets, quotaMessages, sizeLimitOctets];
  };
  assert.equal(await limits('joe'), [10, 50, undefined]);
  assert.equal(await limits('away'), [500, 2, undefined]);
  assert.equal(await limits('none'), [undefined, undefined, 1000]);
  assert.equal(await limits('shared+bugs'), [undefined, undefined, undefined]);
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

test('the owner of shared mailboxes is asked on the bus; without one the recipient is put off', async () => {
  const { ask, authenticator, bus, subjects, log } = await served(
    account({ name: 'shared@example.test', kind: 'shared' }),
  );
  const request = { localPart: 'shared+bugs', domain: 'example.test' };
  assert.equal(await ask('recipient', request), { ok: false, refusal: 'unavailable' });
  assert.ok(log.entries.some(({ level, fields }) => level === 'warn' && fields.operation === 'may-post'));
  const asked: unknown[] = [];
  const answers = [
    { ok: false, refusal: 'not-owner' },
    { ok: true, value: true },
  ];
  const owner = await bus.serve(subjects.mail('n1', 'may-post'), (each) => {
    asked.push(each);
    return answers.shift();
  });
  assert.equal(await ask('recipient', request), { ok: false, refusal: 'unavailable' });
  const found = (await ask('recipient', request)) as RecipientAnswer;
  assert.ok(found.ok && found.value.folder === 'bugs' && found.value.mustExist);
  assert.equal(asked, Array(2).fill({ account: 'id-shared', folder: 'bugs' }));
  await owner.stop();
  await authenticator.stop();
  await bus.close();
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
