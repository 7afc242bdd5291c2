/** A connection log that also counts the log-ins it hears of, by mechanism: whether or not anything is written of them. */
import type { Attempt, ConnectionLog, ConnectionRecord, Counts } from './connection-log.ts';
import type { ProtocolStatistics, Statistics } from './statistics.ts';

export const countedConnectionLog = (inner: ConnectionLog, statistics: Statistics): ConnectionLog => ({
  begin: (ends, protocol) => new CountedRecord(inner.begin(ends, protocol), statistics.of(protocol)),
});

/** A class: closures would cost each idle connection their room. */
class CountedRecord implements ConnectionRecord {
  readonly #inner: ConnectionRecord;
  readonly #statistics: ProtocolStatistics;

  constructor(inner: ConnectionRecord, statistics: ProtocolStatistics) {
    this.#inner = inner;
    this.#statistics = statistics;
  }

  failed(attempt: Attempt): void {
    this.#statistics.loggedIn(attempt.mechanism, false);
    this.#inner.failed(attempt);
  }

  opened(login?: { readonly account: string; readonly mechanism: string }): void {
    if (login !== undefined) this.#statistics.loggedIn(login.mechanism, true);
    this.#inner.opened(login);
  }

  ended(how: 'closed' | 'aborted', ending: string, counts: Counts): void {
    this.#inner.ended(how, ending, counts);
  }
}
