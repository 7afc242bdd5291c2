/**
 * Every option of a node, declared once: type, default, unit, meaning and example (docs/architecture.md, "The operator's
 * contract"). The loader, `docs/reference/configuration.md` and `docs/config.schema.json` all come from here.
 *
 * An option that nothing reads has no place here. Rules between options are in cross-checks.ts.
 */
import { z } from 'zod';
import {
  choice,
  domain,
  duration,
  flag,
  integer,
  ipAddress,
  list,
  type Named,
  name,
  option,
  path,
  size,
  table,
  text,
  unshownText,
} from './option.ts';

export const node = {
  me: option(name(), {
    doc: "This node's name, unlike that of any other node of the cluster.",
    example: 'n1',
  }),
  data: option(path(), {
    doc: 'Directory of the databases, of `run/` (pid files), `ipc/` (unix sockets) and `log/`. `homing init` makes it.',
    example: './var/n1',
  }),
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

const SERVER = /^((nats|tls):\/\/)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/;

export const nats = {
  servers: option(
    list(
      unshownText(SERVER, 'host:port or tls://host:port, without a user or password', 'server'),
      'list of servers',
      'a list of at least one host:port',
    ),
    {
      doc: 'NATS servers, tried in turn: `host:port` or `tls://host:port`.',
      example: ['127.0.0.1:4222'],
    },
  ),
  cluster: option(text(/^[A-Za-z0-9_-]{1,32}$/, 'up to 32 letters, digits, "-" and "_"', 'name'), {
    doc: 'Name of the cluster: the same on every node. Clusters of different names may share NATS servers.',
    example: 'demo',
  }),
  'cluster-key-file': option(path().optional(), {
    doc: 'The key that seals every frame between the nodes: the same on every node. The first `homing init` makes it.',
    fallback: '`cluster.key` in `data`',
    example: './var/cluster.key',
  }),
  'credentials-file': option(path().optional(), {
    doc: 'NATS credentials (JWT and seed). Not together with `user`.',
    fallback: 'none',
  }),
  user: option(text(/^[\x21-\x7e]+$/, 'printable ASCII without spaces', 'string').optional(), {
    doc: 'User name for NATS; needs `password-file`.',
    fallback: 'none',
  }),
  'password-file': option(path().optional(), {
    doc: 'File whose first line is the password of `user`. A password is never written into this configuration itself.',
    fallback: 'none',
  }),
  'tls-ca-file': option(path().optional(), {
    doc: 'PEM certificates that the NATS servers are checked against; with any `tls-` option the connection must be TLS.',
    fallback: "the runtime's own",
  }),
  'tls-certificate-file': option(path().optional(), {
    doc: 'PEM certificate that this node shows to the NATS servers; needs `tls-key-file`.',
    fallback: 'none',
  }),
  'tls-key-file': option(path().optional(), {
    doc: 'PEM private key of `tls-certificate-file`.',
    fallback: 'none',
  }),
} as const;

export const listener = {
  protocol: option(choice(['pop3', 'lmtp', 'poppwd']), { doc: 'What is spoken here.', example: 'pop3' }),
  address: option(ipAddress().optional(), {
    doc: 'The address to listen at; `0.0.0.0` or `::` for all. LMTP knows no passwords: who reaches it can deliver.',
    fallback: '127.0.0.1',
  }),
  port: option(integer(0, 65535).optional(), {
    doc: 'TCP port; 0 takes a free one, which `serve` prints. Exactly one of `port` and `path`.',
    fallback: 'none',
    example: 1110,
  }),
  path: option(path().optional(), {
    doc: 'Unix socket instead of a port.',
    fallback: 'none',
    example: './var/n1/ipc/lmtpd',
  }),
  channels: option(integer(0, 100_000).default(1000), {
    doc: 'Most connections at once; one more is refused with a temporary error. 0 closes the port.',
    unit: 'connections',
  }),
  tls: option(choice(['none', 'starttls', 'implicit']).default('none'), {
    doc: 'TLS on this listener, with the certificates of `[tls]`: `none`; `starttls`, when the client asks (POP3 STLS: RFC 2595 §4, LMTP STARTTLS: RFC 3207); `implicit`, from the first octet (RFC 8314 §3). poppwd has no command for it. A unix socket needs none.',
  }),
} as const;

/** A host name, or all names one label below one: `*.example.test`. */
const SERVER_NAME =
  /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

const certificateFiles = {
  'certificate-file': option(path(), {
    doc: 'PEM certificate, and behind it those that lead to its authority. Read again when the file changes.',
    example: './tls/cert.pem',
  }),
  'key-file': option(path(), {
    doc: 'PEM private key of `certificate-file`, without a passphrase. Read again when the file changes.',
    example: './tls/key.pem',
  }),
} as const;

export const tls = {
  ...certificateFiles,
  'minimum-version': option(choice(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'), {
    doc: 'The oldest version of TLS that is spoken; older ones than 1.2 are never (RFC 8996).',
  }),
  'client-certificates': option(choice(['none', 'request']).default('none'), {
    doc: 'Whether clients are asked for a certificate. One that is shown is named in the log, with whether an authority of `client-ca-file` issued it; nobody is refused for theirs or for having none.',
  }),
  'client-ca-file': option(path().optional(), {
    doc: 'PEM certificates of the authorities that issue client certificates; needed by `client-certificates = "request"`.',
    fallback: 'none',
    example: './tls/clients-ca.pem',
  }),
} as const;

export const tlsName = {
  names: option(
    list(
      text(SERVER_NAME, 'host names such as "mail.example.test" or "*.example.test"', 'host name'),
      'list of host names',
      'a list of at least one host name',
    ),
    {
      doc: 'The host names that clients call this server by (RFC 6066 §3); `*.example.test` is any one label below.',
      example: ['mail.example.test', '*.mail.example.test'],
    },
  ),
  ...certificateFiles,
} as const;

export const log = {
  level: option(choice(['debug', 'info', 'warn', 'error']).default('info'), {
    doc: 'The least urgent level that is written.',
  }),
  format: option(choice(['text', 'json']).default('text'), { doc: 'Lines for people, or one JSON object a line.' }),
  destination: option(text(/^[^\u0000]+$/, '"stderr" or a path', '`"stderr"` or path').default('stderr'), {
    doc: 'Standard error, or a file that is appended to.',
    example: './var/n1/log/homing.log',
  }),
} as const;

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

/** The tables of the file, by name; their keys are what an unknown key is compared with. */
export const tables = { nats, tls, 'tls.name': tlsName, listener, log, pop3, lmtp, poppwd, password, owner } as const;

/** The whole file, as written: kebab-case keys, units as given. */
export const configFile = table({
  ...node,
  nats: table(nats).optional().meta({ description: 'The cluster. Absent: embedded, one node without NATS.' }),
  tls: table({
    ...tls,
    name: z
      .array(table(tlsName), { error: 'is not allowed: must be tables, each begun by [[tls.name]]' })
      .default([])
      .meta({ description: 'Certificates for clients that call the server by other names.' }),
  })
    .optional()
    .meta({ description: 'The certificate of listeners with TLS. Absent: no listener has TLS.' }),
  listener: z
    .array(table(listener).meta({ oneOf: [{ required: ['port'] }, { required: ['path'] }] }), {
      error: 'is not allowed: must be tables, each begun by [[listener]]',
    })
    .default([])
    .meta({
      description: 'A port or unix socket that clients reach; one `[[listener]]` each. None: this node only owns mail.',
    }),
  log: table(log).prefault({}).meta({ description: 'The server log.' }),
  pop3: table(pop3).prefault({}).meta({ description: 'POP3 sessions.' }),
  lmtp: table(lmtp).prefault({}).meta({ description: 'LMTP sessions.' }),
  poppwd: table(poppwd).prefault({}).meta({ description: 'Password-change sessions.' }),
  password: table(password).prefault({}).meta({ description: 'How passwords are kept.' }),
  owner: table(owner).prefault({}).meta({ description: "The owners of mailHosts' accounts." }),
}).meta({ title: 'Homing configuration' });

export type ConfigFile = z.output<typeof configFile>;

/** A TCP port (0: any free one) or a unix socket. */
export type Place = { readonly address: string; readonly port: number } | { readonly path: string };

export type Listener = {
  readonly protocol: 'pop3' | 'lmtp' | 'poppwd';
  readonly place: Place;
  readonly channels: number;
  readonly tls: 'none' | 'starttls' | 'implicit';
};

export type Tls = Named<typeof tls> & { readonly names: readonly Named<typeof tlsName>[] };

/** The whole configuration as the program reads it: defaults filled in, paths absolute, units in the names. */
export type Config = Omit<Named<typeof node>, 'mailHosts' | 'hostName'> & {
  readonly mailHosts: readonly string[];
  readonly hostName: string;
  /** Embedded too: what the directory keeps of passwords is sealed with it. */
  readonly clusterKeyFile: string;
  /** Absent: embedded. */
  readonly nats?: Omit<Named<typeof nats>, 'clusterKeyFile'>;
  /** Absent: no listener has TLS. */
  readonly tls?: Tls;
  readonly listeners: readonly Listener[];
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'text' | 'json';
    readonly destination: 'stderr' | { readonly file: string };
  };
  readonly pop3: Named<typeof pop3>;
  readonly lmtp: Named<typeof lmtp>;
  readonly poppwd: Named<typeof poppwd>;
  readonly password: Named<typeof password>;
  readonly owner: Named<typeof owner>;
};
