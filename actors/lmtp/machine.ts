/**
 * The LMTP session: RFC 2033 §4 on the order of commands of RFC 5321 §4.1.4. One mail transaction after another, each
 * ended by one reply for each recipient. STARTTLS (RFC 3207) brings it back to its beginning. Octets follow every BDAT
 * (RFC 3030 §2), so that one out of order is answered when they have come.
 *
 * It hears decoded commands and says typed replies. Bytes, order and timeouts belong to actors/connection.ts, which
 * sends the next command only while the tag `ready` shows; what it asks of others is provided by session.ts.
 */
import { assertEvent, assign, emit, enqueueActions, fromPromise, setup } from 'xstate';
import type { Command, Path } from '../../protocols/lmtp/command.ts';
import { isAscii } from '../../protocols/lmtp/path.ts';
import type { Reply } from '../../protocols/lmtp/reply.ts';
import type { Content, DriverEvent, Said, Tag } from '../session.ts';
import { type ChunkEnd, Chunks } from './chunks.ts';
import {
  type Chunk,
  type Context,
  type Delivered,
  type DeliveryOf,
  deliveryOf,
  deliveryReplies,
  failures,
  forEach,
  hasRoom,
  type Input,
  noChunks,
  none,
  octetsOf,
  type Resolution,
  type Resolved,
  recipientReply,
} from './context.ts';
import * as replies from './replies.ts';

const notProvided = () => Promise.reject(new Error('not provided'));

