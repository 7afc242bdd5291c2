/**
 * The configuration of docs/nats.md, as it stands there, made to run on loopback in a test's directory: its users, their
 * permissions and its TLS are what the tests show to be enough, and not too much.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { NatsPlace } from '../../bench/fleet/nats-process.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../docs/nats.md');

export const hasOpenssl = (): boolean => spawnSync('openssl', ['version']).status === 0;

/** The block in the document that begins with this text. Throws when it is gone. */
export function documented(beginning: string): string {
  const blocks = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^```nats\n(.*?)^```$/gms)].map(([, block]) => block!);
  const found = blocks.find((block) => block.startsWith(beginning));
  if (found === undefined) throw new Error(`docs/nats.md: no block begins with "${beginning}"`);
  return found;
}

/** Replaces what must be there: a document that was changed must not turn a test into one of nothing. */
export function replaced(text: string, replacements: readonly (readonly [RegExp, string])[]): string {
  return replacements.reduce((before, [what, by]) => {
    if (before.search(what) < 0) throw new Error(`docs/nats.md: nothing there reads ${what}`);
    return before.replaceAll(what, () => by);
  }, text);
}

/**
 * The configuration of the document's servers, in the directory of a fleet, and what `[nats]` says there of one of its users.
 * @param passwords  as the document's passwords.conf may have them, by user: plain or as bcrypt hashes
 */
export function documentedNats(passwords: Readonly<Record<string, string>>) {
  return {
    configuration({ name, port, store, route, routes }: NatsPlace): string {
      const directory = dirname(store);
      if (!existsSync(join(directory, 'passwords.conf'))) {
        writeCertificates(directory);
        writePasswords(directory, passwords);
      }
      return replaced(documented('server_name'), [
        [/server_name: nats1/g, `server_name: ${name}`],
        [/0\.0\.0\.0:4222/g, `127.0.0.1:${port}`],
        [/0\.0\.0\.0:6222/g, `127.0.0.1:${route}`],
        [/^ {2}routes: .*$/gm, `  routes: [ ${routes.map((each) => `"nats://127.0.0.1:${each}"`).join(', ')} ]`],
        [/\/var\/lib\/nats/g, store],
        [/\/etc\/nats\//g, `${directory}/`],
      ]);
    },
    access: (user: string) => `user = "${user}"\npassword-file = "${user}.password"\ntls-ca-file = "ca.crt"\n`,
  };
}

export type Permissions = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

/** The subjects that the document grants to one of its users. */
export function documentedPermissions(user: string): Permissions {
  const [, ofUser] = documented('server_name').split(new RegExp(`\\buser: ${user}\\n`));
  const listed = (name: string) => {
    const [, list] = new RegExp(`\\b${name}: \\[([^\\]]*)\\]`).exec(ofUser ?? '') ?? [];
    const subjects = [...(list ?? '').matchAll(/"([^"]+)"/g)].map(([, subject]) => subject!);
    if (subjects.length === 0) throw new Error(`docs/nats.md: ${user} may ${name} nothing`);
    return subjects;
  };
  return { publish: listed('publish'), subscribe: listed('subscribe') };
}

function writePasswords(directory: string, passwords: Readonly<Record<string, string>>): void {
  const lines = [...documented('NODE_PASSWORD').matchAll(/^([A-Z]+)_PASSWORD:/gm)].map(([, name]) => {
    const user = name!.toLowerCase();
    const password = passwords[user] ?? 'nobody uses it';
    writeFileSync(join(directory, `${user}.password`), `${password}\n`, { mode: 0o600 });
    return `${name}_PASSWORD: ${JSON.stringify(password)}\n`;
  });
  writeFileSync(join(directory, 'passwords.conf'), lines.join(''), { mode: 0o600 });
}

/** `ca.crt`, and `server.crt` and `server.key` by it, for 127.0.0.1, fit to be shown by either side. */
export function writeCertificates(directory: string): void {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', ...key, '-subj', '/CN=nats', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(join(directory, 'extensions'), 'subjectAltName=IP:127.0.0.1\n');
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions'];
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.crt');
}
