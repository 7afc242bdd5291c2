/** Some fields of a header section: RFC 9051 §6.4.5.1 HEADER.FIELDS and HEADER.FIELDS.NOT. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FieldFilter, headerFields } from '../../mime/field-filter.ts';
import { cut, octetsOf, oneByOne, someCuts, textOf } from '../properties/cuts.ts';

const only = (header: string, ...names: readonly string[]) => textOf(headerFields(octetsOf(header), names, false));
const not = (header: string, ...names: readonly string[]) => textOf(headerFields(octetsOf(header), names, true));

const HEADER = 'A: 1\r\nB: 2\r\n\tfolded\r\n \r\nA: 3\r\nAB: 4\r\nB : 5\r\n\r\n';

test('RFC 9051 §6.4.5.1: fields with the names, folded lines and repeated ones too, and the empty line', () => {
  assert.is(only(HEADER, 'a'), 'A: 1\r\nA: 3\r\n\r\n');
  assert.is(only(HEADER, 'B', 'x'), 'B: 2\r\n\tfolded\r\n \r\nB : 5\r\n\r\n');
  assert.is(only(HEADER, 'x'), '\r\n');
});

test('RFC 9051 §6.4.5.1: all but those', () => {
  assert.is(not(HEADER, 'b', 'ab'), 'A: 1\r\nA: 3\r\n\r\n');
  assert.is(not(HEADER, 'x'), HEADER);
});

test('RFC 9051 §6.4.5.1: where there is no empty line, none is made up', () => {
  assert.is(only('A: 1\r\nB: 2', 'b'), 'B: 2');
  assert.is(only('A: 1', 'b'), '');
  assert.is(not('A: 1', 'b'), 'A: 1');
});

test('a line that is no field goes with those not named, and so does what is folded behind it', () => {
  const header = ' x\r\njunk\r\n more\r\nA: 1\r\nlast';
  assert.is(only(header, 'a', 'junk', 'last'), 'A: 1\r\n');
  assert.is(not(header, 'a'), ' x\r\njunk\r\n more\r\nlast');
});

test('LF alone ends a line', () => assert.is(only('A: 1\nB: 2\n c\nA: 3\n\n', 'b'), 'B: 2\n c\n\n'));

/** Up to the end of the first empty line: what is behind it is not the filter's. */
function headerSectionOf(text: string): string {
  const empty = /(?:^|\n)\r?\n/.exec(text);
  return empty === null ? text : text.slice(0, empty.index + empty[0].length);
}

const header = fc
  .array(fc.constantFrom('A', 'b', ':', ': ', ' ', '\t', '\r\n', '\n', '\r', 'aa', '\xe9'), { maxLength: 40 })
  .map((parts) => octetsOf(headerSectionOf(parts.join(''))));

test('property: however it is cut the same is kept, and each line is in one half, the empty one in both', () =>
  fc.assert(
    fc.property(header, someCuts, (octets, cuts) => {
      for (const wanted of [true, false]) {
        const expected = textOf(headerFields(octets, ['a', 'B'], wanted));
        for (const chunks of [cut(octets, cuts), oneByOne(octets)]) {
          const filter = new FieldFilter(['a', 'B'], wanted);
          const kept = chunks.map((chunk) => textOf(filter.push(chunk))).join('');
          assert.is(kept + textOf(filter.end()), expected);
        }
      }
      const halves = [true, false].map((wanted) => headerFields(octets, ['a', 'B'], wanted).length);
      const empty = textOf(headerFields(octets, [], false));
      assert.match(empty, /^(\r?\n)?$/);
      assert.is(halves[0]! + halves[1]!, octets.length + empty.length);
    }),
    { numRuns: 1000, seed: 9051 },
  ));

test('hostile: a name without an end is held no longer than any that is wanted', () => {
  const filter = new FieldFilter(['subject'], true);
  let given = 0;
  for (let chunk = 0; chunk < 100; chunk += 1) given += filter.push(octetsOf('x'.repeat(1000))).length;
  assert.ok(given >= 99_000);
});

test.run();
