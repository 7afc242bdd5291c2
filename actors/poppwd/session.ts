/** poppwd as a listener knows it: joins the machine to its codec and to the services that the node provides. */
import { fromPromise } from 'xstate';
import { refuse } from '../../kernel/result.ts';
import { PoppwdDecoder } from '../../protocols/poppwd/decoder.ts';
import { poppwdEncoder } from '../../protocols/poppwd/encoder.ts';
import type { ConnectionLog } from '../../telemetry/connection-log.ts';
import type { Log } from '../../telemetry/log.ts';
import { cutName } from '../../telemetry/redact.ts';
import { canonicalName } from '../authenticator/names.ts';
import { Calls } from '../calls.ts';
import { LogIns } from '../log-ins.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { SessionSystem } from '../session-system.ts';
import type { FailedLogIns } from './failed-log-ins.ts';
import { type Constants, poppwdMachine } from './machine.ts';
import type { Changed, Credentials, LogIn, Services, SessionServices } from './services.ts';

export type PoppwdOptions = Constants & {
  readonly services: Services;
  /** Those of all listeners; absent: as many as there may be. */
  readonly failedLogIns?: FailedLogIns | undefined;
  /** Where a bare name belongs. */
  readonly defaultDomain: string;
  readonly connectionLog: ConnectionLog;
  readonly log: Log;
};

export function poppwdProtocol(options: PoppwdOptions): Protocol {
  const { services, connectionLog, failedLogIns, defaultDomain, log, ...constants } = options;
  const system = new SessionSystem();
  return {
    name: 'poppwd',
    tooManyConnections: Buffer.from('500 too many connections, try again later\r\n'),
    tooManyFromAddress: Buffer.from('500 too many connections from your address, try again later\r\n'),
    begin(caller: Caller): Session {
      const { session, tls } = caller;
      const logIns = new LogIns(connectionLog.begin(caller, 'poppwd'));
      const parts = { services: services.begin(caller), logIns, session, failedLogIns, defaultDomain, log };
      const held = new PasswordSession(parts);
      const input = { constants, services: held, session, tls };
      return system.begin(machine, input, { decoder: new PoppwdDecoder(), encoder: poppwdEncoder, held });
    },
  };
}

/** One object for all sessions; what differs between them is in their input. */
const machine = poppwdMachine.provide({
  actors: {
    logIn: fromPromise(({ input: { services, name, secret }, signal }) => services.logIn({ name, secret }, signal)),
    changePassword: fromPromise(({ input, signal }) => input.services.changePassword(input.newSecret, signal)),
  },
});

type Parts = Pick<PoppwdOptions, 'failedLogIns' | 'defaultDomain' | 'log'> & {
  readonly services: SessionServices;
  readonly logIns: LogIns;
  readonly session: string;
};

/** The services, with an eye on who is logged in, and on how often that failed. */
class PasswordSession implements Omit<SessionServices, 'leave'> {
  readonly logIns: LogIns;
  readonly #parts: Parts;
  readonly #calls: Calls;
  #isLoggedIn = false;

  constructor(parts: Parts) {
    this.logIns = parts.logIns;
    this.#parts = parts;
    this.#calls = new Calls(parts.session, parts.log);
  }

  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn> {
    return this.logIns.attempt({ name: credentials.name, mechanism: 'PASS' }, signal, () =>
      this.#calls.call('login', () => this.#logIn(credentials, signal)),
    );
  }

  async #logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn> {
    const { services, failedLogIns, defaultDomain } = this.#parts;
    const account = cutName(canonicalName(credentials.name, defaultDomain));
    const attempt = failedLogIns?.begin(account);
    if (failedLogIns !== undefined && attempt === undefined) return this.#refuse(account);
    let isWrong = false;
    try {
      const answer = await services.logIn(credentials, signal);
      isWrong = !answer.ok && answer.refusal === 'bad-credentials';
      if (answer.ok) this.#isLoggedIn = true;
      return answer;
    } finally {
      if (!isWrong) attempt?.forgive();
    }
  }

  /** The client must not learn whether the password was right: it is told what a wrong one is told. */
  #refuse(account: string): LogIn {
    const { log, session } = this.#parts;
    const reason = 'too-many-failures';
    log.info('log-in refused', { account, session, reason });
    return { ...refuse('bad-credentials'), reason };
  }

  changePassword(newSecret: string, signal: AbortSignal): Promise<Changed> {
    return this.#calls.call('password change', () => this.#parts.services.changePassword(newSecret, signal));
  }

  /** A log-in or a change under way is waited for: it is done or refused, not half of either. */
  async leave(): Promise<void> {
    await this.#calls.settled();
    if (this.#isLoggedIn) this.#parts.services.leave();
  }
}
