/**
 * COPY and MOVE, and by UID: RFC 9051 §6.4.7, §6.4.8, §6.4.9; RFC 6851. Within one mailHost, whose owner does each request
 * whole or not at all; a set that takes several requests is undone as far as may be when a later one is refused. To another
 * mailHost: copy-across.ts.
 */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { untagged } from '../../../protocols/imap/response.ts';
import type { ResponseCode } from '../../../protocols/imap/response-code.ts';
import { FLAG } from '../../../store/flags.ts';
import { countIn, piecesOf, type UidRange, type UidRanges, united } from '../../../store/uid-ranges.ts';
import type { MailboxRef } from '../../mailbox-owner/mailbox-requests.ts';
import { MOST_COPIED_AT_ONCE, MOST_STORED_AT_ONCE } from '../../mailbox-owner/operations/limits.ts';
import { copyAcross } from '../copy-across.ts';
import type { ImapSession } from '../imap-session.ts';
import { noSuchNumber, readOnly, someAreGone } from '../message-replies.ts';
import type { Place } from '../names.ts';
import { countOf, type NumberRanges, slicesOf } from '../numbering.ts';
import { done, type Handler, type Outcome } from '../outcome.ts';
import * as replies from '../replies.ts';
import { highestAfterExpunge, isSelected, mayBeRead, type SelectedMailbox, selectedBy } from '../selected-mailbox.ts';
import { numberSet } from '../view.ts';

type CopyCommand = CommandOf<'COPY' | 'MOVE'>;
export const copy: Handler<CopyCommand> = (command, session) => transfer(command, session, false);
export const move: Handler<CopyCommand> = (command, session) => transfer(command, session, true);

async function transfer(command: CopyCommand, session: ImapSession, isMove: boolean): Promise<Outcome> {
  const mailbox = selectedBy(session);
  const numbers = mailbox.messages(command.set, command.uid);
  if (numbers === undefined) return noSuchNumber;
  if (isMove && mailbox.view.readOnly) return readOnly;
  const place = session.resolve(command.mailbox);
  if (!place.ok) return replies.refusal(place.refusal);
  // RFC 2180 §4.4.1: by number, all of them or none; the view may not know yet that some are gone, the owner does.
  const isWhole = !command.uid;
  if (isWhole && mailbox.view.anyGone(numbers)) return { ...someAreGone, untagged: [] };
  if (numbers.length === 0) return done('no messages, so nothing is copied');
  if (place.value.mailHost !== mailbox.place.mailHost) {
    return await copyAcross({ session, mailbox, place: place.value, isMove, isWhole }, numbers);
  }
  const transferring = new Transfer(mailbox, place.value, session, { isMove, isWhole });
  const refusal = await transferring.all(numbers);
  if (refusal === 'gone') mailbox.expectChanges(); // RFC 2180 §4.4: they are told of before the answer
  if (refusal !== undefined && !transferring.isBegun) return replies.refusal(refusal);
  const outcome = await transferring.outcome(command.type, countOf(numbers), await mayBeRead(session, place.value));
  // RFC 9051 §6.4.8: a MOVE may break off between messages, and then those that were moved are told of all the same.
  return refusal === undefined ? outcome : { ...replies.refusal(refusal), untagged: outcome.untagged };
}

class Transfer {
  readonly #mailbox: SelectedMailbox;
  readonly #place: Place;
  readonly #session: ImapSession;
  readonly #isMove: boolean;
  readonly #isWhole: boolean;
  readonly #source: UidRange[] = [];
  readonly #copies: UidRange[] = [];
  #to: MailboxRef | undefined;

  /** @param how  `isWhole`: refused if any of the messages is gone */
  constructor(
    mailbox: SelectedMailbox,
    place: Place,
    session: ImapSession,
    { isMove, isWhole }: { readonly isMove: boolean; readonly isWhole: boolean },
  ) {
    this.#mailbox = mailbox;
    this.#place = place;
    this.#session = session;
    this.#isMove = isMove;
    this.#isWhole = isWhole;
  }

