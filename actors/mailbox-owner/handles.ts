/**
 * Handles: what stands for a session in the requests of this owner's incarnation. In memory only, one for each live
 * session, so bounded by them. A handle names its session, so that an owner that does not know it can still find what the
 * session was answered before it ended; it grants nothing by that.
 */
import type { OpenedSession } from './operation.ts';
import type { OpenRequest } from './requests.ts';

/** So many octets that nobody can guess; `randomBytes` of node:crypto is one. */
export type Random = (octets: number) => Uint8Array;

export type Holding = OpenedSession & { readonly session: string; readonly purpose: OpenRequest['purpose'] };

export type Handles = {
  /** A new handle for the session; the one before, if there is one, is known no more. */
  give(holding: Holding): string;
  find(handle: string): Holding | undefined;
  /** The session ended: its handle is known no more. */
  drop(session: string): Holding | undefined;
  count(): number;
};

const NONCE_OCTETS = 12;

export function createHandles(random: Random): Handles {
  const holdings = new Map<string, Holding>();
  const bySession = new Map<string, string>();
  const drop = (session: string): Holding | undefined => {
    const handle = bySession.get(session);
    const holding = handle === undefined ? undefined : holdings.get(handle);
    if (handle !== undefined) holdings.delete(handle);
    bySession.delete(session);
    return holding;
  };
  return {
    give(holding) {
      drop(holding.session);
      const nonce = Buffer.from(random(NONCE_OCTETS)).toString('hex');
      const handle = `${nonce}.${holding.session}`;
      holdings.set(handle, holding);
      bySession.set(holding.session, handle);
      return handle;
    },
    find: (handle) => holdings.get(handle),
    drop,
    count: () => holdings.size,
  };
}

/** The session that a handle names, whoever gave it out. */
export const sessionOf = (handle: string): string => handle.slice(handle.indexOf('.') + 1);
