/** A session as an operator sees it while it lives: who, since when, and in which state its machine is. Pure. */
import type { Caller } from './session.ts';

export type LiveSession = {
  readonly session: string;
  /** `pop3`, `lmtp`, `poppwd`. */
  readonly protocol: string;
  /** The client's; '' and 0 on a unix socket. */
  readonly address: string;
  readonly port: number;
  /** The machine's state, outermost first: `authorization.ready`. Never its context, which may hold names. */
  readonly state: string;
  /** Once logged in: by the name that the account had then, and by what it keeps for ever. */
  readonly account: string | undefined;
  readonly accountId: string | undefined;
  /** When it connected, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly since: number;
  readonly tls: boolean;
};

export const liveSession = (
  { session, address, port }: Caller,
  more: Pick<LiveSession, 'protocol' | 'account' | 'accountId' | 'since' | 'tls'> & { readonly state: unknown },
): LiveSession => ({ session, address, port, ...more, state: stateWord(more.state) });

/** A machine's state value, `{ authorization: 'ready' }`, as one word; regions of a parallel state beside each other. */
export function stateWord(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([state, inner]) => [state, stateWord(inner)].filter((word) => word !== '').join('.'))
    .join('+');
}
