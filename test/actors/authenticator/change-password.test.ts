/** `auth.change-password`: who may, what is written where, and who wins a race. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { passwordChanger } from '../../../actors/authenticator/change-password.ts';
import { matchesSecret } from '../../../actors/authenticator/credential.ts';
import { TICKET_LIFETIME_MS } from '../../../actors/authenticator/rights.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import type { TicketClaims } from '../../../cluster/tickets.ts';
import { credential, joe, surroundings } from './fixtures.ts';

const refused = (refusal: string) => ({ ok: false, refusal });

async function changing(account: Account, claims: Partial<TicketClaims> = {}) {
  const around = await surroundings(account);
  const change = passwordChanger(around.options);
  const ticket = await around.tickets.signTicket({
    session: 's.1',
    mailHost: 'n1',
    rights: ['change-password'],
    holder: { account: account.name, accountId: account.id, service: 'PWD', credentialRevision: 1 },
    expiresAtMs: around.clock.wall() + TICKET_LIFETIME_MS.changePassword,
    ...claims,
  });
  const request = { account: account.name, version: account.version, ticket, newSecret: 'crayon', operation: 'op-9' };
  const found = () => around.directory.find(account.name)!;
  return { ...around, change, request, found };
}

test('the new password is written with the version it makes as its revision, and nothing else changes', async () => {
  const before = await joe({ version: 3, settings: { quotaMessages: 5 } });
  const { change, request, found } = await changing(before);
  assert.equal(await change(request), { ok: true, value: null });
  const { credentials, ...rest } = found();
  const { credentials: _old, ...old } = before;
  assert.equal(rest, { ...old, version: 4, changedBy: 'op-9' });
  assert.is(credentials.DEFAULT?.revision, 4);
  assert.ok(await matchesSecret(credentials.DEFAULT!, 'crayon'));
  assert.not.ok(await matchesSecret(credentials.DEFAULT!, 'pencil'));
});

test('D-15: the entry that let the session in is written, DEFAULT or PWD; others stay', async () => {
  const pop = await credential('pop', 1);
  const first = await changing(await joe({ credentials: { DEFAULT: await credential('pencil', 1), POP: pop } }));
  assert.ok((await first.change(first.request)).ok);
  assert.is(first.found().credentials.DEFAULT?.revision, 2);
  assert.equal(first.found().credentials.POP, pop);
  assert.is(first.found().credentials.PWD, undefined);

  const other = await credential('pencil', 7);
  const second = await changing(await joe({ credentials: { DEFAULT: other, PWD: await credential('pwd', 1) } }));
  assert.ok((await second.change(second.request)).ok);
  assert.is(second.found().credentials.PWD?.revision, 2);
  assert.equal(second.found().credentials.DEFAULT, other);
});

test('W-28: the same password again is a change like any other', async () => {
  const { change, request, found } = await changing(await joe());
  assert.ok((await change({ ...request, newSecret: 'pencil' })).ok);
  assert.is(found().credentials.DEFAULT?.revision, 2);
});

test("an administrator's reset that came first wins, also one that comes while the new password is hashed", async () => {
  const reset = await joe({
    version: 2,
    changedBy: 'op-admin',
    credentials: { DEFAULT: await credential('reset', 2) },
  });
  const before = await changing(await joe());
  before.directory.put(reset);
  assert.equal(await before.change(before.request), refused('conflict'));
  assert.equal(before.found(), reset);

  const during = await changing(await joe());
  const original = during.found();
  const find = during.directory.find;
  during.directory.find = (name) => {
    const found = find(name);
    queueMicrotask(() => during.directory.put(reset)); // after it was looked at, before it is written
    during.directory.find = find;
    return found;
  };
  assert.equal(await during.change(during.request), refused('conflict'));
  assert.equal(during.found(), reset);
  assert.is.not(original, reset);
});

test('a session that logged in with an older password can not claim a newer version', async () => {
  const { change, request, directory, found } = await changing(await joe());
  const reset = await joe({ version: 2, credentials: { DEFAULT: await credential('reset', 2) } });
  directory.put(reset);
  assert.equal(await change({ ...request, version: 2 }), refused('conflict'));
  assert.equal(found(), reset);
});

test('asked again after it was done, it answers done and changes nothing more', async () => {
  const { change, request, found } = await changing(await joe());
  assert.ok((await change(request)).ok);
  const done = found();
  assert.ok((await change(request)).ok);
  assert.equal(found(), done);
});

test('W-13: not when the operator forbids it, nor to an account that is not active', async () => {
  for (const given of [
    { settings: { passwordChange: false } },
    { status: 'noaccess' },
    { status: 'disabled' },
  ] as const) {
    const { change, request, found } = await changing(await joe(given));
    const before = found();
    assert.equal(await change(request), refused('not-allowed'));
    assert.equal(found(), before);
  }
});

test('not with a ticket of another account, another right, another cluster, or one that expired', async () => {
  const account = await joe();
  const holder = { account: 'ann@example.test', accountId: 'id-ann', service: 'PWD', credentialRevision: 1 } as const;
  for (const claims of [{ holder }, { rights: ['maildrop'] }, { holder: null, rights: ['deliver'] }] as const) {
    const { change, request } = await changing(account, claims);
    assert.equal(await change(request), refused('not-allowed'), JSON.stringify(claims));
  }
  const { change, request, clock } = await changing(account);
  assert.equal(await change({ ...request, ticket: `${request.ticket}x` }), refused('not-allowed'));
  clock.advance(TICKET_LIFETIME_MS.changePassword);
  assert.equal(await change(request), refused('not-allowed'));
});

test('not to an account made anew under the name', async () => {
  const { change, request, directory } = await changing(await joe());
  directory.put(await joe({ id: 'id-other' }));
  assert.equal(await change(request), refused('conflict'));
});

test('a password that can not be is not set', async () => {
  const { change, request, found } = await changing(await joe());
  for (const newSecret of ['', 'a\u0000b'])
    assert.equal(await change({ ...request, newSecret }), refused('not-allowed'));
  assert.is(found().version, 1);
});

test("what the directory can't do is handed on, and the log holds no password", async () => {
  for (const fails of ['unavailable', 'unknown', 'conflict'] as const) {
    const { change, request, directory, log } = await changing(await joe());
    directory.fails = fails;
    assert.equal(await change(request), refused(fails));
    assert.not.match(JSON.stringify(log.entries), /crayon|pencil/);
  }
  const { change, request, directory } = await changing(await joe());
  directory.fresh = false;
  directory.freshens = false;
  assert.equal(await change(request), refused('unavailable'));
});

test.run();
