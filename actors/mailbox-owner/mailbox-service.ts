/**
 * What is served of an account's mailboxes beside its maildrop: what there is, what it holds, and what operators change.
 * A part of service.ts, whose rules hold here too.
 */
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { View } from '../../store/key-value.ts';
import type { Store } from '../../store/store.ts';
import { accounts, mailboxes, mailboxNames, rights } from '../../store/tables.ts';
import type { Admissions } from './admission.ts';
import { mailboxNamed, postable } from './mailboxes.ts';
import { isCount, isFolder, isName, isText, must } from './must.ts';
import { MOST_DELETED_AT_ONCE } from './operations/change-mailboxes.ts';
import type * as r from './requests.ts';
import { flat, type Writer } from './writer.ts';

export type MailboxServiceParts = {
  readonly store: Store;
  readonly writer: Writer;
  readonly admissions: Admissions;
  readonly clock: Clock;
  readonly stir: () => void;
};

/** With long names and lists of rights a page stays below what the bus carries. */
const MOST_IN_PAGE = 100;
/** A name as it is kept. */
const MOST_KEPT_OCTETS = 1_000;
/** What is longer is no name, whatever becomes of it in Normalization Form C. */
const MOST_NAME_OCTETS = 4_000;

export function createMailboxService({ store, writer, admissions, clock, stir }: MailboxServiceParts) {
  const mayPost = ({ account, folder }: r.MayPostRequest): r.MayPostAnswer => {
    must(isName(account) && isFolder(folder), 'may-post: to which?');
    return accept(store.read((view) => postable(view, account, folder) !== undefined));
  };

  const usage = ({ account }: r.UsageRequest): r.UsageAnswer => {
    must(isName(account), 'usage: of which?');
    const { octets, messages } = store.read((view) => accounts.get(view, account)) ?? { octets: 0, messages: 0 };
    return accept({ octets, messages });
  };

  const list = ({ account, after, limit, name }: r.MailboxesRequest): r.MailboxesAnswer => {
    must(isName(account) && isCount(limit), 'mailboxes: of which?');
    must(after === undefined || isText(after, MOST_KEPT_OCTETS), 'mailboxes: after');
    must(name === undefined || isText(name, MOST_KEPT_OCTETS), 'mailboxes: name');
    if (name !== undefined) {
      return store.read((view) => {
        const found = mailboxNamed(view, account, name);
        return accept(found ? [entry(view, account, found.mailbox)] : []);
      });
    }
    const most = Math.max(1, Math.min(limit, MOST_IN_PAGE));
    const from = after === undefined ? {} : { after: [account, after] as [string, string] };
    return store.read((view) =>
      accept(
        [...mailboxNames.range(view, [account], { ...from, limit: most })].map(({ row }) => entry(view, account, row)),
      ),
    );
  };

  const change = async (request: r.ChangeMailboxesRequest): Promise<r.ChangeMailboxesAnswer> => {
    const { account, withInbox, edit } = request;
    must(isName(account) && typeof withInbox === 'boolean', 'change-mailboxes: of which?');
    must(
      texts(edit).every((text) => isText(text, MOST_NAME_OCTETS)),
      'change-mailboxes: edit',
    );
    must(edit.type !== 'set-rights' || isName(edit.identifier), 'change-mailboxes: identifier');
    if (admissions.keeps?.(account) === false) return refuse('unavailable'); // moved
    const operation = { type: 'change-mailboxes', account, withInbox, edit, now: clock.wall() } as const;
    const changed = flat(await writer.submit(operation));
    if (!changed.ok) return changed;
    try {
      if (changed.value.going !== null) await clear(account, changed.value.going);
    } finally {
      if (edit.type === 'delete') stir(); // what is left, and bodies that nothing names any more
    }
    return accept(null);
  };

  /** What this can't do now, or a later owner is to do, is for housekeeping: the mailbox is deleted all the same. */
  const clear = async (account: string, mailbox: number): Promise<void> => {
    for (let more = true; more; ) {
      const step = flat(await writer.submit({ type: 'clear', account, mailbox, most: MOST_DELETED_AT_ONCE }));
      more = step.ok && step.value.more;
    }
  };

  return { mayPost, usage, listMailboxes: list, changeMailboxes: change, clear };
}

/** All words of an edit; throws for one that is none. */
function texts(edit: r.MailboxEdit): readonly unknown[] {
  switch (edit.type) {
    case 'create':
    case 'delete':
      return [edit.name];
    case 'rename':
      return [edit.name, edit.to];
    case 'set-rights':
      return [edit.name, edit.identifier, edit.rights];
    default:
      throw new RangeError('mail request: change-mailboxes: what?');
  }
}

function entry(view: View, account: string, mailbox: number): r.MailboxEntry {
  const { name, uidValidity, uidNext, messages, octets } = mailboxes.get(view, account, mailbox)!; // named, so there
  const grants = [...rights.range(view, [account, mailbox])].map(({ key, row }) => ({
    identifier: key[2],
    rights: row,
  }));
  return { name, uidValidity, uidNext, messages, octets, rights: grants };
}
