/**
 * A poppwd session's services over the bus. Logging in ends with the last look at the directory (grant.ts); a change is
 * asked for once and never repeated: where its answer is lost, the user is told that nobody knows.
 */
import { BusError } from '../../cluster/bus/bus.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { AccountSessions } from '../account-sessions.ts';
import { grantFault, refusalOf } from '../authenticator/grant.ts';
import type { ChangePasswordAnswer, ChangePasswordRequest, Verified } from '../authenticator/requests.ts';
import type { Changed, Credentials, LogIn, Services, SessionServices } from '../poppwd/services.ts';
import type { Caller } from '../session.ts';
import { type Front, verify } from './front.ts';

/**
 * @param changeTimeoutMs  longer than a change can take: its commit, and the wait until no node takes the old password
 * @param accountSessions  those of all protocols on this node
 */
export const poppwdServices = (
  front: Front,
  changeTimeoutMs: number,
  accountSessions: AccountSessions = new AccountSessions(0),
): Services => ({
  begin: (caller) => new PoppwdSession(front, changeTimeoutMs, accountSessions, caller),
});

class PoppwdSession implements SessionServices {
  readonly #front: Front;
  readonly #changeTimeoutMs: number;
  readonly #caller: Caller;
  readonly #accountSessions: AccountSessions;
  #verified: Verified | undefined;
  /** Log-ins and changes so far: names each. */
  #asked = 0;

  constructor(front: Front, changeTimeoutMs: number, accountSessions: AccountSessions, caller: Caller) {
    this.#accountSessions = accountSessions;
    this.#front = front;
    this.#changeTimeoutMs = changeTimeoutMs;
    this.#caller = caller;
  }

  async logIn({ name, secret }: Credentials, signal: AbortSignal): Promise<LogIn> {
    const { directory, freshenTimeoutMs, log } = this.#front;
    this.leave();
    const session = this.#nextId();
    const proof = { mechanism: 'PLAIN', secret } as const;
    const answer = await verify(this.#front, { service: 'PWD', name, proof, session }, signal);
    if (answer === undefined) return refuse('unavailable');
    if (!answer.ok) return answer;
    if (!directory.isFresh()) await directory.freshen(freshenTimeoutMs);
    const fault = grantFault(directory, 'PWD', answer.value); // nothing is awaited after it
    const { account, accountId } = answer.value;
    if (fault !== undefined) {
      log.info('log-in refused at the last look', { account, session, fault });
      return { ...refuse(refusalOf(fault)), reason: fault };
    }
    if (!this.#accountSessions.enter(accountId)) return refuse('too-many-sessions');
    this.#verified = answer.value;
    return accept({ account, accountId });
  }

  leave(): void {
    if (this.#verified !== undefined) this.#accountSessions.leave(this.#verified.accountId);
    this.#verified = undefined;
  }

  /** Not broken off when the client leaves: what it asked for is done or refused, not half of either. */
  async changePassword(newSecret: string): Promise<Changed> {
    if (this.#verified === undefined) throw new Error('nobody is logged in');
    const { account, version, ticket } = this.#verified;
    const request: ChangePasswordRequest = { account, version, ticket, newSecret, operation: this.#nextId() };
    const { bus, subjects, log, statistics } = this.#front;
    try {
      const options = { timeoutMs: this.#changeTimeoutMs };
      const answer = (await bus.ask(subjects.auth('change-password'), request, options)) as ChangePasswordAnswer;
      statistics?.of('poppwd').did(answer.ok ? 'passwords-changed' : 'passwords-refused');
      return answer;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      log.warn('no answer about a changed password', { account, session: request.operation, failure: error.failure });
      return refuse(error.failure === 'no-responders' ? 'unavailable' : 'unknown'); // only then has nobody heard it
    }
  }

  #nextId(): string {
    return `${this.#caller.session}.${++this.#asked}`;
  }
}
