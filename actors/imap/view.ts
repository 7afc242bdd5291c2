/**
 * What one session's client has been told of its selected mailbox, and what it is still to be told: RFC 9051 §5.2, §7.4 and
 * §7.5, RFC 3501 §7.4, RFC 7162 §3. Pure: changes go in as an owner tells them, responses come out. Asks nobody (that is
 * selected-mailbox.ts) and decides nothing about when: `mayExpunge` is its caller's to know (RFC 9051 §7.5.1).
 *
 * Changes may be told twice, late, or together with later ones; each makes the client's picture truer and never falser:
 * EXISTS only grows, an expunge is told once and of messages that were told, flags are told as they were at some moment.
 */
import type { NumberSet, Response } from '../../protocols/imap/response.ts';
import type { ResponseCode } from '../../protocols/imap/response-code.ts';
import { FLAG } from '../../store/flags.ts';
import type { UidBlock } from '../../store/uid-bits.ts';
import { includes, intersected, type UidRanges, united } from '../../store/uid-ranges.ts';
import type { Changes, MessageEntry } from '../mailbox-owner/message-requests.ts';
import { definedFlags, FlagLists, permanentFlags } from './flags.ts';
import { MAX_UID, Numbering, type NumberRanges, uidsOfBlocks } from './numbering.ts';

/** What the client understands, by what was enabled (RFC 5161, RFC 7162 §3.1); more may be with each command. */
export type Dialect = { readonly rev1: boolean; readonly condstore: boolean; readonly qresync: boolean };

/** How a mailbox was when it was selected. */
export type Beginning = {
  /** Ascending; belongs to the view from now on. */
  readonly uids: Uint32Array;
  readonly modSeq: number;
  /** Messages with this UID and above are recent in this session, later ones too (RFC 3501 §2.3.2). */
  readonly recentFrom: number;
  readonly keywords: readonly string[];
  readonly rights: string;
  /** Opened by EXAMINE. */
  readonly readOnly: boolean;
};

export type Flagged = Pick<MessageEntry, 'uid' | 'flags' | 'keywords' | 'modSeq'>;
/** One page of what changed. */
export type ChangesPage = Pick<Changes, 'changed' | 'vanished' | 'keywords' | 'rights'>;

/** EXPUNGE responses beyond these are written together. */
const FEW = 32;

export class View {
  readonly numbers: Numbering;
  readonly recentFrom: number;
  readonly readOnly: boolean;
  /** The result of the last SEARCH that saved one (RFC 5182 §2.1), as UIDs, ascending: what is expunged falls out by itself. */
  saved: Uint32Array = new Uint32Array(0);
  #rights: string;
  #keywords: readonly string[];
  #isFlagListDue = false;
  /** Everything up to here has come in from the owner. */
  #modSeq: number;

  #isUpToDate = true;

  /** In the numbering, and no message any more: to be told when that is allowed. */
  #gone: UidRanges = [];
  /** Where `#gone` is not empty: everything up to here was told. */
  #toldUpTo: number;
  /** Not told yet, by UID. */
  readonly #arrived = new Set<number>();
  /** `#arrived` lacks none whose UID lies below another's. */
  #isWhole = true;
  readonly #flagged = new Map<number, Flagged>();

  /** Mod-sequences of this session's own changes whose outcome was told with them in full. */
  readonly #ownTold = new Set<number>();
  /** What the client believes to be the highest mod-sequence up to which it knows all (RFC 7162 §6). */
  #clientModSeq: number;
  /** The highest told in FETCH responses since. */
  #fetchedModSeq = 0;
  readonly #flagLists = new FlagLists();

  constructor(beginning: Beginning) {
    this.numbers = new Numbering(beginning.uids);
    this.#modSeq = beginning.modSeq;
    this.#toldUpTo = beginning.modSeq;
    this.#clientModSeq = beginning.modSeq;
    this.recentFrom = beginning.recentFrom;
    this.#keywords = beginning.keywords;
    this.#rights = beginning.rights;
    this.readOnly = beginning.readOnly;
  }

