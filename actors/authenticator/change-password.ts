/**
 * `auth.change-password`: the user's own change, NEWPASS of poppwd. Requirements W-12 to W-14, W-28, D-15.
 *
 * A compare-and-set on the version that the session logged in with: when an administrator's reset, or any other change,
 * came first, nothing is written. Success means that no node accepts the old password any more (Directory.change).
 */
import { type Account, credentialFor, type Service } from '../../cluster/directory/account.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import type { Tickets } from '../../cluster/tickets.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import { type CredentialOptions, isAcceptableSecret, makeCredential, type NewCredential } from './credential.ts';
import type { ChangePasswordAnswer, ChangePasswordRefusal, ChangePasswordRequest } from './requests.ts';

export type ChangePasswordOptions = {
  readonly directory: Directory;
  readonly tickets: Tickets;
  readonly log: Log;
  readonly credentials: CredentialOptions;
  readonly freshenTimeoutMs: number;
};

export function passwordChanger(
  options: ChangePasswordOptions,
): (request: ChangePasswordRequest) => Promise<ChangePasswordAnswer> {
  const { directory, log } = options;

  return async (request) => {
    const { account: name, version, operation } = request;
    const no = (refusal: ChangePasswordRefusal, reason: string): ChangePasswordAnswer => {
      log.warn('password not changed', { account: name, session: operation, refusal, reason });
      return refuse(refusal);
    };

    const holder = await holderOf(request, options);
    if (holder === undefined) return no('not-allowed', 'ticket');
    if (!isAcceptableSecret(request.newSecret)) return no('not-allowed', 'unacceptable-secret');
    if (!directory.isFresh() && !(await directory.freshen(options.freshenTimeoutMs))) {
      return no('unavailable', 'stale-directory');
    }
    const account = directory.find(name);
    if (account === undefined || account.id !== holder.accountId) return no('conflict', 'no-such-account');
    const isUnchanged =
      account.version === version && credentialFor(account, 'PWD')?.revision === holder.credentialRevision;
    // Its own work, asked for again: Directory.change knows it by the operation and only waits for the other nodes.
    if (!isUnchanged && account.changedBy !== operation) return no('conflict', 'changed-before');
    if (account.status !== 'active') return no('not-allowed', 'status');
    if (account.settings.passwordChange === false) return no('not-allowed', 'setting');

    const made = await makeCredential(request.newSecret, options.credentials);
    // What was looked at above is what `ifVersion` holds the edit to, so the edit need not ask again.
    const edit = (current: Account | undefined, next: number) => current && withPassword(current, 'PWD', made, next);
    const changed = await directory.change(name, edit, { operation, ifVersion: version });
    if (!changed.ok) return no(changed.refusal, 'directory');
    log.info('password changed', { account: name, session: operation, version: changed.value?.version });
    return accept(null);
  };
}

/** Whom the ticket lets change the password; undefined when it is not this account's, or no longer. */
async function holderOf(request: ChangePasswordRequest, { tickets }: ChangePasswordOptions) {
  const read = await tickets.verifyTicket(request.ticket);
  if (!read.ok || !read.value.rights.includes('change-password')) return undefined;
  return read.value.holder?.account === request.account ? read.value.holder : undefined;
}

/** The account with a new password in the entry that `service` checks: its own when it has one, else DEFAULT (D-15). */
function withPassword(current: Account, service: Service, made: NewCredential, revision: number) {
  const entry: Service = current.credentials[service] === undefined ? 'DEFAULT' : service;
  return { ...unversioned(current), credentials: { ...current.credentials, [entry]: { ...made, revision } } };
}

function unversioned({ version: _version, changedBy: _changedBy, ...rest }: Account) {
  return rest;
}
