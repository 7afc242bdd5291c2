/**
 * The directory's LMDB: created once, refused when missing, seen at once, durable when it says so, and alive on a full disk.
 * Skips visibly what needs the right to mount, or prlimit, where it is not.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createEntryStore,
  type EntryStore,
  entryStoreExists,
  openEntryStore,
  type StoredEntry,
} from '../../../cluster/directory/entry-store.ts';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';

const test = suite('entry store');
const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'homing-entry-store-'));
  folders.push(made);
  return join(made, 'directory');
};
const entry = (key: string, revision: number, text = key): StoredEntry => ({
  key,
  revision,
  sealed: new TextEncoder().encode(text),
});

async function lmdb(): Promise<EntryStore> {
  const path = folder();
  await createEntryStore(path);
  return openEntryStore(path);
}

for (const [name, open] of [
  ['LMDB', lmdb],
  ['memory', async () => memoryEntryStore('data')],
] as const) {
  test(`${name}: what was put is seen at once, and lists by prefix`, async () => {
    const store = await open();
    assert.is(store.get('account.a'), undefined);
    store.put([entry('account.a', 1), entry('account.b', 2), entry('node.n1', 3)]);
    assert.equal(store.get('account.a'), entry('account.a', 1));
    store.put([entry('account.a', 4, 'newer')]);
    assert.equal(store.get('account.a'), entry('account.a', 4, 'newer'));
    const keys = () => [...store.list('account.')].map(({ key }) => key).sort();
    assert.equal(keys(), ['account.a', 'account.b']);
    await store.durable();
    assert.equal(keys(), ['account.a', 'account.b']);
    assert.equal(store.get('account.a'), entry('account.a', 4, 'newer'));
    await store.close();
  });

  test(`${name}: a key of any length may be asked for`, async () => {
    const store = await open();
    for (const octets of [640, 1900, 1901, 1978, 1979, 4096, 100_000])
      assert.is(store.get(`account.${'a'.repeat(octets - 8)}`), undefined, `${octets} octets`);
    await store.close();
  });

  test(`${name}: a thousand entries list whole, each once, newest value, while half are not yet on the disk`, async () => {
    const store = await open();
    await store.commit(Array.from({ length: 1000 }, (_, i) => entry(`account.${i}`, i + 1)));
    store.put(Array.from({ length: 500 }, (_, i) => entry(`account.${i * 2}`, 2000 + i, 'new')));
    const listed = [...store.list('account.')];
    assert.is(listed.length, 1000);
    assert.is(new Set(listed.map(({ key }) => key)).size, 1000);
    assert.is(listed.filter(({ revision }) => revision >= 2000).length, 500);
    const revisions = listed.map(({ key, revision }) => `${key} ${revision}`).sort();
    assert.equal([...store.revisions()].map(([key, revision]) => `${key} ${revision}`).sort(), revisions);
    await store.close();
  });

  test(`${name}: remembers generation and revision`, async () => {
    const store = await open();
    assert.equal(store.remembered(), { generation: -1, revision: 0 });
    store.put([], { generation: 3, revision: 9 });
    assert.equal(store.remembered(), { generation: 3, revision: 9 });
    await store.durable();
    assert.equal(store.remembered(), { generation: 3, revision: 9 });
    await store.close();
  });
}

test('a store that is missing is refused by name, never made', () => {
  const path = folder();
  assert.throws(() => openEntryStore(path), /missing; `homing init` creates it/);
  assert.not(entryStoreExists(path));
});

test('a store that exists is not made again', async () => {
  const path = folder();
  await createEntryStore(path);
  const error = await createEntryStore(path).catch((fault) => fault);
  assert.match(String(error), /exists already/);
});

test('what was durable is there when it is opened again, with the same data id', async () => {
  const path = folder();
  await createEntryStore(path);
  const store = openEntryStore(path);
  store.put([entry('account.a', 7)], { generation: 1, revision: 7 });
  await store.durable();
  const { dataId } = store;
  await store.close();
  const again = openEntryStore(path);
  assert.equal(again.get('account.a'), entry('account.a', 7));
  assert.equal(again.remembered(), { generation: 1, revision: 7 });
  assert.is(again.dataId, dataId);
  assert.ok(dataId.length > 10);
  await again.close();
});

test('an entry read from LMDB is its own memory', async () => {
  const store = await lmdb();
  await store.commit([entry('account.a', 1, 'kept')]);
  const first = store.get('account.a')!;
  await store.commit([entry('account.a', 2, 'other')]);
  assert.is(store.get('account.a')!.revision, 2);
  assert.is(new TextDecoder().decode(first.sealed), 'kept');
  await store.close();
});

test('a closed store says that it can not write', async () => {
  const store = await lmdb();
  await store.close();
  const error = await store.commit([entry('account.a', 1)]).catch((fault) => fault);
  assert.match(String(error), /closed/);
});

test('durable waits for what was put before it, not for what is put meanwhile', async () => {
  const store = await lmdb();
  store.put([entry('account.a', 1)]);
  let isDurable = false;
  const durable = store.durable().then(() => {
    isDurable = true;
  });
  const until = performance.now() + 10_000;
  for (let revision = 2; !isDurable && performance.now() < until; revision++) {
    store.put([entry('account.b', revision)]);
    await turn();
  }
  assert.ok(isDurable, 'it waited as long as entries were put');
  await durable;
  await store.close();
});

test('durable holds for entries that were put while a flush was under way, each time', async () => {
  const path = folder();
  await createEntryStore(path);
  let store = openEntryStore(path);
  const durables: Promise<void>[] = [];
  for (let revision = 1; revision <= 50; revision++) {
    store.put([entry(`account.${revision}`, revision)], { generation: 1, revision });
    durables.push(store.durable());
    if (revision % 7 === 0) await durables[revision - 4];
  }
  await Promise.all(durables);
  await store.close();
  store = openEntryStore(path);
  assert.is([...store.list('account.')].length, 50);
  assert.equal(store.remembered(), { generation: 1, revision: 50 });
  await store.close();
});

/** Runs it with a path on a small file system, which it may fill and empty again. */
async function onSmallDisk(use: (path: string, fill: () => void, empty: () => void) => Promise<void>): Promise<void> {
  const mountPoint = dirname(folder());
  const isRoot = process.getuid?.() === 0;
  const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mountPoint]).status === 0;
  if (!mounted) {
    console.log('(full disk: not tried, for want of the right to mount a small file system)');
    return;
  }
  const filling = join(mountPoint, 'filling');
  const fill = () => {
    for (const octets of [65_536, 4096, 1]) {
      try {
        for (;;) writeFileSync(filling, Buffer.alloc(octets, 'f'), { flag: 'a' });
      } catch (error) {
        assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    }
  };
  try {
    await use(join(mountPoint, 'directory'), fill, () => rmSync(filling));
  } finally {
    spawnSync('umount', ['-l', mountPoint]); // a test that failed may have left a store open there
  }
}

