/** What an owner may rely upon at `open`, and the synchronous last look of a front. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { admissions } from '../../../actors/authenticator/admission.ts';
import { grantFault, isGrantable } from '../../../actors/authenticator/grant.ts';
import { TICKET_LIFETIME_MS } from '../../../actors/authenticator/rights.ts';
import type { TicketClaims } from '../../../cluster/tickets.ts';
import { credential, joe, surroundings } from './fixtures.ts';

async function admitting(claims: Partial<TicketClaims> = {}) {
  const around = await surroundings(await joe());
  const owner = admissions({ ...around.options, mailHost: 'n1' });
  const ticket = await around.tickets.signTicket({
    session: 's.1',
    mailHost: 'n1',
    rights: ['maildrop'],
    holder: { account: 'joe@example.test', accountId: 'id-joe', service: 'POP', credentialRevision: 1 },
    expiresAtMs: around.clock.wall() + TICKET_LIFETIME_MS.open,
    ...claims,
  });
  const both = async () => {
    const [admitted, readmitted] = [await owner.admit(ticket), await owner.readmit(ticket)];
    return [admitted.ok || admitted.refusal, readmitted.ok || readmitted.refusal];
  };
  return { ...around, owner, ticket, both };
}
const refused = (refusal: string) => ({ ok: false, refusal });

test('a good ticket admits its session to its account by id', async () => {
  const { owner, ticket, clock } = await admitting();
  const admission = {
    account: 'id-joe',
    session: 's.1',
    rights: ['maildrop'],
    expiresAtMs: clock.wall() + TICKET_LIFETIME_MS.open,
  };
  assert.equal(await owner.admit(ticket), { ok: true, value: admission });
  assert.equal(await owner.readmit(ticket), { ok: true, value: admission });
});

test('a password changed since log-in admits no new session, and leaves one on record alone', async () => {
  const { both, directory } = await admitting();
  directory.put(await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } }));
  assert.equal(await both(), ['ticket-refused', true]);
});

test('an account disabled or deleted since admits neither', async () => {
  for (const change of [{ status: 'disabled' }, { status: 'deleted', deleted: true }, { id: 'id-other' }] as const) {
    const { both, directory } = await admitting();
    directory.put(await joe({ version: 2, ...change }));
    assert.equal(await both(), ['ticket-refused', 'ticket-refused']);
  }
});

test('an expired ticket admits no new session; the record of an old one counts instead', async () => {
  const { both, clock } = await admitting();
  clock.advance(TICKET_LIFETIME_MS.open);
  assert.equal(await both(), ['ticket-refused', true]);
});

test('a ticket for another mailHost, and what is no ticket of ours, admit nobody', async () => {
  assert.equal(await (await admitting({ mailHost: 'n2' })).both(), ['ticket-refused', 'ticket-refused']);
  const { owner, ticket } = await admitting();
  for (const text of ['', 'x.y.z', `${ticket.slice(0, -2)}AA`]) {
    assert.equal(await owner.admit(text), refused('ticket-refused'));
    assert.equal(await owner.readmit(text), refused('ticket-refused'));
  }
});

test('a directory that is stale is freshened; one that stays so admits no new session for now, but goes on with old ones', async () => {
  const { both, directory } = await admitting();
  directory.fresh = false;
  assert.equal(await both(), [true, true]);
  directory.fresh = false;
  directory.freshens = false;
  assert.equal(await both(), ['unavailable', true]);
});

test('a delivery ticket asks nothing of the directory', async () => {
  const { both, owner, ticket, directory } = await admitting({ holder: null, rights: ['deliver'] });
  directory.fresh = false;
  directory.freshens = false;
  assert.equal(await both(), [true, true]);
  const admitted = await owner.admit(ticket);
  assert.ok(admitted.ok && admitted.value.account === null && admitted.value.rights[0] === 'deliver');
});

test('the last look is taken at once, and names what speaks against a grant', async () => {
  const { directory } = await admitting();
  const grounds = { accountId: 'id-joe', mailHost: 'n1', credentialRevision: 1 };
  assert.is(isGrantable(directory, 'POP', grounds), true);
  assert.is(grantFault(directory, 'POP', { ...grounds, credentialRevision: 0 }), 'credential-changed');
  directory.put(await joe({ mailHost: 'n2' }));
  assert.is(grantFault(directory, 'POP', grounds), 'moved');
  directory.put(await joe({ status: 'noaccess' }));
  assert.is(grantFault(directory, 'POP', grounds), 'status');
  directory.fresh = false;
  assert.is(grantFault(directory, 'POP', grounds), 'stale-directory');
  assert.is(isGrantable(directory, 'POP', grounds), false);
});

test.run();
