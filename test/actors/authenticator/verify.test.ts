/** `auth.verify`: who gets in, what is said to those who do not, and that nothing old gets in. */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decoyCredential } from '../../../actors/authenticator/credential.ts';
import type { VerifyRequest } from '../../../actors/authenticator/requests.ts';
import { TICKET_LIFETIME_MS } from '../../../actors/authenticator/rights.ts';
import { createVerificationCache } from '../../../actors/authenticator/verification-cache.ts';
import { verifier } from '../../../actors/authenticator/verify.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import { account } from './fake-directory.ts';
import { credential, credentials, joe, served, surroundings } from './fixtures.ts';

const plain = (name: string, secret: string, service: VerifyRequest['service'] = 'POP'): VerifyRequest => ({
  service,
  name,
  proof: { mechanism: 'PLAIN', secret },
  session: 's.1',
});
const apop = (name: string, secret: string, timestamp = '<1@h>'): VerifyRequest => ({
  ...plain(name, ''),
  proof: { mechanism: 'APOP', timestamp, digest: createHash('md5').update(timestamp).update(secret).digest('hex') },
});
/** Whatever the reason beside it, which is for the log. */
const isRefused = (answer: { ok: boolean; refusal?: string }, refusal: string, what?: string) =>
  assert.equal([answer.ok, answer.refusal], [false, refusal], what);

async function verifying(...accounts: readonly Account[]) {
  const around = await surroundings(...accounts);
  const cache = createVerificationCache({ clock: around.clock, lifetimeMs: 60_000, maxEntries: 100 });
  const verify = verifier({ ...around.options, cache, decoy: decoyCredential(credentials) });
  const reasons = () => around.log.entries.map(({ fields }) => fields.reason);
  return { ...around, verify, reasons, cache };
}

test('a right password gets a ticket that says for whom, for what, by which credential and until when', async () => {
  const { verify, tickets, clock } = await verifying(await joe({ version: 4 }));
  const answer = await verify(plain('JOE', 'pencil'));
  assert.ok(answer.ok);
  const { ticket, ...verified } = answer.value;
  assert.equal(verified, {
    account: 'joe@example.test',
    accountId: 'id-joe',
    mailHost: 'n1',
    credentialRevision: 1,
    version: 4,
  });
  assert.equal(await tickets.verifyTicket(ticket), {
    ok: true,
    value: {
      session: 's.1',
      mailHost: 'n1',
      rights: ['maildrop'],
      holder: { account: 'joe@example.test', accountId: 'id-joe', service: 'POP', credentialRevision: 1 },
      expiresAtMs: clock.wall() + TICKET_LIFETIME_MS.open,
    },
  });
});

test('D-02 to D-06: a service checks its own entry, DEFAULT only when it has none, and never another', async () => {
  const { verify } = await verifying(
    await joe({ credentials: { POP: await credential('pop', 1), DEFAULT: await credential('default', 2) } }),
    await joe({ name: 'ann@example.test', credentials: { IMAP: await credential('imap', 1) } }),
  );
  for (const [name, secret, service, gets] of [
    ['joe', 'pop', 'POP', true],
    ['joe', 'default', 'POP', false],
    ['joe', 'default', 'IMAP', true],
    ['joe', 'default', 'PWD', true],
    ['joe', 'pop', 'PWD', false],
    ['ann', 'imap', 'IMAP', true],
    ['ann', 'imap', 'POP', false],
  ] as const) {
    assert.is((await verify(plain(name, secret, service))).ok, gets, `${name} ${secret} ${service}`);
  }
});

test('K-21: whatever is wrong the answer is the same, and the log knows the difference', async () => {
  const { verify, reasons, log } = await verifying(
    await joe(),
    await joe({ name: 'off@example.test', status: 'disabled' }),
    await joe({ name: 'no@example.test', status: 'noaccess' }),
    await joe({ name: 'gone@example.test', status: 'deleted' }),
    account({ name: 'bare@example.test' }),
    await joe({ name: 'hashed@example.test', credentials: { DEFAULT: await credential('pencil', 1, false) } }),
  );
  const tries: [VerifyRequest, string][] = [
    [plain('joe', 'wrong-one'), 'wrong-secret'],
    [plain('joe', ''), 'wrong-secret'],
    [plain('nobody', 'pencil'), 'no-such-account'],
    [plain('off', 'pencil'), 'status'],
    [plain('off', 'wrong-one'), 'status'],
    [plain('no', 'pencil'), 'status'],
    [plain('gone', 'pencil'), 'status'],
    [plain('bare', 'pencil'), 'no-credential'],
    [apop('joe', 'wrong-one'), 'wrong-secret'],
    [apop('hashed', 'pencil'), 'no-secret-kept'],
    [apop('nobody', 'pencil'), 'no-such-account'],
  ];
  for (const [request] of tries) isRefused(await verify(request), 'bad-credentials');
  assert.equal(
    reasons(),
    tries.map(([, reason]) => reason),
  );
  assert.not.match(JSON.stringify(log.entries), /pencil|wrong-one/);
});

test('the home of shared mailboxes lets nobody in, by whatever password, and says so to the log alone', async () => {
  const home = await joe({ name: 'shared@example.test', kind: 'shared' }); // with a password, which no command gives it
  const { verify, reasons } = await verifying(home);
  for (const service of ['POP', 'IMAP', 'PWD'] as const)
    isRefused(await verify(plain('shared', 'pencil', service)), 'bad-credentials', service);
  isRefused(await verify(apop('shared', 'pencil')), 'bad-credentials');
  assert.equal(reasons(), ['no-credential', 'no-credential', 'no-credential', 'no-credential']);
});

