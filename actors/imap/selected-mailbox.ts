/**
 * The mailbox that a session has selected: its view (view.ts), the owner it is asked of, and the news of it. RFC 9051 §5.2.
 * Asks for changes when an event said that there are some, or when told to; events only wake, nothing rests on any one of them.
 */
import { accept, type Result } from '../../kernel/result.ts';
import type { Response } from '../../protocols/imap/response.ts';
import type { ResponseCode } from '../../protocols/imap/response-code.ts';
import type { SequenceSet } from '../../protocols/imap/sequence-set.ts';
import type { UidBlock } from '../../store/uid-bits.ts';
import type { ChangeEvent } from '../mailbox-owner/event.ts';
import type { MailboxRef, UidBlocks } from '../mailbox-owner/mailbox-requests.ts';
import type { Changes, ChangesPlace } from '../mailbox-owner/message-requests.ts';
import type { SessionRefusal } from '../mailbox-session.ts';
import type { Enableable, ImapSession, SelectedView } from './imap-session.ts';
import { LastingOwner } from './lasting-owner.ts';
import { notReadable } from './message-replies.ts';
import type { Place } from './names.ts';
import type { NumberRanges } from './numbering.ts';
import type { OwnerSession } from './services.ts';
import type { Dialect, View } from './view.ts';

/** Rounds in a row that may come in several pages, because the mailbox changes faster than it is told. */
const MOST_ROUNDS = 8;

/** What a read comes to, once those refusals that pass have passed. */
export type ReadFailure = SessionRefusal | 'no-such-mailbox' | 'no-permission';

export class SelectedMailbox implements SelectedView {
  readonly place: Place;
  readonly owner: LastingOwner;
  readonly view: View;
  readonly #enabled: ReadonlySet<Enableable>;
  readonly #unwatch: () => void;
  /** Messages below this UID are noted as shown. */
  readonly #recentUpTo: number;
  #ref: MailboxRef;
  #uidNext: number;
  /** There may be changes that have not come in, and nobody said up to where. */
  #isStale = false;
  /** The highest mod-sequence of this mailbox that an event has told of. */
  #announced = 0;
  #epoch = 0;
  #holdsExpunges = false;
  /** May it not be read at present, by its list of rights, and was the client told so? */
  #barred: 'no' | 'untold' | 'told' = 'no';
  /** The client was told that every message went, with the mailbox or out of its sight: none comes back before it selects anew. */
  #isGone = false;
  #absorbing: Promise<void> | undefined;
  #listener: (() => void) | undefined;
  #isClosed = false;

  /** @param parts  `watch` begins to tell of changes, and gives what ends it: none since `view` was looked up may be lost */
  constructor(
    session: Pick<ImapSession, 'enabled' | 'owner'>,
    parts: {
      readonly place: Place;
      readonly ref: MailboxRef;
      readonly owner: OwnerSession;
      readonly view: View;
      readonly uidNext: number;
      readonly recentUpTo: number;
      readonly watch: (listener: (event: ChangeEvent | 'lost') => void) => () => void;
    },
  ) {
    this.place = parts.place;
    this.#ref = parts.ref;
    this.owner = new LastingOwner(parts.owner, () => session.owner(parts.place.mailHost));
    this.view = parts.view;
    this.#uidNext = parts.uidNext;
    this.#enabled = session.enabled;
    this.#recentUpTo = parts.recentUpTo;
    this.#unwatch = parts.watch((event) => this.#hear(event));
  }

  get ref(): MailboxRef {
    return this.#ref;
  }

  get isLost(): boolean {
    return this.owner.isLost;
  }

  /** UIDNEXT as last heard of; what is below may have come and gone untold. */
  get uidNext(): number {
    return this.#uidNext;
  }

  get dialect(): Dialect {
    return {
      rev1: !this.#enabled.has('IMAP4rev2'),
      condstore: this.#enabled.has('CONDSTORE') || this.#enabled.has('QRESYNC'),
      qresync: this.#enabled.has('QRESYNC'),
    };
  }