  /** Of the mailbox, as far as it came in. */
  get modSeq(): number {
    return this.#modSeq;
  }

  /** What the client may take for the highest mod-sequence without missing anything: RFC 7162 §3.2. */
  get safeModSeq(): number {
    return this.#gone.length === 0 ? this.#modSeq : this.#toldUpTo;
  }

  /** As they are now, as far as is known. */
  get rights(): string {
    return this.#rights;
  }

  get keywords(): readonly string[] {
    return this.#keywords;
  }

  /** What is known to be gone and still has a sequence number. */
  get gone(): UidRanges {
    return this.#gone;
  }

  /** Is there anything that a `tell` with `mayExpunge` would say? */
  get hasNews(): boolean {
    const arrived = this.#isWhole && this.#arrived.size > 0;
    return this.#gone.length > 0 || arrived || this.#flagged.size > 0 || this.#isFlagListDue;
  }

  /** Of the messages told (RFC 3501 §7.3.2). */
  get recentCount(): number {
    return this.numbers.count - this.numbers.countBelow(this.recentFrom);
  }

  /** \Recent among them while IMAP4rev1 is spoken (RFC 9051 §2.3.2). */
  flagsOf({ uid, flags, keywords }: Omit<Flagged, 'modSeq'>, rev1: boolean): readonly string[] {
    return this.#flagLists.of(flags, keywords, rev1 && uid >= this.recentFrom);
  }

  // In: what the owner tells.

  /** One page of a round that asks for the changes since `modSeq`; `settle` ends the round. */
  absorb(page: ChangesPage): void {
    this.noteKeywords(page.keywords);
    if (page.rights !== this.#rights) {
      this.#rights = page.rights;
      this.#isFlagListDue = true;
    }
    if (page.vanished !== null) this.vanish(page.vanished);
    const lastUid = this.numbers.lastUid;
    for (const { uid, flags, keywords, modSeq } of page.changed) {
      if (uid > lastUid) this.#arrived.add(uid);
      else if (!this.#ownTold.has(modSeq)) {
        this.#flagged.set(uid, keywords === undefined ? { uid, flags, modSeq } : { uid, flags, keywords, modSeq });
      }
    }
  }

