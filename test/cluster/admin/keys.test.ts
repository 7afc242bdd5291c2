/** Key files: made once and read strictly; what is wrong is named, and no secret is shown. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  answerKeys,
  keySetReader,
  makeOperatorKey,
  parsePublicJwk,
  readKeyList,
  readOperatorKey,
} from '../../../cluster/admin/keys.ts';
import { deriveKeys } from '../../../cluster/cluster-key.ts';
import { FakeClock } from '../bus/fake-clock.ts';

const test = suite<{ path: string; directory: string }>('admin keys');
test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'homing-admin-keys-'));
  context.path = join(context.directory, 'keys');
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const write = (path: string, content: unknown, mode = 0o600) => {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(path, mode);
};
const { privateText, publicJwk } = makeOperatorKey('boss');
const other = makeOperatorKey('other');

test('a private key is read as it was made', async ({ path }) => {
  write(path, privateText);
  const read = await readOperatorKey(path);
  assert.ok(read.ok);
  assert.is(read.value.kid, 'boss');
  assert.is(read.value.key.asymmetricKeyType, 'ed25519');
  assert.not.equal(makeOperatorKey('boss').publicJwk, publicJwk);
});

test('a private key that others may read, or that is none, is refused by name and not shown', async ({ path }) => {
  const { d } = JSON.parse(privateText);
  const refusal = async (content: unknown, mode = 0o600) => {
    write(path, content, mode);
    const read = await readOperatorKey(path);
    assert.not.ok(read.ok);
    assert.ok(!read.ok && read.refusal.startsWith(path) && !read.refusal.includes(d));
    return read.ok ? '' : read.refusal;
  };
  for (const mode of [0o640, 0o604, 0o660]) assert.match(await refusal(privateText, mode), /chmod 0600/);
  assert.match(await refusal(publicJwk), /no private part/);
  assert.match(await refusal('{'), /not a JWK/);
  assert.match(await refusal({ ...publicJwk, d: other.publicJwk.x }), /do not belong together/);
  assert.match(await refusal({ ...publicJwk, d, kid: 'a b' }), /no name/);
  assert.match(await refusal({ kty: 'EC', crv: 'P-256', d }), /no Ed25519 key/);
  assert.match(await refusal(`${privateText}${' '.repeat(300_000)}`), /too long/);
  const missing = await readOperatorKey(join(path, '..', 'nosuch'));
  assert.ok(!missing.ok && /no such file/.test(missing.refusal));
});

test('the set of public keys is read; one bad key refuses the whole of it', async ({ path }) => {
  write(path, { keys: [publicJwk, { ...other.publicJwk, use: 'sig' }] }, 0o644);
  const read = await keySetReader(path, new FakeClock())();
  assert.ok(read.ok);
  assert.equal([...read.value.keys()], ['boss', 'other']);
  const refusal = async (content: unknown, mode = 0o644) => {
    write(path, content, mode);
    const refused = await readKeyList(path);
    return refused.ok ? 'read' : refused.refusal;
  };
  assert.is(await refusal({ keys: [] }), 'read');
  assert.match(await refusal({ keys: [publicJwk, JSON.parse(privateText)] }), /key 2: holds a private key/);
  assert.match(await refusal({ keys: [publicJwk, { ...other.publicJwk, kid: 'boss' }] }), /key 2: .*"boss" too/);
  assert.match(await refusal({ keys: [{ ...publicJwk, x: publicJwk.x.slice(1) }] }), /key 1: .*32 octets/);
  assert.match(await refusal({ keys: [null] }), /key 1: is not a JWK/);
  assert.match(await refusal([publicJwk]), /no JWK Set/);
  assert.match(await refusal('nonsense'), /no JWK Set/);
  for (const mode of [0o664, 0o646]) assert.match(await refusal({ keys: [] }, mode), /others than its owner may write/);
});

test("the list must be the node's user's or root's, where others can not put another in its place", async ({
  path,
  directory,
}) => {
  write(path, { keys: [publicJwk] }, 0o644);
  const { uid } = statSync(path);
  const refusal = async (of: string, as: number) => {
    const read = await keySetReader(of, new FakeClock(), as)();
    return read.ok ? 'read' : read.refusal;
  };
  assert.is(await refusal(path, uid), 'read');
  if (uid === 0) assert.is(await refusal(path, 4711), 'read', "root's will do for any node");
  else assert.match(await refusal(path, uid + 1), /belongs to the user with id/);
  mkdirSync(join(directory, 'open'));
  const open = join(directory, 'open', 'keys');
  write(open, { keys: [publicJwk] }, 0o644);
  const link = join(directory, 'link');
  symlinkSync(open, link);
  for (const mode of [0o775, 0o757]) {
    chmodSync(join(directory, 'open'), mode);
    assert.match(await refusal(open, uid), /open: others than its owner may write there/);
    assert.match(await refusal(link, uid), /open: others than its owner may write there/);
  }
  chmodSync(join(directory, 'open'), 0o1777);
  assert.is(await refusal(open, uid), 'read', 'in a sticky directory nobody replaces what is of others');
  assert.match(await refusal(join(directory, 'nosuch'), uid), /nosuch: no such file/);
});

test('the list is read again when it was changed or replaced, also within the same moment and at the same size', async ({
  path,
  directory,
}) => {
  const clock = new FakeClock(Date.now() + 3_600_000); // whatever is on the disk is old
  const reader = keySetReader(path, clock);
  const names = async () => {
    const read = await reader();
    return read.ok ? [...read.value.keys()] : read.refusal;
  };
  const boss = { keys: [publicJwk] };
  const deputy = { keys: [{ ...other.publicJwk, kid: 'beta' }] };
  write(path, boss, 0o644);
  assert.equal(await names(), ['boss']);
  const first = await reader();
  assert.is(await reader(), first, 'it was not read again');
  const next = join(directory, 'next');
  write(next, deputy, 0o644);
  utimesSync(next, statSync(path).atime, statSync(path).mtime);
  assert.is(statSync(next).size, statSync(path).size);
  renameSync(next, path);
  assert.equal(await names(), ['beta']);
  chmodSync(path, 0o666);
  assert.match(String(await names()), /others than its owner may write/);

  // Changed just now: a second change may leave the times as they are.
  const fresh = keySetReader(path, new FakeClock(Date.now()));
  write(path, boss, 0o644);
  const before = await fresh();
  assert.is.not(await fresh(), before);
  rmSync(path);
  assert.match(String(await names()), /no such file/);
});

test('a line with a private key is not taken for a public one', () => {
  assert.equal(parsePublicJwk(JSON.stringify(publicJwk)), { ok: true, value: publicJwk });
  const refused = parsePublicJwk(privateText);
  assert.ok(!refused.ok && /private/.test(refused.refusal));
  assert.ok(!parsePublicJwk('').ok);
});

test('the key of answers comes from the cluster key, and from no other', async () => {
  const of = async (octet: number) =>
    (await answerKeys(deriveKeys(new Uint8Array(32).fill(octet)).adminAnswers)).publicJwk;
  assert.equal(await of(1), await of(1));
  assert.not.equal(await of(1), await of(2));
  assert.match((await of(1)).kid, /^[A-Za-z0-9_-]{43}$/);
});

test.run();
