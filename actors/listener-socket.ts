/** The port or unix socket of a listener: bound, named, and given up without forgetting who waits at it. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** Where to listen. Port 0 takes any free port. */
export type Place = { readonly address: string; readonly port: number } | { readonly path: string };

/** Does what only root may, where the process has set root aside; it may have none left. */
export type AsRoot = <T>(open: () => Promise<T>) => Promise<T>;

/** Those below are for root, or for who has CAP_NET_BIND_SERVICE. */
const FIRST_OPEN_PORT = 1024;
/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 1024;
/** A peer that died without a word is found out after so long, then some probes more. */
const KEEP_ALIVE_MS = 120_000;
/** Turns of the loop without another connection, after which none waits any more. Deno's loop may turn without a look at sockets. */
const QUIET_TURNS = 3;

export const nameOf = (place: Place): string =>
  'path' in place
    ? place.path
    : place.address.includes(':')
      ? `[${place.address}]:${place.port}`
      : `${place.address}:${place.port}`;

export type ListenOptions = {
  /** Permissions of a unix socket; absent: as the system makes it. */
  readonly mode?: number | undefined;
  readonly asRoot?: AsRoot | undefined;
};

/** Binds it; the server's 'error' is then the caller's to hear. Throws when it can't, naming the place; it is then not bound. */
export async function listenAt(
  place: Place,
  accept: (socket: Socket) => void,
  { mode, asRoot }: ListenOptions = {},
): Promise<Server> {
  if ('path' in place) await clearStaleSocket(place.path);
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  // Who comes before the mode is right waits for it. The process makes files for its own user alone (bin/homing.ts), so
  // that a mode only ever lets in more.
  const early: Socket[] = [];
  const wait = (socket: Socket) => void early.push(socket);
  server.on('connection', mode === undefined ? accept : wait);
  if (asRoot !== undefined && isRootsPort(place)) await asRoot(() => listening(server, place));
  else await listening(server, place);
  if (mode !== undefined) {
    try {
      await setMode(place, mode);
    } catch (fault) {
      server.close();
      for (const socket of early) socket.destroy();
      throw fault;
    }
    server.off('connection', wait).on('connection', accept);
    for (const socket of early) accept(socket);
  }
  server.removeAllListeners('error');
  return server;
}

function listening(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (fault: NodeJS.ErrnoException) => {
      const why = fault.code === 'EACCES' && isRootsPort(place) ? `${fault.message}: ${ROOTS_PORT}` : fault.message;
      reject(new Error(`cannot listen on ${nameOf(place)}: ${why}`, { cause: fault }));
    });
    server.listen(
      { ...('path' in place ? { path: place.path } : { host: place.address, port: place.port }), backlog: BACKLOG },
      resolve,
    );
  });
}

/** Of a unix socket that is open; `undefined` is what the system would have given it. Throws when it can't, naming the place. */
export async function setMode(place: Place, mode: number | undefined): Promise<void> {
  if (!('path' in place)) return;
  try {
    await chmod(place.path, mode ?? 0o777 & ~process.umask());
  } catch (fault) {
    throw new Error(`cannot set the mode of ${place.path}: ${(fault as Error).message}`, { cause: fault });
  }
}

const isRootsPort = (place: Place): boolean => 'port' in place && place.port > 0 && place.port < FIRST_OPEN_PORT;
const ROOTS_PORT = 'a port below 1024 needs CAP_NET_BIND_SERVICE, or root, which a node gives up once it serves';

/** The place with the true port, for one that was bound as 0. */
export function boundPlace(server: Server, place: Place): Place {
  const bound = server.address();
  return 'port' in place && bound !== null && typeof bound !== 'string' ? { ...place, port: bound.port } : place;
}

/**
 * Resolves when those that waited in the kernel have been accepted: closing the socket would reset them, though they have
 * done nothing wrong. The loop accepts one or more a turn; no more turns than can have waited, in a flood.
 */
export async function backlogAccepted(server: Server): Promise<void> {
  let accepted = 0;
  const count = () => {
    accepted += 1;
  };
  server.on('connection', count);
  for (let [turns, quiet] = [0, 0]; turns < BACKLOG && quiet < QUIET_TURNS; turns += 1) {
    const before = accepted;
    await turn();
    quiet = accepted === before ? quiet + 1 : 0;
  }
  server.off('connection', count);
}

/** Removes a socket file that nobody listens on any more. Throws when somebody does, or when it is no socket. */
async function clearStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`cannot listen on ${path}: a file that is no socket is in the way`);
  if (await answers(path)) throw new Error(`cannot listen on ${path}: another server is listening there`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code === 'ECONNREFUSED' || fault.code === 'ENOENT') resolve(false);
      else reject(new Error(`cannot listen on ${path}: ${fault.message}`, { cause: fault }));
    });
  });
}
