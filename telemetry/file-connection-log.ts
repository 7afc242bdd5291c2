/** The connection log in a file (docs/logs.md): keeps each connection's entries in their order, and in their number. */
import type { Clock } from '../kernel/clock.ts';
import { type AppendedFile, openAppendedFile } from './appended-file.ts';
import { type Code, entryLine } from './connection-entry.ts';
import {
  type Attempt,
  type ConnectionLog,
  type ConnectionRecord,
  type Counts,
  type Ends,
  silentConnectionLog,
} from './connection-log.ts';
import type { Log } from './log.ts';

export type FileConnectionLogOptions = {
  readonly file: string;
  /** The protocols that are logged, as listeners name them. */
  readonly protocols: readonly string[];
  /** Who logs: the node's name. */
  readonly source: string;
  readonly clock: Pick<Clock, 'wall' | 'monotonic' | 'after'>;
  /** Told what becomes of this one. */
  readonly log: Log;
};

export type FileConnectionLog = ConnectionLog & {
  /** Writes what is held and closes the file; the log says nothing afterwards. */
  close(): void;
};

/** The words of PMDF's entries. LMTP has none: nobody logs in there. */
const SERVICES: Readonly<Record<string, string>> = { pop3: 'POP3', imap: 'IMAP', poppwd: 'POPPASSD' };

/** @throws when the file can't be opened */
export function openConnectionLog({
  file,
  protocols,
  source,
  clock,
  log,
}: FileConnectionLogOptions): FileConnectionLog {
  const lines = openAppendedFile({
    path: file,
    clock,
    faulty: (fault) => log.error('the connection log cannot be written', { file, fault }),
    lost: (count) => log.error('entries of the connection log were lost', { file, lines: count }),
  });
  return { ...connectionLogTo({ source, clock, lines }, protocols), close: () => lines.close() };
}

/** The same into whatever takes lines. */
export function connectionLogTo(around: Around, protocols: readonly string[]): ConnectionLog {
  return {
    begin(ends, protocol) {
      const service = protocols.includes(protocol) ? SERVICES[protocol] : undefined;
      return service === undefined ? silentConnectionLog.begin(ends, protocol) : new Entries(ends, service, around);
    },
  };
}

/** What all records share. */
export type Around = {
  readonly source: string;
  readonly clock: Pick<Clock, 'wall' | 'monotonic'>;
  readonly lines: Pick<AppendedFile, 'write'>;
};

/** A class, since closures of its own would cost each idle connection more than its fields. */
class Entries implements ConnectionRecord {
  readonly #ends: Ends;
  readonly #service: string;
  readonly #around: Around;
  readonly #begunMs: number;
  /** `opened`: the O is written. */
  #phase: 'log-in' | 'opened' | 'over' = 'log-in';

  constructor(ends: Ends, service: string, around: Around) {
    this.#ends = ends;
    this.#service = service;
    this.#around = around;
    this.#begunMs = around.clock.monotonic();
  }

  failed({ name, mechanism, reason }: Attempt): void {
    if (this.#phase === 'log-in') this.#write('A', { user: name, mechanism, reason });
  }

  opened(login?: { readonly account: string; readonly mechanism: string }): void {
    if (this.#phase !== 'log-in') return;
    this.#phase = 'opened';
    this.#write('O', { user: login?.account, mechanism: login?.mechanism });
  }

  ended(how: 'closed' | 'aborted', ending: string, { octetsIn, octetsOut }: Counts): void {
    if (this.#phase === 'over') return;
    this.opened(); // without a log-in: its phase is over as well
    this.#phase = 'over';
    const seconds = (this.#around.clock.monotonic() - this.#begunMs) / 1000;
    const fields = { ending, duration: seconds.toFixed(2), in: octetsIn, out: octetsOut };
    this.#write(how === 'closed' ? 'C' : 'X', fields);
  }

  #write(code: Code, fields: Readonly<Record<string, string | number | undefined>>): void {
    const { source, clock, lines } = this.#around;
    lines.write(entryLine({ wallMs: clock.wall(), source, code, ends: this.#ends, service: this.#service, fields }));
  }
}
