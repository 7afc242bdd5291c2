/**
 * What a FETCH needs, found once for all its messages: which fields of a row, whether its structure, and which octets of the
 * message. RFC 9051 §6.4.5, RFC 3501 §6.4.5. Pure.
 */
import { FieldFilter } from '../../mime/field-filter.ts';
import { binaryOf, rangeOf } from '../../mime/section.ts';
import type { Structure } from '../../mime/structure.ts';
import type { FetchItem, Partial, Section } from '../../protocols/imap/fetch-item.ts';
import type { Content, FetchContent } from '../../protocols/imap/fetch-response.ts';

/** Items that are octets of the message. */
export type ContentItem = Extract<
  FetchItem,
  { readonly item: 'BODY[]' | 'BINARY' | 'BINARY.SIZE' | 'RFC822' | 'RFC822.HEADER' | 'RFC822.TEXT' }
>;

export type FetchPlan = {
  readonly has: (item: FetchItem['item']) => boolean;
  readonly preview: { readonly lazy: boolean } | undefined;
  readonly contents: readonly ContentItem[];
  readonly needsStructure: boolean;
  /** Some item is told of every message, whatever is in it. */
  readonly ofRow: boolean;
  /** RFC 9051 §6.4.5: BODY[...], BINARY[...], RFC822 and RFC822.TEXT do, by their answer. */
  readonly setsSeen: boolean;
};

export function planOf(items: readonly FetchItem[]): FetchPlan {
  const asked = new Set(items.map(({ item }) => item));
  const contents = items.filter(isContent);
  const preview = items.find((each) => each.item === 'PREVIEW');
  return {
    has: (item) => asked.has(item),
    preview: preview && { lazy: preview.lazy },
    contents,
    needsStructure:
      ['ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'PREVIEW'].some((item) => asked.has(item as FetchItem['item'])) ||
      contents.some((item) => !isWhole(item)),
    ofRow: items.length > contents.length + (preview === undefined ? 0 : 1),
    setsSeen: contents.some(doesSetSeen),
  };
}

const CONTENT_ITEMS: readonly string[] = ['BODY[]', 'BINARY', 'BINARY.SIZE', 'RFC822', 'RFC822.HEADER', 'RFC822.TEXT'];
const isContent = (item: FetchItem): item is ContentItem => CONTENT_ITEMS.includes(item.item);

/** The message as it is, for which nothing need be known of it. */
const isWhole = (item: ContentItem): boolean =>
  item.item === 'RFC822' ||
  (item.item === 'BODY[]' && item.section.part.length === 0 && item.section.text === undefined);

function doesSetSeen(item: ContentItem): boolean {
  if (item.item === 'BODY[]' || item.item === 'BINARY') return !item.peek;
  return item.item === 'RFC822' || item.item === 'RFC822.TEXT';
}

/** What turns the octets of a source into those that are told. */
export interface Filter {
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** Octets [offset, offset + length) of the message, trace lines counted. */
export type Source = { readonly offset: number; readonly length: number };

/** One content of one message, before it is read. */
export type WantedContent = {
  readonly item: ContentItem;
  /** null: there is no such part. */
  readonly source: Source | null;
  /** A fresh one each time. */
  readonly filter?: () => Filter;
  /** Of what the filter gives; without one it is in `source` already. */
  readonly partial?: Partial;
};

/** `structure` is there if the plan needs it. `unknown-cte`: RFC 9051 §6.4.5 wants NO [UNKNOWN-CTE]. */
export type Measured = { readonly sizeOctets: number; readonly traceOctets: number; readonly structure?: Structure };

export function wantedOf(item: ContentItem, message: Measured): WantedContent | 'unknown-cte' {
  if (isWhole(item)) return narrowed(item, { offset: 0, length: message.sizeOctets });
  const { structure } = message;
  if (structure === undefined) throw new Error(`${item.item} without a structure`);
  if (item.item === 'BINARY' || item.item === 'BINARY.SIZE') return binary(item, message, structure);
  const section = sectionOf(item);
  const range = rangeOf(structure, section);
  if (range === undefined) return { item, source: null };
  const source = sourceOf(range, message);
  if (section.fields === undefined) return narrowed(item, source);
  const { fields } = section;
  const not = section.text === 'HEADER.FIELDS.NOT';
  // Of the fields that are left after the others are taken out (RFC 9051 §6.4.5).
  return { item, source, filter: () => new FieldFilter(fields, not), ...partialOf(item) };
}

/** RFC 3501 §6.4.5: by the names that they had before. */
function sectionOf(item: Exclude<ContentItem, { readonly item: 'BINARY' | 'BINARY.SIZE' }>): Section {
  if (item.item === 'BODY[]') return item.section;
  return item.item === 'RFC822' ? { part: [] } : { part: [], text: item.item === 'RFC822.HEADER' ? 'HEADER' : 'TEXT' };
}

function binary(
  item: Extract<ContentItem, { readonly item: 'BINARY' | 'BINARY.SIZE' }>,
  message: Measured,
  structure: Structure,
): WantedContent | 'unknown-cte' {
  const found = binaryOf(structure, item.part);
  if (found === 'unknown-cte') return found;
  if (found === 'none') return { item, source: null };
  const decoder = () => {
    const fresh = binaryOf(structure, item.part);
    if (typeof fresh === 'string') throw new Error('a part that was there is not');
    const { decoder } = fresh;
    return { push: (chunk: Uint8Array) => decoder.write(chunk), end: () => decoder.end() };
  };
  return { item, source: sourceOf(found.octets, message), filter: decoder, ...partialOf(item) };
}

/** The message's own header section begins with the trace lines: structure.ts counts from behind them. */
function sourceOf(
  { from, to, afterTrace }: { readonly from: number; readonly to: number; readonly afterTrace: boolean },
  { traceOctets }: Measured,
): Source {
  const offset = afterTrace ? from : from + traceOctets;
  return { offset, length: to + traceOctets - offset };
}

/** Beyond the end there is nothing: RFC 9051 §6.4.5. */
function narrowed(item: ContentItem, source: Source): WantedContent {
  const { partial } = partialOf(item);
  if (partial === undefined) return { item, source };
  const skipped = Math.min(partial.offsetOctets, source.length);
  const length = Math.min(partial.lengthOctets, source.length - skipped);
  return { item, source: { offset: source.offset + skipped, length } };
}

const partialOf = (item: ContentItem): { readonly partial?: Partial } =>
  'partial' in item && item.partial !== undefined ? { partial: item.partial } : {};

/** What goes out for it. @param content  for BINARY.SIZE only its size is told */
export function contentOf(item: ContentItem, content: Content): FetchContent {
  switch (item.item) {
    case 'BODY[]':
      return { item: 'BODY[]', section: item.section, ...originOf(item), content };
    case 'BINARY':
      return { item: 'BINARY', part: item.part, ...originOf(item), content };
    case 'BINARY.SIZE':
      return { item: 'BINARY.SIZE', part: item.part, sizeOctets: sizeOf(content) };
    default:
      return { item: item.item, content };
  }
}

const originOf = ({ partial }: { readonly partial?: Partial }): { readonly originOctet?: number } =>
  partial === undefined ? {} : { originOctet: partial.offsetOctets };

const sizeOf = (content: Content): number =>
  content === null ? 0 : content instanceof Uint8Array ? content.length : content.sizeOctets;
