/**
 * The POP3 session: RFC 1939 §3, one state for each that the RFC names, and one below for each question it has to ask.
 *
 * It hears decoded commands and says typed replies. Bytes, order and timeouts belong to actors/connection.ts, which
 * sends the next command only while the tag `ready` shows; what it asks of others is provided by session.ts.
 */
import { assertEvent, assign, emit, fromPromise, setup } from 'xstate';
import type { Result } from '../../kernel/result.ts';
import type { Command } from '../../protocols/pop3/command.ts';
import type { Reply } from '../../protocols/pop3/reply.ts';
import type { DriverEvent, Said } from '../session.ts';
import {
  emptyMaildrop,
  type Listed,
  type Maildrop,
  maildropOf,
  mark,
  markedUids,
  message,
  unmarkAll,
} from './maildrop.ts';
import * as replies from './replies.ts';
import type { Credentials, Expunged, LogIn, RetrieveRefusal, SessionServices } from './services.ts';

/** What all sessions of a listener have in common. */
export type Constants = {
  /** Said in the greeting and in CAPA: no spaces. */
  readonly product: string;
  readonly version: string;
  /** Stands to the right of the `@` in the greeting's timestamp (RFC 1939 §7). */
  readonly hostName: string;
  /** So many failed log-ins are answered; the next one ends the session. */
  readonly loginFailures: number;
};

export type Input = {
  readonly constants: Constants;
  readonly services: SessionServices;
  /** Unique for ever, and so is the greeting's timestamp, which is made of it (RFC 1939 §7). */
  readonly session: string;
};

type Context = Input & { readonly name: string | null; readonly failures: number; readonly maildrop: Maildrop };
type Asking<T> = T & { readonly services: SessionServices };
/** A message, or the top of one, ready to be sent; `sizeOctets` of the whole message. */
export type Fetched = Result<Listed & { readonly body: AsyncIterable<Uint8Array> }, RetrieveRefusal>;

const notProvided = () => Promise.reject(new Error('not provided'));

