/**
 * Says what a commit changed, once it stands (event.ts): one event for each mailbox touched, one for each account whose
 * mailboxes themselves changed. Its cost is one look at each of these mailboxes as they were before.
 */
import type { Bus } from '../../cluster/bus/bus.ts';
import type { Subjects } from '../../cluster/subjects.ts';
import type { Change } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import { mailboxes } from '../../store/tables.ts';
import type { Log } from '../../telemetry/log.ts';
import type { ChangeEvent, MessagesChanged } from './event.ts';

export type Announcer = {
  /**
   * @param before  the state that these changes are to be applied to
   * @returns publishes, when the changes stand; never throws
   */
  prepare(before: View, changes: readonly Change[]): () => void;
  /** A new owner serves: whatever the one before it had no time to say may have happened. */
  began(): void;
};

/** What a mailbox that is made begins with. */
const FIRST_MOD_SEQ = 1;

export function createAnnouncer(options: {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly mailHost: string;
  readonly epoch: number;
  readonly log: Log;
}): Announcer {
  const { bus, subjects, mailHost, epoch, log } = options;
  const publish = (subject: string, event: ChangeEvent): void => {
    try {
      bus.publish(subject, event);
    } catch (fault) {
      log.warn('a change was not announced', { subject, fault }); // the next one shows the gap
    }
  };
  return {
    prepare(before, changes) {
      const events = eventsOf(before, changes, epoch);
      return () => {
        for (const event of events) publish(subjects.changed(mailHost, event.account), event);
      };
    },
    began: () => publish(subjects.changedOwner(mailHost), { kind: 'owner', epoch }),
  };
}

/** Accounts whose mailboxes changed first, then the mailboxes whose messages did, each in the order of the changes. */
export function eventsOf(
  before: View,
  changes: readonly Change[],
  epoch: number,
): readonly Exclude<ChangeEvent, { kind: 'owner' }>[] {
  const accounts = new Set<string>();
  const messages = new Map<string, MessagesChanged>();
  for (const change of changes) {
    switch (change.type) {
      case 'Appended':
      case 'Copied':
      case 'Expunged':
      case 'FlagsChanged': {
        const { account, mailbox, modSeq } = change;
        const name = `${mailbox} ${account}`;
        const known = messages.get(name)?.before;
        const from = known ?? mailboxes.get(before, account, mailbox)?.modSeq ?? FIRST_MOD_SEQ;
        messages.set(name, { kind: 'messages', epoch, account, mailbox, before: from, modSeq });
        break;
      }
      case 'MailboxCreated':
      case 'MailboxUnnamed':
      case 'MailboxDeleted':
      case 'MailboxesRenamed':
      case 'RightsSet':
      case 'SpecialUseSet':
      case 'Subscribed':
      case 'Unsubscribed':
      case 'AnnotationSet':
      case 'AccountDropped':
        accounts.add(change.account);
        break;
    }
  }
  return [...[...accounts].map((account) => ({ kind: 'mailboxes' as const, epoch, account })), ...messages.values()];
}
