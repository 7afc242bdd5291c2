/**
 * Remembers for a short while that a password was right, so that a client that logs in every minute costs no hashing.
 *
 * Holds no secret: an entry is a MAC, under a key that lives in this process only, over account, service, credential
 * revision and secret. A changed password has another revision, so no entry of the old one answers for it; what is here
 * never replaces the check of freshness and revision that precedes a grant (grant.ts).
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';

export type VerificationCacheOptions = {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly lifetimeMs: number;
  /** Beyond this the entry added first is forgotten. */
  readonly maxEntries: number;
};

/** What was verified: `secret` was right for this revision of the credential that `service` checks. */
export type Verification = {
  readonly account: string;
  readonly service: string;
  readonly revision: number;
  readonly secret: string;
};

export type VerificationCache = {
  remember(verification: Verification): void;
  knows(verification: Verification): boolean;
  readonly size: number;
};

const KEY_OCTETS = 32;

export function createVerificationCache(options: VerificationCacheOptions): VerificationCache {
  const key = randomBytes(KEY_OCTETS);
  /** MAC to the moment it expires; in the order added, which is also the order of expiry. */
  const expiries = new Map<string, number>();

  const mac = ({ account, service, revision, secret }: Verification): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([account, service, revision, secret])) // one text for each four values
      .digest('base64');

  const forgetExpired = (now: number): void => {
    for (const [entry, expiry] of expiries) {
      if (expiry > now) return;
      expiries.delete(entry);
    }
  };

  return {
    remember(verification) {
      const now = options.clock.monotonic();
      forgetExpired(now);
      const entry = mac(verification);
      expiries.delete(entry); // to the end of the order
      expiries.set(entry, now + options.lifetimeMs);
      for (const oldest of expiries.keys()) {
        if (expiries.size <= options.maxEntries) break;
        expiries.delete(oldest);
      }
    },
    knows(verification) {
      const expiry = expiries.get(mac(verification));
      return expiry !== undefined && expiry > options.clock.monotonic();
    },
    get size() {
      return expiries.size;
    },
  };
}
