/**
 * A process that root started becomes its `runtime-user` (setuid(2), initgroups(3)). Until it serves, root is set aside and
 * taken up again for what only root may do: ports below 1024 and the keys of TLS. Then it is given up for good, and tried
 * whether that is so.
 *
 * All else, from the first lock on, is done as the runtime user, so that no file of the node is ever left to root.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { CommandError } from './command-error.ts';
import { nologinPath } from './places.ts';

/** What a start may still do as root. Both do nothing where no root was set aside. */
export type Privileges = {
  /** Runs `act` as root. While it waits, so does all else of the process: for short things only. */
  asRoot<T>(act: () => Promise<T>): Promise<T>;
  /** Gives root up for good. @throws when the process could take it back */
  drop(): void;
  /** What the process has become, for the log; undefined: it stays who it was. */
  readonly user?: User;
  /** Lines for the log, which opens later. */
  readonly warnings: readonly string[];
};

export type User = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All of its groups, `gid` among them. */
  readonly groups: readonly number[];
};

/** The calls of `node:process` that are needed; an argument, so that a test needs no root. Some runtimes lack some. */
export type Identity = Partial<Calls>;

type Calls = {
  getuid(): number;
  geteuid(): number;
  getgid(): number;
  setuid(uid: number): void;
  setgid(gid: number): void;
  getegid(): number;
  getgroups(): readonly number[];
  seteuid(uid: number): void;
  setegid(gid: number): void;
  setgroups(groups: readonly number[]): void;
  /** All groups of that user, and `gid`. */
  initgroups(user: string, gid: number): void;
};

export type Accounts = (name: string) => User | undefined;

const NONE: Privileges = { asRoot: (act) => act(), drop() {}, warnings: [] };
const ROOT = 0;

/** For commands that are over before anything of the network is heard, and for nodes that nobody started as root. */
export const noPrivileges: Privileges = NONE;

/**
 * Sets root aside, when root started this process and the configuration names whom it is to become.
 * @param file  the configuration file's name, for messages
 * @throws CommandError when that can't be, or the data is somebody else's
 */
export function setRootAside(
  config: Pick<Config, 'runtimeUser' | 'data'>,
  file: string,
  identity: Identity = process,
  accounts: Accounts = accountNamed,
): Privileges {
  const { runtimeUser: name } = config;
  const own = identity.getuid?.();
  if (own === undefined) return NONE; // no users on this system
  if (name === undefined)
    return own === ROOT
      ? { ...NONE, warnings: [`${file}: runtime-user: is not set: the node runs as root, with all of its rights`] }
      : NONE;
  const user = accounts(name);
  if (user === undefined) throw new CommandError(`${file}: runtime-user: there is no user "${name}" on this machine`);
  if (user.uid === ROOT)
    throw new CommandError(`${file}: runtime-user: "${name}" is root: name a user without its rights`);
  if (own === user.uid) return NONE;
  if (own !== ROOT) {
    const warning = `${file}: runtime-user: only root can become "${name}": the node runs as the user with id ${own}`;
    return { ...NONE, warnings: [warning] };
  }
  const calls = needed(identity, file);
  mustOwnData(config.data, user, file);
  calls.initgroups(user.name, user.gid);
  const setAside = () => {
    calls.setegid(user.gid); // before the user, while there is the right to
    calls.seteuid(user.uid);
  };
  const takeUp = () => {
    calls.seteuid(ROOT);
    calls.setegid(ROOT);
  };
  setAside();
  let uses = 0;
  let isDropped = false;
  return {
    user,
    warnings: [],
    async asRoot(act) {
      if (isDropped) return await act();
      if (uses++ === 0) takeUp();
      try {
        return await act();
      } finally {
        if (--uses === 0) setAside();
      }
    },
    drop() {
      if (isDropped) return;
      if (uses > 0) throw new Error('root is still in use');
      takeUp(); // setuid(2) sets the saved id too only where root calls it
      calls.setgid(user.gid);
      calls.setuid(user.uid);
      isDropped = true;
      mustStayDropped(calls, user);
    },
  };
}

/**
 * Runs `act` as the runtime user when root asks for it: what a command makes belongs to whom the server runs as.
 * @param makesData  `act` makes the data directory: where only root may, it is made for that user
 */
export async function asRuntimeUser<T>(
  config: Pick<Config, 'runtimeUser' | 'data'>,
  file: string,
  act: () => Promise<T>,
  { makesData = false, identity = process as Identity, accounts = accountNamed as Accounts } = {},
): Promise<T> {
  if (makesData) makeDataFor(config, identity, accounts);
  const own = identity.getgroups?.();
  const { user } = setRootAside(config, file, identity, accounts);
  if (user === undefined) return await act();
  try {
    return await act();
  } finally {
    identity.seteuid!(ROOT); // there, or no user had been set
    identity.setegid!(ROOT);
    identity.setgroups?.(own!);
  }
}

