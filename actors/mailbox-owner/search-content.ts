/**
 * What a search asks of one message's octets: its header fields, its sent date, and the text of its header and its parts, as
 * mime/ decodes them. Reads no more than is needed to tell, chunk by chunk, and gives way to others in between.
 *
 * Where BODY and TEXT look is for mime/search-text.ts to say (RFC 9051 §6.4.4).
 */
import { decodeUnfolded } from '../../mime/encoded-word.ts';
import { HeaderText, PartText, type SearchRange, searchRanges } from '../../mime/search-text.ts';
import { sentDate } from '../../mime/sent-date.ts';
import type { Part } from '../../mime/structure.ts';
import { TextSearch } from '../../mime/text-search.ts';
import { readMessage } from '../../store/blob.ts';
import type { Store } from '../../store/store.ts';
import type { MessageRow } from '../../store/tables.ts';
import { type Candidate, isBetween, type Plan, type TextKey, truthOf } from './search-program.ts';
import type { SearchProgram } from './search-requests.ts';
import { type Structures, unpackStructure } from './structures.ts';

export type ContentParts = { readonly store: Store; readonly structures: Structures };
export type Effort = {
  /** So many octets were read. */
  took(octets: number): void;
  /** Resolves at once, or when others have had their turn. */
  giveWay(): Promise<void> | undefined;
};

/** Of a header section fields are looked at so far: nobody writes a megabyte of them. */
const MOST_HEADER_OCTETS = 1024 * 1024;
const DAY_MS = 86_400_000;

/** What a search's strings are looked for with: made once, and used for one message after another. */
export type Matchers = { readonly fields: TextSearch; readonly kinds: readonly Kind[] };
type Kind = { readonly keys: readonly TextKey[]; readonly search: TextSearch; readonly isText: boolean };

export async function matchersOf({ fieldTexts, texts }: Plan, effort: Effort): Promise<Matchers> {
  const ready = async (strings: readonly string[]): Promise<TextSearch> => {
    const search = new TextSearch(strings);
    while (search.prepare()) await effort.giveWay();
    return search;
  };
  const kinds: Kind[] = [];
  for (const type of ['body', 'text'] as const) {
    const keys = texts.filter((key) => key.type === type);
    kinds.push({ keys, search: await ready(keys.map(({ text }) => text)), isText: type === 'text' });
  }
  return { fields: await ready(fieldTexts), kinds };
}

/** Does the message match? false also when it is not there any more. */
export async function matches(
  { store, structures }: ContentParts,
  plan: Plan,
  matchers: Matchers,
  message: Candidate,
  effort: Effort,
): Promise<boolean> {
  const { program, texts } = plan;
  const octets = new MessageOctets(store, message.row, effort);
  const known = new Map<SearchProgram, boolean>();
  if (plan.fields.size > 0 || plan.sent.length > 0) await askFields(octets, plan, matchers.fields, known, effort);
  let truth = truthOf(program, message, known);
  if (truth !== undefined) return truth;
  const structure = await structures.look(message.row.blob);
  if (structure === undefined) return false;
  const looking = new Looking(matchers.kinds);
  for (const segment of segmentsOf(unpackStructure(structure).message, message.row.trace.length)) {
    await effort.giveWay();
    if (!(await looking.at(segment, octets, effort, known))) continue;
    truth = truthOf(program, message, known);
    if (truth !== undefined) return truth;
  }
  for (const key of texts) if (!known.has(key)) known.set(key, false);
  return truthOf(program, message, known) === true;
}

/** A message's octets by the chunk that was read last: what lies in one chunk is read once. */
class MessageOctets {
  readonly #store: Store;
  readonly #row: MessageRow;
  readonly #effort: Effort;
  #from = 0;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(store: Store, row: MessageRow, effort: Effort) {
    this.#store = store;
    this.#row = row;
    this.#effort = effort;
  }

  get sizeOctets(): number {
    return this.#row.sizeOctets;
  }

  /** Those from `from` up to `to`, as far as the body is still there. */
  *within(from: number, to: number): Iterable<Uint8Array> {
    for (let at = from; at < to; ) {
      if (at < this.#from || at >= this.#from + this.#chunk.length) {
        const chunk = this.#store.read((view) => readMessage(view, this.#row, at));
        if (!chunk || chunk.length === 0) return;
        this.#from = at;
        this.#chunk = chunk;
        this.#effort.took(chunk.length);
      }
      const piece = this.#chunk.subarray(at - this.#from, to - this.#from);
      at += piece.length;
      yield piece;
    }
  }
}

/** Of a value, looked through without a look at whose turn it is. */
const PIECE_UNITS = 64 * 1024;

