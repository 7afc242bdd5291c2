/**
 * What a poppwd session asks of the house. Whoever composes the node implements it over the bus; the machine knows only
 * these words. A rejected promise is a fault: logged, and answered as if nothing were known.
 */
import type { Result } from '../../kernel/result.ts';
import type { ChangePasswordRefusal, VerifyRefusal } from '../authenticator/requests.ts';
import type { Answer, Identity } from '../log-ins.ts';
import type { Caller } from '../session.ts';

export type Services = {
  /** One object for each session, made when it begins. */
  begin(caller: Caller): SessionServices;
};

export type SessionServices = {
  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn>;
  /**
   * Changes the password of the account that logged in last, if nothing else has changed it since. Accepted: no node
   * takes the old password any more. Go on when the signal is aborted: a client may close without waiting.
   */
  changePassword(newSecret: string, signal: AbortSignal): Promise<Changed>;
  /** Called at most once and last, when a log-in succeeded: the session is over. */
  leave(): void;
};

export type Credentials = { readonly name: string; readonly secret: string };
/** `too-many-sessions`: the password was right, and the account has as many on this node as it may have. */
export type LogInRefusal = VerifyRefusal | 'too-many-sessions';
export type LogIn = Answer<Identity, LogInRefusal>;
export type Changed = Result<null, ChangePasswordRefusal>;
