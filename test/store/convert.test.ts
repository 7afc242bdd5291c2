/** A store of format 1, as a program before this one left it, opens as one of this program's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../store/blob.ts';
import { flaws } from '../../store/check.ts';
import { decode, encode } from '../../store/codec.ts';
import { convertFromFormat1 } from '../../store/convert.ts';
import type { Key } from '../../store/key.ts';
import { encodeKey } from '../../store/key.ts';
import type { View } from '../../store/key-value.ts';
import { createLmdbStore, openLmdbStore } from '../../store/lmdb-store.ts';
import { type Overlay, overlay } from '../../store/overlay.ts';
import { seal } from '../../store/record.ts';
import * as t from '../../store/tables.ts';
import { uidsWith } from '../../store/uid-bits.ts';
import { vanishedSince } from '../../store/vanished.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';

const empty: View = { get: () => undefined, range: () => [] };
const BODY = Buffer.from('hello');
const HASH = sha256(BODY);
const MANY = 2_500;
const NAMES: readonly [account: string, mailbox: number, messages: number][] = [
  ['ann', 1, 0],
  ['joe', 1, MANY],
  ['joe', 3, 2],
];

/** Rows with the fields that they had. */
function* format1(): Iterable<[Key, Uint8Array]> {
  for (const [account, mailbox, messages] of NAMES) {
    const octets = messages * (BODY.length + 3);
    const name = `m${mailbox}`;
    const row = { name, uidValidity: 5, uidNext: 2 * messages + 3, modSeq: messages + 7, messages, octets };
    yield [['mailbox', account, mailbox], encode(row)];
    yield [['mailbox-name', account, name], encode(mailbox)];
    for (let at = 1; at <= messages; at++) {
      const trace = Buffer.from('abc');
      const sizeOctets = BODY.length + trace.length;
      const message = { modSeq: at + 1, sequence: 9 + at, internalDate: 1_000 + at, sizeOctets, trace, blob: HASH };
      yield [['message', account, mailbox, 2 * at], encode(message)];
    }
  }
  for (const [account, messages] of [
    ['ann', 0],
    ['joe', MANY + 2],
  ] as const) {
    const numbers = { lastUidValidity: 5, lastSequence: 9_999, lastLock: 0, lastMailbox: 3 };
    yield [['account', account], encode({ octets: messages * (BODY.length + 3), messages, ...numbers })];
  }
  yield [['blob', HASH], encode({ body: 1, sizeOctets: BODY.length, references: MANY + 2 })];
  yield [['chunk', 1, 0], BODY];
  yield [['next'], encode({ body: 2 })];
}

function mustBeConverted(view: View): void {
  assert.equal(flaws(view), []);
  const row = t.mailboxes.get(view, 'joe', 1)!;
  assert.is(row.unseen, MANY);
  assert.is(row.recentFrom, 1);
  assert.is([...uidsWith(view, 'joe', 1)].length, MANY);
  assert.equal([...uidsWith(view, 'joe', 3)], [2, 4]);
  const { flags, saveDate, emailId, keywords } = t.messages.get(view, 'joe', 1, 2)!;
  assert.equal({ flags, saveDate, emailId, keywords }, { flags: 0, saveDate: 1_001, emailId: 10, keywords: undefined });
  // What vanished before is not known, so that nobody is told that nothing did.
  assert.is(vanishedSince(view, 'joe', 1, row, row.modSeq - 1), null);
  assert.equal(vanishedSince(view, 'joe', 1, row, row.modSeq), []);
}

