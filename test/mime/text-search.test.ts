/** Strings found in text that streams by. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { casemap } from '../../mime/casemap.ts';
import { TextSearch } from '../../mime/text-search.ts';

function found(strings: readonly string[], chunks: readonly string[]): boolean[] {
  const search = new TextSearch(strings);
  for (const chunk of chunks) search.write(chunk);
  return strings.map((_, index) => search.isFound(index));
}

test('strings are found in any case, across chunks, and composed or not', () => {
  assert.equal(found(['CAFÉ', 'nothing'], ['a ca', 'fe', '\u0301 b']), [true, false]);
  assert.equal(found(['e'], ['É']), [true]); // RFC 5051 §2: a decomposed letter begins with its base
  assert.equal(found(['😀'], ['\ud83d', '\ude00']), [true]);
});

test('the empty string is in every text, and in none at all', () => {
  const search = new TextSearch(['', 'a']);
  assert.equal([search.isFound(0), search.isFound(1), search.done], [true, false, false]);
  assert.ok(new TextSearch([]).done);
});

test('a search is done when all have been found', () => {
  const search = new TextSearch(['one', 'two']);
  search.write('one');
  assert.not.ok(search.done);
  search.write('two');
  assert.ok(search.done);
});

test('what ends one text and begins the next is no match, and what was found stays', () => {
  for (const long of ['', 'x'.repeat(200)]) {
    const search = new TextSearch(['ab', 'c', `${long}y`]);
    search.write('ca');
    search.endText();
    search.write('b');
    assert.equal([search.isFound(0), search.isFound(1)], [false, true]);
  }
});

test('strings that are parts of each other are all found by the automaton', () => {
  const strings = ['he', 'she', 'his', 'hers', 'x'.repeat(100)];
  assert.equal(found(strings, ['us', 'hers']), [true, true, false, true, false]);
  const nested = Array.from({ length: 30 }, (_, n) => 'a'.repeat(n + 1));
  assert.ok(found(nested, ['a'.repeat(30)]).every((is) => is));
  assert.is(found(nested, ['a'.repeat(29)]).filter((is) => is).length, 29);
});

test('hostile: long strings that nearly match, and thousands of them, take one pass', () => {
  const text = 'a'.repeat(500_000);
  assert.equal(found([`${'a'.repeat(60_000)}b`, `b${'a'.repeat(60_000)}`], [text]), [false, false]);
  const many = Array.from({ length: 2000 }, (_, n) => 'a'.repeat(n % 100) + n);
  assert.not.ok(found(many, [text]).includes(true));
});

const alphabet = fc.constantFrom('a', 'b', 'B', 'é', 'e', '\u0301', '😀', ' ');
const needles = fc.array(fc.string({ unit: alphabet, maxLength: 6 }), { maxLength: 6 });
const chunks = fc.array(fc.string({ unit: alphabet, maxLength: 12 }), { maxLength: 5 });

test('property: what is found is what the whole text contains, few or many strings, cut anywhere', () =>
  fc.assert(
    fc.property(needles, chunks, fc.boolean(), (strings, pieces, isMany) => {
      const all = isMany ? [...strings, 'z'.repeat(100)] : strings;
      const text = casemap(pieces.join(''));
      const expected = all.map((string) => text.includes(casemap(string)));
      assert.equal(found(all, pieces), expected);
      assert.equal(found(all, pieces.join('').split('')), expected);
    }),
    { numRuns: 1000, seed: 5255 },
  ));

test('property: what looked through another text before, or was made ready in steps, finds the same', () =>
  fc.assert(
    fc.property(needles, chunks, chunks, fc.boolean(), (strings, before, pieces, isMany) => {
      const all = isMany ? [...strings, 'z'.repeat(100)] : strings;
      const search = new TextSearch(all);
      while (search.prepare());
      for (const piece of before) search.write(piece);
      search.restart();
      for (const piece of pieces) search.write(piece);
      const expected = found(all, pieces);
      assert.equal(
        all.map((_, index) => search.isFound(index)),
        expected,
      );
      assert.is(search.left, expected.filter((is) => !is).length);
      assert.is(search.done, search.left === 0);
    }),
    { numRuns: 500, seed: 5256 },
  ));

test('long strings are taken in by many short steps', () => {
  const search = new TextSearch(['ab'.repeat(50_000), ...Array.from({ length: 1_000 }, (_, n) => `${n}`.repeat(20))]);
  let steps = 1;
  while (search.prepare()) steps++;
  assert.ok(steps > 80, `${steps} steps`);
  assert.not.ok(search.prepare());
});

test.run();
