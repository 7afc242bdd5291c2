/** Entries of the connection log as lines: rows G-11 to G-15 of the requirements. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dateText, type Entry, entryLine } from '../../telemetry/connection-entry.ts';
import { readEntry } from '../support/connection-entries.ts';

const ends = { session: 's.1', address: '192.0.2.1', port: 40_110, local: { address: '192.0.2.2', port: 110 } };
const entry: Entry = {
  wallMs: Date.UTC(2026, 10, 2, 8, 5, 9, 78),
  source: 'n1',
  code: 'O',
  ends,
  service: 'POP3',
  fields: {},
};

test('an entry is date, source, direction, code, transport, service and fields', () => {
  assert.is(
    entryLine({ ...entry, fields: { user: 'joe@example.test', mechanism: 'PASS' } }),
    '02-Nov-2026 08:05:09.07 n1 + O TCP|192.0.2.2|110|192.0.2.1|40110 POP3 session=s.1 user=joe@example.test mechanism=PASS\n',
  );
});

test('a unix socket is named by its path', () => {
  const local = { address: '/run/my|homing/pop 3', port: 0 };
  assert.match(
    entryLine({ ...entry, ends: { ...ends, address: '', port: 0, local } }),
    ' UNIX|/run/my%7Choming/pop%203 POP3 ',
  );
});

test('an IPv6 address stands as it is', () => {
  const local = { address: '::1', port: 110 };
  assert.match(
    entryLine({ ...entry, ends: { ...ends, address: '2001:db8::7', local } }),
    ' TCP|::1|110|2001:db8::7|40110 ',
  );
});

test('G-11: the date has hundredths, rounded down so that entries never seem out of order', () => {
  assert.is(dateText(Date.UTC(2026, 0, 31, 23, 59, 59, 999)), '31-Jan-2026 23:59:59.99');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      const text = dateText(ms);
      assert.match(text, /^\d\d-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4} \d\d:\d\d:\d\d\.\d\d$/);
      assert.is(Date.parse(`${text.slice(0, 20)} UTC`), Math.floor(ms / 1000) * 1000);
    }),
  );
});

test('G-15: whatever a client calls itself, an entry is one line, each field one word, and the name can be read back', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('a\r\nO', 'a b', 'a|b', '%0A', '100%', 'joe session=other', '\u2028', '\u0000', 'Zoë', ''),
  );
  fc.assert(
    fc.property(name, name, (user, reason) => {
      const line = entryLine({ ...entry, code: 'A', fields: { user, reason } });
      assert.is(line.indexOf('\n'), line.length - 1);
      assert.match(line, /^[ -~]+\n$/);
      const read = readEntry(line);
      assert.equal(Object.keys(read.fields), ['session', 'user', 'reason']);
      const wellFormed = (text: string) => Buffer.from(text).toString(); // half a surrogate pair has no UTF-8
      assert.equal(read.fields, { session: 's.1', user: wellFormed(user), reason: wellFormed(reason) });
    }),
  );
});

test.run();