export const pop3Machine = setup({
  types: {
    context: {} as Context,
    events: {} as Command | Extract<DriverEvent, { type: 'stop' }>,
    emitted: {} as Extract<Said<Reply>, { type: 'reply' }>,
    input: {} as Input,
    tags: {} as 'ready',
  },
  actors: {
    logIn: fromPromise<LogIn, Asking<Credentials>>(notProvided),
    retrieve: fromPromise<Fetched, Asking<Listed>>(notProvided),
    top: fromPromise<Fetched, Asking<Listed & { readonly lines: number }>>(notProvided),
    expunge: fromPromise<Expunged, Asking<{ readonly uids: readonly number[] }>>(notProvided),
  },
  guards: {
    isNamed: ({ context }) => context.name !== null, // RFC 1939 §7: PASS only after USER
    exists: ({ context }, params: { number: number }) => message(context.maildrop, params.number) !== undefined,
    accepted: (_, params: { ok: boolean }) => params.ok,
    isOneTooMany: ({ context }, params: LogIn) =>
      !params.ok && params.refusal === 'bad-credentials' && context.failures >= context.constants.loginFailures,
    isCommand: ({ event }) => !event.type.startsWith('xstate.') && event.type !== 'stop',
  },
  actions: {
    say: emit((_, reply: Reply) => ({ type: 'reply', reply }) as const),
    keepName: assign((_, params: { name: string }) => ({ name: params.name })),
    forgetName: assign({ name: null }),
    countFailure: assign(({ context }, answer: LogIn) =>
      !answer.ok && answer.refusal === 'bad-credentials' ? { failures: context.failures + 1 } : {},
    ),
    openMaildrop: assign((_, answer: LogIn) =>
      answer.ok ? { maildrop: maildropOf(answer.value.uidValidity, answer.value.entries), name: null } : {},
    ),
    markMessage: assign(({ context }, params: { number: number }) => ({
      maildrop: mark(context.maildrop, params.number),
    })),
    unmarkAll: assign(({ context }) => ({ maildrop: unmarkAll(context.maildrop) })),
  },
}).createMachine({
  id: 'pop3',
  context: ({ input }) => ({ ...input, name: null, failures: 0, maildrop: emptyMaildrop }),
  entry: {
    type: 'say',
    params: ({ context }) => replies.greeting(context.constants.product, timestamp(context)),
  },
  initial: 'authorization',
  states: {
    authorization: {
      // RFC 1939 §4
      initial: 'ready',
      states: {
        ready: {
          tags: 'ready',
          on: {
            USER: {
              actions: [
                { type: 'keepName', params: ({ event }) => event },
                { type: 'say', params: replies.sendPassword },
              ],
            },
            PASS: { guard: 'isNamed', target: 'loggingIn' },
            APOP: 'loggingIn',
            QUIT: { target: '#pop3.closed', actions: { type: 'say', params: replies.bye } }, // removes nothing: RFC 1939 §6
          },
        },
        loggingIn: {
          invoke: {
            src: 'logIn',
            input: ({ context, event }) => {
              assertEvent(event, ['PASS', 'APOP']);
              return { services: context.services, ...credentials(context, event) };
            },
            onDone: [
              {
                guard: { type: 'accepted', params: ({ event }) => event.output },
                target: '#pop3.transaction',
                actions: [
                  { type: 'openMaildrop', params: ({ event }) => event.output },
                  { type: 'say', params: ({ context }) => replies.opened(context.maildrop) },
                ],
              },
              {
                guard: { type: 'isOneTooMany', params: ({ event }) => event.output },
                target: '#pop3.closed',
                actions: { type: 'say', params: replies.tooManyFailures },
              },
              {
                target: 'ready',
                actions: [
                  'forgetName',
                  { type: 'countFailure', params: ({ event }) => event.output },
                  { type: 'say', params: ({ event }) => notOpened(event.output) },
                ],
              },
            ],
            onError: { target: 'ready', actions: ['forgetName', { type: 'say', params: replies.fault }] },
          },
        },
      },
    },
    transaction: {
      // RFC 1939 §5
      initial: 'ready',
      states: {
        ready: {
          tags: 'ready',
          on: {
            STAT: { actions: { type: 'say', params: ({ context }) => replies.stat(context.maildrop) } },
            LIST: {
              actions: { type: 'say', params: ({ context, event }) => replies.list(context.maildrop, event.message) },
            },
            UIDL: {
              actions: { type: 'say', params: ({ context, event }) => replies.uidl(context.maildrop, event.message) },
            },
            RETR: [
              { guard: { type: 'exists', params: ({ event }) => ({ number: event.message }) }, target: 'retrieving' },
              { actions: { type: 'say', params: ({ context, event }) => absent(context, event) } },
            ],
            TOP: [
              { guard: { type: 'exists', params: ({ event }) => ({ number: event.message }) }, target: 'fetchingTop' },
              { actions: { type: 'say', params: ({ context, event }) => absent(context, event) } },
            ],
            DELE: [
              {
                guard: { type: 'exists', params: ({ event }) => ({ number: event.message }) },
                actions: [
                  { type: 'markMessage', params: ({ event }) => ({ number: event.message }) },
                  { type: 'say', params: ({ event }) => replies.marked(event.message) },
                ],
              },
              { actions: { type: 'say', params: ({ context, event }) => absent(context, event) } },
            ],
            RSET: {
              actions: ['unmarkAll', { type: 'say', params: ({ context }) => replies.opened(context.maildrop) }],
            },
            NOOP: { actions: { type: 'say', params: replies.noop } },
            QUIT: '#pop3.update',
          },
        },
        retrieving: {
          invoke: {
            src: 'retrieve',
            input: ({ context, event }) => {
              assertEvent(event, 'RETR');
              return { services: context.services, ...message(context.maildrop, event.message)! };
            },
            onDone: {
              target: 'ready',
              actions: { type: 'say', params: ({ event }) => replies.retrieved(event.output) },
            },
            onError: { target: 'ready', actions: { type: 'say', params: replies.fault } },
          },
        },
        fetchingTop: {
          invoke: {
            src: 'top',
            input: ({ context, event }) => {
              assertEvent(event, 'TOP');
              return { services: context.services, lines: event.lines, ...message(context.maildrop, event.message)! };
            },
            onDone: {
              target: 'ready',
              actions: { type: 'say', params: ({ event }) => replies.top(event.output) },
            },
            onError: { target: 'ready', actions: { type: 'say', params: replies.fault } },
          },
        },
      },
    },
    update: {
      // RFC 1939 §6: only QUIT removes messages; a lost connection removes none
      invoke: {
        src: 'expunge',
        input: ({ context }) => ({ services: context.services, uids: markedUids(context.maildrop) }),
        onDone: [
          {
            guard: { type: 'accepted', params: ({ event }) => event.output },
            target: 'closed',
            actions: { type: 'say', params: ({ context }) => replies.updated(context.maildrop) },
          },
          {
            target: 'closed',
            actions: { type: 'say', params: ({ event }) => notUpdated(event.output) },
          },
        ],
        onError: { target: 'closed', actions: { type: 'say', params: replies.notExpunged('unavailable') } },
      },
    },
    closed: { type: 'final' },
  },
  on: {
    CAPA: {
      // in both states: RFC 2449 §5
      actions: { type: 'say', params: ({ context }) => replies.capabilities(implementation(context.constants)) },
    },
    malformed: { actions: { type: 'say', params: ({ event }) => replies.malformed(event.reason) } },
    stop: '.closed', // RFC 1939 §3: without UPDATE, and POP3 has no word to say first
    '*': { guard: 'isCommand', actions: { type: 'say', params: ({ event }) => replies.notNow(event.type) } },
  },
});

const implementation = ({ product, version }: Constants): string => `${product}-${version}`;
const timestamp = ({ session, constants }: Input): string => `<${session}@${constants.hostName}>`;
const absent = ({ maildrop }: Context, event: { message: number }): Reply =>
  replies.noSuchMessage(maildrop, event.message);

// The answers that a guard has let through to these are refusals; a success there would be our own mistake.
const notOpened = (answer: LogIn): Reply => (answer.ok ? replies.fault : replies.notLoggedIn(answer.refusal));
const notUpdated = (answer: Expunged): Reply => (answer.ok ? replies.fault : replies.notExpunged(answer.refusal));

function credentials(context: Context, event: Extract<Command, { type: 'PASS' | 'APOP' }>): Credentials {
  if (event.type === 'PASS') return { name: context.name!, proof: { mechanism: 'PLAIN', secret: event.secret } };
  return { name: event.name, proof: { mechanism: 'APOP', timestamp: timestamp(context), digest: event.digest } };
}
