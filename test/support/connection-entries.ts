/** The connection log read back: each line taken apart by its documented form (docs/logs.md), or refused loudly. */
import type { Clock } from '../../kernel/clock.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { ConnectionLog } from '../../telemetry/connection-log.ts';
import { connectionLogTo } from '../../telemetry/file-connection-log.ts';

export type ReadEntry = {
  readonly date: string;
  readonly source: string;
  readonly code: string;
  readonly transport: readonly string[];
  readonly service: string;
  readonly fields: Readonly<Record<string, string>>;
};

const LINE =
  /^(\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d\d) (\S+) \+ ([AOCX]) (TCP\|[0-9A-Fa-f.:]+\|\d+\|[0-9A-Fa-f.:]*\|\d+|UNIX\|[^\s|]+) (POP3|IMAP|POPPASSD)((?: [a-z]+=[!-~]*)+)\n$/;

/** @param line  with its LF */
export function readEntry(line: string): ReadEntry {
  const read = LINE.exec(line);
  if (read === null) throw new Error(`no entry of a connection log: ${JSON.stringify(line)}`);
  const [, date, source, code, transport, service, fields] = read as unknown as readonly string[];
  const pairs = fields!
    .trim()
    .split(' ')
    .map((field): [string, string] => [
      field.slice(0, field.indexOf('=')),
      decodeURIComponent(field.slice(field.indexOf('=') + 1)),
    ]);
  return {
    date: date!,
    source: source!,
    code: code!,
    transport: transport!.split('|'),
    service: service!,
    fields: Object.fromEntries(pairs),
  };
}

/** A connection log that is kept in memory. */
export function keptConnectionLog(clock: Pick<Clock, 'wall' | 'monotonic'> = systemClock) {
  const lines: string[] = [];
  const log: ConnectionLog = connectionLogTo({ source: 'n1', clock, lines: { write: (line) => lines.push(line) } }, [
    'pop3',
    'imap',
    'poppwd',
  ]);
  return {
    log,
    lines,
    entries: () => lines.map(readEntry),
    /** `A A O X`, for one session or for the only one. */
    codes: (session?: string) =>
      lines
        .map(readEntry)
        .filter(({ fields }) => session === undefined || fields['session'] === session)
        .map(({ code }) => code)
        .join(' '),
  };
}