function makeDataFor(
  { runtimeUser, data }: Pick<Config, 'runtimeUser' | 'data'>,
  identity: Identity,
  accounts: Accounts,
): void {
  if (runtimeUser === undefined || identity.getuid?.() !== ROOT || existsSync(data)) return;
  const user = accounts(runtimeUser);
  if (user === undefined) return; // said by what comes next
  // What lies above it is root's and may be passed by all, whatever the umask: the user has to get there.
  const first = mkdirSync(dirname(data), { recursive: true });
  for (let made = dirname(data); first !== undefined && made.length >= first.length; made = dirname(made))
    chmodSync(made, 0o755);
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, user.uid, user.gid);
}

function needed(identity: Identity, file: string): Calls {
  const getters = ['getuid', 'geteuid', 'getgid', 'getegid', 'getgroups'] as const;
  const setters = ['setuid', 'setgid', 'seteuid', 'setegid', 'initgroups'] as const;
  const missing = [...getters, ...setters].filter((name) => typeof identity[name] !== 'function');
  if (missing.length === 0) return identity as Calls; // each was looked for
  // Deno 2.9 has no initgroups: the process would keep the groups of root.
  throw new CommandError(
    `${file}: runtime-user: this runtime can't become another user (it has no ${missing.join(', ')}): start it as that user`,
  );
}

function mustStayDropped(calls: Calls, { name, uid, gid, groups }: User): void {
  const wentBack = isDone(() => calls.setuid(ROOT)) || isDone(() => calls.seteuid(ROOT));
  const isUser = calls.getuid() === uid && calls.geteuid() === uid;
  const isOfGroup = calls.getgid() === gid && calls.getegid() === gid;
  const isOfOthers = calls.getgroups().some((group) => group !== gid && !groups.includes(group));
  if (wentBack || !isUser || !isOfGroup || isOfOthers) throw new Error(`the process did not become "${name}" for good`);
}

function isDone(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false; // EPERM, as it should be
  }
}

/** How far below `data` it is looked: to each file that the node writes or replaces. All else there, to itself alone. */
const DEPTHS: Readonly<Record<string, number>> = { run: 1, ipc: 1, log: 1, etc: 1, directory: 2, mail: 2 };
/** A file system that has `data` for its root keeps this there, and it is root's. */
const NOT_OURS = 'lost+found';

/** What lies where the node writes. Left to root, it would stop the node in the midst of its work. */
function mustOwnData(data: string, user: User, file: string): void {
  const below = namesIn(data).filter((name) => name !== NOT_OURS);
  const looked = [
    { path: data, depth: 0 },
    ...below.map((name) => ({ path: join(data, name), depth: DEPTHS[name] ?? 0 })),
  ];
  for (const { path, depth } of looked) {
    const foreign = foreignBelow(path, user.uid, depth);
    if (foreign === undefined || isNologin(foreign.path, data)) continue;
    throw new CommandError(
      `${file}: data: ${foreign.path} belongs to the user with id ${foreign.uid}, and not to the runtime-user "${user.name}": chown -R ${user.name}: ${data}`,
    );
  }
}

/** Root may have put it there by hand: a node that can read it needs no more, and may remove it, for `etc` is its own. */
const isNologin = (path: string, data: string): boolean =>
  path === nologinPath({ data }) && (statSync(path).mode & 0o004) !== 0;

function foreignBelow(path: string, uid: number, depth: number): { path: string; uid: number } | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined; // whoever needs it says that it is missing
  if (found.uid !== uid) return { path, uid: found.uid };
  if (depth === 0 || !found.isDirectory()) return undefined;
  for (const name of readdirSync(path)) {
    const foreign = foreignBelow(join(path, name), uid, depth - 1);
    if (foreign) return foreign;
  }
  return undefined;
}

const namesIn = (data: string): readonly string[] =>
  statSync(data, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(data) : [];

/** By id(1), which asks all that the system knows users from: no runtime does. */
export function accountNamed(name: string): User | undefined {
  const numbers = (option: '-u' | '-g' | '-G') =>
    execFileSync('id', [option, '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split(' ')
      .map(Number);
  try {
    return { name, uid: numbers('-u')[0]!, gid: numbers('-g')[0]!, groups: numbers('-G') };
  } catch (error) {
    if ((error as { status?: number }).status !== undefined) return undefined; // id(1) knows no such user
    throw new CommandError(`the user "${name}" can't be looked up: id: ${(error as Error).message}`);
  }
}
