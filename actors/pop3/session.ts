/**
 * POP3 as a listener knows it: joins the machine to its codec and to the services that the node provides. Sees to it
 * that a maildrop once opened is left, whatever became of the client and of the answer that opened it.
 */
import { fromPromise } from 'xstate';
import { accept } from '../../kernel/result.ts';
import { top } from '../../mime/top.ts';
import { Pop3Decoder } from '../../protocols/pop3/decoder.ts';
import { pop3Encoder } from '../../protocols/pop3/encoder.ts';
import type { Log } from '../../telemetry/log.ts';
import { Calls } from '../calls.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { SessionSystem } from '../session-system.ts';
import { type Constants, pop3Machine } from './machine.ts';
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
      const held = new MaildropSession(services.begin(caller), new Calls(caller.session, log));
      const input = { constants, services: held, session: caller.session };
      return system.begin(machine, input, { decoder: new Pop3Decoder(), encoder: pop3Encoder, held });
    },
  };
}

/** One object for all sessions; what differs between them is in their input. */
const machine = pop3Machine.provide({
  actors: {
    logIn: fromPromise(({ input, signal }) => input.services.logIn({ name: input.name, proof: input.proof }, signal)),
    retrieve: fromPromise(async ({ input, signal }) => {
      const { uid, sizeOctets } = input;
      const found = await input.services.retrieve(uid, signal);
      return found.ok ? accept({ uid, sizeOctets, body: whole(found.value.body, sizeOctets) }) : found;
    }),
    top: fromPromise(async ({ input, signal }) => {
      const { uid, sizeOctets, lines } = input;
      const found = await input.services.retrieve(uid, signal);
      return found.ok ? accept({ uid, sizeOctets, body: top(found.value.body, lines) }) : found;
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

/** The services, with an eye on whether the maildrop is open. */
class MaildropSession implements SessionServices {
  readonly #services: SessionServices;
  readonly #calls: Calls;
  #isOpen = false;

  constructor(services: SessionServices, calls: Calls) {
    this.#services = services;
    this.#calls = calls;
  }

  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn> {
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