  /**
   * As SelectedView says. An owner that can't be asked now changes nothing: what is known is told, the rest at another time.
   * Throws when it can't be asked ever again: a client that is told OK forever would take its mailbox for a silent one.
   * @param withUid  see `View.tell`
   */
  async sync(options: {
    readonly mayExpunge: boolean;
    readonly ask: boolean;
    readonly withUid?: boolean;
  }): Promise<readonly Response[]> {
    if (options.ask || this.#isBehind) await this.refresh();
    if (this.isLost) throw new Error(`the session with ${this.place.mailHost} ended, and no other is to be had`);
    const mayExpunge = options.mayExpunge && !this.#holdsExpunges;
    this.#holdsExpunges = false;
    return [...this.#tellBarred(), ...this.view.tell(this.dialect, mayExpunge, options.withUid)];
  }

  /** RFC 4314 §4: what needs `r` is refused from then on. A client that only listens is to know why it hears nothing. */
  #tellBarred(): readonly Response[] {
    if (this.#barred !== 'untold') return [];
    this.#barred = 'told';
    return [notReadable];
  }

  onNews(listener: () => void): () => void {
    this.#listener = listener;
    if (this.#isBehind || this.view.hasNews) this.#wake();
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener = undefined;
    this.#unwatch();
    await this.#showRecent();
  }

  /**
   * What was told of as recent is not so for later sessions (RFC 3501 §2.3.2), and nothing else: what came and was not told of
   * is for another to be told of. Noted once, at the end, and not with each that
   * arrives: sessions that have the mailbox selected together are all told of it, as the RFC has it where who was first can't
   * be said. As well as may be.
   */
  async #showRecent(): Promise<void> {
    const { view, owner, ref } = this;
    const upTo = view.numbers.lastUid + 1;
    if (view.readOnly || !this.dialect.rev1 || upTo <= this.#recentUpTo) return;
    await owner.read('show-recent', { ref, upTo }).catch(() => undefined);
  }

  /** At the next `sync` no expunge is told: its command spoke of sequence numbers after all (RFC 7162 §3.2.10.2). */
  holdExpunges(): void {
    this.#holdsExpunges = true;
  }

  /** This session did something here whose outcome only the owner knows in full: it is asked at the next `sync`. */
  expectChanges(): void {
    this.#isStale = true;
  }

  /**
   * Before this session changes something: lets in what is known to have come before, so that it is not taken for part of it
   * and its own changes need not be told with it.
   */
  async catchUp(): Promise<void> {
    if (this.#isBehind) await this.refresh();
  }

  /** Lets changes come in, and tells nobody. Several at once are one. */
  refresh(): Promise<void> {
    this.#absorbing ??= this.#refresh().finally(() => {
      this.#absorbing = undefined;
    });
    return this.#absorbing;
  }

  async #refresh(): Promise<void> {
    this.#isStale = false;
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
      if (this.#isGone) return;
      const round = await this.#round();
      if (round.ok) this.#barred = 'no';
      else if (round.refusal === 'no-permission' && this.#barred === 'no') this.#barred = 'untold';
      if (!round.ok) {
        if (round.refusal === 'no-such-mailbox' && (await this.#follow())) continue;
        if (round.refusal !== 'no-such-mailbox') this.#isStale = true; // it is asked again next time
        return;
      }
      if (round.value === 'one page') return;
    }
    this.#isStale = true;
  }

  /**
   * It is deleted or made anew, and its messages are gone (RFC 2180 §3); or INBOX was renamed, and another took its place, whose
   * numbers go on (RFC 9051 §6.3.6).
   * @returns whether there is more to be heard
   */
  async #follow(): Promise<boolean> {
    const { account, name } = this.place;
    const found = await this.owner.read('select', { account, name, write: false });
    const ref = found.ok ? found.value.ref : undefined;
    if (ref && ref.uidValidity === this.#ref.uidValidity && ref.mailbox !== this.#ref.mailbox) {
      this.#ref = ref;
      return true;
    }
    if (found.ok || found.refusal === 'no-such-mailbox' || found.refusal === 'no-permission') this.#keepNothing();
    else this.#isStale = true;
    return false;
  }

  #keepNothing(): void {
    this.#isGone = true;
    this.view.keepNothing();
  }

  async #round(): Promise<Result<'one page' | 'more', ReadFailure>> {
    let at: ChangesPlace | undefined;
    const since = this.view.modSeq;
    for (let pages = 1; ; pages++) {
      const answer = await this.owner.read('changes', { ref: this.ref, since, ...(at && { at }) });
      if (!answer.ok) return answer;
      const taken = await this.#take(answer.value);
      if (!taken.ok) return taken;
      at = answer.value.next ?? undefined;
      if (at === undefined) {
        this.view.settle(answer.value.modSeq, pages === 1);
        return accept(pages === 1 ? 'one page' : 'more');
      }
    }
  }

  async #take(page: Changes): Promise<Result<null, ReadFailure>> {
    if (page.vanished === null && page.present !== undefined) {
      const present = await allBlocks(this.owner, this.ref, page.present);
      if (!present.ok) return present;
      this.view.keepOnly(present.value);
    }
    this.view.absorb(page);
    this.#uidNext = Math.max(this.#uidNext, page.uidNext);
    return accept(null);
  }

