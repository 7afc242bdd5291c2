/** Options of the whole node: its name, its data, and the times that the cluster is held together by. */
import { domain, duration, flag, list, name, option, path, text } from '../option.ts';
import { sharedName } from './mail.ts';

export const node = {
  me: option(name(), {
    doc: "This node's name, unlike that of any other node of the cluster.",
    example: 'n1',
  }),
  data: option(path(), {
    doc: 'Directory of the databases, of `run/` (pid files), `ipc/` (unix sockets) and `log/`. `homing init` makes it.',
    example: './var/n1',
  }),
  'runtime-user': option(
    text(/^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/, 'the name of a user of this machine', 'user name').optional(),
    {
      doc: "Whom the node becomes when root starts it, with that user's groups and none of root's rights, for good. `data` and all below must be that user's. Ports below 1024 and the keys of `[tls]` are opened before. Needless where the node is started as that user already, as the systemd unit does.",
      fallback: 'none: the node stays who started it',
      example: 'homing',
    },
  ),
  'default-domain': option(domain(), {
    doc: 'The domain of a login name or recipient that has none: `joe` is `joe@example.test`, and a bare `Postmaster` (RFC 5321 §4.5.1) lives here.',
    example: 'example.test',
  }),
  'mail-hosts': option(list(name(), 'list of names', 'a list of at least one name').optional(), {
    doc: 'The mailHosts (logical stores) that this node may own, in order of preference.',
    fallback: 'the one named by `me`',
    example: ['n1'],
  }),
  'host-name': option(domain().optional(), {
    doc: "The host that greetings, APOP timestamps (RFC 1939 §7) and `Received` lines name. qmail's `me`.",
    fallback: "the machine's host name, or `me` where that is no domain",
    example: 'mail.example.test',
  }),
  'directory-max-stale': option(duration('1s', '1m').prefault('3s'), {
    doc: 'How old the knowledge may be from which a login is answered without asking the cluster; a changed password is known everywhere after at most this and a margin. The cluster keeps one value, set by the first `homing init`.',
  }),
  'lmtp-shared-name': sharedName(),
  'lmtp-enable-overquota-delivery': option(flag().default(false), {
    doc: 'Opens a second unix socket for LMTP, `ipc/lmtpd-oq` in `data`, whose deliveries no quota refuses; all others go on as they are. Off, the file does not exist.',
  }),
  'failover-patience': option(duration('0s', '10m').prefault('30s'), {
    doc: 'How long a session waits for the next owner of its mailbox before its client gets a temporary error.',
  }),
  'lease-duration': option(duration('1s', '5m').prefault('6s'), {
    doc: 'How long a node owns a mailHost after its last renewal: a dead owner is replaced after this and a margin. Renewed at a third of it. Must be the same on every node of the cluster.',
  }),
  'cleartext-login-enable': option(flag().default(true), {
    doc: 'Takes log-ins that show the password to whoever listens on the way: POP3 USER and PASS, and all of poppwd, without TLS. With `false` these are refused except under TLS and on unix sockets.',
  }),
} as const;
