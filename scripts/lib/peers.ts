/**
 * Debian packages that the tests talk to. Installed when missing, where that is possible; otherwise a message says what
 * is missing, and the tests that need it are skipped, visibly.
 */
import { existsSync } from 'node:fs';
import { run } from './run-file.ts';

/** Packages, and the program, or the file of one that is on no PATH, whose absence means that they are missing. */
type Peer = readonly [packages: string, program: string];

const PEERS: readonly Peer[] = [
  ['nats-server', 'nats-server'],
  ['strace', 'strace'],
  ['curl', 'curl'],
  ['python3', 'python3'],
];

/** What `npm run test:interop` wants besides. */
const CLIENTS: readonly Peer[] = [
  ['fetchmail', 'fetchmail'],
  ['isync', 'mbsync'],
  ['mpop', 'mpop'],
  ['swaks libnet-ssleay-perl', 'swaks'],
];

/** Their packages start a service of the machine at once, unless its policy or the lack of an init forbids that. */
const SERVERS: readonly Peer[] = [
  ['haproxy', 'haproxy'],
  ['postfix', 'postfix'],
  ['dovecot-imapd', '/usr/lib/dovecot/imap'],
];

const onPath = (program: string) =>
  program.startsWith('/')
    ? existsSync(program)
    : [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'].some((folder) => existsSync(`${folder}/${program}`));

const startsServices = () => existsSync('/run/systemd/system') && !existsSync('/usr/sbin/policy-rc.d');

/** @param which  `gate`: what `npm test` needs; `interop`: clients and servers of others as well */
export async function installPeers(which: 'gate' | 'interop' = 'gate'): Promise<void> {
  const wanted = which === 'gate' ? PEERS : [...PEERS, ...CLIENTS, ...SERVERS];
  const missing = wanted.filter(([, program]) => !onPath(program));
  if (missing.length === 0) return;
  const namesOf = (peers: readonly Peer[]) => peers.map(([, program]) => program).join(', ');
  const by = 'install them by hand to run the tests that need them';
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return console.log(`missing: ${namesOf(missing)}; ${by}`);
  const unwanted = startsServices() ? missing.filter((peer) => SERVERS.includes(peer)) : [];
  if (unwanted.length > 0)
    console.log(`missing: ${namesOf(unwanted)}; not installed, because Debian would start their services; ${by}`);
  const installed = missing.filter((peer) => !unwanted.includes(peer));
  if (installed.length === 0) return;
  console.log(`installing ${namesOf(installed)}`);
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run(['apt-get', 'update', '-qq'], quiet);
  if (installed.some(([, program]) => program === 'postfix')) await leavePostfixAlone();
  const names = installed.flatMap(([packages]) => packages.split(' '));
  const { code, output } = await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names], quiet);
  if (code !== 0) console.log(`${output}\ncould not install; ${by}`);
}

/** The package then makes no main.cf, so that nothing of the machine's own mail goes through it. */
const leavePostfixAlone = () =>
  run(['sh', '-c', "echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections"]);
