/**
 * An LMTP session's services over the bus: an authenticator says whose mailbox a forward-path is, and one content goes to
 * all owners at once (delivery.ts), over delivery sessions that this front keeps open with them.
 */

import type { Directory } from '../../cluster/directory/directory.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { takesMail } from '../authenticator/recipient.ts';
import type { RecipientAnswer } from '../authenticator/requests.ts';
import { type DeliveryContext, type DeliveryOutcome, type Destination, deliver, type Standing } from '../delivery.ts';
import type { OverQuota } from '../lmtp/replies.ts';
import type { Delivery, Services } from '../lmtp/services.ts';
import type { Caller } from '../session.ts';
import { aLabels } from './a-labels.ts';
import { askAuthenticator, type Front } from './front.ts';
import { traceLines } from './trace.ts';

export type LmtpServicesOptions = {
  readonly front: Front;
  readonly delivery: DeliveryContext;
  /** Stands after `by` in the Received line. */
  readonly hostName: string;
  /** Deliveries from here are held against no quota (requirement T-18). */
  readonly ignoresQuota?: boolean;
  /** What a recipient without room is told, as in actors/lmtp/replies.ts: what is told to pass is counted so. Default: temporary. */
  readonly overQuota?: OverQuota;
};

export const lmtpServices = (options: LmtpServicesOptions): Services => ({
  begin: (caller) => ({
    async resolve({ localPart, domain }, signal) {
      const { front } = options;
      const lookedUp = aLabels(domain);
      if (lookedUp === undefined) return refuse('no-such-user');
      const asked = { timeoutMs: front.authTimeoutMs, signal };
      const answer = await askAuthenticator<RecipientAnswer>(
        front,
        'recipient',
        { localPart, domain: lookedUp },
        asked,
      );
      if (answer?.ok === false && answer.refusal !== 'unavailable') counted(front)?.did('recipients-refused');
      return answer ?? refuse('unavailable');
    },
    /** The signal is not needed: when the client vanishes the content throws, and past its end a delivery is seen through. */
    async deliver(delivery) {
      const destinations = destinationsOf(delivery, caller, options);
      const outcomes = await deliver(
        options.delivery,
        destinations,
        delivery.content,
        standingIn(options.front.directory),
      );
      count(options, destinations, outcomes);
      return outcomes.map((outcome, index) =>
        outcome.ok
          ? accept({ mailHost: destinations[index]!.mailHost, sequence: outcome.value.sequence })
          : refuse(outcome.refusal),
      );
    },
  }),
});

const counted = ({ statistics }: Front) => statistics?.of('lmtp');

/** Of a message whose content came whole. */
function count(
  { front, overQuota = 'temporary' }: LmtpServicesOptions,
  destinations: readonly Destination[],
  outcomes: readonly DeliveryOutcome[],
): void {
  const isPassing = (refusal: string): boolean =>
    refusal === 'unavailable' || refusal === 'full' || (refusal === 'over-quota' && overQuota === 'temporary');
  const statistics = counted(front);
  statistics?.did('messages-received');
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.ok) statistics?.did('deliveries-accepted');
    else statistics?.did(isPassing(outcome.refusal) ? 'deliveries-deferred' : 'deliveries-refused');
    if (outcome.ok && front.servesHere?.(destinations[index]!.mailHost) === false)
      statistics?.did('deliveries-forwarded');
  }
}

/**
 * A client may take its time between RCPT and the final dot; who went meanwhile gets nothing, by the mirror if it is fresh
 * in this very turn. Where it is not, what it lacks may only be late, and RCPT's answer stands.
 */
const standingIn =
  (directory: Directory): Standing =>
  ({ account: id, mailHost }) => {
    if (!directory.isFresh()) return undefined;
    const account = directory.findById(id);
    if (account === undefined) return 'no-such-user';
    if (!takesMail(account)) return 'disabled';
    return account.mailHost === mailHost ? undefined : 'unavailable'; // moved: found anew when it is tried again
  };

function destinationsOf(
  { recipients, reversePath, clientDomain, smtputf8, secured }: Delivery,
  caller: Caller,
  { front, hostName, ignoresQuota = false }: LmtpServicesOptions,
): readonly Destination[] {
  const { address, session } = caller;
  const receivedAt = front.clock.wall();
  const tls = secured && !isUnixSocket(caller);
  const common = { reversePath, clientDomain, clientAddress: address, hostName, session, smtputf8, tls, receivedAt };
  return recipients.map(({ account: _name, accountId, forwardPath, ...recipient }) => ({
    ...recipient,
    account: accountId,
    trace: traceLines({ ...common, forwardPath }),
    internalDate: receivedAt,
    ...(ignoresQuota && { ignoresQuota }),
  }));
}

/** Nothing overhears one, so a session takes it for secured; but TLS it is not. */
const isUnixSocket = ({ tls, local }: Caller): boolean => tls === 'active' && local.port === 0;
