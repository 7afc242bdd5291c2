/** Whom and how long a front's sessions with owners ask (mailbox-session.ts), and in whose name. Types only. */
import type { Bus } from '../cluster/bus/bus.ts';
import type { Subjects } from '../cluster/subjects.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';

/** What all sessions of a front share. */
export type SessionContext = {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly clock: Clock;
  readonly log: Log;
  /** How long to go on asking again when no owner answers (failover-patience); 0: each is asked once. */
  readonly patienceMs: number;
  /** How long one request may take, the first and each repeat. */
  readonly attemptMs: number;
  /** This node and this start of it: sessions go when they do. */
  readonly me: string;
  readonly startId: string;
};
