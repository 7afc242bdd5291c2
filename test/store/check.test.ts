/** check and compare find what is wrong: each kind of damage, made on purpose. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apply } from '../../store/apply.ts';
import { CHUNK_OCTETS } from '../../store/blob.ts';
import type { Change } from '../../store/change.ts';
import { flaws } from '../../store/check.ts';
import { differences } from '../../store/compare.ts';
import { FLAG } from '../../store/flags.ts';
import type { KeyValue, View } from '../../store/key-value.ts';
import { memoryStore } from '../../store/memory-store.ts';
import { overlay } from '../../store/overlay.ts';
import { seal } from '../../store/record.ts';
import * as t from '../../store/tables.ts';
import { delivery, sha256 } from './store-contract.ts';

const empty: View = { get: () => undefined, range: () => [] };
const body = Buffer.alloc(CHUNK_OCTETS + 10, 'body');
const front = { me: 'n1', startId: 'a' };
const maildrop = { lock: 1, mailbox: 1, uidValidity: 7, uidNext: 2 };

const hash = sha256(body);
const later = {
  type: 'Appended',
  account: 'joe',
  mailbox: 1,
  internalDate: 1_700_000_000_000,
  trace: Buffer.from('Received: again\r\n'),
  sha256: hash,
} as const;

/** A little of everything. */
function populated(): KeyValue {
  const to = overlay(empty);
  const changes: Change[] = [
    ...delivery('joe', body),
    { type: 'MailboxCreated', account: 'joe', mailbox: 2, name: 'Work', uidValidity: 8 },
    { type: 'RightsSet', account: 'joe', mailbox: 2, identifier: 'anyone', rights: 'lrp' },
    ...[2, 3, 4, 5, 6].map((uid): Change => ({ ...later, uid, modSeq: uid + 1, sequence: uid, flags: FLAG.deleted })),
    { type: 'Expunged', account: 'joe', mailbox: 1, uids: [2], modSeq: 8 },
    { type: 'Expunged', account: 'joe', mailbox: 1, uids: [4, 5], modSeq: 9 },
    {
      type: 'FlagsChanged',
      account: 'joe',
      mailbox: 1,
      modSeq: 10,
      groups: [{ uids: [[3, 3]], flags: FLAG.seen | FLAG.flagged, keywords: ['$Junk', 'work'] }],
    },
    { type: 'StructureKept', sha256: hash, structure: Buffer.from('structure') },
    { type: 'Subscribed', account: 'joe', name: 'INBOX' },
    { type: 'AnnotationSet', account: 'joe', mailbox: 2, entry: '/comment', who: '', value: Buffer.from('mine') },
    { type: 'AnnotationSet', account: 'joe', mailbox: 0, entry: '/comment', who: 'joe', value: Buffer.alloc(0) },
    { type: 'SessionOpened', session: 's', purpose: 'maildrop', account: 'joe', front, expiresAt: 9, maildrop },
    { type: 'MaildropLocked', account: 'joe', lock: 1, session: 's', front },
    { type: 'SessionOpened', session: 'd', purpose: 'delivery', account: null, front, expiresAt: 9, maildrop: null },
    { type: 'ChunkStored', session: 'd', stage: 'b', body: 2, index: 0, bytes: Buffer.from('part') },
    { type: 'SessionOpened', session: 'e', purpose: 'delivery', account: null, front, expiresAt: 9, maildrop: null },
    { type: 'ChunkStored', session: 'e', stage: 'b', body: 3, index: 0, bytes: Buffer.from('dropped') },
    { type: 'SessionEnded', session: 'e', until: 20 },
  ];
  for (const change of changes) apply(to, change);
  return to;
}

test('a sound store has no flaws', () => assert.equal(flaws(populated()), []));

const edit = (to: KeyValue, uid: number, more: object) =>
  t.messages.put(to, ['joe', 1, uid], { ...t.messages.get(to, 'joe', 1, uid)!, ...more });
