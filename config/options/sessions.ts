/** The tables `[pop3]`, `[imap]`, `[lmtp]` and `[poppwd]`: what a session of each protocol may do. */
import { choice, domain, duration, flag, integer, list, option, size, text } from '../option.ts';

const loginTimeout = (fallback: string, remark = '') =>
  option(duration('0s', '1d').prefault(fallback), {
    doc: `A client that is connected for so long and not logged in is closed, whatever it has said meanwhile; a log-in under way is seen through.${remark} 0 is no limit.`,
  });

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
  'login-timeout': loginTimeout('10m', ' Less than 10 minutes ends clients that RFC 1939 §3 would still let think.'),
  'login-delay': option(duration('0s', '1d').prefault('0s'), {
    doc: "The least time between two log-ins of an account, on whatever nodes; an earlier one gets `-ERR [LOGIN-DELAY]` (RFC 2449 §6.5). 0 is no limit, and then no capability is shown. Should be the same on every node. An owner's death forgets the last log-ins.",
  }),
} as const;

export const imap = {
  'idle-timeout': option(duration('1s', '1d').prefault('30m'), {
    doc: 'A session silent for so long is told so and closed; one in IDLE is silent (RFC 2177). RFC 9051 §5.4 wants at least 30 minutes; less is taken with a warning.',
  }),
  'idle-keepalive': option(duration('0s', '1h').prefault('2m'), {
    doc: 'A client in IDLE hears at least this often that the server is still there, so that nothing on the way takes the connection for dead. 0: never.',
  }),
  'login-failures': loginFailures(),
  'login-timeout': loginTimeout('10m'),
  'message-size-limit': option(size('64KiB', '4095MiB').prefault('100MiB'), {
    doc: 'The largest message that APPEND takes, announced as APPENDLIMIT (RFC 7889).',
  }),
  'default-mailboxes': option(
    list(
      text(
        /^(Drafts|Sent|Junk|Trash|Archive)(=[^\u0000-\u001f\u007f*%]{1,200})?$/,
        'Drafts, Sent, Junk, Trash or Archive, or one of these with another name, such as "Sent=Sent Items"',
        'special use, or `use=name`',
      ),
      'list of special uses',
      'a list of special uses',
      0,
    ).default(['Drafts', 'Sent', 'Junk', 'Trash', 'Archive']),
    {
      doc: 'Mailboxes that an account gets at a log-in by IMAP while it has none but INBOX: one for each of these uses (RFC 6154), under the name of the use or another one, subscribed to; a name is neither INBOX nor `user`, `shared` or below these, and no two are the same. `[]`: none. Should be the same on every node.',
      example: ['Drafts', 'Sent=Sent Items', 'Trash'],
    },
  ),
  'quota-visible-to-users': option(flag().default(false), {
    doc: 'Users may ask for their own quota with GETQUOTA and GETQUOTAROOT. Otherwise these are for administrators, as SETQUOTA always is.',
  }),
  'admin-domain': option(domain().optional(), {
    doc: 'All accounts of this domain are administrators.',
    fallback: 'none',
    example: 'admin.example.test',
  }),
  administrators: option(
    list(
      text(/^[^\s@]+@[^\s@]+$/, 'an account such as "root@example.test"', 'account'),
      'list of accounts',
      'a list of accounts',
    ).optional(),
    {
      doc: 'Accounts that are administrators, too: they have every right on every mailbox, and see and set quotas. Read at the start; should be the same on every node.',
      fallback: 'none',
      example: ['root@example.test'],
    },
  ),
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
  'header-size-limit': option(size('64KiB', '100MiB').prefault('1MiB'), {
    doc: 'The largest header section taken, up to and with the empty line; more is refused with 552. A message without an empty line is all header.',
  }),
  'over-quota': option(choice(['temporary', 'permanent']).default('temporary'), {
    doc: "What a recipient's mailbox without room is answered: `temporary` is `452 4.2.2`, so that the sender's queue tries again; `permanent` is `552 5.2.2`, so that it bounces.",
  }),
  socket: option(flag().default(true), {
    doc: 'A node with an LMTP listener opens the unix socket `ipc/lmtpd` in `data` as well. Nobody is asked for a password there: the mode of `ipc` says who may deliver.',
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
  'login-timeout': loginTimeout('5m'),
  'failed-login-flow': option(integer(0, 100).default(10), {
    doc: 'Failed logins of one account within `failed-login-interval` that are borne, over all its connections to this node. After one more every login of the account is refused here as a wrong password is, until the failures are older. 0 is no limit.',
    unit: 'failures',
  }),
  'failed-login-interval': option(duration('1s', '1d').prefault('1m'), {
    doc: 'How long a failed login counts towards `failed-login-flow`.',
  }),
} as const;
