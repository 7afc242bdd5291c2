/**
 * An LMTP session's services over the bus: an authenticator says whose mailbox a forward-path is, and one content goes to
 * all owners at once (delivery.ts), over delivery sessions that this front keeps open with them.
 */

import type { Directory } from '../../cluster/directory/directory.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { takesMail } from '../authenticator/recipient.ts';
import type { RecipientAnswer } from '../authenticator/requests.ts';
import { type DeliveryContext, type Destination, deliver, type Standing } from '../delivery.ts';
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
      const outcomes = await deliver(
        options.delivery,
        destinations,
        delivery.content,
        standingIn(options.front.directory),
      );
      return outcomes.map((outcome, index) =>
        outcome.ok
          ? accept({ mailHost: destinations[index]!.mailHost, sequence: outcome.value.sequence })
          : refuse(outcome.refusal),
      );
    },
  }),
});

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