async function askFields(
  octets: MessageOctets,
  { fields: asked, sent }: Plan,
  search: TextSearch,
  known: Map<SearchProgram, boolean>,
  effort: Effort,
): Promise<void> {
  const fields = await fieldsOf(await headerOf(octets, effort), asked, effort);
  for (const [name, keys] of asked) {
    const values = fields.get(name) ?? [];
    // The strings of all names are looked for together; what one of them has of another's is no matter.
    search.restart();
    for (const value of values) {
      const text = decodeUnfolded(value);
      for (let at = 0; at < text.length; at += PIECE_UNITS) {
        search.write(text.slice(at, at + PIECE_UNITS));
        await effort.giveWay();
      }
      search.endText();
    }
    for (const { key, at } of keys) known.set(key, values.length > 0 && search.isFound(at));
    await effort.giveWay();
  }
  if (sent.length === 0) return;
  const date = sentDate(fields.get(DATE)?.[0] ?? '');
  for (const key of sent) known.set(key, date !== undefined && isBetween(date.day * DAY_MS, key));
}

const DATE = 'date';

/** The header section as latin1 text, or as much of it as is looked at. */
async function headerOf(octets: MessageOctets, effort: Effort): Promise<string> {
  let header = '';
  for (const piece of octets.within(0, Math.min(octets.sizeOctets, MOST_HEADER_OCTETS))) {
    const looked = Math.max(0, header.length - 3);
    header += Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
    const end = looked === 0 ? /^\r?\n|\n\r?\n/.exec(header) : /\n\r?\n/.exec(header.slice(looked));
    if (end) return header.slice(0, looked + end.index + 1);
    await effort.giveWay();
  }
  return header;
}

/** Fields between two looks at whose turn it is. */
const FIELDS_A_STEP = 256;

/** Values of those asked for, and of Date, by their field's name in lower case, unfolded (RFC 5322 §2.2.3). */
async function fieldsOf(
  header: string,
  asked: ReadonlyMap<string, unknown>,
  effort: Effort,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const fields = new Map<string, string[]>();
  const ends = /\r?\n(?![ \t])/g;
  for (let from = 0, count = 1; from < header.length; count++) {
    if (count % FIELDS_A_STEP === 0) await effort.giveWay();
    const end = ends.exec(header);
    const field = header.slice(from, end?.index);
    from = end ? ends.lastIndex : header.length;
    const colon = field.indexOf(':');
    if (colon < 1) continue;
    const name = field.slice(0, colon).trimEnd().toLowerCase();
    if (name !== DATE && !asked.has(name)) continue;
    const value = field
      .slice(colon + 1)
      .replace(/[\r\n]+/g, '')
      .trim();
    const values = fields.get(name);
    if (values) values.push(value);
    else fields.set(name, [value]);
  }
  return fields;
}

/** `SearchRange`s of the message with its trace lines, which belong to its header section. */
function* segmentsOf(message: Part, traceOctets: number): Iterable<SearchRange> {
  yield { from: 0, to: traceOctets + message.body, part: undefined };
  for (const { from, to, part } of searchRanges(message, 'TEXT')) {
    if (part !== undefined || from > message.from) yield { from: traceOctets + from, to: traceOctets + to, part };
  }
}

/** What is looked for in one message's texts, and what was found of it. */
class Looking {
  readonly #kinds: readonly Kind[];
  /** The empty strings, which are found before any text is. */
  #isNoted = false;

  constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds;
    for (const { search } of kinds) search.restart();
  }

  /** @returns whether anything was found that was not before */
  async at(
    { from, to, part }: SearchRange,
    octets: MessageOctets,
    effort: Effort,
    known: Map<SearchProgram, boolean>,
  ): Promise<boolean> {
    // BODY looks into no header (mime/search-text.ts).
    const asked = this.#kinds.filter(({ search, isText }) => !search.done && (isText || part !== undefined));
    const left = () => asked.reduce((sum, { search }) => sum + search.left, 0);
    const before = left();
    if (asked.length > 0) {
      const text = part ? new PartText(part) : new HeaderText();
      const write = (piece: string) => {
        for (const { search } of asked) search.write(piece);
      };
      for (const piece of octets.within(from, to)) {
        write(text.write(piece));
        if (asked.every(({ search }) => search.done)) break;
        await effort.giveWay();
      }
      write(text.end());
      for (const { search } of asked) search.endText();
    }
    return this.#note(known, left() < before);
  }

  #note(known: Map<SearchProgram, boolean>, isMore: boolean): boolean {
    if (!isMore && this.#isNoted) return false;
    this.#isNoted = true;
    const before = known.size;
    for (const { keys, search } of this.#kinds)
      for (const [at, key] of keys.entries()) if (search.isFound(at)) known.set(key, true);
    return known.size > before;
  }
}
