/** Operators' keys on the disk: a private one is never written over, the list of public ones is whole or not there. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allowKey, writeAllowedKey, writeOperatorKey } from '../../../bin/admin/key-files.ts';
import { keySetReader, readOperatorKey } from '../../../cluster/admin/keys.ts';
import { systemClock } from '../../../kernel/clock.ts';

const test = suite<{ directory: string; path: string; list: string }>('key files');
test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'homing-keys-'));
  context.path = join(context.directory, 'boss.key');
  context.list = join(context.directory, 'keys.json');
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const messageOf = (doing: Promise<unknown>): Promise<string> =>
  doing.then(
    () => 'done',
    (error: Error) => error.message,
  );

test('a key is written for its owner alone, and read again', async ({ path }) => {
  const jwk = await writeOperatorKey('boss', path);
  assert.is(statSync(path).mode & 0o777, 0o600);
  const read = await readOperatorKey(path);
  assert.ok(read.ok && read.value.kid === 'boss');
  assert.not.ok('d' in jwk);
});

test('nothing is written over, and no bad name is taken', async ({ path, directory }) => {
  await writeOperatorKey('boss', path);
  const before = readFileSync(path, 'utf8');
  assert.match(await messageOf(writeOperatorKey('boss', path)), /boss\.key: exists already; no key was made/);
  assert.is(readFileSync(path, 'utf8'), before);
  for (const name of ['', '../x', 'a b', '-x', 'x'.repeat(65)])
    assert.match(await messageOf(writeOperatorKey(name, join(directory, 'other'))), /a key is named by/);
  assert.equal(readdirSync(directory), ['boss.key']);
});

test('keys are added to the list one by one; a name that is there, or a bad list, is left alone', async ({
  directory,
  list,
}) => {
  const [boss, deputy] = [
    await writeOperatorKey('boss', join(directory, 'boss')),
    await writeOperatorKey('deputy', join(directory, 'deputy')),
  ];
  await allowKey(list, boss);
  await allowKey(list, deputy);
  const set = await keySetReader(list, systemClock)();
  assert.ok(set.ok);
  assert.equal([...set.value.keys()], ['boss', 'deputy']);
  assert.is(statSync(list).mode & 0o777, 0o644);
  assert.match(await messageOf(allowKey(list, { ...deputy, kid: 'boss' })), /"boss" is there already/);
  writeFileSync(list, '{"keys": [1]}');
  assert.match(await messageOf(allowKey(list, deputy)), /key 1: is not a JWK/);
  assert.is(readFileSync(list, 'utf8'), '{"keys": [1]}');
  assert.equal(readdirSync(directory).sort(), ['boss', 'deputy', 'keys.json']);
});

test('a key that can not be allowed is not made: no private key is left that nobody obeys', async ({
  directory,
  path,
  list,
}) => {
  await allowKey(list, await writeAllowedKey('boss', path, join(directory, 'others.json')));
  const other = join(directory, 'other.key');
  assert.match(await messageOf(writeAllowedKey('boss', other, list)), /"boss" is there already/);
  assert.not.ok(existsSync(other));
  const nowhere = join(directory, 'none', 'keys.json');
  assert.match(await messageOf(writeAllowedKey('deputy', other, nowhere)), /none\/keys\.json: can't be written/);
  mkdirSync(join(directory, 'a-directory'));
  assert.match(await messageOf(writeAllowedKey('deputy', other, join(directory, 'a-directory'))), /can't be/);
  assert.not.ok(existsSync(other));
  const before = readFileSync(path, 'utf8');
  assert.match(await messageOf(writeAllowedKey('deputy', path, list)), /exists already/);
  assert.is(readFileSync(path, 'utf8'), before);
  assert.equal(
    readdirSync(directory).filter((name) => name.endsWith('.new')),
    [],
  );
});

test('of several commands at once each adds its key, or says that it did not', async ({ directory, list }) => {
  const keys = await Promise.all(['a', 'b', 'c', 'd'].map((name) => writeOperatorKey(name, join(directory, name))));
  const said = await Promise.all(keys.map((key) => messageOf(allowKey(list, key))));
  const set = await keySetReader(list, systemClock)();
  assert.ok(set.ok);
  const added = keys.filter((_, at) => said[at] === 'done').map(({ kid }) => kid);
  assert.ok(added.length > 0);
  assert.equal([...set.value.keys()].sort(), added);
  for (const message of said) assert.match(message, /^done$|another command is changing the list/);
});

test.run();
