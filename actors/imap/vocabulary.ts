/**
 * The words of the IMAP machine (machine.ts): what it hears and says, whom it asks, what it looks at before it moves, and what it
 * does besides. Guards that a section of an RFC demands say so here or where they stand.
 */
import { assign, emit, fromCallback, fromPromise, sendTo, setup } from 'xstate';
import type { Result } from '../../kernel/result.ts';
import type { AppendMessage, Command, CommandOf } from '../../protocols/imap/command.ts';
import type { Response } from '../../protocols/imap/response.ts';
import { parsePlain } from '../../protocols/sasl/plain.ts';
import type { Content, DriverEvent, Said, Tag } from '../session.ts';
import {
  isForAuthenticated,
  isForSelected,
  isTagged,
  needsLogIn,
  needsSelected,
  type Working,
} from './command-states.ts';
import { type Context, type Input, mayShowPassword, NO_APPEND } from './context.ts';
import type { IdleEvent } from './idle.ts';
import type { ImapSession } from './imap-session.ts';
import type { Appending, Ending, Outcome } from './outcome.ts';
import type { Performed } from './perform.ts';
import * as replies from './replies.ts';
import type { Attempt, LogIn } from './services.ts';

type Asking<T> = T & { readonly session: ImapSession };
/** Refused, or one message more that may come. */
export type Accepted = Result<Appending, Outcome>;

const notProvided = () => Promise.reject(new Error('not provided'));

export const imap = setup({
  types: {
    context: {} as Context,
    events: {} as Command | DriverEvent | IdleEvent,
    emitted: {} as Said<Response>,
    input: {} as Input,
    tags: {} as Tag,
  },
  actors: {
    logIn: fromPromise<LogIn, Asking<Attempt>>(notProvided),
    perform: fromPromise<Performed, Asking<{ readonly command: Working }>>(notProvided),
    watch: fromCallback<{ readonly type: 'finish' }, Asking<object>>(() => {
      throw new Error('not provided');
    }),
    beginAppend: fromPromise<Accepted, Asking<{ readonly command: CommandOf<'APPEND'> }>>(notProvided),
    acceptMessage: fromPromise<Accepted, Asking<{ readonly appending: Appending; readonly message: AppendMessage }>>(
      notProvided,
    ),
    takeMessage: fromPromise<Accepted, Asking<{ readonly appending: Appending; readonly content: Content }>>(
      notProvided,
    ),
    endAppend: fromPromise<Performed, Asking<Pick<Context, 'tag' | 'append'>>>(notProvided),
  },
  guards: {
    mayNotShowPassword: ({ context }) => !mayShowPassword(context),
    mayStartTls: ({ context }) => context.tls === 'offered',
    isOtherThanPlain: (_, params: { readonly mechanism: string }) => params.mechanism !== 'PLAIN',
    isOtherThanDeflate: (_, params: { readonly mechanism: string }) => params.mechanism !== 'DEFLATE',
    isCompressed: ({ context }) => context.isCompressed,
    isPlainMessage: (_, message: Uint8Array) => parsePlain(message) !== undefined,
    isAbsent: (_, params: { readonly argument: Uint8Array | undefined }) => params.argument === undefined,
    accepted: (_, params: { readonly ok: boolean }) => params.ok,
    refused: (_, params: { readonly ok: boolean }) => !params.ok,
    isOneTooMany: ({ context }, params: LogIn) =>
      !params.ok && params.refusal === 'bad-credentials' && context.failures >= context.constants.loginFailures,
    becomesSelected: (_, params: Performed) => params.become === 'selected',
    becomesAuthenticated: (_, params: Performed) => params.become === 'authenticated',
    isForAuthenticated: ({ event }) => isForAuthenticated(event),
    isForSelected: ({ event }) => isForSelected(event),
    needsSelected: ({ event }) => needsSelected(event),
    needsLogIn: ({ event }) => needsLogIn(event),
    isTagged: ({ event }) => isTagged(event),
    isAwaiting: ({ context }) => context.append.isAwaiting,
    isRefusedAlready: ({ context }) => context.append.refused !== undefined,
  },
  actions: {
    say: emit((_, reply: Response) => ({ type: 'reply', reply }) as const),
    expectResponse: emit({ type: 'expect', next: 'sasl-response' } as const),
    expectDone: emit({ type: 'expect', next: 'idle-done' } as const),
    expectBody: emit({ type: 'expect', next: 'body' } as const),
    startTls: emit({ type: 'start-tls' } as const),
    /** RFC 9051 §6.2.1: what was heard in clear may have been anyone's. The failures stay counted: those are ours. */
    secure: assign({ tls: 'active' }),
    startCompression: emit({ type: 'start-compression' } as const),
    compress: assign({ isCompressed: true }),
    keepTag: assign((_, params: { readonly tag: string }) => ({ tag: params.tag })),
    countFailure: assign(({ context }, answer: LogIn) =>
      !answer.ok && answer.refusal === 'bad-credentials' ? { failures: context.failures + 1 } : {},
    ),
    beIdleUntil: assign((_, idleEnding: Ending) => ({ idleEnding })),
    finishIdle: sendTo('watch', { type: 'finish' } as const),
    announce: assign(({ context }, { sync }: AppendMessage) => ({ append: { ...context.append, isAwaiting: sync } })),
    keepAppend: assign(({ context }, answer: Accepted) => ({
      append: answer.ok
        ? { ...context.append, appending: answer.value }
        : { ...context.append, refused: answer.refusal },
    })),
    refuseAppend: assign(({ context }) => ({ append: { ...context.append, refused: replies.fault } })),
    abandonAppend: ({ context }) => context.append.appending?.abandon(),
    forgetAppend: assign({ append: NO_APPEND }),
  },
});
