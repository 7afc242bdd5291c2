/**
 * The log's last line of defence: fields made fit to be written. Secrets are masked by the name of their field, octets
 * are counted and not shown, size and depth are bounded, and nothing thrown by a value gets out.
 *
 * It does not excuse a caller who logs a secret (telemetry/log.ts): it can't know one under an innocent name.
 */
import type { Fields } from './log.ts';

export const MASK = '[masked]';

/** Fields whose name ends so, in any spelling of words: `newSecret`, `old_password`, `NATS-TOKEN`. */
const SECRET_NAME =
  /(secret|secrets|password|passwords|passwd|passphrase|token|tokens|ticket|tickets|digest|digests|proof|plain|plaintext|storedkey|serverkey|privatekey|clusterkey|authorization)$/;

/** The longest account name (RFC 5321 §4.5.3.1), and so all that a log keeps of what a client gave for one. */
const MAX_NAME = 64 + 1 + 255;

/** A client's name for itself, cut to what an account's may have: it may be as long as a line, and name nobody. */
export const cutName = (name: string): string =>
  name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}... (${name.length} characters)` : name;

const MAX_DEPTH = 6;
const MAX_TEXT = 4096;
const MAX_ENTRIES = 100;

/** A copy of `fields` in which every value is plain, bounded and free of fields that are named like a secret. */
export function redact(fields: Fields): Record<string, unknown> {
  return record(fields, MAX_DEPTH);
}

function record(source: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  let keys: readonly string[];
  try {
    keys = Object.keys(source);
  } catch {
    return { unreadable: true }; // a proxy's trap threw; the log must not
  }
  for (const key of keys.slice(0, MAX_ENTRIES)) setOwn(copy, key, isSecretName(key) ? MASK : read(source, key, depth));
  if (keys.length > MAX_ENTRIES) copy['...'] = `${keys.length - MAX_ENTRIES} more`;
  return copy;
}

export const isSecretName = (key: string): boolean => SECRET_NAME.test(key.replace(/[^A-Za-z0-9]/g, '').toLowerCase());

/** Assignment would call the setter of `__proto__`. */
const setOwn = (copy: object, key: string, value: unknown) =>
  Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });

function read(source: object, key: string, depth: number): unknown {
  try {
    return plain((source as Record<string, unknown>)[key], depth - 1);
  } catch {
    return '[unreadable]'; // a getter threw; the log must not
  }
}

function plain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}... (${value.length} characters)` : value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      return value === null ? null : plainObject(value, depth);
    case 'bigint':
    case 'symbol':
      return String(value);
    default:
      return `[${typeof value}]`;
  }
}

function plainObject(value: object, depth: number): unknown {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} octets]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (depth <= 0) return '[deeper]';
  if (value instanceof Error) return errorFields(value, depth);
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
  if (!Array.isArray(value)) return record(value, depth);
  const shown = value.slice(0, MAX_ENTRIES).map((entry) => plain(entry, depth - 1));
  return value.length > MAX_ENTRIES ? [...shown, `${value.length - MAX_ENTRIES} more`] : shown;
}

/** What an error is made of; properties that libraries hang on it may hold whole requests, and stay behind. */
function errorFields(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException;
  return {
    name: plain(error.name, depth),
    message: plain(error.message, depth),
    ...(code !== undefined && { code: plain(code, depth - 1) }),
    stack: plain(error.stack, depth),
    ...(error.cause !== undefined && { cause: plain(error.cause, depth - 1) }),
  };
}
