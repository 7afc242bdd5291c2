/**
 * What a poppwd session asks of the house. Whoever composes the node implements it over the bus; the machine knows only
 * these words. A rejected promise is a fault: logged, and answered as if nothing were known.
 */
import type { Result } from '../../kernel/result.ts';
import type { ChangePasswordRefusal, VerifyRefusal } from '../authenticator/requests.ts';
import type { Caller } from '../session.ts';

export type Services = {
  /** One object for each session, made when it begins; told nothing of its end. */
  begin(caller: Caller): SessionServices;
};

export type SessionServices = {
  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn>;
  /**
   * Changes the password of the account that logged in last, if nothing else has changed it since. Accepted: no node
   * takes the old password any more. Go on when the signal is aborted: a client may close without waiting.
   */
  changePassword(newSecret: string, signal: AbortSignal): Promise<Changed>;
};

export type Credentials = { readonly name: string; readonly secret: string };
export type LogIn = Result<null, VerifyRefusal>;
export type Changed = Result<null, ChangePasswordRefusal>;
