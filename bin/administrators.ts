/** Who administers mailboxes, by the configuration (requirement I-41). Pure. */
import type { Config } from '../config/schema.ts';

/** By the canonical name of an account. */
export function administratorsOf({
  imap: { adminDomain, administrators = [] },
}: Pick<Config, 'imap'>): (account: string) => boolean {
  const named = new Set(administrators.map((name) => name.toLowerCase()));
  return (account) =>
    named.has(account) || (adminDomain !== undefined && account.endsWith(`@${adminDomain.toLowerCase()}`));
}
