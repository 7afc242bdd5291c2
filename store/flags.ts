/**
 * Flags as the store keeps them: system flags (RFC 9051 §2.3.2) as the bits of one number, keywords as text. Pure; \Recent is
 * no flag of a message but of a session, and is not here.
 */

/** Which bit stands for which; what is written to disk, so never changed. */
export const FLAG = { seen: 1, answered: 2, flagged: 4, deleted: 8, draft: 16 } as const;

export const SYSTEM_FLAGS: readonly number[] = Object.values(FLAG);
export const ALL_FLAGS = SYSTEM_FLAGS.reduce((sum, bit) => sum | bit, 0);

/** Of one mailbox in all its time: each is kept with the mailbox, and told at each SELECT. */
export const MOST_KEYWORDS = 200;
export const MOST_KEYWORD_OCTETS = 100;
/** Of one message. */
export const MOST_KEYWORDS_A_MESSAGE = 30;

/** What is the same in two keywords that differ by case alone (RFC 9051 §2.3.2: keywords are case-insensitive). */
export const folded = (keyword: string): string => keyword.toLowerCase();

/** Each once and in one order, or undefined if there are none: as a row keeps them. */
export function keptKeywords(keywords: Iterable<string>): readonly string[] | undefined {
  const kept = [...new Set(keywords)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return kept.length > 0 ? kept : undefined;
}

/**
 * The keywords as this mailbox spells them, which is as it first did; new ones as they came, while there is room for them.
 * @param known  of the mailbox
 * @returns `lost`: so many did not fit; `added`: those that the mailbox did not know
 */
export function spelt(known: readonly string[], keywords: readonly string[]) {
  const spelling = new Map(known.map((keyword) => [folded(keyword), keyword]));
  const added: string[] = [];
  const used: string[] = [];
  let lost = 0;
  for (const keyword of keywords) {
    const before = spelling.get(folded(keyword));
    if (before === undefined && spelling.size >= MOST_KEYWORDS) {
      lost++;
      continue;
    }
    if (before === undefined) {
      spelling.set(folded(keyword), keyword);
      added.push(keyword);
    }
    used.push(before ?? keyword);
  }
  return { keywords: keptKeywords(used), added, lost };
}
