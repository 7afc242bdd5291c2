/** A mailbox that a command names, as its owner has it now. */
import { accept, type Result } from '../../kernel/result.ts';
import type { ListedMailbox } from '../mailbox-owner/mailbox-requests.ts';
import type { SessionRefusal } from '../mailbox-session.ts';
import type { ImapSession } from './imap-session.ts';
import type { NameRefusal, Place } from './names.ts';
import type { OwnerSession } from './services.ts';

export type Found = { readonly place: Place; readonly owner: OwnerSession; readonly mailbox: ListedMailbox };

/** @param raw  its name as sent */
export async function mailboxAt(
  session: ImapSession,
  raw: string,
): Promise<Result<Found, NameRefusal | SessionRefusal>> {
  const placed = await ownerAt(session, raw);
  if (!placed.ok) return placed;
  const { place, owner } = placed.value;
  const found = await owner.read('mailbox-named', { account: place.account, name: place.name });
  return found.ok ? accept({ place, owner, mailbox: found.value }) : found;
}

/** The same without asking whether it is there. */
export async function ownerAt(
  session: ImapSession,
  raw: string,
): Promise<Result<Pick<Found, 'place' | 'owner'>, NameRefusal | SessionRefusal>> {
  const place = session.resolve(raw);
  if (!place.ok) return place;
  const owner = await session.owner(place.value.mailHost);
  return owner.ok ? accept({ place: place.value, owner: owner.value }) : owner;
}
