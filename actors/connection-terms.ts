/** What a connection waits for, how long, and how it ends: the words and numbers of actors/connection.ts. No timer is here. */
import { HANDSHAKE_MS } from './connection-tls.ts';
import type { StopReason } from './session.ts';

export type Limits = {
  /** How long a client may let pass between commands, or stall inside a body that it sends. */
  readonly idleMs: number;
  /** How long a client may take to read what one write sent it, some tens of kilobytes. */
  readonly writeMs: number;
};

/** How a connection came to its end. */
export type Ending =
  /** The session reached its final state by itself. */
  | 'finished'
  | 'client-gone'
  | 'slow-reader'
  /** The TLS handshake failed or took too long. */
  | 'no-tls'
  | StopReason
  /** Something of ours broke: a reply's body, the machine. */
  | 'fault'
  /** By `destroy`: the grace of a stop ran out. */
  | 'destroyed';

/** What the connection waits for, and so which limit counts. `us`: a command is being answered, no limit but its own. */
export type Awaited = 'client' | 'reader' | 'handshake' | 'goodbye' | 'us';

/** After the last reply: how long the client's own end is awaited, so that a reset does not eat what it has not read. */
export const LINGER_MS = 1000;

export function limitMs(awaited: Awaited, limits: Limits): number {
  switch (awaited) {
    case 'client':
      return limits.idleMs;
    case 'reader':
      return limits.writeMs;
    case 'handshake':
      return HANDSHAKE_MS;
    case 'goodbye':
      return LINGER_MS;
    case 'us':
      return Number.POSITIVE_INFINITY;
  }
}
