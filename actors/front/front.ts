/**
 * What the services of all protocols share on a front: whom they ask, how long they wait, and how a session is left.
 * The glue between what a protocol's machine asks for (its services.ts) and the bus; knows no bytes and no wire.
 */
import { BusError } from '../../cluster/bus/bus.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import { pause } from '../../kernel/clock.ts';
import type { Statistics } from '../../telemetry/statistics.ts';
import type { VerifyAnswer, VerifyRequest } from '../authenticator/requests.ts';
import type { MailboxSession } from '../mailbox-session.ts';
import type { SessionContext } from '../session-context.ts';

export type Front = SessionContext & {
  readonly directory: Directory;
  /** How long the last look at the directory may take; the authenticator has its own. */
  readonly freshenTimeoutMs: number;
  /** How long an authenticator may take over one answer: a round trip to the directory, hashing, a queue of others. */
  readonly authTimeoutMs: number;
  readonly statistics?: Statistics;
  /** Does this node itself own that mailHost now? For the statistics: sessions work the same. */
  readonly servesHere?: (mailHost: string) => boolean;
};

/**
 * Asks an authenticator; undefined when none answered. Verifying again is harmless, but a client is there to decide that:
 * nothing is repeated.
 */
export async function askAuthenticator<A>(
  { bus, subjects, log }: Front,
  operation: 'verify' | 'recipient' | 'delivery-ticket' | 'guest-ticket',
  request: object,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<A | undefined> {
  try {
    return (await bus.ask(subjects.auth(operation), request, options)) as A; // requests.ts says what comes back
  } catch (error) {
    if (options.signal?.aborted) return undefined;
    if (!(error instanceof BusError)) throw error;
    const { session } = request as { readonly session?: string };
    log.warn('no answer from an authenticator', { operation, failure: error.failure, ...(session && { session }) });
    return undefined;
  }
}

export const verify = (front: Front, request: VerifyRequest, signal: AbortSignal): Promise<VerifyAnswer | undefined> =>
  askAuthenticator<VerifyAnswer>(front, 'verify', request, { timeoutMs: front.authTimeoutMs, signal });

/**
 * Closes a session and waits for it only as long as one request may take: with no owner there the closing goes on by
 * itself, and neither a connection's end nor a node's stop waits for that.
 */
export async function leave({ clock, attemptMs }: Front, session: MailboxSession): Promise<void> {
  const waited = new AbortController();
  const closed = session.close().then(() => waited.abort());
  await Promise.race([closed, pause(clock, attemptMs, waited.signal).catch(() => {})]);
}
