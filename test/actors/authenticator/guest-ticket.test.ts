/** Tickets for another mailHost than one's own: what the log-in proved and nothing more. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { admissions } from '../../../actors/authenticator/admission.ts';
import { startAuthenticator } from '../../../actors/authenticator/authenticator.ts';
import type { GuestTicketAnswer, VerifyAnswer } from '../../../actors/authenticator/requests.ts';
import { credential, joe, served, surroundings } from './fixtures.ts';

async function loggedIn(service: 'IMAP' | 'POP' = 'IMAP') {
  const around = await served(await joe());
  const proof = { mechanism: 'PLAIN', secret: 'pencil' };
  const verified = (await around.ask('verify', { service, name: 'joe', proof, session: 's.1' })) as VerifyAnswer;
  assert.ok(verified.ok);
  const { ticket } = verified.value;
  const asks = async (given: string = ticket) =>
    (await around.ask('guest-ticket', { ticket: given, session: 's.2', mailHost: 'n2' })) as GuestTicketAnswer;
  const admitting = (mailHost: string) => admissions({ ...around.options, mailHost });
  return { ...around, ticket, asks, admitting };
}

test('it opens that session at that mailHost, and nothing else', async () => {
  const { asks, admitting, ticket } = await loggedIn();
  const answer = await asks();
  assert.ok(answer.ok);
  const admitted = await admitting('n2').admit(answer.value.ticket);
  assert.ok(admitted.ok);
  const { account, session, rights } = admitted.value;
  assert.equal({ account, session, rights }, { account: 'id-joe', session: 's.2', rights: ['mailboxes', 'guest'] });
  assert.not((await admitting('n1').admit(answer.value.ticket)).ok, 'another mailHost');
  assert.not((await admitting('n2').admit(ticket)).ok, "the log-in's own is for its own mailHost");
});

test('an expired log-in gets one as long as the account stands; one whose password was changed since gets none', async () => {
  const { asks, clock, directory } = await loggedIn();
  clock.advance(3_600_000);
  assert.ok((await asks()).ok);
  directory.put(await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } }));
  assert.equal(await asks(), { ok: false, refusal: 'ticket-refused' });
});

test('accounts that are disabled or gone get none, and a stale directory is temporary', async () => {
  const { asks, directory } = await loggedIn();
  directory.put(await joe({ version: 2, status: 'disabled' }));
  assert.equal(await asks(), { ok: false, refusal: 'ticket-refused' });
  directory.put(await joe({ version: 3, deleted: true }));
  assert.equal(await asks(), { ok: false, refusal: 'ticket-refused' });
  directory.fresh = false;
  directory.freshens = false;
  assert.equal(await asks(), { ok: false, refusal: 'unavailable' });
});

test('an administrator is one for IMAP alone, there and as a guest (I-41)', async () => {
  const around = await surroundings(await joe());
  const authenticator = await startAuthenticator({
    ...around.options,
    isAdministrator: (name) => name === 'joe@example.test',
  });
  const ask = (operation: string, request: object) =>
    around.bus.ask(around.subjects.auth(operation), request, { timeoutMs: 10_000 });
  const verified = async (service: 'IMAP' | 'POP') => {
    const proof = { mechanism: 'PLAIN', secret: 'pencil' };
    const answer = (await ask('verify', { service, name: 'joe', proof, session: 's.1' })) as VerifyAnswer;
    assert.ok(answer.ok);
    return answer.value;
  };
  const rightsIn = async (ticket: string, mailHost: string) => {
    const admitted = await admissions({ ...around.options, mailHost }).admit(ticket);
    assert.ok(admitted.ok);
    return admitted.value.rights;
  };
  const pop = await verified('POP');
  assert.is(pop.administers, undefined);
  assert.equal(await rightsIn(pop.ticket, 'n1'), ['maildrop']);
  const imap = await verified('IMAP');
  assert.is(imap.administers, true);
  assert.equal(await rightsIn(imap.ticket, 'n1'), ['mailboxes', 'administer']);
  const guest = (await ask('guest-ticket', {
    ticket: imap.ticket,
    session: 's.2',
    mailHost: 'n2',
  })) as GuestTicketAnswer;
  assert.ok(guest.ok);
  assert.equal(await rightsIn(guest.value.ticket, 'n2'), ['mailboxes', 'administer', 'guest']);
  await authenticator.stop();
});

test('other tickets, and what is none, are refused', async () => {
  const pop = await loggedIn('POP');
  assert.equal(await pop.asks(), { ok: false, refusal: 'ticket-refused' });
  assert.equal(await pop.asks('nonsense'), { ok: false, refusal: 'ticket-refused' });
});

test('an account that moves on is a guest still: only its own ticket knows where it is at home', async () => {
  const { asks, admitting, directory } = await loggedIn();
  const answer = await asks();
  assert.ok(answer.ok);
  directory.put(await joe({ version: 2, mailHost: 'n3' }));
  assert.ok((await admitting('n2').admit(answer.value.ticket)).ok);
});

test.run();
