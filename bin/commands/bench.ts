/**
 * `homing bench WORKLOAD`: starts servers of its own on loopback, loads them, and prints rate, latency, errors and the
 * servers' processor time: one embedded node, and a cluster whose owners are local or remote to the node connected to.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { type Fleet, startFleet } from '../../bench/fleet/fleet.ts';
import { idleCost } from '../../bench/idle.ts';
import { run } from '../../bench/load.ts';
import { lmtpDeliver } from '../../bench/workloads/lmtp-deliver.ts';
import { pop3Login } from '../../bench/workloads/pop3-login.ts';
import { pop3Retr } from '../../bench/workloads/pop3-retr.ts';
import type { BenchAccount, Workload } from '../../bench/workloads/workload.ts';
import { printTable } from './options.ts';

const WORKLOADS: Readonly<Record<string, Workload>> = {
  'pop3-login': pop3Login,
  'pop3-retr': pop3Retr,
  'lmtp-deliver': lmtpDeliver,
};
const IDLE = 'pop3-idle';

type Options = { seconds: number; clients?: number; connections: number; only?: string; json?: boolean };
type Row = Readonly<Record<string, string | number>>;

export function benchCommand(): Command {
  return new Command('bench')
    .description('measures a workload on one node, and on a cluster with local and with remote owners')
    .addArgument(new Argument('<workload>').choices([...Object.keys(WORKLOADS), IDLE]))
    .option('--seconds <seconds>', 'how long to measure each', Number, 10)
    .option('--clients <clients>', 'concurrent clients (default: the workload’s own)', Number)
    .option('--connections <connections>', `connections of ${IDLE}`, Number, 5000)
    .option('--only <where>', 'embedded, local or remote')
    .option('--json', 'print JSON')
    .action(bench);
}

async function bench(name: string, options: Options): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-'));
  try {
    const rows = name === IDLE ? [await idle(directory, options)] : await measure(directory, name, options);
    if (options.json) console.log(JSON.stringify(rows, null, 2));
    else printTable(rows, Object.keys(rows[0]!));
    if (rows.some((row) => row['errors'] !== undefined && row['errors'] !== 0)) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string, name: string, options: Options): Promise<Row[]> {
  const rows: Row[] = [];
  const wants = (where: string) => options.only === undefined || options.only === where;
  if (wants('embedded')) {
    const fleet = await startFleet({ directory: join(directory, 'one'), nodes: ['n1'], nats: 0, channels: 20_000 });
    rows.push(...(await measureOn(fleet, name, options, [{ where: 'embedded', owner: 'n1' }])));
  }
  const places = [
    { where: 'local', owner: 'n1' },
    { where: 'remote', owner: 'n2' },
  ].filter(({ where }) => wants(where));
  if (places.length > 0) {
    const nodes = ['n1', 'n2', 'n3'];
    const fleet = await startFleet({ directory: join(directory, 'three'), nodes, nats: 1, channels: 20_000 });
    rows.push(...(await measureOn(fleet, name, options, places)));
  }
  return rows;
}

/** Clients connect to n1; `owner` keeps their mail. */
async function measureOn(
  fleet: Fleet,
  name: string,
  options: Options,
  places: readonly { where: string; owner: string }[],
): Promise<Row[]> {
  const workload = WORKLOADS[name]!;
  const clients = options.clients ?? workload.clients;
  const front = fleet.node('n1');
  try {
    const rows: Row[] = [];
    for (const { where, owner } of places) {
      const accounts = await makeAccounts(fleet, where, owner, clients);
      const running = await workload.prepare({ pop3: front.pop3, lmtp: front.lmtp, accounts });
      await run({ clients, durationMs: 1000, operation: running.operation }); // warm-up, not counted
      const cpuBefore = cpu(fleet);
      const measured = await run({ clients, durationMs: options.seconds * 1000, operation: running.operation });
      const cpuSeconds = cpu(fleet) - cpuBefore;
      await running.end();
      const units = measured.operations * running.unitsPerOperation;
      if (measured.firstError) console.error(`${name}, ${where}: ${measured.firstError}`);
      rows.push({
        workload: name,
        where,
        clients,
        [`${running.unit}/s`]: Math.round(measured.perSecond * running.unitsPerOperation),
        'p50 ms': measured.p50Ms.toFixed(2),
        'p99 ms': measured.p99Ms.toFixed(2),
        errors: measured.errors,
        'server cpu us each': Math.round((cpuSeconds * 1e6) / Math.max(1, units)),
      });
    }
    return rows;
  } finally {
    await fleet.stop();
  }
}

async function makeAccounts(fleet: Fleet, where: string, owner: string, count: number): Promise<BenchAccount[]> {
  const accounts = Array.from({ length: count }, (_, at) => ({
    name: `${where}${at}@example.test`,
    secret: `secret of ${at}`,
  }));
  for (const { name, secret } of accounts)
    await fleet.node(owner).ask('account.add', { name, secret, mailHost: owner });
  return accounts;
}

/** Processor seconds of all servers, nats-servers too. */
const cpu = (fleet: Fleet): number =>
  [...fleet.nodes, ...fleet.nats].reduce((sum, { program }) => sum + (program?.cpuSeconds() ?? 0), 0);

async function idle(directory: string, options: Options): Promise<Row> {
  const fleet = await startFleet({ directory, nodes: ['n1'], nats: 0, channels: options.connections + 500 });
  try {
    const { connections, octetsEach } = await idleCost(fleet.node('n1'), options.connections);
    return { workload: IDLE, connections, 'KiB each': (octetsEach / 1024).toFixed(2) };
  } finally {
    await fleet.stop();
  }
}
