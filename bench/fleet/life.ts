/**
 * The life of a child process: how it ended, and signals to it as long as it lives.
 *
 * Signals go by the process number: Deno sends a child one signal in its life by `ChildProcess.kill`, and takes the child
 * for ended after it (denoland/deno issue 36643, in 2.9.5). Whether it lives is told by its `exit` alone.
 */
import type { ChildProcess } from 'node:child_process';

export type Life = {
  readonly pid: number;
  isAlive(): boolean;
  /** Does nothing once it has ended: its number may be another's. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit status, the signal that ended it, or why it could not be started. */
  readonly ended: Promise<string>;
};

export function lifeOf(child: ChildProcess): Life {
  const pid = child.pid ?? 0; // 0: could not be started
  let isAlive = pid !== 0;
  const ended = new Promise<string>((resolve) => {
    const end = (how: string) => {
      isAlive = false;
      resolve(how);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(String(signal ?? code)));
  });
  return {
    pid,
    isAlive: () => isAlive,
    signal: (signal) => {
      if (!isAlive) return;
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // just gone, and its `exit` is on the way
      }
    },
    ended,
  };
}