test('RFC 1939 §7: APOP proves the password to the timestamp it was made for', async () => {
  const { verify } = await verifying(await joe());
  assert.ok((await verify(apop('joe', 'pencil'))).ok);
  const { proof } = apop('joe', 'pencil', '<2@h>');
  isRefused(
    await verify({ ...apop('joe', 'x'), proof: { ...proof, timestamp: '<3@h>' } as typeof proof }),
    'bad-credentials',
  );
});

test('a stale directory is freshened first; one that can not be is a temporary refusal, right password or wrong', async () => {
  const { verify, directory, reasons } = await verifying(await joe());
  directory.fresh = false;
  assert.ok((await verify(plain('joe', 'pencil'))).ok);
  assert.is(directory.freshened(), 1);
  directory.fresh = false;
  directory.freshens = false;
  for (const secret of ['pencil', 'wrong']) isRefused(await verify(plain('joe', secret)), 'unavailable');
  isRefused(await verify(plain('nobody', 'x')), 'unavailable');
  assert.equal(reasons(), ['stale-directory', 'stale-directory', 'stale-directory']);
});

test('the old password whose hash was being computed when it was changed is refused', async () => {
  const { verify, directory, reasons } = await verifying(await joe());
  const changed = await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } });
  const answer = verify(plain('joe', 'pencil')); // runs as far as the hash
  directory.put(changed);
  isRefused(await answer, 'bad-credentials');
  assert.equal(reasons(), ['credential-changed']);
});

test('an account disabled, deleted, made anew, moved, or given an own POP password during the hash is refused', async () => {
  const pencil = await joe();
  const cases: [Partial<Account>, string, string][] = [
    [{ status: 'disabled' }, 'bad-credentials', 'status'],
    [{ deleted: true, status: 'deleted', credentials: {} }, 'bad-credentials', 'no-such-account'],
    [{ id: 'id-other' }, 'bad-credentials', 'no-such-account'],
    [{ mailHost: 'n2' }, 'unavailable', 'moved'],
    [
      { credentials: { ...pencil.credentials, POP: await credential('own', 2) } },
      'bad-credentials',
      'credential-changed',
    ],
  ];
  for (const [change, refusal, reason] of cases) {
    const { verify, directory, reasons } = await verifying(pencil);
    const answer = verify(plain('joe', 'pencil'));
    directory.put({ ...pencil, version: 2, ...change });
    isRefused(await answer, refusal, reason);
    assert.equal(reasons(), [reason]);
  }
});

test('freshness that lapses during the hash is sought again, and its lack is a temporary refusal', async () => {
  const { verify, directory } = await verifying(await joe());
  const first = verify(plain('joe', 'pencil'));
  directory.fresh = false;
  assert.ok((await first).ok);
  assert.is(directory.freshened(), 1);
  const second = verify(plain('joe', 'crayon'));
  const third = verify(plain('joe', 'pencil'));
  directory.fresh = false;
  directory.freshens = false;
  isRefused(await second, 'bad-credentials');
  isRefused(await third, 'unavailable');
});

test('a warm cache does not answer for the password that was changed', async () => {
  const { verify, directory, cache } = await verifying(await joe());
  assert.ok((await verify(plain('joe', 'pencil'))).ok);
  assert.is(cache.size, 1);
  assert.ok((await verify(plain('joe', 'pencil'))).ok);
  directory.put(await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } }));
  isRefused(await verify(plain('joe', 'pencil')), 'bad-credentials');
  assert.ok((await verify(plain('joe', 'crayon'))).ok);
});

test('a wrong password costs the configured rounds, of however few the hash that is kept', async () => {
  const around = await surroundings(await joe()); // 4096 rounds
  const cache = createVerificationCache({ clock: around.clock, lifetimeMs: 60_000, maxEntries: 100 });
  const verify = verifier({
    ...around.options,
    cache,
    decoy: decoyCredential({ ...credentials, iterations: 400_000 }),
  });
  const costOf = async (name: string): Promise<number> => {
    const before = process.cpuUsage(); // of all threads: hashing is done in others
    isRefused(await verify(plain(name, 'wrong')), 'bad-credentials');
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const [unknown, known] = [await costOf('nobody'), await costOf('joe')];
  assert.ok(known > unknown / 4, `${known} µs for a known name, ${unknown} µs for an unknown one`); // 1:100 otherwise
});

test('a wrong password is never remembered', async () => {
  const { verify, cache } = await verifying(await joe());
  await verify(plain('joe', 'wrong'));
  await verify(plain('nobody', 'wrong'));
  assert.is(cache.size, 0);
});

test('the authenticator answers on the bus, and stops', async () => {
  const { ask, authenticator, bus } = await served(await joe());
  const answer = (await ask('verify', plain('joe', 'pencil'))) as { ok: boolean };
  assert.ok(answer.ok);
  await authenticator.stop();
  let failure: unknown;
  await ask('verify', plain('joe', 'pencil')).catch((error) => {
    failure = error.failure;
  });
  assert.is(failure, 'no-responders');
  await bus.close();
});

test.run();
