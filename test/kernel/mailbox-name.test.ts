/** What a mailbox may be called, and what is the same name. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isInferior, mailboxName, superiorsOf } from '../../kernel/mailbox-name.ts';

const kept = (text: string): string | undefined => {
  const name = mailboxName(text);
  return name.ok ? name.value : undefined;
};

test('a name is kept as it is written, in its case, with levels parted by a slash', () => {
  for (const name of [
    'Work',
    'work',
    'important/March2000',
    'a/b/c',
    'Entwürfe',
    '受信箱',
    'a b',
    '%',
    'a.b',
    '.',
    'x+y',
  ])
    assert.is(kept(name), name);
});

test('two spellings of one Unicode text are one name: the composed one is kept', () => {
  assert.is(kept('Entwu\u0308rfe'), 'Entw\u00fcrfe');
});

test('RFC 9051 §5.1: INBOX is one in any case, and so is the level that others stand below', () => {
  for (const name of ['inbox', 'InBox', 'INBOX']) assert.is(kept(name), 'INBOX');
  assert.is(kept('inbox/Work'), 'INBOX/Work');
  assert.is(kept('Work/inbox'), 'Work/inbox');
  assert.is(kept('inboxes'), 'inboxes');
  assert.is(kept('\u0131nbox'), '\u0131nbox'); // a dotless i is no i
});

test('empty names and levels, control characters, line ends and halves of characters are refused, and said so', () => {
  for (const [text, says] of [
    ['', /empty/],
    ['/', /level of it is empty/],
    ['/a', /level of it is empty/],
    ['a/', /level of it is empty/],
    ['a//b', /level of it is empty/],
    ['a\0b', /control/],
    ['a\r\nb', /control/],
    ['a\u007f', /control/],
    ['a\u0085', /control/],
    ['a\u2028b', /line end/],
    ['\ud800', /Unicode/],
  ] as const) {
    const name = mailboxName(text);
    assert.ok(!name.ok && says.test(name.refusal), JSON.stringify(text));
  }
});

test('a level has at most 255 octets, a name 1000', () => {
  assert.ok(kept('x'.repeat(255)));
  assert.is(kept('x'.repeat(256)), undefined);
  assert.is(kept('ü'.repeat(128)), undefined);
  assert.ok(kept(`${'x/'.repeat(499)}xx`));
  assert.is(kept(`${'x/'.repeat(500)}x`), undefined);
});

test('what was made a name stays that name, and the superiors of a name are names above it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.array(fc.string({ unit: 'grapheme' })),
      (one, more) => {
        for (const text of [one, more.join('/')]) {
          const name = kept(text);
          if (name === undefined) continue;
          assert.is(kept(name), name);
          for (const superior of superiorsOf(name)) {
            assert.is(kept(superior), superior);
            assert.ok(isInferior(name, superior));
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
  assert.equal(superiorsOf('a/b/c'), ['a', 'a/b']);
  assert.equal(superiorsOf('a'), []);
  assert.not(isInferior('ab', 'a'));
});

test.run();
