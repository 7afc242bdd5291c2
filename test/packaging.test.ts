/**
 * What operators are given to run a node with: every command line in it must be one that this program takes, every file it
 * copies must be there, and systemd itself must understand its units, where it is installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adminCommand } from '../bin/commands/admin.ts';
import { serveCommand } from '../bin/commands/serve.ts';
import { statusCommand } from '../bin/commands/status.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PACKAGING = join(ROOT, 'packaging');
const UNITS = ['homing.service', 'homing@.service'];
const read = (...path: string[]) => readFileSync(join(PACKAGING, ...path), 'utf8');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };

/** Where packages and the image put the program. */
const installed = (path: string) => path.replace(/^(\/usr\/lib|\/opt)\/homing\//, `${ROOT}/`);

/** Fails unless the words after `homing.js` name a command of ours and options that it has. */
function mustBeOurs(line: readonly string[]): void {
  assert.match(line[0]!, /(^|\/)node$/);
  assert.ok(existsSync(installed(line[1]!)), line[1]);
  let commands: readonly Command[] = [serveCommand(), statusCommand(), adminCommand()];
  let command: Command | undefined;
  const words = line.slice(2);
  while (words.length > 0 && !words[0]!.startsWith('-')) {
    const name = words.shift()!;
    command = commands.find((each) => each.name() === name);
    if (command === undefined) throw new Error(`no such command: ${line.join(' ')}`);
    commands = command.commands;
  }
  assert.ok(command);
  for (const word of words.filter((each) => each.startsWith('-')))
    assert.ok(
      command!.options.some(({ long, short }) => word === long || word === short),
      `${line.join(' ')}: ${word}`,
    );
}

const valuesOf = (unit: string, key: string): string[] =>
  unit
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

for (const name of UNITS) {
  test(`${name}: its commands are ours, and it stays what it was hardened to be`, () => {
    const unit = read('systemd', name);
    const commands = [...valuesOf(unit, 'ExecStart'), ...valuesOf(unit, 'ExecReload')];
    assert.is(commands.length, 2);
    for (const command of commands) mustBeOurs(command.split(' '));
    assert.match(valuesOf(unit, 'ExecReload')[0]!, / admin reload --here /, 'no other node is reloaded');
    const expected: Readonly<Record<string, string>> = {
      User: 'homing',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
      PrivateTmp: 'yes',
      UMask: '0077',
      StateDirectoryMode: '0700',
      AmbientCapabilities: 'CAP_NET_BIND_SERVICE',
      CapabilityBoundingSet: 'CAP_NET_BIND_SERVICE',
      LimitCORE: '0',
    };
    for (const [key, value] of Object.entries(expected)) assert.equal(valuesOf(unit, key), [value], key);
    assert.equal(valuesOf(unit, 'MemoryDenyWriteExecute'), [], 'the runtime compiles what it runs');
    assert.match(valuesOf(unit, 'RestrictAddressFamilies')[0]!, /^AF_UNIX AF_INET AF_INET6/);
  });
}

test('the two units differ in the names of the node only', () => {
  const several = read('systemd', 'homing@.service')
    .replaceAll('/etc/homing/%i.toml', '/etc/homing/homing.toml')
    .replace('StateDirectory=homing/%i', 'StateDirectory=homing')
    .replace(', node %i', '');
  const withoutHead = (unit: string) => unit.split('\n').slice(1).join('\n');
  assert.is(withoutHead(several), withoutHead(read('systemd', 'homing.service')));
});

test('systemd understands the units and the user', () => {
  const verify = (...words: string[]) => spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  if (verify('--version').status !== 0) return console.log('skipped: systemd-analyze is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'homing-units-'));
  try {
    for (const name of UNITS) {
      const unit = read('systemd', name)
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('/usr/lib/homing', ROOT);
      writeFileSync(join(directory, name), unit);
    }
    for (const name of ['homing.service', 'homing@n1.service']) {
      const { status, stderr } = verify('verify', join(directory, name));
      assert.is(stderr, '');
      assert.is(status, 0);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  assert.match(read('sysusers.d', 'homing.conf'), /^u homing - ".+" \/var\/lib\/homing$/m);
});

test('logs are rotated as each is written: only the one that is kept open is copied, and none is rotated twice', () => {
  const blocks = [...read('logrotate.d', 'homing').matchAll(/^(\/.*) \{\n([^}]*)^\}$/gm)];
  const howOf = (name: string) =>
    blocks
      .filter(([, paths]) =>
        paths!.split(' ').some((path) => path.replace('*.', 'pop3d.') === `/var/lib/homing/log/${name}`),
      )
      .map(([, , how]) => (/^ *copytruncate$/m.test(how!) ? 'copied' : 'renamed'));
  assert.equal(howOf('connection.log'), ['renamed']);
  assert.equal(howOf('pop3d.stats'), ['renamed']);
  assert.equal(howOf('homing.log'), ['copied']);
  const reference = readFileSync(join(ROOT, 'docs/reference/configuration.md'), 'utf8');
  for (const name of ['connection.log', 'homing.log']) assert.match(reference, `/log/${name}"`);
});

test('the image copies all that the program consists of, and nothing that is not there', () => {
  const file = read('Containerfile');
  const copied = [...file.matchAll(/^COPY (.+) (\S+)$/gm)].flatMap(([, from]) => from!.split(' '));
  for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path);
  const program = manifest.files.filter((path) => !['docs', 'packaging', 'CHANGELOG.md'].includes(path));
  for (const path of program) assert.ok(copied.includes(path), `${path} is part of the program`);
  // Rooms of the house are folders with sources; one that package.json forgets would be missing here too.
  const rooms = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .filter((name) => !['docs', 'node_modules', 'packaging', 'scripts', 'test', 'var'].includes(name));
  assert.equal([...program].sort(), rooms.sort());
});

test('the image runs our commands as a user without rights, as the process that gets the signals', () => {
  const file = read('Containerfile');
  const words = (key: string) => {
    const [, list] = new RegExp(`\\b${key} (\\[.*\\])$`, 'm').exec(file.replaceAll('\\\n', ' ')) ?? [];
    assert.ok(list, `${key} is a list`);
    return JSON.parse(list!) as string[];
  };
  const entry = words('ENTRYPOINT');
  const last = file.trimEnd().split('\n').at(-1)!;
  mustBeOurs([...entry, ...(JSON.parse(last.replace(/^CMD /, '')) as string[])]);
  mustBeOurs(words('HEALTHCHECK .*? CMD'));
  const user = file.search(/^USER homing$/m);
  assert.ok(user > 0 && user < file.search(/^ENTRYPOINT/m));
  assert.match(file, /^VOLUME \/var\/lib\/homing$/m);
  assert.match(file, /^STOPSIGNAL SIGTERM$/m);
  assert.match(file, /npm ci --omit=dev/);
});

test('what package.json ships is there', () => {
  for (const path of [...manifest.files, 'bin/homing.js']) assert.ok(existsSync(join(ROOT, path)), path);
  assert.ok(manifest.files.includes('packaging'));
});

test.run();
