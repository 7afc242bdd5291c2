/**
 * Durations and sizes as an operator writes them: `"30s"`, `"500ms"`, `"50MiB"`, or a bare integer of seconds or octets.
 *
 * Pure. The one place that knows the spellings; the loader, the error texts and the reference page all use it.
 */
const MS_PER_UNIT = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const OCTETS_PER_UNIT = {
  GiB: 1024 ** 3,
  GB: 1e9,
  MiB: 1024 ** 2,
  MB: 1e6,
  KiB: 1024,
  kB: 1000,
  B: 1,
} as const;

export const DURATION_PATTERN = /^[0-9]{1,12}(ms|s|m|h|d)$/;
export const SIZE_PATTERN = /^[0-9]{1,15}(B|kB|KiB|MB|MiB|GB|GiB)$/;

/** @returns milliseconds; undefined if it is neither a duration nor a whole number of seconds. */
export function durationMs(given: string | number): number | undefined {
  if (typeof given === 'number') return Number.isInteger(given) ? whole(given * MS_PER_UNIT.s) : undefined;
  const unit = DURATION_PATTERN.exec(given)?.[1] as keyof typeof MS_PER_UNIT | undefined;
  return unit && whole(Number.parseInt(given, 10) * MS_PER_UNIT[unit]);
}

/** @returns octets; undefined if it is neither a size nor a whole number of octets. */
export function sizeOctets(given: string | number): number | undefined {
  if (typeof given === 'number') return whole(given);
  const unit = SIZE_PATTERN.exec(given)?.[1] as keyof typeof OCTETS_PER_UNIT | undefined;
  return unit && whole(Number.parseInt(given, 10) * OCTETS_PER_UNIT[unit]);
}

/** The shortest spelling in one unit: 600000 is `10m`. The inverse of `durationMs`. */
export const printDuration = (ms: number): string => inLargestUnit(ms, MS_PER_UNIT, 's');

/** 52428800 is `50MiB`. The inverse of `sizeOctets`. */
export const printSize = (octets: number): string => inLargestUnit(octets, OCTETS_PER_UNIT, 'B');

const whole = (value: number) => (Number.isSafeInteger(value) && value >= 0 ? value : undefined);

function inLargestUnit(value: number, units: Readonly<Record<string, number>>, unitOfZero: string): string {
  if (value === 0) return `0${unitOfZero}`;
  const [unit, factor] = Object.entries(units).find(([, factor]) => value % factor === 0)!;
  return `${value / factor}${unit}`;
}
