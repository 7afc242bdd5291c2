/**
 * What a POP3 session knows while it runs, and what follows from that alone: its language, whether it may show a password,
 * what it can do, whose credentials a command holds. Moves nothing: that is the machine's.
 */
import type { Command } from '../../protocols/pop3/command.ts';
import type { Reply } from '../../protocols/pop3/reply.ts';
import { parsePlain } from '../../protocols/sasl/plain.ts';
import type { Caller } from '../session.ts';
import { emptyMaildrop, type Maildrop } from './maildrop.ts';
import * as replies from './replies.ts';
import type { Attempt, SessionServices } from './services.ts';
import { DEFAULT_LANGUAGE, type Language, TEXTS, type Texts } from './texts.ts';

/** What all sessions of a listener have in common. */
export type Constants = {
  /** Said in the greeting and in CAPA: no spaces. */
  readonly product: string;
  readonly version: string;
  /** Stands to the right of the `@` in the greeting's timestamp (RFC 1939 §7). */
  readonly hostName: string;
  /** So many failed log-ins are answered; the next one ends the session. */
  readonly loginFailures: number;
  /** Are passwords taken without TLS too? Under it they always are (RFC 8314 §3, RFC 5034 §4). */
  readonly cleartextLogin: boolean;
  /** What the owners hold between two log-ins of an account, told by CAPA (RFC 2449 §6.5); 0: nothing. */
  readonly loginDelayMs: number;
};

export type Input = {
  readonly constants: Constants;
  readonly services: SessionServices;
  /** Unique for ever, and so is the greeting's timestamp, which is made of it (RFC 1939 §7). */
  readonly session: string;
  readonly tls: Caller['tls'];
};

export type Context = Input & {
  readonly name: string | null;
  readonly failures: number;
  readonly maildrop: Maildrop;
  readonly language: Language;
  /** The client takes UTF-8 in header sections (RFC 6856 §2.1). */
  readonly utf8: boolean;
};
export const contextOf = (input: Input): Context => ({
  ...input,
  name: null,
  failures: 0,
  maildrop: emptyMaildrop,
  language: DEFAULT_LANGUAGE,
  utf8: false,
});

export const texts = ({ language }: Context): Texts => TEXTS[language];
export const timestamp = ({ session, constants }: Input): string => `<${session}@${constants.hostName}>`;
export const mayShowPassword = ({ constants, tls }: Context): boolean => constants.cleartextLogin || tls === 'active';
/** @param stls  may it be said in this state? */
export function capabilities(context: Context, stls: boolean): Reply {
  const { product, version, loginDelayMs } = context.constants;
  const implementation = `${product}-${version}`;
  return replies.capabilities(texts(context), {
    implementation,
    cleartext: mayShowPassword(context),
    stls,
    loginDelayMs,
  });
}

/** Commands that may log in. */
type LogInCommand = Extract<Command, { type: 'PASS' | 'APOP' | 'AUTH' | 'response' }>;

export function credentials(context: Context, event: LogInCommand): Attempt {
  switch (event.type) {
    case 'PASS':
      return { name: context.name!, proof: { mechanism: 'PLAIN', secret: event.secret }, mechanism: 'PASS' };
    case 'APOP':
      return {
        name: event.name,
        proof: { mechanism: 'APOP', timestamp: timestamp(context), digest: event.digest },
        mechanism: 'APOP',
      };
    case 'AUTH':
    case 'response': {
      const message = event.type === 'AUTH' ? event.initial : event.response;
      const { authorizationId, authenticationId, secret } = parsePlain(message!)!; // a guard let it through
      const proof = { mechanism: 'PLAIN', secret } as const;
      return { name: authenticationId, proof, mechanism: 'PLAIN', ...(authorizationId !== '' && { authorizationId }) };
    }
  }
}
