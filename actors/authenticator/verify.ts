/**
 * `auth.verify`: is this the account's password, for this service, now? Requirements D-01 to D-08, K-20, K-21.
 *
 * One refusal for whatever is wrong with name, status or password, in the same time; the log has the reason. A log-in is
 * checked against the directory once more after the hash, in the turn before the ticket is signed; the front looks again
 * before it answers (grant.ts). Nothing here logs a proof.
 */
import { type Account, type Credential, credentialFor } from '../../cluster/directory/account.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import type { Tickets } from '../../cluster/tickets.ts';
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import { cutName } from '../../telemetry/redact.ts';
import { matchesApop, matchesSecret, type NewCredential } from './credential.ts';
import { type GrantFault, lastLook, refusalOf } from './grant.ts';
import { canonicalName } from './names.ts';
import type { Verified, VerifyAnswer, VerifyRequest } from './requests.ts';
import { lifetimeOf, rightsOfLogIn } from './rights.ts';
import type { VerificationCache } from './verification-cache.ts';

export type VerifyOptions = {
  readonly directory: Directory;
  readonly tickets: Tickets;
  readonly clock: Clock;
  readonly log: Log;
  readonly defaultDomain: string;
  /** By the account's name; absent: there are none. */
  readonly isAdministrator?: (account: string) => boolean;
  readonly cache: VerificationCache;
  /** What unknown names are held against (credential.ts). */
  readonly decoy: NewCredential;
  /** How long a round trip to the directory may take. */
  readonly freshenTimeoutMs: number;
};

type Reason = GrantFault | 'no-credential' | 'no-secret-kept' | 'wrong-secret';

export function verifier(options: VerifyOptions): (request: VerifyRequest) => Promise<VerifyAnswer> {
  const { directory, log, clock } = options;

  return async (request) => {
    const name = canonicalName(request.name, options.defaultDomain);
    const said = {
      account: cutName(name),
      service: request.service,
      mechanism: request.proof.mechanism,
      session: request.session,
    };
    const no = (reason: Reason): VerifyAnswer => {
      const refusal = refusalOf(reason);
      if (refusal === 'unavailable') log.warn('log-in put off', { ...said, reason });
      else log.info('log-in refused', { ...said, reason });
      return { ...refuse(refusal), reason };
    };

    if (!directory.isFresh() && !(await directory.freshen(options.freshenTimeoutMs))) return no('stale-directory');
    const account = directory.find(name);
    const credential = account && credentialFor(account, request.service);
    const matches = await isProven(request, account, credential, options);

    if (account === undefined) return no('no-such-account');
    if (account.status !== 'active') return no('status'); // whatever the password: K-21
    if (credential === undefined) return no('no-credential');
    if (!matches) return no(lacksSecret(request, credential) ? 'no-secret-kept' : 'wrong-secret');

    const administers = request.service === 'IMAP' && options.isAdministrator?.(account.name) === true;
    const verified: Omit<Verified, 'ticket'> = {
      account: account.name,
      accountId: account.id,
      mailHost: account.mailHost,
      credentialRevision: credential.revision,
      version: account.version,
      ...(administers && { administers }),
    };
    const fault = await lastLook(directory, request.service, verified, options.freshenTimeoutMs);
    if (fault !== undefined) return no(fault);
    const rights = rightsOfLogIn(request.service, administers);
    const ticket = await options.tickets.signTicket({
      session: request.session,
      mailHost: account.mailHost,
      rights,
      holder: {
        account: account.name,
        accountId: account.id,
        service: request.service,
        credentialRevision: credential.revision,
      },
      expiresAtMs: clock.wall() + lifetimeOf(rights),
    });
    return accept({ ...verified, ticket });
  };
}

/** Whoever has no account, or none that may log in here, is held against the decoy: it costs the same and never matches. */
async function isProven(
  { service, proof }: VerifyRequest,
  account: Account | undefined,
  credential: Credential | undefined,
  { cache, decoy }: VerifyOptions,
): Promise<boolean> {
  if (proof.mechanism === 'APOP') return matchesApop(credential ?? decoy, proof.timestamp, proof.digest);
  if (account === undefined || credential === undefined || account.status !== 'active') {
    return await matchesSecret(decoy, proof.secret);
  }
  const verification = { account: account.id, service, revision: credential.revision, secret: proof.secret };
  if (cache.knows(verification)) return true;
  if (!(await matchesSecret(credential, proof.secret))) {
    // A hash older than the configured rounds is cheaper; what is left of them is spent too, or the clock tells who exists.
    const missing = decoy.scram.iterations - credential.scram.iterations;
    if (missing > 0) await matchesSecret({ ...decoy, scram: { ...decoy.scram, iterations: missing } }, proof.secret);
    return false;
  }
  cache.remember(verification);
  return true;
}

const lacksSecret = ({ proof }: VerifyRequest, credential: Credential): boolean =>
  proof.mechanism === 'APOP' && credential.plain === undefined;
