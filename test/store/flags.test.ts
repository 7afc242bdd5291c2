/** Flags and keywords as they are kept. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_FLAGS, FLAG, folded, keptKeywords, MOST_KEYWORDS, SYSTEM_FLAGS, spelt } from '../../store/flags.ts';

test('system flags are five bits, which stay what they are', () => {
  assert.equal(FLAG, { seen: 1, answered: 2, flagged: 4, deleted: 8, draft: 16 });
  assert.is(ALL_FLAGS, 31);
  assert.is(SYSTEM_FLAGS.length, 5);
});

test('a keyword is spelt as the mailbox first did, in whatever case it comes', () => {
  const once = spelt(['$Forwarded', 'Work'], ['WORK', 'play', 'work', '$forwarded', 'Play']);
  assert.equal(once, { keywords: ['$Forwarded', 'Work', 'play'], added: ['play'], lost: 0 });
  assert.is(keptKeywords([]), undefined);
});

test('a mailbox knows no more keywords than it has room for', () => {
  const known = Array.from({ length: MOST_KEYWORDS - 1 }, (_, at) => `k${at}`);
  assert.equal(spelt(known, ['K3', 'new', 'more']), { keywords: ['k3', 'new'], added: ['new'], lost: 1 });
});

test('spelling again what was spelt changes nothing', () => {
  const keyword = fc.constantFrom('a', 'A', 'b', 'B', 'c', 'C');
  fc.assert(
    fc.property(fc.array(keyword), fc.array(keyword), (first, then) => {
      const known = spelt([], first).added;
      const once = spelt(known, then);
      const twice = spelt([...known, ...once.added], once.keywords ?? []);
      assert.equal(twice, { keywords: once.keywords, added: [], lost: 0 });
      assert.equal(new Set(once.keywords?.map(folded)), new Set(then.length > 0 ? then.map(folded) : undefined));
    }),
  );
});

test.run();