const editHome = (to: KeyValue, more: object) =>
  t.mailboxes.put(to, ['joe', 1], { ...t.mailboxes.get(to, 'joe', 1)!, ...more });
const damages: [what: string, says: RegExp, damage: (to: KeyValue) => void][] = [
  ['a body gone', /its body is missing/, (to) => t.blobs.remove(to, hash)],
  ['a chunk gone', /chunks are missing/, (to) => t.chunks.remove(to, 1, 1)],
  ['a chunk too many', /belongs to nothing/, (to) => t.chunks.put(to, 9, 0, body.subarray(0, 5))],
  ['a chunk past the end', /not a part of/, (to) => t.chunks.put(to, 1, 2, body.subarray(0, 5))],
  ['a chunk cut short', /: short/, (to) => t.chunks.put(to, 1, 0, body.subarray(0, 5))],
  ['an octet turned', /another hash/, (to) => t.chunks.put(to, 1, 1, Buffer.alloc(10, 'bodx'))],
  [
    'a count of references',
    /wrong count of references/,
    (to) => t.blobs.put(to, [hash], { ...t.blobs.get(to, hash)!, references: 9 }),
  ],
  ['a mailbox that goes, with a name', /though it is going/, (to) => t.goingMailboxes.put(to, ['joe', 2], null)],
  [
    'rights on a mailbox that goes',
    /on a mailbox that is going/,
    (to) => {
      t.goingMailboxes.put(to, ['joe', 2], null);
      t.rights.put(to, ['joe', 2, 'anyone'], 'p');
    },
  ],
  ['a mailbox that has gone, and goes', /is gone already/, (to) => t.goingMailboxes.put(to, ['joe', 9], null)],
  ['a message gone', /nothing names it|wrong totals/, (to) => t.messages.remove(to, 'joe', 1, 1)],
  [
    'a message of a wrong size',
    /wrong size/,
    (to) => t.messages.put(to, ['joe', 1, 1], { ...t.messages.get(to, 'joe', 1, 1)!, sizeOctets: 3 }),
  ],
  ['a mailbox gone', /its mailbox is missing/, (to) => t.mailboxes.remove(to, 'joe', 1)],
  [
    'a UID to be given out again',
    /not below uidNext/,
    (to) => t.mailboxes.put(to, ['joe', 1], { ...t.mailboxes.get(to, 'joe', 1)!, uidNext: 1 }),
  ],
  [
    'a mailbox total',
    /mailbox joe 1: wrong totals/,
    (to) => t.mailboxes.put(to, ['joe', 1], { ...t.mailboxes.get(to, 'joe', 1)!, octets: 1 }),
  ],
  [
    'an account total',
    /account joe: wrong totals/,
    (to) => t.accounts.put(to, ['joe'], { ...t.accounts.get(to, 'joe')!, messages: 9 }),
  ],
  ['an account gone', /its account is missing/, (to) => t.accounts.remove(to, 'joe')],
  ['a mailbox without its name', /not found by its name/, (to) => t.mailboxNames.remove(to, 'joe', 'INBOX')],
  ['a name of nothing', /names nothing/, (to) => t.mailboxNames.put(to, ['joe', 'Lost'], 5)],
  ['two names of one mailbox', /names nothing/, (to) => t.mailboxNames.put(to, ['joe', 'Play'], 2)],
  ['rights on nothing', /their mailbox is missing/, (to) => t.rights.put(to, ['joe', 5, 'anyone'], 'l')],
  ['rights of no letter', /no set of rights/, (to) => t.rights.put(to, ['joe', 2, 'anyone'], '')],
  ['rights out of order', /no set of rights/, (to) => t.rights.put(to, ['joe', 2, 'anyone'], 'rl')],
  ['rights that are none', /no set of rights/, (to) => t.rights.put(to, ['joe', 2, 'anyone'], 7 as never)],
  ['a body number to be given out again', /would be given out again/, (to) => t.next.put(to, [], { body: 1 })],
  ['a stage without a session', /its session is gone/, (to) => t.sessions.remove(to, 'd')],
  ['a lock without a session', /lock joe: its session is gone/, (to) => t.sessions.remove(to, 's')],
  ['garbage that is also a body', /belongs to/, (to) => t.garbage.put(to, [1], { from: 0, parts: 2 })],
  ['a flag that is none', /flags that are none/, (to) => edit(to, 1, { flags: 64 })],
  ['a message that is not marked as there', /not marked as there/, (to) => t.uidBits.remove(to, 'joe', 1, 0, 0)],
  ['a flag that is not marked', /flag 4 is not marked/, (to) => t.uidBits.remove(to, 'joe', 1, FLAG.flagged, 0)],
  [
    'a flag that is marked',
    /flag 16 is marked/,
    (to) => t.uidBits.put(to, ['joe', 1, FLAG.draft, 0], Buffer.from([1])),
  ],
  ['a mark of nothing', /: 9 is not there/, (to) => t.uidBits.put(to, ['joe', 1, 0, 0], Buffer.from([0b100101, 1]))],
  ['a mark of no flag', /of no flag/, (to) => t.uidBits.put(to, ['joe', 1, 3, 0], Buffer.from([1]))],
  ['an empty bitmap', /of a wrong length/, (to) => t.uidBits.put(to, ['joe', 1, 2, 0], Buffer.from([0]))],
  ['a long bitmap', /of a wrong length/, (to) => t.uidBits.put(to, ['joe', 1, 2, 0], Buffer.alloc(513, 1))],
  ['a count of unseen messages', /wrong counts of flags/, (to) => editHome(to, { unseen: 0 })],
  ['a count of deleted messages', /wrong counts of flags/, (to) => editHome(to, { deleted: 7 })],
  ['a sum of deleted octets', /wrong counts of flags/, (to) => editHome(to, { deletedOctets: 7 })],
  ['a changed message that is not found', /is not found by its modseq/, (to) => t.byModSeq.remove(to, 'joe', 1, 10, 3)],
  ['a message found that did not change', /is found by its modseq/, (to) => t.byModSeq.put(to, ['joe', 1, 2, 1], null)],
  ['an index of nothing', /no such message/, (to) => t.byModSeq.put(to, ['joe', 1, 3, 3], null)],
  ['a message that came before one below it', /out of order/, (to) => edit(to, 6, { cameAt: 1 })],
  ['a message that came after it changed', /out of order/, (to) => edit(to, 3, { cameAt: 11 })],
  ['a keyword that the mailbox does not know', /does not know/, (to) => edit(to, 1, { keywords: ['play'] })],
  ['keywords out of order', /keywords out of order/, (to) => edit(to, 1, { keywords: ['work', '$Junk'] })],
  ['keywords twice', /one twice/, (to) => t.keywords.put(to, ['joe', 1], ['$Junk', 'work', 'Work'])],
  ['keywords of no mailbox', /keywords joe 9: their mailbox/, (to) => t.keywords.put(to, ['joe', 9], ['x'])],
  ['what vanished forgotten', /wrong memory/, (to) => t.vanished.remove(to, 'joe', 1, 8, 2)],
  ['what vanished counted wrong', /wrong memory/, (to) => editHome(to, { vanishedRanges: 3 })],
  [
    'another place for what vanishes next',
    /wrong memory/,
    (to) => editHome(to, { vanishedLast: { modSeq: 9, uid: 4 } }),
  ],
  ['vanished, and there', /3 is there/, (to) => t.vanished.put(to, ['joe', 1, 8, 2], [[8, 2, 3]])],
  [
    'vanished before it came',
    /7 is not below uidNext/,
    (to) => t.vanished.put(to, ['joe', 1, 8, 2], [[8, 2, 2, 7, 7]]),
  ],
  ['vanished, upside down', /ranges out of order/, (to) => t.vanished.put(to, ['joe', 1, 8, 2], [[8, 2, 2, 5, 4]])],
  ['vanished, in no order', /modseq 8 out of order/, (to) => vanish(to, [9, 2, 2], [8, 4, 5])],
  ['vanished above the modseq', /modseq 99 out of order/, (to) => vanish(to, [8, 2, 2], [99, 4, 5])],
  ['vanished under another key', /not under its own key/, (to) => vanish(to, [8, 4, 5])],
  ['vanished from no mailbox', /vanished joe 7/, (to) => t.vanished.put(to, ['joe', 7, 8, 2], [[8, 2, 2]])],
  ['forgotten above the modseq', /forgot what vanished/, (to) => editHome(to, { vanishedFrom: 11 })],
  ['recent that never came', /recent from above/, (to) => editHome(to, { recentFrom: 8 })],
  ['a past above the present', /lost mod-sequences/, (to) => editHome(to, { lost: { above: 3, below: 11 } })],
  ['a structure of no body', /of no body/, (to) => t.structures.put(to, ['00'], Buffer.from('x'))],
  [
    'an annotation of no mailbox',
    /annotation joe 9 .*: its mailbox is missing/,
    (to) => t.annotations.put(to, ['joe', 9, '/comment', ''], Buffer.from('x')),
  ],
  ['a subscription of no name', /of no name/, (to) => t.subscriptions.put(to, ['joe', ''], null)],
  ['an ended session never forgotten', /never forgotten/, (to) => t.endedByTime.remove(to, 20, 'e')],
  ['an ended session forgotten already', /forgotten already/, (to) => t.endedSessions.remove(to, 'e')],
  [
    'a session that lives and has ended',
    /lives and has ended/,
    (to) => t.endedSessions.put(to, ['s'], { until: 20, counter: 0, answer: null }),
  ],
];
const vanish = (to: KeyValue, ...row: [number, ...number[]][]) => t.vanished.put(to, ['joe', 1, 8, 2], row);
for (const [what, says, damage] of damages) {
  test(`check finds ${what}`, () => {
    const to = populated();
    damage(to);
    assert.match(flaws(to).join('\n'), says);
  });
}

