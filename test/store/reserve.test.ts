/** Which changes may use up the room that is kept for a full disk. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../../store/change.ts';
import { mustLeave, RESERVE_OCTETS } from '../../store/reserve.ts';

const account = 'joe';
const flags = { type: 'FlagsChanged', account, mailbox: 1, modSeq: 2, groups: [] } as const;
const rights = { type: 'RightsSet', account, mailbox: 1, identifier: 'ann', rights: '' } as const;
const annotation = { type: 'AnnotationSet', account, mailbox: 1, entry: '/comment', who: '', value: null } as const;
const made = { type: 'MailboxCreated', account, mailbox: 1, name: 'INBOX', uidValidity: 1 } as const;
const use = { type: 'SpecialUseSet', account, mailbox: 1, specialUse: null } as const;

test('what a client adds leaves the reserve alone: annotations, keywords, names, rights, subscriptions', () => {
  const added: readonly Change[] = [
    { ...annotation, value: new Uint8Array(1) },
    { ...flags, addsKeywords: true },
    { ...rights, rights: 'lr' },
    { ...made, name: 'Work' },
    { ...made, continues: { uidNext: 3, modSeq: 4 } },
    { ...use, specialUse: '\\Sent' },
    { type: 'MailboxesRenamed', account, mailboxes: [{ mailbox: 1, name: 'Old' }] },
    { type: 'Subscribed', account, name: 'a' },
  ];
  for (const change of added) assert.is(mustLeave([flags, change]), RESERVE_OCTETS, JSON.stringify(change));
});

test('flags, removals and an account’s first mailbox may use it up', () => {
  const free: readonly Change[] = [
    flags,
    annotation,
    rights,
    made,
    use,
    { type: 'Unsubscribed', account, name: 'a' },
    { type: 'Expunged', account, mailbox: 1, uids: [1], modSeq: 3 },
    { type: 'MailboxDeleted', account, mailbox: 1 },
    { type: 'StageDropped', session: 's', stage: 'a' },
  ];
  assert.is(mustLeave(free), 0);
});

test.run();
