/** THREAD: RFC 5256 §3, both algorithms, and loops and chains that are made to hurt. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  nestThreads,
  type Thread,
  type ThreadEntry,
  type ThreadMessage,
  threadByOrderedSubject,
} from '../../mime/thread.ts';
import { threadByReferences } from '../../mime/thread-references.ts';
import { threadLiterally } from './thread-model.ts';

const message = (id: number, more: Partial<ThreadMessage> = {}): ThreadMessage => ({
  id,
  messageId: `${id}@x`,
  references: [],
  inReplyTo: undefined,
  baseSubject: `S${id}`,
  isReplyOrForward: false,
  dateMs: id * 1000,
  ...more,
});

/** As RFC 5256 §4 prints a thread-list. */
function show(entries: Iterable<ThreadEntry>): string {
  const list = (thread: Thread): string => {
    const own = thread.number === null ? '' : String(thread.number);
    const [only] = thread.children;
    if (only === undefined) return own;
    return `${own}${own && ' '}${thread.children.length === 1 ? list(only) : thread.children.map((child) => `(${list(child)})`).join('')}`;
  };
  return nestThreads(entries)
    .map((thread) => `(${list(thread)})`)
    .join('');
}
const references = (...messages: ThreadMessage[]): string => show(threadByReferences(messages));
const subjects = (...messages: ThreadMessage[]): string => show(threadByOrderedSubject(messages));

test('ORDEREDSUBJECT: one thread for each subject, the first message above all others', () => {
  const [a, b] = [{ baseSubject: 'A' }, { baseSubject: 'B' }];
  assert.is(subjects(message(1, b), message(2, a), message(3, b), message(4, a), message(5, b)), '(1 (3)(5))(2 4)');
});

test('ORDEREDSUBJECT: by sent date within a thread, threads by the date of their first, and the mailbox decides', () => {
  const at = (dateMs: number) => ({ dateMs, baseSubject: 'A' });
  assert.is(
    subjects(
      message(1, at(5)),
      message(2, { dateMs: 3 }),
      message(3, at(2)),
      message(4, at(2)),
      message(5, { dateMs: 2 }),
    ),
    '(3 (4)(1))(5)(2)',
  );
});

test('no messages, no threads', () => {
  assert.equal([references(), subjects()], ['', '']);
});

test('RFC 5256 §4: its figure of parents and children', () => {
  const child = (id: number, parent: number) => message(id, { inReplyTo: `${parent}@x`, dateMs: 0 });
  assert.is(
    references(
      message(2, { dateMs: 0 }),
      message(3, { dateMs: 0 }),
      child(6, 3),
      child(4, 6),
      child(23, 4),
      child(44, 6),
      child(7, 44),
      child(96, 7),
    ),
    '(2)(3 6 (4 23)(44 7 96))',
  );
});

test('RFC 5256 §4: siblings of a parent that is not there', () => {
  assert.is(references(message(3, { references: ['gone@x'] }), message(5, { references: ['gone@x'] })), '((3)(5))');
});

test('(1) the last reference is the parent, whatever stood before', () => {
  assert.is(references(message(1), message(2), message(3, { references: ['2@x', '1@x'] })), '(2 1 3)');
});

test('(1) In-Reply-To counts only where there are no references', () => {
  assert.is(
    references(message(1), message(2, { references: ['1@x'] }), message(3, { references: ['1@x'], inReplyTo: '2@x' })),
    '(1 (2)(3))',
  );
});

test('(1.A) a parent that a message has is not changed by what others say', () => {
  assert.is(
    references(message(1), message(2, { references: ['1@x'] }), message(3), message(4, { references: ['3@x', '2@x'] })),
    '(1 2 4)(3)',
  );
});

test('(1.B) a parent that others said is replaced by what the message itself says', () => {
  assert.is(
    references(message(4, { references: ['3@x', '2@x'] }), message(1), message(2, { references: ['1@x'] }), message(3)),
    '(1 2 4)(3)',
  );
  assert.is(references(message(4, { references: ['3@x', '2@x'] }), message(2), message(3)), '(2 4)(3)');
});

test('(1) of two messages with one identifier the first has it', () => {
  assert.is(references(message(1), message(2, { messageId: '1@x' }), message(3, { references: ['1@x'] })), '(1 3)(2)');
});

test('(1) messages that refer to each other, or to themselves, make no loop', () => {
  assert.is(references(message(1, { references: ['2@x'] }), message(2, { references: ['1@x'] })), '(2 1)');
  assert.is(references(message(1, { references: ['1@x'] })), '(1)');
  assert.is(
    references(message(1, { references: ['a@x', 'b@x', 'a@x'] }), message(2, { references: ['b@x', 'a@x', 'b@x'] })),
    '((1)(2))',
  );
});

