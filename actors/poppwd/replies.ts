/** Every text that a poppwd client reads (docs/poppwd.md). The only file here that turns refusals into words. */
import { type Reply, reply } from '../../protocols/poppwd/reply.ts';
import type { ChangePasswordRefusal } from '../authenticator/requests.ts';
import type { LogInRefusal } from './services.ts';

/** Exactly one pair of angle brackets: clients look for the timestamp between them. */
export const greeting = (constants: { product: string; version: string; hostName: string }, session: string): Reply =>
  reply(
    200,
    `${constants.product} at ${constants.hostName} PWD Server ${constants.version} ready <${session}@${constants.hostName}>`,
  );

export const sendPassword = reply(300, 'please send the PASS'); // exactly 300: some clients take nothing else
export const loggedIn = reply(200, 'login OK');
export const changed = reply(200, 'password changed'); // exactly 200: some clients refuse 201
export const bye = reply(200, 'connection closed');

export const malformed = (reason: string): Reply => reply(501, reason);
export const notInClear = reply(500, 'passwords are changed here under TLS only');
export const userFirst = reply(500, 'USER first');
export const logInFirst = reply(500, 'log in first');
export const notNow = (keyword: string): Reply => reply(500, `${keyword} is not allowed now`);
/** After a change, or one of which nothing is known: one log-in for each connection. */
export const reconnect = reply(500, 'log in again over a new connection');
export const kicked = reply(500, 'session ended by the administrator');
export const tooManyFailures = reply(515, 'too many failed logins');
export const unavailable = reply(500, 'temporary failure, try again later');

export function notLoggedIn(refusal: LogInRefusal): Reply {
  switch (refusal) {
    case 'bad-credentials':
      return reply(515, 'incorrect password or account name'); // the same for an unknown account
    case 'too-many-sessions':
      return reply(500, 'too many sessions of this account, try again later');
    case 'unavailable':
      return unavailable;
  }
}

/** Each says whether the change stands. */
export function notChanged(refusal: ChangePasswordRefusal): Reply {
  switch (refusal) {
    case 'conflict':
      return reply(500, 'not changed: the account was changed meanwhile, log in again');
    case 'not-allowed':
      return reply(500, 'not changed: this account may not change its password');
    case 'unavailable':
      return reply(500, 'not changed: temporary failure, try again later');
    case 'unknown':
      return reply(500, 'it is not known whether the password was changed: try the new password first');
  }
}
