/** Address lists: RFC 5322 §3.4 and §4.4, as RFC 9051 §7.5.2 wants them told; and what becomes of broken ones. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddresses } from '../../mime/address.ts';
import { Scanner } from '../../mime/scanner.ts';

/** `name|route|mailbox|host`, `-` for what is absent. */
const parse = (text: string, most = 100) =>
  parseAddresses(new Scanner(text), most).map(({ name, route, mailbox, host }) =>
    [name, route, mailbox, host].map((part) => part ?? '-').join('|'),
  );

const rows = (title: string, table: Record<string, readonly string[]>) => {
  for (const [text, expected] of Object.entries(table))
    test(`${title}: ${JSON.stringify(text)}`, () => assert.equal(parse(text), expected));
};

rows('RFC 5322 §3.4.1', {
  'joe@x.org': ['-|-|joe|x.org'],
  'a@b, c@d': ['-|-|a|b', '-|-|c|d'],
  '"a b"@x.org': ['-|-|a b|x.org'],
  '"a\\"b\\\\c"@x.org': ['-|-|a"b\\c|x.org'],
  '""@x.org': ['-|-||x.org'],
  'joe@[127.0.0.1]': ['-|-|joe|[127.0.0.1]'],
  'joe@[IPv6:::1] , a@b': ['-|-|joe|[IPv6:::1]', '-|-|a|b'],
  '/G=a/S=b/@x400.org': ['-|-|/G=a/S=b/|x400.org'],
});

rows('RFC 5322 §3.4', {
  'Joe <joe@x.org>': ['Joe|-|joe|x.org'],
  '"Joe \\"Q\\" Doe" <joe@x.org>': ['Joe "Q" Doe|-|joe|x.org'],
  '<joe@x.org>': ['-|-|joe|x.org'],
  'Undisclosed recipients:;': ['-|-|Undisclosed recipients|-', '-|-|-|-'],
  'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;': [
    '-|-|A Group|-',
    'Ed Jones|-|c|a.test',
    '-|-|joe|where.test',
    'John|-|jdoe|one.test',
    '-|-|-|-',
  ],
  'A: a@b;, c@d': ['-|-|A|-', '-|-|a|b', '-|-|-|-', '-|-|c|d'],
});

rows('RFC 5322 §3.2.2, comments', {
  'joe@x.org (Joe Doe)': ['Joe Doe|-|joe|x.org'],
  'joe@x.org (a) (b)': ['b|-|joe|x.org'],
  'joe@x.org (a(b\\)c))': ['a(b)c)|-|joe|x.org'],
  '(before) joe@x.org': ['-|-|joe|x.org'],
  'Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>': ['Pete|-|pete|silly.test'],
});

rows('RFC 2047: encoded words are kept', {
  '=?utf-8?Q?a?= =?utf-8?Q?b?= <x@y>': ['=?utf-8?Q?a?= =?utf-8?Q?b?=|-|x|y'],
  'J\xc3\xb6rg <j@x>': ['J\xc3\xb6rg|-|j|x'],
});

rows('RFC 5322 §4.1 and §4.4, obsolete', {
  'John Q. Public <j@x>': ['John Q. Public|-|j|x'],
  'joe . doe @ x . org': ['-|-|joe.doe|x.org'],
  '"a b".c@x.org': ['-|-|a b.c|x.org'],
  '<@a,@b:joe@x>': ['-|@a,@b|joe|x'],
  'Joe <@a , , @b : joe@x>': ['Joe|@a,@b|joe|x'],
  ',a@b,,c@d,': ['-|-|a|b', '-|-|c|d'],
  'G: ,a@b,,;': ['-|-|G|-', '-|-|a|b', '-|-|-|-'],
});

