/**
 * An LMTP session's services over the bus: an authenticator says whose mailbox a forward-path is, and one content goes to
 * all owners at once (delivery.ts), over delivery sessions that this front keeps open with them.
 */
import { accept, refuse } from '../../kernel/result.ts';
import type { RecipientAnswer } from '../authenticator/requests.ts';
import { type DeliveryContext, type Destination, deliver } from '../delivery.ts';
import type { Delivery, Services } from '../lmtp/services.ts';
import type { Caller } from '../session.ts';
import { askAuthenticator, type Front } from './front.ts';
import { traceLines } from './trace.ts';

export type LmtpServicesOptions = {
  readonly front: Front;
  readonly delivery: DeliveryContext;
  /** Stands after `by` in the Received line. */
  readonly hostName: string;
};

export const lmtpServices = (options: LmtpServicesOptions): Services => ({
  begin: (caller) => ({
    async resolve({ localPart, domain }, signal) {
      const { front } = options;
      const asked = { timeoutMs: front.authTimeoutMs, signal };
      const answer = await askAuthenticator<RecipientAnswer>(front, 'recipient', { localPart, domain }, asked);
      return answer ?? refuse('unavailable');
    },
    /** The signal is not needed: when the client vanishes the content throws, and past its end a delivery is seen through. */
    async deliver(delivery) {
      const destinations = destinationsOf(delivery, caller, options);
      const outcomes = await deliver(options.delivery, destinations, delivery.content);
      return outcomes.map((outcome, index) =>
        outcome.ok
          ? accept({ mailHost: destinations[index]!.mailHost, sequence: outcome.value.sequence })
          : refuse(outcome.refusal),
      );
    },
  }),
});

function destinationsOf(
  { recipients, reversePath, clientDomain }: Delivery,
  { address, session }: Caller,
  { front, hostName }: LmtpServicesOptions,
): readonly Destination[] {
  const receivedAt = front.clock.wall();
  const common = { reversePath, clientDomain, clientAddress: address, hostName, session, receivedAt };
  return recipients.map(({ accountId, mailHost, forwardPath, quotaOctets, quotaMessages }) => ({
    account: accountId,
    mailHost,
    trace: traceLines({ ...common, forwardPath }),
    internalDate: receivedAt,
    ...(quotaOctets === undefined ? {} : { quotaOctets }),
    ...(quotaMessages === undefined ? {} : { quotaMessages }),
  }));
}
