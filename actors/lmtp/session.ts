/** LMTP as a listener knows it: joins the machine to its codec, its screen and the services that the node provides. */
import { fromPromise } from 'xstate';
import { accept, refuse } from '../../kernel/result.ts';
import type { Path } from '../../protocols/lmtp/command.ts';
import { LmtpDecoder } from '../../protocols/lmtp/decoder.ts';
import { lmtpEncoder } from '../../protocols/lmtp/encoder.ts';
import type { Log } from '../../telemetry/log.ts';
import { Calls } from '../calls.ts';
import { ContentLost } from '../incoming-content.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { SessionSystem } from '../session-system.ts';
import { Chunks } from './chunks.ts';
import type { Constants } from './context.ts';
import { lmtpMachine } from './machine.ts';
import { ContentRefused, screened } from './screen.ts';
import type { Delivery, Outcome, Resolved, Services, SessionServices } from './services.ts';

export type LmtpOptions = Constants & { readonly services: Services; readonly log: Log };

export function lmtpProtocol({ services, log, ...constants }: LmtpOptions): Protocol {
  const system = new SessionSystem();
  return {
    name: 'lmtp',
    tooManyConnections: Buffer.from(`421 4.3.2 ${constants.hostName} too many connections, try again later\r\n`),
    tooManyFromAddress: Buffer.from(
      `421 4.3.2 ${constants.hostName} too many connections from your address, try again later\r\n`,
    ),
    begin(caller: Caller): Session {
      const asked = new LoggedServices(services.begin(caller), new Calls(caller.session, log));
      const input = { constants, services: asked, tls: caller.tls };
      return system.begin(machine, input, { decoder: new LmtpDecoder(), encoder: lmtpEncoder });
    },
  };
}

/** One object for all sessions; what differs between them is in their input. */
const machine = lmtpMachine.provide({
  actors: {
    resolve: fromPromise(async ({ input: { services, forwardPath }, signal }) => {
      const found = await services.resolve(forwardPath, signal);
      return found.ok ? accept({ ...found.value, forwardPath }) : found;
    }),
    deliver: fromPromise(async ({ input: { services, constants, ...delivery }, signal }) => {
      const { content } = delivery;
      // Between two chunks nobody but this knows that the session has ended.
      if (content instanceof Chunks) signal.addEventListener('abort', () => content.giveUp(), { once: true });
      try {
        const outcomes = await services.deliver(
          { ...delivery, content: screened(content, constants, delivery.smtputf8) },
          signal,
        );
        if (outcomes.length !== delivery.recipients.length) throw new Error('not one outcome for each recipient');
        return accept(outcomes);
      } catch (fault) {
        if (fault instanceof ContentRefused) return refuse(fault.refusal);
        throw fault;
      }
    }),
    takeChunk: fromPromise(({ input: { chunks, content, last } }) => chunks.take(content, last)),
  },
});

/** The services, with their faults logged; what is the client's doing is no fault. */
class LoggedServices implements SessionServices {
  readonly #services: SessionServices;
  readonly #calls: Calls;

  constructor(services: SessionServices, calls: Calls) {
    this.#services = services;
    this.#calls = calls;
  }

  resolve(forwardPath: Path, signal: AbortSignal): Promise<Resolved> {
    return this.#calls.call('resolving a recipient', () => this.#services.resolve(forwardPath, signal));
  }

  deliver(delivery: Delivery, signal: AbortSignal): Promise<readonly Outcome[]> {
    return this.#calls.call('delivery', () => this.#services.deliver(delivery, signal), isOfTheClient);
  }
}

const isOfTheClient = (fault: unknown): boolean => fault instanceof ContentRefused || fault instanceof ContentLost;