  /** Events of what this session did itself may come before it has noted what it did: then nothing is left to ask for. */
  get #isBehind(): boolean {
    return !this.#isGone && (this.#isStale || this.#announced > this.view.modSeq);
  }

  #hear(event: ChangeEvent | 'lost'): void {
    if (this.#isClosed) return;
    if (event !== 'lost' && event.kind === 'messages') {
      const isOfNewOwner = this.#epoch !== 0 && event.epoch > this.#epoch;
      if (isOfNewOwner) this.#isStale = true;
      if (event.mailbox === this.ref.mailbox) this.#announced = Math.max(this.#announced, event.modSeq);
    } else this.#isStale = true; // what may be done here may have changed, or the mailbox itself is gone
    if (event !== 'lost') this.#epoch = Math.max(this.#epoch, event.epoch);
    if (this.#isBehind) this.#wake();
  }

  #wake(): void {
    queueMicrotask(() => this.#listener?.());
  }

  // What commands name.

  /** The messages that a set means; undefined: it has a sequence number that no message has (RFC 9051 §9 `seq-number`). */
  messages(set: SequenceSet, areUids: boolean): NumberRanges | undefined {
    const { numbers, saved } = this.view;
    if (set === '$') return numbers.of(saved);
    return areUids ? numbers.byUid(set) : numbers.bySequence(set);
  }
}

/** All that are there, from the first blocks on. */
export async function allBlocks(
  owner: OwnerSession,
  ref: MailboxRef,
  first: UidBlocks,
): Promise<Result<readonly UidBlock[], ReadFailure>> {
  const blocks = [...first.blocks];
  let { more } = first;
  while (more) {
    const page = await owner.read('present', { ref, afterBlock: blocks.at(-1)?.block ?? -1 });
    if (!page.ok) return page;
    blocks.push(...page.value.blocks);
    more = page.value.more;
  }
  return accept(blocks);
}

/** The mailbox that the session has selected. Throws without one: the machine lets no command through then. And with a lost one: then
 * the session ends. */
export function selectedBy(session: ImapSession): SelectedMailbox {
  if (!(session.view instanceof SelectedMailbox)) throw new Error('no mailbox is selected');
  if (session.view.isLost) throw new Error('the selected mailbox is lost');
  return session.view;
}

/**
 * The client has shown that it knows of mod-sequences (RFC 7162 §3.1): from now on it is told them; and with a mailbox
 * selected, at once where it stands.
 */
export function enableCondstore(session: ImapSession): readonly Response[] {
  if (session.enabled.has('CONDSTORE') || session.enabled.has('QRESYNC')) return [];
  session.enabled.add('CONDSTORE');
  return session.view instanceof SelectedMailbox ? [session.view.view.tellSafe()] : [];
}

/** Is it that one? */
export const isSelected = ({ ref }: SelectedMailbox, { account, mailbox }: Pick<MailboxRef, 'account' | 'mailbox'>) =>
  ref.account === account && ref.mailbox === mailbox;

/**
 * After this session removed messages: where a client stands that is told of all that is known. Told to those who keep track of
 * what vanishes (RFC 7162 §3.2.7).
 */
export async function highestAfterExpunge(mailbox: SelectedMailbox): Promise<ResponseCode | undefined> {
  if (!mailbox.dialect.qresync) return undefined;
  if (!mailbox.view.isUpToDate) await mailbox.refresh();
  return mailbox.view.highestOnceTold();
}

/** May the holder know which UIDs there are? RFC 9051 §6.3.12 and §6.4.7: not of a mailbox that it may only put messages into. */
export async function mayBeRead(session: ImapSession, { mailHost, account, name, isOwn }: Place): Promise<boolean> {
  if (isOwn) return true;
  const owner = await session.owner(mailHost);
  const found = owner.ok ? await owner.value.read('mailbox-named', { account, name }) : owner;
  return found.ok && found.value.rights.includes('r');
}
