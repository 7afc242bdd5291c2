/**
 * A node's bus as if it lay across a network from the rest, in one process and by a seed: what comes and goes takes a few turns
 * of the loop, in order in each direction, as over one connection to NATS. Now and then an answer is lost on its way, or an event.
 */
import { type AskOptions, type Bus, BusError, type Service } from '../../cluster/bus/bus.ts';
import { throughFrame } from '../../cluster/frames.ts';
import type { Chance } from './seeded.ts';

export type Losses = {
  /** Of so many answers one is lost, after what was asked is done; 0: none. */
  readonly answersOneIn: number;
  /** Of so many events one is lost; 0: none. */
  readonly eventsOneIn: number;
};
export const noLosses: Losses = { answersOneIn: 0, eventsOneIn: 0 };

/** One direction: first in, first out, some at each turn. */
class Link {
  readonly #chance: Chance;
  readonly #waiting: (() => void)[] = [];
  #isRunning = false;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  pass(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#isRunning) return;
      this.#isRunning = true;
      setImmediate(this.#turn);
    });
  }

  readonly #turn = (): void => {
    for (let most = this.#chance.below(4); most > 0 && this.#waiting.length > 0; most--) this.#waiting.shift()!();
    if (this.#waiting.length > 0) setImmediate(this.#turn);
    else this.#isRunning = false;
  };
}

export function farBus(near: Bus, chance: Chance, losses: Losses = noLosses): Bus {
  const [out, back] = [new Link(chance.fork()), new Link(chance.fork())];
  const isLost = (oneIn: number) => oneIn > 0 && chance.oneIn(oneIn);
  return {
    async ask(subject: string, request: unknown, options: AskOptions): Promise<unknown> {
      await out.pass();
      options.signal?.throwIfAborted();
      let answer: unknown;
      try {
        answer = throughFrame(await near.ask(subject, throughFrame(request), options));
      } finally {
        await back.pass();
      }
      if (isLost(losses.answersOneIn)) throw new BusError('timeout', subject);
      return answer;
    },
    async *stream(subject, request, options) {
      await out.pass();
      for await (const chunk of near.stream(subject, throughFrame(request), options)) {
        await back.pass();
        yield chunk;
      }
    },
    async subscribe(subject, listener): Promise<Service> {
      await out.pass();
      const service = await near.subscribe(subject, (message, on) => {
        if (isLost(losses.eventsOneIn)) return;
        void back.pass().then(() => listener(throughFrame(message), on));
      });
      await back.pass();
      return service;
    },
    publish: (subject, message) => void out.pass().then(() => near.publish(subject, throughFrame(message))),
    serve: (subject, handler, options) => near.serve(subject, handler, options),
    serveStream: (subject, handler) => near.serveStream(subject, handler),
    connected: () => near.connected(),
    onConnection: (listener) => near.onConnection(listener),
    close: async () => {},
  };
}
