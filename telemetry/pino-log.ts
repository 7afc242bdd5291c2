/**
 * The server log on pino: one line an entry, JSON or text, to standard error or a file that is appended to.
 *
 * No worker thread. line-writer.ts writes; a log that can't be written never stops the server. Every field passes
 * through redact.ts.
 */
import { openSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock } from '../kernel/clock.ts';
import { type LineWriter, lineWriter } from './line-writer.ts';
import type { Fields, Log } from './log.ts';
import { redact } from './redact.ts';
import { textLine } from './text-line.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

export type LogOptions = {
  /** The least urgent level that is written. */
  readonly level: Level;
  readonly format: 'text' | 'json';
  readonly destination: 'stderr' | { readonly file: string };
  readonly clock: Pick<Clock, 'wall' | 'after'>;
};

export type ServerLog = Log & {
  /** From now on. */
  setLevel(level: Level): void;
  /** Writes at once what is still held, as far as it can: for the moment before the process ends by a fault. */
  flush(): void;
  /** Writes what is held and closes the file; the log says nothing afterwards. */
  close(): Promise<void>;
};

/** @throws if the file can't be opened */
export function openLog({ level, format, destination: to, clock }: LogOptions): ServerLog {
  const writer = lineWriter(to === 'stderr' ? STDERR : openSync(to.file, 'a', 0o640), clock);
  const stream: DestinationStream = format === 'json' ? writer : { write: (line) => writer.write(textLine(line)) };
  const logger = pino(
    {
      level,
      base: null, // who logs is said by `with`
      timestamp: () => `,"time":"${new Date(clock.wall()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const setLevel = (least: Level) => {
    logger.level = least;
  };
  return { ...logOn(logger, writer, {}), setLevel, flush: writer.flush, close: writer.close };
}

const STDERR = 2;

/** Bindings are merged here and not by pino, which would write a key twice that a child or an entry says again. */
function logOn(logger: Logger, writer: LineWriter, bound: Fields): Log {
  const write = (level: Level) => (message: string, fields?: Fields) => {
    if (!logger.isLevelEnabled(level)) return;
    writer.sayLost((lines) => logger.error({ ...bound, lines }, 'log lines were lost'));
    logger[level](fields === undefined ? bound : { ...bound, ...clean(fields) }, message);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => logOn(logger, writer, { ...bound, ...clean(fields) }),
  };
}

/** pino's own keys, which a field may not stand in for. */
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

const clean = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(redact(fields)).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, value]),
  );