export const lmtpMachine = setup({
  types: {
    context: {} as Context,
    events: {} as Command | DriverEvent,
    emitted: {} as Said<Reply>,
    input: {} as Input,
    tags: {} as Tag,
  },
  actors: {
    resolve: fromPromise<Resolved, Resolution>(notProvided),
    deliver: fromPromise<Delivered, DeliveryOf<Content>>(notProvided),
    takeChunk: fromPromise<ChunkEnd, Chunk>(notProvided),
  },
  guards: {
    isTooLarge: ({ context }, params: { sizeOctets?: number }) =>
      (params.sizeOctets ?? 0) > context.constants.maxOctets,
    hasRecipients: ({ context }) => context.recipients.length > 0,
    hasTooMany: ({ context }, { forwardPath }: { forwardPath: Path }) => !hasRoom(context, forwardPath),
    isForbiddenPath: ({ context }, { forwardPath }: { forwardPath: Path }) =>
      !context.smtputf8 && !(isAscii(forwardPath.localPart) && isAscii(forwardPath.domain)),
    isLast: (_, params: { last: boolean }) => params.last,
    isLastChunk: ({ context }) => context.last,
    wasDropped: (_, params: { end: ChunkEnd }) => params.end === 'dropped',
    mayStartTls: ({ context }) => context.tls === 'offered', // RFC 3207 §4.2: not under TLS
    isCommand: ({ event }) => !/^(xstate\.|stop$|content$|secured$)/.test(event.type),
  },
  actions: {
    say: emit((_, reply: Reply) => ({ type: 'reply', reply }) as const),
    sayEach: enqueueActions(({ enqueue }, each: readonly Reply[]) => {
      for (const reply of each) enqueue.emit({ type: 'reply', reply });
    }),
    expectContent: emit({ type: 'expect', next: 'body' }),
    /** The octets behind a BDAT come whatever becomes of it; its replies belong behind them (RFC 3030 §2). */
    owe: enqueueActions(({ enqueue }, owed: readonly Reply[]) => {
      enqueue.assign({ owed });
      enqueue.emit({ type: 'expect', next: 'body' });
    }),
    sayOwed: enqueueActions(({ enqueue, context }) => {
      for (const reply of context.owed) enqueue.emit({ type: 'reply', reply });
      enqueue.assign({ owed: [] });
    }),
    beginChunks: assign(() => ({ ...noChunks, chunks: new Chunks() })),
    keepChunk: assign((_, { sizeOctets, last }: { sizeOctets: number; last: boolean }) => ({
      sizeOctets,
      last,
      isDue: true,
    })),
    settleChunk: assign({ isDue: false }),
    answerChunk: enqueueActions(({ enqueue, context: { isDue, answers } }) => {
      if (isDue) enqueue.emit({ type: 'reply', reply: answers[0]! }); // there is at least one recipient
      enqueue.assign({ isDue: false });
    }),
    keepAnswers: assign((_, answers: readonly Reply[]) => ({ answers })),
    startTls: emit({ type: 'start-tls' }),
    /** RFC 3207 §4.2: what was learned without TLS is forgotten. */
    beginAnew: assign({ ...none, clientDomain: '', tls: 'active' }),
    keepDomain: assign((_, params: { domain: string }) => ({ clientDomain: params.domain })),
    beginTransaction: assign((_, params: { reversePath: Path | null; smtputf8?: true }) => ({
      ...none,
      reversePath: params.reversePath,
      smtputf8: params.smtputf8 ?? false,
    })),
    addRecipient: assign(({ context }, resolved: Resolved) =>
      resolved.ok
        ? {
            recipients: [...context.recipients, resolved.value],
            gathered: context.gathered + octetsOf(context, resolved.value.forwardPath),
          }
        : {},
    ),
    clear: assign({ ...none, ...noChunks }),
  },
}).createMachine({
  id: 'lmtp',
  context: ({ input }) => ({ ...input, ...none, ...noChunks, clientDomain: '', owed: [] }),
  entry: {
    type: 'say',
    params: ({ context }) => replies.greeting(context.constants.hostName, context.constants.product),
  },
  initial: 'greeted',
  states: {
    greeted: {
      // RFC 2033 §4.1: nothing is transferred before LHLO
      tags: 'ready',
      on: {
        MAIL: { actions: { type: 'say', params: replies.helloFirst } },
        STARTTLS: { actions: { type: 'say', params: replies.helloFirst } },
        BDAT: { actions: { type: 'owe', params: [replies.helloFirst] } },
      },
    },
    idle: {
      entry: 'clear',
      tags: 'ready',
      on: {
        MAIL: [
          {
            guard: { type: 'isTooLarge', params: ({ event }) => event }, // RFC 1870 §6.1
            actions: { type: 'say', params: replies.tooLarge },
          },
          {
            target: 'transaction',
            actions: [
              { type: 'beginTransaction', params: ({ event }) => event },
              { type: 'say', params: replies.senderOk },
            ],
          },
        ],
      },
    },
    transaction: {
      // RFC 5321 §3.3
      initial: 'ready',
      on: {
        RSET: { target: 'idle', actions: { type: 'say', params: replies.flushed } },
      },
      states: {
        ready: {
          tags: 'ready',
          on: {
            RCPT: [
              {
                guard: { type: 'hasTooMany', params: ({ event }) => event },
                actions: { type: 'say', params: replies.tooManyRecipients },
              },
              {
                guard: { type: 'isForbiddenPath', params: ({ event }) => event }, // RFC 6531 §3.5
                actions: { type: 'say', params: replies.notAscii },
              },
              { target: 'resolving' },
            ],
            DATA: [
              { guard: 'hasRecipients', target: '#lmtp.receiving' },
              { actions: { type: 'say', params: replies.noRecipients } },
            ],
            BDAT: [
              {
                guard: 'hasRecipients',
                target: '#lmtp.chunking',
                actions: ['beginChunks', { type: 'keepChunk', params: ({ event }) => event }],
              },
              // RFC 2033 §4.3: one reply for each recipient, and so none at all
              {
                guard: { type: 'isLast', params: ({ event }) => event },
                target: '#lmtp.idle',
                actions: { type: 'owe', params: [] },
              },
              { actions: { type: 'owe', params: [replies.noRecipients] } },
            ],
          },
        },
        resolving: {
          invoke: {
            src: 'resolve',
            input: ({ context, event }) => {
              assertEvent(event, 'RCPT');
              return { services: context.services, forwardPath: event.forwardPath };
            },
            onDone: {
              target: 'ready',
              actions: [
                { type: 'addRecipient', params: ({ event }) => event.output },
                { type: 'say', params: ({ event }) => recipientReply(event.output) },
              ],
            },
            onError: { target: 'ready', actions: { type: 'say', params: replies.fault } },
          },
        },
      },
    },
    receiving: {
      // RFC 5321 §4.1.1.4, RFC 2033 §4.2
      entry: [{ type: 'say', params: replies.goAhead }, 'expectContent'],
      on: { content: 'delivering' },
    },
    delivering: {
      invoke: {
        src: 'deliver',
        input: ({ context, event }) => {
          assertEvent(event, 'content');
          return deliveryOf(context, event.content);
        },
        onDone: {
          target: 'idle',
          actions: { type: 'sayEach', params: ({ context, event }) => deliveryReplies(context, event.output) },
        },
        onError: {
          target: 'idle',
          actions: { type: 'sayEach', params: ({ context }) => forEach(context, replies.fault) },
        },
      },
    },
    chunking: {
      // RFC 3030 §2: one delivery from the first BDAT to the end of the last; RFC 2033 §4.3: then a reply for each recipient.
      // A delivery that ends before the last chunk has failed, and that chunk's command is answered so.
      invoke: {
        src: 'deliver',
        input: ({ context }) => deliveryOf(context, context.chunks!),
        onDone: [
          {
            guard: 'isLastChunk',
            target: 'idle',
            actions: { type: 'sayEach', params: ({ context, event }) => deliveryReplies(context, event.output) },
          },
          {
            target: 'failed',
            actions: [
              { type: 'keepAnswers', params: ({ context, event }) => failures(context, event.output) },
              'answerChunk',
            ],
          },
        ],
        onError: [
          {
            guard: 'isLastChunk',
            target: 'idle',
            actions: { type: 'sayEach', params: ({ context }) => forEach(context, replies.fault) },
          },
          {
            target: 'failed',
            actions: [{ type: 'keepAnswers', params: ({ context }) => forEach(context, replies.fault) }, 'answerChunk'],
          },
        ],
      },
      initial: 'announced',
      states: {
        announced: { entry: 'expectContent', on: { content: 'taking' } },
        taking: {
          invoke: {
            src: 'takeChunk',
            input: ({ context: { chunks, last }, event }) => {
              assertEvent(event, 'content');
              return { chunks: chunks!, last, content: event.content };
            },
            onDone: [
              { guard: 'isLastChunk', target: 'ending' },
              { guard: { type: 'wasDropped', params: ({ event }) => ({ end: event.output }) }, target: 'ending' },
              {
                target: 'between',
                actions: [
                  { type: 'say', params: ({ context }) => replies.chunkTaken(context.sizeOctets) },
                  'settleChunk',
                ],
              },
            ],
          },
        },
        between: {
          tags: 'ready',
          on: {
            BDAT: { target: 'announced', actions: { type: 'keepChunk', params: ({ event }) => event } },
            RSET: { target: '#lmtp.idle', actions: { type: 'say', params: replies.flushed } },
            DATA: {
              target: '#lmtp.failed',
              actions: [
                { type: 'say', params: replies.dataAfterBdat },
                { type: 'keepAnswers', params: ({ context }) => forEach(context, replies.dataAfterBdat) },
              ],
            },
          },
        },
        ending: {}, // until the delivery has
      },
    },
    failed: {
      // RFC 3030 §2: until RSET. Chunks that were sent before the client knew are dropped; what they are answered is what
      // the first was, so that a temporary failure does not become a permanent one.
      tags: 'ready',
      on: {
        BDAT: [
          {
            guard: { type: 'isLast', params: ({ event }) => event },
            target: 'idle',
            actions: { type: 'owe', params: ({ context }) => context.answers },
          },
          { actions: { type: 'owe', params: ({ context }) => context.answers.slice(0, 1) } },
        ],
        RSET: { target: 'idle', actions: { type: 'say', params: replies.flushed } },
      },
    },
    securing: {
      on: { secured: { target: 'greeted', actions: 'beginAnew' } }, // LHLO anew; the greeting is not repeated
    },
    closed: { type: 'final' },
    dismissed: { type: 'final', tags: 'dismissed' },
  },
  on: {
    content: { actions: 'sayOwed' },
    BDAT: { actions: { type: 'owe', params: [replies.notNow] } },
    lost: {
      target: '.dismissed',
      actions: { type: 'say', params: ({ event }) => replies.lost(event) },
    },
    LHLO: {
      target: '.idle', // and what was begun is forgotten: RFC 5321 §4.1.4
      actions: [
        { type: 'keepDomain', params: ({ event }) => event },
        {
          type: 'say',
          params: ({ context }) => replies.hello({ ...context.constants, startTls: context.tls === 'offered' }),
        },
      ],
    },
    STARTTLS: [
      {
        guard: 'mayStartTls',
        target: '.securing',
        actions: [{ type: 'say', params: replies.beginTls }, 'startTls'],
      },
      { actions: { type: 'say', params: ({ context }) => replies.noTlsNow(context.tls) } },
    ],
    RSET: { actions: { type: 'say', params: replies.flushed } },
    NOOP: { actions: { type: 'say', params: replies.noop } },
    VRFY: { actions: { type: 'say', params: replies.cannotVerify } },
    QUIT: {
      target: '.closed',
      actions: { type: 'say', params: ({ context }) => replies.bye(context.constants.hostName) },
    },
    refused: { actions: { type: 'say', params: ({ event }) => replies.refused(event) } },
    malformed: { actions: { type: 'say', params: ({ event }) => replies.malformed(event) } },
    stop: {
      target: '.closed',
      actions: {
        type: 'say',
        params: ({ context, event }) => replies.stopping(event.reason, context.constants.hostName),
      },
    },
    '*': { guard: 'isCommand', actions: { type: 'say', params: replies.notNow } },
  },
});
