/** MIME fields: RFC 2045 §5 and §6, RFC 2183, RFC 2231, RFC 3282; and what becomes of broken ones. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseContentType,
  parseDisposition,
  parseLanguages,
  parseTransferEncoding,
} from '../../mime/content-fields.ts';
import { Scanner } from '../../mime/scanner.ts';

/** `type/subtype|name=value|...` */
function contentType(text: string): string | undefined {
  const parsed = parseContentType(new Scanner(text));
  if (parsed === undefined) return undefined;
  return [`${parsed.type}/${parsed.subtype}`, ...parsed.parameters.map((pair) => pair.join('='))].join('|');
}

const rows = (title: string, table: Record<string, string | undefined>) => {
  for (const [text, expected] of Object.entries(table))
    test(`${title}: ${text}`, () => assert.is(contentType(text), expected));
};

rows('RFC 2045 §5.1', {
  'text/html': 'text/html',
  'TEXT/Plain; CHARSET=x': 'TEXT/Plain|CHARSET=x',
  '(c) text (d) / (e) plain ; a = b (f)': 'text/plain|a=b',
  'text/plain; charset=us-ascii (Plain text)': 'text/plain|charset=us-ascii',
  'text/plain; charset=us-ascii(Plain)': 'text/plain|charset=us-ascii',
  'text/plain; a="b\\"c;d"; e=f': 'text/plain|a=b"c;d|e=f',
  'text/plain; a=""': 'text/plain|a=',
  'text/plain; a=b; a=c': 'text/plain|a=b|a=c',
});

rows('RFC 2045 §5.2: what has no type and subtype says nothing', {
  text: undefined,
  'text/': undefined,
  '/plain': undefined,
  '': undefined,
  '; charset=x': undefined,
  'te xt/plain': undefined,
});

rows('broken parameters', {
  'text/plain charset=x': 'text/plain|charset=x',
  'text/plain; a=b c=d': 'text/plain|a=b|c=d',
  'text/plain;;; a=b;': 'text/plain|a=b',
  'text/plain; charset; a=b': 'text/plain|a=b',
  'text/plain; charset=; a=b': 'text/plain|charset=|a=b',
  'text/plain; name=foo bar.txt; a=b': 'text/plain|name=foo|a=b',
  'multipart/mixed; boundary=----=_Part_1/2:3?': 'multipart/mixed|boundary=----=_Part_1/2:3?',
  'text/plain; name==?utf-8?b?YQ==?=': 'text/plain|name==?utf-8?b?YQ==?=',
  'text/plain; a="b': 'text/plain|a=b',
  'text/plain; =b; c=d': 'text/plain|c=d',
  'text/plain; "x=y"; c=d': 'text/plain|c=d',
  'text/plain; a=\xc3\xa9': 'text/plain|a=\xc3\xa9',
});

rows('RFC 2231 §3 and RFC 9051 §7.5.2: continuations are one', {
  'a/b; name*0="x"; name*1=y; z=1': 'a/b|z=1|name=xy',
  'a/b; name*1=y; NAME*0=x': 'a/b|NAME=xy',
  'a/b; URL*0*=utf-8\'\'a%20; URL*1*=%2a; URL*2="b%"': "a/b|URL*=utf-8''a%20%2ab%25",
  'a/b; name*0="a%"; name*1*="b"': "a/b|name*=''a%25b",
});

rows('RFC 2231 §4: what is encoded stays as sent', {
  "a/b; name*=utf-8'en'a%20b; z=1": "a/b|name*=utf-8'en'a%20b|z=1",
});

rows('RFC 2231 §3: continuations with a hole, or with one twice, stay as sent', {
  'a/b; n*0=a; n*2=b; z=1': 'a/b|z=1|n*0=a|n*2=b',
  'a/b; n*1=a': 'a/b|n*1=a',
  'a/b; n*0=a; n*0=b': 'a/b|n*0=a|n*0=b',
  'a/b; n*0=a; n*99999999999=b': 'a/b|n*99999999999=b|n=a',
  'a/b; *0=a': 'a/b|*0=a',
});

test('RFC 2183 §2: a disposition has a type and parameters', () => {
  const parse = (text: string) => parseDisposition(new Scanner(text));
  assert.equal(parse('attachment; filename="a b.txt"; size=3'), {
    type: 'attachment',
    parameters: [
      ['filename', 'a b.txt'],
      ['size', '3'],
    ],
  });
  assert.equal(parse('"inline"'), { type: 'inline', parameters: [] });
  assert.equal(parse('; filename=x'), { type: 'attachment', parameters: [['filename', 'x']] });
  assert.is(parse(''), undefined);
});

test('RFC 2045 §6.1: a transfer encoding is one token', () => {
  const table: Record<string, string | undefined> = {
    base64: 'base64',
    ' (c) BASE64 (d)': 'BASE64',
    'base64;': 'base64',
    'x-uuencode': 'x-uuencode',
    '8 bit': undefined,
    'x-foo bar': undefined,
    '': undefined,
  };
  for (const [text, expected] of Object.entries(table))
    assert.is(parseTransferEncoding(new Scanner(text)), expected, text);
});

test('RFC 3282 §2: languages are a list', () => {
  const parse = (text: string) => parseLanguages(new Scanner(text));
  assert.equal(parse('en'), ['en']);
  assert.equal(parse('en, de (German) ,fr-CA'), ['en', 'de', 'fr-CA']);
  assert.equal(parse(',,'), []);
});

test('property: any text is read, and the cost grows with it', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'"\\();=*/ab01 %\'\xe9\t<['), { maxLength: 200 }), (chars) => {
      for (const parse of [parseContentType, parseDisposition, parseTransferEncoding, parseLanguages]) {
        const value = new Scanner((parse === parseContentType ? 'a/b;' : '') + chars.join(''));
        parse(value);
        assert.ok(value.steps <= 4 * value.text.length + 10, `${value.steps} steps for ${value.text}`);
      }
    }),
    { numRuns: 2000, seed: 2045 },
  ));

test('hostile: many pieces of a parameter are put together in one pass', () => {
  const pieces = Array.from({ length: 5000 }, (_, i) => `n*${4999 - i}=x`).join(';');
  assert.is(contentType(`a/b;${pieces}`), `a/b|n=${'x'.repeat(5000)}`);
});

test.run();
