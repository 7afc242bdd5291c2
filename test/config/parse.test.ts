/** What the operator hears of each wrong configuration, and what the program reads of a right one. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkConfig, parseConfig, type Source } from '../../config/parse.ts';
import { printProblem } from '../../config/problem.ts';
import type { Config } from '../../config/schema.ts';
import { configWarnings } from '../../config/warnings.ts';

const source: Source = {
  file: 'homing.toml',
  directory: '/etc/homing',
  machine: 'Mail.Example.Test',
  platform: 'linux',
};
const MINIMAL = 'me = "n1"\ndata = "./n1"\ndefault-domain = "Example.test"\n';
const NATS = '[nats]\nservers = ["127.0.0.1:4222"]\ncluster = "demo"\n';
const LISTENER = '[[listener]]\nprotocol = "pop3"\n';
const TLS = '[tls]\ncertificate-file = "c.pem"\nkey-file = "k.pem"\n';
const NAME = (names: string) => `[[tls.name]]\nnames = ["${names}"]\ncertificate-file = "nc"\nkey-file = "nk"\n`;

/** The problems of MINIMAL and more, as printed. */
function problems(more: string, from = source): readonly string[] {
  const loaded = parseConfig(MINIMAL + more, from);
  assert.not.ok(loaded.ok, `was accepted: ${more}`);
  return loaded.ok ? [] : loaded.refusal.map(printProblem);
}

function accepted(more: string, from = source): Config {
  const loaded = parseConfig(MINIMAL + more, from);
  if (!loaded.ok) throw new Error(loaded.refusal.map(printProblem).join('\n'));
  return loaded.value;
}

test('everything but a name, a directory and a domain has a default', () => {
  assert.equal(accepted(''), {
    me: 'n1',
    data: '/etc/homing/n1',
    defaultDomain: 'example.test',
    mailHosts: ['n1'],
    hostName: 'mail.example.test',
    directoryMaxStaleMs: 3000,
    failoverPatienceMs: 30_000,
    leaseDurationMs: 6000,
    cleartextLoginEnable: true,
    lmtpEnableOverquotaDelivery: false,
    clusterKeyFile: '/etc/homing/n1/cluster.key',
    listeners: [],
    log: { level: 'info', format: 'text', destination: 'stderr' },
    connectionLog: { destination: 'off', protocols: ['pop3', 'imap', 'poppwd'] },
    pop3: { idleTimeoutMs: 600_000, loginFailures: 3, loginTimeoutMs: 600_000, loginDelayMs: 0 },
    imap: {
      idleTimeoutMs: 1_800_000,
      idleKeepaliveMs: 120_000,
      loginFailures: 3,
      loginTimeoutMs: 600_000,
      messageSizeLimitOctets: 104_857_600,
      defaultMailboxes: ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive'],
      quotaVisibleToUsers: false,
    },
    lmtp: {
      idleTimeoutMs: 300_000,
      allow8bitheaders: false,
      messageSizeLimitOctets: 104_857_600,
      headerSizeLimitOctets: 1_048_576,
      overQuota: 'temporary',
      socket: true,
      recipientLimit: 1000,
    },
    poppwd: {
      idleTimeoutMs: 300_000,
      loginFailures: 3,
      loginTimeoutMs: 300_000,
      failedLoginFlow: 10,
      failedLoginIntervalMs: 60_000,
    },
    limits: { sessionsPerAccount: 100 },
    password: { scramIterations: 4096, keepPlaintext: true },
    lmtpSharedName: 'shared',
    quota: { defaultOctets: 0, defaultMessages: 0 },
    owner: { passivateAfterMs: 300_000 },
    admin: {},
  });
});

test('a quota is a size or a whole number, and is named by its unit once', () => {
  const { quota, lmtpSharedName } = accepted(
    'lmtp-shared-name = "public-folders"\n[quota]\ndefault-octets = "10GiB"\ndefault-messages = 100000\n',
  );
  assert.equal(quota, { defaultOctets: 10 * 1024 ** 3, defaultMessages: 100_000 });
  assert.is(lmtpSharedName, 'public-folders');
});

