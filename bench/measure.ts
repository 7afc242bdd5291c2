/** One workload, or the idle connections, against one server, whoever's it is, as a row of the table. */
import type { Memory } from './fleet/processes.ts';
import { type Idlers, idleCost } from './idle.ts';
import { run } from './load.ts';
import type { Place, Workload } from './workloads/workload.ts';

export type Row = Readonly<Record<string, string | number>>;

export type Server = {
  /** The first cell of its rows after the workload's name. */
  readonly where: string;
  readonly place: Place;
  /** Of all its processes. */
  cpuSeconds(): number;
  memory(): Memory;
};

export type Wanted = { readonly name: string; readonly clients: number; readonly seconds: number };

const WARM_UP_MS = 1000;

/** The column of a workload's rate. */
export const rateOf = ({ unit }: Workload): string => `${unit}/s`;

export async function measureLoad(workload: Workload, server: Server, wanted: Wanted): Promise<Row> {
  const { name, clients, seconds } = wanted;
  const running = await workload.prepare(server.place);
  await run({ clients, durationMs: WARM_UP_MS, operation: running.operation }); // not counted
  const cpuBefore = server.cpuSeconds();
  const measured = await run({ clients, durationMs: seconds * 1000, operation: running.operation });
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  await running.end();
  const units = measured.operations * workload.unitsPerOperation;
  if (measured.firstError) console.error(`${name}, ${server.where}: ${measured.firstError}`);
  return {
    workload: name,
    where: server.where,
    clients,
    [rateOf(workload)]: Math.round(measured.perSecond * workload.unitsPerOperation),
    'p50 ms': measured.p50Ms.toFixed(2),
    'p99 ms': measured.p99Ms.toFixed(2),
    errors: measured.errors,
    'server cpu us each': Math.round((cpuSeconds * 1e6) / Math.max(1, units)),
    ...(server.place.resumes && { 'resumed %': Math.round(100 * (running.resumedShare?.() ?? 0)) }),
  };
}

export type WantedIdle = { readonly name: string; readonly connections: number; readonly isLoggedIn: boolean };

/** Logged in: each connection to an account of its own, of which there are as many. */
export async function measureIdle(idlers: Idlers, server: Server, wanted: WantedIdle): Promise<Row> {
  const { name, connections, isLoggedIn } = wanted;
  const place = { ...server.place, accounts: isLoggedIn ? server.place.accounts : [] };
  const { each, inAll } = await idleCost(idlers, place, () => server.memory(), connections);
  return {
    workload: name,
    where: server.where,
    connections,
    'KiB each': (each.pss / 1024).toFixed(1),
    'RssAnon KiB each': (each.anonymous / 1024).toFixed(1),
    'MiB in all': (inAll.pss / 1024 ** 2).toFixed(1),
  };
}

/** Each row with the first one's figure over its own: how many times as much the first has. */
export const besideFirst = (rows: readonly Row[], figure: string): readonly Row[] =>
  rows.map((row) => ({
    ...row,
    'the first to it': `${(Number(rows[0]![figure]) / Number(row[figure])).toFixed(2)} x`,
  }));
