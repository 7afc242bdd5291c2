/** Who the client is and what it can do: AUTHENTICATE, LOGIN (RFC 9051 §6.2), ENABLE (RFC 5161), ID (RFC 2971), COMPRESS (RFC 4978). */
import { fromBase64 } from '../sasl/base64.ts';
import { nameOrSecret, trimmedEnd } from '../wire/text.ts';
import type { Command, CommandOf, Verb } from './command.ts';
import { type Cursor, octetsOf } from './cursor.ts';

/** RFC 2971 §3.3: 30 pairs, fields of 30 octets, values of 1024. */
const MAX_ID_PAIRS = 30;
const MAX_ID_FIELD_OCTETS = 30;
const MAX_ID_VALUE_OCTETS = 1024;

/** `"AUTHENTICATE" SP auth-type [SP initial-resp]`; `=` is an empty response (RFC 9051 §6.2.2, RFC 4959 §3). */
export function parseAuthenticate(cursor: Cursor): Verb | undefined {
  const mechanism = cursor.word();
  if (mechanism === undefined) return undefined;
  if (!/^[A-Z0-9_-]{1,20}$/.test(mechanism)) return cursor.fail('no such mechanism can be'); // RFC 4422 §3.1
  const auth = { type: 'AUTHENTICATE', mechanism } as const;
  if (cursor.isAtEnd) return auth;
  if (!cursor.space()) return undefined;
  const word = cursor.atom();
  if (word === undefined) return undefined;
  const initial = word === '=' ? new Uint8Array(0) : fromBase64(word);
  return initial === undefined ? cursor.fail('not base64') : { ...auth, initial };
}

/** A client's response to a challenge: base64, or `*`, which cancels (RFC 9051 §6.2.2). */
export function parseResponse(line: string): Command {
  const text = trimmedEnd(line);
  if (text === '*') return { type: 'cancel' };
  const response = fromBase64(text);
  return response === undefined ? { type: 'malformed', reason: 'not base64' } : { type: 'response', response };
}

/** `"LOGIN" SP userid SP password`, both astrings (RFC 9051 §6.2.3), in UTF-8. */
export function parseLogin(cursor: Cursor): Verb | undefined {
  const name = cursor.text();
  if (name === undefined || !cursor.space()) return undefined;
  const secret = cursor.text();
  return secret === undefined ? undefined : { type: 'LOGIN', name, secret };
}

/** `"ENABLE" 1*(SP capability)` (RFC 5161 §4). */
export function parseEnable(cursor: Cursor): Verb | undefined {
  const capabilities: string[] = [];
  do {
    const capability = cursor.word();
    if (capability === undefined) return undefined;
    capabilities.push(capability);
  } while (!cursor.isAtEnd && cursor.takes(' '));
  return { type: 'ENABLE', capabilities };
}

/** `"ID" SP ( "(" *(string SP nstring) ")" / nil )` (RFC 2971 §4). */
export function parseId(cursor: Cursor): Verb | undefined {
  if (cursor.takes('NIL')) return { type: 'ID', fields: null };
  const pair = (): readonly [string, string | null] | undefined => {
    const field = cursor.string();
    if (field === undefined || !cursor.space()) return undefined;
    const value = cursor.nstring();
    if (value === undefined) return undefined;
    if (field.length > MAX_ID_FIELD_OCTETS || (value ?? '').length > MAX_ID_VALUE_OCTETS) {
      return cursor.fail('too many octets in a string');
    }
    return [nameOrSecret(octetsOf(field)), value === null ? null : nameOrSecret(octetsOf(value))];
  };
  const fields = cursor.list(pair, { mayBeEmpty: true, most: MAX_ID_PAIRS });
  return fields && ({ type: 'ID', fields } satisfies Omit<CommandOf<'ID'>, 'tag'>);
}

/** `"COMPRESS" SP algorithm` (RFC 4978 §5). */
export function parseCompress(cursor: Cursor): Verb | undefined {
  const mechanism = cursor.word();
  return mechanism === undefined ? undefined : { type: 'COMPRESS', mechanism };
}
