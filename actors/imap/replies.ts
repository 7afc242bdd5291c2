/**
 * What an IMAP session says of itself, and the one place where refusals become words and response codes (RFC 9051 §7.1, RFC
 * 5530 §3). No text names a host, a path or whether a user exists.
 */
import type { Malformation } from '../../protocols/imap/command.ts';
import { bad, no, ok, type Response, untagged } from '../../protocols/imap/response.ts';
import type { ResponseCode } from '../../protocols/imap/response-code.ts';
import type { SessionEditRefusal } from '../mailbox-owner/mailbox-requests.ts';
import type { SessionRefusal } from '../mailbox-session.ts';
import type { StopReason } from '../session.ts';
import type { NameRefusal } from './names.ts';
import { type Ending, type Outcome, refused } from './outcome.ts';
import type { LogInRefusal } from './services.ts';

export const greeting = (product: string, capabilities: readonly string[]): Response =>
  untagged('OK', `${product} IMAP4 server ready`, { code: 'CAPABILITY', capabilities });

export const tagged = (tag: string, { status, text, code }: Ending): Response => ({
  type: 'status',
  tag,
  status,
  code,
  text,
});

/** All that answers one command, in order. */
export const together = (...responses: readonly Response[]): Response => ({ type: 'batch', responses });

export const goOn: Response = { type: 'continue', text: 'go on' };
/** An empty challenge asks for the response that the mechanism begins with (RFC 9051 §6.2.2). */
export const challenge: Response = { type: 'challenge', octets: new Uint8Array(0) };
export const idling: Response = { type: 'continue', text: 'idling' };
export const stillHere = untagged('OK', 'still here');

export const capabilityListing = (tag: string, capabilities: readonly string[]): Response =>
  together({ type: 'CAPABILITY', capabilities }, ok(tag, 'CAPABILITY completed'));
export const identified = (tag: string, name: string, version: string): Response =>
  together({ type: 'ID', fields: Object.entries({ name, version }) }, ok(tag, 'ID completed'));
export const completed = (tag: string, command: string): Response => ok(tag, `${command} completed`);

export const loggedIn = (tag: string, capabilities: readonly string[]): Response =>
  ok(tag, 'logged in', { code: 'CAPABILITY', capabilities });
export const cleartextRefused = (tag: string): Response =>
  no(tag, 'passwords are taken under TLS only', 'PRIVACYREQUIRED'); // RFC 5530 §3
export const noSuchMechanism = (tag: string): Response => no(tag, 'no such mechanism here', 'CANNOT');
export const noSuchCompression = (tag: string): Response => bad(tag, 'DEFLATE is the only one'); // RFC 4978 §3
export const compressedAlready = (tag: string): Response => no(tag, 'DEFLATE is active already', 'COMPRESSIONACTIVE');
export const compressing = (tag: string): Response => ok(tag, 'DEFLATE active');
export const exchangeCancelled = (tag: string): Response => bad(tag, 'authentication cancelled'); // RFC 9051 §6.2.2
export const notAPlainMessage = (tag: string): Response => bad(tag, 'not a message of PLAIN');
export const tooManyFailures = (tag: string): Response =>
  together(
    untagged('BYE', 'too many failed log-ins'),
    no(tag, 'too many failed log-ins', 'AUTHENTICATIONFAILED'), // as at LOGOUT the goodbye comes first: RFC 9051 §6.1.3
  );

export const beginTls = (tag: string): Response => ok(tag, 'begin TLS negotiation');
export const noStartTls = (tag: string, isActive: boolean): Response =>
  bad(tag, isActive ? 'TLS is active already' : 'no TLS here');

/** RFC 9051 §6.1.3. */
export const loggedOut = (tag: string): Response => together(untagged('BYE', 'goodbye'), ok(tag, 'LOGOUT completed'));

export const malformed = (tag: string | undefined, reason: Malformation): Response =>
  tag === undefined ? untagged('BAD', reason) : bad(tag, reason);
/** A command in a state that it is not for (RFC 9051 §3). */
export const outOfPlace = (
  event: { readonly type: string },
  why: 'not allowed now' | 'log in first' | 'select a mailbox first',
): Response =>
  'tag' in event && typeof event.tag === 'string' ? bad(event.tag, `${event.type}: ${why}`) : untagged('BAD', why);