test('a store of format 1 is converted when it is opened, once, and can be written to', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-convert-'));
  try {
    const path = join(directory, 'store');
    await createLmdbStore(path, 'n1', 'its-own');
    const root = open({ path, noSubdir: false, maxDbs: 2, encoding: 'binary', keyEncoding: 'binary' });
    const head = root.openDB({ name: 'head', useVersions: true, encoding: 'binary', keyEncoding: 'binary' });
    const state = root.openDB({ name: 'state', encoding: 'binary', keyEncoding: 'binary' });
    await root.transaction(() => {
      for (const [key, value] of format1()) state.put(encodeKey(key), Buffer.from(value));
      head.put(Buffer.from('identity'), encode({ storeId: 'its-own', mailHost: 'n1', formatVersion: 1 }), 0);
    });
    await root.close();
    const said: string[] = [];
    const log: Log = { ...silentLog, info: (message) => void said.push(message) };
    for (const round of [1, 2]) {
      const opened = await openLmdbStore(path, log);
      assert.ok(opened.ok);
      const store = opened.value;
      assert.equal(store.identity, { storeId: 'its-own', mailHost: 'n1', formatVersion: t.FORMAT_VERSION });
      assert.is(store.applied().number, round - 1);
      store.read(mustBeConverted);
      const committed = await store.commit(seal(store.applied(), 1, [{ type: 'EpochBegan' }]));
      assert.ok(committed.ok);
      await store.close();
      assert.equal(said, ['the store is being converted', 'the store was converted']);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a conversion that was broken off on the disk is refused by an older program, and goes on here', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-convert-'));
  try {
    const path = join(directory, 'store');
    await createLmdbStore(path, 'n1', 'its-own');
    const edit = async (use: (head: Database, state: Database) => void) => {
      const root = open({ path, noSubdir: false, maxDbs: 2, encoding: 'binary', keyEncoding: 'binary' });
      const head = root.openDB({ name: 'head', useVersions: true, encoding: 'binary', keyEncoding: 'binary' });
      const state = root.openDB({ name: 'state', encoding: 'binary', keyEncoding: 'binary' });
      await root.transaction(() => use(head, state));
      await root.close();
    };
    const KEY = Buffer.from('identity');
    await edit((head, state) => {
      for (const [key, value] of format1()) state.put(encodeKey(key), Buffer.from(value));
      head.put(KEY, encode({ storeId: 'its-own', mailHost: 'n1', formatVersion: 1 }), 0);
    });
    let noted: unknown;
    const dies: Log = {
      ...silentLog,
      info: () => {
        throw new Error('broken off');
      },
    };
    await openLmdbStore(path, dies).then(
      () => assert.unreachable(),
      (fault: Error) => assert.match(fault.message, /broken off/),
    );
    await edit((head) => {
      noted = decode(head.getBinary(KEY)!);
    });
    const marked = { storeId: 'its-own', mailHost: 'n1', formatVersion: t.FORMAT_VERSION, converting: true };
    assert.equal(noted, marked, 'a program that knows format 1 alone reads that it is a newer one');
    const opened = await openLmdbStore(path);
    assert.ok(opened.ok);
    assert.equal(opened.value.identity, { storeId: 'its-own', mailHost: 'n1', formatVersion: t.FORMAT_VERSION });
    opened.value.read(mustBeConverted);
    await opened.value.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** In memory: each step is put at once. */
async function convert(to: Overlay, steps = Number.POSITIVE_INFINITY): Promise<number> {
  let done = 0;
  await convertFromFormat1(to, async (write) => {
    if (done === steps) throw new Error('broken off');
    done++;
    write(to);
  });
  return done;
}

const old = (): Overlay => {
  const to = overlay(empty);
  for (const [key, value] of format1()) to.put(key, value);
  return to;
};

test('a conversion broken off at any step begins again, and comes to the same', async () => {
  const whole = old();
  const steps = await convert(whole);
  assert.ok(steps > 3, `${steps} steps`);
  mustBeConverted(whole);
  const expected = [...whole.range([])];
  for (let at = 0; at < steps; at++) {
    const to = old();
    await convert(to, at).then(
      () => assert.unreachable('it was broken off'),
      (fault: Error) => assert.match(fault.message, /broken off/),
    );
    await convert(to);
    assert.equal([...to.range([])], expected);
  }
});

test.run();
