/**
 * Tickets: what an authenticator vouches for, as a JWT (RFC 7519) signed with the cluster's ticket key.
 *
 * One algorithm, one type, one audience, pinned here: what the text itself says of them is only compared (RFC 8725 §3.1,
 * §3.11, §3.9). Whoever holds a ticket may show it; so it names its session, opens no other, and is never logged.
 */
import { webcrypto } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../kernel/clock.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import type { Service } from './directory/account.ts';

/**
 * Read and empty the account's maildrop; work in mailboxes, as far as the account's rights on them go; the same on a mailHost
 * that is not the account's own, or with every right there is; deliver to any account of the mailHost; change the password.
 */
export type Right = 'maildrop' | 'mailboxes' | 'guest' | 'administer' | 'deliver' | 'change-password';

export type TicketHolder = {
  readonly account: string;
  /** The account's identity, which a later account of the same name does not have. */
  readonly accountId: string;
  readonly service: Exclude<Service, 'DEFAULT'>;
  readonly credentialRevision: number;
};

export type TicketClaims = {
  /** The session it was made for; it opens no other. */
  readonly session: string;
  readonly mailHost: string;
  readonly rights: readonly Right[];
  /** Whose, and by which credential; null in a ticket for delivery, which is about no one account. */
  readonly holder: TicketHolder | null;
  /** Milliseconds of wall time. */
  readonly expiresAtMs: number;
};

export type Tickets = {
  signTicket(claims: TicketClaims): Promise<string>;
  /** The claims of a ticket that this cluster signed and that has not expired. Never throws on its input. */
  verifyTicket(text: string): Promise<Result<TicketClaims, 'ticket-refused'>>;
  /** The same, expired or not: for a caller whose own record decides. */
  readTicket(text: string): Promise<Result<TicketClaims, 'ticket-refused'>>;
};

const ALGORITHM = 'HS256';
const TYPE = 'homing-ticket+jwt';
const AUDIENCE = 'homing';

/** @param key  `ClusterKeys.tickets`; imported once, here */
export async function createTickets(key: Uint8Array, clock: Clock): Promise<Tickets> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await webcrypto.subtle.importKey('raw', new Uint8Array(key), algorithm, false, ['sign', 'verify']);

  const read = async (text: string, currentDate: Date): Promise<Result<TicketClaims, 'ticket-refused'>> => {
    if (typeof text !== 'string') return refuse('ticket-refused'); // it came over the bus, where types are a promise
    try {
      const { payload } = await jwtVerify(text, imported, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate,
      });
      const claims = claimsOf(payload);
      return claims === undefined ? refuse('ticket-refused') : accept(claims);
    } catch (error) {
      if (error instanceof errors.JOSEError) return refuse('ticket-refused');
      throw error;
    }
  };

  return {
    signTicket: ({ session, mailHost, rights, holder, expiresAtMs }) =>
      new SignJWT({ session, mailHost, rights: [...rights], holder })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setAudience(AUDIENCE)
        .setExpirationTime(expiresAtMs / 1000) // NumericDate, in seconds, fractions allowed: RFC 7519 §2
        .sign(imported),
    verifyTicket: (text) => read(text, new Date(clock.wall())),
    readTicket: (text) => read(text, new Date(0)),
  };
}

/** Signed by us, but perhaps by another version of us: the shape is checked all the same. */
function claimsOf(payload: Readonly<Record<string, unknown>>): TicketClaims | undefined {
  const { session, mailHost, rights, exp } = payload;
  const holder = payload.holder === null ? null : holderOf(payload.holder);
  if (typeof session !== 'string' || typeof mailHost !== 'string' || typeof exp !== 'number') return undefined;
  if (holder === undefined || !Array.isArray(rights) || !rights.every(isRight)) return undefined;
  return { session, mailHost, rights, holder, expiresAtMs: Math.round(exp * 1000) };
}

function holderOf(claim: unknown): TicketHolder | undefined {
  if (typeof claim !== 'object' || claim === null) return undefined;
  const { account, accountId, service, credentialRevision } = claim as Readonly<Record<string, unknown>>;
  if (typeof account !== 'string' || typeof accountId !== 'string' || !isService(service)) return undefined;
  if (typeof credentialRevision !== 'number') return undefined;
  return { account, accountId, service, credentialRevision };
}

const RIGHTS: readonly unknown[] = [
  'maildrop',
  'mailboxes',
  'guest',
  'administer',
  'deliver',
  'change-password',
] satisfies Right[];
const isRight = (claim: unknown): claim is Right => RIGHTS.includes(claim);

const isService = (claim: unknown): claim is TicketHolder['service'] =>
  claim === 'POP' || claim === 'IMAP' || claim === 'PWD';
