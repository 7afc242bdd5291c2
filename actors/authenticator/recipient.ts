/**
 * `auth.recipient`: whose mailbox is an address, and who owns it? RFC 5321 §4.5.1 (postmaster), §4.1.2; K-20; T-05 to T-11.
 *
 * An account that has the whole local part for its name comes first. Else what stands behind the first `+` names a mailbox of the
 * account before it (RFC 5233 calls them detail and user), or of the domain's shared mailboxes.
 *
 * Deliveries need less than log-ins: where the directory can't be asked, an account whose mailHost this node serves is
 * still delivered to, by the mirror as it stands (docs/architecture.md, "Without NATS"). What the mirror does not know may
 * have come into being meanwhile, so then it is `unavailable`, not unknown.
 */
import type { Account } from '../../cluster/directory/account.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { MayPostRequest } from '../mailbox-owner/requests.ts';
import { foldCase } from './names.ts';
import type { Recipient, RecipientAnswer, RecipientRequest } from './requests.ts';

/** For accounts that have no limit of their own; 0: unlimited. */
export type DefaultQuota = { readonly octets: number; readonly messages: number };

export type RecipientOptions = {
  readonly directory: Directory;
  readonly defaultDomain: string;
  /** The local part of shared mailboxes. */
  readonly sharedName: string;
  readonly quota: DefaultQuota;
  readonly freshenTimeoutMs: number;
  /** Does this node serve that mailHost now? */
  readonly servesHere: (mailHost: string) => boolean;
  /** Can the directory be asked at all? A node that is cut off does not make each recipient wait for a timeout. */
  readonly isConnected: () => boolean;
  /** Asks an owner whether mail may be posted to a mailbox; undefined: it did not answer. */
  readonly mayPost: (mailHost: string, request: MayPostRequest) => Promise<boolean | undefined>;
};

export function recipientFinder(options: RecipientOptions): (request: RecipientRequest) => Promise<RecipientAnswer> {
  const { directory, servesHere, mayPost } = options;
  return async (request) => {
    if (!directory.isFresh() && options.isConnected()) await directory.freshen(options.freshenTimeoutMs);
    const { account, folder } = addressed(request, options);
    if (!directory.isFresh() && !(account && servesHere(account.mailHost))) return refuse('unavailable');
    if (account === undefined) return refuse('no-such-user');
    const isShared = account.kind === 'shared';
    if (isShared && folder === undefined) return refuse('no-such-user'); // T-11: the name alone is nobody's
    if (!takesMail(account)) return refuse('disabled');
    if (account.movingFrom !== undefined) return refuse('unavailable'); // soon it is here or there
    const recipient = recipientOf(account, options.quota);
    if (folder === undefined) return accept(recipient);
    if (!isShared) return accept({ ...recipient, folder }); // where there is none, INBOX takes it: T-08
    const takes = await mayPost(account.mailHost, { account: account.id, folder });
    if (takes === undefined) return refuse('unavailable');
    return takes ? accept({ ...recipient, folder, mustExist: true }) : refuse('no-such-user');
  };
}

/** K-20: who may not log in may still get mail, unless disabled. */
export const takesMail = ({ status }: Account): boolean => status === 'active' || status === 'noaccess';

type Addressed = { readonly account: Account | undefined; readonly folder?: string };

/** The folder is taken as it stands, its case too: T-07. What it may be is its owner's to say. */
function addressed({ localPart, domain }: RecipientRequest, options: RecipientOptions): Addressed {
  const { directory, defaultDomain, sharedName } = options;
  const isPostmaster = domain === '' && foldCase(localPart) === 'postmaster'; // the one address without a domain
  const at = isPostmaster ? defaultDomain : domain;
  const find = (local: string) => directory.find(foldCase(`${local}@${at}`));
  const whole = find(localPart);
  const plus = localPart.indexOf('+');
  if (whole || plus < 1) return { account: whole };
  const user = localPart.slice(0, plus);
  const folder = localPart.slice(plus + 1);
  const account = find(user);
  // Shared mailboxes made under another name than is configured now are out of reach until they are renamed.
  if (account?.kind === 'shared' && foldCase(user) !== sharedName) return { account: undefined };
  return { account, ...(folder !== '' && { folder }) };
}

function recipientOf({ name, id, kind, mailHost, settings }: Account, defaults: DefaultQuota): Recipient {
  const isShared = kind === 'shared'; // I-26: under no user's quota
  const quotaOctets = settings.quotaOctets ?? (isShared ? 0 : defaults.octets);
  const quotaMessages = settings.quotaMessages ?? (isShared ? 0 : defaults.messages);
  const { sizeLimitOctets } = settings;
  return {
    account: name,
    accountId: id,
    mailHost,
    ...(quotaOctets > 0 && { quotaOctets }),
    ...(quotaMessages > 0 && { quotaMessages }),
    ...(sizeLimitOctets && { sizeLimitOctets }),
  };
}