  /**
   * The pages since `modSeq` are all here.
   * @param modSeq  `since` of the next round
   * @param wasOnePage  between two pages a message that came early may have changed, and so be left for the next round
   *   although one with a higher UID is here: then no new one is told before a round that was one page
   */
  settle(modSeq: number, wasOnePage: boolean): void {
    this.#isWhole = wasOnePage;
    this.#modSeq = Math.max(this.#modSeq, modSeq);
    this.#isUpToDate = true;
    for (const own of this.#ownTold) if (own <= this.#modSeq) this.#ownTold.delete(own);
  }

  /** These are gone, by whoever's doing; may be told again. */
  vanish(uids: UidRanges): void {
    for (const uid of this.#arrived) if (includes(uids, uid)) this.#arrived.delete(uid);
    const known = this.numbers.among(uids);
    if (known.length === 0) return;
    if (this.#gone.length === 0) this.#toldUpTo = this.#modSeq;
    this.#gone = united([...this.#gone, ...this.numbers.runs(known)]);
    for (const uid of this.#flagged.keys()) if (includes(this.#gone, uid)) this.#flagged.delete(uid);
  }

  /** What vanished is not remembered any more; these are there, and nothing else is. */
  keepOnly(blocks: readonly UidBlock[]): void {
    const present = uidsOfBlocks(blocks);
    const gone: [number, number][] = [];
    let after = 0;
    for (const uid of present) {
      if (uid > after + 1) gone.push([after + 1, uid - 1]);
      after = uid;
    }
    this.vanish([...gone, [after + 1, MAX_UID]]);
  }

  /** The mailbox is no more, and so are its messages. */
  keepNothing(): void {
    this.vanish([[1, MAX_UID]]);
    this.#arrived.clear();
  }

  /** Keywords of the mailbox, or of a message that is about to be told: the client hears of new ones first. */
  noteKeywords(keywords: readonly string[] | undefined): void {
    const added = keywords?.filter((keyword) => !this.#keywords.includes(keyword));
    if (added === undefined || added.length === 0) return;
    this.#keywords = [...this.#keywords, ...added];
    this.#isFlagListDue = true;
  }

  // This session's own changes, which it tells by itself.

  /**
   * A change of flags that was this session's own.
   * @param changed  as they are after it, all under this mod-sequence
   * @param told  `in full`: the client is shown these flags with it; `silently`: it knows what it did, but perhaps not what
   *   others did before it (RFC 9051 §6.4.6)
   */
  noteOwn(modSeq: number, changed: Iterable<Flagged>, told: 'in full' | 'silently'): void {
    for (const entry of changed) {
      if (told === 'in full') this.noteFlagsTold(entry.uid, entry.modSeq);
      else if (this.#flagged.has(entry.uid)) this.#flagged.set(entry.uid, entry);
    }
    if (!this.#isNext(modSeq) && told === 'in full' && modSeq > this.#modSeq) this.#ownTold.add(modSeq);
  }

  /** Messages that this session removed by itself under this mod-sequence: they are told as others are. */
  noteOwnExpunge(uids: UidRanges, modSeq: number): void {
    this.vanish(uids);
    this.#isNext(modSeq);
  }

  /** Does nothing that this session did stand behind changes that have not come in? */
  get isUpToDate(): boolean {
    return this.#isUpToDate;
  }

  /** The next one after all that came in: so nothing is between them, and nothing of it is left to come in. */
  #isNext(modSeq: number): boolean {
    const isNext = modSeq === this.#modSeq + 1 && this.#isWhole;
    if (isNext) this.#modSeq = modSeq;
    else if (modSeq > this.#modSeq) this.#isUpToDate = false;
    return isNext;
  }

  /** A FETCH response shows these flags, as they were under this mod-sequence: older ones are not to be told after them. */
  noteFlagsTold(uid: number, modSeq: number): void {
    const untold = this.#flagged.get(uid);
    if (untold !== undefined && untold.modSeq <= modSeq) this.#flagged.delete(uid);
  }

  /** A FETCH response with this MODSEQ goes out, or the HIGHESTMODSEQ of a SELECT. */
  noteFetched(modSeq: number): void {
    if (modSeq > this.#fetchedModSeq) this.#fetchedModSeq = modSeq;
  }

  // Out: what the client is told.

  /** The FLAGS and PERMANENTFLAGS responses, if they are not as they were told. */
  tellFlagList(): readonly Response[] {
    if (!this.#isFlagListDue) return [];
    this.#isFlagListDue = false;
    return this.flagList();
  }

  flagList(): readonly Response[] {
    const flags = permanentFlags(this.#rights, this.#keywords, this.readOnly);
    return [
      { type: 'FLAGS', flags: definedFlags(this.#keywords) },
      ok(
        { code: 'PERMANENTFLAGS', flags },
        flags.length === 0 ? 'No flags can be changed' : 'Flags that can be changed',
      ),
    ];
  }

  /**
   * Everything that may be told now; it counts as told from then on.
   * @param withUid  UIDs in FETCH responses, as after a UID command (RFC 9051 §6.4.9)
   */
  tell(dialect: Dialect, mayExpunge: boolean, withUid = false): readonly Response[] {
    const responses: Response[] = [...this.tellFlagList()];
    const didExpunge = mayExpunge && this.#gone.length > 0;
    if (didExpunge) responses.push(...this.#tellGone(dialect));
    if (this.#isWhole && this.#arrived.size > 0) responses.push(...this.#tellArrived(dialect));
    if (this.#flagged.size > 0) responses.push(this.#tellFlagged(dialect, withUid));
    responses.push(...this.#tellHighest(dialect, didExpunge));
    return responses;
  }

  /** VANISHED for a client that understands it, else EXPUNGE: RFC 7162 §3.2.10. Both name only messages that were told. */
  #tellGone({ qresync }: Dialect): Response[] {
    const gone = this.#gone;
    const numbers = this.numbers.remove(gone);
    this.#gone = [];
    if (qresync) return [{ type: 'VANISHED', earlier: false, uids: numberSet(gone) }];
    const expunges = [...expungesOf(numbers)];
    return expunges.length <= FEW ? expunges : [{ type: 'batch', responses: expunges }];
  }

  #tellArrived({ rev1 }: Dialect): Response[] {
    const uids = [...this.#arrived].sort((a, b) => a - b);
    this.#arrived.clear();
    this.numbers.append(uids);
    const exists: Response = { type: 'EXISTS', count: this.numbers.count };
    return rev1 ? [exists, { type: 'RECENT', count: this.recentCount }] : [exists];
  }

  /** UID and MODSEQ once the client has shown that it knows of them: RFC 7162 §3.2.4; in IMAP4rev2 UID always: RFC 9051 §7.5.2. */
  #tellFlagged({ rev1, condstore }: Dialect, withUid: boolean): Response {
    const items = [...this.#flagged.values()]
      .sort((a, b) => a.uid - b.uid)
      .flatMap((entry) => {
        const sequence = this.numbers.sequence(entry.uid);
        if (sequence === 0) return []; // expunged a moment ago
        if (condstore) this.noteFetched(entry.modSeq);
        return {
          sequence,
          uid: condstore || withUid || !rev1 ? entry.uid : undefined,
          flags: this.flagsOf(entry, rev1),
          modSeq: condstore ? entry.modSeq : undefined,
        };
      });
    this.#flagged.clear();
    return items.length === 1 ? { type: 'FETCH', ...items[0]! } : { type: 'fetches', items };
  }

  /**
   * A client takes the highest MODSEQ that it was shown for its HIGHESTMODSEQ. Where it was not told everything up to there,
   * it has to be told what it may take (RFC 7162 §3.2, §6); and after expunges, which show none, it is told as well.
   */
  #tellHighest({ condstore }: Dialect, didExpunge: boolean): Response[] {
    const safe = this.safeModSeq;
    const believed = Math.max(this.#clientModSeq, this.#fetchedModSeq);
    this.#fetchedModSeq = 0;
    this.#clientModSeq = believed;
    if (!condstore || believed === safe || (believed < safe && !didExpunge)) return [];
    return [this.tellSafe()];
  }

  /** The HIGHESTMODSEQ response code, as the client may take it now. */
  tellSafe(): Response {
    this.#clientModSeq = this.safeModSeq;
    return ok({ code: 'HIGHESTMODSEQ', modSeq: this.safeModSeq }, 'Highest');
  }

  /** The same in a tagged OK, behind a `tell` that tells everything: RFC 7162 §3.2.7. */
  highestOnceTold(): ResponseCode {
    this.#clientModSeq = this.#modSeq;
    return { code: 'HIGHESTMODSEQ', modSeq: this.#modSeq };
  }

  // What commands ask.

  /** Of these messages, are there some that are gone and only not told yet? */
  anyGone(numbers: NumberRanges): boolean {
    return this.#gone.length > 0 && intersected(this.numbers.spans(numbers), this.#gone).length > 0;
  }
}

/** Lowest first, so each takes away from the numbers of those that follow (RFC 9051 §7.5.1). */
function* expungesOf(numbers: NumberRanges): Iterable<Response> {
  let before = 0;
  for (const [from, to] of numbers) {
    for (let at = from; at <= to; at++) yield { type: 'EXPUNGE', sequence: from - before };
    before += to - from + 1;
  }
}

export const numberSet = (ranges: NumberRanges): NumberSet =>
  ranges.map(([from, to]) => (from === to ? from : { from, to }));

const ok = (code: ResponseCode, text: string): Response => ({
  type: 'status',
  status: 'OK',
  code,
  text,
});

/** Is \Seen missing? */
export const isUnseen = ({ flags }: { readonly flags: number }): boolean => (flags & FLAG.seen) === 0;