test('units are read: text with a unit, or whole seconds and octets', () => {
  const config = accepted(
    'directory-max-stale = "1500ms"\nfailover-patience = 45\n[lmtp]\nmessage-size-limit = 70000\nidle-timeout = "2h"\n',
  );
  assert.is(config.directoryMaxStaleMs, 1500);
  assert.is(config.failoverPatienceMs, 45_000);
  assert.is(config.lmtp.messageSizeLimitOctets, 70_000);
  assert.is(config.lmtp.idleTimeoutMs, 7_200_000);
});

test('paths begin at the directory of the file, unless absolute', () => {
  const config = accepted(
    `[log]\ndestination = "log/homing.log"\n[[listener]]\nprotocol = "lmtp"\npath = "ipc/lmtpd"\nmode = "0660"\n${NATS}cluster-key-file = "/k"\ntls-ca-file = "ca.pem"\n`,
  );
  assert.equal(config.log.destination, { file: '/etc/homing/log/homing.log' });
  assert.equal(config.listeners, [
    { protocol: 'lmtp', channels: 1000, tls: 'none', place: { path: '/etc/homing/ipc/lmtpd', mode: 0o660 } },
  ]);
  assert.is(config.clusterKeyFile, '/k');
  assert.equal(config.nats, { servers: ['127.0.0.1:4222'], cluster: 'demo', tlsCaFile: '/etc/homing/ca.pem' });
});

test('TLS: names fold, paths resolve, a version and no client certificates by default', () => {
  const { tls, listeners } = accepted(
    `${TLS}${NAME('A.test", "*.B.test')}${LISTENER}port = 995\ntls = "implicit"\n${LISTENER}port = 110\ntls = "starttls"\n`,
  );
  assert.equal(tls, {
    certificateFile: '/etc/homing/c.pem',
    keyFile: '/etc/homing/k.pem',
    minimumVersion: 'TLSv1.2',
    clientCertificates: 'none',
    names: [{ names: ['a.test', '*.b.test'], certificateFile: '/etc/homing/nc', keyFile: '/etc/homing/nk' }],
  });
  assert.equal(
    listeners.map(({ tls }) => tls),
    ['implicit', 'starttls'],
  );
});

test('the connection log: a path of the file, or off', () => {
  const { connectionLog } = accepted('[connection-log]\ndestination = "./c.log"\nprotocols = ["poppwd"]\n');
  assert.equal(connectionLog, { destination: { file: '/etc/homing/c.log' }, protocols: ['poppwd'] });
});

test('passwords in clear are taken unless the file says otherwise', () => {
  assert.is(accepted('').cleartextLoginEnable, true);
  assert.is(accepted('cleartext-login-enable = false\n').cleartextLoginEnable, false);
});

test('a machine whose name is no domain is announced by the name of the node', () => {
  assert.is(accepted('', { ...source, machine: 'my_laptop' }).hostName, 'n1');
  assert.is(accepted('', { ...source, machine: '' }).hostName, 'n1');
  assert.is(accepted('host-name = "MX.example.test"\n').hostName, 'mx.example.test');
});

test('an address may be left out: then only this machine reaches the port', () => {
  assert.equal(accepted('[[listener]]\nprotocol = "pop3"\nport = 0\nchannels = 0\n').listeners, [
    { protocol: 'pop3', channels: 0, tls: 'none', place: { address: '127.0.0.1', port: 0 } },
  ]);
});

test('a port may be left out: each protocol has its own, but LMTP, and poppwd another on macOS', () => {
  const ports = (more: string, platform = 'linux') =>
    accepted(more, { ...source, platform }).listeners.map(({ place }) => 'port' in place && place.port);
  assert.equal(ports(`${LISTENER}${TLS.replace('[tls]', '\n[tls]')}${LISTENER}tls = "implicit"\n`), [110, 995]);
  assert.equal(
    ports(
      `[[listener]]\nprotocol = "imap"\n${TLS.replace('[tls]', '\n[tls]')}[[listener]]\nprotocol = "imap"\ntls = "implicit"\n`,
    ),
    [143, 993],
  );
  assert.equal(ports('[[listener]]\nprotocol = "poppwd"\n'), [106]);
  assert.equal(ports('[[listener]]\nprotocol = "poppwd"\n', 'darwin'), [8106]);
});

