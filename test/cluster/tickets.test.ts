/** Tickets: RFC 7519 with algorithm, type and audience pinned (RFC 8725). */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTickets, type TicketClaims } from '../../cluster/tickets.ts';
import { FakeClock } from './bus/fake-clock.ts';

const key = randomBytes(32);
const refused = { ok: false, refusal: 'ticket-refused' };

async function issuer() {
  const clock = new FakeClock();
  return { clock, tickets: await createTickets(key, clock) };
}

const claimsAt = (now: number): TicketClaims => ({
  session: 'n1-7-42',
  mailHost: 'n1',
  rights: ['maildrop'],
  holder: { account: 'joe@example.test', accountId: 'a-1', service: 'POP', credentialRevision: 3 },
  expiresAtMs: now + 60_123,
});

test('a ticket says what was signed, of an account or of deliveries', async () => {
  const { clock, tickets } = await issuer();
  const claims = claimsAt(clock.wall());
  for (const each of [claims, { ...claims, holder: null, rights: ['deliver', 'change-password'] as const }]) {
    assert.equal(await tickets.verifyTicket(await tickets.signTicket(each)), { ok: true, value: each });
  }
});

test('an expired ticket is refused; whoever keeps a record of his own may still read it', async () => {
  const { clock, tickets } = await issuer();
  const claims = claimsAt(clock.wall());
  const ticket = await tickets.signTicket(claims);
  clock.advance(59_000);
  assert.ok((await tickets.verifyTicket(ticket)).ok);
  clock.advance(2_000);
  assert.equal(await tickets.verifyTicket(ticket), refused);
  assert.equal(await tickets.readTicket(ticket), { ok: true, value: claims });
});

test('a ticket of another cluster, or with any character changed, is refused', async () => {
  const { clock, tickets } = await issuer();
  const ticket = await tickets.signTicket(claimsAt(clock.wall()));
  const others = await createTickets(randomBytes(32), clock);
  assert.equal(await others.verifyTicket(ticket), refused);
  for (let at = 0; at < ticket.length - 1; at += 3) {
    const changed = `${ticket.slice(0, at)}${ticket[at] === 'A' ? 'B' : 'A'}${ticket.slice(at + 1)}`;
    assert.equal(await tickets.verifyTicket(changed), refused, `character ${at}`);
  }
});

test('another algorithm, type or audience is refused, though the key be right (RFC 8725 §3.1, §3.9, §3.11)', async () => {
  const { clock, tickets } = await issuer();
  const { expiresAtMs, ...payload } = claimsAt(clock.wall());
  const make = ({ alg = 'HS256', typ = 'homing-ticket+jwt', audience = 'homing', expires = true }) => {
    const jwt = new SignJWT({ ...payload, rights: [...payload.rights] }).setProtectedHeader({ alg, typ });
    if (expires) jwt.setExpirationTime(expiresAtMs / 1000);
    return jwt.setAudience(audience).sign(alg === 'HS256' ? key : Buffer.concat([key, key]));
  };
  assert.ok((await tickets.verifyTicket(await make({}))).ok);
  assert.equal(await tickets.verifyTicket(await make({ alg: 'HS512' })), refused);
  assert.equal(await tickets.verifyTicket(await make({ typ: 'JWT' })), refused);
  assert.equal(await tickets.verifyTicket(await make({ audience: 'elsewhere' })), refused);
  assert.equal(await tickets.verifyTicket(await make({ expires: false })), refused);
  const unsecured = new UnsecuredJWT({ ...payload, rights: [...payload.rights] })
    .setAudience('homing')
    .setExpirationTime(expiresAtMs / 1000)
    .encode();
  assert.equal(await tickets.verifyTicket(unsecured), refused);
});

test('a signed ticket of another shape is refused', async () => {
  const { clock, tickets } = await issuer();
  const { expiresAtMs, ...payload } = claimsAt(clock.wall());
  const { holder } = payload;
  for (const change of [
    { session: 1 },
    { mailHost: undefined },
    { rights: 'maildrop' },
    { rights: ['anything'] },
    { holder: undefined },
    { holder: { ...holder, service: 'DEFAULT' } },
    { holder: { ...holder, credentialRevision: '3' } },
    { holder: { ...holder, accountId: undefined } },
  ]) {
    const ticket = await new SignJWT({ ...payload, rights: [...payload.rights], ...change })
      .setProtectedHeader({ alg: 'HS256', typ: 'homing-ticket+jwt' })
      .setAudience('homing')
      .setExpirationTime(expiresAtMs / 1000)
      .sign(key);
    assert.equal(await tickets.verifyTicket(ticket), refused, JSON.stringify(change));
  }
});

test('property: whatever text is shown, it is refused and nothing is thrown', async () => {
  const { tickets } = await issuer();
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.base64String(), { maxLength: 4 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(text, async (shown) => {
      assert.equal(await tickets.verifyTicket(shown), refused);
      assert.equal(await tickets.readTicket(shown), refused);
    }),
  );
  assert.equal(await tickets.verifyTicket(undefined as unknown as string), refused);
});

test.run();
