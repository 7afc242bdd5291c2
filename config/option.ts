/**
 * The kinds of value an option can have, on zod: each gives the type, the check, the error text and what the reference
 * page and the JSON Schema say of it, from one call. Which options there are is schema.ts's to say.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type AddressFault, addressLine, saysSomething } from '../kernel/address-list.ts';
import { show } from './problem.ts';
import { DURATION_PATTERN, durationMs, printDuration, printSize, SIZE_PATTERN, sizeOctets } from './units.ts';

/** What the reference page says of an option beside its type. `fallback` is the default's wording where it is computed. */
export type About = {
  readonly doc: string;
  readonly example?: unknown;
  readonly fallback?: string;
  readonly unit?: string;
};

/** Gives an option its documentation. Goes outermost, so that the default is part of what it documents. */
export const option = <S extends z.ZodType>(schema: S, { doc, example, fallback, unit }: About): S =>
  schema.meta({
    description: doc,
    ...(example !== undefined && { examples: [example] }),
    ...(fallback !== undefined && { 'x-default': fallback }),
    ...(unit !== undefined && { 'x-unit': unit }),
  });

export const flag = () => z.boolean({ error: wrong('true or false') }).meta({ 'x-type': 'boolean' });

export const integer = (min: number, max: number) => {
  const error = wrong(`a whole number from ${min} to ${max}`);
  return z
    .int({ error })
    .min(min, { error })
    .max(max, { error })
    .meta({ 'x-type': `integer, ${min} to ${max}` });
};

export const choice = <const T extends readonly [string, ...string[]]>(words: T, remark = '') =>
  z.enum(words, { error: wrong(`${words.map((word) => `"${word}"`).join(' or ')}${remark}`) });

/** Read as milliseconds. */
export const duration = (min: string, max: string) => {
  const [minMs, maxMs] = [durationMs(min)!, durationMs(max)!];
  const error = wrong(
    `a duration from ${printDuration(minMs)} to ${printDuration(maxMs)}: "500ms", "30s", "10m" or a whole number of seconds`,
  );
  const seconds = z
    .int({ error })
    .min(Math.ceil(minMs / 1000), { error })
    .max(Math.floor(maxMs / 1000), { error });
  return z
    .union([z.string({ error }).regex(DURATION_PATTERN, { error }), seconds], { error })
    .transform((given, context) => within(durationMs(given), minMs, maxMs, given, error, context))
    .brand<'ms'>()
    .meta({ 'x-type': 'duration', 'x-unit': 'seconds' });
};

/** Read as octets. */
export const size = (min: string, max: string) => {
  const [minOctets, maxOctets] = [sizeOctets(min)!, sizeOctets(max)!];
  const error = wrong(
    `a size from ${printSize(minOctets)} to ${printSize(maxOctets)}: "500kB", "50MiB", "1GiB" or a whole number of octets`,
  );
  const octets = z.int({ error }).min(minOctets, { error }).max(maxOctets, { error });
  return z
    .union([z.string({ error }).regex(SIZE_PATTERN, { error }), octets], { error })
    .transform((given, context) => within(sizeOctets(given), minOctets, maxOctets, given, error, context))
    .brand<'octets'>()
    .meta({ 'x-type': 'size', 'x-unit': 'octets' });
};

/** Taken from the directory of the configuration file, unless absolute. */
export const path = () =>
  z
    .string({ error: wrong('a path') })
    .regex(/^[^\u0000]+$/, { error: wrong('a path') })
    .meta({ 'x-type': 'path' });

/** RFC 5321 §4.1.2 `Domain` over the given letters: labels of at most 63. */
const domainOf = (letters: string) => {
  const label = `[${letters}0-9]([${letters}0-9-]{0,61}[${letters}0-9])?`;
  return new RegExp(`^${label}(\\.${label})*$`);
};

/** A node's or mailHost's name: it appears in greetings, so it obeys RFC 5321 §4.1.2 `Domain`; compared as it stands. */
export const name = () => {
  const error = wrong('a name such as "n1" or "n1.example.test": lower-case letters, digits, "-" and "."');
  return z.string({ error }).max(253, { error }).regex(domainOf('a-z'), { error }).meta({ 'x-type': 'name' });
};

/** RFC 5321 §4.1.2 `Domain`, in any case; read in lower case. */
export const domain = () => {
  const error = wrong('a domain such as "example.test"');
  return z.string({ error }).max(253, { error }).regex(domainOf('A-Za-z'), { error }).meta({ 'x-type': 'domain' });
};

/** May this be announced as a host in a greeting? RFC 5321 §4.1.2 `Domain`. */
export const isDomain = (text: string): boolean => domain().safeParse(text).success;

export const ipAddress = () => {
  const error = wrong('an IP address such as "127.0.0.1", "0.0.0.0" or "::"');
  return z
    .string({ error })
    .refine((given) => isIP(given) !== 0, { error })
    .meta({ 'x-type': 'IP address' });
};