test('whom a listener lets in: lists as written, files resolved, a socket of balancers without addresses', () => {
  const { listeners } = accepted(
    `${LISTENER}port = 1\nallow = ["192.0.2.0/24", "!192.0.2.7 ; that one"]\nallow-file = "allowed"\n` +
      'connections-per-address = 5\nconnection-rate-per-address = 60\nlimits-exempt = ["::1"]\n' +
      `${LISTENER}port = 2\nproxy-protocol = "required"\nproxy-trusted = ["192.0.2.4"]\n` +
      `${LISTENER}path = "p"\nproxy-protocol = "required"\nallow = ["2001:db8::/32"]\n`,
  );
  const common = { protocol: 'pop3', channels: 1000, tls: 'none' };
  assert.equal(listeners, [
    {
      ...common,
      place: { address: '127.0.0.1', port: 1 },
      allow: ['192.0.2.0/24', '!192.0.2.7 ; that one'],
      allowFile: '/etc/homing/allowed',
      connectionsPerAddress: 5,
      connectionRatePerAddress: 60,
      limitsExempt: ['::1'],
    },
    { ...common, place: { address: '127.0.0.1', port: 2 }, proxyTrusted: ['192.0.2.4'] },
    { ...common, place: { path: '/etc/homing/p' }, allow: ['2001:db8::/32'], proxyTrusted: [] },
  ]);
});

test('what is missing is named, all of it at once', () => {
  const loaded = parseConfig('', source);
  assert.equal(loaded.ok ? [] : loaded.refusal.map(printProblem), [
    'homing.toml: me: is missing: must be a name such as "n1" or "n1.example.test": lower-case letters, digits, "-" and "."',
    'homing.toml: data: is missing: must be a path',
    'homing.toml: default-domain: is missing: must be a domain such as "example.test"',
  ]);
});

