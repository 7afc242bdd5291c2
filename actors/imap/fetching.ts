/**
 * The FETCH responses of one command, made as fast as the client reads them: RFC 9051 §6.4.5, §7.5.2. Rows come in pages, small
 * contents with one request for many messages, large ones flow. Of a message that is gone, though it still has a number, nothing
 * is told; whether that makes a NO of it is said at the end.
 */
import { previewParts } from '../../mime/preview.ts';
import type { Structure } from '../../mime/structure.ts';
import type { FetchItem } from '../../protocols/imap/fetch-item.ts';
import type { Content, Fetch, FetchContent } from '../../protocols/imap/fetch-response.ts';
import type { Response } from '../../protocols/imap/response.ts';
import { FLAG } from '../../store/flags.ts';
import { rangesOf } from '../../store/uid-ranges.ts';
import type { MessageEntry } from '../mailbox-owner/message-requests.ts';
import { unpackStructure } from '../mailbox-owner/structures.ts';
import { EmailIds } from './email-id.ts';
import {
  contentOf,
  type FetchPlan,
  type Measured,
  planOf,
  type Source,
  type WantedContent,
  wantedOf,
} from './fetch-plan.ts';
import { flaggedBy } from './flags.ts';
import { filtered, large, type Piece, readSmall, SMALL_OCTETS } from './message-octets.ts';
import { pagesOf } from './messages.ts';
import { countOf, type NumberRanges } from './numbering.ts';
import { previewOf } from './preview-text.ts';
import type { Refusal } from './replies.ts';
import type { SelectedMailbox } from './selected-mailbox.ts';
import { isUnseen } from './view.ts';

export type FetchRequest = {
  readonly items: readonly FetchItem[];
  /** UIDs are told though they were not asked for: RFC 9051 §6.4.9. */
  readonly withUid?: boolean;
  /** Only messages with a higher mod-sequence, which is told with each: RFC 7162 §3.1.4.1. */
  readonly changedSince?: number;
};

/** Messages in a page whose octets are wanted: they are \Seen together, before the first is sent. */
const ROWS_WITH_CONTENTS = 100;
/** Octets of messages read by one request. */
const BATCH_OCTETS = 192 * 1024;

type Row = MessageEntry & {
  /** \Seen was set just now. */
  readonly isNewlySeen?: boolean;
};
/** What of a message was read besides its row. */
type Read = {
  readonly contents?: readonly FetchContent[];
  readonly preview?: string | null | undefined;
  readonly structure?: Structure | undefined;
};
type Prepared = { readonly row: Row; readonly measured: Measured; readonly wanted: readonly WantedContent[] };

export class Fetching {
  readonly #mailbox: SelectedMailbox;
  readonly #numbers: NumberRanges;
  readonly #request: FetchRequest;
  readonly #plan: FetchPlan;
  readonly #emailIds: EmailIds;
  #found = 0;
  #failure: Refusal | 'unknown-cte' | undefined;

  constructor(mailbox: SelectedMailbox, numbers: NumberRanges, request: FetchRequest) {
    this.#mailbox = mailbox;
    this.#numbers = numbers;
    this.#request = request;
    this.#plan = planOf(request.items);
    this.#emailIds = new EmailIds(mailbox.ref.account);
  }

  /** Once all is told: what kept it from being whole. */
  get failure(): Refusal | 'unknown-cte' | undefined {
    return this.#failure;
  }

