/** i;unicode-casemap: RFC 5051 §2. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { casemap, compareCasemapped } from '../../mime/casemap.ts';

test('RFC 5051 §2: its example, a digraph with a titlecase of its own', () => {
  for (const digraph of ['\u01c4', '\u01c5', '\u01c6']) assert.is(casemap(digraph), 'Dz\u030c');
  for (const digraph of ['\u01f1', '\u01f2', '\u01f3']) assert.is(casemap(digraph), 'Dz');
  assert.is(casemap('\u01c9'), 'Lj');
});

test('case is folded and letters are decomposed', () => {
  assert.is(casemap('Grüße'), 'GRU\u0308ßE');
  assert.is(casemap('ÿ'), 'Y\u0308');
  assert.is(casemap('привет'), 'ПРИВЕТ');
  assert.is(casemap('ς'), 'Σ');
  assert.is(casemap('ſ'), 'S');
  assert.is(casemap('ü ³'), 'U\u0308 3');
});

test('what is written composed and decomposed is equal', () => {
  assert.is(casemap('é'), casemap('e\u0301'));
  assert.is(casemap('각'), casemap('\u1100\u1161\u11a8'));
});

test('a letter whose capitals are several has no titlecase, and is only decomposed', () => {
  assert.is(casemap('ß'), 'ß');
  assert.is(casemap('ﬁ'), 'fi');
  assert.is(casemap('ǰ'), 'j\u030c');
  assert.is(casemap('ᾳ'), '\u0391\u0345');
  assert.is(casemap('ᾼ'), '\u0391\u0345');
  assert.is(casemap('ᾀ'), casemap('ᾈ'));
});

test('Georgian letters are their own titlecase', () => {
  assert.is(casemap('აბ'), 'აბ');
});

test('marks out of order stay so: nothing is moved across a code point', () => {
  assert.is(casemap('a\u0301\u0323'), 'A\u0301\u0323');
  assert.is(casemap('a\u0323\u0301'), 'A\u0323\u0301');
});

test('RFC 5051 §2: the order is that of code points, not of UTF-16', () => {
  assert.ok(compareCasemapped('\uff5e', '\u{10000}') < 0);
  assert.ok(compareCasemapped('\u{1f600}', '\ue000') > 0);
  assert.ok(compareCasemapped('\u{1f600}', '\u{1f601}') < 0);
  assert.ok(compareCasemapped('', 'A') < 0);
  assert.is(compareCasemapped('A', 'A'), 0);
});

const texts = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'É', 'e', '\u0301', '\u0323', 'ß', 'ﾞ', 'ｶ', '각', 'ǆ'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 30,
});

test('property: each code point is mapped by itself, as the RFC has it', () =>
  fc.assert(
    fc.property(texts, (text) => assert.is(casemap(text), [...text].map(casemap).join(''))),
    { numRuns: 1000, seed: 5051 },
  ));

test('property: the order is that of the UTF-8 octets', () =>
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const [a, b] = [casemap(one), casemap(other)];
      assert.is(Math.sign(compareCasemapped(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 1000, seed: 5052 },
  ));

test('property: of letters that have a capital, the map of the map is the map', () =>
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'abcåéøþāćężабвєґαβγάέώ1! 각日'), maxLength: 30 }), (text) => {
      const mapped = casemap(text);
      assert.is(casemap(mapped), mapped);
      assert.is(casemap(text.toUpperCase()), mapped);
    }),
    { numRuns: 500, seed: 5053 },
  ));

test.run();
