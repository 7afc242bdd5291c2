/**
 * The sent date: RFC 5256 §2.2, from a Date field as RFC 5322 §3.3 and §4.3 have it, and as it comes besides: without a
 * weekday or its comma, with full month names or dashes, in the order of C's `ctime`. Says nothing where there is no date.
 */

export type SentDate = {
  /** UTC, in milliseconds since 1970. For SORT and THREAD. */
  readonly utcMs: number;
  /** The day that the field names, in its own zone, as days since 1970. For SENTBEFORE and the like (RFC 9051 §6.4.4). */
  readonly day: number;
};

const DAY_MS = 86_400_000;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Minutes east of Greenwich. All other names, those of the military with them, are UTC (RFC 5322 §4.3). */
const ZONES: { readonly [name: string]: number } = {
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
};
/** A date has some ten tokens; whoever writes more has written none. */
const MOST_TOKENS = 64;

/** The day of a date as a search program names it, comparable with `SentDate.day`. Month: 1 to 12. */
export const dayNumber = (year: number, month: number, day: number): number => dayAt(year, month - 1, day);

/**
 * @param value  the field body, with or without its folding, as latin1 text
 * @returns undefined where no date can be made out: the message's internal date stands in for it (RFC 5256 §2.2)
 */
export function sentDate(value: string): SentDate | undefined {
  const tokens = tokensOf(value);
  const at = tokens.findIndex((token) => monthOf(token) !== undefined);
  if (at < 0) return undefined;
  const month = monthOf(tokens[at]!)!;
  // `12 Feb 2005` or, in ctime's order, `Feb 12 10:00:00 2005`
  const isDayFirst = at > 0 && isDay(tokens[at - 1]!);
  const dayToken = isDayFirst ? tokens[at - 1]! : tokens[at + 1];
  if (dayToken === undefined || !isDay(dayToken)) return undefined;
  const behind = tokens.slice(at + (isDayFirst ? 1 : 2));
  const yearAt = behind.findIndex((token, n) => isYear(token, behind[n - 1], behind[n + 1]));
  if (yearAt < 0) return undefined;
  const year = yearOf(behind[yearAt]!);
  const dayOfMonth = Number(dayToken);
  const day = dayAt(year, month, dayOfMonth);
  const isInMonth = dayOfMonth >= 1 && day < dayAt(year, month + 1, 1);
  if (year < 1900 || !isInMonth) return undefined;
  behind.splice(yearAt, 1);
  const time = timeOf(behind);
  return { utcMs: day * DAY_MS + time.seconds * 1000 - zoneMinutes(behind.slice(time.tokens)) * 60_000, day };
}

/** Words, numbers, and `:`, `+` and `-`; comments (RFC 5322 §3.2.2), which nest, and all else between them left out. */
function tokensOf(value: string): string[] {
  const tokens: string[] = [];
  let depth = 0;
  for (const [token] of value.matchAll(/\\.|[()]|[A-Za-z]+|\d+|[:.+-]/gs)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0 && !token.startsWith('\\') && tokens.push(token) === MOST_TOKENS) break;
  }
  return tokens.filter((token, n) => !isDateDash(tokens, token, n));
}

/** `12-Feb-2005`: a dash beside the name of a month. */
const isDateDash = (tokens: readonly string[], token: string, n: number): boolean =>
  (token === '-' || token === '.') &&
  (monthOf(tokens[n - 1] ?? '') !== undefined || monthOf(tokens[n + 1] ?? '') !== undefined);

/** The first three letters count; `monday` and `sunday` begin like no month, `mon` and `mar` differ in their third. */
function monthOf(token: string): number | undefined {
  const index = /^[A-Za-z]{3,9}$/.test(token) ? MONTHS.indexOf(token.slice(0, 3).toLowerCase()) : -1;
  return index < 0 ? undefined : index;
}

const isDay = (token: string): boolean => /^\d{1,2}$/.test(token);

/** A number of two to four digits that is no part of a time or a zone. */
const isYear = (token: string, before: string | undefined, after: string | undefined): boolean =>
  /^\d{2,4}$/.test(token) && !/^[:.+-]$/.test(before ?? '') && !/^[:.]$/.test(after ?? '');

/** RFC 5322 §4.3: two digits below 50 are of this century; two others and three count from 1900. */
function yearOf(token: string): number {
  const year = Number(token);
  if (token.length === 2) return year < 50 ? year + 2000 : year + 1900;
  return token.length === 3 ? year + 1900 : year;
}

/** `hour ":" minute [":" second]`. A time that is not valid is midnight (RFC 5256 §2.2). */
function timeOf(tokens: readonly string[]): { readonly seconds: number; readonly tokens: number } {
  const [hour, colon, minute, secondColon, second] = tokens;
  if (hour === undefined || !isTimePart(hour) || !isSeparator(colon) || minute === undefined || !isTimePart(minute))
    return { seconds: 0, tokens: 0 };
  const hasSecond = isSeparator(secondColon) && second !== undefined && isTimePart(second);
  const parts = [Number(hour), Number(minute), hasSecond ? Number(second) : 0] as const;
  const isValid = parts[0] < 24 && parts[1] < 60 && parts[2] <= 60; // 60: a leap second, RFC 5322 §3.3
  return { seconds: isValid ? parts[0] * 3600 + parts[1] * 60 + parts[2] : 0, tokens: hasSecond ? 5 : 3 };
}

const isTimePart = (token: string): boolean => /^\d{1,2}$/.test(token);
const isSeparator = (token: string | undefined): boolean => token === ':' || token === '.';

/** Minutes east of Greenwich; what is no valid zone is UTC (RFC 5256 §2.2). */
function zoneMinutes(tokens: readonly string[]): number {
  for (const [n, token] of tokens.entries()) {
    if (token === '+' || token === '-') return offset(token, tokens[n + 1]);
    const name = token.toLowerCase();
    if (Object.hasOwn(ZONES, name)) return ZONES[name]!;
  }
  return 0;
}

function offset(sign: string, digits: string | undefined): number {
  if (digits === undefined || !/^\d{4}$/.test(digits)) return 0;
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2));
  if (hours > 23 || minutes > 59) return 0;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** The calendar repeats after 400 years, of which `Date.UTC` takes those below 100 for years of the last century. */
const CYCLE_YEARS = 400;
const CYCLE_DAYS = 146_097;

/** Days since 1970. Month: 0 to 11, or 12 for the next year's first. */
function dayAt(year: number, month: number, day: number): number {
  const cycles = Math.floor(year / CYCLE_YEARS);
  return (cycles - 5) * CYCLE_DAYS + Date.UTC(2000 + year - cycles * CYCLE_YEARS, month, day) / DAY_MS;
}
