/**
 * Starts a set of children in their order (stores, owners, listeners), restarts what fails and stops all in reverse order.
 *
 * Each child's life is a machine. One child's failure restarts that child alone; one that keeps failing is given up, and
 * whoever started the set is told, for a node that limps on in silence helps nobody. Knows nothing of what a child does.
 */
import { type Actor, assign, createActor, enqueueActions, fromPromise, setup } from 'xstate';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { timersOf } from './machine-clock.ts';

/** A child that runs, until stopped. */
export type Running = {
  /** Resolves with the fault when the child can't go on; never otherwise. Absent: it can't fail once it runs. */
  readonly failed?: Promise<unknown>;
  /** Also called after `failed`, to clear up before a restart. */
  stop(): Promise<void>;
};

export type Child = {
  readonly name: string;
  /** Throws when it can't; the signal is aborted when the set is stopped meanwhile. */
  start(signal: AbortSignal): Promise<Running>;
};

export type Policy = {
  /** The pause before the first restart; it doubles with each more, up to `mostDelayMs`. */
  readonly firstDelayMs: number;
  readonly mostDelayMs: number;
  /** More restarts than this within `withinMs`: the child is given up. */
  readonly mostRestarts: number;
  readonly withinMs: number;
};

export const defaultPolicy: Policy = { firstDelayMs: 100, mostDelayMs: 30_000, mostRestarts: 10, withinMs: 600_000 };

type Context = {
  readonly child: Child;
  readonly policy: Policy;
  readonly clock: Clock;
  /** Aborted when the child is to stop. */
  readonly stopping: AbortController;
  readonly running: Running | null;
  /** When it was restarted lately, within the policy's window; the clock's monotonic milliseconds. */
  readonly restarts: readonly number[];
  /** The last one. */
  readonly fault: unknown;
};

const recent = ({ restarts, clock, policy }: Context): readonly number[] =>
  restarts.filter((at) => at > clock.monotonic() - policy.withinMs);

/** One child's life. */
export const childMachine = setup({
  types: {
    context: {} as Context,
    events: {} as { type: 'stop' },
    emitted: {} as { type: 'failed'; fault: unknown },
    input: {} as Pick<Context, 'child' | 'policy' | 'clock'>,
    tags: {} as 'settled',
  },
  actors: {
    start: fromPromise<Running, Context>(({ input }) => input.child.start(input.stopping.signal)),
    failure: fromPromise<unknown, Running>(({ input }) => input.failed ?? new Promise(() => {})),
    stop: fromPromise<void, Running>(({ input }) => input.stop()),
  },
  guards: {
    isToStop: ({ context }) => context.stopping.signal.aborted,
    hasRun: ({ context }) => context.running !== null,
    isHopeless: ({ context }) => recent(context).length >= context.policy.mostRestarts,
  },
  delays: {
    backoff: ({ context }) => {
      const { firstDelayMs, mostDelayMs } = context.policy;
      return Math.min(mostDelayMs, firstDelayMs * 2 ** (recent(context).length - 1));
    },
  },
  actions: {
    keepRunning: assign((_, running: Running) => ({ running })),
    keepFault: assign((_, params: { fault: unknown }) => ({ fault: params.fault })),
    report: enqueueActions(({ enqueue }, params: { fault: unknown }) => {
      enqueue.assign({ fault: params.fault });
      enqueue.emit({ type: 'failed', fault: params.fault });
    }),
    countRestart: assign(({ context }) => ({ restarts: [...recent(context), context.clock.monotonic()] })),
    askToStop: ({ context }) => context.stopping.abort(new Error('stopping')),
  },
}).createMachine({
  id: 'child',
  context: ({ input }) => ({ ...input, stopping: new AbortController(), running: null, restarts: [], fault: null }),
  initial: 'starting',
  states: {
    starting: {
      on: { stop: { actions: 'askToStop' } }, // what has begun to start is stopped when it has
      invoke: {
        src: 'start',
        input: ({ context }) => context,
        onDone: [
          {
            guard: 'isToStop',
            target: 'stopping',
            actions: { type: 'keepRunning', params: ({ event }) => event.output },
          },
          { target: 'running', actions: { type: 'keepRunning', params: ({ event }) => event.output } },
        ],
        onError: [
          { guard: 'isToStop', target: 'stopped' },
          {
            guard: 'hasRun',
            target: 'failed',
            actions: { type: 'report', params: ({ event }) => ({ fault: event.error }) },
          },
          // What fails at its very first start is most likely set up wrongly: said at once, not tried again.
          { target: 'givenUp', actions: { type: 'keepFault', params: ({ event }) => ({ fault: event.error }) } },
        ],
      },
    },
    running: {
      tags: 'settled',
      on: { stop: 'stopping' },
      invoke: {
        src: 'failure',
        input: ({ context }) => context.running!,
        onDone: { target: 'clearing', actions: { type: 'report', params: ({ event }) => ({ fault: event.output }) } },
        onError: { target: 'clearing', actions: { type: 'report', params: ({ event }) => ({ fault: event.error }) } },
      },
    },
    clearing: {
      on: { stop: { actions: 'askToStop' } },
      invoke: {
        src: 'stop',
        input: ({ context }) => context.running!,
        onDone: 'failed',
        onError: { target: 'failed', actions: { type: 'report', params: ({ event }) => ({ fault: event.error }) } },
      },
    },
    failed: {
      always: [
        { guard: 'isToStop', target: 'stopped' },
        { guard: 'isHopeless', target: 'givenUp' },
        { target: 'waiting', actions: 'countRestart' },
      ],
    },
    waiting: {
      on: { stop: 'stopped' },
      after: { backoff: 'starting' },
    },
    stopping: {
      invoke: {
        src: 'stop',
        input: ({ context }) => context.running!,
        onDone: 'stopped',
        onError: { target: 'stopped', actions: { type: 'report', params: ({ event }) => ({ fault: event.error }) } },
      },
    },
    stopped: { type: 'final' },
    givenUp: { type: 'final' },
  },
});

