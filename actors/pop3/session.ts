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
import type { ConnectionLog } from '../../telemetry/connection-log.ts';
import type { Log } from '../../telemetry/log.ts';
import { cutName } from '../../telemetry/redact.ts';
import { canonicalName } from '../authenticator/names.ts';
import { saslprep } from '../authenticator/saslprep.ts';
import { Calls } from '../calls.ts';
import { LogIns } from '../log-ins.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { SessionSystem } from '../session-system.ts';
import type { Constants } from './context.ts';
import { pop3Machine } from './machine.ts';
import type { Attempt, Credentials, Expunged, LogIn, Retrieved, Services, SessionServices } from './services.ts';

export type Pop3Options = Constants & {
  readonly services: Services;
  /** Where a bare name belongs. */
  readonly defaultDomain: string;
  readonly connectionLog: ConnectionLog;
  readonly log: Log;
};

export function pop3Protocol({ services, connectionLog, log, defaultDomain, ...constants }: Pop3Options): Protocol {
  const system = new SessionSystem();
  return {
    name: 'pop3',
    tooManyConnections: Buffer.from('-ERR [SYS/TEMP] too many connections, try again later\r\n'),
    tooManyFromAddress: Buffer.from('-ERR [SYS/TEMP] too many connections from your address, try again later\r\n'),
    nologin: (text) => Buffer.from(`-ERR [ALERT] ${text}\r\n`),
    begin(caller: Caller): Session {
      const logIns = new LogIns(connectionLog.begin(caller, 'pop3'));
      const held = new MaildropSession({ services: services.begin(caller), logIns, caller, defaultDomain, log });
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

type Parts = {
  readonly services: SessionServices;
  readonly logIns: LogIns;
  readonly caller: Caller;
  readonly defaultDomain: string;
  readonly log: Log;
};

/** The services, with an eye on whether the maildrop is open, and on who wishes to act as whom. */
class MaildropSession implements SessionServices {
  readonly logIns: LogIns;
  readonly #services: SessionServices;
  readonly #calls: Calls;
  readonly #session: string;
  readonly #log: Log;
  readonly #defaultDomain: string;
  #isOpen = false;

  constructor({ services, logIns, caller, defaultDomain, log }: Parts) {
    this.logIns = logIns;
    this.#services = services;
    this.#calls = new Calls(caller.session, log);
    this.#session = caller.session;
    this.#log = log;
    this.#defaultDomain = defaultDomain;
  }

  logIn(credentials: Attempt, signal: AbortSignal): Promise<LogIn> {
    return this.logIns.attempt(credentials, signal, async () => {
      if (!this.#actsAsItself(credentials)) return this.#refuseOther(credentials);
      return await this.#calls.call('log-in', async () => {
        const answer = await this.#services.logIn(credentials, signal);
        if (answer.ok) this.#isOpen = true;
        return answer;
      });
    });
  }

  /**
   * RFC 4616 §2: may whoever logs in act as whom they name? Nobody but themselves; both names are prepared as names are
   * before they are compared. By the names alone, whatever the password: it tells nobody who has an account.
   */
  #actsAsItself({ name, authorizationId = name }: Credentials): boolean {
    return this.#account(authorizationId) === this.#account(name);
  }

  #refuseOther({ name }: Credentials): LogIn {
    const reason = 'other-authorization-id';
    this.#log.info('log-in refused', { account: cutName(name), session: this.#session, reason });
    return { ...refuse('bad-credentials'), reason };
  }

  /** The account that a name means; it may be nobody's. */
  #account(name: string): string {
    return canonicalName(saslprep(name) ?? name, this.#defaultDomain);
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
