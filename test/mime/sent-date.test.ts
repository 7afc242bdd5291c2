/** The sent date: RFC 5256 §2.2, RFC 5322 §3.3 and §4.3, and dates as they come. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dayNumber, sentDate } from '../../mime/sent-date.ts';

const ROWS: readonly (readonly [what: string, value: string, utc: string, day: string])[] = [
  ['RFC 5256 §2.2: its example', '31 Dec 2000 16:01:33 -0800', '2001-01-01T00:01:33Z', '2000-12-31'],
  ['RFC 5322 §3.3: whole', 'Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06Z', '1997-11-21'],
  ['without seconds', 'Fri, 21 Nov 1997 09:55 +0130', '1997-11-21T08:25:00Z', '1997-11-21'],
  ['a leap second', '31 Dec 1998 23:59:60 +0000', '1999-01-01T00:00:00Z', '1998-12-31'],
  ['RFC 5322 A.6.2: two digits and comments', '21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06Z', '1997-11-21'],
  [
    'RFC 5322 A.6.3: space everywhere',
    'Fri, 21 Nov 1997 09(comment):   55  :  06 -0600',
    '1997-11-21T15:55:06Z',
    '1997-11-21',
  ],
  [
    'RFC 5322 A.5: a comment that names a zone',
    'Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)',
    '1969-02-14T03:02:00Z',
    '1969-02-13',
  ],
  [
    'comments in comments, and quoted parentheses',
    '(a (b) \\) c) 1 Jan 2000 00:00 +0000',
    '2000-01-01T00:00:00Z',
    '2000-01-01',
  ],
  ['RFC 5322 §4.3: a two-digit year below 50', '1 Jan 49 00:00 +0000', '2049-01-01T00:00:00Z', '2049-01-01'],
  ['RFC 5322 §4.3: a two-digit year from 50 on', '1 Jan 50 00:00 +0000', '1950-01-01T00:00:00Z', '1950-01-01'],
  ['RFC 5322 §4.3: a three-digit year', '1 Jan 105 00:00 +0000', '2005-01-01T00:00:00Z', '2005-01-01'],
  ['RFC 5322 §4.3: EST', '1 Jul 2004 12:00 EST', '2004-07-01T17:00:00Z', '2004-07-01'],
  ['RFC 5322 §4.3: PDT', '1 Jul 2004 12:00 PDT', '2004-07-01T19:00:00Z', '2004-07-01'],
  ['RFC 5322 §4.3: military zones are UTC', '1 Jul 2004 12:00 A', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['RFC 5322 §4.3: and so are unknown ones', '1 Jul 2004 12:00 CEST', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['RFC 5256 §2.2: an invalid zone is UTC', '1 Jul 2004 12:00 +9999', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['a zone of three digits is invalid', '1 Jul 2004 12:00 +100', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['no zone is UTC', '1 Jul 2004 12:00', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['RFC 5256 §2.2: an invalid time is midnight', '1 Jul 2004 25:61 +0000', '2004-07-01T00:00:00Z', '2004-07-01'],
  ['midnight in its zone', '1 Jul 2004 aa:bb +0200', '2004-06-30T22:00:00Z', '2004-07-01'],
  ['no time', '1 Jul 2004', '2004-07-01T00:00:00Z', '2004-07-01'],
  ['no comma, a full weekday and month', 'Thursday 1 July 2004 12:00 +0000', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['dashes', '01-Jul-2004 12:00:00 -0100', '2004-07-01T13:00:00Z', '2004-07-01'],
  ['as ctime writes it', 'Thu Jul  1 12:00:00 2004', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['as ctime writes it, with a zone', 'Thu Jul  1 12:00:00 +0200 2004', '2004-07-01T10:00:00Z', '2004-07-01'],
  ['dots in the time', '1 Jul 2004 12.30.15 +0000', '2004-07-01T12:30:15Z', '2004-07-01'],
  ['fractions of a second', '1 Jul 2004 12:30:15.123 +0100', '2004-07-01T11:30:15Z', '2004-07-01'],
  ['GMT with an offset', '1 Jul 2004 12:00:00 GMT+0200', '2004-07-01T10:00:00Z', '2004-07-01'],
  ['a weekday that is wrong', 'Mon, 1 Jul 2004 12:00 +0000', '2004-07-01T12:00:00Z', '2004-07-01'],
  ['29 February in a leap year', '29 Feb 2000 00:00 +0000', '2000-02-29T00:00:00Z', '2000-02-29'],
];
for (const [what, value, utc, day] of ROWS)
  test(`${what}: ${JSON.stringify(value)}`, () => {
    const date = sentDate(value)!;
    assert.is(new Date(date.utcMs).toISOString(), utc.replace('Z', '.000Z'));
    assert.is(new Date(date.day * 86_400_000).toISOString().slice(0, 10), day);
  });

test('where there is no date there is none', () => {
  const none = [
    '',
    'tomorrow',
    '30 Feb 2004 12:00 +0000',
    '32 Jan 2004',
    '0 Jan 2004',
    '1 Foo 2004',
    'Jan 2004',
    '1 Jan',
    '1 Jan 0099',
    '1 Jan 12:00',
    '2004-07-01 12:00',
    '(1 Jan 2004)',
    '1 Jan 20041',
    '29 Feb 1900',
  ];
  for (const value of none) assert.is(sentDate(value), undefined, value);
});

test('the day of a search program is counted as that of a message', () => {
  assert.is(sentDate('1 Feb 1994 23:00:00 -0800')!.day, dayNumber(1994, 2, 1));
  assert.is(dayNumber(1970, 1, 1), 0);
  assert.is(dayNumber(1969, 12, 31), -1);
  assert.is(dayNumber(50, 3, 1), Date.parse('0050-03-01') / 86_400_000);
  assert.is(dayNumber(9999, 12, 31), Date.parse('9999-12-31') / 86_400_000);
});

test('hostile: any token repeated without end gives an answer', () => {
  for (const piece of ['(', ')', '\\', '1 ', ':', 'Jan ', '+', 'a', '1 Jan 2004 (', '(()'])
    assert.ok(sentDate(piece.repeat(100_000)) === undefined || piece.startsWith('1 Jan'), piece);
});

test('property: dates written as the RFC says are read as they were', () =>
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1900-01-02'), max: new Date('2999-12-30'), noInvalidDate: true }),
      fc.integer({ min: -719, max: 719 }),
      (date, zone) => {
        const ms = Math.floor(date.getTime() / 1000) * 1000;
        const [weekday, day, month, year, time] = new Date(ms + zone * 60_000).toUTCString().split(' ');
        const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60].map((n) =>
          String(n).padStart(2, '0'),
        );
        const value = `${weekday} ${day} ${month} ${year} ${time} ${zone < 0 ? '-' : '+'}${hours}${minutes}`;
        assert.is(sentDate(value)?.utcMs, ms, value);
      },
    ),
    { numRuns: 500, seed: 5322 },
  ));

test('property: nothing throws', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom('1', '31', 'Jan', 'feb', '2004', '99', ':', '+', '-', '0100', ' ', '(', ')', 'GMT', ',', '\\'),
      ),
      (parts) => {
        const date = sentDate(parts.join(''));
        assert.ok(date === undefined || (Number.isInteger(date.utcMs) && Number.isInteger(date.day)));
      },
    ),
    { numRuns: 2000, seed: 5323 },
  ));

test.run();
