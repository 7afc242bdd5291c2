/**
 * The grant is the last step (docs/architecture.md, "Directory and passwords"): whoever tells a client that it is logged
 * in asks here in the same synchronous turn, because between a verification and its answer lie hashing, signing, the bus
 * and the owner, and in each of them the password may change. Synchronous: there is nothing to wait for.
 */
import { type Account, credentialFor, type Service } from '../../cluster/directory/account.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import type { Verified, VerifyRefusal } from './requests.ts';

/** What a log-in rests upon. */
export type Grounds = Pick<Verified, 'accountId' | 'mailHost' | 'credentialRevision'>;

/** Why a log-in may not be granted; for the log, never for the client. */
export type GrantFault = 'stale-directory' | 'no-such-account' | 'status' | 'moved' | 'credential-changed';

/** What, by the directory in this very turn, speaks against granting `service` to what was verified. */
export function grantFault(
  directory: Pick<Directory, 'isFresh' | 'findById'>,
  service: Exclude<Service, 'DEFAULT'>,
  grounds: Grounds,
): GrantFault | undefined {
  if (!directory.isFresh()) return 'stale-directory';
  return standingFault(directory.findById(grounds.accountId), service, grounds);
}

/** The same without the question of freshness, for what follows a check of it. */
export function standingFault(
  account: Account | undefined,
  service: Exclude<Service, 'DEFAULT'>,
  grounds: Grounds,
): Exclude<GrantFault, 'stale-directory'> | undefined {
  if (account === undefined) return 'no-such-account'; // one made anew under the name has another id
  if (account.status !== 'active') return 'status';
  if (credentialFor(account, service)?.revision !== grounds.credentialRevision) return 'credential-changed';
  if (account.mailHost !== grounds.mailHost) return 'moved';
  return undefined;
}

/** May `service` be granted to what was verified, said in this turn? */
export const isGrantable = (
  directory: Pick<Directory, 'isFresh' | 'findById'>,
  service: Exclude<Service, 'DEFAULT'>,
  grounds: Grounds,
): boolean => grantFault(directory, service, grounds) === undefined;

/** What the client is told: a log-in that a move or a silent directory stopped may be tried again as it is. */
export const refusalOf = (reason: string): VerifyRefusal =>
  reason === 'stale-directory' || reason === 'moved' ? 'unavailable' : 'bad-credentials';

/**
 * The last step whole: freshens when it must, then looks once, and what it returns holds in the turn it returns in.
 * @param timeoutMs  how long the round trip to the directory may take
 */
export async function lastLook(
  directory: Pick<Directory, 'isFresh' | 'findById' | 'freshen'>,
  service: Exclude<Service, 'DEFAULT'>,
  grounds: Grounds,
  timeoutMs: number,
): Promise<GrantFault | undefined> {
  if (!directory.isFresh()) await directory.freshen(timeoutMs);
  return grantFault(directory, service, grounds);
}
