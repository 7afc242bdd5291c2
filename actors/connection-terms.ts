/** What a connection waits for, how long, and how it ends: the words and numbers of actors/connection.ts. No timer is here. */
import { HANDSHAKE_MS } from './connection-tls.ts';
import type { StopReason } from './session.ts';

export type Limits = {
  /** How long a client may let pass between commands, or stall inside a body that it sends. */
  readonly idleMs: number;
  /** How long a client may take to read what one write sent it, some tens of kilobytes. */
  readonly writeMs: number;
  /** How long a client may be connected and not logged in, whatever it says; absent: for ever. */
  readonly logInMs?: number | undefined;
};

/** How a connection came to its end. */
export type Ending =
  /** The client said goodbye and the session reached its final state. */
  | 'finished'
  /** The session ended the conversation by itself, for what the client did: too many failed log-ins. */
  | 'dismissed'
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

/** For the connection log: was it the client's own goodbye? */
export const isClean = (ending: Ending): boolean => ending === 'finished';

/** How a connection ends that has waited too long and can't be told so. */
export function overdue(awaited: Awaited): Ending {
  switch (awaited) {
    case 'reader':
      return 'slow-reader';
    case 'goodbye':
      return 'finished';
    case 'handshake':
      return 'no-tls';
    case 'client':
    case 'us':
      return 'idle';
  }
}

/** After the last reply: how long the client's own end is awaited, so that a reset does not eat what it has not read. */
export const LINGER_MS = 1000;

/** How long one that an operator wants gone may finish what is under way: a body that it reads or sends. */
export const KICK_GRACE_MS = 10_000;

/** Octets of commands that may lie undecoded while the session is busy; beyond, the client's sending is held up by TCP. */
export const MAX_UNDECODED_OCTETS = 16 * 1024;

/** What one session does before the others have their turn: one that pipelines without end must not hold up the house. */
export const STEPS_A_TURN = 16;

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
