/**
 * COPY and MOVE to a mailbox that another mailHost keeps (RFC 9051 §6.4.7, §6.4.8): its owner gets the messages as by an APPEND of
 * all of them, so all or none are there, and everything goes through this node. What RFC 8474 calls EMAILID does not go along.
 *
 * A MOVE then marks and expunges them where they were, in two steps, since no owner can do both: one that breaks off between
 * leaves them in both places, and none is lost.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { untagged } from '../../protocols/imap/response.ts';
import type { ResponseCode } from '../../protocols/imap/response-code.ts';
import { FLAG } from '../../store/flags.ts';
import { piecesOf, rangesOf, type UidRanges } from '../../store/uid-ranges.ts';
import type { AppendedMessage } from '../mailbox-owner/edit-requests.ts';
import type { MessageEntry } from '../mailbox-owner/message-requests.ts';
import { MOST_APPENDED_AT_ONCE, MOST_STORED_AT_ONCE } from '../mailbox-owner/operations/limits.ts';
import { BodyStaging } from './body-staging.ts';
import type { ImapSession } from './imap-session.ts';
import { tooManyMessages } from './message-replies.ts';
import { pagesOf } from './messages.ts';
import type { Place } from './names.ts';
import { countOf, type NumberRanges } from './numbering.ts';
import { done, type Outcome } from './outcome.ts';
import * as replies from './replies.ts';
import { highestAfterExpunge, mayBeRead, type SelectedMailbox } from './selected-mailbox.ts';
import { numberSet } from './view.ts';

export type Across = {
  readonly session: ImapSession;
  readonly mailbox: SelectedMailbox;
  readonly place: Place;
  readonly isMove: boolean;
  /** By number: refused if any of the messages is gone (RFC 2180 §4.4.1). */
  readonly isWhole: boolean;
};

export async function copyAcross(across: Across, numbers: NumberRanges): Promise<Outcome> {
  const { session, mailbox, place, isMove, isWhole } = across;
  if (countOf(numbers) > MOST_APPENDED_AT_ONCE) return tooManyMessages;
  if (isMove && !['t', 'e'].every((right) => mailbox.view.rights.includes(right)))
    return replies.refusal('no-permission');
  const owner = await session.owner(place.mailHost);
  if (!owner.ok) return replies.refusal(owner.refusal);
  const found = await owner.value.read('mailbox-named', { account: place.account, name: place.name });
  if (!found.ok) return refusalOf(found.refusal); // before much is sent for nothing
  const bodies = new BodyStaging(owner.value, () => session.nextStage());
  const gathered = await gather(across, numbers, bodies).catch(async (fault) => {
    await bodies.drop();
    throw fault;
  });
  if (!gathered.ok) {
    await bodies.drop();
    return replies.refusal(gathered.refusal);
  }
  const { uids, messages } = gathered.value;
  if (messages.length < countOf(numbers)) {
    mailbox.expectChanges();
    if (isWhole) {
      await bodies.drop();
      return replies.refusal('gone');
    }
  }
  if (messages.length === 0) return done('the messages are gone, so nothing is copied');
  const limits = session.services.accounts.byId(place.account);
  const appended = await owner.value.change('append', {
    account: place.account,
    withInbox: place.withInbox,
    name: place.name,
    messages,
    ...limits?.quota,
    ...(limits?.sizeLimitOctets !== undefined && { sizeLimitOctets: limits.sizeLimitOctets }),
  });
  if (!appended.ok) {
    await bodies.drop();
    return refusalOf(appended.refusal);
  }
  bodies.kept();
  const { uidValidity, uids: copies } = appended.value;
  const code: ResponseCode = {
    code: 'COPYUID',
    uidValidity,
    sourceUids: numberSet(uids),
    destinationUids: numberSet(copies),
  };
  const isTold = await mayBeRead(session, place);
  if (!isMove) return done('COPY completed', [], isTold ? code : undefined);
  const told = isTold ? [untagged('OK', 'moved', code)] : [];
  const refusal = await expunge(mailbox, uids);
  if (refusal !== undefined) return { ...replies.refusal(refusal), untagged: told };
  return done('MOVE completed', told, await highestAfterExpunge(mailbox));
}

type Gathered = { readonly uids: UidRanges; readonly messages: readonly AppendedMessage[] };

/** Those that are still there, put aside at the owner that is to have them. */
async function gather(
  { mailbox }: Across,
  numbers: NumberRanges,
  bodies: BodyStaging,
): Promise<Result<Gathered, replies.Refusal>> {
  const uids: number[] = [];
  const messages: AppendedMessage[] = [];
  for await (const page of pagesOf(mailbox, numbers)) {
    if (!page.ok) return page;
    for (const entry of page.value) {
      const octets = await mailbox.owner.octets(mailbox.ref, entry.uid);
      if (!octets.ok) {
        if (octets.refusal === 'gone') continue;
        return refuse(octets.refusal);
      }
      const content = await bodies.store(octets.value.octets);
      if (!content.ok) return content;
      uids.push(entry.uid);
      messages.push({ content: content.value, ...keptOf(entry) });
    }
  }
  return accept({ uids: rangesOf(uids), messages });
}

const keptOf = ({ flags, keywords = [], internalDate }: MessageEntry) => ({ flags, keywords, internalDate });

/** @returns why not all of them */
async function expunge({ owner, ref, view }: SelectedMailbox, uids: UidRanges): Promise<replies.Refusal | undefined> {
  for (const piece of piecesOf(uids, MOST_STORED_AT_ONCE)) {
    const marked = await owner.change('store-flags', {
      ref,
      uids: piece,
      mode: 'add',
      flags: FLAG.deleted,
      keywords: [],
    });
    const expunged = marked.ok ? await owner.change('expunge', { ref, uids: piece }) : marked;
    if (!expunged.ok) return expunged.refusal;
    view.noteOwnExpunge(expunged.value.uids, expunged.value.modSeq);
  }
  return undefined;
}

/** RFC 9051 §6.4.7: a mailbox that is not there could be made. */
const refusalOf = (refusal: replies.Refusal): Outcome =>
  refusal === 'no-such-mailbox' ? replies.refusal(refusal, 'TRYCREATE') : replies.refusal(refusal);
