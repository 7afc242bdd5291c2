/**
 * POP3 as a listener knows it: joins the machine to its codec and to the services that the node provides. Sees to it
 * that a maildrop once opened is left, whatever became of the client and of the answer that opened it.
 */
import { fromPromise } from 'xstate';
import { accept, refuse } from '../../kernel/result.ts';
import { top } from '../../mime/top.ts';
import { Pop3Decoder } from '../../protocols/pop3/decoder.ts';
import { pop3Encoder } from '../../protocols/pop3/encoder.ts';
import { surrogate } from '../../protocols/pop3/surrogate.ts';
import type { Log } from '../../telemetry/log.ts';
import { Calls } from '../calls.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { SessionSystem } from '../session-system.ts';
import type { Constants } from './context.ts';
import { pop3Machine } from './machine.ts';
import type { Credentials, Expunged, LogIn, Retrieved, Services, SessionServices } from './services.ts';

export type Pop3Options = Constants & {
  readonly services: Services;
  readonly log: Log;
};

export function pop3Protocol({ services, log, ...constants }: Pop3Options): Protocol {
  const system = new SessionSystem();
  return {
    name: 'pop3',
    tooManyConnections: Buffer.from('-ERR [SYS/TEMP] too many connections, try again later\r\n'),
    begin(caller: Caller): Session {
      const held = new MaildropSession(services.begin(caller), caller.session, log);
      const input = { constants, services: held, session: caller.session, tls: caller.tls };
      return system.begin(machine, input, { decoder: new Pop3Decoder(), encoder: pop3Encoder, held });
    },
  };
}

/** One object for all sessions; what differs between them is in their input. */
const machine = pop3Machine.provide({
  actors: {
    logIn: fromPromise(({ input, signal }) => {
      const { services, ...credentials } = input;
      return services.logIn(credentials, signal);
    }),
    retrieve: fromPromise(async ({ input, signal }) => {
      const { uid, sizeOctets, utf8 } = input;
      const found = await input.services.retrieve(uid, signal);
      if (!found.ok) return found;
      const body = whole(found.value.body, sizeOctets);
      return accept({ uid, sizeOctets, body: utf8 ? body : surrogate(body) });
    }),
    top: fromPromise(async ({ input, signal }) => {
      const { uid, sizeOctets, utf8, lines } = input;
      const found = await input.services.retrieve(uid, signal);
      if (!found.ok) return found;
      const { body } = found.value;
      return accept({ uid, sizeOctets, body: top(utf8 ? body : surrogate(body), lines) });
    }),
    expunge: fromPromise(({ input, signal }) => input.services.expunge(input.uids, signal)),
  },
});

/** Throws at the end unless as many octets came as the listing promised: a short body must not look whole. */
async function* whole(body: AsyncIterable<Uint8Array>, sizeOctets: number): AsyncIterable<Uint8Array> {
  let octets = 0;
  for await (const chunk of body) {
    octets += chunk.length;
    yield chunk;
  }
  if (octets !== sizeOctets) throw new Error(`a message of ${sizeOctets} octets came with ${octets}`);
}

/** The services, with an eye on whether the maildrop is open, and on who wishes to act as whom. */
class MaildropSession implements SessionServices {
  readonly #services: SessionServices;
  readonly #calls: Calls;
  readonly #session: string;
  readonly #log: Log;
  #isOpen = false;

  constructor(services: SessionServices, session: string, log: Log) {
    this.#services = services;
    this.#calls = new Calls(session, log);
    this.#session = session;
    this.#log = log;
  }

  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn> {
    const { name, authorizationId = name } = credentials;
    if (authorizationId !== name) {
      // By the names alone, whatever the password: it tells nobody who has an account (RFC 4616 §2).
      this.#log.info('log-in refused', { account: name, session: this.#session, reason: 'other-authorization-id' });
      return Promise.resolve(refuse('bad-credentials'));
    }
    return this.#calls.call('log-in', async () => {
      const answer = await this.#services.logIn(credentials, signal);
      if (answer.ok) this.#isOpen = true;
      return answer;
    });
  }

  retrieve(uid: number, signal: AbortSignal): Promise<Retrieved> {
    return this.#calls.call('retrieving', () => this.#services.retrieve(uid, signal));
  }

  expunge(uids: readonly number[], signal: AbortSignal): Promise<Expunged> {
    return this.#calls.call('update', async () => {
      const answer = await this.#services.expunge(uids, signal);
      if (answer.ok) this.#isOpen = false; // the maildrop is unlocked by the same operation
      return answer;
    });
  }

  async leave(): Promise<void> {
    await this.#calls.settled(); // a log-in under way may yet open it
    if (this.#isOpen) await this.#services.leave();
  }
}
