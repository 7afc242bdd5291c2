/**
 * Lines to a file descriptor, in order, behind the caller's back: the log's last yard.
 *
 * A disk that is full or a reader that stands still never stops the caller and never ends the process: lines wait up to
 * a bound, beyond it they are dropped and counted, and what waits is tried again by the clock until it can be written.
 */
import fs from 'node:fs';
import type { Clock } from '../kernel/clock.ts';

export type LineWriter = {
  /** @param line  with its LF */
  write(line: string): void;
  /** Lines dropped since this was last called, told to `say`; they count on if what `say` writes is dropped too. */
  sayLost(say: (lines: number) => void): void;
  /** Writes what waits before it returns, as far as that can be done in half a second. */
  flush(): void;
  /** Writes what waits, once more, and closes the descriptor (but standard error); writes nothing afterwards. */
  close(): Promise<void>;
};

/** The system's calls; a test hands in its own. */
export type FileSystem = Pick<typeof fs, 'writeSync' | 'closeSync'> & {
  write(fd: number, octets: Uint8Array, done: (error: Error | null, written: number) => void): void;
};

const STDERR = 2;
const MAX_WAITING_OCTETS = 4 * 1024 * 1024;
const MAX_BATCH_LINES = 256;
const RETRY_MS = 250;
const FLUSH_ATTEMPTS = 100;
const FLUSH_PAUSE_MS = 5;

export function lineWriter(fd: number, clock: Pick<Clock, 'after'>, system: FileSystem = fs): LineWriter {
  const waiting: Buffer[] = [];
  let waitingOctets = 0;
  /** With the system now, or refused by it and to be tried again. */
  let batch: Buffer | undefined;
  let state: 'idle' | 'writing' | 'retrying' | 'closed' = 'idle';
  let lost = 0;
  let onSettled: (() => void) | undefined;

  const takeBatch = () => {
    const lines = waiting.splice(0, MAX_BATCH_LINES);
    return lines.length === 0 ? undefined : Buffer.concat(lines);
  };

  const next = () => {
    batch ??= takeBatch();
    if (batch === undefined) {
      state = 'idle';
      return onSettled?.();
    }
    state = 'writing';
    system.write(fd, batch, (error, written) => {
      if (error === null) {
        advance(written);
        return next();
      }
      if (onSettled !== undefined) return onSettled(); // closing: there is no later
      state = 'retrying';
      clock.after(RETRY_MS, () => {
        if (state === 'retrying') next();
      });
    });
  };

  const advance = (written: number) => {
    waitingOctets -= written;
    batch = written < batch!.length ? batch!.subarray(written) : undefined;
  };

  return {
    write(line) {
      if (state === 'closed') return;
      const octets = Buffer.from(line);
      if (waitingOctets + octets.length > MAX_WAITING_OCTETS) {
        lost++;
        return;
      }
      waiting.push(octets);
      waitingOctets += octets.length;
      if (state === 'idle') next();
    },
    sayLost(say) {
      if (lost === 0) return;
      const before = lost;
      lost = 0;
      say(before);
      if (lost > 0) lost = before; // no room for that line either
    },
    flush() {
      if (state === 'closed') return;
      // A batch that the system is writing is its to finish; one that it refused is ours.
      let mine = state === 'writing' ? takeBatch() : (batch ?? takeBatch());
      for (let attempt = 0; mine !== undefined && attempt < FLUSH_ATTEMPTS; ) {
        try {
          const written = system.writeSync(fd, mine);
          waitingOctets -= written;
          mine = written < mine.length ? mine.subarray(written) : takeBatch();
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break; // nowhere left to say so
          attempt++;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_PAUSE_MS);
        }
      }
      if (state === 'writing') {
        if (mine !== undefined) waiting.unshift(mine);
      } else batch = mine;
    },
    close() {
      return new Promise((resolve, reject) => {
        if (state === 'closed' || onSettled !== undefined) return resolve();
        onSettled = () => {
          state = 'closed';
          try {
            if (fd !== STDERR) system.closeSync(fd);
            resolve();
          } catch (error) {
            reject(error);
          }
        };
        if (state !== 'writing') next();
      });
    },
  };
}
