/** Delimiter lines: RFC 2046 §5.1.1. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Boundaries, MAX_BOUNDARY_OCTETS } from '../../mime/boundaries.ts';
import { octetsOf } from '../properties/cuts.ts';

function opened(...boundaries: string[]): Boundaries<number> {
  const open = new Boundaries<number>();
  for (const [owner, boundary] of boundaries.entries()) open.open(owner, boundary);
  return open;
}
const match = (open: Boundaries<number>, line: string) => {
  const found = open.match(octetsOf(line));
  return found && `${found.owner}${found.closes ? ' closes' : ''}`;
};

test('RFC 2046 §5.1.1: a line is a delimiter by its beginning, and closes with two hyphens behind it', () => {
  const open = opened('ab');
  assert.is(match(open, '--ab\r\n'), '0');
  assert.is(match(open, '--ab \t\r\n'), '0');
  assert.is(match(open, '--ab--\r\n'), '0 closes');
  assert.is(match(open, '--ab--garbage'), '0 closes');
  assert.is(match(open, '--ab-'), '0');
  assert.is(match(open, '--abc'), '0');
  for (const line of ['--a', '-ab', ' --ab', '--AB', 'ab', '', '-', '--'])
    assert.is(match(open, line), undefined, line);
});

test('of boundaries that begin each other the longest is meant', () => {
  const outside = opened('a', 'ab', 'a--');
  assert.equal(
    ['--a', '--ab', '--ab--', '--a-', '--a--', '--a----', '--ac'].map((line) => match(outside, line)),
    ['0', '1', '1 closes', '0', '2', '2 closes', '0'],
  );
});

test('of equal boundaries the innermost is meant, until it is closed', () => {
  const open = opened('a', 'a');
  assert.is(match(open, '--a'), '1');
  open.close(1);
  assert.is(match(open, '--a'), '0');
  open.close(0);
  assert.is(match(open, '--a'), undefined);
  assert.ok(open.isEmpty);
  open.close(0);
});

test('of a boundary longer than a line only the beginning counts', () => {
  const open = opened('x'.repeat(5000));
  assert.is(match(open, `--${'x'.repeat(MAX_BOUNDARY_OCTETS)}`), '0');
  assert.is(match(open, `--${'x'.repeat(MAX_BOUNDARY_OCTETS - 1)}`), undefined);
});

test('property: the same as looking at each boundary', () =>
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 5 }), { maxLength: 8 }),
      fc.array(fc.nat(7), { maxLength: 4 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '-', '\r'), maxLength: 8 }),
      (boundaries, closed, line) => {
        const open = opened(...boundaries);
        for (const owner of closed) open.close(owner);
        const expected = boundaries
          .map((boundary, owner) => ({ boundary, owner }))
          .filter(({ boundary, owner }) => !closed.includes(owner) && `--${line}`.startsWith(`--${boundary}`))
          .sort((a, b) => b.boundary.length - a.boundary.length || b.owner - a.owner)[0];
        const closes = expected && line.slice(expected.boundary.length).startsWith('--');
        assert.is(match(open, `--${line}`), expected && `${expected.owner}${closes ? ' closes' : ''}`);
      },
    ),
    { numRuns: 2000, seed: 2046 },
  ));

test('hostile: a line costs no more than its length, however many boundaries share it', () => {
  const open = opened(...Array.from({ length: 100 }, (_, i) => 'x'.repeat(900 + i)));
  const before = open.steps;
  const line = octetsOf(`--${'x'.repeat(1000)}`);
  assert.is(open.match(line)?.owner, 99);
  assert.ok(open.steps - before <= line.length);
});

test.run();