export type SupervisorOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly policy?: Policy;
};

export class Supervisor {
  readonly #children: readonly Child[];
  readonly #options: SupervisorOptions;
  /** Those begun, in their order. */
  readonly #lives: { readonly child: Child; readonly actor: Actor<typeof childMachine> }[] = [];
  #giveUp: (fault: Error) => void = () => {};
  #stopped: Promise<void> | undefined;
  /** Resolves when a child that had run was given up; never otherwise. The others go on until `stop`. */
  readonly failed: Promise<Error>;

  constructor(children: readonly Child[], options: SupervisorOptions) {
    this.#children = children;
    this.#options = options;
    this.failed = new Promise((resolve) => (this.#giveUp = resolve));
  }

  /** Starts one child after the other. When one can't, stops those before it in reverse order and throws its fault. */
  async start(): Promise<void> {
    for (const child of this.#children) {
      if (this.#stopped !== undefined) return;
      const fault = await this.#begin(child);
      if (fault === undefined) continue;
      await this.stop();
      throw new Error(`${child.name} cannot start: ${messageOf(fault)}`, { cause: fault });
    }
  }

  /** Stops all in reverse order, one after the other; what is just starting is stopped when it has started. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** What each child is doing, for status: `starting`, `running`, `waiting`, `stopped`, `givenUp` ... */
  get states(): ReadonlyMap<string, string> {
    return new Map(this.#lives.map(({ child, actor }) => [child.name, actor.getSnapshot().value]));
  }

  /** Resolves when the child runs, with undefined, or has ended, with its fault if that was why. */
  #begin(child: Child): Promise<unknown> {
    const { clock, log, policy = defaultPolicy } = this.#options;
    const actor = createActor(childMachine, { input: { child, policy, clock }, clock: timersOf(clock) });
    this.#lives.push({ child, actor });
    actor.on('failed', ({ fault }) => log.error('a child failed', { child: child.name, fault }));
    return new Promise((resolve) => {
      let hasRun = false;
      actor.subscribe((life) => {
        if (life.value === 'running') {
          hasRun = true;
          resolve(undefined);
        }
        if (life.status !== 'done') return;
        const { fault } = life.context;
        resolve(life.value === 'givenUp' ? (fault ?? new Error('no reason given')) : undefined);
        if (life.value !== 'givenUp' || !hasRun) return;
        log.error('a child was given up', { child: child.name, restarts: life.context.restarts.length });
        this.#giveUp(new Error(`${child.name} was given up: ${messageOf(fault)}`));
      });
      actor.start();
    });
  }

  async #stop(): Promise<void> {
    for (const { actor } of [...this.#lives].reverse()) {
      if (actor.getSnapshot().status !== 'active') continue;
      const ended = new Promise<void>((resolve) => actor.subscribe({ complete: resolve }));
      actor.send({ type: 'stop' });
      await ended;
    }
  }
}

const messageOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
