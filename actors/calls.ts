/**
 * A session's questions to the house: logs those that fail, and knows when none is under way any more, so that what a
 * late answer opened can be given back after the client has vanished.
 */
import type { Log } from '../telemetry/log.ts';

export class Calls {
  readonly #session: string;
  readonly #log: Log;
  #underWay: Promise<unknown> | undefined;
  #what: string | undefined;

  constructor(session: string, log: Log) {
    this.#session = session;
    this.#log = log;
  }

  /**
   * Asks; a machine has at most one question under way. Throws what `ask` throws, after logging it, unless that is
   * expected: the client's doing and not the house's.
   */
  call<T>(what: string, ask: () => Promise<T>, isExpected: (thrown: unknown) => boolean = () => false): Promise<T> {
    const asked = this.#ask(what, ask, isExpected);
    this.#underWay = asked;
    this.#what = what;
    return asked;
  }

  /** What is asked at this moment; undefined: nothing. */
  get underWay(): string | undefined {
    return this.#underWay && this.#what;
  }

  /** Resolves when no question is under way, however the last one ended. */
  async settled(): Promise<void> {
    await this.#underWay?.catch(() => {}); // logged where it was asked
  }

  async #ask<T>(what: string, ask: () => Promise<T>, isExpected: (thrown: unknown) => boolean): Promise<T> {
    try {
      return await ask();
    } catch (fault) {
      if (!isExpected(fault)) this.#log.error(`${what} failed`, { session: this.#session, fault });
      throw fault;
    } finally {
      this.#underWay = undefined;
    }
  }
}
