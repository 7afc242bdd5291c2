/** poppwd as a listener knows it: joins the machine to its codec and to the services that the node provides. */
import { fromPromise } from 'xstate';
import { PoppwdDecoder } from '../../protocols/poppwd/decoder.ts';
import { poppwdEncoder } from '../../protocols/poppwd/encoder.ts';
import type { Log } from '../../telemetry/log.ts';
import { Calls } from '../calls.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { SessionSystem } from '../session-system.ts';
import { type Constants, poppwdMachine } from './machine.ts';
import type { Changed, Credentials, LogIn, Services, SessionServices } from './services.ts';

export type PoppwdOptions = Constants & { readonly services: Services; readonly log: Log };

export function poppwdProtocol({ services, log, ...constants }: PoppwdOptions): Protocol {
  const system = new SessionSystem();
  return {
    name: 'poppwd',
    tooManyConnections: Buffer.from('500 too many connections, try again later\r\n'),
    begin(caller: Caller): Session {
      const asked = new LoggedServices(services.begin(caller), new Calls(caller.session, log));
      const { session, tls } = caller;
      const input = { constants, services: asked, session, tls };
      return system.begin(machine, input, { decoder: new PoppwdDecoder(), encoder: poppwdEncoder });
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

/** The services, with their faults logged. */
class LoggedServices implements SessionServices {
  readonly #services: SessionServices;
  readonly #calls: Calls;

  constructor(services: SessionServices, calls: Calls) {
    this.#services = services;
    this.#calls = calls;
  }

  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn> {
    return this.#calls.call('login', () => this.#services.logIn(credentials, signal));
  }

  changePassword(newSecret: string, signal: AbortSignal): Promise<Changed> {
    return this.#calls.call('password change', () => this.#services.changePassword(newSecret, signal));
  }
}
