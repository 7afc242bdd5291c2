/**
 * A nats-server of one's own for a test: JetStream in a temporary directory, loopback only, any free port. It can be
 * killed, frozen, thawed and started again on the same port and store. Ends with `stop`, which removes the directory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, watch } from 'node:fs';
import { access, constants, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Life, lifeOf } from '../../bench/fleet/life.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';

export type NatsServer = {
  /** `127.0.0.1:port`, the same after each restart. */
  readonly address: string;
  readonly storeDirectory: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: sockets stay open and nobody answers. Resolves when every thread stands still. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  thaw(): void;
  /** Starts again on the same port and store; ends the running one first (SIGTERM). */
  restart(): Promise<void>;
  /** Ends the server and removes its directory. */
  stop(): Promise<void>;
};

export type NatsServerOptions = {
  /** Default true. */
  readonly jetStream?: boolean;
  /** More lines for the server's configuration file. */
  readonly configuration?: string;
};

/** A started server, or why there is none: so that a test file can skip, and say so. */
export type NatsServerOrNone =
  | { readonly server: NatsServer; readonly missing?: undefined }
  | { readonly server: undefined; readonly missing: string };

export async function natsServer(options: NatsServerOptions = {}): Promise<NatsServerOrNone> {
  const path = await binary();
  if (path === undefined) return { server: undefined, missing: 'nats-server is not installed' };
  return { server: await startServer(path, options) };
}

async function startServer(path: string, options: NatsServerOptions): Promise<NatsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'homing-nats-'));
  const storeDirectory = join(directory, 'store');
  const configurationFile = join(directory, 'nats.conf');
  const jetStream = options.jetStream === false ? '' : `jetstream { store_dir: "${storeDirectory}" }\n`;
  await writeFile(configurationFile, `${jetStream}${options.configuration ?? ''}\n`);

  const start = (port: number) => launch(path, configurationFile, directory, port);
  // not -1, any free port: an outgoing connection could take such a one before the server comes back
  const port = await new PortPicker().next();
  let running = await start(port);
  const leaveNothing = () => {
    running.life.signal('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', leaveNothing); // a test that fails may never come to its `stop`

  const end = async (signal: NodeJS.Signals) => {
    const { life } = running;
    life.signal('SIGCONT'); // a frozen process hears no SIGTERM
    life.signal(signal);
    await life.ended;
  };
  return {
    address: `127.0.0.1:${port}`,
    storeDirectory,
    kill: () => end('SIGKILL'),
    freeze: () => freeze(running.life),
    thaw: () => running.life.signal('SIGCONT'),
    restart: async () => {
      await end('SIGTERM');
      running = await start(port);
    },
    stop: async () => {
      process.removeListener('exit', leaveNothing);
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function binary(): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'].filter(Boolean);
  for (const folder of folders) {
    const path = join(folder, 'nats-server');
    const isRunnable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isRunnable) return path;
  }
  return undefined;
}

/** Resolves when the server has written its ports file: it listens then, and JetStream is up. */
async function launch(
  path: string,
  configurationFile: string,
  directory: string,
  port: number,
): Promise<{ life: Life; port: number }> {
  const ports = await mkdtemp(join(directory, 'ports-'));
  const listening = new AbortController();
  const args = ['-c', configurationFile, '-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', ports];
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const life = lifeOf(child);
  const said: string[] = [];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const failed = life.ended.then((how): never => {
    throw new Error(`nats-server ended (${how}) at its start:\n${said.join('')}`);
  });
  failed.catch(() => {}); // of concern only until it listens
  try {
    return { life, port: await Promise.race([portWrittenTo(ports, listening.signal), failed]) };
  } finally {
    listening.abort();
    child.stderr!.removeAllListeners('data').resume();
  }
}

/** The kernel stops a process thread by thread, and in its own time. */
async function freeze(life: Life): Promise<void> {
  life.signal('SIGSTOP');
  const tasks = `/proc/${life.pid}/task`;
  for (let isStill = false; !isStill; ) {
    const states = (await readdir(tasks)).map((task) => readFile(join(tasks, task, 'stat'), 'utf8'));
    isStill = (await Promise.all(states)).every((stat) => stat.slice(stat.lastIndexOf(')')).startsWith(') T'));
  }
}

async function portWrittenTo(directory: string, signal: AbortSignal): Promise<number> {
  const watcher = watch(directory, { signal });
  watcher.on('error', () => {}); // an aborted watch says so by an error
  for (;;) {
    const changed = once(watcher, 'change', { signal });
    changed.catch(() => {}); // awaited below, unless the port is there already
    for (const file of await readdir(directory)) {
      const port = /"nats":\s*\[\s*"(?:nats|tls):\/\/[^"]*:(\d+)"/.exec(
        await readFile(join(directory, file), 'utf8'),
      )?.[1];
      if (port !== undefined) return Number(port);
    }
    await changed;
  }
}