test('compare finds what one store has and the other has not, other values, and another place in the chain', async () => {
  const identity = { mailHost: 'n1', formatVersion: t.FORMAT_VERSION };
  const left = memoryStore({ ...identity, storeId: 'left' });
  const right = memoryStore({ ...identity, storeId: 'right' });
  assert.equal(differences(left, right), []);
  await left.commit(seal(left.applied(), 1, delivery('joe', Buffer.from('one'))));
  await right.commit(seal(right.applied(), 1, delivery('joe', Buffer.from('two'))));
  const found = differences(left, right).map((each) => (each.at === 'key' ? `${each.key[0]} ${each.found}` : each.at));
  assert.equal(found.sort(), [
    'applied',
    'blob left only',
    'blob right only',
    'chunk other value',
    'message other value',
  ]);
  assert.is(differences(left, right, 2).length, 2);
});

test('compare reads stores of more than one page', async () => {
  const identity = { mailHost: 'n1', formatVersion: t.FORMAT_VERSION };
  const left = memoryStore({ ...identity, storeId: 'left' });
  const right = memoryStore({ ...identity, storeId: 'right' });
  const many = Array.from({ length: 400 }, (_, at) => delivery(`u${at}`, Buffer.from(`${at}`), at + 1)).flat();
  await left.commit(seal(left.applied(), 1, many));
  await right.commit(seal(right.applied(), 1, many));
  assert.equal(differences(left, right), []);
  await left.commit(seal(left.applied(), 1, [{ type: 'AccountDropped', account: 'u399' }]));
  assert.ok(differences(left, right).length > 1);
});

test.run();
