/** The store on disk: the contract, what it refuses to open, a killed process, a full disk. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apply, inParts } from '../../store/apply.ts';
import type { Change } from '../../store/change.ts';
import { flaws } from '../../store/check.ts';
import { encode } from '../../store/codec.ts';
import { createLmdbStore, openLmdbStore } from '../../store/lmdb-store.ts';
import { overlay } from '../../store/overlay.ts';
import { seal } from '../../store/record.ts';
import { RESERVE_OCTETS } from '../../store/reserve.ts';
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

test('many messages expunged by one record go in parts, and leave what one stroke would', async () => {
  const path = newPath();
  await createLmdbStore(path, 'n1');
  const store = await mustOpen(path);
  const [some, all] = [delivery('joe', Buffer.from('kept'), 1), 9_000];
  await store.commit(seal(store.applied(), 1, some));
  const more: Change[] = [];
  for (let uid = 2; uid <= all; uid++) {
    more.push(...some.filter(({ type }) => type === 'Appended').map((change) => ({ ...change, uid }) as Change));
  }
  await store.commit(seal(store.applied(), 1, more));
  const uids = Array.from({ length: all - 1 }, (_, at) => at + 2);
  const expunged: Change = { type: 'Expunged', account: 'joe', mailbox: 1, uids, modSeq: 7 };
  const expected = store.read((view) => {
    const stroke = overlay(view);
    apply(stroke, expunged);
    return [...stroke.range([])];
  });
  const parts = [...inParts(expunged)];
  assert.ok(parts.length > 3, `${parts.length} parts`);
  assert.ok((await store.commit(seal(store.applied(), 1, [expunged]))).ok);
  assert.equal(
    store.read((view) => [...view.range([])]),
    expected,
  );
  assert.equal(store.read(flaws), []);
  await store.close();
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

test('a full disk refuses, keeps what stands, and heals once there is room', () =>
  onSmallDisk(async (path) => {
    const store = await mustOpen(path);
    try {
      await fillAndHeal(store);
      assert.equal(readdirSync(path).sort(), ['data.mdb', 'lock.mdb', 'reserve']);
    } finally {
      await store.close();
    }
  }));

test('a disk that is full to the last octet still lets one log in and delete, mail never takes that room', () =>
  onSmallDisk(async (path, grow) => {
    const store = await mustOpen(path);
    try {
      await fillToTheLast(store);
      const size = () => statSync(join(path, 'reserve')).size;
      assert.is(size(), RESERVE_OCTETS);
      let refused = 0;
      for (let round = 1; round <= 600; round++) {
        assert.ok((await store.commit(seal(store.applied(), 1, loggedIn(`s${round}`)))).ok, `log-in ${round}`);
        const mail = delivery(`v${round}`, Buffer.alloc(40_000, `${round}.`), 9000 + round);
        if (!(await store.commit(seal(store.applied(), 1, mail))).ok) refused++;
      }
      assert.ok(refused >= 595, `${refused} were refused`); // what is free in the database may hold some
      assert.ok(size() < RESERVE_OCTETS && size() > RESERVE_OCTETS / 2, `${size()} octets are left`);
      assert.equal(store.read(flaws), []);
      const left = size();
      await freeAccounts(store, 'u1', 'u2', 'u3');
      assert.ok((await store.commit(seal(store.applied(), 1, delivery('w', Buffer.alloc(100_000, 'w'), 9900)))).ok);
      assert.ok(size() >= left - 1_000_000, `${size()} octets are left`);
      grow();
      assert.ok((await store.commit(seal(store.applied(), 1, delivery('x', Buffer.alloc(700_000, 'x'), 9901)))).ok);
      assert.is(size(), RESERVE_OCTETS);
      assert.equal(store.read(flaws), []);
    } finally {
      await store.close();
    }
  }));

async function onSmallDisk(use: (path: string, grow: () => void) => Promise<void>): Promise<void> {
  const mountPoint = newPath();
  mkdirSync(mountPoint);
  const isRoot = process.getuid?.() === 0;
  const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mountPoint]).status === 0;
  if (!mounted) {
    console.log('(full disk: not tried, for want of the right to mount a small file system)');
    return;
  }
  try {
    const path = join(mountPoint, 'store');
    await createLmdbStore(path, 'n1');
    await use(path, () => void spawnSync('mount', ['-o', 'remount,size=32m', mountPoint]));
  } finally {
    spawnSync('umount', [mountPoint]);
  }
}

/** With ever smaller messages, until not even the smallest fits. */
async function fillToTheLast(store: Store): Promise<void> {
  let number = 0;
  for (const octets of [400_000, 60_000, 5_000, 100]) {
    for (let filled = true; filled; ) {
      number++;
      const record = seal(store.applied(), 1, delivery(`u${number}`, Buffer.alloc(octets, `${number}.`), number));
      filled = (await store.commit(record)).ok;
    }
  }
}

const loggedIn = (session: string): Change[] => {
  const front = { me: 'n1', startId: 'a' };
  const maildrop = { lock: 1, mailbox: 1, uidValidity: 1, uidNext: 2 };
  const account = `u${session}`;
  return [
    { type: 'SessionOpened', session, purpose: 'maildrop', account, front, expiresAt: 1, maildrop },
    { type: 'MaildropLocked', account, lock: 1, session, front },
    { type: 'MaildropUnlocked', account, lock: 1 },
    { type: 'SessionEnded', session, until: 1 },
  ];
};

/** Drops them and collects all bodies; pages freed by one transaction may be used by the one after the next. */
async function freeAccounts(store: Store, ...accounts: string[]): Promise<void> {
  for (const account of accounts) {
    assert.ok((await store.commit(seal(store.applied(), 1, [{ type: 'AccountDropped', account }]))).ok);
  }
  const garbage = store.read((view) => [...t.garbage.range(view, [])]);
  for (const { key, row } of garbage) {
    const change: Change = { type: 'BodyCollected', body: key[0], from: row.from, to: row.parts };
    assert.ok((await store.commit(seal(store.applied(), 1, [change]))).ok);
  }
  assert.ok((await store.commit(seal(store.applied(), 1, []))).ok);
}

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
