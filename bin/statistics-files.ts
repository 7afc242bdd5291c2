/**
 * Run-time statistics on SIGHUP: a dated block appended to `log/pop3d.stats` and its like, one for each daemon that the node
 * is (daemons.ts). Asked again while it writes, it writes once more afterwards: a hundred signals at once are harmless. What
 * can't be written is logged; nothing stops for it.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { type Statistics, statisticsBlock } from '../telemetry/statistics.ts';
import { daemonOf, type Protocol } from './daemons.ts';

export type StatisticsFilesOptions = {
  readonly statistics: Statistics;
  /** The data directory: `log/` lies in it, and is not made here. */
  readonly data: string;
  readonly node: string;
  readonly version: string;
  /** Whose files are written, at the moment of writing. */
  readonly protocols: () => readonly Protocol[];
  readonly clock: Clock;
  readonly log: Log;
  readonly pid?: number;
};

export class StatisticsFiles {
  readonly #options: StatisticsFilesOptions;
  readonly #startedMs: number;
  readonly #startedAt: number;
  #underWay: Promise<void> | undefined;
  #isWanted = false;

  constructor(options: StatisticsFilesOptions) {
    this.#options = options;
    this.#startedMs = options.clock.wall();
    this.#startedAt = options.clock.monotonic();
  }

  /** Resolves when a block that was begun after this call is written, or was said to be lost. Never rejects. */
  write(): Promise<void> {
    this.#isWanted = true;
    this.#underWay ??= this.#writeAll();
    return this.#underWay;
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // until the caller has kept this promise
    while (this.#isWanted) {
      this.#isWanted = false;
      for (const protocol of this.#options.protocols()) await this.#append(protocol);
    }
    this.#underWay = undefined;
  }

  async #append(protocol: Protocol): Promise<void> {
    const { statistics, data, node, version, clock, log, pid = process.pid } = this.#options;
    const daemon = daemonOf(protocol);
    const path = join(data, 'log', `${daemon}.stats`);
    const head = {
      daemon,
      node,
      pid,
      version,
      nowMs: clock.wall(),
      startedMs: this.#startedMs,
      uptimeMs: clock.monotonic() - this.#startedAt,
    };
    try {
      await appendFile(path, statisticsBlock(head, statistics.of(protocol).read()), { mode: 0o640 });
    } catch (error) {
      log.error('statistics could not be written', { path, reason: (error as Error).message });
    }
  }
}
