/** Reading the configuration again: what is in force, what waits for a restart, and that a bad file changes nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { differences, reloader } from '../../../bin/admin/reload.ts';
import { CommandError } from '../../../bin/command-error.ts';
import { loadConfig } from '../../../config/load.ts';
import { type Config, configFile, tables } from '../../../config/schema.ts';

const test = suite<{ directory: string; file: string }>('reload');
test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'homing-reload-'));
  mkdirSync(join(context.directory, 'data'));
  writeFileSync(join(context.directory, 'data', 'cluster.key'), 'is there');
  context.file = join(context.directory, 'homing.toml');
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const TOP = 'me = "n1"\ndata = "data"\ndefault-domain = "example.test"\n';
const POP3 = '[[listener]]\nprotocol = "pop3"\nport = 1110\n';

function write(file: string, text: string): Config {
  writeFileSync(file, text);
  const loaded = loadConfig(file);
  assert.ok(loaded.ok);
  return loaded.value;
}

/** A node that was started with this text, and what was applied to it. */
function started(file: string, text: string, apply: (config: Config) => readonly string[] = () => []) {
  const applied: Config[] = [];
  const prepare = (config: Config) => ({
    async apply() {
      applied.push(config);
      return apply(config);
    },
  });
  return { applied, reload: reloader({ file, started: write(file, text), prepare }) };
}

test('what can change is in force at once, what can not is named, until the file is as it was', async ({ file }) => {
  const { applied, reload } = started(file, TOP + POP3);
  write(
    file,
    `${TOP}host-name = "mail.example.test"\n${POP3}channels = 7\n[log]\nlevel = "debug"\n[pop3]\nidle-timeout = "20m"\n`,
  );
  assert.equal(await reload(), {
    ok: true,
    value: { applied: ['listener', 'log.level', 'pop3.idle-timeout'], needRestart: ['host-name'] },
  });
  assert.is(applied[0]!.listeners[0]!.channels, 7);
  assert.is(applied[0]!.pop3.idleTimeoutMs, 1_200_000);
  assert.not.equal(applied[0]!.hostName, 'mail.example.test', 'what waits for a restart is not half in force');
  assert.equal(await reload(), { ok: true, value: { applied: [], needRestart: ['host-name'] } });
  write(file, TOP + POP3);
  const { value } = (await reload()) as { value: unknown };
  assert.equal(value, { applied: ['listener', 'log.level', 'pop3.idle-timeout'], needRestart: [] });
});

test('a file with anything wrong in it changes nothing, and each thing is named', async ({ file }) => {
  const { applied, reload } = started(file, TOP + POP3);
  const refusal = async (text: string) => {
    writeFileSync(file, text);
    const reloaded = await reload();
    return reloaded.ok ? [] : reloaded.refusal;
  };
  const wrong = await refusal(`${TOP}${POP3}channels = -1\n[log]\nlevel = "loud"\n`);
  assert.is(wrong.length, 2);
  assert.match(wrong.join('\n'), /homing\.toml: listener#1\.channels: .*\n.*homing\.toml: log\.level: "loud"/);
  assert.match(String(await refusal('me = ')), /homing\.toml: line 1/);
  rmSync(file);
  assert.match(String(((await reload()) as { refusal: unknown }).refusal), /no such file/);
  assert.equal(applied, []);
});

test('what can not be served is refused; what can not be opened is told, with the rest in force', async ({ file }) => {
  const config = write(file, TOP);
  const refusing = reloader({
    file,
    started: config,
    prepare() {
      throw new CommandError('listener#1.allow-file: line 3: is no address');
    },
  });
  assert.match(
    String(((await refusing()) as { refusal: unknown }).refusal),
    /homing\.toml: listener#1\.allow-file: line 3/,
  );
  const { reload } = started(file, TOP, ({ listeners }) => {
    return listeners.length > 0 ? ['pop3 on 127.0.0.1:1110: EADDRINUSE', 'run/pop3d.lock: EACCES'] : [];
  });
  write(file, TOP + POP3);
  const { refusal } = (await reload()) as { refusal: readonly string[] };
  assert.match(refusal.join('\n'), /EADDRINUSE\nrun\/pop3d\.lock: EACCES\nall else .*in force/);
});

test('keys are named as in the file, every one of them', ({ file, directory }) => {
  const paths = ['credentials-file', 'tls-ca-file'].map((key) => `${key} = "x"\n`).join('');
  const one = write(file, TOP);
  const other = write(
    file,
    `${TOP.replace('"n1"', '"n2"')}mail-hosts = ["n3"]\nlease-duration = "9s"\ndirectory-max-stale = "4s"\n` +
      `[nats]\nservers = ["a:1"]\ncluster = "demo"\ncluster-key-file = "k"\n${paths}` +
      '[tls]\ncertificate-file = "c"\nkey-file = "k"\n[lmtp]\nmessage-size-limit = "1MiB"\n' +
      `[password]\nkeep-plaintext = false\n[owner]\npassivate-after = "1m"\n[admin]\nkeys-file = "a"\n${POP3}`,
  );
  const found = differences(one, other);
  const shape = configFile.shape as Readonly<Record<string, unknown>>;
  const isKnown = (key: string): boolean => {
    const [table, option] = key.split('.') as [string, string | undefined];
    return option === undefined
      ? Object.hasOwn(shape, table)
      : Object.hasOwn(tables[table as keyof typeof tables], option);
  };
  assert.equal(
    found.filter((key) => !isKnown(key)),
    [],
  );
  for (const key of [
    'me',
    'mail-hosts',
    'nats',
    'tls',
    'listener',
    'lmtp.message-size-limit',
    'admin.keys-file',
    'password.keep-plaintext',
    'owner.passivate-after',
    'lease-duration',
    'nats.cluster-key-file',
  ])
    assert.ok(found.includes(key), key);
  assert.equal(differences(other, other), []);
  assert.ok(directory);
});

test.run();
