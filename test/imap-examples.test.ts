/** No example of the RFCs is forgotten: each is a transcript, or said to be impossible, and docs/imap-examples.md tells which. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Said } from './support/imap-examples.ts';
import { examplesPage, placeOf } from './support/imap-examples-page.ts';
import { exampleFiles, parseExamples, printedExamples } from './support/imap-examples-reader.ts';

const examples = exampleFiles().flatMap(({ examples }) => examples);

test('each printed example is there once, and begins as it is printed', () => {
  const printed = printedExamples();
  assert.ok(printed.length > 100, `${printed.length} in the index`);
  const there = new Map(examples.map((example) => [placeOf(example), example]));
  assert.is(there.size, examples.length, 'one is there twice');
  for (const each of printed) {
    const example = there.get(placeOf(each));
    assert.ok(example, `RFC ${placeOf(each)} is neither a transcript nor impossible`);
    const first = example.steps.find((step): step is Said => 'isPrinted' in step && step.isPrinted);
    assert.is(first && `${first.kind}: ${first.text}`, each.line, `RFC ${placeOf(each)}`);
    there.delete(placeOf(each));
  }
  assert.equal([...there.keys()], [], 'not in the index');
});

test('places in a section are counted without a gap', () => {
  const last = new Map<string, number>();
  for (const { rfc, section, ordinal } of printedExamples()) {
    assert.is(ordinal, (last.get(`${rfc} ${section}`) ?? 0) + 1, `RFC ${rfc} §${section}`);
    last.set(`${rfc} ${section}`, ordinal);
  }
});

test('one that is not impossible has a command and an answer to play', () => {
  for (const example of examples) {
    if (example.impossible !== undefined) continue;
    const played = example.steps.filter((step) => 'isPrinted' in step && !step.isBracketed);
    assert.ok(played.length >= 2, `RFC ${placeOf(example)}`);
  }
});

test('what is not as printed needs a reason', () => {
  const text = (line: string) => `rfc 9051\nscene\nexample 6.1.2 1\nC: a NOOP\n${line}\n`;
  assert.is(parseExamples('x', text('S: a OK'))[0]!.examples.length, 1);
  for (const line of ['+S: a OK', '[S: a NO]']) assert.throws(() => parseExamples('x', text(line)), 'no reason');
  assert.throws(() => parseExamples('x', text('asked: a NOOP\n[S: a NO]')), 'no reason');
});

test('docs/imap-examples.md is what the transcripts say', () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'imap-examples.md'), 'utf8');
  assert.is(page, examplesPage(), 'run `npm run docs`');
});

test.run();
