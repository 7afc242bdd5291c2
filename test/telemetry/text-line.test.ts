/** The text form of the log: readable, and not to be forged. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textLine } from '../../telemetry/text-line.ts';

const line = (entry: object) => textLine(JSON.stringify({ time: 'T', level: 'info', msg: 'ready', ...entry }));

test('a line is time, level, message, fields', () => {
  assert.is(line({ node: 'n1', count: 3, on: true, none: null }), 'T INFO  ready node=n1 count=3 on=true none=null\n');
  assert.is(
    line({ who: 'joe smith', empty: '', list: [1, 'a'] }),
    'T INFO  ready who="joe smith" empty="" list=[1,"a"]\n',
  );
});

test('hostile: no value forges a line, moves the cursor or hides text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.jsonValue(), (msg, key, value) => {
      const text = line({ msg, [`k${key}`]: value });
      assert.ok(text.endsWith('\n') && !/[\p{Cc}\u2028\u2029\u202e]/u.test(text.slice(0, -1)), text);
    }),
  );
  assert.is(line({ msg: 'a\nT ERROR b', k: '\u001b[2J\u202e' }), 'T INFO  a\\u{a}T ERROR b k="\\u001b[2J\\u{202e}"\n');
});

test.run();
