/** What makes an operator's message good, and each way in which one is not: nothing that is not proved is believed. */
import { generateKeyPairSync, sign as signOctets } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AdminMessage } from '../../../cluster/admin/message.ts';
import {
  audienceOf,
  CLOCK_SKEW_MS,
  MAX_LIFETIME_MS,
  MAX_MESSAGE_OCTETS,
  openMessage,
  signMessage,
} from '../../../cluster/admin/message.ts';
import { keySetOf, operator } from './world.ts';

const NOW = 1_700_000_000_000;
const boss = operator('boss');
const stranger = operator('stranger');
const keys = keySetOf(boss.publicJwk);
const audience = audienceOf('demo', 'fingerprint');
const options = { keys, audience, me: 'n1', nowMs: NOW };
const good: AdminMessage = {
  verb: 'kick',
  arguments: { account: 'joe@example.test' },
  id: 'abcdefghijklmnopqrstuv',
  audience,
  answerTo: { kty: 'OKP', crv: 'X25519', x: 'JWK7uVGpUXu5Fkj4T9vJMQxOSVcGRJoWV0sI9kZvQ3A' },
  issuedAtMs: NOW,
  expiresAtMs: NOW + 30_000,
};

async function reasonFor(octets: Uint8Array, given = options): Promise<string> {
  const opened = await openMessage(octets, given);
  return opened.ok ? 'taken' : opened.refusal.reason;
}
const signed = (changed: Partial<AdminMessage>, by = boss) => signMessage(by.key, { ...good, ...changed });
const reasonOf = async (changed: Partial<AdminMessage>): Promise<string> => reasonFor(await signed(changed));

/** Any header and payload, signed as `boss` would. */
const handMade = (header: object, payload: string): Uint8Array => {
  const text = [JSON.stringify(header), payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return Buffer.from(`${text}.${signOctets(null, Buffer.from(text), boss.key.key).toString('base64url')}`);
};
const HEADER = { alg: 'EdDSA', kid: 'boss', typ: 'homing-admin+jwt' };

test('a message is opened as it was signed, with the name of the key', async () => {
  const opened = await openMessage(await signed({}), options);
  assert.ok(opened.ok);
  assert.equal(opened.value, { operator: 'boss', message: good });
  assert.is(await reasonOf({ to: 'n1' }), 'taken');
});

test('for another cluster, one of the same name, or another node: refused', async () => {
  assert.is(await reasonOf({ audience: audienceOf('other', 'fingerprint') }), 'other-cluster');
  assert.is(await reasonOf({ audience: audienceOf('demo', 'another key') }), 'other-cluster');
  assert.is(await reasonOf({ to: 'n2' }), 'other-node');
  assert.is(await reasonOf({ to: '' }), 'other-node');
});

test('expired, not yet valid, or to live longer than a minute: refused, to the millisecond', async () => {
  const until = (expiresAtMs: number) => reasonOf({ issuedAtMs: expiresAtMs - 30_000, expiresAtMs });
  assert.is(await until(NOW - CLOCK_SKEW_MS), 'expired');
  assert.is(await until(NOW - CLOCK_SKEW_MS + 1), 'taken');
  const from = (issuedAtMs: number) => reasonOf({ issuedAtMs, expiresAtMs: issuedAtMs + 30_000 });
  assert.is(await from(NOW + CLOCK_SKEW_MS), 'taken');
  assert.is(await from(NOW + CLOCK_SKEW_MS + 1), 'not-yet');
  assert.is(await reasonOf({ expiresAtMs: NOW + MAX_LIFETIME_MS }), 'taken');
  assert.is(await reasonOf({ expiresAtMs: NOW + MAX_LIFETIME_MS + 1 }), 'lives-too-long');
  assert.is(await reasonOf({ expiresAtMs: NOW }), 'lives-too-long');
  assert.is(await reasonOf({ issuedAtMs: 0, expiresAtMs: NOW + 1 }), 'lives-too-long');
});

test('an unknown key, and a known name on another key, are refused', async () => {
  assert.is(await reasonFor(await signed({}, stranger)), 'unknown-key');
  const pretender = { ...stranger, key: { ...stranger.key, kid: 'boss' } };
  assert.is(await reasonFor(await signed({}, pretender)), 'signature');
  assert.is(await reasonFor(await signed({}), { ...options, keys: new Map() }), 'unknown-key');
});

test('a message changed in any octet is refused', async () => {
  const octets = await signed({});
  for (let at = 0; at < octets.length; at++) {
    const changed = Buffer.from(octets);
    changed[at] = changed[at]! ^ 1;
    const opened = await openMessage(changed, options);
    // The last character of base64url has bits that stand for nothing: then it is the same message.
    if (opened.ok) assert.equal([at, opened.value.message], [octets.length - 1, good]);
  }
});

test('unsigned, or "signed" by a secret that is the public key: refused by the algorithm', async () => {
  const claims = Buffer.from((await signed({})).toString().split('.')[1]!, 'base64url');
  const none = Buffer.from(JSON.stringify({ ...HEADER, alg: 'none' })).toString('base64url');
  assert.is(await reasonFor(Buffer.from(`${none}.${claims.toString('base64url')}.`)), 'algorithm');
  assert.is(await reasonFor(Buffer.from(`${claims.toString('base64url')}`)), 'malformed');
  const secret = Buffer.from(boss.publicJwk.x, 'base64url');
  const confused = await new CompactSign(claims).setProtectedHeader({ ...HEADER, alg: 'HS256' }).sign(secret);
  assert.is(await reasonFor(Buffer.from(confused)), 'algorithm');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const other = await new CompactSign(claims).setProtectedHeader({ ...HEADER, alg: 'RS256' }).sign(rsa);
  assert.is(await reasonFor(Buffer.from(other)), 'algorithm');
  assert.is(await reasonFor(handMade(HEADER, claims.toString())), 'taken', 'the hand-made one is as good');
});

test('a header that says anything else, or brings its own key, is refused', async () => {
  const payload = Buffer.from((await signed({})).toString().split('.')[1]!, 'base64url').toString();
  const { key } = stranger.key;
  for (const header of [
    { ...HEADER, typ: 'JWT' },
    { ...HEADER, typ: 'homing-admin-answer+jwt' },
    { alg: 'EdDSA', typ: HEADER.typ },
    { ...HEADER, kid: 7 },
    { ...HEADER, kid: 'bo ss' },
    { ...HEADER, jwk: stranger.publicJwk },
    { ...HEADER, crit: ['b64'], b64: false },
    { ...HEADER, crit: ['exp'] },
  ])
    assert.is(await reasonFor(handMade(header, payload)), 'malformed', JSON.stringify(header));
  const own = await new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ ...HEADER, jwk: stranger.publicJwk })
    .sign(key);
  assert.is(await reasonFor(Buffer.from(own)), 'malformed');
});

