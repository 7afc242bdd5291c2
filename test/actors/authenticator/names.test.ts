/** What a client may call an account, and what an account may be called. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accountName, canonicalName } from '../../../actors/authenticator/names.ts';

const named = (text: string) => accountName(text, 'example.test');

test('a bare login belongs to the default domain, and letters are folded (D-08)', () => {
  assert.is(canonicalName('JOE', 'example.test'), 'joe@example.test');
  assert.is(canonicalName('Joe@Other.Test', 'example.test'), 'joe@other.test');
  assert.equal(named('Joe'), { ok: true, value: 'joe@example.test' });
});

test('only ASCII letters are folded', () => {
  assert.is(canonicalName('\u212A@example.test', ''), '\u212A@example.test'); // the Kelvin sign is no k
});

test('RFC 5321 §4.1.2: Dot-string and Domain are what a name may be made of', () => {
  for (const good of ["o'neil", 'a.b.c', 'x+y', 'a@b', '{x}|~@a-1.b', `${'l'.repeat(64)}@d`, `a@${'d'.repeat(63)}.e`]) {
    assert.ok(named(good).ok, good);
  }
  for (const bad of [
    '',
    '@',
    'a@',
    '@b',
    '.a',
    'a.',
    'a..b',
    'a b',
    '"a"',
    'a@b@c',
    'a@-b',
    'a@b-',
    'a@b..c',
    'a@b_c',
  ]) {
    assert.not.ok(named(bad).ok, bad);
  }
  for (const bad of [
    'a\n',
    'a\0b',
    'a@b\r',
    'm\u00FCller',
    'a@[1.2.3.4]',
    `${'l'.repeat(65)}@d`,
    `a@${'d'.repeat(64)}`,
  ]) {
    assert.not.ok(named(bad).ok, JSON.stringify(bad));
  }
  assert.not.ok(named(`a@${'d.'.repeat(127)}toolong`).ok);
});

test('anyone and anonymous can not be accounts, in any domain and case (I-09)', () => {
  for (const reserved of ['anyone', 'Anonymous', 'ANYONE@other.test']) {
    const answer = named(reserved);
    assert.ok(!answer.ok && /reserved/.test(answer.refusal), reserved);
  }
});

test('whatever is accepted is its own canonical name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.domain(), (localPart, domain) => {
      const answer = named(`${localPart}@${domain}`);
      if (answer.ok) assert.equal(named(answer.value), answer);
    }),
  );
});

test.run();
