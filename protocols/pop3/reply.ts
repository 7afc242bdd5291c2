/** POP3 replies, before they are bytes: RFC 1939 §3; response codes in brackets: RFC 2449 §8, RFC 3206; challenges: RFC 5034 §4. */
export type ResponseCode = 'ALERT' | 'AUTH' | 'IN-USE' | 'LOGIN-DELAY' | 'SYS/TEMP' | 'SYS/PERM';

export type Reply =
  | {
      readonly ok: true;
      readonly text: string;
      /** A multi-line reply of text lines without their CRLF. */
      readonly lines?: Iterable<string>;
      /** A multi-line reply that is a message, octets as stored; the encoder dot-stuffs and ends it. */
      readonly body?: AsyncIterable<Uint8Array>;
    }
  | { readonly ok: false; readonly text: string; readonly code?: ResponseCode }
  /** Neither yes nor no: a SASL challenge, which may be empty. */
  | { readonly ok: null; readonly challenge: Uint8Array };

export const ok = (
  text: string,
  extra: { readonly lines?: Iterable<string>; readonly body?: AsyncIterable<Uint8Array> } = {},
): Reply => ({ ok: true, text, ...extra });

export const err = (text: string, code?: ResponseCode): Reply =>
  code === undefined ? { ok: false, text } : { ok: false, text, code };

export const challenge = (octets: Uint8Array): Reply => ({ ok: null, challenge: octets });
