/** Keys, values and suggestions as error texts print them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest, printKey, show } from '../../config/problem.ts';

test('a key is spelt as TOML spells it, entries of a list counted from 1', () => {
  assert.is(printKey(['listener', 1, 'port']), 'listener#2.port');
  assert.is(printKey(['pop3', 'a b']), 'pop3."a b"');
  assert.is(printKey(['']), '""');
});

test('a value is shown short, on one line, and no table is shown', () => {
  assert.is(show('a\nb\u2028\u009b'), '"a\\nb\\u2028\\u009b"');
  assert.is(show({ password: 'x' }), 'a table');
  assert.is(show(['x']), 'a list');
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const shown = show(value);
      assert.ok(!/[\n\r\u2028]/.test(shown) && shown.length < 600);
    }),
  );
});

test('the nearest word is found through swapped, missing, doubled and replaced letters', () => {
  const known = ['idle-timeout', 'login-failures', 'me', 'path', 'port'];
  assert.is(nearest('idel-timeout', known), 'idle-timeout');
  assert.is(nearest('IdleTimeout', known), 'idle-timeout');
  assert.is(nearest('idle_timeout', known), 'idle-timeout');
  assert.is(nearest('login-failure', known), 'login-failures');
  assert.is(nearest('prot', known), 'port');
  assert.is(nearest('mee', known), 'me');
});

test('a word like none of them has no nearest', () => {
  assert.is(nearest('certificate', ['idle-timeout', 'me', 'port']), undefined);
  assert.is(nearest('xy', ['me']), undefined);
  assert.is(nearest('x', []), undefined);
  assert.is(nearest('x'.repeat(1_000_000), ['idle-timeout']), undefined);
});

test.run();
