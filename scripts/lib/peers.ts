/**
 * Debian packages that the tests talk to. Installed when missing, where that is possible; otherwise a message says what
 * is missing, and the tests that need it are skipped, visibly.
 */
import { existsSync } from 'node:fs';
import { run } from './run-file.ts';

/** Package, and the program whose absence means that it is missing. */
const PEERS = [
  ['nats-server', 'nats-server'],
  ['strace', 'strace'],
  ['curl', 'curl'],
  ['python3', 'python3'],
] as const;

const onPath = (program: string) =>
  [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'].some((folder) => existsSync(`${folder}/${program}`));

export async function installPeers(): Promise<void> {
  const missing = PEERS.filter(([, program]) => !onPath(program)).map(([name]) => name);
  if (missing.length === 0) return;
  const by = `install ${missing.join(' ')} by hand to run the tests that need it`;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return console.log(`missing: ${missing.join(', ')}; ${by}`);
  console.log(`installing ${missing.join(', ')}`);
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run(['apt-get', 'update', '-qq'], quiet);
  const { code, output } = await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing], quiet);
  if (code !== 0) console.log(`${output}\ncould not install; ${by}`);
}
