/** A configuration file on the disk: read, refused line by line, and its files looked for. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkFiles, loadConfig } from '../../config/load.ts';
import { parseConfig } from '../../config/parse.ts';
import { printProblem } from '../../config/problem.ts';
import type { Config } from '../../config/schema.ts';

const test = suite<{ directory: string }>('load');

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'homing-load-'));
});
test.after.each(async ({ directory }) => {
  await rm(directory, { recursive: true });
});

function configIn(directory: string, more = ''): Config {
  const toml = `me = "n1"\ndata = "n1"\ndefault-domain = "example.test"\n${more}`;
  const loaded = parseConfig(toml, { file: 'homing.toml', directory, machine: 'n1', platform: 'linux' });
  if (!loaded.ok) throw new Error(loaded.refusal.map(printProblem).join('\n'));
  return loaded.value;
}

const check = (config: Config) => checkFiles(config, 'homing.toml');

test('each file that is missing is named with its option', async ({ directory }) => {
  const config = configIn(
    directory,
    '[log]\ndestination = "log/h.log"\n[nats]\nservers = ["a"]\ncluster = "c"\ncluster-key-file = "k"\nuser = "u"\npassword-file = "p"\n' +
      'tls-ca-file = "ca"\ntls-certificate-file = "cert"\ntls-key-file = "key"\n',
  );
  const at = (path: string) => JSON.stringify(join(directory, path));
  assert.equal(check(config), [
    `homing.toml: data: no such directory: ${at('n1')}`,
    `homing.toml: nats.cluster-key-file: no such file: ${at('k')}`,
    `homing.toml: nats.password-file: no such file: ${at('p')}`,
    `homing.toml: nats.tls-ca-file: no such file: ${at('ca')}`,
    `homing.toml: nats.tls-certificate-file: no such file: ${at('cert')}`,
    `homing.toml: nats.tls-key-file: no such file: ${at('key')}`,
    `homing.toml: log.destination: no such directory: ${at('log')}`,
  ]);
});

test('so is each certificate, key and authority, with the place of its name', ({ directory }) => {
  const config = configIn(
    directory,
    '[tls]\ncertificate-file = "c"\nkey-file = "k"\nclient-certificates = "request"\nclient-ca-file = "ca"\n' +
      '[[tls.name]]\nnames = ["a.test"]\ncertificate-file = "nc"\nkey-file = "nk"\n',
  );
  const at = (path: string) => JSON.stringify(join(directory, path));
  assert.equal(check(config).slice(2), [
    `homing.toml: tls.certificate-file: no such file: ${at('c')}`,
    `homing.toml: tls.key-file: no such file: ${at('k')}`,
    `homing.toml: tls.client-ca-file: no such file: ${at('ca')}`,
    `homing.toml: tls.name#1.certificate-file: no such file: ${at('nc')}`,
    `homing.toml: tls.name#1.key-file: no such file: ${at('nk')}`,
  ]);
});

test('nothing is said when all are there; the log file itself may be missing', async ({ directory }) => {
  await mkdir(join(directory, 'n1'));
  await mkdir(join(directory, 'log'));
  for (const file of ['n1/cluster.key', 'creds']) await writeFile(join(directory, file), 'x');
  const more = '[log]\ndestination = "log/h.log"\n[nats]\nservers = ["a"]\ncluster = "c"\ncredentials-file = "creds"\n';
  assert.equal(check(configIn(directory, more)), []);
});

test('embedded, the key is one of the files of the data directory', async ({ directory }) => {
  await mkdir(join(directory, 'n1'));
  assert.equal(check(configIn(directory)), [
    `homing.toml: data: no such file: ${JSON.stringify(join(directory, 'n1', 'cluster.key'))}`,
  ]);
});

test('a file in place of a directory, and a directory in place of a file, are refused', async ({ directory }) => {
  await writeFile(join(directory, 'n1'), '');
  await mkdir(join(directory, 'k'));
  const more = '[nats]\nservers = ["a"]\ncluster = "c"\ncluster-key-file = "k"\n';
  assert.equal(check(configIn(directory, more)), [
    `homing.toml: data: ${JSON.stringify(join(directory, 'n1'))} is not a directory`,
    `homing.toml: nats.cluster-key-file: ${JSON.stringify(join(directory, 'k'))} is not a file`,
  ]);
});

test('a file that this user may not read is refused', async ({ directory }) => {
  await mkdir(join(directory, 'n1'));
  const key = join(directory, 'n1', 'cluster.key');
  await writeFile(key, 'x');
  await chmod(key, 0);
  const isRoot = process.getuid?.() === 0; // root reads everything
  assert.equal(
    check(configIn(directory)),
    isRoot ? [] : [`homing.toml: data: ${JSON.stringify(key)} may not be used by this user`],
  );
});

test('a file is read as UTF-8; one that cannot be read is one problem', async ({ directory }) => {
  const file = join(directory, 'homing.toml');
  await writeFile(file, '\ufeffme = "n1"\ndata = "./n1"\ndefault-domain = "example.test"\n');
  const loaded = loadConfig(file);
  assert.is(loaded.ok && loaded.value.data, join(directory, 'n1'));
  await writeFile(file, 'data = "./n1"\nme = 1\ndefault-domain = "example.test"\n');
  const wrong = loadConfig(file);
  assert.match(wrong.ok ? '' : wrong.refusal[0]!, `${file}: me: 1 is not allowed: must be a name`);
  await writeFile(file, Buffer.from([0x6d, 0x65, 0xff, 0xfe]));
  assert.equal(loadConfig(file), { ok: false, refusal: [`${file}: is not UTF-8 text`] });
  const missing = join(directory, 'missing.toml');
  assert.equal(loadConfig(missing), { ok: false, refusal: [`${missing}: no such file`] });
  assert.equal(loadConfig(directory), { ok: false, refusal: [`${directory}: is a directory`] });
});

test.run();