  /** Once all is told: messages that were gone. */
  get missing(): number {
    return countOf(this.#numbers) - this.#found;
  }

  async *responses(): AsyncGenerator<Response> {
    const { contents, needsStructure, preview } = this.#plan;
    const options = contents.length > 0 || preview ? { most: ROWS_WITH_CONTENTS } : {};
    for await (const page of pagesOf(this.#mailbox, this.#numbers, { ...options, structure: needsStructure })) {
      if (!page.ok) {
        this.#failure = page.refusal;
        return;
      }
      this.#found += page.value.length;
      const rows = await this.#seen(this.#wantedRows(page.value));
      if (this.#failure !== undefined && this.#failure !== 'unknown-cte') return;
      yield* this.#flagList(rows);
      if (contents.length === 0 && !preview)
        yield { type: 'fetches', items: rows.flatMap((row) => this.#told(row) ?? []) };
      else yield* this.#withContents(rows);
      if (this.#failure !== undefined && this.#failure !== 'unknown-cte') return;
    }
  }

  /** For where there is no tagged response left to say it in. */
  async *responsesOrThrow(): AsyncGenerator<Response> {
    yield* this.responses();
    if (this.#failure !== undefined) throw new Error(`messages could not be told: ${this.#failure}`);
  }

  #wantedRows(rows: readonly MessageEntry[]): readonly MessageEntry[] {
    const { changedSince } = this.#request;
    return changedSince === undefined ? rows : rows.filter(({ modSeq }) => modSeq > changedSince);
  }

  /** RFC 9051 §6.4.5: \Seen is set before the data goes out, where it may be, and told with it. */
  async #seen(rows: readonly MessageEntry[]): Promise<readonly Row[]> {
    const { view, owner, ref } = this.#mailbox;
    if (!this.#plan.setsSeen || view.readOnly || !view.rights.includes('s')) return rows;
    const unseen = rows.filter(isUnseen).map(({ uid }) => uid);
    if (unseen.length === 0) return rows;
    const request = { ref, uids: rangesOf(unseen), mode: 'add', flags: FLAG.seen, keywords: [] } as const;
    const stored = await owner.change('store-flags', request);
    if (!stored.ok) {
      if (stored.refusal !== 'no-permission') this.#failure = stored.refusal;
      return rows;
    }
    const now = new Map<number, Row>();
    const before = new Map(rows.map((row) => [row.uid, row]));
    for (const flagged of flaggedBy(stored.value)) {
      const { keywords: _, ...row } = before.get(flagged.uid)!;
      now.set(flagged.uid, { ...row, ...flagged, isNewlySeen: true });
    }
    if (now.size > 0) view.noteOwn(stored.value.modSeq, now.values(), 'in full');
    return rows.map((row) => now.get(row.uid) ?? row);
  }

  /** Keywords that the client has not heard of come first, with flags that it did not ask for too: RFC 9051 §7.3.5. */
  *#flagList(rows: readonly Row[]): Iterable<Response> {
    const { view } = this.#mailbox;
    const all = this.#plan.has('FLAGS');
    for (const { keywords, isNewlySeen } of rows) if (all || isNewlySeen) view.noteKeywords(keywords);
    yield* view.tellFlagList();
  }

  /** undefined when there is nothing to tell: all that was asked for was of an encoding that nobody knows. */
  #told(row: Row, { contents = [], preview, structure }: Read = {}): Fetch | undefined {
    const { view, dialect } = this.#mailbox;
    const { has } = this.#plan;
    const showsFlags = has('FLAGS') || row.isNewlySeen === true;
    // RFC 7162 §3.2.4: with flags that were not asked for go UID and MODSEQ, once the client knows of them.
    const isUnasked = row.isNewlySeen === true && dialect.condstore;
    const showsModSeq = has('MODSEQ') || this.#request.changedSince !== undefined || isUnasked;
    const showsUid = has('UID') || this.#request.withUid === true || isUnasked;
    const showsOther = this.#plan.ofRow || preview !== undefined || contents.length > 0;
    if (!showsUid && !showsFlags && !showsModSeq && !showsOther) return undefined;
    if (showsFlags) view.noteFlagsTold(row.uid, row.modSeq);
    if (showsModSeq) view.noteFetched(row.modSeq);
    const wireForms =
      has('ENVELOPE') || has('BODY') || has('BODYSTRUCTURE') ? (structure ?? structureOf(row)) : undefined;
    return {
      sequence: view.numbers.sequence(row.uid),
      uid: showsUid ? row.uid : undefined,
      flags: showsFlags ? view.flagsOf(row, dialect.rev1) : undefined,
      modSeq: showsModSeq ? row.modSeq : undefined,
      internalDateMs: has('INTERNALDATE') ? row.internalDate : undefined,
      sizeOctets: has('RFC822.SIZE') ? row.sizeOctets : undefined,
      envelope: has('ENVELOPE') ? wireForms?.envelope : undefined,
      body: has('BODY') ? wireForms?.body : undefined,
      bodyStructure: has('BODYSTRUCTURE') ? wireForms?.bodyStructure : undefined,
      emailId: has('EMAILID') ? this.#emailIds.of(row) : undefined,
      threadId: has('THREADID') ? null : undefined,
      saveDateMs: has('SAVEDATE') ? row.saveDate : undefined,
      preview,
      contents: contents.length > 0 ? contents : undefined,
    };
  }

  /** Messages of which all that is wanted is small are read together; any other is alone. */
  async *#withContents(rows: readonly Row[]): AsyncGenerator<Response> {
    let batch: Prepared[] = [];
    let octets = 0;
    for (const row of rows) {
      const prepared = this.#prepare(row);
      const size = sizeOf(prepared);
      if (batch.length > 0 && octets + size > BATCH_OCTETS) {
        yield* this.#read(batch);
        [batch, octets] = [[], 0];
      }
      if (this.#failure !== undefined && this.#failure !== 'unknown-cte') return;
      batch.push(prepared);
      octets += size;
    }
    yield* this.#read(batch);
  }

  #prepare(row: Row): Prepared {
    const { sizeOctets, traceOctets } = row;
    const structure = this.#plan.needsStructure ? structureOf(row) : undefined;
    const measured: Measured = { sizeOctets, traceOctets, ...(structure && { structure }) };
    const wanted = this.#plan.contents.flatMap((item) => {
      const each = wantedOf(item, measured);
      if (each === 'unknown-cte') this.#failure ??= each;
      return each === 'unknown-cte' ? [] : each;
    });
    return { row, measured, wanted };
  }

  async *#read(batch: readonly Prepared[]): AsyncGenerator<Response> {
    const pieces: Piece[] = [];
    for (const { row, wanted } of batch) {
      for (const { source } of wanted) if (source !== null && isSmall(source)) pieces.push({ uid: row.uid, source });
    }
    const read = await readSmall(this.#mailbox, pieces);
    if (!read.ok) {
      this.#failure = read.refusal;
      return;
    }
    const small = read.value.values();
    const items: Fetch[] = [];
    for (const prepared of batch) {
      const contents = await this.#contents(prepared, small);
      if (this.#failure !== undefined && this.#failure !== 'unknown-cte') break;
      if (contents === 'gone') {
        this.#found -= 1;
        continue;
      }
      const { structure } = prepared.measured;
      const told = this.#told(prepared.row, { contents, preview: await this.#preview(prepared), structure });
      if (told !== undefined) items.push(told);
    }
    if (items.length > 0) yield { type: 'fetches', items };
  }

  async #contents({ row, wanted }: Prepared, small: Iterator<Uint8Array | null>): Promise<FetchContent[] | 'gone'> {
    const contents: FetchContent[] = [];
    let isGone = false;
    for (const each of wanted) {
      const { source } = each;
      if (source === null) contents.push(contentOf(each.item, null));
      else if (isSmall(source)) {
        const octets: Uint8Array | null = small.next().value ?? null; // taken in any case: the next one's come after it
        if (octets === null) isGone = true;
        else contents.push(contentOf(each.item, filtered(octets, each)));
      } else if (!isGone) {
        const content = await this.#large(row.uid, { ...each, source });
        if (content === 'gone') isGone = true;
        else contents.push(contentOf(each.item, content));
      }
    }
    return isGone ? 'gone' : contents;
  }

  async #large(uid: number, wanted: WantedContent & { readonly source: Source }): Promise<Content | 'gone'> {
    const found = await large(this.#mailbox, uid, wanted);
    if (!found.ok) this.#failure = found.refusal;
    return found.ok && found.value !== null ? found.value : 'gone';
  }

  /** RFC 8970: null when it was asked for lazily and takes more than a look. */
  async #preview({ row, measured }: Prepared): Promise<string | null | undefined> {
    const { preview } = this.#plan;
    if (preview === undefined || measured.structure === undefined) return undefined;
    const parts = previewParts(measured.structure.message);
    return await previewOf(this.#mailbox, row, parts, preview.lazy);
  }
}

const isSmall = ({ length }: Source): boolean => length <= SMALL_OCTETS;

/** What is read of it into memory. */
const sizeOf = ({ wanted }: Prepared): number =>
  wanted.reduce((sum, { source }) => sum + Math.min(source?.length ?? 0, SMALL_OCTETS), 0);

function structureOf({ uid, structure }: MessageEntry): Structure {
  if (structure === undefined) throw new Error(`message ${uid} came without its structure`);
  return unpackStructure(structure);
}
