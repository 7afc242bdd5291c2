/** Copies and snapshots of a store that goes on being written to. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { copyDatabase } from '../../kernel/database-copy.ts';
import { apply } from '../../store/apply.ts';
import { checkInSteps, flaws } from '../../store/check.ts';
import type { View } from '../../store/key-value.ts';
import { createLmdbStore, inspectCopy, type LmdbStore, openLmdbStore } from '../../store/lmdb-store.ts';
import { overlay } from '../../store/overlay.ts';
import { seal } from '../../store/record.ts';
import * as t from '../../store/tables.ts';
import { delivery } from './store-contract.ts';

async function withStore(use: (store: LmdbStore, directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-copies-'));
  try {
    const path = join(directory, 'store');
    await createLmdbStore(path, 'n1');
    const opened = await openLmdbStore(path);
    assert.ok(opened.ok);
    await use(opened.value, directory).finally(() => opened.value.close());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The message of that number: all go into accounts of their own, so that each is a record by itself. */
async function deliverOne(store: LmdbStore, number: number): Promise<void> {
  const body = Buffer.alloc(100_000, `body ${number} `);
  const committed = await store.commit(seal(store.applied(), 1, delivery(`joe${number}`, body, number)));
  assert.ok(committed.ok);
}

test('a copy made while records are committed is one of its moments, whole, and not before it began', () =>
  withStore(async (store, directory) => {
    for (let number = 1; number <= 20; number++) await deliverOne(store, number);
    let number = 20;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await deliverOne(store, ++number);
    })();
    for (let round = 1; round <= 3; round++) {
      const before = store.applied().number;
      const to = join(directory, `copy ${round}`);
      await store.copyTo(to);
      const after = store.applied().number;
      assert.equal(readdirSync(to), ['data.mdb']);
      assert.is(statSync(join(to, 'data.mdb')).mode & 0o777, 0o600);
      const { identity, applied } = await inspectCopy(to);
      assert.equal(identity, store.identity);
      assert.ok(applied.number >= before && applied.number <= after, `${before} <= ${applied.number} <= ${after}`);
      assert.equal(readdirSync(to), ['data.mdb'], 'looking leaves nothing');
      const copy = await openLmdbStore(to);
      assert.ok(copy.ok);
      assert.equal(copy.value.applied(), applied);
      assert.equal(copy.value.read(flaws), []);
      assert.is(
        copy.value.read((view) => [...t.messages.range(view, [])].length),
        applied.number,
      );
      await copy.value.close();
    }
    isOver = true;
    await writing;
  }));

test('a snapshot stays what it was while records are committed, and closing waits for it', () =>
  withStore(async (store) => {
    for (let number = 1; number <= 30; number++) await deliverOne(store, number);
    const snapshot = store.snapshot();
    assert.equal(snapshot.applied, store.applied());
    let found = 0;
    const steps = checkInSteps(snapshot.view, () => found++);
    let number = 30;
    let next = steps.next();
    for (; !next.done; next = steps.next()) if (number < 60) await deliverOne(store, ++number);
    assert.is(found, 0);
    assert.equal(next.value, { accounts: 30, mailboxes: 30, messages: 30, bodies: 30, octets: 30 * 100_000 });
    assert.is(
      store.read((view) => [...t.messages.range(view, [])].length),
      number,
    );
    let isClosed = false;
    const closing = store.close().then(() => (isClosed = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.not(isClosed);
    assert.is([...t.messages.range(snapshot.view, [])].length, 30);
    snapshot.release();
    await closing;
  }));

test('a copy that lmdb can not make smaller is made as it is', async () => {
  const asked: boolean[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'homing-copies-'));
  await withStore(async (store) => {
    const backup = async (path: string, compact: boolean): Promise<void> => {
      asked.push(compact);
      if (compact) throw new Error('MDB_INCOMPATIBLE: Operation and DB incompatible, or DB flags changed');
      await store.copyTo(path);
    };
    await copyDatabase({ backup }, join(directory, 'copy'));
  });
  assert.equal(asked, [true, false]);
  assert.equal(readdirSync(join(directory, 'copy')), ['data.mdb']);
  rmSync(directory, { recursive: true });
});

test('a copy to a full disk is refused by that name, and the store goes on', () =>
  withStore(async (store, directory) => {
    for (let number = 1; number <= 30; number++) await deliverOne(store, number);
    const small = join(directory, 'small');
    mkdirSync(small);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0) {
      console.log('(full disk: not tried, for want of the right to mount a small file system)');
      return;
    }
    try {
      await store.copyTo(join(small, 'copy')).then(
        () => assert.unreachable('it does not fit'),
        (error: Error) => assert.match(error.message, /No space left/),
      );
    } finally {
      spawnSync('umount', [small]);
    }
    await deliverOne(store, 31);
    await store.copyTo(join(directory, 'copy'));
  }));

test('numbers raised are above all that were given out, and the state is sound', () => {
  const empty: View = { get: () => undefined, range: () => [] };
  const to = overlay(empty);
  for (const change of [...delivery('joe', Buffer.from('x')), ...delivery('ann', Buffer.from('y'), 2)])
    apply(to, change);
  const before = { ...t.mailboxes.get(to, 'joe', 1)! };
  const account = t.accounts.get(to, 'joe')!;
  apply(to, { type: 'NumbersRaised', by: 1000 });
  assert.equal(t.mailboxes.get(to, 'joe', 1), {
    ...before,
    uidNext: before.uidNext + 1000,
    modSeq: before.modSeq + 1000,
    lost: { above: before.modSeq, below: before.modSeq + 1000 },
  });
  assert.equal(t.accounts.get(to, 'joe'), {
    ...account,
    lastSequence: account.lastSequence + 1000,
    lastLock: account.lastLock + 1000,
  });
  assert.ok(t.mailboxes.get(to, 'ann', 1)!.uidNext > 1000);
  assert.equal(flaws(to), []);
});

test.run();
