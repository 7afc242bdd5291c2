/** nats-server processes with JetStream on loopback: one, or three that form a cluster. */
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

export type NatsOptions = {
  readonly directory: string;
  readonly count: 1 | 3;
  readonly ports: PortPicker;
  /** The first of `count` ports, cluster routes 2000 above; absent: free ones. */
  readonly port?: number;
  readonly program?: string;
};

export async function startNats(options: NatsOptions): Promise<readonly NatsProcess[]> {
  const places = [];
  for (let at = 0; at < options.count; at++)
    places.push({
      port: options.port === undefined ? await options.ports.next() : options.port + at,
      route: options.port === undefined ? await options.ports.next() : options.port + 2000 + at,
    });
  const routes = places.map(({ route }) => `nats://127.0.0.1:${route}`);
  return Promise.all(
    places.map(async ({ port }, at) => {
      const name = `nats${at + 1}`;
      const store = join(options.directory, name);
      const clustered =
        options.count > 1 ? ['--cluster_name', 'homing', '--cluster', routes[at]!, '--routes', routes.join(',')] : [];
      const command = [options.program ?? 'nats-server', '-n', name, '-a', '127.0.0.1', '-p', String(port)];
      const start = () =>
        Program.start([...command, '-js', '-sd', store, ...clustered], { readyLine: /Server is ready/ });
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
}
