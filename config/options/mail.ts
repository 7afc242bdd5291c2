/** The tables `[password]`, `[owner]` and `[quota]`, and how shared mailboxes are addressed. */
import { duration, flag, integer, option, size, text } from '../option.ts';

/** Of the whole node (node.ts): it names accounts as well as recipients. */
export const sharedName = () =>
  option(
    text(
      /^(?!(postmaster|anyone|anonymous)$)(?=.{1,63}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/,
      'a local part of lower-case letters, digits, "-", "_" and inner dots that has no meaning yet',
      'name',
    ).default('shared'),
    {
      doc: 'The local part of shared mailboxes: `shared+bugs@example.test` is the shared mailbox `bugs` of that domain. No account may have this name. Must be the same on every node of the cluster.',
    },
  );

export const password = {
  'scram-iterations': option(integer(4096, 1_000_000).default(4096), {
    doc: 'PBKDF2 rounds of a password that is set from now on; at least 4096 (RFC 7677 §3). Logins of uncached passwords cost so many.',
    unit: 'iterations',
  }),
  'keep-plaintext': option(flag().default(true), {
    doc: 'Keeps the password itself too, sealed with the cluster key. APOP (RFC 1939 §7) cannot be verified without; with `false`, passwords set from now on do not work for APOP.',
  }),
} as const;

export const quota = {
  'default-octets': option(size('0B', '8192GiB').prefault('0B'), {
    doc: 'How much mail an account may hold that has no `quota-octets` of its own; 0 is no limit. Should be the same on every node.',
  }),
  'default-messages': option(integer(0, 1_000_000_000).default(0), {
    doc: 'How many messages an account may hold that has no `quota-messages` of its own; 0 is no limit. Should be the same on every node.',
    unit: 'messages',
  }),
} as const;

export const owner = {
  'passivate-after': option(duration('1s', '1d').prefault('5m'), {
    doc: "An account's actor that has had nothing to do for so long is put to sleep; the next request wakes it.",
  }),
} as const;
