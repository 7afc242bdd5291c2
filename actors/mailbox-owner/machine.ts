/**
 * The two statecharts of mailbox owning. `mailHostMachine` is a node's standing towards one mailHost (docs/architecture.md,
 * "Ownership"); `mailboxOwnerMachine` is one account in use: started when a session opens its maildrop, passivated when
 * nobody has used it for a while. What they ask of the world is given by mail-host.ts and accounts-in-use.ts.
 */
import { assign, fromPromise, setup } from 'xstate';

/** Given to a machine that was not provided with its actors: rejects, so that it can't hang. */
const notProvided = () => Promise.reject(new Error('not provided'));

const thrown = ({ event }: { event: { error: unknown } }): unknown => event.error;

/** How beginning an epoch went: `full` is tried again, for the disk may heal. */
export type Begun = 'begun' | 'full' | 'deposed';

export const mailHostMachine = setup({
  types: {
    context: {} as { mailHost: string; epoch: number; fault: string | null },
    events: {} as { type: 'STOP' },
    input: {} as { mailHost: string },
  },
  actors: {
    /** Resolves with the epoch of the lease, once it is held. */
    acquireLease: fromPromise<number>(notProvided),
    /** Commits this owner's own epoch record, then serves. */
    beginEpoch: fromPromise<Begun>(notProvided),
    /** Resolves when the lease or the journal was lost; rejects when the store failed. */
    watch: fromPromise<void>(notProvided),
    /** Stops serving, lets what runs finish, gives the lease back. */
    leave: fromPromise<void>(notProvided),
  },
  guards: {
    hasBegun: (_, begun: Begun) => begun === 'begun',
    isFull: (_, begun: Begun) => begun === 'full',
  },
  actions: {
    noteEpoch: assign({ epoch: (_, epoch: number) => epoch }),
    noteFault: assign({ fault: (_, fault: unknown) => String(fault) }),
  },
  delays: { untilRoom: 2_000 },
}).createMachine({
  id: 'mailHost',
  context: ({ input }) => ({ mailHost: input.mailHost, epoch: 0, fault: null }),
  initial: 'waitingForLease',
  on: { STOP: '.stopping' },
  states: {
    waitingForLease: {
      invoke: {
        src: 'acquireLease',
        onDone: {
          target: 'beginningEpoch',
          actions: { type: 'noteEpoch', params: ({ event }) => event.output },
        },
        onError: { target: 'failing', actions: { type: 'noteFault', params: thrown } },
      },
    },
    beginningEpoch: {
      invoke: {
        src: 'beginEpoch',
        onDone: [
          { guard: { type: 'hasBegun', params: ({ event }) => event.output }, target: 'serving' },
          { guard: { type: 'isFull', params: ({ event }) => event.output }, target: 'waitingForRoom' },
          { target: 'deposed' },
        ],
        onError: { target: 'failing', actions: { type: 'noteFault', params: thrown } },
      },
    },
    waitingForRoom: { after: { untilRoom: 'beginningEpoch' } },
    serving: {
      invoke: {
        src: 'watch',
        onDone: 'deposed',
        onError: { target: 'failing', actions: { type: 'noteFault', params: thrown } },
      },
    },
    deposed: {
      invoke: {
        src: 'leave',
        onDone: 'waitingForLease',
        onError: { target: 'failed', actions: { type: 'noteFault', params: thrown } },
      },
    },
    failing: { invoke: { src: 'leave', onDone: 'failed', onError: 'failed' } },
    stopping: {
      on: { STOP: {} }, // once is enough
      invoke: {
        src: 'leave',
        onDone: 'stopped',
        onError: { target: 'failed', actions: { type: 'noteFault', params: thrown } },
      },
    },
    stopped: { type: 'final' },
    failed: { type: 'final' },
  },
});

/** `lock`: of the maildrop, if the session has it. */
export type LiveSession = { readonly session: string; readonly lock?: number };

export const mailboxOwnerMachine = setup({
  types: {
    context: {} as { account: string; sessions: readonly LiveSession[] },
    events: {} as { type: 'session.opened'; live: LiveSession } | { type: 'session.ended'; session: string },
    input: {} as { account: string },
    tags: {} as 'awake',
  },
  actors: {
    /** The account's live sessions, as the store has them: an owner before may have left some. */
    load: fromPromise<readonly LiveSession[], { account: string }>(notProvided),
  },
  guards: {
    isInUse: ({ context }) => context.sessions.length > 0,
    isLast: ({ context }, session: string) => context.sessions.every((live) => live.session === session),
  },
  actions: {
    add: assign({
      sessions: ({ context }, live: LiveSession) => [
        ...context.sessions.filter(({ session }) => session !== live.session),
        live,
      ],
    }),
    remove: assign({
      sessions: ({ context }, ended: string) => context.sessions.filter(({ session }) => session !== ended),
    }),
    /** What opened while the store was being read is newer than what was read. */
    merge: assign({
      sessions: ({ context }, loaded: readonly LiveSession[]) => [
        ...loaded.filter(({ session }) => !context.sessions.some((live) => live.session === session)),
        ...context.sessions,
      ],
    }),
  },
  delays: { passivation: 60_000 }, // accounts-in-use.ts gives the configured one
}).createMachine({
  id: 'mailboxOwner',
  context: ({ input }) => ({ account: input.account, sessions: [] }),
  initial: 'waking',
  states: {
    waking: {
      invoke: {
        src: 'load',
        input: ({ context }) => ({ account: context.account }),
        onDone: { target: 'settling', actions: { type: 'merge', params: ({ event }) => event.output } },
        onError: 'settling', // nothing rests on it but what an inspection shows; the store itself is asked again at need
      },
      on: {
        'session.opened': { actions: { type: 'add', params: ({ event }) => event.live } },
        'session.ended': { actions: { type: 'remove', params: ({ event }) => event.session } },
      },
    },
    settling: { always: [{ guard: 'isInUse', target: 'serving' }, { target: 'idle' }] },
    serving: {
      tags: 'awake',
      on: {
        'session.opened': { actions: { type: 'add', params: ({ event }) => event.live } },
        'session.ended': [
          {
            guard: { type: 'isLast', params: ({ event }) => event.session },
            target: 'idle',
            actions: { type: 'remove', params: ({ event }) => event.session },
          },
          { actions: { type: 'remove', params: ({ event }) => event.session } },
        ],
      },
    },
    idle: {
      tags: 'awake',
      on: {
        'session.opened': { target: 'serving', actions: { type: 'add', params: ({ event }) => event.live } },
        'session.ended': {}, // it ended here already
      },
      after: { passivation: 'asleep' },
    },
    asleep: { type: 'final' },
  },
});
