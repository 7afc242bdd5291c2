/**
 * Nodes and their nats-servers in a directory, on loopback: what `npm run cluster`, the load harness and the cluster
 * tests start. Without nats-servers it is one embedded node.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configuration, portsFrom, tlsPortsFrom } from './configuration.ts';
import { type NatsOptions, type NatsProcess, startNats } from './nats-process.ts';
import { type NodePorts, NodeProcess } from './node-process.ts';
import { PortPicker } from './port-picker.ts';
import { type FleetTls, natsAccessUnder, natsConfigurationUnder } from './tls.ts';

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
  /** Its files exist; NATS is under TLS too where nothing else may be used and `natsConfiguration` says nothing of its own. */
  readonly tls?: FleetTls;
  /** Started for each node, unless the ports are given by a base. */
  readonly balancer?: Balancer;
  readonly channels?: number;
  /** TOML for each listener. */
  readonly listenerTerms?: string;
  readonly logLevel?: string;
  /** TOML for every node: before the first table, and tables at the end, which may be each node's own. */
  readonly top?: string;
  readonly tables?: string | ((me: string) => string);
  readonly environment?: NodeJS.ProcessEnv;
};

/** What stands between clients and a node's listeners; clients are told its ports, and never the node's own. */
export type Balancer = {
  /** TOML for each of the listeners behind it. */
  readonly listenerTerms: string;
  start(pairs: readonly { readonly at: number; readonly to: number }[]): Promise<{ stop(): Promise<void> }>;
};

export type Fleet = {
  readonly nodes: readonly NodeProcess[];
  readonly nats: readonly NatsProcess[];
  readonly tls: FleetTls | undefined;
  node(me: string): NodeProcess;
  /** One more node, initialised and serving. */
  add(me: string): Promise<NodeProcess>;
  /** Ends all that runs, nodes first. */
  stop(): Promise<void>;
};

/** Writes the configurations that are missing, initialises what is new, starts everything and waits until it serves. */
export async function startFleet(asked: FleetOptions): Promise<Fleet> {
  const options = withNatsUnderTls(asked);
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
  const balancers: { stop(): Promise<void> }[] = [];
  const place = async (me: string): Promise<NodeProcess> => {
    const behind = await portsOf(options, ports, nodes.length);
    const told = options.balancer ? await portsOf(options, ports, nodes.length) : behind;
    const node = placeNode(options, nats, me, { behind, told });
    nodes.push(node);
    if (options.balancer) balancers.push(await options.balancer.start(pairsOf(told, behind)));
    return node;
  };
  const fleet: Fleet = {
    nodes,
    nats,
    tls: options.tls,
    node(me) {
      const found = nodes.find((each) => each.me === me);
      if (!found) throw new Error(`no node ${me}`);
      return found;
    },
    async add(me) {
      const node = await place(me);
      await node.init();
      await node.start();
      return node;
    },
    async stop() {
      for (const { program } of nodes) if (program?.isAlive()) await program.stop();
      for (const { program } of nats) if (program.isAlive()) await program.stop();
      for (const balancer of balancers) await balancer.stop();
    },
  };
  try {
    for (const me of options.nodes) await place(me);
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

function withNatsUnderTls(options: FleetOptions): FleetOptions {
  const { tls } = options;
  if (tls?.use !== 'only' || options.nats === 0 || options.natsConfiguration) return options;
  const access = natsAccessUnder(tls);
  return {
    ...options,
    natsConfiguration: natsConfigurationUnder(tls),
    natsAccess: { node: access, init: access },
  };
}

/** Like Promise.all, but settled only when all are: what fails must not leave behind what is still starting. */
async function allOf(starting: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(starting)).find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
}

function placeNode(
  options: FleetOptions,
  nats: readonly NatsProcess[],
  me: string,
  ports: { readonly behind: NodePorts; readonly told: NodePorts },
): NodeProcess {
  const file = join(options.directory, `${me}.toml`);
  const { channels, listenerTerms, logLevel, top, tables, tls, balancer } = options;
  const { pop3s = 0, imaps = 0, poppwds = 0, ...inClear } = ports.behind;
  const place = {
    ...{ me, data: me, ports: inClear, channels, logLevel, top },
    listenerTerms: (listenerTerms ?? '') + (balancer?.listenerTerms ?? ''),
    tables: typeof tables === 'function' ? tables(me) : tables,
    natsPorts: nats.map((server) => server.port),
    nats: options.natsAccess?.node,
    tls: tls && {
      certificate: tls.certificateFile,
      key: tls.keyFile,
      ports: { pop3s, imaps, poppwds },
      isOnly: tls.use === 'only',
    },
  };
  if (!existsSync(file)) writeFileSync(file, configuration(place));
  return new NodeProcess({
    me,
    file,
    data: join(options.directory, me),
    ports: ports.told,
    tls,
    ...(options.environment && { environment: options.environment }),
  });
}

async function portsOf({ portBase, tls }: FleetOptions, picker: PortPicker, at: number): Promise<NodePorts> {
  if (portBase !== undefined) {
    const base = portBase + 1000 * at;
    return { ...portsFrom(base), ...(tls && tlsPortsFrom(base)) };
  }
  return {
    pop3: await picker.next(),
    imap: await picker.next(),
    lmtp: await picker.next(),
    poppwd: await picker.next(),
    ...(tls && { pop3s: await picker.next(), imaps: await picker.next(), poppwds: await picker.next() }),
  };
}

function pairsOf(told: NodePorts, behind: NodePorts): { at: number; to: number }[] {
  const names = Object.keys(told) as (keyof NodePorts)[];
  return names.map((name) => ({ at: told[name]!, to: behind[name]! }));
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
