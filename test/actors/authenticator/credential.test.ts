/** Credentials against the RFCs' own vectors, and what costs what. */
import { createHash, createHmac } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decoyCredential,
  isAcceptableSecret,
  makeCredential,
  matchesApop,
  matchesSecret,
} from '../../../actors/authenticator/credential.ts';

const options = { iterations: 4096, keepPlain: true };

test('a password matches its credential and no other password does', async () => {
  const credential = await makeCredential('pencil', options);
  assert.ok(await matchesSecret(credential, 'pencil'));
  for (const wrong of ['Pencil', 'pencil ', '', 'pencil\0'])
    assert.not.ok(await matchesSecret(credential, wrong), wrong);
});

test('RFC 7677 §3: the keys verify the proof and make the signature of the example exchange', async () => {
  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  const hmac = (key: Uint8Array) => createHmac('sha256', key).update(exchange).digest();
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
  // Storing the key that the example's proof yields must make `pencil` match: RFC 5802 §3, verified from the other side.
  const storedKey = await storedKeyOf('pencil', salt);
  const clientKey = hmac(storedKey).map((octet, index) => octet ^ proof[index]!);
  assert.equal(createHash('sha256').update(clientKey).digest(), storedKey);
  const scram = { iterations: 4096, salt, storedKey: storedKey.toString('base64'), serverKey: '' };
  assert.ok(await matchesSecret({ scram }, 'pencil'));
  assert.not.ok(await matchesSecret({ scram }, 'pencils'));
});

async function storedKeyOf(secret: string, salt: string): Promise<Buffer> {
  const { pbkdf2Sync } = await import('node:crypto');
  const salted = pbkdf2Sync(secret, Buffer.from(salt, 'base64'), 4096, 32, 'sha256');
  return createHash('sha256').update(createHmac('sha256', salted).update('Client Key').digest()).digest();
}

test('the same password twice makes different credentials', async () => {
  const one = await makeCredential('pencil', options);
  const two = await makeCredential('pencil', options);
  assert.is.not(one.scram.salt, two.scram.salt);
  assert.is.not(one.scram.storedKey, two.scram.storedKey);
});

test('RFC 5802 §5.1: a password is prepared, so both ways to type it are right', async () => {
  const credential = await makeCredential('M\u00FCller\u00A01', options);
  assert.ok(await matchesSecret(credential, 'Mu\u0308ller 1'));
});

test('an empty password, one that prepares to nothing and one with controls can not be set', async () => {
  for (const secret of ['', '\u00AD', 'a\nb', '\u0000']) {
    assert.not.ok(isAcceptableSecret(secret));
    let thrown: unknown;
    await makeCredential(secret, options).catch((error) => {
      thrown = error;
    });
    assert.instance(thrown, RangeError);
  }
});

test('a password with prohibited characters is merely wrong when offered', async () => {
  assert.not.ok(await matchesSecret(await makeCredential('pencil', options), 'pencil\u0007'));
});

test('RFC 1939 §7: the example of APOP', () => {
  const credential = { ...decoyCredential(options), plain: 'tanstaaf' };
  const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
  assert.ok(matchesApop(credential, timestamp, 'c4c9334bac560ecc979e58001b3e22fb'));
  assert.not.ok(matchesApop(credential, timestamp, 'c4c9334bac560ecc979e58001b3e22fc'));
  assert.not.ok(matchesApop(credential, '<other@dbc.mtview.ca.us>', 'c4c9334bac560ecc979e58001b3e22fb'));
  assert.not.ok(matchesApop(credential, timestamp, ''));
});

test('APOP takes the digest of the password as it was set and as it is prepared, and of nothing else', async () => {
  const credential = await makeCredential('Mu\u0308ller\u00A01', options);
  const digest = (text: string) => createHash('md5').update('<1@h>').update(text).digest('hex');
  assert.ok(matchesApop(credential, '<1@h>', digest('Mu\u0308ller\u00A01')));
  assert.ok(matchesApop(credential, '<1@h>', digest('M\u00FCller 1')));
  assert.not.ok(matchesApop(credential, '<1@h>', digest('Mu\u0308ller 1')));
  assert.not.ok(matchesApop(credential, '<1@h>', digest('Muller 1')));
});

test('APOP needs the kept password; without one nothing matches', async () => {
  const credential = await makeCredential('tanstaaf', { ...options, keepPlain: false });
  assert.is(credential.plain, undefined);
  const digest = createHash('md5').update('<1@h>').update('tanstaaf').digest('hex');
  assert.not.ok(matchesApop(credential, '<1@h>', digest));
});

test('nothing matches the decoy, and it has the iterations that real credentials get', async () => {
  const decoy = decoyCredential({ ...options, iterations: 5000 });
  assert.is(decoy.scram.iterations, 5000);
  for (const secret of ['', 'pencil', decoy.scram.storedKey]) assert.not.ok(await matchesSecret(decoy, secret));
});

test.run();