rows('broken', {
  joe: ['-|-|joe|MISSING_DOMAIN'],
  '"joe"': ['joe|-|MISSING_MAILBOX|MISSING_DOMAIN'],
  'joe doe': ['joe doe|-|MISSING_MAILBOX|MISSING_DOMAIN'],
  'joe (Doe)': ['Doe|-|joe|MISSING_DOMAIN'],
  'joe@': ['-|-|joe|MISSING_DOMAIN'],
  '@x': ['-|-|MISSING_MAILBOX|x'],
  '<@x>': ['-|-|MISSING_MAILBOX|x'],
  '<>': ['-|-|MISSING_MAILBOX|MISSING_DOMAIN'],
  '<joe@x': ['-|-|joe|x'],
  '<joe@x, a@b': ['-|-|joe|x', '-|-|a|b'],
  '"Joe <joe@x>': ['Joe|-|joe|x'],
  '"Joe <joe@x>, "Bob <bob@y>': ['Joe <joe@x>,  Bob|-|bob|y'],
  'Joe <joe@x> junk "a, b" (c, d), a@b': ['Joe|-|joe|x', '-|-|a|b'],
  'joe@x <other@y>': ['joe@x|-|other|y'],
  'joe doe@x': ['joe|-|doe|x'],
  'joe@x (never closed, a@b': ['-|-|joe|x'],
  'Joe [Work] <joe@x>': ['Joe [Work]|-|joe|x'],
  'a@b;c@d': ['-|-|a|b', '-|-|c|d'],
  'A: a@b': ['-|-|A|-', '-|-|a|b', '-|-|-|-'],
  ':;': ['-|-||-', '-|-|-|-'],
  '<joe doe@x>': ['-|-|joe doe|x'],
  '<joe@doe@x>, a@b': ['-|-|joe|doe', '-|-|a|b'],
  'joe@[1.2': ['-|-|joe|1.2'],
  'joe@x>': ['-|-|joe|x'],
  '': [],
  ' \t': [],
  '()': [],
  ';,)>': [],
});

test('no more addresses than are allowed', () => {
  assert.equal(parse('a@b, c@d, e@f', 2), ['-|-|a|b', '-|-|c|d']);
  assert.equal(parse('G: a@b, c@d;', 2), ['-|-|G|-', '-|-|a|b', '-|-|-|-']);
  assert.equal(parse('a@b', 0), []);
});

const signs = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'"\\()<>@,;:.[] \t', 'a', 'b.c', '=?x?q?y?=', '\xe9'),
      fc.nat(255).map((octet) => String.fromCharCode(octet)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

test('property: any text gives addresses, each a mailbox, the start or the end of a group, and groups do not nest', () =>
  fc.assert(
    fc.property(signs, (text) => {
      let inGroup = false;
      for (const address of parseAddresses(new Scanner(text), 1000)) {
        if (address.host !== undefined) assert.is(typeof address.mailbox, 'string');
        else {
          assert.is(address.mailbox !== undefined, !inGroup, text);
          inGroup = !inGroup;
        }
      }
      assert.not.ok(inGroup);
    }),
    { numRuns: 2000, seed: 5322 },
  ));

test('hostile: the cost grows with the text, whatever it is made of', () => {
  for (const piece of [
    '"',
    '(',
    '<',
    '[',
    '@',
    ':',
    ',',
    ';',
    '\\',
    '"a',
    '(a)',
    '<@',
    'a@[',
    '<"',
    'a"(',
    '@,',
    '<a',
    '. ',
    'a:"',
  ])
    for (const length of [1000, 20_000]) {
      const value = new Scanner(piece.repeat(length));
      parseAddresses(value, Number.MAX_SAFE_INTEGER);
      assert.ok(value.steps <= 4 * value.text.length + 10, `${piece}: ${value.steps} steps for ${value.text.length}`);
    }
});

test('property: the cost grows with the text', () =>
  fc.assert(
    fc.property(signs, (text) => {
      const value = new Scanner(text.repeat(20));
      parseAddresses(value, Number.MAX_SAFE_INTEGER);
      assert.ok(value.steps <= 4 * value.text.length + 10, `${value.steps} steps`);
    }),
    { numRuns: 1000, seed: 1 },
  ));

test.run();
