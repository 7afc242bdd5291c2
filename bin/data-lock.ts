/**
 * One process to a data directory: `run/homing.lock` holds the pid. Leases and registrations lean on it: whoever holds
 * the lock knows that every earlier process on these databases is dead, and may take its place at once.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

export type DataLock = { release(): void };

/** Takes the lock or throws a CommandError that names the pid that has it. A dead process's lock is replaced. */
export function lockData(data: string): DataLock {
  mkdirSync(join(data, 'run'), { recursive: true, mode: 0o700 });
  const path = join(data, 'run', 'homing.lock');
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, `${process.pid}\n${startTime(process.pid) ?? ''}\n`);
      closeSync(file);
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = lockHolder(data);
      if (holder !== undefined) throw new CommandError(`${data}: in use by process ${holder}`);
      rmSync(path, { force: true });
    }
  }
  throw new CommandError(`${path}: another process takes it again and again`);
}

/** The pid of the live process that holds the lock, if one does. */
export function lockHolder(data: string): number | undefined {
  const path = join(data, 'run', 'homing.lock');
  if (!existsSync(path)) return undefined;
  const [pidText = '', started = ''] = readFileSync(path, 'utf8').split('\n');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  // A pid is used again after a reboot: the start time tells the holder from a stranger.
  const now = startTime(pid);
  return started !== '' && now !== undefined && now !== started ? undefined : pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot; undefined where there is no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined; // no /proc here: the pid alone must do
  }
}
