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
import { parsePlain } from '../../protocols/sasl/plain.ts';
import type { DriverEvent, Said, StopReason, Tag } from '../session.ts';
import {
  type Context,
  capabilities,
  contextOf,
  credentials,
  type Input,
  mayShowPassword,
  texts,
  timestamp,
} from './context.ts';
import { type Listed, maildropOf, mark, markedUids, message, unmarkAll } from './maildrop.ts';
import * as replies from './replies.ts';
import type { Attempt, Expunged, LogIn, RetrieveRefusal, SessionServices } from './services.ts';
import { DEFAULT_LANGUAGE, languageFor, type Texts } from './texts.ts';

type Asking<T> = T & { readonly services: SessionServices };
/** A message to be sent, as it is or, for a client without UTF-8 mode, as a surrogate. */
type Wanted = Listed & { readonly utf8: boolean };
/** A message, or the top of one, ready to be sent; `sizeOctets` of the whole message. */
export type Fetched = Result<Listed & { readonly body: AsyncIterable<Uint8Array> }, RetrieveRefusal>;

const notProvided = () => Promise.reject(new Error('not provided'));

export const pop3Machine = setup({
  types: {
    context: {} as Context,
    events: {} as Command | Extract<DriverEvent, { type: 'secured' | 'stop' }>,
    emitted: {} as Said<Reply>,
    input: {} as Input,
    tags: {} as Tag,
  },
  actors: {
    logIn: fromPromise<LogIn, Asking<Attempt>>(notProvided),
    retrieve: fromPromise<Fetched, Asking<Wanted>>(notProvided),
    top: fromPromise<Fetched, Asking<Wanted & { readonly lines: number }>>(notProvided),
    expunge: fromPromise<Expunged, Asking<{ readonly uids: readonly number[] }>>(notProvided),
  },
  guards: {
    mayShowPassword: ({ context }) => mayShowPassword(context),
    mayStartTls: ({ context }) => context.tls === 'offered',
    mayNotShowPassword: ({ context }) => !mayShowPassword(context),
    isOtherThanPlain: (_, params: { readonly mechanism: string }) => params.mechanism !== 'PLAIN',
    isPlainMessage: (_, message: Uint8Array) => parsePlain(message) !== undefined,
    isAbsent: (_, params: { argument: string | Uint8Array | undefined }) => params.argument === undefined,
    isLanguage: (_, range: string) => languageFor(range) !== undefined,
    isNamed: ({ context }) => context.name !== null, // RFC 1939 §7: PASS only after USER
    exists: ({ context }, params: { number: number }) => message(context.maildrop, params.number) !== undefined,
    accepted: (_, params: { ok: boolean }) => params.ok,
    isOneTooMany: ({ context }, params: LogIn) =>
      !params.ok && params.refusal === 'bad-credentials' && context.failures >= context.constants.loginFailures,
    isKicked: (_, params: { readonly reason: StopReason }) => params.reason === 'kicked',
    isCommand: ({ event }) => !event.type.startsWith('xstate.') && event.type !== 'stop' && event.type !== 'secured',
  },
  actions: {
    say: emit((_, reply: Reply) => ({ type: 'reply', reply }) as const),
    expectResponse: emit({ type: 'expect', next: 'sasl-response' } as const),
    startTls: emit({ type: 'start-tls' } as const),
    /** RFC 2595 §2.1: what was heard in clear may have been anyone's. The failures stay counted: those are ours. */
    secure: assign({ tls: 'active', name: null, language: DEFAULT_LANGUAGE, utf8: false }),
    takeUtf8: assign({ utf8: true }),
    speak: assign((_, range: string) => ({ language: languageFor(range) ?? DEFAULT_LANGUAGE })),
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
  context: ({ input }) => contextOf(input),
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
            USER: [
              {
                guard: 'mayShowPassword',
                actions: [
                  { type: 'keepName', params: ({ event }) => event },
                  { type: 'say', params: ({ context }) => replies.sendPassword(texts(context)) },
                ],
              },
              { actions: { type: 'say', params: ({ context }) => replies.cleartextRefused(texts(context)) } },
            ],
            PASS: { guard: 'isNamed', target: 'loggingIn' },
            APOP: 'loggingIn',
            AUTH: [
              {
                guard: { type: 'isOtherThanPlain', params: ({ event }) => event },
                actions: { type: 'say', params: ({ context }) => replies.noSuchMechanism(texts(context)) },
              },
              {
                guard: 'mayNotShowPassword',
                actions: { type: 'say', params: ({ context }) => replies.cleartextRefused(texts(context)) },
              },
              {
                guard: { type: 'isAbsent', params: ({ event }) => ({ argument: event.initial }) },
                target: 'exchanging',
                actions: { type: 'say', params: replies.goOn },
              },
              {
                guard: { type: 'isPlainMessage', params: ({ event }) => event.initial! },
                target: 'loggingIn',
              },
              { actions: { type: 'say', params: ({ context }) => replies.notAPlainMessage(texts(context)) } },
            ],
            STLS: [
              {
                guard: 'mayStartTls',
                target: 'securing',
                actions: [{ type: 'say', params: ({ context }) => replies.beginTls(texts(context)) }, 'startTls'],
              },
              {
                actions: {
                  type: 'say',
                  params: ({ context }) => replies.noStls(texts(context), context.tls === 'active'),
                },
              },
            ],
            UTF8: { actions: ['takeUtf8', { type: 'say', params: ({ context }) => replies.utf8Mode(texts(context)) }] },
            CAPA: {
              actions: { type: 'say', params: ({ context }) => capabilities(context, context.tls === 'offered') },
            },
            QUIT: {
              target: '#pop3.closed', // removes nothing: RFC 1939 §6
              actions: { type: 'say', params: ({ context }) => replies.bye(texts(context)) },
            },
          },
        },
        exchanging: {
          // RFC 5034 §4: the next line is the client's response
          tags: 'ready',
          entry: 'expectResponse',
          on: {
            response: [
              {
                guard: { type: 'isPlainMessage', params: ({ event }) => event.response },
                target: 'loggingIn',
              },
              {
                target: 'ready',
                actions: { type: 'say', params: ({ context }) => replies.notAPlainMessage(texts(context)) },
              },
            ],
            cancel: {
              target: 'ready',
              actions: { type: 'say', params: ({ context }) => replies.exchangeCancelled(texts(context)) },
            },
            malformed: {
              target: 'ready',
              actions: { type: 'say', params: ({ context, event }) => replies.malformed(texts(context), event.reason) },
            },
          },
        },
        securing: {
          // RFC 2595 §4: the handshake is the driver's; after it all is as at the beginning, without a greeting
          on: { secured: { target: 'ready', actions: 'secure' } },
        },
        loggingIn: {
          invoke: {
            src: 'logIn',
            input: ({ context, event }) => {
              assertEvent(event, ['PASS', 'APOP', 'AUTH', 'response']);
              return { services: context.services, ...credentials(context, event) };
            },
            onDone: [
              {
                guard: { type: 'accepted', params: ({ event }) => event.output },
                target: '#pop3.transaction',
                actions: [
                  { type: 'openMaildrop', params: ({ event }) => event.output },
                  { type: 'say', params: ({ context }) => replies.opened(texts(context), context.maildrop) },
                ],
              },
              {
                guard: { type: 'isOneTooMany', params: ({ event }) => event.output },
                target: '#pop3.dismissed',
                actions: { type: 'say', params: ({ context }) => replies.tooManyFailures(texts(context)) },
              },
              {
                target: 'ready',
                actions: [
                  'forgetName',
                  { type: 'countFailure', params: ({ event }) => event.output },
                  { type: 'say', params: ({ context, event }) => notOpened(texts(context), event.output) },
                ],
              },
            ],
            onError: {
              target: 'ready',
              actions: ['forgetName', { type: 'say', params: ({ context }) => replies.fault(texts(context)) }],
            },
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
              actions: {
                type: 'say',
                params: ({ context, event }) => replies.list(texts(context), context.maildrop, event.message),
              },
            },
            UIDL: {
              actions: {
                type: 'say',
                params: ({ context, event }) => replies.uidl(texts(context), context.maildrop, event.message),
              },
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
                  { type: 'say', params: ({ context, event }) => replies.marked(texts(context), event.message) },
                ],
              },
              { actions: { type: 'say', params: ({ context, event }) => absent(context, event) } },
            ],
            RSET: {
              actions: [
                'unmarkAll',
                { type: 'say', params: ({ context }) => replies.opened(texts(context), context.maildrop) },
              ],
            },
            CAPA: { actions: { type: 'say', params: ({ context }) => capabilities(context, false) } },
            NOOP: { actions: { type: 'say', params: replies.noop } },
            QUIT: '#pop3.update',
          },
        },
        retrieving: {
          invoke: {
            src: 'retrieve',
            input: ({ context, event }) => {
              assertEvent(event, 'RETR');
              return { services: context.services, utf8: context.utf8, ...message(context.maildrop, event.message)! };
            },
            onDone: {
              target: 'ready',
              actions: { type: 'say', params: ({ context, event }) => replies.retrieved(texts(context), event.output) },
            },
            onError: {
              target: 'ready',
              actions: { type: 'say', params: ({ context }) => replies.fault(texts(context)) },
            },
          },
        },
        fetchingTop: {
          invoke: {
            src: 'top',
            input: ({ context, event }) => {
              assertEvent(event, 'TOP');
              const { services, utf8, maildrop } = context;
              return { services, utf8, lines: event.lines, ...message(maildrop, event.message)! };
            },
            onDone: {
              target: 'ready',
              actions: { type: 'say', params: ({ context, event }) => replies.top(texts(context), event.output) },
            },
            onError: {
              target: 'ready',
              actions: { type: 'say', params: ({ context }) => replies.fault(texts(context)) },
            },
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
            actions: { type: 'say', params: ({ context }) => replies.updated(texts(context), context.maildrop) },
          },
          {
            target: 'closed',
            actions: { type: 'say', params: ({ context, event }) => notUpdated(texts(context), event.output) },
          },
        ],
        onError: {
          target: 'closed',
          actions: { type: 'say', params: ({ context }) => replies.notExpunged(texts(context), 'unavailable') },
        },
      },
    },
    closed: { type: 'final' },
    dismissed: { type: 'final', tags: 'dismissed' },
  },
  on: {
    LANG: [
      // in both states: RFC 6856 §3.1
      {
        guard: { type: 'isAbsent', params: ({ event }) => ({ argument: event.range }) },
        actions: { type: 'say', params: ({ context }) => replies.languageListing(texts(context)) },
      },
      {
        guard: { type: 'isLanguage', params: ({ event }) => event.range! },
        actions: [
          { type: 'speak', params: ({ event }) => event.range! },
          { type: 'say', params: ({ context }) => replies.languageChosen(context.language) },
        ],
      },
      { actions: { type: 'say', params: ({ context }) => replies.noSuchLanguage(texts(context)) } },
    ],
    malformed: {
      actions: { type: 'say', params: ({ context, event }) => replies.malformed(texts(context), event.reason) },
    },
    stop: [
      // RFC 1939 §3: without UPDATE
      {
        guard: { type: 'isKicked', params: ({ event }) => event },
        target: '.dismissed',
        actions: { type: 'say', params: ({ context }) => replies.kicked(texts(context)) },
      },
      { target: '.dismissed' }, // POP3 has no word to say first
    ],
    '*': {
      guard: 'isCommand',
      actions: { type: 'say', params: ({ context, event }) => replies.notNow(texts(context), event.type) },
    },
  },
});

const absent = (context: Context, event: { message: number }): Reply =>
  replies.noSuchMessage(texts(context), context.maildrop, event.message);

// The answers that a guard has let through to these are refusals; a success there would be our own mistake.
const notOpened = (t: Texts, answer: LogIn): Reply =>
  answer.ok ? replies.fault(t) : replies.notLoggedIn(t, answer.refusal);
const notUpdated = (t: Texts, answer: Expunged): Reply =>
  answer.ok ? replies.fault(t) : replies.notExpunged(t, answer.refusal);
