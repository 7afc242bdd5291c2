/** Dates of IMAP, both ways. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  dayNumber,
  dayNumberOf,
  parseDate,
  parseDateTime,
  printDate,
  printDateTime,
} from '../../../protocols/imap/date-time.ts';

test('RFC 9051 §9 date-text: one or two digits, the month in any case', () => {
  assert.equal(parseDate('1-Feb-1994'), { year: 1994, month: 2, day: 1 });
  assert.equal(parseDate('01-feb-1994'), { year: 1994, month: 2, day: 1 });
  assert.equal(parseDate('29-FEB-2024'), { year: 2024, month: 2, day: 29 });
  assert.is(printDate({ year: 94, month: 12, day: 3 }), '3-Dec-0094');
});

test('days that are none are refused', () => {
  const none = [
    '',
    '0-Jan-2024',
    '32-Jan-2024',
    '29-Feb-2023',
    '29-Feb-1900',
    '31-Apr-2024',
    '1-Foo-2024',
    '1-Jan-24',
    '1-Jan-02024',
    ' 1-Jan-2024',
    '1-Jan-2024 ',
    '1 Jan 2024',
    '001-Jan-2024',
    '1-January-2024',
    '-1-Jan-2024',
  ];
  for (const text of none) assert.is(parseDate(text), undefined, text);
});

test('RFC 9051 §9 date-time: the instant, and the zone it was told in', () => {
  assert.equal(parseDateTime('17-Jul-1996 02:44:25 -0700'), {
    epochMs: Date.UTC(1996, 6, 17, 9, 44, 25),
    zoneMinutes: -420,
  });
  assert.equal(parseDateTime(' 1-Jan-1970 05:30:00 +0530'), { epochMs: 0, zoneMinutes: 330 });
  assert.equal(parseDateTime('01-Jan-1970 00:00:00 -0000'), { epochMs: 0, zoneMinutes: 0 });
  assert.equal(parseDateTime('31-Dec-2016 23:59:60 +0000'), { epochMs: Date.UTC(2017, 0, 1), zoneMinutes: 0 });
});

test('times that are none are refused', () => {
  const right = '17-Jul-1996 02:44:25 -0700';
  const wrong: readonly (readonly [string, string])[] = [
    ['02:', '24:'],
    [':44:', ':60:'],
    [':25', ':61'],
    ['-0700', '-0760'],
    ['-0700', '+2400'],
    ['-0700', ''],
    ['-0700', '0700'],
    ['-0700', '-700'],
    ['-0700', 'GMT'],
    ['17-', '1-'],
    ['17-', '  '],
    [' 02', '  02'],
    ['02:', '2:'],
    ['1996', '96'],
  ];
  assert.ok(parseDateTime(right));
  for (const [from, to] of wrong) {
    const text = right.replace(from, to);
    assert.is(parseDateTime(text), undefined, text);
  }
  assert.is(parseDateTime('31-Jun-1996 02:44:25 -0700'), undefined);
  assert.is(parseDateTime('1-Jul-1996 02:44:25 -0700'), undefined);
});

test('a day of one digit is printed with a space before it', () => {
  assert.is(printDateTime({ epochMs: 0, zoneMinutes: 0 }), ' 1-Jan-1970 00:00:00 +0000');
  assert.is(printDateTime({ epochMs: 0, zoneMinutes: -90 }), '31-Dec-1969 22:30:00 -0130');
});

test('RFC 9051 §6.4.4: the day of an instant is that of its own zone', () => {
  const late = parseDateTime('31-Jan-2024 23:30:00 -0800')!;
  assert.is(dayNumberOf(late), dayNumber({ year: 2024, month: 1, day: 31 }));
  assert.is(dayNumberOf({ ...late, zoneMinutes: 0 }), dayNumber({ year: 2024, month: 2, day: 1 }));
  assert.is(dayNumber({ year: 1970, month: 1, day: 1 }), 0);
  assert.is(dayNumber({ year: 99, month: 1, day: 1 }), -683_368);
});

const instant = fc.record(
  {
    epochMs: fc.integer({ min: -62_000_000_000, max: 253_000_000_000 }).map((seconds) => seconds * 1000),
    zoneMinutes: fc.integer({ min: -1439, max: 1439 }),
  },
  { noNullPrototype: true },
);

test('what is printed parses back to the same instant in the same zone', () => {
  fc.assert(
    fc.property(instant, (at) => assert.equal(parseDateTime(printDateTime(at)), at)),
    { numRuns: 1000 },
  );
});

test('a date that is printed parses back', () => {
  const date = fc.record(
    {
      year: fc.nat(9999),
      month: fc.integer({ min: 1, max: 12 }),
      day: fc.integer({ min: 1, max: 28 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(date, (d) => assert.equal(parseDate(printDate(d)), d)));
});

test('whatever number stands for an instant is printed as some date', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }), (epochMs, zoneMinutes) => {
      assert.ok(parseDateTime(printDateTime({ epochMs, zoneMinutes })), `${epochMs} ${zoneMinutes}`);
    }),
  );
});

test.run();
