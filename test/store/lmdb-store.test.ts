/** The store on disk: the contract, what it refuses to open, a killed process, a full disk. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flaws } from '../../store/check.ts';
import { encode } from '../../store/codec.ts';
import { createLmdbStore, openLmdbStore } from '../../store/lmdb-store.ts';
import { seal } from '../../store/record.ts';
import type { Store } from '../../store/store.ts';
import * as t from '../../store/tables.ts';
import { delivery, storeContract } from './store-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'homing-store-'));
let made = 0;
const newPath = () => join(directory, `host.${++made}`); // with a dot: a mailHost's name may have one

async function mustOpen(path: string): Promise<Store> {
  const opened = await openLmdbStore(path);
  assert.ok(opened.ok, opened.ok ? '' : opened.refusal.kind);
  return opened.value;
}

storeContract('lmdb', async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  const store = await mustOpen(path);
  return { store, end: () => store.close() };
});

test('a store opened again is as it was closed', async () => {
  const path = newPath();
  const created = await createLmdbStore(path, 'n1');
  const first = await mustOpen(path);
  await first.commit(seal(first.applied(), 4, delivery('joe', Buffer.alloc(300_000, 'z'))));
  const [applied, entries] = [first.applied(), first.read((view) => [...view.range([])])];
  await first.close();
  const second = await mustOpen(path);
  assert.equal(second.applied(), applied);
  assert.equal(
    second.read((view) => [...view.range([])]),
    entries,
  );
  assert.equal(second.identity, created.ok && created.value);
  await second.close();
});

test('a store that is missing is refused, named, and not made', async () => {
  const path = newPath();
  assert.equal(await openLmdbStore(path), { ok: false, refusal: { kind: 'missing', path } });
  mkdirSync(path);
  assert.equal(await openLmdbStore(path), { ok: false, refusal: { kind: 'missing', path } });
  assert.equal(readdirSync(path), []);
});

test('a store is not made where something is already', async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  assert.equal(await createLmdbStore(path, 'n1'), { ok: false, refusal: { kind: 'exists', path } });
});

test('a creation touches nothing beside the place of its own store', async () => {
  const path = newPath();
  await createLmdbStore(`${path}.new`, 'n1.new');
  assert.ok((await createLmdbStore(path, 'n1')).ok);
  await (await mustOpen(path)).close();
  await (await mustOpen(`${path}.new`)).close();
  assert.equal(
    readdirSync(directory).filter((name) => name.includes('unfinished')),
    [],
  );
});

test('a store that was never finished is not opened', async () => {
  const path = newPath();
  const root = open({ path, noSubdir: false });
  root.openDB({ name: 'head', useVersions: true, encoding: 'binary', keyEncoding: 'binary' });
  await root.close();
  assert.equal(await openLmdbStore(path), { ok: false, refusal: { kind: 'not-a-store', path } });
});

test("only the store's own user may read it", async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  assert.is(statSync(path).mode & 0o077, 0);
});

test('what is no store is refused and left alone', async () => {
  const path = newPath();
  mkdirSync(path);
  writeFileSync(join(path, 'data.mdb'), Buffer.alloc(20_000, 'no database'));
  assert.equal(await openLmdbStore(path), { ok: false, refusal: { kind: 'not-a-store', path } });
  const other = newPath();
  const foreign = open({ path: other, noSubdir: false });
  await foreign.put('hello', 'world');
  await foreign.close();
  assert.equal(await openLmdbStore(other), { ok: false, refusal: { kind: 'not-a-store', path: other } });
});

test('a store of a newer format is refused and both formats are named', async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  const root = open({ path, noSubdir: false, encoding: 'binary', keyEncoding: 'binary' });
  const head = root.openDB({ name: 'head', useVersions: true, encoding: 'binary', keyEncoding: 'binary' });
  await head.put(Buffer.from('identity'), encode({ storeId: 'x', mailHost: 'n1', formatVersion: 99 }), 0);
  await root.close();
  const refusal = { kind: 'newer-format', path, found: 99, known: t.FORMAT_VERSION };
  assert.equal(await openLmdbStore(path), { ok: false, refusal });
});

test('two that write to one store: the second is fenced inside the transaction', async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  const [one, two] = [await mustOpen(path), await mustOpen(path)];
  assert.ok((await one.commit(seal(one.applied(), 1, delivery('joe', Buffer.from('one'))))).ok);
  let thrown: unknown;
  await two.commit(seal(two.applied(), 1, delivery('ann', Buffer.from('two')))).catch((fault: unknown) => {
    thrown = fault;
  });
  assert.match(String(thrown), /another process wrote/);
  assert.is(
    one.read((view) => t.accounts.get(view, 'ann')),
    undefined,
  );
  assert.throws(() => two.read(() => 0), /broken/);
  await one.close();
});

test('a process killed while it commits loses nothing that it was told stands', async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  let acknowledged = 0;
  for (let round = 0; round < 3; round++) {
    const program = join(import.meta.dirname ?? '', 'commit-loop.ts');
    const child = spawn(process.execPath, [...process.execArgv, program, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const until = acknowledged + 20 + 17 * round;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged >= until) child.kill('SIGKILL');
    }
    await ended;
    const store = await mustOpen(path);
    assert.ok(store.applied().number >= acknowledged, `${store.applied().number} of ${acknowledged}`);
    assert.equal(store.read(flaws), []);
    for (let number = 1; number <= store.applied().number; number++) {
      assert.ok(
        store.read((view) => t.messages.get(view, `u${number}`, 1, 1)),
        `message ${number}`,
      );
    }
    acknowledged = store.applied().number;
    await store.close();
  }
});

test('a full disk refuses, keeps what stands, and heals once there is room', async () => {
  const mountPoint = newPath();
  mkdirSync(mountPoint);
  const isRoot = process.getuid?.() === 0;
  const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mountPoint]).status === 0;
  if (!mounted) {
    console.log('(full disk: not tried, for want of the right to mount a small file system)');
    return;
  }
  let store: Store | undefined;
  try {
    const path = join(mountPoint, 'store');
    await createLmdbStore(path, 'n1');
    store = await mustOpen(path);
    await fillAndHeal(store);
    assert.equal(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
  } finally {
    await store?.close();
    spawnSync('umount', [mountPoint]);
  }
});

async function fillAndHeal(store: Store): Promise<void> {
  const fill = (number: number) =>
    store.commit(seal(store.applied(), 1, delivery(`u${number}`, Buffer.alloc(400_000, `${number}.`), number)));
  let number = 0;
  let filled = await fill(++number);
  while (filled.ok) filled = await fill(++number);
  assert.is(filled.refusal, 'full');
  assert.is(store.applied().number, number - 1);
  assert.equal(store.read(flaws), []);
  assert.equal(await fill(number), { ok: false, refusal: 'full' });
  const drop = seal(store.applied(), 1, [
    { type: 'AccountDropped', account: 'u1' },
    { type: 'AccountDropped', account: 'u2' },
    { type: 'BodyCollected', body: 1, from: 0, to: 4 },
    { type: 'BodyCollected', body: 2, from: 0, to: 4 },
  ]);
  assert.ok((await store.commit(drop)).ok);
  // Pages freed by one transaction may be used by the one after the next.
  assert.ok((await store.commit(seal(store.applied(), 1, []))).ok);
  assert.ok((await fill(number)).ok);
  assert.equal(store.read(flaws), []);
}

test.after(() => rmSync(directory, { recursive: true, force: true }));

test.run();
