/** Disabling and enabling an account: its status through the directory, known to every node when it has succeeded. */
import {
  type AccountRefusal,
  type Administration,
  nameFor,
  no,
  unversioned,
} from '../actors/authenticator/accounts.ts';
import type { Account, AccountStatus } from '../cluster/directory/account.ts';
import { accept, type Result } from '../kernel/result.ts';

/** What may stand or not is asked for again, which does no harm: it is so already, or becomes so. */
const ATTEMPTS = 3;

/**
 * Changes nothing where it is so already, so that several nodes may be told at once.
 * @returns the account as it is then
 */
export async function setAccountStatus(
  admin: Pick<Administration, 'directory' | 'defaultDomain' | 'nextOperation'>,
  name: string,
  status: AccountStatus,
): Promise<Result<Account, AccountRefusal>> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  for (let attempt = 1; ; attempt++) {
    const changed = await admin.directory.change(
      named.value,
      (current) =>
        current === undefined || current.status === status ? undefined : { ...unversioned(current), status },
      { operation: admin.nextOperation() },
    );
    if (changed.ok) return changed.value === undefined ? no('no-such-account', named.value) : accept(changed.value);
    if (changed.refusal === 'unavailable' || attempt === ATTEMPTS) return no(changed.refusal, named.value);
  }
}
