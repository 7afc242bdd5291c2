/** What a request of a peer must be: of a wrong shape it is that peer's mistake, which throws, and the bus says `fault`. */
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
export const isNumber = (value: unknown): boolean => isCount(value) && value !== 0;
/** Two of them, or one and a mailbox's name, fit a key of the store (store/key.ts), which is of octets. */
export const isName = (value: unknown): boolean =>
  isText(value, 500) && value !== '' && !(value as string).includes('\0');
/** Of at most so many octets. */
export const isText = (value: unknown, mostOctets: number): boolean =>
  typeof value === 'string' && value.length <= mostOctets && Buffer.byteLength(value) <= mostOctets;
export const isFlag = (value: unknown): boolean => value === undefined || typeof value === 'boolean';
/** As it stood in an address, whose line has no more (protocols/lmtp/decoder.ts). */
export const isFolder = (value: unknown): boolean => isText(value, 2048);
/** UIDs as ranges (store/uid-ranges.ts), at most so many of them. */
export const isRanges = (value: unknown, most: number): boolean => {
  if (!Array.isArray(value) || value.length > most) return false;
  let above = 0;
  for (const range of value) {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [from, to] = range;
    if (!isNumber(from) || !isNumber(to) || from <= above || to < from || to > LARGEST_UID) return false;
    above = to;
  }
  return true;
};
const LARGEST_UID = 2 ** 32 - 1;
export const isRef = (value: unknown): boolean => {
  const { account, mailbox, uidValidity } = (value ?? {}) as { [name: string]: unknown };
  return isName(account) && isNumber(mailbox) && isNumber(uidValidity);
};

export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new RangeError(`mail request: ${what}`);
}
