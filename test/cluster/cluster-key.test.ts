/** The cluster key's file: made once, read strictly, and one key derived for each purpose. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClusterKey, deriveKeys, readClusterKey } from '../../cluster/cluster-key.ts';

const test = suite<{ directory: string; path: string }>('cluster key');

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'homing-key-'));
  context.path = join(context.directory, 'cluster.key');
});
test.after.each(({ directory }) => rm(directory, { recursive: true }));

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => assert.unreachable('it did not fail'),
    (error: Error) => error.message,
  ) as Promise<string>;

test('a key that was made is read again, from a file for its owner only', async ({ path }) => {
  const key = await createClusterKey(path);
  assert.is(key.length, 32);
  assert.equal(await readClusterKey(path), key);
  assert.is((await stat(path)).mode & 0o777, 0o600);
  assert.match(await readFile(path, 'utf8'), /^[A-Za-z0-9+/]{43}=\n$/);
  assert.not.equal(await createClusterKey(`${path}2`), key);
});

test('an existing key is never replaced', async ({ path }) => {
  const key = await createClusterKey(path);
  assert.match(await messageOf(createClusterKey(path)), /cluster\.key: exists already/);
  assert.equal(await readClusterKey(path), key);
});

test('a key that group or world may read or write is refused, with its mode', async ({ path }) => {
  await createClusterKey(path);
  for (const mode of [0o640, 0o604, 0o620, 0o666, 0o610]) {
    await chmod(path, mode);
    assert.match(await messageOf(readClusterKey(path)), new RegExp(`mode is 0${mode.toString(8)}.*0600`));
  }
  await chmod(path, 0o400);
  assert.is((await readClusterKey(path)).length, 32);
});

test('a file that is missing, short, long or not base64 is refused by name, and its content not shown', async ({
  path,
}) => {
  assert.match(await messageOf(readClusterKey(path)), /cluster\.key: no such file/);
  const of = (octets: number) => Buffer.alloc(octets, 7).toString('base64');
  for (const [content, why] of [
    ['', /holds 0 octets/],
    [of(31), /holds 31 octets/],
    [`${of(33)}\n`, /holds 33 octets/],
    [`${of(32)}\n${of(32)}`, /not base64/],
    [`${of(32).slice(0, -2)}!=`, /not base64/],
  ] as const) {
    await writeFile(path, content, { mode: 0o600 });
    const message = await messageOf(readClusterKey(path));
    assert.match(message, why);
    if (content !== '') assert.not.ok(message.includes(content.slice(0, 10)));
  }
});

test('each purpose has a key of its own, the same on every node', () => {
  const clusterKey = new Uint8Array(32).fill(1);
  const keys = Object.values(deriveKeys(clusterKey));
  assert.is(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 4);
  for (const key of keys) assert.is(key.length, 32);
  assert.equal(deriveKeys(clusterKey), deriveKeys(Uint8Array.from(clusterKey)));
  assert.not.equal(deriveKeys(new Uint8Array(32).fill(2)), deriveKeys(clusterKey));
});

test.run();
