/**
 * Not a load but a siege (bench/hostile/): hostile clients on one embedded node, and what the decent ones notice of it. Printed
 * as two tables: the decent clients quiet and under attack with the node's memory, and how the hostile sessions ended.
 */
import { startFleet } from '../fleet/fleet.ts';
import { makeFleetTls } from '../fleet/tls.ts';
import { besiege, siegeTerms } from '../hostile/siege.ts';
import type { Measured } from '../load.ts';
import type { Row } from '../measure.ts';

export type HostileWanted = {
  readonly directory: string;
  readonly sessions: number;
  readonly atOnce: number;
  readonly seed: number;
  /** The quiet measurement. */
  readonly seconds: number;
};

export type HostileTables = {
  readonly decent: readonly Row[];
  readonly node: readonly Row[];
  readonly endings: readonly Row[];
  /** What must not have happened, a line each. */
  readonly wrong: readonly string[];
};

const PATIENCE_MS = 4000;
const PER_SECOND = 20;
const HOSTILE_PER_SECOND = 100;

export async function measureHostile({ directory, seconds, ...wanted }: HostileWanted): Promise<HostileTables> {
  const tls = await makeFleetTls(directory, 'offered');
  const fleet = await startFleet({ directory, nodes: ['n1'], nats: 0, tls, ...siegeTerms });
  try {
    const node = fleet.node('n1');
    const options = {
      ...{ directory, ...wanted, quietMs: seconds * 1000, patienceMs: PATIENCE_MS },
      ...{ perSecond: PER_SECOND, hostilePerSecond: HOSTILE_PER_SECOND },
    };
    const { attack, quiet, attacked, memory, cpuSeconds, ...end } = await besiege(node, options);
    const errors = [quiet.pop3, quiet.lmtp, attacked.pop3, attacked.lmtp].flatMap(({ firstError }) => firstError ?? []);
    return {
      decent: [
        besides('POP3: log in, RETR', quiet.pop3, attacked.pop3),
        besides('LMTP: deliver', quiet.lmtp, attacked.lmtp),
      ],
      node: [
        {
          sessions: attack.sessions,
          'at once': wanted.atOnce,
          seed: wanted.seed,
          seconds: attack.seconds.toFixed(1),
          replies: attack.replies,
          refusals: attack.refusals,
          improper: attack.improper,
          'left open': end.sessionsLeft,
          'log errors': end.errorLines.length,
          'MiB before': mebibytes(memory.before),
          peak: mebibytes(memory.peak),
          after: mebibytes(memory.after),
          'cpu s': cpuSeconds.toFixed(1),
        },
      ],
      endings: Object.entries(attack.endings)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([kind, counts]) => ({ kind, ...NO_ENDINGS, ...counts })),
      wrong: [
        ...attack.examples,
        ...end.errorLines,
        ...errors,
        ...(end.isAlive ? [] : ['the node has ended']),
        ...(end.sessionsLeft === 0 ? [] : [`${end.sessionsLeft} connections were left open`]),
      ],
    };
  } finally {
    await fleet.stop();
  }
}

const NO_ENDINGS = { 'not let in': 0, 'refused, closed': 0, closed: 0, 'client left': 0, 'no connection': 0 } as const;

const besides = (client: string, quiet: Measured, attacked: Measured): Row => ({
  client,
  '/s': quiet.perSecond.toFixed(0),
  'quiet p50 ms': quiet.p50Ms.toFixed(1),
  'quiet p99': quiet.p99Ms.toFixed(1),
  'attacked p50': attacked.p50Ms.toFixed(1),
  'attacked p99': attacked.p99Ms.toFixed(1),
  'p99 ratio': (attacked.p99Ms / quiet.p99Ms).toFixed(2),
  operations: attacked.operations,
  errors: quiet.errors + attacked.errors,
});

const mebibytes = (octets: number): string => (octets / 1024 ** 2).toFixed(0);
