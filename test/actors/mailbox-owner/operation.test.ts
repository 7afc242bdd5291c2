/** Which operations are tried again without the rest of their batch when the disk is full. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decide } from '../../../actors/mailbox-owner/decide.ts';
import type { SessionEdit } from '../../../actors/mailbox-owner/mailbox-requests.ts';
import { needsLittle, type OwnerOperation } from '../../../actors/mailbox-owner/operation.ts';
import { FLAG } from '../../../store/flags.ts';
import { mustLeave } from '../../../store/reserve.ts';
import { editOf, mailboxState, uids } from './mailbox-state.ts';

test('an operation needs little where what comes of it may use the reserve, and not otherwise', () => {
  const fresh = mailboxState();
  fresh.create('work');
  fresh.fill('work', [0]);
  fresh.grant('work', 'ann', 'lr');
  const noted = (value: Uint8Array | null) => [{ entry: '/comment', isPrivate: false, value }];
  const edits: readonly [SessionEdit, boolean][] = [
    [{ type: 'create', name: 'new' }, false],
    [{ type: 'rename', name: 'work', to: 'other' }, false],
    [{ type: 'rename', name: 'INBOX', to: 'other' }, false],
    [{ type: 'subscribe', name: 'work' }, false],
    [{ type: 'set-rights', name: 'work', identifier: 'bob', rights: 'l' }, false],
    [{ type: 'set-annotations', name: 'work', annotations: noted(Buffer.from('x')) }, false],
    [{ type: 'set-special-use', name: 'work', specialUse: '\\Sent' }, false],
    [{ type: 'delete-rights', name: 'work', identifier: 'ann' }, true],
    [{ type: 'set-annotations', name: 'work', annotations: noted(null) }, true],
    [{ type: 'set-special-use', name: 'work', specialUse: null }, true],
    [{ type: 'unsubscribe', name: 'work' }, true],
    [{ type: 'delete', name: 'work' }, true],
  ];
  const session = { session: 's-joe', counter: 9 };
  const store = { type: 'store-flags', ref: fresh.ref('work'), uids: uids(1), flags: FLAG.deleted } as const;
  const operations: [OwnerOperation, boolean][] = [
    ...edits.map(([edit, little]): [OwnerOperation, boolean] => [{ ...editOf('joe', edit), ...session }, little]),
    [{ ...store, ...session, mode: 'add', keywords: ['a'] }, false],
    [{ ...store, ...session, mode: 'add', keywords: [] }, true],
    [{ ...store, ...session, mode: 'remove', keywords: ['a'] }, true],
    [{ type: 'drop-stages', session: 's-joe', stages: ['a'] }, true],
  ];
  for (const [operation, little] of operations) {
    assert.is(needsLittle(operation), little, JSON.stringify(operation));
    const { changes, answer } = decide(fresh.view, operation);
    assert.ok(answer.ok, JSON.stringify(operation));
    assert.is(mustLeave(changes) === 0, little, JSON.stringify(operation));
  }
});

test.run();
