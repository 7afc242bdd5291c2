/** STORE and UID STORE: RFC 9051 §6.4.6, §6.4.9; RFC 7162 §3.1.3 for UNCHANGEDSINCE; RFC 4314 §4 for who may. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Fetch } from '../../../protocols/imap/fetch-response.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import type { ResponseCode } from '../../../protocols/imap/response-code.ts';
import { countIn, type UidRanges, united } from '../../../store/uid-ranges.ts';
import type { FlagsStored } from '../../mailbox-owner/operation.ts';
import { MOST_STORED_AT_ONCE } from '../../mailbox-owner/operations/limits.ts';
import { canBeKept, flaggedBy, flagsNamed, type NamedFlags } from '../flags.ts';
import { noSuchFlag, noSuchNumber, readOnly, someAreGone } from '../message-replies.ts';
import { allOf } from '../messages.ts';
import { countOf, slicesOf } from '../numbering.ts';
import { done, type Handler, type Outcome } from '../outcome.ts';
import * as replies from '../replies.ts';
import { enableCondstore, type SelectedMailbox, selectedBy } from '../selected-mailbox.ts';
import { type Flagged, numberSet } from '../view.ts';

type StoreCommand = CommandOf<'STORE'>;
export const store: Handler<StoreCommand> = async (command, session) => {
  const flags = flagsNamed(command.flags);
  if (flags === undefined) return noSuchFlag;
  if (!canBeKept(flags)) return replies.refusal('too-many-keywords');
  const mailbox = selectedBy(session);
  const numbers = mailbox.messages(command.set, command.uid);
  if (numbers === undefined) return noSuchNumber;
  if (mailbox.view.readOnly) return readOnly;
  const highest = command.unchangedSince === undefined ? [] : enableCondstore(session);
  await mailbox.catchUp();
  const storing = new Storing(mailbox, command, flags);
  for (const slice of slicesOf(numbers, MOST_STORED_AT_ONCE)) {
    const refusal = await storing.store(mailbox.view.numbers.spans(slice));
    if (refusal !== undefined) return { ...replies.refusal(refusal), untagged: [...highest, ...storing.told()] };
  }
  return storing.outcome(highest, countOf(numbers));
};

class Storing {
  readonly #mailbox: SelectedMailbox;
  readonly #command: StoreCommand;
  readonly #flags: NamedFlags;
  readonly #told: Response[] = [];
  #modified: UidRanges = [];
  #there = 0;

  constructor(mailbox: SelectedMailbox, command: StoreCommand, flags: NamedFlags) {
    this.#mailbox = mailbox;
    this.#command = command;
    this.#flags = flags;
  }

  /** @returns why not; what was told before stands */
  async store(uids: UidRanges): Promise<replies.Refusal | undefined> {
    const { owner, ref, view } = this.#mailbox;
    const { mode, unchangedSince } = this.#command;
    const { bits, keywords } = this.#flags;
    const condition = unchangedSince === undefined ? {} : { unchangedSince };
    const stored = await owner.change('store-flags', { ref, uids, mode, flags: bits, keywords, ...condition });
    if (!stored.ok) return stored.refusal;
    const { changed, same, modified, modSeq } = stored.value;
    const entries = [...flaggedBy(stored.value)];
    if (changed.length > 0) view.noteOwn(modSeq, entries, this.#command.silent ? 'silently' : 'in full');
    this.#there += entries.length + countIn(same) + countIn(modified);
    this.#modified = united([...this.#modified, ...modified]);
    const others = await this.#others(stored.value);
    const told = [...entries, ...others]
      .sort((a, b) => a.uid - b.uid)
      .flatMap((entry) => this.#fetchOf(entry, modified) ?? []);
    for (const { keywords } of [...entries, ...others]) view.noteKeywords(keywords); // RFC 9051 §7.3.5: new ones first
    this.#told.push(...view.tellFlagList());
    if (told.length > 0) this.#told.push({ type: 'fetches', items: told });
    return undefined;
  }

  /**
   * What did not change is told too, as if it were fetched: RFC 9051 §6.4.6, and with UNCHANGEDSINCE always, RFC 7162 §3.1.3,
   * which would have those that failed the test told of as well.
   */
  async #others({ same, modified }: FlagsStored): Promise<readonly Flagged[]> {
    const { silent, unchangedSince } = this.#command;
    if (silent && unchangedSince === undefined) return [];
    const rows = await allOf(this.#mailbox, united([...same, ...modified]));
    return rows.ok ? rows.value : []; // the owner has gone after all is done: that they are missing harms nobody
  }

  #fetchOf(entry: Flagged, modified: UidRanges): Fetch | undefined {
    const { view, dialect } = this.#mailbox;
    const { uid: withUid, silent } = this.#command;
    const sequence = view.numbers.sequence(entry.uid);
    // Flags that the client did not set itself: those of messages that changed before.
    const showsFlags = !silent || modified.some(([from, to]) => entry.uid >= from && entry.uid <= to);
    if (sequence === 0 || (!showsFlags && !dialect.condstore)) return undefined;
    if (showsFlags) view.noteFlagsTold(entry.uid, entry.modSeq);
    if (dialect.condstore) view.noteFetched(entry.modSeq);
    return {
      sequence,
      uid: withUid || dialect.condstore ? entry.uid : undefined, // RFC 7162 §3.2.4
      flags: showsFlags ? view.flagsOf(entry, dialect.rev1) : undefined,
      modSeq: dialect.condstore ? entry.modSeq : undefined,
    };
  }

  told(): readonly Response[] {
    return this.#told;
  }

  /** RFC 2180 §4.2: with .SILENT what is gone is passed over, else the others are told and the answer is NO. */
  outcome(highest: readonly Response[], named: number): Outcome {
    const { uid, silent } = this.#command;
    const untagged = [...highest, ...this.#told];
    const code = this.#modifiedCode();
    const isSomeGone = this.#there < named;
    if (isSomeGone) this.#mailbox.expectChanges();
    if (isSomeGone && !uid && !silent) return { ...someAreGone, code: code ?? someAreGone.code, untagged };
    return done(code === undefined ? 'STORE completed' : 'some messages have changed since', untagged, code);
  }

  /** RFC 7162 §3.1.3: message numbers, or UIDs after UID STORE. */
  #modifiedCode(): ResponseCode | undefined {
    if (this.#modified.length === 0) return undefined;
    const { numbers } = this.#mailbox.view;
    const messages = this.#command.uid ? this.#modified : numbers.among(this.#modified);
    return { code: 'MODIFIED', messages: numberSet(messages) };
  }
}
