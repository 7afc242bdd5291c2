/** What an account may hold. Trace lines count; a message that fills a quota to the octet still fits (requirement T-24). */
import type { Usage } from '../requests.ts';

export type Quota = { readonly quotaOctets?: number; readonly quotaMessages?: number };

/** A quota of 0 is none, as one that is absent. */
export function isOverQuota(quota: Quota, used: Usage | undefined, more: Usage): boolean {
  const { quotaOctets, quotaMessages } = quota;
  if (quotaOctets && (used?.octets ?? 0) + more.octets > quotaOctets) return true;
  return Boolean(quotaMessages) && (used?.messages ?? 0) + more.messages > quotaMessages!;
}
