/** What processes cost, told by Linux's /proc: memory, as their share of it (PSS) and as anonymous pages, processor time, and which a process started. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process and all that it started and that still run. */
export function treeOf(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

export type Memory = {
  /** Proportional set size: what is shared counts in parts, so that the sum over processes counts it once. In octets. */
  readonly pss: number;
  /** RssAnon, in octets: what forked processes share counts in each of them. */
  readonly anonymous: number;
};

/** Of all of them together; one that has ended meanwhile has none. */
export function memoryOf(pids: readonly number[]): Memory {
  const octets = (pid: number, file: string, field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readOf(`/proc/${pid}/${file}`))?.[1] ?? 0) * 1024;
  return {
    pss: pids.reduce((sum, pid) => sum + octets(pid, 'smaps_rollup', 'Pss'), 0),
    anonymous: pids.reduce((sum, pid) => sum + octets(pid, 'status', 'RssAnon'), 0),
  };
}

const TICKS_PER_SECOND = 100; // on Linux

/** User and system time used so far, in seconds, with that of the children that have ended and were waited for. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = (pid: number) => (statOf(pid) ?? []).slice(11, 15).reduce((sum, field) => sum + Number(field), 0); // utime, stime, cutime, cstime
  return pids.reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
}

/** The fields of /proc/PID/stat behind the name, from the state on; undefined for a process that has ended. */
function statOf(pid: number): readonly string[] | undefined {
  const stat = readOf(`/proc/${pid}/stat`);
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
