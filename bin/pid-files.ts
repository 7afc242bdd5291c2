/**
 * `run/pop3d.lock` and its like: the process's id in decimal, with a line end, for whoever sends it a signal.
 *
 * They lock nothing, for that is run/homing.lock's (data-lock.ts): who writes them holds it, so one that is here already is
 * a dead process's, and is replaced. Each appears whole, by rename(2), and goes with a clean stop.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type PidFiles = {
  /** Those of these daemons are there from now on, and no others. */
  set(daemons: readonly string[]): void;
  remove(): void;
};

/** @param data  whose lock this process holds */
export function pidFiles(data: string, known: readonly string[], pid: number = process.pid): PidFiles {
  const run = join(data, 'run');
  const pathOf = (daemon: string) => join(run, `${daemon}.lock`);
  const text = `${pid}\n`;
  const set = (daemons: readonly string[]): void => {
    mkdirSync(run, { recursive: true, mode: 0o700 });
    for (const daemon of known) if (!daemons.includes(daemon)) rmSync(pathOf(daemon), { force: true });
    for (const daemon of daemons) {
      const draft = `${pathOf(daemon)}.draft`;
      writeFileSync(draft, text, { mode: 0o600 });
      renameSync(draft, pathOf(daemon));
    }
  };
  return {
    set,
    remove: () => {
      for (const daemon of known) if (textOf(pathOf(daemon)) === text) rmSync(pathOf(daemon), { force: true });
    },
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
