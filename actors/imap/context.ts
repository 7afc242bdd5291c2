/**
 * What all IMAP sessions of a listener have in common, what the machine keeps of one, and whose credentials a command holds.
 * Moves nothing: that is the machine's.
 */
import type { CommandOf } from '../../protocols/imap/command.ts';
import { parsePlain } from '../../protocols/sasl/plain.ts';
import type { Caller } from '../session.ts';
import type { ImapSession } from './imap-session.ts';
import type { Appending, Ending, Outcome } from './outcome.ts';
import type { Attempt } from './services.ts';

export type Constants = {
  /** Said in the greeting and by ID: no spaces. */
  readonly product: string;
  readonly version: string;
  /** Where a bare account name belongs. */
  readonly defaultDomain: string;
  /** The first level below which a domain's shared mailboxes are kept by delivery: the local part of their account. */
  readonly sharedName: string;
  /** So many failed log-ins are answered; the next one ends the session. */
  readonly loginFailures: number;
  /** Are passwords taken without TLS too? Under it they always are (RFC 8314 §3). */
  readonly cleartextLogin: boolean;
  /** How long an IDLE may be silent before it is told that the server is still there; 0: never. */
  readonly idleKeepaliveMs: number;
  /** May users see their quota? Administrators always may. */
  readonly quotaVisible: boolean;
  /** The largest message that APPEND takes, in octets; 0: any (RFC 7889). */
  readonly appendLimitOctets: number;
};

export type Input = {
  readonly constants: Constants;
  readonly session: ImapSession;
  readonly tls: Caller['tls'];
};

export type Context = Input & {
  readonly failures: number;
  /** RFC 4978: by COMPRESS. */
  readonly isCompressed: boolean;
  /** The tag of the command under way. */
  readonly tag: string;
  /** How the IDLE under way will have ended. */
  readonly idleEnding: Ending | undefined;
  readonly append: Append;
};

/** The APPEND under way. */
export type Append = {
  readonly appending?: Appending;
  /** Does the client wait for a continuation request before the message that was announced? */
  readonly isAwaiting: boolean;
  /** A message was refused after its octets had begun to come. */
  readonly refused?: Outcome;
};
export const NO_APPEND: Append = { isAwaiting: false };

export const contextOf = (input: Input): Context => ({
  ...input,
  failures: 0,
  isCompressed: false,
  tag: '',
  idleEnding: undefined,
  append: NO_APPEND,
});

export const mayShowPassword = ({ constants, tls }: Pick<Context, 'constants' | 'tls'>): boolean =>
  constants.cleartextLogin || tls === 'active';

/** Commands that may log in. */
type LogInCommand = CommandOf<'LOGIN' | 'AUTHENTICATE' | 'response'>;

export function credentials(event: LogInCommand): Attempt {
  if (event.type === 'LOGIN') {
    const { name, secret } = event;
    return { name, proof: { mechanism: 'PLAIN', secret }, mechanism: 'LOGIN' };
  }
  const message = event.type === 'AUTHENTICATE' ? event.initial : event.response;
  const { authorizationId, authenticationId, secret } = parsePlain(message!)!; // a guard let it through
  const proof = { mechanism: 'PLAIN', secret } as const;
  return { name: authenticationId, proof, mechanism: 'PLAIN', ...(authorizationId !== '' && { authorizationId }) };
}
