/** The tables `[pop3]`, `[lmtp]` and `[poppwd]`: what a session of each protocol may do. */
import { duration, flag, integer, option, size } from '../option.ts';

const loginFailures = () =>
  option(integer(0, 100).default(3), {
    doc: 'Failed logins that a session survives: each of these is answered, the next one is answered and ends it.',
    unit: 'failures',
  });

export const pop3 = {
  'idle-timeout': option(duration('1s', '1d').prefault('10m'), {
    doc: 'A session silent for so long is closed and removes nothing. RFC 1939 §3 wants at least 10 minutes; less is taken with a warning.',
  }),
  'login-failures': loginFailures(),
  'login-delay': option(duration('0s', '1d').prefault('0s'), {
    doc: "The least time between two log-ins of an account, on whatever nodes; an earlier one gets `-ERR [LOGIN-DELAY]` (RFC 2449 §6.5). 0 is no limit, and then no capability is shown. Should be the same on every node. An owner's death forgets the last log-ins.",
  }),
} as const;

export const lmtp = {
  'idle-timeout': option(duration('1s', '1d').prefault('5m'), {
    doc: 'A session silent for so long is closed. RFC 5321 §4.5.3.2.7 wants at least 5 minutes; less is taken with a warning.',
  }),
  allow8bitheaders: option(flag().default(false), {
    doc: 'Takes messages with 8-bit octets in the header and clears the eighth bit there; otherwise they are refused. Bodies are never touched.',
  }),
  // Above 32 bits a size no longer fits the `number` of IMAP clients (RFC 3501 §9); below 64 KiB is forbidden.
  'message-size-limit': option(size('64KiB', '4095MiB').prefault('100MiB'), {
    doc: 'The largest message taken, announced as SIZE (RFC 1870); at least 64 KiB (RFC 5321 §4.5.3.1.7).',
  }),
  'recipient-limit': option(integer(100, 100_000).default(1000), {
    doc: 'Most recipients of one message; more get 452. At least 100 (RFC 5321 §4.5.3.1.8).',
    unit: 'recipients',
  }),
} as const;

export const poppwd = {
  'idle-timeout': option(duration('1s', '1d').prefault('5m'), {
    doc: 'A session silent for so long is closed. Clients count on 5 minutes; less is taken with a warning.',
  }),
  'login-failures': loginFailures(),
} as const;
