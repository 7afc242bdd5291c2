/** What LIST and LSUB tell of names: the RFCs' own examples, and levels that are no mailboxes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Known, namesFor, subscribedFor } from '../../../actors/imap/hierarchy.ts';
import { Pattern } from '../../../actors/imap/patterns.ts';
import type { ListSelection } from '../../../protocols/imap/command.ts';

const known = (
  names: readonly string[],
  subscribed: readonly string[] = [],
  uses: Record<string, string> = {},
): Known => ({
  mailboxes: names.map((shown, mailbox) => ({
    place: { mailHost: 'n1', account: 'a', name: shown, shown, isOwn: true, withInbox: true },
    mailbox: {
      ...{ name: shown, mailbox, uidValidity: 1, rights: 'lr' },
      ...(uses[shown] !== undefined && { specialUse: uses[shown] }),
    },
  })),
  subscribed,
});

const told = (all: Known, patterns: readonly string[], selection: readonly ListSelection[] = []): readonly string[] =>
  namesFor(
    all,
    patterns.map((each) => new Pattern(each)),
    selection,
  ).map(({ name, listed, hasChildren, hasSelectedChildren, isSubscribed }) =>
    [
      name,
      ...(listed === undefined ? ['absent'] : []),
      ...(hasChildren ? ['parent'] : []),
      ...(isSubscribed ? ['subscribed'] : []),
      ...(selection.includes('RECURSIVEMATCH') && hasSelectedChildren ? ['childinfo'] : []),
    ].join(' '),
  );

test('INBOX comes first, and each name tells of children', () => {
  assert.equal(told(known(['Z', 'A', 'INBOX', 'A/b']), ['*']), ['INBOX', 'A parent', 'A/b', 'Z']);
});

test('levels above mailboxes that are none are told as such, where they match', () => {
  const all = known(['a/b/c']);
  assert.equal(told(all, ['%']), ['a absent parent']);
  assert.equal(told(all, ['a/%']), ['a/b absent parent']);
  assert.equal(told(all, ['*']), ['a absent parent', 'a/b absent parent', 'a/b/c']);
  assert.equal(told(all, ['a/b/c']), ['a/b/c']);
});

test('a name that two patterns match is told once', () => {
  assert.equal(told(known(['INBOX', 'a']), ['*', 'a', '%']), ['INBOX', 'a']);
});

/** RFC 9051 §6.3.9.8, example 8 (printed without the names above subscribed ones in D02). */
const rfc = known(
  [
    'INBOX',
    'foo2',
    'foo2/bar1',
    'foo2/bar2',
    'baz2',
    'baz2/bar2',
    'baz2/bar22',
    'baz2/bar222',
    'eps2',
    'eps2/mamba',
    'qux2/bar2',
  ],
  ['foo2/bar1', 'foo2/bar2', 'baz2/bar2', 'baz2/bar22', 'baz2/bar222', 'eps2', 'eps2/mamba', 'qux2/bar2'],
);

test('SUBSCRIBED selects what is subscribed and nothing else (RFC 9051 §6.3.9.8, example 8)', () => {
  assert.equal(told(rfc, ['*'], ['SUBSCRIBED']), [
    'baz2/bar2 subscribed',
    'baz2/bar22 subscribed',
    'baz2/bar222 subscribed',
    'eps2 parent subscribed',
    'eps2/mamba subscribed',
    'foo2/bar1 subscribed',
    'foo2/bar2 subscribed',
    'qux2/bar2 subscribed',
  ]);
  assert.equal(told(known(['Foo', 'Foo/Bar', 'Moo'], ['Foo/Bar']), ['%'], ['SUBSCRIBED']), [], 'example 7');
});

test('RECURSIVEMATCH tells of parents with subscribed children (RFC 9051 §6.3.9.8, example 8)', () => {
  const names = told(rfc, ['*2'], ['RECURSIVEMATCH', 'SUBSCRIBED']);
  for (const name of [
    'foo2 parent childinfo',
    'foo2/bar2 subscribed',
    'eps2 parent subscribed childinfo',
    'qux2/bar2 subscribed',
  ])
    assert.ok(names.includes(name), `${name} in ${names.join(', ')}`);
  assert.not(
    names.some((name) => name.startsWith('qux2 ')),
    'redundant: its child is told',
  );
});

test('RECURSIVEMATCH of a parent that does not exist, and of none (RFC 9051 §6.3.9.8, examples 7 A2 and B)', () => {
  assert.equal(told(known(['Foo/Baz'], ['Foo/Baz']), ['%'], ['SUBSCRIBED', 'RECURSIVEMATCH']), [
    'Foo absent parent childinfo',
  ]);
  assert.equal(told(known(['Foo', 'Foo/Baz']), ['%'], ['SUBSCRIBED', 'RECURSIVEMATCH']), []);
});

test('a subscription outlives its mailbox, and makes no parent of those that are there (RFC 9051 §6.3.9.8, example 9)', () => {
  const all = known(['foo'], ['foo/bar']);
  assert.equal(told(all, ['foo/*'], ['SUBSCRIBED']), ['foo/bar absent subscribed']);
  assert.equal(told(all, ['foo'], ['SUBSCRIBED', 'RECURSIVEMATCH']), ['foo childinfo']);
  assert.equal(told(all, ['*']), ['foo'], 'what is not there is told to those only who ask for subscriptions');
});

test('SPECIAL-USE selects mailboxes that have one, alone or with SUBSCRIBED (RFC 6154 §5)', () => {
  const all = known(['INBOX', 'Sent', 'Trash'], ['Trash'], { Sent: '\\Sent', Trash: '\\Trash' });
  assert.equal(told(all, ['*'], ['SPECIAL-USE']), ['Sent', 'Trash subscribed']);
  assert.equal(told(all, ['*'], ['SPECIAL-USE', 'SUBSCRIBED']), ['Trash subscribed']);
});

test('LSUB stops at levels above subscribed names (RFC 3501 §6.3.9)', () => {
  const lsub = (pattern: string) =>
    subscribedFor(['INBOX', 'foo/bar/x', 'foo2'], new Pattern(pattern)).map(
      ({ name, isSubscribed }) => `${name}${isSubscribed ? '' : ' above'}`,
    );
  assert.equal(lsub('*'), ['INBOX', 'foo/bar/x', 'foo2']);
  assert.equal(lsub('%'), ['INBOX', 'foo above', 'foo2']);
  assert.equal(lsub('foo/%'), ['foo/bar above']);
});

test.run();
