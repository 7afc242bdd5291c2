/** The tables `[password]` and `[owner]`: how passwords are kept, and the owners of accounts. */
import { duration, flag, integer, option } from '../option.ts';

export const password = {
  'scram-iterations': option(integer(4096, 1_000_000).default(4096), {
    doc: 'PBKDF2 rounds of a password that is set from now on; at least 4096 (RFC 7677 §3). Logins of uncached passwords cost so many.',
    unit: 'iterations',
  }),
  'keep-plaintext': option(flag().default(true), {
    doc: 'Keeps the password itself too, sealed with the cluster key. APOP (RFC 1939 §7) cannot be verified without; with `false`, passwords set from now on do not work for APOP.',
  }),
} as const;

export const owner = {
  'passivate-after': option(duration('1s', '1d').prefault('5m'), {
    doc: "An account's actor that has had nothing to do for so long is put to sleep; the next request wakes it.",
  }),
} as const;
