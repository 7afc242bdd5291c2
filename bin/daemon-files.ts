/** The files by which the machine knows a running node: one with its process id and one for its statistics, a daemon each. */
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Statistics } from '../telemetry/statistics.ts';
import { daemonOf, PROTOCOLS, type Protocol, protocolsServed } from './daemons.ts';
import { lmtpSockets } from './lmtp-sockets.ts';
import { pidFiles } from './pid-files.ts';
import { StatisticsFiles } from './statistics-files.ts';
import { programVersion } from './version.ts';

export type DaemonFiles = {
  /** The node serves the listeners of this configuration from now on. */
  serve(wanted: Config): void;
  /** Appends what each daemon has done so far. Never rejects. */
  writeStatistics(): Promise<void>;
  /** At a clean stop. Statistics stay. */
  remove(): void;
};

export type DaemonFilesOptions = {
  /** Whose data lock this process holds. */
  readonly config: Pick<Config, 'data' | 'me'>;
  readonly statistics: Statistics;
  readonly clock: Clock;
  readonly log: Log;
};

export function daemonFiles({ config, statistics, clock, log }: DaemonFilesOptions): DaemonFiles {
  const { data, me: node } = config;
  let served: readonly Protocol[] = [];
  const pids = pidFiles(data, PROTOCOLS.map(daemonOf));
  const protocols = () => served;
  const files = new StatisticsFiles({ statistics, data, node, version: programVersion(), protocols, clock, log });
  return {
    serve(wanted) {
      served = protocolsServed([...wanted.listeners, ...lmtpSockets(wanted)]);
      pids.set(served.map(daemonOf));
    },
    writeStatistics: () => files.write(),
    remove: () => pids.remove(),
  };
}
