/** Message identifiers: RFC 5322 §3.6.4, in the one form that RFC 5256 §3 compares. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { messageIds } from '../../mime/message-ids.ts';

const ROWS: readonly (readonly [what: string, value: string, ids: readonly string[]])[] = [
  ['one', '<a.b@c.d>', ['a.b@c.d']],
  ['several, with folding between', '<a@b>\r\n\t<c@d> <e@f>', ['a@b', 'c@d', 'e@f']],
  ['without space between', '<a@b><c@d>', ['a@b', 'c@d']],
  ['RFC 5256 §3: its example of quoting', '<"01KF8JCEOCBS0045PS"@xxx.yyy.com>', ['01KF8JCEOCBS0045PS@xxx.yyy.com']],
  ['quoted pairs', '<"a\\"b\\\\c"@d>', ['a"b\\c@d']],
  ['brackets in quotes', '<"a>b<c"@d>', ['a>b<c@d']],
  ['a domain literal', '<a@[127.0.0.1]>', ['a@[127.0.0.1]']],
  ['case matters', '<A@b> <a@B>', ['A@b', 'a@B']],
  ['words around them', 'Your message of Monday <a@b> (x)', ['a@b']],
  ['folding inside', '<a@\r\n b>', ['a@b']],
  ['no domain, no local part, nothing', '<a> <@b> <a@> <> <@>', []],
  ['not closed', '<a@b', []],
  ['begun anew', '<a@b <c@d>', ['c@d']],
  ['a quote that nothing closes', '<"a@b> <c@d>', ['"a@b', 'c@d']],
  ['two at-signs', '<a@b@c>', ['a@b@c']],
  ['empty', '', []],
];
for (const [what, value, ids] of ROWS)
  test(`${what}: ${JSON.stringify(value)}`, () => assert.equal(messageIds(value), ids));

test('of more than a thousand the last are kept', () => {
  const ids = messageIds(Array.from({ length: 1500 }, (_, n) => `<${n}@x>`).join(' '));
  assert.equal([ids.length, ids[0], ids.at(-1)], [1000, '500@x', '1499@x']);
});

test('hostile: any piece of syntax repeated without end is passed at most twice', () => {
  for (const piece of ['<', '<"', '"', '<a@b', '<"a"', '\\', '<\\', '<"\\', '<"a>', '<a@\\'])
    assert.type(messageIds(piece.repeat(200_000)).length, 'number');
});

test('property: nothing throws, and what is found can be found again', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom('<', '>', '@', '"', '\\', 'a', ' ', '[', ']', '\r\n ')), (parts) => {
      for (const id of messageIds(parts.join(''))) if (/^a[a@]*a$/.test(id)) assert.equal(messageIds(`<${id}>`), [id]);
    }),
    { numRuns: 1000, seed: 3364 },
  ));

test.run();
