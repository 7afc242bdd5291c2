/**
 * The LMTP session: RFC 2033 §4 on the order of commands of RFC 5321 §4.1.4. One mail transaction after another, each
 * ended by one reply for each recipient. STARTTLS (RFC 3207) brings it back to its beginning.
 *
 * It hears decoded commands and says typed replies. Bytes, order and timeouts belong to actors/connection.ts, which
 * sends the next command only while the tag `ready` shows; what it asks of others is provided by session.ts.
 */
import { assertEvent, assign, emit, enqueueActions, fromPromise, setup } from 'xstate';
import type { Result } from '../../kernel/result.ts';
import type { Command, Path } from '../../protocols/lmtp/command.ts';
import { printPath } from '../../protocols/lmtp/path.ts';
import type { Reply } from '../../protocols/lmtp/reply.ts';
import type { RecipientRefusal } from '../authenticator/requests.ts';
import type { Caller, Content, DriverEvent, Said } from '../session.ts';
import * as replies from './replies.ts';
import type { ContentRefusal, Rules } from './screen.ts';
import type { Accepted, Delivery, Outcome, SessionServices } from './services.ts';

/** What all sessions of a listener have in common. */
export type Constants = Rules & {
  readonly hostName: string;
  readonly product: string;
  /** Most recipients of one message (RFC 5321 §4.5.3.1.8: at least 100). */
  readonly maxRecipients: number;
};

export type Input = {
  readonly constants: Constants;
  readonly services: SessionServices;
  /** As the session begins; `active` once STARTTLS is done. */
  readonly tls: Caller['tls'];
};

/** The buffers of RFC 5321 §4.1.1: what one mail transaction has gathered. */
type Transaction = {
  readonly reversePath: Path | null;
  readonly recipients: readonly Accepted[];
  /** What the recipients take of a request to an owner, in octets. */
  readonly gathered: number;
};
type Context = Input & Transaction & { readonly clientDomain: string };

export type Resolution = { readonly services: SessionServices; readonly forwardPath: Path };
export type DeliveryOf<T> = Omit<Delivery, 'content'> & Input & { readonly content: T };
export type Resolved = Result<Accepted, RecipientRefusal>;
/** Refused as a whole for what it holds, or an outcome for each recipient. */
export type Delivered = Result<readonly Outcome[], ContentRefusal>;

/**
 * Most octets of one transaction's trace lines and the like, for they go to an owner in one request: with a part of the
 * content that stays below what the bus carries (cluster/bus/bus.ts, MAX_MESSAGE).
 */
const MAX_GATHERED_OCTETS = 600_000;
/** What a recipient takes beside its paths and the two host names: the rest of its trace lines, identities, quotas. */
const RECIPIENT_OCTETS = 300;

const none: Transaction = { reversePath: null, recipients: [], gathered: 0 };
const notProvided = () => Promise.reject(new Error('not provided'));

export const lmtpMachine = setup({
  types: {
    context: {} as Context,
    events: {} as Command | DriverEvent,
    emitted: {} as Said<Reply>,
    input: {} as Input,
    tags: {} as 'ready',
  },
  actors: {
    resolve: fromPromise<Resolved, Resolution>(notProvided),
    deliver: fromPromise<Delivered, DeliveryOf<Content>>(notProvided),
  },
  guards: {
    isTooLarge: ({ context }, params: { sizeOctets?: number }) =>
      (params.sizeOctets ?? 0) > context.constants.maxOctets,
    hasRecipients: ({ context }) => context.recipients.length > 0,
    hasTooMany: ({ context }, params: { forwardPath: Path }) =>
      context.recipients.length >= context.constants.maxRecipients ||
      context.gathered + octetsOf(context, params.forwardPath) > MAX_GATHERED_OCTETS,
    accepted: (_, params: { ok: boolean }) => params.ok,
    mayStartTls: ({ context }) => context.tls === 'offered', // RFC 3207 §4.2: not under TLS
    isCommand: ({ event }) => !/^(xstate\.|stop$|content$|secured$)/.test(event.type),
  },
  actions: {
    say: emit((_, reply: Reply) => ({ type: 'reply', reply }) as const),
    sayEach: enqueueActions(({ enqueue }, each: readonly Reply[]) => {
      for (const reply of each) enqueue.emit({ type: 'reply', reply });
    }),
    expectContent: emit({ type: 'expect', next: 'body' }),
    startTls: emit({ type: 'start-tls' }),
    /** RFC 3207 §4.2: what was learned without TLS is forgotten. */
    beginAnew: assign({ ...none, clientDomain: '', tls: 'active' }),
    keepDomain: assign((_, params: { domain: string }) => ({ clientDomain: params.domain })),
    beginTransaction: assign((_, params: { reversePath: Path | null }) => ({
      ...none,
      reversePath: params.reversePath,
    })),
    addRecipient: assign(({ context }, resolved: Resolved) =>
      resolved.ok
        ? {
            recipients: [...context.recipients, resolved.value],
            gathered: context.gathered + octetsOf(context, resolved.value.forwardPath),
          }
        : {},
    ),
    clear: assign(none),
  },
}).createMachine({
  id: 'lmtp',
  context: ({ input }) => ({ ...input, ...none, clientDomain: '' }),
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
              { target: 'resolving' },
            ],
            DATA: [
              { guard: 'hasRecipients', target: '#lmtp.receiving' },
              { actions: { type: 'say', params: replies.noRecipients } },
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
          return { ...context, content: event.content };
        },
        onDone: {
          target: 'idle',
          actions: { type: 'sayEach', params: ({ context, event }) => deliveryReplies(context, event.output) },
        },
        onError: {
          target: 'idle',
          actions: { type: 'sayEach', params: ({ context }) => context.recipients.map(() => replies.fault) },
        },
      },
    },
    securing: {
      on: { secured: { target: 'greeted', actions: 'beginAnew' } }, // LHLO anew; the greeting is not repeated
    },
    closed: { type: 'final' },
  },
  on: {
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

/** Of one recipient. The reverse-path, like the names, stands in each one's trace. */
const octetsOf = ({ reversePath, clientDomain, constants }: Context, forwardPath: Path): number =>
  printPath(reversePath).length +
  printPath(forwardPath).length +
  clientDomain.length +
  constants.hostName.length +
  RECIPIENT_OCTETS;

const recipientReply = (resolved: Resolved): Reply =>
  resolved.ok ? replies.recipientOk : replies.notResolved(resolved.refusal);

/** One for each recipient, either way. */
function deliveryReplies({ recipients }: Context, delivered: Delivered): readonly Reply[] {
  if (delivered.ok) return replies.delivered(delivered.value);
  const refused = replies.contentRefused(delivered.refusal);
  return recipients.map(() => refused);
}
