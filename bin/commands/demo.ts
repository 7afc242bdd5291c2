/**
 * `npm start`: the whole system in one process on loopback, with a few accounts and messages, made once in `var/demo`.
 * It is the product, not a mock: the same node that `homing serve` runs, configured by `var/demo/homing.toml`.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { configuration, portsFrom, tlsPortsFrom } from '../../bench/fleet/configuration.ts';
import { entryStoreExists } from '../../cluster/directory/entry-store.ts';
import { CommandError } from '../command-error.ts';
import { initialise } from '../initialise.ts';
import { type RunningNode, startNode } from '../node.ts';
import { directoryPath } from '../places.ts';
import { stopSignal, unlessStopped, untilStopped } from '../until-stopped.ts';
import { makeCertificate } from './demo/certificate.ts';
import { samples } from './demo/samples.ts';
import { readConfig } from './options.ts';

export const DEMO_ACCOUNTS = ['alice@example.test', 'bob@example.test', 'postmaster@example.test'];
export function demoCommand(): Command {
  return new Command('demo')
    .description('runs one node with demo accounts and messages in ./var/demo')
    .option('--directory <directory>', 'where to keep it', 'var/demo')
    .option(
      '--port-base <port>',
      'POP3 is at 110 above (under TLS at 995), IMAP at 143 (993), LMTP at 124, poppwd at 106 (107)',
      Number,
      1000,
    )
    .action(demo);
}

async function demo(options: { directory: string; portBase: number }): Promise<void> {
  const ports = portsFrom(options.portBase);
  const file = join(options.directory, 'homing.toml');
  const passwords = join(options.directory, 'passwords');
  const fresh = !existsSync(passwords); // written last: a creation that was cut short is gone on with
  if (fresh && !existsSync(file)) {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    await makeCertificate(join(options.directory, 'tls'));
    const tls = { certificate: 'tls/cert.pem', key: 'tls/key.pem', ports: tlsPortsFrom(options.portBase) };
    writeFileSync(file, configuration({ me: 'demo', data: 'data', ports, tls }));
  }
  const config = readConfig(file);
  if (fresh && !entryStoreExists(directoryPath(config))) await initialise(config);
  const signal = stopSignal();
  const node = await unlessStopped(startNode(config, { file, signal }), signal);
  if (!node) return;
  if (fresh)
    await furnish(node, ports.lmtp, passwords).catch(async (error) => {
      await node.stop();
      throw error;
    });
  for (const address of node.addresses) console.log(address);
  console.log(`\naccounts, and their passwords (kept in ${passwords}):`);
  console.log(readFileSync(passwords, 'utf8').trimEnd().replace(/^/gm, '  '));
  const [name, secret] = readFileSync(passwords, 'utf8').split('\n')[0]!.split(' ');
  console.log(`\ntry:  curl -s pop3://127.0.0.1:${ports.pop3}/1 -u '${name}:${secret}'`);
  console.log(`      curl -s 'imap://127.0.0.1:${ports.imap}/INBOX;MAILINDEX=1' -u '${name}:${secret}'`);
  const certificate = join(options.directory, 'tls', 'cert.pem');
  if (config.tls)
    // a demo that an older version made has none
    console.log(
      `      curl -s pop3s://localhost:${tlsPortsFrom(options.portBase).pop3s}/1 -u '${name}:${secret}' --cacert ${certificate}`,
    );
  console.log('\nready');
  await untilStopped(node, signal);
}

async function furnish(node: RunningNode, lmtpPort: number, passwords: string): Promise<void> {
  const lines: string[] = [];
  for (const name of DEMO_ACCOUNTS) {
    const secret = randomBytes(9).toString('base64url');
    const isThere = (await node.verbs['account.show']!({ name })).ok; // made before, by a start that was cut short
    const answer = await node.verbs[isThere ? 'password.set' : 'account.add']!({ name, secret });
    if (!answer.ok) throw new CommandError(...answer.errors);
    lines.push(`${name} ${secret}`);
  }
  const lmtp = await LmtpClient.connect({ host: '127.0.0.1', port: lmtpPort });
  for (const { from, to, message } of samples()) {
    const answers = await lmtp.deliver(from, to, message);
    for (const { code, lines: said } of answers) if (code !== 250) throw new CommandError(`sample message: ${said[0]}`);
  }
  await lmtp.quit();
  writeFileSync(passwords, lines.join('\n') + '\n', { mode: 0o600 });
}