export const idleDone: Ending = { status: 'OK', text: 'IDLE terminated' };
export const idleBroken = (reason: Malformation): Ending => ({ status: 'BAD', text: reason });

/** The session can't go on: what was to be told may be lost, so that the client's view would be wrong. */
export const broken = untagged('BYE', 'temporary failure, come again', 'UNAVAILABLE');
const FAULT = 'something broke here';
export const fault: Outcome = refused(FAULT, 'SERVERBUG');
export const faultAt = (tag: string): Response => no(tag, FAULT, 'SERVERBUG');

export function goodbye(reason: StopReason): Response {
  switch (reason) {
    case 'idle':
      return untagged('BYE', 'autologout: idle for too long'); // RFC 9051 §5.4
    case 'no-log-in':
      return untagged('BYE', 'autologout: no log-in');
    case 'shutdown':
      return untagged('BYE', 'this server is going down, come again', 'UNAVAILABLE');
    case 'kicked':
      return untagged('BYE', 'session ended by the administrator');
  }
}

export function notLoggedIn(tag: string, refusal: LogInRefusal): Response {
  switch (refusal) {
    case 'bad-credentials':
      return no(tag, 'wrong name or password', 'AUTHENTICATIONFAILED'); // the same for a user who does not exist: I-40
    case 'too-many-sessions':
      return no(tag, 'too many sessions of this account', 'LIMIT');
    case 'unavailable':
      return no(tag, UNAVAILABLE.text, 'UNAVAILABLE');
    case 'broken':
      return no(tag, 'the mailboxes cannot be opened, ask your administrator', 'CONTACTADMIN');
  }
}

const UNAVAILABLE = { text: 'temporary failure, try again later', code: 'UNAVAILABLE' } as const;

/** What owners and names refuse, for any command. */
export type Refusal =
  | NameRefusal
  | SessionRefusal
  | SessionEditRefusal
  | 'over-quota'
  | 'too-large'
  | 'too-many-keywords'
  | 'no-such-destination'
  | 'gone'
  | 'stage-missing'
  | 'bad-program'
  | 'full';

const WORDS: Readonly<Record<Refusal, { readonly text: string; readonly code?: ResponseCode }>> = {
  'bad-name': { text: 'no mailbox can have that name', code: 'CANNOT' },
  'no-such-mailbox': { text: 'no such mailbox', code: 'NONEXISTENT' },
  'no-such-destination': { text: 'no such mailbox', code: 'TRYCREATE' }, // RFC 9051 §6.4.7
  gone: { text: 'some of the messages no longer exist', code: 'EXPUNGEISSUED' }, // RFC 2180 §4
  'no-permission': { text: 'not permitted', code: 'NOPERM' },
  exists: { text: 'the mailbox exists already', code: 'ALREADYEXISTS' },
  'is-inbox': { text: 'not with INBOX', code: 'CANNOT' }, // RFC 9051 §6.3.5
  'below-itself': { text: 'a mailbox cannot become its own inferior', code: 'CANNOT' },
  'too-many': { text: 'too many mailboxes, rights or annotations', code: 'LIMIT' },
  'too-many-keywords': { text: 'too many keywords in the mailbox', code: 'LIMIT' },
  'bad-rights': { text: 'no such right or identifier' },
  'bad-special-use': { text: 'no mailbox can have that use', code: 'USEATTR' }, // RFC 6154 §3
  'too-large': { text: 'too large', code: 'TOOBIG' }, // RFC 7889 §4
  'over-quota': { text: 'Over quota', code: 'OVERQUOTA' }, // RFC 9208 §4.3; the words: I-28
  'bad-program': { text: 'too complex to be looked for', code: 'LIMIT' },
  'stage-missing': UNAVAILABLE,
  full: UNAVAILABLE,
  unavailable: UNAVAILABLE,
  ended: UNAVAILABLE,
};

/** @param code  in place of the usual one, such as TRYCREATE */
export const refusal = (refusal: Refusal, code?: ResponseCode): Outcome =>
  refused(WORDS[refusal].text, code ?? WORDS[refusal].code);
