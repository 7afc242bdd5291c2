/**
 * store-flags: flags of messages are changed, as far as the account has the rights (RFC 9051 §6.4.6, RFC 4314 §4: STORE).
 * A message that has the flags already keeps its mod-sequence (RFC 7162 §3.1.3); all others get one and the same.
 */
import { refuse } from '../../../kernel/result.ts';
import type { FlagsChanged, FlagsGroup } from '../../../store/change.ts';
import { ALL_FLAGS, folded, keptKeywords, MOST_KEYWORDS_A_MESSAGE, spelt } from '../../../store/flags.ts';
import type { View } from '../../../store/key-value.ts';
import { keywords as keywordsOf, type MessageRow, messagesAmong, unpackMessage } from '../../../store/tables.ts';
import { rangesOf } from '../../../store/uid-ranges.ts';
import type { Decision } from '../decide.ts';
import { mailboxOf, presentAmong } from '../mailboxes.ts';
import { done, type OutcomeOf, once } from '../once.ts';
import type { Answers, FlagsStored, StoredFlags, StoreFlags } from '../operation.ts';
import { changeable, lacking, rightsFor } from '../rights.ts';
import { MOST_STORED_AT_ONCE } from './limits.ts';

export function storeFlags(view: View, operation: StoreFlags): Decision<Answers['store-flags']> {
  return once(view, operation, (asker): OutcomeOf<'store-flags'> => {
    const { ref, mode, unchangedSince = Number.POSITIVE_INFINITY } = operation;
    const { account, mailbox } = ref;
    const found = mailboxOf(view, ref);
    if (!found) return refuse('no-such-mailbox');
    const rights = rightsFor(view, asker, account, mailbox);
    const may = changeable(rights);
    if (!rights.includes('l') && namesNone(operation)) return refuse('no-such-mailbox');
    if (!mayAny(operation, may)) return refuse(lacking(rights));
    const known = keywordsOf.get(view, account, mailbox) ?? [];
    const wanted = spelt(known, may.keywords ? operation.keywords : []);
    if (wanted.lost > 0 && mode !== 'remove') return refuse('too-many-keywords');
    const edit = editOf(mode, operation.flags & may.flags, may, wanted.keywords ?? []);
    const changed = new Groups();
    const same: number[] = [];
    const modified: number[] = [];
    for (const { uid, packed } of named(view, operation)) {
      const before = unpackMessage(packed);
      const after = edit(before);
      if (before.modSeq > unchangedSince) modified.push(uid);
      else if (hasTooMany(after, before)) return refuse('too-many-keywords');
      else if (after.flags === before.flags && sameTexts(after.keywords, before.keywords)) same.push(uid);
      else changed.add(uid, after);
    }
    const groups = changed.list();
    const modSeq = found.row.modSeq + (groups.length > 0 ? 1 : 0);
    const adds = mode !== 'remove' && wanted.keywords !== undefined && { addsKeywords: true as const };
    const stored = told(groups);
    const answer = { modSeq, ...stored, same: rangesOf(same), modified: rangesOf(modified) };
    if (groups.length === 0) return done(answer);
    const change: FlagsChanged = { type: 'FlagsChanged', account, mailbox, modSeq, ...recorded(stored), ...adds };
    return done(answer, change);
  });
}

/** Nothing is changed, and no right is needed for it; that the mailbox is there is told to those who may know (RFC 4314 §6). */
const namesNone = ({ mode, flags, keywords }: Pick<StoreFlags, 'mode' | 'flags' | 'keywords'>): boolean =>
  mode !== 'replace' && (flags & ALL_FLAGS) === 0 && keywords.length === 0;

/** RFC 4314 §4: no NO as long as one of the flags may be changed; all are named by what replaces them. */
function mayAny(
  { mode, flags, keywords }: Pick<StoreFlags, 'mode' | 'flags' | 'keywords'>,
  may: ReturnType<typeof changeable>,
): boolean {
  const named = mode === 'replace' ? ALL_FLAGS : flags & ALL_FLAGS;
  const namesKeywords = mode === 'replace' || keywords.length > 0;
  return namesNone({ mode, flags, keywords }) || (named & may.flags) !== 0 || (namesKeywords && may.keywords);
}

function named(view: View, { ref: { account, mailbox }, uids }: StoreFlags) {
  const there = presentAmong(view, account, mailbox, uids);
  if (there.length > MOST_STORED_AT_ONCE) throw new RangeError(`store-flags: ${there.length} messages at once`);
  return messagesAmong(view, account, mailbox, there);
}

type Flags = Pick<FlagsGroup, 'flags' | 'keywords'>;

/** @param keywords  as the mailbox spells them */
function editOf(
  mode: StoreFlags['mode'],
  flags: number,
  may: ReturnType<typeof changeable>,
  keywords: readonly string[],
): (before: MessageRow) => Flags {
  const removed = new Set(keywords.map(folded));
  const without = (before: readonly string[] = []) => before.filter((each) => !removed.has(folded(each)));
  const keywordsAfter = ({ keywords: before = [] }: MessageRow): readonly string[] => {
    if (!may.keywords) return before;
    return mode === 'replace' ? keywords : mode === 'add' ? [...before, ...keywords] : without(before);
  };
  return (before) => {
    const kept = mode === 'replace' ? before.flags & ~may.flags : before.flags;
    const here = keptKeywords(keywordsAfter(before));
    return { flags: mode === 'remove' ? kept & ~flags : kept | flags, ...(here && { keywords: here }) };
  };
}

/** More than a message may have; less than it had before is let pass, whatever it had. */
const hasTooMany = ({ keywords = [] }: Flags, { keywords: before = [] }: Flags): boolean =>
  keywords.length > MOST_KEYWORDS_A_MESSAGE && keywords.length > before.length;

/** Each keyword once, however many groups have it: what is answered is stored, and passes the bus. */
function told(groups: readonly FlagsGroup[]): Pick<FlagsStored, 'changed' | 'keywords'> {
  const places = new Map<string, number>();
  const placeOf = (keyword: string): number => {
    const known = places.get(keyword) ?? places.size;
    places.set(keyword, known);
    return known;
  };
  const changed = groups.map(({ uids, flags, keywords }): StoredFlags => {
    return { uids, flags, ...(keywords && { keywords: keywords.map(placeOf) }) };
  });
  return { changed, keywords: [...places.keys()] };
}

/** The record has each keyword once too. */
const recorded = ({ changed, keywords }: ReturnType<typeof told>): Pick<FlagsChanged, 'groups' | 'keywords'> => ({
  groups: changed.map(({ keywords: places, ...group }) => ({ ...group, ...(places && { places }) })),
  ...(keywords.length > 0 && { keywords }),
});

const sameTexts = (left: readonly string[] = [], right: readonly string[] = []): boolean =>
  left.length === right.length && left.every((each, at) => each === right[at]);

/** Messages by what they have now, in the order of the first of each. */
class Groups {
  readonly #groups = new Map<string, Flags & { readonly uids: number[] }>();

  add(uid: number, { flags, keywords }: Flags): void {
    const name = [flags, ...(keywords ?? [])].join(' '); // no keyword has a space in it: RFC 9051 §9 atom
    const group = this.#groups.get(name);
    if (group) group.uids.push(uid);
    else this.#groups.set(name, { uids: [uid], flags, ...(keywords && { keywords }) });
  }

  list(): FlagsGroup[] {
    return [...this.#groups.values()].map((group) => ({ ...group, uids: rangesOf(group.uids) }));
  }
}
