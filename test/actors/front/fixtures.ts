/** A front with an authenticator, a directory with joe in it and a mailHost n1, all over one local bus. */

import { startAuthenticator } from '../../../actors/authenticator/authenticator.ts';
import type { Front } from '../../../actors/front/front.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import { joe, surroundings } from '../authenticator/fixtures.ts';
import { ModelMailHost } from '../mailbox-session-owner.ts';

const OPERATIONS = ['open', 'list', 'fetch', 'stage', 'deliver', 'quit', 'close'];

export async function house(...more: readonly Account[]) {
  const around = await surroundings(await joe(), ...more);
  const { bus, subjects, clock, log, directory } = around;
  const host = new ModelMailHost();
  const authenticator = await startAuthenticator(around.options);
  for (const operation of OPERATIONS) {
    await bus.serve(subjects.mail('n1', operation), (request) => host.handle(operation, request));
  }
  const front: Front = {
    bus,
    subjects,
    clock,
    log,
    directory,
    patienceMs: 30_000,
    attemptMs: 5_000,
    me: 'n2',
    startId: 'start',
    freshenTimeoutMs: 1_000,
    authTimeoutMs: 10_000,
  };
  /** What happens at the owner just after it answered that operation. */
  const after = (operation: string, then: () => void) => {
    const handle = host.handle.bind(host);
    host.handle = (asked, request) => {
      const answer = handle(asked, request);
      if (asked === operation) then();
      return answer;
    };
  };
  return { ...around, host, authenticator, front, after };
}

export const caller = {
  session: 'start.1',
  address: '127.0.0.1',
  port: 40_110,
  local: { address: '127.0.0.1', port: 110 },
  tls: 'none',
} as const;
export const never = new AbortController().signal;
