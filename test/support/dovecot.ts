/**
 * Debian's Dovecot as a judge of what IMAP means: an instance of its own in a temporary directory, on loopback, with one
 * account, which keeps the octets of messages as they are given. It wants to be root, as its processes become nobody.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../../bench/clients/wire.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { Program } from '../../bench/fleet/program.ts';

export type ImapDovecot = {
  readonly name: string;
  readonly imap: Endpoint;
  stop(): Promise<void>;
};

const PROGRAM = '/usr/sbin/dovecot';
const NOBODY = 65_534;

export const JUDGE = { name: 'judge', secret: 'secret' };

/** Is there one that can be started here? */
export const hasImapDovecot = (): boolean =>
  existsSync('/usr/lib/dovecot/imap') && existsSync(PROGRAM) && process.getuid?.() === 0;

/** @param directory  a new one, below one for temporary files, which is made readable for all */
export async function startImapDovecot(directory: string): Promise<ImapDovecot> {
  const mail = join(directory, 'mail');
  mkdirSync(mail, { recursive: true });
  for (let folder = directory; folder.includes('homing-'); folder = join(folder, '..')) chmodSync(folder, 0o755);
  chownSync(mail, NOBODY, NOBODY);
  const users = join(directory, 'users');
  writeFileSync(users, `${JUDGE.name}:{PLAIN}${JUDGE.secret}\n`);
  chmodSync(users, 0o644);
  const port = await new PortPicker().next();
  const file = join(directory, 'dovecot.conf');
  writeFileSync(file, configuration(directory, port));
  const { stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  const program = await Program.start([PROGRAM, '-F', '-c', file], {
    readyLine: /starting up/,
    onLine: (line) => / (Error|Fatal|Panic): /.test(line) && console.error(line),
  });
  return {
    name: `Dovecot ${stdout.split(' ')[0]}`,
    imap: { host: '127.0.0.1', port },
    stop: async () => void (await program.stop()),
  };
}

const configuration = (directory: string, port: number): string => `
protocols = imap
listen = 127.0.0.1
base_dir = ${join(directory, 'run')}
state_dir = ${join(directory, 'state')}
log_path = /dev/stderr
ssl = no
auth_mechanisms = plain
disable_plaintext_auth = no
mail_location = maildir:${join(directory, 'mail')}/%u
mail_save_crlf = yes
mail_fsync = never
passdb {
  driver = passwd-file
  args = username_format=%u ${join(directory, 'users')}
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${join(directory, 'mail')}/%u
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
