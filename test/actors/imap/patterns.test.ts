/** Patterns of LIST (RFC 9051 §6.3.9). */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pattern } from '../../../actors/imap/patterns.ts';

const matches = (pattern: string, name: string): boolean => new Pattern(pattern).matches(name);

test('* crosses levels and % does not', () => {
  assert.ok(matches('*', 'a/b/c'));
  assert.ok(matches('%', 'a'));
  assert.not(matches('%', 'a/b'));
  assert.ok(matches('%/%', 'a/b'));
  assert.ok(matches('a*c', 'a/b/c'));
  assert.not(matches('a%c', 'a/b/c'));
  assert.ok(matches('a%b*', 'axbx/y'));
});

test('either may stand for nothing, and nothing else is left over', () => {
  assert.ok(matches('a*', 'a'));
  assert.ok(matches('a%', 'a'));
  assert.ok(matches('*a%', 'a'));
  assert.not(matches('a', 'ab'));
  assert.not(matches('ab', 'a'));
  assert.ok(matches('', ''));
});

test('runs of wildcards are what the stronger of them is', () => {
  assert.ok(matches('%%%*%%', 'a/b'));
  assert.ok(matches('%%', 'ab'));
  assert.not(matches('%%', 'a/b'));
});

test('INBOX is matched in any case, and its inferiors below it (RFC 9051 §5.1)', () => {
  assert.ok(matches('inbox', 'INBOX'));
  assert.ok(matches('InBox/%', 'INBOX/x'));
  assert.ok(matches('in%', 'INBOX'));
  assert.not(matches('inboxes', 'INBOX'));
  assert.not(matches('a', 'A'), 'other names have their case');
});

test('a pattern with more wildcards than are accepted matches nothing, and quickly', () => {
  assert.not(matches('%a'.repeat(20_000), 'a'.repeat(1000)));
  assert.not(matches(`${'*a'.repeat(12)}b`, 'a'.repeat(1000)));
});

test('reaches tells whether names below a level can match', () => {
  const reaches = (pattern: string) => new Pattern(pattern).reaches('user');
  for (const pattern of ['*', '%', 'u%', 'user', 'user/%', 'user/joe', 'use*']) assert.ok(reaches(pattern), pattern);
  for (const pattern of ['INBOX', 'users', 'a%', 'shared/*']) assert.not(reaches(pattern), pattern);
});

test('a pattern agrees with the regular expression that it stands for', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '/', '*', '%'), { maxLength: 10 }).map((all) => all.join(''));
  const name = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 10 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, name, (pattern, given) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('%', '[^/]*')}$`);
      assert.is(matches(pattern, given), expression.test(given), `${pattern} and ${given}`);
    }),
    { numRuns: 2000 },
  );
});

test.run();
