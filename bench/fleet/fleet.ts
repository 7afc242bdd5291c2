/**
 * Nodes and their nats-servers in a directory, on loopback: what `npm run cluster`, the load harness and the cluster
 * tests start. Without nats-servers it is one embedded node.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configuration, portsFrom } from './configuration.ts';
import { type NatsOptions, type NatsProcess, startNats } from './nats-process.ts';
import { NodeProcess } from './node-process.ts';
import { PortPicker } from './port-picker.ts';

export type FleetOptions = {
  readonly directory: string;
  readonly nodes: readonly string[];
  /** nats-servers to start; 0: embedded, and there may be one node only. */
  readonly nats: 0 | 1 | 3;
  readonly natsPort?: number;
  readonly natsProgram?: string;
  readonly natsConfiguration?: NatsOptions['configuration'];
  /** TOML for every node's table `[nats]`; by `init` that of the first node's `init`, which makes the bucket. */
  readonly natsAccess?: { readonly node: string; readonly init: string };
  /** Ports from this base for the first node, 1000 more for each next (1000: POP3 1110 ...); absent: free ones. */
  readonly portBase?: number;
  readonly channels?: number;
  readonly logLevel?: string;
  /** TOML for every node: before the first table, and tables at the end. */
  readonly top?: string;
  readonly tables?: string;
  readonly environment?: NodeJS.ProcessEnv;
};

export type Fleet = {
  readonly nodes: readonly NodeProcess[];
  readonly nats: readonly NatsProcess[];
  node(me: string): NodeProcess;
  /** One more node, initialised and serving. */
  add(me: string): Promise<NodeProcess>;
  /** Ends all that runs, nodes first. */
  stop(): Promise<void>;
};

/** Writes the configurations that are missing, initialises what is new, starts everything and waits until it serves. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const ports = new PortPicker();
  const nats =
    options.nats === 0
      ? []
      : await startNats({
          directory: options.directory,
          count: options.nats,
          ports,
          ...(options.natsPort !== undefined && { port: options.natsPort }),
          ...(options.natsProgram !== undefined && { program: options.natsProgram }),
          ...(options.natsConfiguration && { configuration: options.natsConfiguration }),
        });
  const nodes: NodeProcess[] = [];
  const fleet: Fleet = {
    nodes,
    nats,
    node(me) {
      const found = nodes.find((each) => each.me === me);
      if (!found) throw new Error(`no node ${me}`);
      return found;
    },
    async add(me) {
      const node = await placeNode(options, ports, nats, me, nodes.length);
      nodes.push(node);
      await node.init();
      await node.start();
      return node;
    },
    async stop() {
      for (const { program } of nodes) if (program?.isAlive()) await program.stop();
      for (const { program } of nats) if (program.isAlive()) await program.stop();
    },
  };
  try {
    for (const [at, me] of options.nodes.entries()) nodes.push(await placeNode(options, ports, nats, me, at));
    const fresh = nodes.filter((node) => !existsSync(join(node.data, 'directory')));
    await fresh[0]?.init(options.natsAccess && fileForInit(fresh[0], options.natsAccess)); // makes the cluster's key and bucket, which the others join
    await allOf(fresh.slice(1).map((node) => node.init()));
    await allOf(nodes.map((node) => node.start()));
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

/** Like Promise.all, but settled only when all are: what fails must not leave behind what is still starting. */
async function allOf(starting: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
}

async function placeNode(
  options: FleetOptions,
  picker: PortPicker,
  nats: readonly NatsProcess[],
  me: string,
  at: number,
): Promise<NodeProcess> {
  const ports =
    options.portBase === undefined
      ? { pop3: await picker.next(), lmtp: await picker.next(), poppwd: await picker.next() }
      : portsFrom(options.portBase + 1000 * at);
  const file = join(options.directory, `${me}.toml`);
  const { channels, logLevel, top, tables } = options;
  const natsPorts = nats.map((server) => server.port);
  const place = { me, data: me, ports, natsPorts, nats: options.natsAccess?.node, channels, logLevel, top, tables };
  if (!existsSync(file)) writeFileSync(file, configuration(place));
  return new NodeProcess({
    me,
    file,
    data: join(options.directory, me),
    ports,
    ...(options.environment && { environment: options.environment }),
  });
}

/** Beside the node's own file, and the same but for how it is known to NATS. */
function fileForInit(node: NodeProcess, access: NonNullable<FleetOptions['natsAccess']>): string {
  const file = node.file.replace(/\.toml$/, '-init.toml');
  writeFileSync(
    file,
    readFileSync(node.file, 'utf8').replace(access.node, () => access.init),
  );
  return file;
}
