/** The spelling of flags and of special uses, which are compared without case: RFC 9051 §2.3.2, RFC 6154 §2. Pure. */

const SYSTEM_FLAGS = ['\\Answered', '\\Deleted', '\\Draft', '\\Flagged', '\\Seen', '\\Recent'] as const;
const SPECIAL_USES = [
  '\\All',
  '\\Archive',
  '\\Drafts',
  '\\Flagged',
  '\\Important', // RFC 8457 §3
  '\\Junk',
  '\\Sent',
  '\\Trash',
] as const;

/** System flags as the RFC writes them; all others as sent. */
export const canonicalFlag = (flag: string): string => canonical(flag, SYSTEM_FLAGS);

/** Known attributes as the RFC writes them; all others as sent. */
export const canonicalSpecialUse = (attribute: string): string => canonical(attribute, SPECIAL_USES);

function canonical(word: string, known: readonly string[]): string {
  if (!word.startsWith('\\')) return word;
  const lowered = word.toLowerCase();
  return known.find((one) => one.toLowerCase() === lowered) ?? word;
}
