/**
 * Dates: RFC 9051 §9 `date-text` and `date-time`, both ways. Strict, so that no two parties differ on a day; the quotes around
 * a date are not its own. Pure.
 */

/** A day, of no time zone: SEARCH disregards time and zone (RFC 9051 §6.4.4). `month` 1 to 12, `year` 0 to 9999. */
export type CalendarDate = { readonly year: number; readonly month: number; readonly day: number };

/** An instant, and the zone it was told in, in minutes east of UTC. */
export type DateTime = { readonly epochMs: number; readonly zoneMinutes: number };

const MONTHS: readonly string[] = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** `date-text = date-day "-" date-month "-" date-year` (RFC 9051 §9). */
export function parseDate(text: string): CalendarDate | undefined {
  const [, day, month, year] = /^([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})$/.exec(text) ?? [];
  return year === undefined ? undefined : dateOf(year, month!, day!);
}

export function printDate({ year, month, day }: CalendarDate): string {
  return `${day}-${MONTHS[month - 1]}-${digits(year, 4)}`;
}

/** `date-time`, without its quotes: ` 1-Feb-2024 03:04:05 +0100` (RFC 9051 §9). A second of 60 is the next minute's first. */
export function parseDateTime(text: string): DateTime | undefined {
  const parts =
    /^([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})$/.exec(text);
  if (parts === null) return undefined;
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneRest] = parts;
  const date = dateOf(year!, month!, day!);
  if (date === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(zoneHours) > 23 || Number(zoneRest) > 59) return undefined;
  const east = Number(zoneHours) * 60 + Number(zoneRest);
  const zoneMinutes = sign === '-' && east !== 0 ? -east : east;
  const timeMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
  return { epochMs: dayNumber(date) * DAY_MS + timeMs - zoneMinutes * MINUTE_MS, zoneMinutes };
}

/** As `parseDateTime` reads it; fractions of a second are cut off. An instant that four digits can't tell becomes the nearest that can. */
export function printDateTime({ epochMs, zoneMinutes }: DateTime): string {
  const east = Math.max(-1439, Math.min(1439, Math.trunc(zoneMinutes)));
  const local = new Date(Math.max(FIRST_MS, Math.min(LAST_MS, epochMs + east * MINUTE_MS)));
  const day = `${local.getUTCDate()}`.padStart(2, ' ');
  const date = `${day}-${MONTHS[local.getUTCMonth()]}-${digits(local.getUTCFullYear(), 4)}`;
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map((n) => digits(n, 2)).join(':');
  const zone = `${east < 0 ? '-' : '+'}${digits(Math.floor(Math.abs(east) / 60), 2)}${digits(Math.abs(east) % 60, 2)}`;
  return `${date} ${time} ${zone}`;
}

/** The day as the date tells it, without time and zone, as days since 1 January 1970: two such numbers compare as the days do. */
export function dayNumber({ year, month, day }: CalendarDate): number {
  return new Date(0).setUTCFullYear(year, month - 1, day) / DAY_MS; // Date.UTC takes the year 99 for 1999
}

/** The same of an instant, in the zone it was told in (RFC 9051 §6.4.4: "disregarding time and timezone"). */
export function dayNumberOf({ epochMs, zoneMinutes }: DateTime): number {
  return Math.floor((epochMs + zoneMinutes * MINUTE_MS) / DAY_MS);
}

/** 1 January of the year 0 and the last second of 9999. */
const FIRST_MS = -62_167_219_200_000;
const LAST_MS = 253_402_300_799_000;

function dateOf(year: string, month: string, day: string): CalendarDate | undefined {
  const name = month[0]!.toUpperCase() + month.slice(1).toLowerCase();
  const date = { year: Number(year), month: MONTHS.indexOf(name) + 1, day: Number(day) };
  if (date.month === 0 || date.day === 0) return undefined;
  return date.day <= daysIn(date.year, date.month) ? date : undefined;
}

/** Day 0 of the next month is the last of this one. */
const daysIn = (year: number, month: number): number =>
  new Date(new Date(0).setUTCFullYear(year, month, 0)).getUTCDate();

const digits = (number: number, count: number): string => `${number}`.padStart(count, '0');