/** Lines of a list of addresses (kernel/address-list.ts); at least one says something. */
export const addresses = () => {
  const allowed =
    'a list of addresses, ranges and networks: "192.0.2.7", "192.0.2.7-192.0.2.9", "2001:db8::/32"; "!" before one takes it off';
  const line = z.string({ error: wrong(allowed) }).superRefine((given, context) => {
    const read = addressLine(given);
    if (!read.ok)
      context.addIssue({ code: 'custom', message: `${show(given)} is not allowed: ${WRONG_ADDRESS[read.refusal]}` });
  });
  return z
    .array(line, { error: wrong(allowed) })
    .refine(saysSomething, { error: 'is empty: must name an address' })
    .meta({ 'x-type': 'list of addresses' });
};

/** What is wrong with a line of addresses, behind the line. */
export const WRONG_ADDRESS: Readonly<Record<AddressFault, string>> = {
  'no-address': 'must be an IP address, two with "-" between them, or one with "/" and a mask',
  'wrong-mask':
    'the mask must be a number of bits that the address has (for ::ffff:192.0.2.0 of 96 or more), or of the form 255.255.255.0',
  'wrong-range': 'a range must go from a lower address to a higher one, both IPv4 or both IPv6',
};

export const text = (pattern: RegExp, allowed: string, type: string) => {
  const error = wrong(allowed);
  return z.string({ error }).regex(pattern, { error }).meta({ 'x-type': type });
};

/** As `text`, but an error never shows the value, since a secret may have been put into it by mistake. */
export const unshownText = (pattern: RegExp, allowed: string, type: string) => {
  const error = wrong(allowed, () => 'this value');
  return z.string({ error }).regex(pattern, { error }).meta({ 'x-type': type });
};

/** @param least  entries that it must have */
export const list = <S extends z.ZodType>(item: S, type: string, allowed: string, least = 1) => {
  const error = wrong(allowed);
  return z
    .array(item, { error })
    .min(least, { error })
    .refine((given) => new Set(given).size === given.length, {
      error: 'names the same one twice',
    })
    .meta({ 'x-type': type, uniqueItems: true });
};

/** A table of options; any other key is an error. */
export const table = <S extends z.core.$ZodLooseShape>(shape: S) => z.strictObject(shape, { error: wrong('a table') });

type Camel<K extends string> = K extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : K;
type Unbranded<V> = V extends number & z.$brand<'ms' | 'octets'> ? number : V;
type Suffix<V> = V extends z.$brand<'ms'> ? 'Ms' : V extends z.$brand<'octets'> ? 'Octets' : '';

/**
 * A table as the program reads it: `idle-timeout` is `idleTimeoutMs`, `message-size-limit` is `messageSizeLimitOctets`, and
 * `default-octets`, which says its unit already, `defaultOctets`.
 */
export type Named<S extends z.core.$ZodLooseShape> = Values<z.output<z.ZodObject<S, z.core.$strict>>>;
type Values<O> = {
  readonly [K in keyof O as K extends `${infer Head}-octets`
    ? `${Camel<Head>}Octets`
    : K extends string
      ? `${Camel<K>}${Suffix<O[K]>}`
      : never]: Unbranded<O[K]>;
};

/** Renames a checked table's keys as `Named` says, resolves its paths against `directory`, folds its domains. */
export function named<S extends z.core.$ZodLooseShape>(
  shape: S,
  values: z.output<z.ZodObject<S, z.core.$strict>>,
  directory: string,
): Named<S> {
  const renamed: Record<string, unknown> = {};
  for (const key of Object.keys(shape)) {
    const value = (values as Readonly<Record<string, unknown>>)[key];
    if (value === undefined) continue;
    const type = typeOf(shape[key] as z.ZodType);
    const camel = key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const suffix = type === 'duration' ? 'Ms' : type === 'size' && !key.endsWith('-octets') ? 'Octets' : '';
    renamed[camel + suffix] = readAs(type, value, directory);
  }
  return renamed as Named<S>; // the mapped type above says in types what this loop does
}

function readAs(type: unknown, value: unknown, directory: string): unknown {
  if (type === 'path') return resolve(directory, value as string);
  return type === 'domain' ? (value as string).toLowerCase() : value;
}

/** The `x-type` that the kind of value gave itself, below defaults and documentation. */
function typeOf(schema: z.ZodType): unknown {
  const type = schema.meta()?.['x-type'];
  if (type !== undefined) return type;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return typeOf(schema.unwrap() as z.ZodType);
  return undefined;
}

type ErrorText = (issue: { readonly input?: unknown }) => string;

function wrong(allowed: string, shown: (value: unknown) => string = show): ErrorText {
  return ({ input }) =>
    input === undefined ? `is missing: must be ${allowed}` : `${shown(input)} is not allowed: must be ${allowed}`;
}

function within(
  value: number | undefined,
  min: number,
  max: number,
  given: unknown,
  error: ErrorText,
  context: z.core.$RefinementCtx,
): number {
  if (value !== undefined && value >= min && value <= max) return value;
  context.addIssue({ code: 'custom', message: error({ input: given }), input: given });
  return z.NEVER;
}
