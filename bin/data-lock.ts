/**
 * One process to a data directory: `run/homing.lock` names its holder. Leases and registrations lean on it: whoever holds
 * the lock knows that every earlier process on these databases is dead, and may take its place at once.
 *
 * A lock file appears whole, by link(2), and only where there is none. A dead holder is succeeded, not removed: the right
 * to succeed it is a file of its own, named after what the dead one wrote, so that one process alone can have it. A
 * successor that died before it was done is succeeded the same way. The last of this line holds the lock.
 */
import { createHash, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

export type DataLock = { release(): void };

const LOCK = 'homing.lock';
/** Each try was lost to another process, which then has the lock or is gone again. */
const ATTEMPTS = 20;

/** Takes the lock or throws a CommandError that names the pid that has it. A dead process's lock is replaced. */
export function lockData(data: string): DataLock {
  const run = join(data, 'run');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const nonce = randomBytes(8).toString('hex');
  const mine = `${process.pid}\n${startTime(process.pid) ?? ''}\n${nonce}\n`;
  const draft = join(run, `${LOCK}.draft-${nonce}`);
  writeFileSync(draft, mine, { flag: 'wx', mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++)
      if (take(data, run, draft, mine)) return { release: () => release(run, mine) };
  } finally {
    rmSync(draft, { force: true });
  }
  throw new CommandError(`${join(run, LOCK)}: other processes take it again and again`);
}

function take(data: string, run: string, draft: string, mine: string): boolean {
  const last = lastHolder(run);
  if (last === undefined) return linked(draft, join(run, LOCK));
  const pid = livePid(last);
  if (pid !== undefined) throw new CommandError(`${data}: in use by process ${pid}`);
  const right = join(run, successorOf(last));
  if (!linked(draft, right)) return false;
  // The line may have been cleared while we looked: then the right is to nothing, and this shows it.
  if (lastHolder(run) !== mine) {
    rmSync(right, { force: true });
    return false;
  }
  renameSync(draft, join(run, LOCK)); // first: from here on the line begins with us, and rights to what was are void
  clearLine(run);
  return true;
}

/** What the last of the line wrote; undefined: nobody has the lock. */
function lastHolder(run: string): string | undefined {
  let last = textOf(join(run, LOCK));
  for (let next = last; next !== undefined; next = textOf(join(run, successorOf(next)))) last = next;
  return last;
}

const successorOf = (written: string): string =>
  `${LOCK}.after-${createHash('sha256').update(written).digest('hex').slice(0, 32)}`;

/** For the holder alone, while the line begins with it. */
function clearLine(run: string): void {
  for (const name of readdirSync(run)) if (name.startsWith(`${LOCK}.after-`)) rmSync(join(run, name), { force: true });
}

function release(run: string, mine: string): void {
  const path = join(run, LOCK);
  if (textOf(path) === mine) rmSync(path, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The pid in a lock file, when that process lives. */
function livePid(written: string): number | undefined {
  const [pidText = '', started = ''] = written.split('\n');
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
