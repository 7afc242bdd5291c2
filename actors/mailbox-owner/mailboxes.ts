/** An account's mailboxes as `decide` and reads look them up: by name, to be made or removed, and whether mail may be posted. */

import { INBOX, mailboxName } from '../../kernel/mailbox-name.ts';
import type { Change, MailboxCreated } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import {
  accounts,
  annotations,
  goingMailboxes,
  type MailboxRow,
  mailboxes,
  mailboxNames,
  rights,
} from '../../store/tables.ts';
import { firstWith, hasBit, rangesWith } from '../../store/uid-bits.ts';
import { countIn, type UidRanges, uidsIn } from '../../store/uid-ranges.ts';
import { ANYONE, NEGATIVE } from './rights.ts';

export type Found = { readonly mailbox: number; readonly row: MailboxRow };

/** @param name  as `mailboxName` gives it */
export function mailboxNamed(view: View, account: string, name: string): Found | undefined {
  const mailbox = mailboxNames.get(view, account, name);
  const row = mailbox === undefined ? undefined : mailboxes.get(view, account, mailbox);
  return mailbox !== undefined && row ? { mailbox, row } : undefined;
}

/** The mailbox that somebody looked up before: undefined when it was deleted, or made anew under its name, meanwhile. */
export function mailboxOf(view: View, { account, mailbox, uidValidity }: Ref): Found | undefined {
  const row = mailboxes.get(view, account, mailbox);
  if (row?.uidValidity !== uidValidity) return undefined;
  return goingMailboxes.get(view, account, mailbox) === undefined ? { mailbox, row } : undefined;
}
type Ref = { readonly account: string; readonly mailbox: number; readonly uidValidity: number };

/** More are looked for in the bitmaps, whatever was asked for: a range may name four thousand million. */
const FEW = 8;

/** Those of the UIDs that are there, ascending. */
export function presentAmong(view: View, account: string, mailbox: number, uids: UidRanges): readonly number[] {
  if (countIn(uids) <= FEW) return [...uidsIn(uids)].filter((uid) => hasBit(view, account, mailbox, uid));
  return [...uidsIn(rangesWith(view, account, mailbox, {}, uids))];
}

/**
 * The changes that make mailboxes of these names, in this order. UIDVALIDITY is the time in seconds, but always above
 * every one that the account has had, so that no client takes another mailbox's UIDs for this one's (RFC 9051 §2.3.1.1).
 * @param now  milliseconds since 1970
 */
export function created(view: View, account: string, names: readonly string[], now: number): MailboxCreated[] {
  const known = accounts.get(view, account);
  const uidValidity = Math.max((known?.lastUidValidity ?? 0) + 1, Math.floor(now / 1000));
  const mailbox = (known?.lastMailbox ?? 0) + 1;
  return names.map((name, at) => ({
    type: 'MailboxCreated',
    account,
    mailbox: mailbox + at,
    name,
    uidValidity: uidValidity + at,
  }));
}

/**
 * A step towards a mailbox's end: its oldest messages, and the mailbox itself when no more are left.
 * @param most  messages
 * @returns `removed`: so many messages
 */
export function removal(view: View, account: string, mailbox: number, row: Pick<MailboxRow, 'modSeq'>, most: number) {
  const page = firstWith(view, account, mailbox, most + 1);
  const uids = page.slice(0, most);
  const changes: Change[] = [];
  if (uids.length > 0) changes.push({ type: 'Expunged', account, mailbox, uids, modSeq: row.modSeq + 1 });
  // What is left of the step; a few go with the mailbox, and with a step that takes nothing but what it has to.
  const left = Math.max(FEW, most - uids.length);
  const notes = [...annotations.range(view, [account, mailbox], { limit: left + 1 })];
  const more = page.length > uids.length || (most > 0 && notes.length > left);
  if (page.length === uids.length && more) {
    for (const { key } of notes.slice(0, left)) {
      changes.push({ type: 'AnnotationSet', account, mailbox, entry: key[2], who: key[3], value: null });
    }
  }
  if (!more) changes.push({ type: 'MailboxDeleted', account, mailbox });
  return { changes, removed: uids.length, more };
}

/** How many mailboxes of an account are not just there: those beside INBOX, and INBOX too if rights were set on it. What is going is none any more. */
export function madeByHand(view: View, account: string): number {
  let count = 0;
  for (const { key, row } of mailboxNames.range(view, [account])) {
    if (key[1] !== INBOX || hasRights(view, account, row)) count++;
  }
  return count;
}

/** How many identifiers stand on its list. */
export const countRights = (view: View, account: string, mailbox: number): number =>
  [...view.range(['rights', account, mailbox])].length;

const hasRights = (view: View, account: string, mailbox: number): boolean =>
  [...rights.range(view, [account, mailbox], { limit: 1 })].length > 0;

/**
 * The mailbox beside INBOX that mail named, if it is there and `anyone`, whom nobody has vouched for, has the right `p`
 * (RFC 4314 §2.1; requirement T-09). Whatever can't be a name is a mailbox that is not there.
 * @param folder  as it stood in the address
 */
export function postable(view: View, account: string, folder: string): Found | undefined {
  const name = mailboxName(folder);
  if (!name.ok || name.value === INBOX) return undefined;
  const found = mailboxNamed(view, account, name.value);
  if (!found) return undefined;
  const has = (identifier: string) => rights.get(view, account, found.mailbox, identifier)?.includes('p') === true;
  return has(ANYONE) && !has(NEGATIVE + ANYONE) ? found : undefined;
}
