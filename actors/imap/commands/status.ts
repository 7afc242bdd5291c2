/** STATUS: RFC 9051 §6.3.11, RFC 3501 §6.3.10, with RFC 7162 §3.1.7, RFC 7889 §3.1, RFC 8438, RFC 8474 §4.3 and RFC 9208 §4.1.4. */
import type { CommandOf, StatusItem } from '../../../protocols/imap/command.ts';
import type { Response, StatusItems } from '../../../protocols/imap/response.ts';
import type { ListedMailbox } from '../../mailbox-owner/mailbox-requests.ts';
import type { ImapSession } from '../imap-session.ts';
import { mailboxAt } from '../mailbox-at.ts';
import type { Place } from '../names.ts';
import { mailboxId } from '../object-id.ts';
import { done, type Handler } from '../outcome.ts';
import { refusal } from '../replies.ts';
import { enableCondstore } from '../selected-mailbox.ts';

export const status: Handler<CommandOf<'STATUS'>> = async ({ mailbox, items }, session) => {
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  if (found.value.mailbox.status === undefined) return refusal('no-permission'); // RFC 4314 §4
  const highest = items.includes('HIGHESTMODSEQ') ? enableCondstore(session) : []; // RFC 7162 §3.1
  return done('STATUS completed', [...highest, statusResponse(session, found.value.place, found.value.mailbox, items)]);
};

/** @param mailbox  with its status, so the right `r` is there */
export function statusResponse(
  session: ImapSession,
  place: Place,
  mailbox: ListedMailbox,
  items: readonly StatusItem[],
): Response {
  return { type: 'STATUS', mailbox: place.shown, items: itemsOf(session, place, mailbox, items) };
}

function itemsOf(
  session: ImapSession,
  place: Place,
  mailbox: ListedMailbox,
  items: readonly StatusItem[],
): StatusItems {
  const { status: now, uidValidity } = mailbox;
  if (now === undefined) throw new Error('a mailbox without its status');
  const asked = <Value>(item: StatusItem, value: Value): Value | undefined =>
    items.includes(item) ? value : undefined;
  return {
    messages: asked('MESSAGES', now.messages),
    recent: asked('RECENT', now.recent),
    uidNext: asked('UIDNEXT', now.uidNext),
    uidValidity: asked('UIDVALIDITY', uidValidity),
    unseen: asked('UNSEEN', now.unseen),
    deleted: asked('DELETED', now.deleted),
    deletedStorageKib: asked('DELETED-STORAGE', Math.floor(now.deletedOctets / 1024)), // rounded as I-23 has it
    sizeOctets: asked('SIZE', now.octets),
    highestModSeq: asked('HIGHESTMODSEQ', now.modSeq),
    appendLimitOctets: asked('APPENDLIMIT', appendLimit(session, place)),
    mailboxId: asked('MAILBOXID', mailboxId(place.account, mailbox)),
  };
}

/** RFC 7889 §3.1: the mailbox's own, where it is below the server's; null: there is none. */
function appendLimit({ constants, services }: ImapSession, { account }: Place): number | null {
  const limits = [constants.appendLimitOctets, services.accounts.byId(account)?.sizeLimitOctets ?? 0];
  const least = Math.min(...limits.filter((limit) => limit > 0));
  return Number.isFinite(least) ? least : null;
}
