/** What SORT and THREAD know of a message: RFC 5256 §3, RFC 5957 §3. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareRows, type SortBy, type SortRow, sentMs, sortKeys } from '../../mime/sort-keys.ts';
import type { HeaderValues } from '../../mime/structure.ts';
import { octetsOf } from '../properties/cuts.ts';

const values = (header: { readonly [name in keyof HeaderValues]: string }): HeaderValues =>
  Object.fromEntries(Object.entries(header).map(([name, value]) => [name, octetsOf(value)]));
const keysOf = (header: { readonly [name in keyof HeaderValues]: string }) => sortKeys(values(header));

test('RFC 5256 §3: what is absent is the empty string, and there is no sent date', () => {
  assert.equal(keysOf({}), {
    cc: '',
    from: '',
    to: '',
    displayFrom: '',
    displayTo: '',
    baseSubject: '',
    isReplyOrForward: false,
    sent: undefined,
    messageId: undefined,
    references: [],
    inReplyTo: undefined,
  });
});

test('FROM, TO and CC are the local part of the first address, without case', () => {
  const keys = keysOf({ from: 'Fred <foobar@Blurdybloop.com>, x@y', to: 'mooch@owatagu.siam.edu', cc: '"q r"@x, a@b' });
  assert.equal([keys.from, keys.to, keys.cc], ['FOOBAR', 'MOOCH', 'Q R']);
});

test('a group that comes first sorts by its name', () => {
  assert.is(keysOf({ to: 'A Group: x@y;' }).to, 'A GROUP');
});

test('RFC 5957 §3: the name, decoded, or else the whole address, or what there is of it', () => {
  assert.is(
    keysOf({ from: '=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>' }).displayFrom,
    'KELD JØRN SIMONSEN',
  );
  assert.is(keysOf({ from: '"B. User" <b@x>' }).displayFrom, 'B. USER');
  assert.is(keysOf({ from: '"" <b@X>' }).displayFrom, 'B@X');
  assert.is(keysOf({ to: 'b@x.example' }).displayTo, 'B@X.EXAMPLE');
  assert.is(keysOf({ to: 'Friends: b@x;' }).displayTo, 'FRIENDS');
});

test('RFC 6532: raw UTF-8 in names, local parts and subjects', () => {
  const keys = keysOf({ from: 'Ren\xc3\xa9 <ren\xc3\xa9@x>', subject: 'Caf\xc3\xa9' });
  assert.equal([keys.from, keys.displayFrom, keys.baseSubject], ['RENE\u0301', 'RENE\u0301', 'CAFE\u0301']);
});

test('the base subject is taken of the decoded subject', () => {
  const keys = keysOf({ subject: '=?utf-8?Q?Re=3A_caf=C3=A9?=\r\n (fwd)' });
  assert.equal([keys.baseSubject, keys.isReplyOrForward], ['CAFE\u0301', true]);
});

test('identifiers and the sent date', () => {
  const keys = keysOf({
    messageId: ' <1@x>',
    references: '<"2"@x> <3@x>',
    inReplyTo: 'you <4@x> <5@x>',
    date: '1 Jan 2000 12:00 +0100',
  });
  assert.equal([keys.messageId, keys.references, keys.inReplyTo], ['1@x', ['2@x', '3@x'], '4@x']);
  assert.is(keys.sent?.utcMs, Date.UTC(2000, 0, 1, 11));
});

test('keys have an end, and no half of a character at it', () => {
  const { baseSubject } = keysOf({ subject: `a${'\xf0\x9f\x98\x80'.repeat(4000)}` });
  assert.is(baseSubject.length, 2047);
  assert.ok(baseSubject.endsWith('😀'));
});

const row = (sequence: number, header: Parameters<typeof keysOf>[0], arrivalMs = 0, sizeOctets = 0): SortRow => ({
  sequence,
  arrivalMs,
  sizeOctets,
  keys: keysOf(header),
});
function sorted(rows: readonly SortRow[], ...criteria: (SortBy | `REVERSE ${SortBy}`)[]): number[] {
  const order = compareRows(
    criteria.map((it) => ({ by: it.replace('REVERSE ', '') as SortBy, reverse: it.startsWith('REVERSE ') })),
  );
  return [...rows].sort(order).map(({ sequence }) => sequence);
}

test('RFC 5256 §3: criteria in their order, and the mailbox at last', () => {
  const rows = [
    row(1, { subject: 'b' }, 5, 9),
    row(2, { subject: 'Re: A' }, 5, 7),
    row(3, { subject: 'a' }, 3, 8),
    row(4, {}, 4, 7),
  ];
  assert.equal(sorted(rows, 'SUBJECT'), [4, 2, 3, 1]);
  assert.equal(sorted(rows, 'SUBJECT', 'ARRIVAL'), [4, 3, 2, 1]);
  assert.equal(sorted(rows, 'ARRIVAL'), [3, 4, 1, 2]);
  assert.equal(sorted(rows, 'SIZE'), [2, 4, 3, 1]);
});

test('RFC 5256 §3: REVERSE turns one criterion, and not the order of the mailbox', () => {
  const rows = [row(1, { from: 'a@x' }), row(2, { from: 'b@x' }), row(3, { from: 'b@x' })];
  assert.equal(sorted(rows, 'REVERSE FROM'), [2, 3, 1]);
  assert.equal(sorted(rows, 'REVERSE FROM', 'REVERSE SIZE'), [2, 3, 1]);
});

test('RFC 5256 §2.2: a message without a date is sorted by its arrival', () => {
  const dated = row(1, { date: '1 Jan 2000 00:00 +0000' }, 0);
  const undated = row(2, { date: 'never' }, Date.UTC(1999, 0, 1));
  assert.is(sentMs(undated), Date.UTC(1999, 0, 1));
  assert.equal(sorted([dated, undated], 'DATE'), [2, 1]);
});

test('each criterion sorts by its own field', () => {
  const name = { CC: 'cc', DISPLAYFROM: 'from', DISPLAYTO: 'to', FROM: 'from', SUBJECT: 'subject', TO: 'to' } as const;
  for (const [by, field] of Object.entries(name))
    assert.equal(sorted([row(1, { [field]: 'b' }), row(2, { [field]: 'a' })], by as SortBy), [2, 1], by);
});

test('property: no field makes it throw, and an order is one', () =>
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 8, maxLength: 8 }),
      ([date, subject, from, to, cc, messageId, references, inReplyTo]) => {
        const keys = sortKeys({
          date: date!,
          subject: subject!,
          from: from!,
          to: to!,
          cc: cc!,
          messageId: messageId!,
          references: references!,
          inReplyTo: inReplyTo!,
        });
        const a = { sequence: 1, arrivalMs: 0, sizeOctets: 0, keys };
        const b = row(2, { subject: 'm', from: 'm@m' });
        for (const by of [
          'ARRIVAL',
          'CC',
          'DATE',
          'DISPLAYFROM',
          'DISPLAYTO',
          'FROM',
          'SIZE',
          'SUBJECT',
          'TO',
        ] as const) {
          const order = compareRows([{ by, reverse: false }]);
          assert.is(Math.sign(order(a, b)), -Math.sign(order(b, a)));
        }
      },
    ),
    { numRuns: 500, seed: 5957 },
  ));

test.run();
