/**
 * The poppwd session (docs/poppwd.md): log in with the old password, set the new one.
 *
 * It hears decoded commands and says typed replies. Bytes, order and timeouts belong to actors/connection.ts, which
 * sends the next command only while the tag `ready` shows; what it asks of others is provided by session.ts.
 */
import { assertEvent, assign, emit, fromPromise, setup } from 'xstate';
import type { Command } from '../../protocols/poppwd/command.ts';
import type { Reply } from '../../protocols/poppwd/reply.ts';
import type { Caller, DriverEvent, Said, StopReason, Tag } from '../session.ts';
import * as replies from './replies.ts';
import type { Changed, Credentials, LogIn, SessionServices } from './services.ts';

type Asked = Pick<SessionServices, 'logIn' | 'changePassword'>;

/** What all sessions of a listener have in common. */
export type Constants = {
  readonly product: string;
  readonly version: string;
  readonly hostName: string;
  /** So many failed logins are answered; the next one ends the session. */
  readonly loginFailures: number;
  /** May a password be shown where others can listen? Otherwise only under TLS and on unix sockets. */
  readonly cleartextLogin: boolean;
};

export type Input = {
  readonly constants: Constants;
  readonly services: Asked;
  /** Unique for ever, and so is the greeting's timestamp. */
  readonly session: string;
  readonly tls: Caller['tls'];
};

type Context = Input & { readonly name: string | null; readonly failures: number };
type Asking<T> = T & { readonly services: Asked };

const notProvided = () => Promise.reject(new Error('not provided'));

export const poppwdMachine = setup({
  types: {
    context: {} as Context,
    events: {} as Command | Extract<DriverEvent, { type: 'stop' }>,
    emitted: {} as Extract<Said<Reply>, { type: 'reply' }>,
    input: {} as Input,
    tags: {} as Tag,
  },
  actors: {
    logIn: fromPromise<LogIn, Asking<Credentials>>(notProvided),
    changePassword: fromPromise<Changed, Asking<{ readonly newSecret: string }>>(notProvided),
  },
  guards: {
    isOverheard: ({ context }) => !context.constants.cleartextLogin && context.tls !== 'active',
    isNamed: ({ context }) => context.name !== null,
    accepted: (_, params: { ok: boolean }) => params.ok,
    isOneTooMany: ({ context }, answer: LogIn) =>
      !answer.ok && answer.refusal === 'bad-credentials' && context.failures >= context.constants.loginFailures,
    /** Nothing was changed and the login still holds: NEWPASS may be sent again. */
    stillHolds: (_, answer: Changed) =>
      !answer.ok && (answer.refusal === 'not-allowed' || answer.refusal === 'unavailable'),
    isKicked: (_, params: { readonly reason: StopReason }) => params.reason === 'kicked',
    isCommand: ({ event }) => !event.type.startsWith('xstate.') && event.type !== 'stop',
  },
  actions: {
    say: emit((_, reply: Reply) => ({ type: 'reply', reply }) as const),
    keepName: assign((_, params: { name: string }) => ({ name: params.name })),
    forgetName: assign({ name: null }),
    countFailure: assign(({ context }, answer: LogIn) =>
      !answer.ok && answer.refusal === 'bad-credentials' ? { failures: context.failures + 1 } : {},
    ),
  },
}).createMachine({
  id: 'poppwd',
  context: ({ input }) => ({ ...input, name: null, failures: 0 }),
  entry: { type: 'say', params: ({ context }) => replies.greeting(context.constants, context.session) },
  initial: 'authorization',
  states: {
    authorization: {
      initial: 'ready',
      states: {
        ready: {
          tags: 'ready',
          on: {
            USER: [
              { guard: 'isOverheard', actions: { type: 'say', params: replies.notInClear } },
              {
                actions: [
                  { type: 'keepName', params: ({ event }) => event },
                  { type: 'say', params: replies.sendPassword },
                ],
              },
            ],
            PASS: [{ guard: 'isNamed', target: 'loggingIn' }, { actions: { type: 'say', params: replies.userFirst } }],
            NEWPASS: { actions: { type: 'say', params: replies.logInFirst } },
          },
        },
        loggingIn: {
          exit: 'forgetName',
          invoke: {
            src: 'logIn',
            input: ({ context, event }) => {
              assertEvent(event, 'PASS');
              return { services: context.services, name: context.name!, secret: event.secret };
            },
            onDone: [
              {
                guard: { type: 'accepted', params: ({ event }) => event.output },
                target: '#poppwd.authenticated',
                actions: { type: 'say', params: replies.loggedIn },
              },
              {
                guard: { type: 'isOneTooMany', params: ({ event }) => event.output },
                target: '#poppwd.dismissed',
                actions: { type: 'say', params: replies.tooManyFailures },
              },
              {
                target: 'ready',
                actions: [
                  { type: 'countFailure', params: ({ event }) => event.output },
                  { type: 'say', params: ({ event }) => refusedLogIn(event.output) },
                ],
              },
            ],
            onError: { target: 'ready', actions: { type: 'say', params: replies.unavailable } },
          },
        },
      },
    },
    authenticated: {
      initial: 'ready',
      states: {
        ready: {
          tags: 'ready',
          on: { NEWPASS: 'changing' },
        },
        changing: {
          invoke: {
            src: 'changePassword',
            input: ({ context, event }) => {
              assertEvent(event, 'NEWPASS');
              return { services: context.services, newSecret: event.secret };
            },
            onDone: [
              {
                guard: { type: 'stillHolds', params: ({ event }) => event.output },
                target: 'ready',
                actions: { type: 'say', params: ({ event }) => changeReply(event.output) },
              },
              {
                // A change compares with the account as it was at login; after one, that login says nothing any more.
                target: '#poppwd.spent',
                actions: { type: 'say', params: ({ event }) => changeReply(event.output) },
              },
            ],
            onError: {
              target: '#poppwd.spent',
              actions: { type: 'say', params: replies.notChanged('unknown') }, // what broke may have broken late
            },
          },
        },
      },
    },
    spent: {
      // What is left to say is QUIT, as in the first poppassd.
      tags: 'ready',
      on: {
        USER: { actions: { type: 'say', params: replies.reconnect } },
        PASS: { actions: { type: 'say', params: replies.reconnect } },
        NEWPASS: { actions: { type: 'say', params: replies.reconnect } },
      },
    },
    closed: { type: 'final' },
    dismissed: { type: 'final', tags: 'dismissed' },
  },
  on: {
    QUIT: { target: '.closed', actions: { type: 'say', params: replies.bye } },
    malformed: { actions: { type: 'say', params: ({ event }) => replies.malformed(event.reason) } },
    stop: [
      {
        guard: { type: 'isKicked', params: ({ event }) => event },
        target: '.dismissed',
        actions: { type: 'say', params: replies.kicked },
      },
      { target: '.dismissed' }, // there is no word for it
    ],
    '*': { guard: 'isCommand', actions: { type: 'say', params: ({ event }) => replies.notNow(event.type) } },
  },
});

// A guard has sent the success elsewhere; one here would be our own mistake.
const refusedLogIn = (answer: LogIn): Reply => (answer.ok ? replies.unavailable : replies.notLoggedIn(answer.refusal));
const changeReply = (answer: Changed): Reply => (answer.ok ? replies.changed : replies.notChanged(answer.refusal));
