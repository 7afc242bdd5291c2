/**
 * The SASL mechanism PLAIN (RFC 4616): one message from the client, and nothing to answer. Pure; knows no protocol that
 * carries it and no account. What is wrong with a message is not told, since it may hold a secret.
 */
import { utf8 } from '../wire/text.ts';

export type PlainMessage = {
  /** Who the client wishes to act as; '' leaves that to the server (RFC 4616 §2). */
  readonly authorizationId: string;
  /** Whose password it is. */
  readonly authenticationId: string;
  readonly secret: string;
};

/** `message = [authzid] NUL authcid NUL passwd` in UTF-8, the last two not empty; undefined for anything else. */
export function parsePlain(message: Uint8Array): PlainMessage | undefined {
  const parts = utf8(message)?.split('\0') ?? [];
  const [authorizationId, authenticationId, secret] = parts;
  if (parts.length !== 3 || !authenticationId || !secret) return undefined;
  return { authorizationId: authorizationId!, authenticationId, secret };
}

/** The message as a client sends it. */
export const plainMessage = ({ authorizationId, authenticationId, secret }: PlainMessage): Uint8Array =>
  Buffer.from(`${authorizationId}\0${authenticationId}\0${secret}`, 'utf8');
