/**
 * One process to a data directory: `run/homing.lock` names its holder. Leases and registrations lean on it: whoever holds
 * the lock knows that every earlier process on these databases is dead, and may take its place at once.
 *
 * That a holder lives shows by its socket beside the lock: the kernel takes connections to it for as long as the process
 * lives and refuses them afterwards, across containers too, where pids say nothing (docs/adr/0015-a-lock-that-answers.md).
 *
 * A lock file appears whole, by link(2), and only where there is none. A dead holder is succeeded, not removed: the right
 * to succeed it is a file of its own, named after what the dead one wrote, so that one process alone can have it. A
 * successor that died before it was done is succeeded the same way. The last of this line holds the lock. Takers in one
 * process are as apart as those of several: all that they know of each other is in these files.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

export type DataLock = { release(): void };
/** Where a process runs. `boot` is the kernel's name for its own start; empty where it tells none. */
export type Place = { readonly host: string; readonly boot: string };

const LOCK = 'homing.lock';
/** Each try was lost to another process, which then has the lock or is gone again. */
const ATTEMPTS = 20;
/** The kernel answers at once; what has not answered by then is not believed dead. */
const ASK_TIMEOUT_MS = 10_000;
/** What a socket's path may take, in octets: `sun_path` without its NUL. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * Takes the lock, replacing a dead process's.
 * @throws CommandError that names the process that has it, or may have it, and what to do
 */
export async function lockData(data: string, place: Place = thisPlace()): Promise<DataLock> {
  const run = join(data, 'run');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const nonce = randomBytes(9).toString('base64url');
  const written = `${process.pid}\n${place.host}\n${place.boot}\n${nonce}\n`;
  const draft = join(run, `${LOCK}.draft-${nonce}`);
  const socket = await listen(data, run, nonce); // before the lock: a holder is never without it
  try {
    writeSynced(draft, written); // once it is the lock it must be whole, through a loss of power too
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (!(await take(data, run, draft, written, place))) continue;
      return {
        release() {
          release(run, written);
          socket.close(); // after the lock, for the same reason
        },
      };
    }
    throw new CommandError(`${join(run, LOCK)}: other processes take it again and again`);
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

async function take(data: string, run: string, draft: string, mine: string, place: Place): Promise<boolean> {
  const line = lineOf(run);
  const last = line.at(-1);
  if (last === undefined) return linked(draft, join(run, LOCK));
  const trouble = await inTheWay(data, run, last, place);
  if (trouble) {
    if (lineOf(run).at(-1) !== last) return false; // it ended while we looked
    throw trouble;
  }
  const right = join(run, successorOf(last));
  if (!linked(draft, right)) return false;
  // The line may have been cleared while we looked: then the right is to nothing, and this shows it.
  if (lineOf(run).at(-1) !== mine) {
    rmSync(right, { force: true });
    return false;
  }
  renameSync(draft, join(run, LOCK)); // first: from here on the line begins with us, and rights to what was are void
  clearLine(run, line);
  return true;
}

/** What those of the line wrote, the last being who has the lock; empty: nobody has. */
function lineOf(run: string): string[] {
  const line = [];
  let next = textOf(join(run, LOCK));
  for (; next !== undefined; next = textOf(join(run, successorOf(next)))) line.push(next);
  return line;
}

const successorOf = (written: string): string =>
  `${LOCK}.after-${createHash('sha256').update(written).digest('hex').slice(0, 32)}`;

/** For the holder alone, while the line begins with it. */
function clearLine(run: string, dead: readonly string[]): void {
  for (const name of readdirSync(run)) if (name.startsWith(`${LOCK}.after-`)) rmSync(join(run, name), { force: true });
  for (const written of dead) rmSync(socketOf(run, holderOf(written)!.nonce), { force: true });
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

function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
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

type Holder = Place & { readonly pid: string; readonly nonce: string };

function holderOf(written: string): Holder | undefined {
  const found = /^(?<pid>[1-9][0-9]*)\n(?<host>.*)\n(?<boot>.*)\n(?<nonce>[\w-]{12})\n$/.exec(written)?.groups;
  return found && { pid: found['pid']!, host: found['host']!, boot: found['boot']!, nonce: found['nonce']! };
}

/** Why this lock can't be taken; undefined: its holder is surely dead. */
async function inTheWay(data: string, run: string, written: string, here: Place): Promise<CommandError | undefined> {
  const remedy = `when no process uses ${data} any more, remove ${join(run, LOCK)}`;
  const holder = holderOf(written);
  if (!holder) return new CommandError(`${join(run, LOCK)}: not a lock of this version of homing: ${remedy}`);
  const process = `process ${holder.pid}${holder.host === here.host ? '' : ` of host ${holder.host}`}`;
  const answer = await ask(socketOf(run, holder.nonce));
  if (answer === 'connected') return new CommandError(`${data}: in use by ${process}`);
  if (isDead(holder, here, answer)) return undefined;
  return new CommandError(`${data}: in use by ${process}, or it ended and that can't be seen (${answer}): ${remedy}`);
}

function isDead(holder: Place, here: Place, answer: string): boolean {
  const isSameHost = holder.host === here.host;
  const isSameBoot = holder.boot === here.boot && here.boot !== '';
  const isRebooted = isSameHost && !isSameBoot && holder.boot !== '' && here.boot !== '';
  // A kernel knows its own sockets only: another's refusal says nothing of a process there.
  if (answer === 'ECONNREFUSED') return isSameBoot || isSameHost;
  return answer === 'ENOENT' && isRebooted; // what was not synced went with the power
}

function thisPlace(): Place {
  return { host: hostname(), boot: bootId() };
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return ''; // no such file on this system: the host's name must do
  }
}

/** Short, as the paths of sockets must be: what is too long here is too long for `ipc/control`. */
const socketOf = (run: string, nonce: string): string => join(run, `s-${nonce.slice(0, 5)}`);
const draftSocketOf = (run: string, nonce: string): string => join(run, `d-${nonce.slice(0, 5)}`);

/** Listens, until closed or until this process ends, however it ends. Keeps no process alive. */
async function listen(data: string, run: string, nonce: string): Promise<{ close(): void }> {
  const [path, bound] = [socketOf(run, nonce), draftSocketOf(run, nonce)];
  const excess = Buffer.byteLength(path) - MAX_SOCKET_PATH;
  if (excess > 0) throw new CommandError(`${data}: its path is ${excess} octets too long for the sockets below it`);
  const server = createServer((socket) => {
    socket.on('error', () => {}); // it has its answer: that it was connected
    socket.destroy();
  });
  const listening = once(server, 'listening');
  server.on('error', () => {}); // the first is `listening`'s; later ones are of accept(2), and the kernel has answered
  // A runtime that ends in order removes the file it bound. Under another name it stays, so that a dead socket is told
  // from one that somebody removed.
  server.listen({ path: bound, exclusive: true });
  await listening.catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${bound}: no socket can be made there (${error.code ?? error.message})`);
  });
  const close = (): void => {
    server.close();
    rmSync(path, { force: true });
  };
  try {
    renameSync(bound, path);
  } catch (error) {
    close();
    throw error;
  }
  server.unref();
  return { close };
}

/** @returns `connected`, the error's code, or `no answer` */
function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path, timeout: ASK_TIMEOUT_MS });
    const answer = (said: string): void => {
      resolve(said);
      socket.destroy();
    };
    socket.on('connect', () => answer('connected'));
    socket.on('timeout', () => answer('no answer'));
    socket.on('error', (error: NodeJS.ErrnoException) => answer(error.code ?? error.message));
  });
}