const WRONG: readonly (readonly [string, string, string])[] = [
  [
    'the two logs in one file',
    '[log]\ndestination = "./h.log"\n[connection-log]\ndestination = "h.log"',
    'connection-log.destination: "h.log" is not allowed: it is the server log',
  ],
  [
    'a connection log of LMTP',
    '[connection-log]\nprotocols = ["lmtp"]',
    'connection-log.protocols#1: "lmtp" is not allowed: must be "pop3" or "imap" or "poppwd"',
  ],
  [
    'fewer sessions than none',
    '[limits]\nsessions-per-account = -1',
    'limits.sessions-per-account: -1 is not allowed: must be a whole number from 0 to 100000',
  ],
  ...['Public', 'a+b', 'a..b', '', 'anyone', 'postmaster', 'x'.repeat(64)].map(
    (name) =>
      [
        `the shared name ${name}`,
        `lmtp-shared-name = "${name}"`,
        `lmtp-shared-name: "${name}" is not allowed: must be a local part of lower-case letters, digits, "-", "_" and inner dots that has no meaning yet`,
      ] as const,
  ),
  ...(
    [
      ['Sent=user/joe', 'of the name "user/joe", its first level is where mailboxes of others stand'],
      ['Sent=user', 'of the name "user", its first level is where mailboxes of others stand'],
      ['Sent=shared/all', 'of the name "shared/all", its first level is where mailboxes of others stand'],
    ] as const
  ).map(
    ([value, reason]) =>
      [
        `the default mailbox ${value}`,
        `[imap]\ndefault-mailboxes = ["Drafts", "${value}"]`,
        `imap.default-mailboxes#2: "${value}" is not allowed: ${reason}: must be another than "user" or "shared"`,
      ] as const,
  ),
  ...['a//b', '/a', 'a/'].map(
    (name) =>
      [
        `the default mailbox ${name}`,
        `[imap]\ndefault-mailboxes = ["Sent=${name}"]`,
        `imap.default-mailboxes#1: "Sent=${name}" is not allowed: of the name "${name}", a level of it is empty: / stands between two levels only`,
      ] as const,
  ),
  [
    'INBOX as a default mailbox, however it is written',
    '[imap]\ndefault-mailboxes = ["Archive=InBox"]',
    'imap.default-mailboxes#1: "Archive=InBox" is not allowed: of the name "InBox", every account has that mailbox: must be another name',
  ],
  [
    'a level of a default mailbox that is too long',
    `[imap]\ndefault-mailboxes = ["Sent=${'é'.repeat(128)}"]`,
    `imap.default-mailboxes#1: "Sent=${'é'.repeat(75)}..." is not allowed: of the name "${'é'.repeat(80)}...", a level of it is longer than 255 octets`,
  ],
  [
    'two default mailboxes of the same name',
    '[imap]\ndefault-mailboxes = ["Sent=Mine", "Drafts", "Trash=Mine"]',
    'imap.default-mailboxes#3: "Trash=Mine" is not allowed: #1 has the same name',
  ],
  [
    'a default mailbox by the name of another use',
    '[imap]\ndefault-mailboxes = ["Sent=Drafts", "Drafts"]',
    'imap.default-mailboxes#2: "Drafts" is not allowed: #1 has the same name',
  ],
  [
    'two default mailboxes of the same name, composed and decomposed',
    '[imap]\ndefault-mailboxes = ["Sent=Caf\u00e9", "Trash=Cafe\u0301"]',
    'imap.default-mailboxes#2: "Trash=Cafe\u0301" is not allowed: #1 has the same name',
  ],
  [
    'two default mailboxes of the same name but for the case of INBOX',
    '[imap]\ndefault-mailboxes = ["Sent=inbox/x", "Trash=INBOX/x"]',
    'imap.default-mailboxes#2: "Trash=INBOX/x" is not allowed: #1 has the same name',
  ],
  [
    'two default mailboxes for one use',
    '[imap]\ndefault-mailboxes = ["Sent", "Sent=Out"]',
    'imap.default-mailboxes#2: "Sent=Out" is not allowed: #1 is for Sent already, and each use has one mailbox',
  ],
  [
    'a quota that is no size',
    '[quota]\ndefault-octets = "much"',
    'quota.default-octets: "much" is not allowed: must be a size from 0B to 8192GiB: "500kB", "50MiB", "1GiB" or a whole number of octets',
  ],
  [
    'a value out of range',
    `${LISTENER}port = 70000`,
    'listener#1.port: 70000 is not allowed: must be a whole number from 0 to 65535',
  ],
  [
    'a number that is text',
    `${LISTENER}port = "110"`,
    'listener#1.port: "110" is not allowed: must be a whole number from 0 to 65535',
  ],
  [
    'a fraction',
    `${LISTENER}port = 1.5`,
    'listener#1.port: 1.5 is not allowed: must be a whole number from 0 to 65535',
  ],
  [
    'an unknown word',
    '[log]\nlevel = "loud"',
    'log.level: "loud" is not allowed: must be "debug" or "info" or "warn" or "error"',
  ],
  [
    'a protocol that comes later',
    '[[listener]]\nprotocol = "http"\nport = 80',
    'listener#1.protocol: "http" is not allowed: must be "pop3" or "imap" or "lmtp" or "poppwd"',
  ],
  [
    'an unknown kind of TLS',
    `${LISTENER}port = 1\ntls = "ssl"`,
    'listener#1.tls: "ssl" is not allowed: must be "none" or "starttls" or "implicit"',
  ],
  [
    'STARTTLS without a certificate',
    `${LISTENER}port = 1\ntls = "starttls"`,
    'listener#1.tls: "starttls" is not allowed without a certificate: [tls] is missing',
  ],
  [
    'implicit TLS without a certificate',
    `${LISTENER}port = 1\ntls = "implicit"`,
    'listener#1.tls: "implicit" is not allowed without a certificate: [tls] is missing',
  ],
  [
    'TLS on a unix socket',
    `${TLS}${LISTENER}path = "s"\ntls = "implicit"`,
    'listener#1.tls: "implicit" is not allowed beside path: what crosses a unix socket stays in the machine',
  ],
  [
    'STARTTLS for poppwd, which has none',
    `${TLS}[[listener]]\nprotocol = "poppwd"\nport = 1\ntls = "starttls"`,
    'listener#1.tls: "starttls" is not allowed: poppwd has no command for it; must be "none" or "implicit"',
  ],
  ['TLS without a key', '[tls]\ncertificate-file = "c"', 'tls.key-file: is missing: must be a path'],
  [
    'a version of TLS that is no more',
    `${TLS}minimum-version = "TLSv1.1"`,
    'tls.minimum-version: "TLSv1.1" is not allowed: must be "TLSv1.2" or "TLSv1.3"',
  ],
  [
    'client certificates without their authority',
    `${TLS}client-certificates = "request"`,
    'tls.client-ca-file: is missing: client-certificates = "request" needs it',
  ],
  [
    'an authority of client certificates that nobody is asked for',
    `${TLS}client-ca-file = "ca"`,
    'tls.client-ca-file: is not allowed with client-certificates = "none": nobody is asked for a certificate',
  ],
  [
    'a server name that is none',
    `${TLS}[[tls.name]]\nnames = ["mail.*.test"]\ncertificate-file = "c"\nkey-file = "k"`,
    'tls.name#1.names#1: "mail.*.test" is not allowed: must be host names such as "mail.example.test" or "*.example.test"',
  ],
  [
    'a server name twice',
    `${TLS}${NAME('a.test')}${NAME('b.test", "A.Test')}`,
    'tls.name#2.names: "a.test" is named already by tls.name#1',
  ],
  [
    'a mistyped option of a server name',
    `${TLS}${NAME('a.test')}keyfile = "k"`,
    'tls.name#1.keyfile: is no option; did you mean "key-file"?',
  ],
  [
    'a host name as address',
    `${LISTENER}port = 1\naddress = "localhost"`,
    'listener#1.address: "localhost" is not allowed: must be an IP address such as "127.0.0.1", "0.0.0.0" or "::"',
  ],
  [
    'a duration without unit',
    '[pop3]\nidle-timeout = "600"',
    'pop3.idle-timeout: "600" is not allowed: must be a duration from 1s to 1d: "500ms", "30s", "10m" or a whole number of seconds',
  ],
  [
    'a duration too short',
    'lease-duration = "999ms"',
    'lease-duration: "999ms" is not allowed: must be a duration from 1s to 5m: "500ms", "30s", "10m" or a whole number of seconds',
  ],
  [
    'a size too small (RFC 5321 §4.5.3.1.7)',
    '[lmtp]\nmessage-size-limit = "63KiB"',
    'lmtp.message-size-limit: "63KiB" is not allowed: must be a size from 64KiB to 4095MiB: "500kB", "50MiB", "1GiB" or a whole number of octets',
  ],
  [
    'too few recipients (RFC 5321 §4.5.3.1.8)',
    '[lmtp]\nrecipient-limit = 99',
    'lmtp.recipient-limit: 99 is not allowed: must be a whole number from 100 to 100000',
  ],
  [
    'too few iterations (RFC 7677 §3)',
    '[password]\nscram-iterations = 4095',
    'password.scram-iterations: 4095 is not allowed: must be a whole number from 4096 to 1000000',
  ],
  [
    'a yes that is text',
    '[lmtp]\nallow8bitheaders = "yes"',
    'lmtp.allow8bitheaders: "yes" is not allowed: must be true or false',
  ],
  [
    'a table where a value goes',
    '[host-name]\na = 1',
    'host-name: a table is not allowed: must be a domain such as "example.test"',
  ],
  ['a value where a table goes', 'pop3 = true', 'pop3: true is not allowed: must be a table'],
  [
    'one listener in single brackets',
    '[listener]\nprotocol = "pop3"',
    'listener: is not allowed: must be tables, each begun by [[listener]]',
  ],
  ['a date', 'host-name = 2026-11-22', 'host-name: a date is not allowed: must be a domain such as "example.test"'],
  ['no mailHost', 'mail-hosts = []', 'mail-hosts: a list is not allowed: must be a list of at least one name'],
  ['a mailHost twice', 'mail-hosts = ["a", "b", "a"]', 'mail-hosts: names the same one twice'],
  [
    'a mailHost that would leave its directory',
    'mail-hosts = ["n1", "../n2"]',
    'mail-hosts#2: "../n2" is not allowed: must be a name such as "n1" or "n1.example.test": lower-case letters, digits, "-" and "."',
  ],
  [
    'an empty path',
    '[nats]\nservers = ["a"]\ncluster = "c"\nuser = "u"\npassword-file = ""',
    'nats.password-file: "" is not allowed: must be a path',
  ],
  ['a mistyped key', '[pop3]\nidel_timeout = "10m"', 'pop3.idel_timeout: is no option; did you mean "idle-timeout"?'],
  ['a mistyped table', '[poop3]\nidle-timeout = "10m"', 'poop3: is no option; did you mean "pop3"?'],
  ['a key of another table', 'scram-iterations = 5000', 'scram-iterations: is no option; it belongs in [password]'],
  [
    'a key of several tables',
    '[owner]\nidle-timeout = 5',
    'owner.idle-timeout: is no option; it belongs in [pop3] or [imap] or [lmtp] or [poppwd]',
  ],
  [
    'a key of the top in a table',
    '[log]\ndefault-domain = "x"',
    'log.default-domain: is no option; it belongs in the top of the file, above the first table',
  ],
  ['a key like nothing', '[owner]\n"zzz\\nzzz" = 5', 'owner."zzz\\nzzz": is no option'],
  [
    'an LMTP listener without a place',
    '[[listener]]\nprotocol = "lmtp"\n',
    'listener#1.port: is missing: there is no default for lmtp, which needs a port or a path',
  ],
  ['the default port twice', `${LISTENER}${LISTENER}port = 110\n`, 'listener#2.port: is taken already by listener#1'],
  [
    'an address that is none',
    `${LISTENER}allow = ["192.0.2.1", "192.0.2.300"]\n`,
    'listener#1.allow#2: "192.0.2.300" is not allowed: must be an IP address, two with "-" between them, or one with "/" and a mask',
  ],
  [
    'a mask that is none',
    `${LISTENER}allow = ["192.0.2.1/33"]\n`,
    'listener#1.allow#1: "192.0.2.1/33" is not allowed: the mask must be a number of bits that the address has (for ::ffff:192.0.2.0 of 96 or more), or of the form 255.255.255.0',
  ],
  ['a list of no address', `${LISTENER}allow = ["; nobody"]\n`, 'listener#1.allow: is empty: must name an address'],
  [
    'a PROXY header that anybody could send',
    `${LISTENER}proxy-protocol = "required"\n`,
    'listener#1.proxy-trusted: is missing: proxy-protocol = "required" needs to know whom to believe',
  ],
  [
    'balancers without the PROXY protocol',
    `${LISTENER}proxy-trusted = ["192.0.2.1"]\n`,
    'listener#1.proxy-trusted: is not allowed without proxy-protocol = "required"',
  ],
  [
    'addresses of balancers at a unix socket',
    `${LISTENER}path = "p"\nproxy-protocol = "required"\nproxy-trusted = ["192.0.2.1"]\n`,
    'listener#1.proxy-trusted: is not allowed beside path: a unix socket has no addresses',
  ],
  [
    'addresses at a unix socket',
    `${LISTENER}path = "p"\nallow = ["192.0.2.1"]\n`,
    'listener#1.allow: is not allowed beside path: a unix socket has no addresses',
  ],
  [
    'a listener in two places',
    `${LISTENER}port = 1\npath = "p"`,
    'listener#1.path: is not allowed beside port: a listener has either a port or a path',
  ],
  [
    'a socket with an address',
    `${LISTENER}path = "p"\naddress = "::"`,
    'listener#1.address: is not allowed beside path: a unix socket has no address',
  ],
  [
    'the control socket',
    `${LISTENER}path = "n1/ipc/control"`,
    'listener#1.path: "n1/ipc/control" is not allowed: it is the control socket',
  ],
  [
    'a mode without a socket',
    `${LISTENER}port = 1\nmode = "0660"`,
    'listener#1.mode: is not allowed without path: it is of a unix socket',
  ],
  [
    "LMTP's socket for another protocol",
    `${LISTENER}path = "n1/ipc/lmtpd"`,
    'listener#1.path: "n1/ipc/lmtpd" is not allowed: it is LMTP\'s socket',
  ],
  [
    'the socket that ignores quotas',
    `${LISTENER}path = "n1/ipc/lmtpd-oq"`,
    'listener#1.path: "n1/ipc/lmtpd-oq" is not allowed: lmtp-enable-overquota-delivery opens it',
  ],
  [
    'two listeners at one port',
    `${LISTENER}port = 110\n${LISTENER}address = "127.0.0.1"\nport = 110`,
    'listener#2.port: is taken already by listener#1',
  ],
  [
    'two listeners at one path',
    `${LISTENER}path = "x/../p"\n${LISTENER}path = "p"`,
    'listener#2.path: is taken already by listener#1',
  ],
  [
    'a port of all addresses',
    `${LISTENER}port = 110\naddress = "0.0.0.0"\n${LISTENER}port = 110`,
    'listener#2.port: is taken already by listener#1',
  ],
  [
    'a port of all addresses, IPv6',
    `${LISTENER}port = 110\n${LISTENER}port = 110\naddress = "::"`,
    'listener#2.port: is taken already by listener#1',
  ],
  [
    'one IPv6 address spelt in two ways',
    `${LISTENER}port = 110\naddress = "::1"\n${LISTENER}port = 110\naddress = "0:0::0001"`,
    'listener#2.port: is taken already by listener#1',
  ],
  [
    'a cluster without a name',
    '[nats]\nservers = ["127.0.0.1:4222"]',
    'nats.cluster: is missing: must be up to 32 letters, digits, "-" and "_"',
  ],
  [
    'a cluster without servers',
    '[nats]\ncluster = "c"\nservers = []',
    'nats.servers: a list is not allowed: must be a list of at least one host:port',
  ],
  ['a user without password', `${NATS}user = "u"`, 'nats.password-file: is missing: user needs it'],
  ['a password without user', `${NATS}password-file = "p"`, 'nats.user: is missing: password-file needs it'],
  [
    'a certificate without key',
    `${NATS}tls-certificate-file = "p"`,
    'nats.tls-key-file: is missing: tls-certificate-file needs it',
  ],
  [
    'credentials twice',
    `${NATS}credentials-file = "c"\nuser = "u"\npassword-file = "p"`,
    'nats.user: is not allowed beside credentials-file',
  ],
];

