/**
 * IMAP as a listener knows it: joins the machine to its codec, to the commands and to the services that the node provides. Sees
 * to it that what a session holds with owners is left, whatever became of the client.
 */
import { fromCallback, fromPromise } from 'xstate';
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { ImapDecoder } from '../../protocols/imap/decoder.ts';
import { ImapEncoder } from '../../protocols/imap/encoder.ts';
import type { ConnectionLog } from '../../telemetry/connection-log.ts';
import type { Log } from '../../telemetry/log.ts';
import { cutName } from '../../telemetry/redact.ts';
import { canonicalName } from '../authenticator/names.ts';
import { saslprep } from '../authenticator/saslprep.ts';
import { Calls } from '../calls.ts';
import { LogIns } from '../log-ins.ts';
import type { Caller, Protocol, Session } from '../session.ts';
import { type Held, SessionSystem } from '../session-system.ts';
import type { Working } from './command-states.ts';
import { beginAppend } from './commands/append.ts';
import { handle } from './commands/table.ts';
import type { Append, Constants } from './context.ts';
import { Idle } from './idle.ts';
import { ImapSession } from './imap-session.ts';
import { imapMachine } from './machine.ts';
import type { Appending, Outcome } from './outcome.ts';
import { conclude, type Performed } from './perform.ts';
import * as replies from './replies.ts';
import type { Attempt, LogIn, Services } from './services.ts';
import type { Accepted } from './vocabulary.ts';

export type ImapOptions = Constants & {
  readonly services: Services;
  readonly connectionLog: ConnectionLog;
  readonly clock: Clock;
  readonly log: Log;
};

export function imapProtocol({ services, connectionLog, clock, log, ...constants }: ImapOptions): Protocol {
  const system = new SessionSystem();
  return {
    name: 'imap',
    tooManyConnections: Buffer.from('* BYE [UNAVAILABLE] too many connections, try again later\r\n'),
    tooManyFromAddress: Buffer.from('* BYE [UNAVAILABLE] too many connections from your address, try again later\r\n'),
    nologin: (text) => Buffer.from(`* BYE [ALERT] ${text}\r\n`),
    begin(caller: Caller): Session {
      const decoder = new ImapDecoder();
      const held = new MailboxesSession({
        services: services.begin(caller),
        logIns: new LogIns(connectionLog.begin(caller, 'imap')),
        id: caller.session,
        ...{ constants, clock, log, decoder },
      });
      const input = { constants, session: held, tls: caller.tls };
      return system.begin(machine, input, { decoder, encoder: new ImapEncoder(), held });
    },
  };
}

/** One object for all sessions; what differs between them is in their input. Casts: every session here is one of these. */
const machine = imapMachine.provide({
  actors: {
    logIn: fromPromise(({ input, signal }) => {
      const { session, ...attempt } = input;
      return (session as MailboxesSession).attempt(attempt, signal);
    }),
    perform: fromPromise(({ input, signal }) => (input.session as MailboxesSession).perform(input.command, signal)),
    watch: fromCallback(({ input, sendBack, receive }) => {
      const idle = new Idle(input.session, sendBack);
      receive(() => idle.finish());
      return () => idle.stop();
    }),
    beginAppend: fromPromise(({ input: { session, command }, signal }) =>
      (session as MailboxesSession).calls.call('append', async () => {
        const begun = await beginAppend(command, session, signal);
        return begun.ok ? await further(begun.value, () => begun.value.accepts(command)) : begun;
      }),
    ),
    acceptMessage: fromPromise(({ input: { session, appending, message } }) =>
      (session as MailboxesSession).calls.call('append', () => further(appending, () => appending.accepts(message))),
    ),
    takeMessage: fromPromise(({ input: { session, appending, content }, signal }) =>
      (session as MailboxesSession).calls.call(
        'append',
        () => further(appending, () => appending.takes(content)),
        () => signal.aborted, // the client has gone, and the content with it
      ),
    ),
    endAppend: fromPromise(({ input: { session, tag, append } }) =>
      (session as MailboxesSession).endAppend(tag, append),
    ),
  },
});