const commits = (store: EntryStore, key: string, revision: number): Promise<string> =>
  store.commit([{ key, revision, sealed: new Uint8Array(700).fill(revision) }]).then(
    () => 'done',
    (error: Error) => error.message,
  );
const NO_ROOM = /no room left on the disk/;

test('on a full disk what is new is refused, what is known is written, and all goes on once there is room', () =>
  onSmallDisk(async (path, fill, empty) => {
    await createEntryStore(path);
    let store = openEntryStore(path);
    for (let n = 1; n <= 100; n++) store.put([{ key: `account.${n}`, revision: n, sealed: new Uint8Array(700) }]);
    await store.durable();
    fill();

    let added = 0;
    while ((await commits(store, `account.new${added}`, 1)) === 'done') added++;
    assert.ok(added < 2000, 'it is refused before the file has no free pages');
    const refused = `account.new${added}`;
    assert.match(await commits(store, refused, 2), NO_ROOM);
    assert.is(store.get(refused), undefined);
    await store.close();

    store = openEntryStore(path); // a restart needs no room either
    for (let round = 1; round <= 200; round++) {
      for (const n of [1, 50, 100])
        store.put([{ key: `account.${n}`, revision: 1000 + round, sealed: new Uint8Array(700) }]);
      await store.durable();
      assert.is(await commits(store, 'account.2', 1000 + round), 'done', `round ${round}`);
    }
    assert.match(await commits(store, refused, 3), NO_ROOM);
    store.put([entry(refused, 4)]); // the bucket of a cluster holds it already
    await store.durable();

    empty();
    assert.is(await commits(store, 'account.more', 5), 'done');
    await store.close();
    store = openEntryStore(path);
    assert.equal(store.get(refused), entry(refused, 4));
    assert.is(store.get('account.100')!.revision, 1200);
    assert.is([...store.list('account.')].length, 100 + added + 2);
    assert.equal(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
    await store.close();
  }));

const outcome = (durable: Promise<void>): Promise<string> =>
  durable.then(
    () => 'done',
    (error: Error) => error.message,
  );

/** What a restart would find on the disk now. */
async function onDisk(path: string, look: (store: EntryStore) => void): Promise<void> {
  const copy = folder();
  mkdirSync(copy);
  copyFileSync(join(path, 'data.mdb'), join(copy, 'data.mdb'));
  const store = openEntryStore(copy);
  look(store);
  await store.close();
}

test('a new entry that finds no room at all holds up no known one, and a restart meanwhile distrusts the mirror', () =>
  onSmallDisk(async (path, fill, empty) => {
    await createEntryStore(path);
    let store = openEntryStore(path);
    store.put([entry('account.known', 1), entry('account.known2', 1), entry('node.n1', 2)], {
      generation: 2,
      revision: 0,
    });
    await store.durable();
    fill();
    const whole = { generation: 2, revision: 0 };
    const sealed = new Uint8Array(700);
    let added = 0;
    do store.put([{ key: `account.new${added}`, revision: 10 + added, sealed }]);
    while ((await outcome(store.durable(`account.new${added}`))) === 'done' && ++added < 1000);
    assert.ok(added > 0 && added < 1000, `${added} found room`);
    const refused = `account.new${added}`;

    for (let revision = 2000; revision < 2100; revision++) {
      store.put([entry('account.known', revision), entry('account.known2', revision), entry('node.n1', revision)]);
      store.put([entry('account.known', revision, 'put while a flush is under way')]);
      assert.is(await outcome(store.durable('account.known')), 'done', `revision ${revision}`);
      if (revision % 10 === 0) assert.match(await outcome(store.durable(refused)), NO_ROOM);
      if (revision % 10 === 5) assert.match(await outcome(store.durable()), NO_ROOM);
    }
    assert.is(store.get(refused)!.revision, 10 + added, 'what was put stays visible');
    assert.equal(store.remembered(), whole);
    await onDisk(path, (found) => {
      assert.is(found.get('account.known')!.revision, 2099);
      assert.is(found.get(refused), undefined);
      assert.equal(found.remembered(), { ...whole, isDistrusted: true });
    });

    empty();
    assert.is(await outcome(store.durable()), 'done');
    assert.equal(store.remembered(), whole);
    await store.close();
    store = openEntryStore(path);
    assert.is(store.get(refused)!.revision, 10 + added);
    assert.equal(store.remembered(), whole);
    await store.close();
  }));

test('a database that could not be made may be made later', () =>
  onSmallDisk(async (path, fill, empty) => {
    mkdirSync(path);
    fill();
    assert.match(await createEntryStore(path).catch((error) => error.message), NO_ROOM);
    assert.not(entryStoreExists(path));
    empty();
    await createEntryStore(path);
    await openEntryStore(path).close();
  }));

// The limit does not show in what the disk says of its room, as a quota does not: the transaction itself fails.
const LIMIT_OCTETS = 3 * 1024 * 1024;
const RESERVE_OCTETS = 1024 * 1024;
// Node takes no notice of SIGXFSZ, so that its writes fail; Deno is ended by it.
const hasPrlimit =
  process.platform === 'linux' && !('Deno' in globalThis) && spawnSync('prlimit', ['--version']).status === 0;
(hasPrlimit ? test : test.skip)('a process whose writes fail lives on, says so, and writes once it can', async () => {
  const path = folder();
  await createEntryStore(path);
  const program = join(import.meta.dirname ?? '', 'put-loop.ts');
  const limited = [`--fsize=${LIMIT_OCTETS}:unlimited`, process.execPath, ...process.execArgv, program, path];
  const child = spawn('prlimit', limited, { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text)); // the library prints the cause
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length > 1) continue;
    spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    child.stdin.end('there is room\n');
  }
  assert.is(await ended, 0, complaints.join(''));
  const { revision, isVisible, failures } = JSON.parse(lines[0]!);
  for (const failure of failures) assert.match(failure, /could not be written|no room left/);
  assert.ok(isVisible);
  assert.is(lines[1], 'durable');
  const store = openEntryStore(path);
  assert.is([...store.list('account.')].length, revision, 'all that was put, and nothing of the refused commit');
  await store.close();
});

(hasPrlimit ? test : test.skip)('a reserve that could not be made once is made later, not at once', async () => {
  const path = folder();
  await createEntryStore(path);
  const program = join(import.meta.dirname ?? '', 'reserve-loop.ts');
  const limited = ['--fsize=524288:unlimited', process.execPath, ...process.execArgv, program, path];
  const child = spawn('prlimit', limited, { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text)); // the library prints the cause
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  const sizes: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    assert.is(line, 'durable');
    sizes.push(statSync(join(path, 'data.mdb')).size);
    spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    if (sizes.length < 3) child.stdin.write('go on\n');
    else child.stdin.end('go on\n');
  }
  assert.is(await ended, 0, complaints.join(''));
  assert.equal(
    sizes.map((octets) => octets > RESERVE_OCTETS),
    [false, false, true],
    'refused; not tried again at once; made after a minute',
  );
});

test.after(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

test.run();