for (const [what, more, text] of WRONG)
  test(`${what} is refused with file, key, value and what is allowed`, () =>
    assert.equal(problems(more), [`homing.toml: ${text}`]));

test('listeners that do not meet are taken', () => {
  const config = accepted(
    `${LISTENER}port = 110\n${LISTENER}port = 111\n${LISTENER}port = 110\naddress = "127.0.0.2"\n${LISTENER}port = 110\naddress = "::1"\n${LISTENER}port = 0\n${LISTENER}port = 0\n`,
  );
  assert.is(config.listeners.length, 6);
});

test('a socket path longer than the system takes is refused', () => {
  assert.match(problems(`${LISTENER}path = "${'x'.repeat(100)}"`)[0]!, 'is too long: a unix socket');
  accepted(`${LISTENER}path = "${'x'.repeat(94)}"\n`); // 107 octets with its directory
});

test('several problems are told together', () => {
  assert.equal(
    problems('[pop3]\nlogin-failures = -1\nfoo = 1\n[log]\nformat = "xml"\n').map((line) => line.split(': ')[1]),
    ['log.format', 'pop3.login-failures', 'pop3.foo'],
  );
});

test('an idle time below what the documents want is taken with a warning (RFC 1939 §3, RFC 9051 §5.4, RFC 5321 §4.5.3.2.7)', () => {
  const config = accepted(
    '[pop3]\nidle-timeout = "599s"\n[imap]\nidle-timeout = "29m"\n[lmtp]\nidle-timeout = 10\n[poppwd]\nidle-timeout = "4m"\n',
  );
  assert.is(config.pop3.idleTimeoutMs, 599_000);
  assert.equal(configWarnings(config, 'homing.toml'), [
    'homing.toml: pop3.idle-timeout: 599s is short: RFC 1939 §3 wants at least 10m',
    'homing.toml: imap.idle-timeout: 29m is short: RFC 9051 §5.4 wants at least 30m',
    'homing.toml: lmtp.idle-timeout: 10s is short: RFC 5321 §4.5.3.2.7 wants at least 5m',
    'homing.toml: poppwd.idle-timeout: 4m is short: clients count on at least 5m',
  ]);
});