  /** Are messages where they were to go? */
  get isBegun(): boolean {
    return this.#source.length > 0;
  }

  /** @returns why not; then nothing is copied, or of a move what came before stands (RFC 9051 §6.4.8) */
  async all(numbers: NumberRanges): Promise<replies.Refusal | undefined> {
    const { view } = this.#mailbox;
    // As they are now: a copy into this very mailbox is not copied again.
    const slices = [...slicesOf(numbers, MOST_COPIED_AT_ONCE)];
    for (const { uids, count } of slices.map((each) => ({ uids: view.numbers.spans(each), count: countOf(each) }))) {
      const refusal = await this.#some(uids, count);
      if (refusal === undefined) continue;
      if (!this.#isMove) await this.#undo();
      return refusal;
    }
    return undefined;
  }

  async #some(uids: UidRanges, count: number): Promise<replies.Refusal | undefined> {
    const { owner, ref, view } = this.#mailbox;
    const { account, name, withInbox } = this.#place;
    const limits = this.#session.services.accounts.byId(account);
    const copied = await owner.change('copy', {
      from: ref,
      uids,
      ...(this.#isWhole && { least: count }),
      to: { account, name, withInbox },
      move: this.#isMove,
      ...limits?.quota,
      ...(limits?.sizeLimitOctets !== undefined && { sizeLimitOctets: limits.sizeLimitOctets }),
    });
    if (!copied.ok) return copied.refusal;
    const { mailbox, uidValidity, source, destination, expunged } = copied.value;
    if (source.length === 0) return undefined;
    if (this.#to !== undefined && this.#to.mailbox !== mailbox) return 'no-such-destination'; // made anew meanwhile
    this.#to = { account, mailbox, uidValidity };
    this.#source.push(...source);
    this.#copies.push(...destination);
    if (expunged !== undefined) view.noteOwnExpunge(source, expunged);
    return undefined;
  }

  /** RFC 9051 §6.4.7: a COPY that fails leaves the destination as it was. */
  async #undo(): Promise<void> {
    if (this.#to === undefined) return;
    const { owner } = this.#mailbox;
    const ref = this.#to;
    const copies = united(this.#copies);
    this.#source.length = 0;
    for (const uids of piecesOf(copies, MOST_STORED_AT_ONCE)) {
      const marked = await owner.change('store-flags', { ref, uids, mode: 'add', flags: FLAG.deleted, keywords: [] });
      const removed = marked.ok ? await owner.change('expunge', { ref, uids }) : marked;
      if (removed.ok) continue;
      const { id: session, log } = this.#session;
      log.warn('copies of a COPY that failed could not be taken back', { session, refusal: removed.refusal });
      return;
    }
  }

  async outcome(command: 'COPY' | 'MOVE', named: number, isTold: boolean): Promise<Outcome> {
    const mailbox = this.#mailbox;
    const count = countIn(this.#source);
    if (count < named) mailbox.expectChanges();
    const to = this.#to;
    if (to === undefined) return done('the messages are gone, so nothing is copied');
    if (isSelected(mailbox, to)) mailbox.expectChanges(); // EXISTS at once
    const text = count < named ? 'those that are still there' : `${command} completed`;
    const code: ResponseCode | undefined = isTold
      ? {
          code: 'COPYUID',
          uidValidity: to.uidValidity,
          sourceUids: numberSet(this.#source),
          destinationUids: numberSet(this.#copies),
        }
      : undefined;
    if (!this.#isMove) return done(text, [], code);
    // RFC 9051 §6.4.8: before any EXPUNGE is told.
    const told = code === undefined ? [] : [untagged('OK', 'moved', code)];
    return done(text, told, await highestAfterExpunge(mailbox));
  }
}
