/**
 * GETQUOTA, GETQUOTAROOT and SETQUOTA: RFC 9208 §4.1, RFC 2087 §4. One resource, STORAGE, in units of 1024 octets; compared by
 * owners in octets (I-23, I-24). For administrators, unless the configuration lets users see their own (I-25).
 */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import type { ImapSession } from '../imap-session.ts';
import { mailboxAt } from '../mailbox-at.ts';
import { OTHER_USERS } from '../names.ts';
import { done, type Handler, refused, wrong } from '../outcome.ts';
import { refusal } from '../replies.ts';
import type { KnownAccount } from '../services.ts';

const UNIT_OCTETS = 1024;
/** Of a resource's name, which is ASCII without controls. */
const MOST_SHOWN = 40;

export const getQuota: Handler<CommandOf<'GETQUOTA'>> = async ({ root }, session) => {
  const account = accountOf(session, root);
  if (!mayShow(session, account)) return refusal('no-permission');
  if (account === undefined) return noSuchRoot;
  const shown = await quotaOf(session, root, account);
  return shown === undefined ? refusal('unavailable') : done('GETQUOTA completed', [shown]);
};

export const getQuotaRoot: Handler<CommandOf<'GETQUOTAROOT'>> = async ({ mailbox }, session) => {
  if (!session.holder.isAdministrator && !session.constants.quotaVisible) return refusal('no-permission');
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  const { place } = found.value;
  const account = session.services.accounts.byId(place.account);
  // Shared mailboxes are under no user's quota: I-26.
  if (account === undefined || account.isShared)
    return done('GETQUOTAROOT completed', [{ type: 'QUOTAROOT', mailbox: place.shown, roots: [] }]);
  const root = rootOf(session, account);
  const roots: Response = { type: 'QUOTAROOT', mailbox: place.shown, roots: [root] };
  if (!mayShow(session, account)) return done('GETQUOTAROOT completed', [roots]);
  const shown = await quotaOf(session, root, account);
  return shown === undefined ? refusal('unavailable') : done('GETQUOTAROOT completed', [roots, shown]);
};

/** RFC 9208 §4.1.3: a resource that is not named has no limit from then on. */
export const setQuota: Handler<CommandOf<'SETQUOTA'>> = async ({ root, limits }, session) => {
  if (!session.holder.isAdministrator) return refusal('no-permission');
  const other = limits.find(({ resource }) => resource !== 'STORAGE')?.resource; // I-22
  if (other !== undefined)
    return refused(`${other.slice(0, MOST_SHOWN)} is no resource here: STORAGE is the one`, 'CANNOT');
  if (limits.length > 1) return wrong('STORAGE has one limit');
  const account = accountOf(session, root);
  if (account === undefined) return noSuchRoot;
  const kib = limits[0]?.limit;
  const octets = kib === undefined ? 0 : kib * UNIT_OCTETS; // 0: unlimited, whatever the configuration says
  if (!Number.isSafeInteger(octets)) return refused('too large', 'LIMIT');
  if (kib === 0) return refused('a quota of nothing can not be set', 'CANNOT'); // as 0 would be no limit
  const set = await session.services.setQuota(account.name, { octets });
  if (!set.ok) return set.refusal === 'unavailable' ? refusal('unavailable') : noSuchRoot;
  const shown = await quotaOf(session, root, { ...account, quota: octets === 0 ? {} : { quotaOctets: octets } });
  return done('SETQUOTA completed', shown === undefined ? [] : [shown]);
};

const noSuchRoot = refused('no such quota root', 'NONEXISTENT');

const mayShow = ({ holder, constants }: ImapSession, account: KnownAccount | undefined): boolean =>
  holder.isAdministrator || (constants.quotaVisible && account?.id === holder.accountId);

/** Of the account itself, whoever asks: `user/joe`. */
const rootOf = ({ constants: { defaultDomain } }: ImapSession, { name }: KnownAccount): string =>
  `${OTHER_USERS}/${name.endsWith(`@${defaultDomain}`) ? name.slice(0, -defaultDomain.length - 1) : name}`;

function accountOf(session: ImapSession, root: string): KnownAccount | undefined {
  const [first, user, ...below] = root.split('/');
  if (first !== OTHER_USERS || user === undefined || below.length > 0) return undefined;
  const account = session.names.user(user);
  return account?.isShared ? undefined : account;
}

/** Undefined: the owner did not answer. An account without a limit has an empty list. */
async function quotaOf(session: ImapSession, root: string, account: KnownAccount): Promise<Response | undefined> {
  const usage = await session.services.usage({ mailHost: account.mailHost, account: account.id });
  if (!usage.ok) return undefined;
  const limit = account.quota.quotaOctets;
  const kib = (octets: number) => Math.floor(octets / UNIT_OCTETS);
  const resources = limit ? [{ name: 'STORAGE', usage: kib(usage.value.octets), limit: kib(limit) }] : [];
  return { type: 'QUOTA', root, resources };
}
