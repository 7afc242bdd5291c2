/**
 * Flags as IMAP names them and as the store keeps them: RFC 9051 §2.3.2. Pure. \Recent is a session's, not a message's:
 * RFC 3501 §2.3.2.
 */
import { ALL_FLAGS, FLAG, MOST_KEYWORD_OCTETS, MOST_KEYWORDS } from '../../store/flags.ts';
import { uidsIn } from '../../store/uid-ranges.ts';
import type { FlagsStored } from '../mailbox-owner/operation.ts';

const NAMED: readonly (readonly [bit: number, name: string])[] = [
  [FLAG.answered, '\\Answered'],
  [FLAG.flagged, '\\Flagged'],
  [FLAG.deleted, '\\Deleted'],
  [FLAG.seen, '\\Seen'],
  [FLAG.draft, '\\Draft'],
];
const RECENT = '\\Recent';

export const flagBit = (name: string): number => NAMED.find(([, named]) => named === name)?.[0] ?? 0;

/** What a client names: bits, and keywords as sent. */
export type NamedFlags = { readonly bits: number; readonly keywords: readonly string[] };

/**
 * @param flags  system flags in their canonical case
 * @returns undefined when there is a system flag that does not exist. \Recent can't be altered (RFC 3501 §2.3.2): that it was
 *   named says nothing, since clients send back what they were told.
 */
export function flagsNamed(flags: readonly string[]): NamedFlags | undefined {
  let bits = 0;
  const keywords: string[] = [];
  for (const flag of flags) {
    if (!flag.startsWith('\\')) keywords.push(flag);
    else if (flag !== RECENT) {
      const bit = flagBit(flag);
      if (bit === 0) return undefined;
      bits |= bit;
    }
  }
  return { bits, keywords };
}

/** Has a mailbox room for them at all? How many it has already, its owner knows. */
export const canBeKept = ({ keywords }: NamedFlags): boolean =>
  keywords.length <= MOST_KEYWORDS && keywords.every((keyword) => Buffer.byteLength(keyword) <= MOST_KEYWORD_OCTETS);

/** The messages that a change of flags changed, as they are after it. */
export function* flaggedBy({ changed, keywords: all, modSeq }: FlagsStored) {
  for (const { uids, flags, keywords: places } of changed) {
    const keywords = places?.map((place) => all[place]!);
    for (const uid of uidsIn(uids)) yield { uid, flags, ...(keywords && { keywords }), modSeq };
  }
}

/** Lists of flags, the same one for the same flags: a mailbox has few, and many messages. */
export class FlagLists {
  readonly #plain = new Map<number, readonly string[]>();

  /** `bits` of store/flags.ts. */
  of(bits: number, keywords: readonly string[] | undefined, isRecent: boolean): readonly string[] {
    const key = (bits & ALL_FLAGS) | (isRecent ? ALL_FLAGS + 1 : 0);
    let list = this.#plain.get(key);
    if (list === undefined) {
      const names = NAMED.flatMap(([bit, name]) => ((bits & bit) !== 0 ? [name] : []));
      list = isRecent ? [...names, RECENT] : names;
      this.#plain.set(key, list);
    }
    return keywords === undefined ? list : [...list, ...keywords];
  }
}

/** Flags that messages of the mailbox have or may have: RFC 9051 §7.3.5. */
export const definedFlags = (keywords: readonly string[]): readonly string[] => [
  ...NAMED.map(([, name]) => name),
  ...keywords,
];

/**
 * Those that the client can change for good: RFC 9051 §7.1 PERMANENTFLAGS, by its rights (RFC 4314 §4). None in a mailbox
 * opened by EXAMINE (RFC 9051 §6.3.3).
 */
export function permanentFlags(rights: string, keywords: readonly string[], readOnly: boolean): readonly string[] {
  if (readOnly) return [];
  const names = NAMED.filter(([bit]) => rights.includes(rightFor(bit))).map(([, name]) => name);
  if (!rights.includes('w')) return names;
  return [...names, ...keywords, ...(keywords.length < MOST_KEYWORDS ? ['\\*'] : [])];
}

const rightFor = (bit: number): string => (bit === FLAG.seen ? 's' : bit === FLAG.deleted ? 't' : 'w');

/** May anything in the mailbox be changed? RFC 4314 §5.2. */
export const mayChange = (rights: string): boolean => /[itews]/.test(rights);