test('claims that are missing, or are something else, are refused although they are signed', async () => {
  const claims = JSON.parse(
    Buffer.from((await signed({ to: 'n1' })).toString().split('.')[1]!, 'base64url').toString(),
  );
  assert.is(await reasonFor(handMade(HEADER, JSON.stringify(claims))), 'taken');
  for (const key of Object.keys(claims).filter((each) => each !== 'to')) {
    const { [key]: _left, ...others } = claims;
    assert.is(await reasonFor(handMade(HEADER, JSON.stringify(others))), 'claims', key);
    for (const value of [null, [], {}, '', 1e300, true].filter(
      (each) => key !== 'arguments' || typeof each !== 'object',
    ))
      assert.not.equal(await reasonFor(handMade(HEADER, JSON.stringify({ ...claims, [key]: value }))), 'taken', key);
  }
  for (const to of [null, 7, ['n1']])
    assert.is(await reasonFor(handMade(HEADER, JSON.stringify({ ...claims, to }))), 'claims');
  for (const payload of ['{', 'null', '[]', '"x"', '{"aud"', '\u{fffd}'])
    assert.is(await reasonFor(handMade(HEADER, payload)), 'claims', payload);
});

test('too large is refused before it is looked at', async () => {
  assert.is(await reasonOf({ arguments: { text: 'x'.repeat(MAX_MESSAGE_OCTETS) } }), 'too-large');
  assert.is(await reasonOf({ arguments: { text: 'x'.repeat(MAX_MESSAGE_OCTETS / 2) } }), 'taken');
});

test('whatever the octets, there is a refusal and nothing is thrown', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc
          .tuple(fc.json(), fc.string(), fc.string())
          .map((parts) => Buffer.from(parts.map((part) => Buffer.from(part).toString('base64url')).join('.'))),
        fc.json().map((payload) => handMade(HEADER, payload)),
        fc
          .dictionary(fc.constantFrom('alg', 'kid', 'typ', 'crit', 'b64', 'jwk'), fc.jsonValue())
          .map((header) => handMade({ ...HEADER, ...header }, '{}')),
      ),
      async (octets) => assert.not.equal(await reasonFor(octets), 'taken'),
    ),
  ));

test('a key on which nothing can be agreed is no key to answer to (RFC 7748 §6.1)', async () => {
  const p = 2n ** 255n - 19n;
  const claims = (x: string) => reasonOf({ answerTo: { kty: 'OKP', crv: 'X25519', x } });
  for (const u of [0n, 1n, p - 1n, p, p + 1n]) {
    const octets = Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse(); // little-endian: RFC 7748 §5
    assert.is(await claims(octets.toString('base64url')), 'claims', String(u));
  }
  assert.is(await claims(Buffer.alloc(32, 9).toString('base64url')), 'taken');
});

test.run();
