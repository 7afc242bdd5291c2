/**
 * A file that lines are appended to and that others may rename meanwhile (logrotate): a line is with the operating system
 * when `write` returns, and within a second of the renaming lines go to a new file under the old name.
 *
 * A full disk stops nobody: what can't be written waits, up to a bound, and is tried again by the clock; beyond it lines
 * are dropped and counted. Regular files only, since another kind could hold up the whole process.
 */
import fs from 'node:fs';
import type { Clock } from '../kernel/clock.ts';

export type AppendedFile = {
  /** @param line  with its LF */
  write(line: string): void;
  /** Writes what waits, once more, and closes the file; writes nothing afterwards. */
  close(): void;
};

export type AppendedFileOptions = {
  readonly path: string;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Told what is wrong, once until it was right again. */
  readonly faulty: (fault: Error) => void;
  /** Told how many lines were dropped, once there is room again; at the end, also of those that still waited. */
  readonly lost: (lines: number) => void;
  /** The system's calls; a test hands in its own. */
  readonly system?: FileSystem;
};

export type FileSystem = Pick<typeof fs, 'openSync' | 'closeSync' | 'fstatSync' | 'statSync' | 'writeSync'>;

const MODE = 0o640;
const CHECK_MS = 1000;
const RETRY_MS = 250;
const MAX_WAITING_OCTETS = 1024 * 1024;

/** @throws when the file can't be opened, or is no regular file */
export function openAppendedFile({ path, clock, faulty, lost, system = fs }: AppendedFileOptions): AppendedFile {
  let fd = open(path, system);
  let lookedAtMs = clock.monotonic();
  let waiting: Buffer[] = [];
  let waitingOctets = 0;
  let dropped = 0;
  /** What was told and was not right again since: each by itself, for a file may be written and not be followed. */
  let cannotWrite = false;
  let cannotFollow = false;
  let isClosed = false;
  let isRetrying = false;
  /** A line of which a part is written: its rest belongs into the same file. */
  let isTorn = false;

  /** Is the name still this file's? Until a new one can be opened the old one goes on. */
  const follow = () => {
    const nowMs = clock.monotonic();
    if (isTorn || nowMs - lookedAtMs < CHECK_MS) return;
    lookedAtMs = nowMs;
    try {
      if (!isSame(system.fstatSync(fd), system.statSync(path, { throwIfNoEntry: false }))) {
        const renamed = fd;
        fd = open(path, system);
        system.closeSync(renamed);
      }
      cannotFollow = false;
    } catch (fault) {
      if (!cannotFollow) faulty(fault as Error);
      cannotFollow = true;
    }
  };

  /** What the system did not take is kept, from the octet at which it stopped. */
  const drain = () => {
    try {
      while (waiting.length > 0) {
        const written = system.writeSync(fd, waiting[0]!);
        waitingOctets -= written;
        isTorn = written < waiting[0]!.length;
        if (isTorn) waiting[0] = waiting[0]!.subarray(written);
        else waiting.shift();
      }
    } catch (fault) {
      if (!cannotWrite) faulty(fault as Error);
      cannotWrite = true;
      retryLater();
      return;
    }
    cannotWrite = false;
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    lost(lines);
  };

  const retryLater = () => {
    if (isRetrying || isClosed) return;
    isRetrying = true;
    clock.after(RETRY_MS, () => {
      isRetrying = false;
      if (isClosed) return;
      follow();
      drain();
    });
  };

  return {
    write(line) {
      if (isClosed) return;
      const octets = Buffer.from(line);
      if (waitingOctets + octets.length > MAX_WAITING_OCTETS) {
        dropped += 1;
        return;
      }
      follow();
      waiting.push(octets);
      waitingOctets += octets.length;
      if (!isRetrying) drain();
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      drain();
      const unwritten = dropped + waiting.length;
      if (unwritten > 0) lost(unwritten);
      waiting = [];
      system.closeSync(fd);
    },
  };
}

function open(path: string, system: FileSystem): number {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
  // Without O_NONBLOCK a FIFO that nobody reads would hold up the start for ever.
  const fd = system.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, MODE);
  if (system.fstatSync(fd).isFile()) return fd;
  system.closeSync(fd);
  throw new Error(`${path}: is no regular file`);
}

const isSame = (mine: fs.Stats, named: fs.Stats | undefined): boolean =>
  named !== undefined && mine.ino === named.ino && mine.dev === named.dev;
