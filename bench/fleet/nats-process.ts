/** nats-server processes with JetStream on loopback: one, or three that form a cluster. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PortPicker } from './port-picker.ts';
import { Program } from './program.ts';

export type NatsProcess = {
  readonly port: number;
  readonly store: string;
  program: Program;
  /** The same port and store again, after `program` ended. */
  restart(): Promise<void>;
};

/** Where one of the servers is put. */
export type NatsPlace = {
  readonly name: string;
  readonly port: number;
  readonly store: string;
  readonly route: number;
  /** Where its monitoring answers by HTTP. */
  readonly monitor: number;
  /** Every server's, this one's too. */
  readonly routes: readonly number[];
};

export type NatsOptions = {
  readonly directory: string;
  readonly count: 1 | 3;
  readonly ports: PortPicker;
  /** The first of `count` ports, cluster routes 2000 above, monitoring 4000 above; absent: free ones. */
  readonly port?: number;
  readonly program?: string;
  /** The whole configuration file of a server, in place of what is said on its command line. */
  readonly configuration?: (place: NatsPlace) => string;
};

const READY = /Server is ready/;
/** An election takes up to 9 s, and as long again where votes split. */
const HEALTHY_WITHIN_MS = 60_000;
const ASK_EACH_MS = 50;

export async function startNats(options: NatsOptions): Promise<readonly NatsProcess[]> {
  const places = [];
  for (let at = 0; at < options.count; at++)
    places.push({
      port: options.port === undefined ? await options.ports.next() : options.port + at,
      route: options.port === undefined ? await options.ports.next() : options.port + 2000 + at,
      monitor: options.port === undefined ? await options.ports.next() : options.port + 4000 + at,
    });
  const routes = places.map(({ route }) => route);
  const servers = await Promise.all(
    places.map(async ({ port, route, monitor }, at) => {
      const name = `nats${at + 1}`;
      const store = join(options.directory, name);
      const command = [
        options.program ?? 'nats-server',
        ...commandLine(options, { name, port, store, route, monitor, routes }),
      ];
      const start = () => Program.start(command, { readyLine: READY });
      const server: NatsProcess = {
        port,
        store,
        program: await start(),
        async restart() {
          server.program = await start();
        },
      };
      return server;
    }),
  );
  try {
    if (options.count > 1) await Promise.all(places.map(({ monitor }) => isHealthy(monitor)));
  } catch (error) {
    for (const { program } of servers) await program.kill();
    throw error;
  }
  return servers;
}

/**
 * Waits until this server has heard of JetStream's leader and is current: before, it answers nobody there. Asked for, since not
 * every server says in its log whom the others elected.
 */
async function isHealthy(monitor: number): Promise<void> {
  const end = performance.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    const said = await fetch(`http://127.0.0.1:${monitor}/healthz`).then(
      async (answer) => (answer.ok ? 'ok' : await answer.text()),
      (error: Error) => error.message,
    );
    if (said === 'ok') return;
    if (performance.now() > end) throw new Error(`nats-server: not healthy within ${HEALTHY_WITHIN_MS} ms: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, ASK_EACH_MS));
  }
}

function commandLine({ directory, count, configuration }: NatsOptions, place: NatsPlace): string[] {
  const { name, port, store, route, monitor } = place;
  const monitored = count > 1 ? ['-m', String(monitor)] : [];
  if (configuration) {
    const file = join(directory, `${place.name}.conf`);
    writeFileSync(file, configuration(place));
    return ['-c', file, ...monitored];
  }
  const routes = place.routes.map((each) => `nats://127.0.0.1:${each}`).join(',');
  const clustered =
    count > 1 ? ['--cluster_name', 'homing', '--cluster', `nats://127.0.0.1:${route}`, '--routes', routes] : [];
  return ['-n', name, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', store, ...clustered, ...monitored];
}
