/** What a connection is given by whoever accepted it, the same for all of a listener's. Types only. */
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { ProtocolStatistics } from '../telemetry/statistics.ts';
import type { Connection } from './connection.ts';
import type { Ending, Limits } from './connection-terms.ts';
import type { ConnectionTls } from './connection-tls.ts';
import type { Turns } from './turns.ts';

export type Surroundings = {
  /** The protocol's name, for status. */
  readonly protocol: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly closed: Closed;
  readonly turns: Turns;
  /** Absent: sessions are told so, and say no `start-tls`. */
  readonly tls?: ConnectionTls | undefined;
  readonly statistics?: ProtocolStatistics | undefined;
};

/** Told to whoever counts connections, once, when the socket is closed for good. */
export type Closed = (connection: Connection, ending: Ending) => void;
