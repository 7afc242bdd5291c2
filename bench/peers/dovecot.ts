/**
 * Dovecot 2.3 as a peer in the same run: an instance in a temporary directory, on loopback, POP3 and IMAP in clear with
 * STLS or STARTTLS and under implicit TLS, with the fleet's certificate. Passwords are kept in clear text, which is the cheapest that it has.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../clients/wire.ts';
import { PortPicker } from '../fleet/port-picker.ts';
import { cpuSeconds, type Memory, memoryOf, treeOf } from '../fleet/processes.ts';
import { Program } from '../fleet/program.ts';
import { type FleetTls, trusting } from '../fleet/tls.ts';

/**
 * `default`: a login process and a back-end process for each connection, as the package has it (its limits raised to the
 * connections that are asked for). `reused`: its documented high-performance mode, in which login processes serve many.
 */
export type DovecotMode = 'default' | 'reused';

export type Dovecot = {
  /** `Dovecot 2.3.19.1, ...` */
  readonly name: string;
  readonly pop3: Endpoint;
  readonly pop3s: Endpoint;
  readonly imap: Endpoint;
  readonly imaps: Endpoint;
  /** Over all its processes. */
  memory(): Memory;
  cpuSeconds(): number;
  stop(): Promise<void>;
};

export type DovecotOptions = {
  readonly directory: string;
  readonly tls: FleetTls;
  readonly mode: DovecotMode;
  readonly connections: number;
  readonly accounts: readonly { readonly name: string; readonly secret: string }[];
};

type Service = 'pop3' | 'pop3s' | 'imap' | 'imaps';

const PROGRAM = '/usr/sbin/dovecot';
const NOBODY = 65_534;

/** Its version; undefined when there is none that can be started here (it wants to be root). */
export function dovecotVersion(): string | undefined {
  const { status, stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  return status === 0 && process.getuid?.() === 0 ? stdout.split(' ')[0] : undefined;
}

export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const { directory, tls, mode, accounts } = options;
  const version = dovecotVersion();
  if (version === undefined)
    throw new Error('Dovecot can’t be started: it wants root (Debian: apt-get install dovecot-pop3d dovecot-imapd)');
  const picker = new PortPicker();
  const ports = {
    pop3: await picker.next(),
    pop3s: await picker.next(),
    imap: await picker.next(),
    imaps: await picker.next(),
  };
  mkdirSync(join(directory, 'mail'), { recursive: true });
  for (let folder = directory; folder !== '/'; folder = join(folder, '..'))
    if (folder.includes('homing-')) chmodSync(folder, 0o755);
  chownSync(join(directory, 'mail'), NOBODY, NOBODY);
  writeFileSync(
    join(directory, 'users'),
    accounts.map(({ name, secret }) => `${name}:{PLAIN}${secret}\n`).join(''),
    {},
  );
  chmodSync(join(directory, 'users'), 0o644); // whatever the umask: its own users read it
  writeFileSync(join(directory, 'dovecot.conf'), configuration(options, ports));
  const program = await Program.start([PROGRAM, '-F', '-c', join(directory, 'dovecot.conf')], {
    readyLine: /starting up/,
    onLine: (line) => / (Error|Fatal|Panic): /.test(line) && console.error(line),
  });
  const at = (port: number): Endpoint => ({ host: '127.0.0.1', port });
  return {
    name: `Dovecot ${version}, ${mode === 'default' ? 'as packaged' : 'processes reused'}`,
    pop3: { ...at(ports.pop3), startTls: trusting(tls) },
    pop3s: { ...at(ports.pop3s), tls: trusting(tls) },
    imap: { ...at(ports.imap), startTls: trusting(tls) },
    imaps: { ...at(ports.imaps), tls: trusting(tls) },
    memory: () => memoryOf(treeOf(program.pid)),
    cpuSeconds: () => cpuSeconds(treeOf(program.pid)),
    stop: async () => void (await program.stop()),
  };
}

function configuration(
  { directory, tls, mode, connections }: DovecotOptions,
  ports: Readonly<Record<Service, number>>,
) {
  const most = connections + 500;
  const login =
    mode === 'default'
      ? `service_count = 1\n  process_limit = ${most}`
      : `service_count = 0\n  process_min_avail = 2\n  client_limit = ${most}`;
  const backEnd =
    mode === 'default'
      ? `process_limit = ${most}`
      : `process_limit = ${most}\n  service_count = 1000\n  process_min_avail = 10`;
  const service = (protocol: 'pop3' | 'imap') => `
service ${protocol}-login {
  ${login}
  inet_listener ${protocol} {
    port = ${ports[protocol]}
  }
  inet_listener ${protocol}s {
    port = ${ports[`${protocol}s`]}
    ssl = yes
  }
}
service ${protocol} {
  ${backEnd}
}
`;
  return `
protocols = pop3 imap
listen = 127.0.0.1
base_dir = ${join(directory, 'run')}
state_dir = ${join(directory, 'state')}
log_path = /dev/stderr
ssl = yes
ssl_cert = <${tls.certificateFile}
ssl_key = <${tls.keyFile}
auth_mechanisms = plain
mail_location = maildir:${join(directory, 'mail')}/%u
mail_fsync = optimized
default_client_limit = ${2 * most}
passdb {
  driver = passwd-file
  args = username_format=%u ${join(directory, 'users')}
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${join(directory, 'mail')}/%u
}
service anvil {
  client_limit = ${3 * most}
}
service auth {
  client_limit = ${3 * most}
}
${service('pop3')}${service('imap')}
mail_max_userip_connections = 0
`;
}
