/** Every text that an LMTP client reads. The only file here that turns refusals into codes and words (RFC 5321 §4.2, RFC 3463). */
import type { Command } from '../../protocols/lmtp/command.ts';
import { type Reply, reply } from '../../protocols/lmtp/reply.ts';
import type { RecipientRefusal } from '../authenticator/requests.ts';
import type { Caller, StopReason } from '../session.ts';
import type { ContentRefusal } from './screen.ts';
import type { DeliveryRefusal, Outcome } from './services.ts';

/** RFC 2034 §4: neither the greeting, nor LHLO's answer, nor a 354 carries an enhanced code. */
const plain = (code: number, ...lines: readonly string[]): Reply => ({ code, lines });

export const greeting = (hostName: string, product: string): Reply =>
  plain(220, `${hostName} ${product} LMTP server ready`);

export type Offer = { readonly hostName: string; readonly maxOctets: number; readonly startTls: boolean };

/**
 * RFC 2033 §5 demands the first two; SIZE: RFC 1870 §4; 8BITMIME: RFC 6152 §2; SMTPUTF8: RFC 6531 §3.1; CHUNKING: RFC 3030
 * §2, without BINARYMIME (docs/lmtp.md); STARTTLS never under TLS: RFC 3207 §4.2.
 */
export const hello = ({ hostName, maxOctets, startTls }: Offer): Reply =>
  plain(
    250,
    hostName,
    'PIPELINING',
    'ENHANCEDSTATUSCODES',
    `SIZE ${maxOctets}`,
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    ...(startTls ? ['STARTTLS'] : []),
  );

export const senderOk = reply(250, '2.1.0', 'sender ok');
export const recipientOk = reply(250, '2.1.5', 'recipient ok');
export const goAhead = plain(354, 'start mail input; end with <CRLF>.<CRLF>');
export const chunkTaken = (octets: number): Reply => reply(250, '2.0.0', `${octets} octets received`); // RFC 3030 §2
export const flushed = reply(250, '2.0.0', 'flushed');
export const noop = reply(250, '2.0.0', 'ok');
export const beginTls = reply(220, '2.0.0', 'go ahead with TLS'); // RFC 3207 §4
export const cannotVerify = reply(252, '2.0.0', 'send some mail, it will be tried'); // RFC 5321 §3.5.3
export const bye = (hostName: string): Reply => reply(221, '2.0.0', `${hostName} closing connection`);

export const helloFirst = reply(503, '5.5.1', 'LHLO first');
export const notNow = reply(503, '5.5.1', 'bad sequence of commands');
/** `active` on a unix socket too, which stays in the machine. */
export const noTlsNow = (tls: Caller['tls']): Reply =>
  tls === 'active'
    ? reply(503, '5.5.1', 'this connection needs no TLS any more')
    : reply(502, '5.5.1', 'STARTTLS is not served here');
export const noRecipients = reply(503, '5.5.1', 'no valid recipients'); // RFC 2033 §4.2
export const tooManyRecipients = reply(452, '4.5.3', 'too many recipients'); // RFC 5321 §4.5.3.1.10
export const tooLarge = reply(552, '5.3.4', 'message is too large'); // RFC 1870 §6.1
export const notAscii = reply(553, '5.6.7', 'an address that is not ASCII wants SMTPUTF8 at MAIL'); // RFC 6531 §3.5
export const dataAfterBdat = reply(503, '5.5.1', 'no DATA after BDAT: RSET first'); // RFC 3030 §2
/** A fault of ours, in whichever command. */
export const fault = reply(451, '4.3.0', 'temporary failure, try again later');

export const malformed = ({ code, enhanced, reason }: Extract<Command, { type: 'malformed' }>): Reply =>
  reply(code, enhanced, reason);

/** What follows can't be told from commands, and is not looked at: the connection ends (docs/smuggling.md). */
export const lost = ({ code, enhanced, reason }: Extract<Command, { type: 'lost' }>): Reply =>
  reply(code, enhanced, `${reason}; closing connection`);

/** RFC 2033 §4.1: HELO and EHLO get 500, and no enhanced code by RFC 2034 §4. The rest is known and not served. */
export function refused({ keyword }: Extract<Command, { type: 'refused' }>): Reply {
  if (keyword === 'HELO' || keyword === 'EHLO') return plain(500, 'this is LMTP: LHLO');
  return reply(502, '5.5.1', `${keyword} is not served here`);
}

/** RFC 5321 §3.8, §4.2.3: before the house ends a session by itself. */
export function stopping(reason: StopReason, hostName: string): Reply {
  switch (reason) {
    case 'idle':
    case 'no-log-in': // never here: there is no log-in
      return reply(421, '4.4.2', `${hostName} idle for too long, closing connection`);
    case 'shutdown':
      return reply(421, '4.3.2', `${hostName} shutting down, closing connection`);
    case 'kicked':
      return reply(421, '4.3.2', `${hostName} session ended by an operator, closing connection`);
  }
}

export function notResolved(refusal: RecipientRefusal): Reply {
  switch (refusal) {
    case 'no-such-user':
      return reply(550, '5.1.1', 'no such user here');
    case 'disabled':
      return reply(550, '5.2.1', 'mailbox is disabled');
    case 'unavailable':
      return reply(451, '4.4.1', 'directory is not available, try again later');
  }
}

/** What is told of a recipient without room: that it may pass, or that it is final. */
export type OverQuota = 'temporary' | 'permanent';

/** One for each recipient, in their order (RFC 2033 §4.2). */
export const delivered = (outcomes: readonly Outcome[], overQuota: OverQuota): readonly Reply[] =>
  outcomes.map((outcome) =>
    outcome.ok
      ? reply(250, '2.0.0', `delivered ${outcome.value.mailHost}/${outcome.value.sequence}`)
      : notDelivered(outcome.refusal, overQuota),
  );

function notDelivered(refusal: DeliveryRefusal, overQuota: OverQuota): Reply {
  switch (refusal) {
    case 'over-quota':
      return overQuota === 'permanent' ? overQuotaForGood : overQuotaNow;
    case 'too-large-for-user':
      return reply(552, '5.3.4', 'message is too large for this mailbox');
    case 'full':
      return reply(452, '4.3.1', 'mail store is full, try again later');
    case 'no-such-user':
    case 'disabled':
      return notResolved(refusal);
    case 'unavailable':
      return reply(451, '4.4.1', 'mailbox is not available, try again later');
  }
}

/** RFC 3463 §3.3: x.2.2, mailbox full. */
const overQuotaNow = reply(452, '4.2.2', 'mailbox is over quota');
const overQuotaForGood = reply(552, '5.2.2', 'mailbox is over quota');

export function contentRefused(refusal: ContentRefusal): Reply {
  switch (refusal) {
    case 'too-large':
      return tooLarge;
    case 'header-too-large':
      return reply(552, '5.3.4', 'header section of the message is too large');
    case 'eight-bit-header':
      return reply(554, '5.6.0', 'message has 8-bit octets in its header');
    case 'header-not-utf8':
      return reply(554, '5.6.0', 'message has octets in its header that are not UTF-8');
    case 'bare-lf':
      return reply(554, '5.6.0', 'message has a line feed without a carriage return');
  }
}