test('(3) one child of a dummy goes up to the root, and a dummy below a message goes altogether', () => {
  assert.is(references(message(3, { references: ['gone@x'] })), '(3)');
  assert.is(
    references(
      message(1),
      message(3, { references: ['1@x', 'gone@x'] }),
      message(4, { references: ['1@x', 'gone@x'] }),
    ),
    '(1 (3)(4))',
  );
  assert.is(
    references(message(3, { references: ['a@x', 'b@x'] }), message(4, { references: ['a@x', 'c@x'] })),
    '((3)(4))',
  );
});

test('(5) the same subject makes a thread, a reply below what is none', () => {
  const reply = { baseSubject: 'S1', isReplyOrForward: true };
  assert.is(references(message(1), message(2, reply), message(3, reply)), '(1 (2)(3))');
  assert.is(references(message(2, { ...reply, dateMs: 0 }), message(1)), '(1 2)');
});

test('(5) two replies, or two originals, are siblings without a parent', () => {
  const same = { baseSubject: 'A' };
  assert.is(references(message(1, same), message(2, same), message(3, same)), '((1)(2)(3))');
  const replies = { ...same, isReplyOrForward: true };
  assert.is(references(message(1, replies), message(2, replies)), '((1)(2))');
});

test('(5) threads without a parent are put together, and messages below a dummy', () => {
  const of = (parent: string) => ({ baseSubject: 'A', references: [parent] });
  assert.is(
    references(message(1, of('a@x')), message(2, of('a@x')), message(3, of('b@x')), message(4, of('b@x'))),
    '((1)(2)(3)(4))',
  );
  assert.is(references(message(1, of('a@x')), message(2, of('a@x')), message(3, { baseSubject: 'A' })), '((1)(2)(3))');
});

test('(5) an empty subject puts nothing together', () => {
  const empty = { baseSubject: '' };
  assert.is(references(message(1, empty), message(2, empty)), '(1)(2)');
});

test('(6) siblings are sorted by sent date, dummies by their first child', () => {
  const child = (id: number, dateMs: number) => message(id, { references: ['gone@x'], dateMs });
  assert.is(references(child(1, 9), child(2, 3), message(3, { dateMs: 5 })), '((2)(1))(3)');
});

test('hostile: one thread through a whole mailbox, from either end, costs what others do', () => {
  const size = 50_000;
  const down = Array.from({ length: size }, (_, n) => message(n + 1, { references: [`${n}@x`] }));
  for (const chain of [down, [...down].reverse()]) {
    const entries = threadByReferences(chain);
    assert.is(entries.length, size);
    assert.is(entries.at(-1)!.depth, size - 1);
    let [deepest] = nestThreads(entries);
    for (let n = 1; n < size; n += 1) deepest = deepest!.children[0];
    assert.is(deepest!.children.length, 0);
  }
});

test('hostile: each message breaks the link that the one before made', () => {
  const size = 20_000;
  const messages = Array.from({ length: size }, (_, n) =>
    message(n + 1, { references: [`${((n + 2) % size) + 1}@x`, `${((n + 1) % size) + 1}@x`, `${n}@x`] }),
  );
  assert.is(threadByReferences(messages).filter(({ id }) => id !== null).length, size);
});

const ids = fc.constantFrom('1@x', '2@x', '3@x', '4@x', '5@x', '6@x', 'a@x', 'b@x');
const mailboxes = fc
  .array(
    fc.record({
      messageId: fc.option(ids, { nil: undefined }),
      references: fc.array(ids, { maxLength: 4 }),
      inReplyTo: fc.option(ids, { nil: undefined }),
      baseSubject: fc.constantFrom('', 'A', 'B', 'C'),
      isReplyOrForward: fc.boolean(),
      dateMs: fc.nat(4),
    }),
    { maxLength: 9 },
  )
  .map((rows) => rows.map((row, n) => ({ ...row, id: n + 1 })));

test('property: REFERENCES is what the procedure gives when it is done word by word', () =>
  fc.assert(
    fc.property(mailboxes, (messages) => {
      assert.equal(nestThreads(threadByReferences(messages)), threadLiterally(messages));
    }),
    { numRuns: 2000, seed: 5256 },
  ));

test('property: each message stands in the answer once, behind its parent, and only roots are not there', () =>
  fc.assert(
    fc.property(mailboxes, fc.boolean(), (messages, isByReferences) => {
      const entries = isByReferences ? threadByReferences(messages) : threadByOrderedSubject(messages);
      assert.equal(
        entries.flatMap(({ id }) => (id === null ? [] : [id])).sort((a, b) => a - b),
        messages.map(({ id }) => id),
      );
      for (const [n, { id, depth }] of entries.entries()) {
        assert.ok(n === 0 ? depth === 0 : depth <= entries[n - 1]!.depth + 1);
        assert.ok(id !== null || (depth === 0 && entries[n + 1]!.depth === 1 && entries[n + 2]!.depth >= 1));
      }
    }),
    { numRuns: 1000, seed: 5258 },
  ));

test.run();
