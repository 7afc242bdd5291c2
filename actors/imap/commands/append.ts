/**
 * APPEND: RFC 9051 §6.3.12; of several messages, all or none: RFC 3502 §3; with NUL in them: RFC 3516 §4.4. Messages flow to the
 * owner as they come in (body-staging.ts), and are in the mailbox together, at the end, or not at all.
 */
import { accept, type Result, refuse } from '../../../kernel/result.ts';
import type { AppendMessage } from '../../../protocols/imap/command.ts';
import type { ResponseCode } from '../../../protocols/imap/response-code.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import type { AppendedMessage } from '../../mailbox-owner/edit-requests.ts';
import type { MessagesAppended } from '../../mailbox-owner/operation.ts';
import { MOST_APPENDED_AT_ONCE } from '../../mailbox-owner/operations/limits.ts';
import type { Content } from '../../session.ts';
import { BodyStaging } from '../body-staging.ts';
import { canBeKept, flagsNamed, type NamedFlags } from '../flags.ts';
import type { ImapSession } from '../imap-session.ts';
import { ownerAt } from '../mailbox-at.ts';
import { bareLf, givenUp, noSuchFlag, nulInText, tooManyMessages } from '../message-replies.ts';
import type { Place } from '../names.ts';
import { type AppendHandler, type Appending, done, type Outcome } from '../outcome.ts';
import * as replies from '../replies.ts';
import { isSelected, mayBeRead, SelectedMailbox } from '../selected-mailbox.ts';
import type { OwnerSession } from '../services.ts';
import { numberSet } from '../view.ts';

export const beginAppend: AppendHandler = async (command, session) => {
  const found = await ownerAt(session, command.mailbox);
  if (!found.ok) return refuse(replies.refusal(found.refusal));
  return accept(new Append(session, found.value.place, found.value.owner));
};

class Append implements Appending {
  readonly #session: ImapSession;
  readonly #place: Place;
  readonly #owner: OwnerSession;
  readonly #bodies: BodyStaging;
  readonly #messages: AppendedMessage[] = [];
  #next: { readonly message: AppendMessage; readonly flags: NamedFlags } | undefined;
  #sizeOctets = 0;

  constructor(session: ImapSession, place: Place, owner: OwnerSession) {
    this.#session = session;
    this.#place = place;
    this.#owner = owner;
    const { quotaOctets = 0 } = session.services.accounts.byId(place.account)?.quota ?? {};
    const within = quotaOctets > 0 ? { account: place.account, quotaOctets } : undefined;
    this.#bodies = new BodyStaging(owner, () => session.nextStage(), within);
  }