/** The APPEND as it stands after one step more, or what it is refused with. */
async function further(appending: Appending, step: () => ReturnType<Appending['takes']>): Promise<Accepted> {
  const answer = await step();
  return answer.ok ? accept(appending) : answer;
}

/** What carries mail between owners goes on without its client, and counts as its session until it has ended. */
const CARRYING: ReadonlySet<string> = new Set(['copy', 'move', 'append']);

type Parts = ConstructorParameters<typeof ImapSession>[0] & {
  readonly logIns: LogIns;
  readonly decoder: ImapDecoder;
};

/** The session, with an eye on what is under way and what has to be left. */
class MailboxesSession extends ImapSession implements Held {
  readonly logIns: LogIns;
  readonly calls: Calls;
  readonly #decoder: ImapDecoder;

  constructor(parts: Parts) {
    super(parts);
    this.logIns = parts.logIns;
    this.calls = new Calls(parts.id, parts.log);
    this.#decoder = parts.decoder;
  }

  attempt(attempt: Attempt, signal: AbortSignal): Promise<LogIn> {
    return this.logIns.attempt(attempt, signal, async () => {
      if (!this.#actsAsItself(attempt)) return this.#refuseOther(attempt);
      const answer = await this.calls.call('log-in', () => this.services.logIn(attempt, signal));
      if (answer.ok) this.logIn(answer.value);
      if (answer.ok) this.#decoder.authenticated();
      return answer;
    });
  }

  /** Throws when what the client was to be told is lost. */
  perform(command: Working, signal: AbortSignal): Promise<Performed> {
    const what = command.type.toLowerCase();
    return this.calls.call(what, async () => {
      let outcome: Outcome;
      try {
        outcome = await handle(command, this, signal);
      } catch (fault) {
        this.log.error(`${what} failed`, { session: this.id, fault });
        // A SELECT or CLOSE that breaks in the middle leaves none selected (RFC 9051 §6.3.2).
        outcome = this.view === undefined ? { ...replies.fault, become: 'authenticated' } : replies.fault;
      }
      return await conclude(command, outcome, this);
    });
  }

  endAppend(tag: string, { appending, refused }: Append): Promise<Performed> {
    return this.calls.call('append', async () => {
      let outcome: Outcome = refused ?? replies.fault;
      try {
        if (refused === undefined && appending !== undefined) outcome = await appending.finish();
      } catch (fault) {
        this.log.error('append failed', { session: this.id, fault });
        outcome = replies.fault;
      }
      return await conclude({ tag, type: 'APPEND' }, outcome, this);
    });
  }

  async leave(): Promise<void> {
    this.hasLeft = true;
    this.services.vacate(CARRYING.has(this.calls.underWay ?? ''));
    this.deselect();
    await this.calls.settled(); // a log-in under way may yet open a session
    this.deselect(); // and a SELECT a view
    await this.parted();
    await this.services.leave();
  }

  /**
   * RFC 4616 §2: may whoever logs in act as whom they name? Nobody but themselves; both names are prepared as names are
   * before they are compared. By the names alone, whatever the password: it tells nobody who has an account.
   */
  #actsAsItself({ name, authorizationId = name }: Attempt): boolean {
    return this.#account(authorizationId) === this.#account(name);
  }

  #refuseOther({ name }: Attempt): LogIn {
    const reason = 'other-authorization-id';
    this.log.info('log-in refused', { account: cutName(name), session: this.id, reason });
    return { ...refuse('bad-credentials'), reason };
  }

  /** The account that a name means; it may be nobody's. */
  #account(name: string): string {
    return canonicalName(saslprep(name) ?? name, this.constants.defaultDomain);
  }
}
