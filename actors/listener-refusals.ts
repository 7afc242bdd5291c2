/**
 * Connections that a listener does not let in, counted and told to the log: at most some lines of each reason in a while,
 * since a flood must not become one of lines.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Fields, Log } from '../telemetry/log.ts';
import type { ProtocolStatistics } from '../telemetry/statistics.ts';

export type RefusalReason =
  /** It had reset before it was accepted: nothing is known of it, and nobody is left. */
  | 'gone'
  /** All channels are taken, or the listener is being stopped. */
  | 'no-channel'
  /** Not on the list of addresses. */
  | 'address'
  /** The address has too many connections open, or makes them too fast. */
  | 'too-many'
  | 'too-fast'
  /** On a listener for balancers: not one of them, or without a header. */
  | 'no-balancer'
  | 'no-header'
  | 'nologin'
  /** Its header was still awaited when the listener was stopped. */
  | 'shutdown'
  /** Its session could not begin. */
  | 'fault';

const TEXT: Readonly<Record<RefusalReason, string>> = {
  gone: 'connection refused: it was reset before it was accepted',
  'no-channel': 'connection refused: no channel free',
  address: 'connection refused: its address is not allowed',
  'too-many': 'connection refused: its address has too many',
  'too-fast': 'connection refused: its address makes them too fast',
  'no-balancer': 'connection refused: not from a trusted balancer',
  'no-header': 'connection refused: no PROXY header',
  nologin: 'connection refused: nologin',
  shutdown: 'connection refused: the node is being stopped',
  fault: 'connection refused: its session could not begin',
};

/** Of each reason, in WINDOW_MS. */
const MOST_LINES = 10;
const WINDOW_MS = 10_000;

type Window = { sinceMs: number; lines: number; unsaid: number };

export type RefusalsOptions = {
  readonly log: Log;
  readonly clock: Clock;
  readonly statistics?: ProtocolStatistics | undefined;
};

export class Refusals {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #statistics: ProtocolStatistics | undefined;
  readonly #windows = new Map<RefusalReason, Window>();

  constructor({ log, clock, statistics }: RefusalsOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#statistics = statistics;
  }

  tell(reason: RefusalReason, fields: Fields): void {
    this.#statistics?.connectionRefused(reason);
    const nowMs = this.#clock.monotonic();
    let window = this.#windows.get(reason);
    if (window === undefined || nowMs - window.sinceMs >= WINDOW_MS) {
      window = { sinceMs: nowMs, lines: 0, unsaid: 0 };
      this.#windows.set(reason, window);
    }
    if (window.lines < MOST_LINES) {
      window.lines += 1;
      this.#log.info(TEXT[reason], fields);
      return;
    }
    if (window.unsaid === 0)
      this.#clock.after(window.sinceMs + WINDOW_MS - nowMs, () => this.#sumUp(reason, window, fields));
    window.unsaid += 1;
  }

  #sumUp(reason: RefusalReason, { unsaid }: Window, { protocol }: Fields): void {
    this.#log.info('more connections were refused', { protocol, reason, times: unsaid });
  }
}