test('a syntax error has its line and column, and shows nothing of the file', () => {
  const [line, ...others] = problems('[nats]\npassword = "hunter2\n');
  assert.is(others.length, 0);
  assert.match(line!, /^homing\.toml: line 5, column \d+: /);
  assert.not.match(line!, 'hunter2');
  assert.is(line!.split('\n').length, 1);
});

test('a secret put into the file is not repeated', () => {
  const text = problems(
    '[nats]\ncluster = "c"\nservers = ["nats://joe:hunter2@127.0.0.1:4222"]\npassword = "hunter2"\ntoken = ["hunter2"]\n',
  ).join('\n');
  assert.not.match(text, 'hunter2');
  assert.match(text, 'nats.servers#1: this value is not allowed: must be host:port');
  assert.match(text, 'nats.password: is no option');
});

test('hostile: keys that JavaScript knows are keys like any other', () => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.ok(problems(`${key} = 1\n`).length > 0);
    assert.ok(problems(`[pop3]\n${key} = 1\n`).length > 0);
    assert.ok(problems(`[${key}]\na = 1\n`).length > 0);
  }
});

test('hostile: brackets without end', () => {
  assert.is(problems(`x = ${'['.repeat(100_000)}`).length, 1);
  assert.is(problems(`x = ${'{a='.repeat(100_000)}`).length, 1);
  assert.is(problems(`${'a.'.repeat(20_000)}a = 1`).length, 1);
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const loaded = parseConfig(text, source);
      if (!loaded.ok) assert.ok(loaded.refusal.length > 0);
    }),
  );
});

