/**
 * A session's log-ins, whatever the protocol: who is logged in, and what the connection log hears of each attempt. The
 * machines know nothing of it; it stands between them and the services that they ask.
 */
import type { Result } from '../kernel/result.ts';
import type { ConnectionRecord, Counts } from '../telemetry/connection-log.ts';
import { cutName } from '../telemetry/redact.ts';

/** Who is logged in: by the account's name then, which may be another since, and by what it keeps for ever. */
export type Identity = { readonly account: string; readonly accountId: string };

/** `reason`: what the log may know and the client may not (G-10); without one the refusal itself tells. */
export type Answer<T extends Identity, R extends string> = Result<T, R> & {
  readonly reason?: string;
};

export class LogIns {
  readonly #record: ConnectionRecord;
  #holder: Identity | undefined;
  #underWay: Promise<unknown> | undefined;

  constructor(record: ConnectionRecord) {
    this.#record = record;
  }

  /** Whoever is logged in, by the account's name. */
  get account(): string | undefined {
    return this.#holder?.account;
  }

  /** The same by the account's id. */
  get accountId(): string | undefined {
    return this.#holder?.accountId;
  }

  /** Asks, and tells the record what came of it. Throws what `ask` throws. */
  attempt<T extends Identity, R extends string>(
    by: { readonly name: string; readonly mechanism: string },
    signal: AbortSignal,
    ask: () => Promise<Answer<T, R>>,
  ): Promise<Answer<T, R>> {
    const asked = this.#attempt(by, signal, ask);
    this.#underWay = asked;
    return asked;
  }

  /** An attempt under way comes before the end: a guesser that does not wait for the answer is written down as well. */
  ended(how: 'closed' | 'aborted', ending: string, counts: Counts): void {
    const tell = () => this.#record.ended(how, ending, counts);
    if (this.#underWay === undefined) tell();
    else void this.#underWay.then(tell, tell);
  }

  async #attempt<T extends Identity, R extends string>(
    { name, mechanism }: { readonly name: string; readonly mechanism: string },
    signal: AbortSignal,
    ask: () => Promise<Answer<T, R>>,
  ): Promise<Answer<T, R>> {
    const failed = (reason: string) => this.#record.failed({ name: cutName(name), mechanism, reason });
    try {
      const answer = await ask();
      if (answer.ok) {
        const { account, accountId } = answer.value;
        this.#holder = { account, accountId };
        this.#record.opened({ account, mechanism });
      } else failed(isUnanswered(answer.refusal, signal) ? 'client-gone' : (answer.reason ?? answer.refusal));
      return answer;
    } catch (fault) {
      failed(signal.aborted ? 'client-gone' : 'fault');
      throw fault;
    } finally {
      this.#underWay = undefined;
    }
  }
}

/** What is asked for a client that is gone is broken off, and then put off; any other answer was there already. */
const isUnanswered = (refusal: string, signal: AbortSignal): boolean => signal.aborted && refusal === 'unavailable';