  async accepts(message: AppendMessage): Promise<Result<null, Outcome>> {
    if (message.sizeOctets === 0) return refuse(givenUp); // RFC 3502 §6.3.11
    if (this.#messages.length === MOST_APPENDED_AT_ONCE) return refuse(tooManyMessages);
    const flags = flagsNamed(message.flags);
    if (flags === undefined) return refuse(noSuchFlag);
    if (!canBeKept(flags)) return refuse(replies.refusal('too-many-keywords'));
    if (isAbove(message.sizeOctets, this.#session.constants.appendLimitOctets)) {
      return refuse(replies.refusal('too-large'));
    }
    this.#sizeOctets += message.sizeOctets;
    const refusal = message.sizeOctets > CHUNK_OCTETS ? await this.#foreseen(message) : undefined;
    if (refusal !== undefined) return refuse(refusal);
    this.#next = { message, flags };
    return accept(null);
  }

  /** What the owner would say at the end, before much is sent for nothing. It is asked again then. */
  async #foreseen({ sizeOctets }: AppendMessage): Promise<Outcome | undefined> {
    const { account, name, mailHost, withInbox, isOwn } = this.#place;
    const { accounts, usage } = this.#session.services;
    const limits = accounts.byId(account);
    if (isAbove(sizeOctets, limits?.sizeLimitOctets)) return replies.refusal('too-large');
    const found = await this.#owner.read('mailbox-named', { account, name });
    const comesIntoBeing = isOwn && withInbox && name === 'INBOX';
    if (!found.ok && !comesIntoBeing) return refusalOf(found.refusal);
    if (found.ok && !found.value.rights.includes('i')) return replies.refusal('no-permission');
    const { quotaOctets = 0 } = limits?.quota ?? {};
    if (quotaOctets === 0) return undefined;
    const used = await usage({ mailHost, account });
    return used.ok && isAbove(used.value.octets + this.#sizeOctets, quotaOctets)
      ? replies.refusal('over-quota')
      : undefined;
  }

  async takes(content: Content): Promise<Result<null, Outcome>> {
    const next = this.#next;
    if (next === undefined) throw new Error('octets of a message that was not accepted');
    const { message, flags } = next;
    this.#next = undefined;
    const screened = new Screened(content, message.binary);
    const stored = await this.#bodies.store(screened);
    if (screened.hasNul) return refuse(await this.#refused(nulInText));
    if (!stored.ok) return refuse(replies.refusal(stored.refusal)); // parts of it may be on their way for long
    if (content.bareLf && !message.binary) return refuse(await this.#refused(bareLf));
    this.#messages.push({
      content: stored.value,
      flags: flags.bits,
      keywords: flags.keywords,
      // Before 1970 there was no mail to be kept: as early as may be.
      internalDate: Math.max(0, message.date?.epochMs ?? this.#session.clock.wall()),
    });
    return accept(null);
  }

  async finish(): Promise<Outcome> {
    const { account, name, withInbox } = this.#place;
    const limits = this.#session.services.accounts.byId(account);
    const appended = await this.#owner.change('append', {
      account,
      name,
      withInbox,
      messages: this.#messages,
      ...limits?.quota,
      ...(limits?.sizeLimitOctets !== undefined && { sizeLimitOctets: limits.sizeLimitOctets }),
    });
    if (!appended.ok) return await this.#refused(refusalOf(appended.refusal));
    this.#bodies.kept();
    this.#expect(appended.value);
    const isTold = await mayBeRead(this.#session, this.#place);
    return done('APPEND completed', [], isTold ? appendUid(appended.value) : undefined);
  }

  /** What was staged is given up; what the owner does not hear of now goes with the session. */
  abandon(): void {
    this.#messages.length = 0;
    this.#bodies.drop().catch((fault: unknown) => {
      this.#session.log.warn('staged bodies were not dropped', { session: this.#session.id, fault });
    });
  }

  /** Once nothing of it lies at the owner any more: the client may try again at once. */
  async #refused(outcome: Outcome): Promise<Outcome> {
    this.#messages.length = 0;
    await this.#bodies.drop();
    return outcome;
  }

  /** RFC 9051 §6.3.12: into the mailbox that is selected, EXISTS follows at once. */
  #expect({ mailbox }: MessagesAppended): void {
    const { view } = this.#session;
    const { account } = this.#place;
    if (view instanceof SelectedMailbox && isSelected(view, { account, mailbox })) view.expectChanges();
  }
}

/** RFC 3516 §4.4: `CHAR8` has no NUL (RFC 9051 §9), a literal8 may. Ends at the first that may not be. */
class Screened implements AsyncIterable<Uint8Array> {
  readonly #octets: AsyncIterable<Uint8Array>;
  readonly #mayHoldNul: boolean;
  hasNul = false;

  constructor(octets: AsyncIterable<Uint8Array>, mayHoldNul: boolean) {
    this.#octets = octets;
    this.#mayHoldNul = mayHoldNul;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const bytes of this.#octets) {
      this.hasNul = !this.#mayHoldNul && bytes.includes(0);
      if (this.hasNul) return;
      yield bytes;
    }
  }
}

const isAbove = (octets: number, limit: number | undefined): boolean =>
  limit !== undefined && limit > 0 && octets > limit;

/** RFC 9051 §6.3.12: a mailbox that is not there could be made. */
const refusalOf = (refusal: replies.Refusal): Outcome =>
  refusal === 'no-such-mailbox' ? replies.refusal(refusal, 'TRYCREATE') : replies.refusal(refusal);

/** RFC 4315 §3, and for several UIDs RFC 3502. */
const appendUid = ({ uidValidity, uids }: MessagesAppended): ResponseCode => ({
  code: 'APPENDUID',
  uidValidity,
  uids: numberSet(uids),
});