test('no value makes it throw, and every refusal says something', () => {
  const keys = ['me', 'data', 'listener', 'nats', 'pop3', 'log', 'mail-hosts', 'host-name', 'lease-duration'];
  const value = fc.anything({ withDate: true, withBigInt: true, withNullPrototype: true, withMap: true });
  fc.assert(
    fc.property(
      fc.oneof(
        value,
        fc.dictionary(fc.constantFrom(...keys), value),
        fc.dictionary(fc.constantFrom(...keys), fc.dictionary(fc.string(), value)),
      ),
      (given) => {
        const loaded = checkConfig(given, source);
        assert.not.ok(loaded.ok); // `default-domain` is never there
        if (!loaded.ok)
          for (const problem of loaded.refusal)
            assert.ok(problem.text.length > 3 && !printProblem(problem).includes('\n'));
      },
    ),
  );
});

test('a poppwd listener that nobody can log in at is taken, with a warning', () => {
  const PWD = '[[listener]]\nprotocol = "poppwd"\n';
  const text = `cleartext-login-enable = false\n${TLS}${PWD}path = "p"\n${PWD}port = 1\ntls = "implicit"\n${PWD}port = 2\n`;
  assert.equal(configWarnings(accepted(text), 'homing.toml'), [
    'homing.toml: listener#3.tls: nobody can log in here: passwords are not taken in clear (cleartext-login-enable), and poppwd has no other way',
  ]);
  assert.equal(configWarnings(accepted(`${PWD}port = 2\n`), 'homing.toml'), []);
});

test('keys of operators are of no use to a node alone: taken, with a warning', () => {
  const text = '[admin]\nkeys-file = "keys.json"\n';
  assert.equal(configWarnings(accepted(text), 'homing.toml'), [
    'homing.toml: admin.keys-file: has no effect without [nats]: signed messages come over NATS',
  ]);
  assert.equal(configWarnings(accepted(NATS + text), 'homing.toml'), []);
  assert.is(accepted(text).admin.keysFile, '/etc/homing/keys.json');
});

test.run();
