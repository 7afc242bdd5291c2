/**
 * `npm run cluster`: a nats-server (or three) and three nodes on loopback, until Ctrl-C. Every part is a process of its
 * own, started as an operator would start it, with files to look at below `var/cluster`.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type Fleet, startFleet } from '../../bench/fleet/fleet.ts';
import { CommandError } from '../command-error.ts';
import { stopSignal, untilStopped } from '../until-stopped.ts';
import { makeCertificate } from './demo/certificate.ts';

const ACCOUNTS = [
  { name: 'alice@example.test', mailHost: 'n1' },
  { name: 'postmaster@example.test', mailHost: 'n1' },
  { name: 'bob@example.test', mailHost: 'n2' },
  { name: 'carol@example.test', mailHost: 'n3' },
];

type Options = { directory: string; nats: 1 | 3; natsPort: number; natsServer: string };

export function clusterCommand(): Command {
  return new Command('cluster')
    .description('runs a nats-server and three nodes on loopback, data in ./var/cluster')
    .option('--directory <directory>', 'where to keep it', 'var/cluster')
    .option('--nats <servers>', 'nats-servers to start: 1 or 3', oneOrThree, 1)
    .option('--nats-port <port>', 'port of the first nats-server', Number, 4222)
    .option('--nats-server <program>', 'the nats-server program', 'nats-server')
    .action(runCluster);
}

function oneOrThree(text: string): number {
  if (text !== '1' && text !== '3') throw new InvalidArgumentError('1 or 3');
  return Number(text);
}

async function runCluster(options: Options): Promise<void> {
  const directory = resolve(options.directory);
  const signal = stopSignal(); // from here on Ctrl-C ends what was started
  const tls = join(directory, 'tls');
  const certificate = join(tls, 'cert.pem');
  if (!existsSync(certificate)) await makeCertificate(tls);
  const fleet = await startFleet({
    directory,
    nodes: ['n1', 'n2', 'n3'],
    nats: options.nats,
    natsPort: options.natsPort,
    natsProgram: options.natsServer,
    portBase: 1000,
    tls: { certificateFile: certificate, keyFile: join(tls, 'key.pem'), authorityFile: certificate, use: 'offered' },
  }).catch((error: Error) => {
    const hint = /ENOENT/.test(error.message) ? ['install nats-server (Debian: apt-get install nats-server)'] : [];
    throw new CommandError(error.message, ...hint);
  });
  try {
    await addAccounts(directory, fleet);
    for (const { port, program } of fleet.nats) console.log(`nats-server: 127.0.0.1:${port}, pid ${program.pid}`);
    for (const node of fleet.nodes) tell(node, signal);
    console.log(`certificate, for localhost and signed by itself: ${relative(process.cwd(), certificate)}`);
    console.log(`accounts and passwords: ${relative(process.cwd(), join(directory, 'passwords'))}\nready`);
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  await untilStopped(fleet, signal);
}

function tell(node: Fleet['nodes'][number], stopping: AbortSignal): void {
  const program = node.program!;
  console.log(`${program.ready}, pid ${program.pid}`);
  void program.ended.then((how) => {
    if (stopping.aborted) return;
    console.log(`${node.me}: ended (${how}); start it again with: npx homing serve -f ${node.file}`);
  });
}

async function addAccounts(directory: string, fleet: Fleet): Promise<void> {
  const passwords = join(directory, 'passwords');
  if (existsSync(passwords)) return;
  const lines: string[] = [];
  for (const { name, mailHost } of ACCOUNTS) {
    const secret = randomBytes(9).toString('base64url');
    await fleet.node(mailHost).ask('account.add', { name, mailHost, secret });
    lines.push(`${name} ${secret}`);
  }
  writeFileSync(passwords, lines.join('\n') + '\n', { mode: 0o600 });
}
