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
  /** Every server's, this one's too. */
  readonly routes: readonly number[];
};

export type NatsOptions = {
  readonly directory: string;
  readonly count: 1 | 3;
  readonly ports: PortPicker;
  /** The first of `count` ports, cluster routes 2000 above; absent: free ones. */
  readonly port?: number;
  readonly program?: string;
  /** The whole configuration file of a server, in place of what is said on its command line. */
  readonly configuration?: (place: NatsPlace) => string;
};

const READY = /Server is ready/;
/** Said by each server of a cluster: before, JetStream answers nobody, for up to 9 s. */
const HAS_LEADER = /(JetStream cluster new|Self is new JetStream cluster) metadata leader/;

export async function startNats(options: NatsOptions): Promise<readonly NatsProcess[]> {
  const places = [];
  for (let at = 0; at < options.count; at++)
    places.push({
      port: options.port === undefined ? await options.ports.next() : options.port + at,
      route: options.port === undefined ? await options.ports.next() : options.port + 2000 + at,
    });
  const routes = places.map(({ route }) => route);
  return Promise.all(
    places.map(async ({ port, route }, at) => {
      const name = `nats${at + 1}`;
      const store = join(options.directory, name);
      const command = [options.program ?? 'nats-server', ...commandLine(options, { name, port, store, route, routes })];
      const start = (readyLine: RegExp) => Program.start(command, { readyLine });
      const server: NatsProcess = {
        port,
        store,
        program: await start(options.count === 1 ? READY : HAS_LEADER),
        async restart() {
          server.program = await start(READY);
        },
      };
      return server;
    }),
  );
}

function commandLine({ directory, count, configuration }: NatsOptions, place: NatsPlace): string[] {
  if (configuration) {
    const file = join(directory, `${place.name}.conf`);
    writeFileSync(file, configuration(place));
    return ['-c', file];
  }
  const { name, port, store, route } = place;
  const routes = place.routes.map((each) => `nats://127.0.0.1:${each}`).join(',');
  const clustered =
    count > 1 ? ['--cluster_name', 'homing', '--cluster', `nats://127.0.0.1:${route}`, '--routes', routes] : [];
  return ['-n', name, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', store, ...clustered];
}
