/**
 * `auth.recipient`: whose mailbox is an address, and who owns it? RFC 5321 §4.5.1 (postmaster), §4.1.2; K-20.
 *
 * Deliveries need less than log-ins: where the directory can't be asked, an account whose mailHost this node serves is
 * still delivered to, by the mirror as it stands (docs/architecture.md, "Without NATS"). What the mirror does not know may
 * have come into being meanwhile, so then it is `unavailable`, not unknown.
 */
import type { Account } from '../../cluster/directory/account.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { foldCase } from './names.ts';
import type { RecipientAnswer, RecipientRequest } from './requests.ts';

export type RecipientOptions = {
  readonly directory: Directory;
  readonly defaultDomain: string;
  readonly freshenTimeoutMs: number;
  /** Does this node serve that mailHost now? */
  readonly servesHere: (mailHost: string) => boolean;
  /** Can the directory be asked at all? A node that is cut off does not make each recipient wait for a timeout. */
  readonly isConnected: () => boolean;
};

export function recipientFinder(options: RecipientOptions): (request: RecipientRequest) => Promise<RecipientAnswer> {
  const { directory, servesHere } = options;
  return async (request) => {
    if (!directory.isFresh() && options.isConnected()) await directory.freshen(options.freshenTimeoutMs);
    const account = directory.find(nameOf(request, options.defaultDomain));
    if (!directory.isFresh() && !(account && servesHere(account.mailHost))) return refuse('unavailable');
    if (account === undefined) return refuse('no-such-user');
    if (!takesMail(account)) return refuse('disabled');
    if (account.movingFrom !== undefined) return refuse('unavailable'); // soon it is here or there
    return accept(recipientOf(account));
  };
}

/** K-20: who may not log in may still get mail, unless disabled. */
export const takesMail = ({ status }: Account): boolean => status === 'active' || status === 'noaccess';

const nameOf = ({ localPart, domain }: RecipientRequest, defaultDomain: string): string => {
  const isPostmaster = domain === '' && foldCase(localPart) === 'postmaster'; // the one address without a domain
  return foldCase(`${localPart}@${isPostmaster ? defaultDomain : domain}`);
};

const recipientOf = ({ name, id, mailHost, settings }: Account) => ({
  account: name,
  accountId: id,
  mailHost,
  ...(settings.quotaOctets === undefined ? {} : { quotaOctets: settings.quotaOctets }),
  ...(settings.quotaMessages === undefined ? {} : { quotaMessages: settings.quotaMessages }),
});
