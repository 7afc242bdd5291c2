/** backup, restore and check over databases that nobody serves: what is refused, by what name, and that nothing is left of it. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeBackup } from '../../bin/backup/make-backup.ts';
import { restoreBackup } from '../../bin/backup/restore-backup.ts';
import { checkDatabases } from '../../bin/check-databases.ts';
import { CommandError } from '../../bin/command-error.ts';
import { type Databases, openDatabases } from '../../bin/databases.ts';
import { initialise } from '../../bin/initialise.ts';
import { mailPath } from '../../bin/places.ts';
import { createClusterKey } from '../../cluster/cluster-key.ts';
import { openEntryStore } from '../../cluster/directory/entry-store.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { Change } from '../../store/change.ts';
import { encode } from '../../store/codec.ts';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import { seal } from '../../store/record.ts';
import * as t from '../../store/tables.ts';
import { delivery } from '../store/store-contract.ts';

type Node = { readonly config: Config; readonly directory: string; readonly backup: string };

/** A node of two mailHosts, initialised, with one message in the first. */
async function withNode(use: (node: Node) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const file = join(directory, 'homing.toml');
  const listener = '[[listener]]\nprotocol = "lmtp"\nport = 0\n';
  writeFileSync(
    file,
    `me = "n1"\ndata = "data"\ndefault-domain = "example.test"\nmail-hosts = ["n1", "spare"]\n${listener}`,
  );
  try {
    const loaded = loadConfig(file);
    if (!loaded.ok) throw new Error(loaded.refusal.join('\n'));
    await initialise(loaded.value);
    await commit(loaded.value, delivery('joe', Buffer.from('octets')));
    await use({ config: loaded.value, directory, backup: join(directory, 'backup') });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function commit(config: Config, changes: ReturnType<typeof delivery>): Promise<void> {
  const opened = await openLmdbStore(mailPath(config, 'n1'));
  assert.ok(opened.ok);
  const committed = await opened.value.commit(seal(opened.value.applied(), 1, changes));
  assert.ok(committed.ok);
  await opened.value.close();
}

async function withDatabases<T>(config: Config, use: (databases: Databases) => Promise<T>): Promise<T> {
  const { databases, close } = await openDatabases(config);
  return await use(databases).finally(close);
}

type More = { withKey?: boolean; to?: string; signal?: AbortSignal; databases?: (mine: Databases) => Databases };

const backUp = ({ config, backup }: Node, more: More = {}) =>
  withDatabases(config, (databases) =>
    makeBackup({
      config,
      databases: more.databases?.(databases) ?? databases,
      to: more.to ?? backup,
      withKey: more.withKey ?? false,
      clock: systemClock,
      tell: () => {},
      signal: more.signal ?? new AbortController().signal,
    }),
  );

const restore = (config: Config, from: string, onlyMissing = false, now?: number) =>
  restoreBackup({
    config,
    from,
    onlyMissing,
    tell: () => {},
    ...(now !== undefined && { clock: { wall: () => now } }),
  });

const check = (config: Config) =>
  withDatabases(config, (databases) =>
    checkDatabases({ config, databases, tell: () => {}, signal: new AbortController().signal }),
  );

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, CommandError);
  return (error as CommandError).lines.join('\n');
}

const remains = ({ directory }: Node): string[] => readdirSync(directory).filter((name) => name.startsWith('backup'));
const dataIdOf = async (config: Config): Promise<string> => {
  const store = openEntryStore(join(config.data, 'directory'));
  await store.close();
  return store.dataId;
};

test('a backup with its key makes a node anew, under another data id, and gives no number out again', () =>
  withNode(async (node) => {
    const { config, backup } = node;
    mkdirSync(backup); // an empty directory is as good as none
    const made = await backUp(node, { withKey: true });
    assert.equal(
      made.mail.map(({ mailHost, record }) => [mailHost, record]),
      [
        ['n1', 1],
        ['spare', 0],
      ],
    );
    for (const name of ['cluster.key', 'manifest.json', 'directory/data.mdb', 'mail/n1/data.mdb'])
      assert.is(statSync(join(backup, name)).mode & 0o777, 0o600, name);
    const dataId = await dataIdOf(config);
    assert.is(made.directory.dataId, dataId);
    rmSync(config.data, { recursive: true });
    await restore(config, backup, false, Date.parse(made.begun) + 59_001);
    assert.equal(
      (await check(config)).flatMap(({ flaws }) => flaws),
      [],
    );
    assert.is.not(await dataIdOf(config), dataId);
    const opened = await openLmdbStore(mailPath(config, 'n1'));
    assert.ok(opened.ok);
    const { value: store } = opened;
    assert.is(store.identity.storeId, made.mail[0]!.storeId);
    assert.is(store.read((view) => t.mailboxes.get(view, 'joe', 1))!.uidNext, 2 + 2 ** 20 + 60);
    assert.ok(store.read((view) => t.accounts.get(view, 'joe'))!.lastSequence > 2 ** 20);
    await store.close();
  }));

test('restored, delivered to, restored again and delivered to: no unique id is given out twice', () =>
  withNode(async (node) => {
    const { config, backup } = node;
    const begun = Date.parse((await backUp(node, { withKey: true })).begun);
    const given: number[] = [];
    for (const now of [begun + 10_000, begun + 13_000]) {
      rmSync(config.data, { recursive: true });
      await restore(config, backup, false, now);
      for (let message = 1; message <= 3; message++) given.push(await deliverNext(config));
    }
    assert.is(new Set(given).size, 6, given.join(' '));
  }));

/** One more message for joe, with the numbers that an owner would give it. @returns its UID */
async function deliverNext(config: Config): Promise<number> {
  const opened = await openLmdbStore(mailPath(config, 'n1'));
  assert.ok(opened.ok);
  const { value: store } = opened;
  const { uidNext: uid, modSeq } = store.read((view) => t.mailboxes.get(view, 'joe', 1))!;
  const { lastSequence } = store.read((view) => t.accounts.get(view, 'joe'))!;
  const appended = delivery('joe', Buffer.from('octets')).at(-1)!;
  assert.is(appended.type, 'Appended');
  const numbers = { uid, modSeq: modSeq + 1, sequence: lastSequence + 1 };
  const committed = await store.commit(seal(store.applied(), 1, [{ ...appended, ...numbers } as Change]));
  assert.ok(committed.ok);
  await store.close();
  return uid;
}

test('a backup from the future, or of no time, is refused: the numbers given out since are reckoned from its age', () =>
  withNode(async (node) => {
    const { config, backup } = node;
    const manifest = await backUp(node, { withKey: true });
    rmSync(config.data, { recursive: true });
    const early = restore(config, backup, false, Date.parse(manifest.begun) - 1);
    assert.match(await refusalOf(early), /was begun at .*, and it is .* here: set the clock right first/);
    writeFileSync(join(backup, 'manifest.json'), JSON.stringify({ ...manifest, begun: 'noon' }));
    assert.match(await refusalOf(restore(config, backup)), /begun at "noon", which is no time/);
    assert.not(existsSync(config.data));
  }));

test('sessions and locks of the copy are ended by a restore, however many, and remembered as ended', () =>
  withNode(async (node) => {
    const { config, backup } = node;
    const front = { me: 'n2', startId: 'lives on' };
    const many = 1_201;
    const expiresAt = Date.now();
    const maildrop = { lock: 1, mailbox: 1, uidValidity: 7, uidNext: 2 };
    const changes: Change[] = [
      { type: 'SessionOpened', session: 'drop', purpose: 'maildrop', account: 'joe', front, expiresAt, maildrop },
      { type: 'MaildropLocked', account: 'joe', lock: 1, session: 'drop', front },
      { type: 'SessionAnswered', session: 'drop', counter: 3, answer: 'kept' },
      { type: 'MaildropLocked', account: 'ann', lock: 1, session: 'nobody', front },
    ];
    for (let number = 1; number < many; number++) {
      const session = `delivery ${number}`;
      const opening = { purpose: 'delivery', account: null, front, expiresAt, maildrop: null } as const;
      changes.push({ type: 'SessionOpened', session, ...opening });
    }
    const bytes = Buffer.from('half');
    changes.push({ type: 'ChunkStored', session: 'delivery 7', stage: 's', body: 2, index: 0, bytes });
    await commit(config, changes);
    const { mail } = await backUp(node, { withKey: true });
    rmSync(config.data, { recursive: true });
    await restore(config, backup);
    const opened = await openLmdbStore(mailPath(config, 'n1'));
    assert.ok(opened.ok);
    const { value: store } = opened;
    store.read((view) => {
      for (const table of [t.sessions, t.locks, t.stages])
        assert.equal([...(table as typeof t.sessions).range(view, [])], []);
      assert.is([...t.endedSessions.range(view, [])].length, many);
      const ended = t.endedSessions.get(view, 'drop')!;
      assert.equal([ended.counter, ended.answer], [3, 'kept']);
      assert.ok(ended.until > expiresAt);
      assert.is(t.mailboxes.get(view, 'joe', 1)!.messages, 1);
    });
    assert.is(store.applied().number, mail[0]!.record + 1 + 3 + 1, 'numbers, three times sessions, the lock of nobody');
    await store.close();
    const flaws = (await check(config)).flatMap((report) => report.flaws);
    assert.equal(flaws, []);
  }));

test('where a copy has filled the disk it is not opened, for that would end the process', () =>
  withNode(async (node) => {
    const { config, directory } = node;
    const small = join(directory, 'small');
    mkdirSync(small);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', small]).status !== 0) {
      console.log('(full disk: not tried, for want of the right to mount a small file system)');
      return;
    }
    try {
      const filling = (databases: Databases): Databases => ({
        ...databases,
        mail: databases.mail.map((each) => {
          assert.ok(each.opened.ok);
          const store = each.opened.value;
          const copyTo = async (to: string): Promise<void> => {
            await store.copyTo(to);
            const { bavail, bsize } = statfsSync(small);
            writeFileSync(join(small, 'filler'), Buffer.alloc(bavail * bsize));
          };
          return { ...each, opened: { ok: true, value: { ...store, copyTo } } };
        }),
      });
      const refused = backUp({ config, directory, backup: join(small, 'backup') }, { databases: filling });
      assert.match(await refusalOf(refused), /the disk is full; nothing is left of the backup/);
      assert.equal(readdirSync(small), ['filler']);
    } finally {
      spawnSync('umount', [small]);
    }
  }));

test('a backup in a place that is not free, or of a node that lacks a database, is refused and leaves nothing', () =>
  withNode(async (node) => {
    const { config, backup } = node;
    const inside = join(config.data, 'mail', 'backup');
    assert.match(await refusalOf(backUp(node, { to: inside })), /lies within .*mail, which is the node's own/);
    mkdirSync(backup);
    writeFileSync(join(backup, 'mine'), '');
    assert.match(await refusalOf(backUp(node)), /backup: is not empty/);
    rmSync(backup, { recursive: true });
    writeFileSync(backup, '');
    assert.match(await refusalOf(backUp(node)), /backup: is no directory/);
    rmSync(backup);
    rmSync(mailPath(config, 'spare'), { recursive: true });
    assert.match(await refusalOf(backUp(node)), /mail\/spare: the mail database is missing/);
    assert.equal(remains(node), []);
  }));

test('a full disk, an abort and a fault in the midst of a backup leave nothing', () =>
  withNode(async (node) => {
    /** The directory is copied last: what comes before is on the disk by then. */
    const failing = (fault: () => Error) => (databases: Databases) => {
      const { opened } = databases.directory;
      assert.ok(opened.ok);
      const store = new Proxy(opened.value, {
        get(target, key) {
          if (key === 'copyTo') return async () => Promise.reject(fault());
          const value = Reflect.get(target, key) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return { ...databases, directory: { ...databases.directory, opened: { ok: true as const, value: store } } };
    };
    const full = failing(() => {
      assert.is(remains(node).length, 1, 'what is made is aside');
      assert.match(remains(node)[0]!, /^backup\.unfinished-/);
      return new Error('No space left on device');
    });
    assert.match(await refusalOf(backUp(node, { databases: full })), /the disk is full; nothing is left/);
    assert.equal(remains(node), []);
    const stopping = new AbortController();
    const aborting = failing(() => {
      stopping.abort(new Error('cancelled'));
      return new Error('cancelled');
    });
    await backUp(node, { databases: aborting, signal: stopping.signal }).then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, 'cancelled'),
    );
    assert.equal(remains(node), []);
    await backUp(node);
    assert.equal(remains(node), ['backup']);
  }));

test('a restore touches nothing that exists, and makes nothing when one thing is wrong', () =>
  withNode(async (node) => {
    const { config, backup, directory } = node;
    await backUp(node);
    const [mail, kept] = [mailPath(config, 'n1'), join(directory, 'kept')];
    const everything = await refusalOf(restore(config, backup));
    for (const name of ['mail/n1', 'mail/spare', 'directory'])
      assert.match(everything, new RegExp(`${name}: exists already; a restore never touches`));
    assert.match(await refusalOf(restore(config, backup, true)), /no database is missing/);
    renameSync(mail, kept);

    const restoreOf = async (expected: RegExp, damage: (copy: string) => void): Promise<void> => {
      const copy = join(directory, 'copy');
      cpSync(backup, copy, { recursive: true });
      damage(copy);
      assert.match(await refusalOf(restore(config, copy, true)), expected);
      assert.equal(readdirSync(join(config.data, 'mail')), ['spare'], 'nothing was made, nothing is left');
      rmSync(copy, { recursive: true });
    };
    type Parts = { format: number; me: string; mail: Record<string, unknown>[]; directory: Record<string, unknown> };
    const edit = (change: (manifest: Parts) => void) => (copy: string) => {
      const manifest = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8')) as Parts;
      change(manifest);
      writeFileSync(join(copy, 'manifest.json'), JSON.stringify(manifest));
    };
    const file = (copy: string) => join(copy, 'mail', 'n1', 'data.mdb');
    await restoreOf(
      /manifest\.json: its format is 2, and this program knows up to 1/,
      edit((manifest) => {
        manifest.format = 2;
      }),
    );
    await restoreOf(
      /mail\/n1: its format is 99, and this program knows up to 2/,
      edit((manifest) => {
        manifest.mail[0]!['formatVersion'] = 99;
      }),
    );
    await restoreOf(
      /directory: its format is "homing directory 9", and this program knows "homing directory 1"/,
      edit((manifest) => {
        manifest.directory['format'] = 'homing directory 9';
      }),
    );
    await restoreOf(
      /holds the mailHost "n7".*\n.*lacks the mailHost "n1"/,
      edit((manifest) => {
        manifest.mail[0]!['mailHost'] = 'n7';
      }),
    );
    await restoreOf(
      /is a backup of the node "n7", not of "n1"/,
      edit((manifest) => {
        manifest.me = 'n7';
      }),
    );
    await restoreOf(
      /manifest\.json: mail\.0\.storeId: /,
      edit((manifest) => {
        delete manifest.mail[0]!['storeId'];
      }),
    );
    await restoreOf(/manifest\.json: there is no such file/, (copy) => rmSync(join(copy, 'manifest.json')));
    await restoreOf(/data\.mdb: is missing/, (copy) => rmSync(file(copy)));
    await restoreOf(/data\.mdb: is damaged/, (copy) => {
      const octets = readFileSync(file(copy));
      octets[octets.length - 1] = octets[octets.length - 1]! ^ 1;
      writeFileSync(file(copy), octets);
    });

    // Of three databases two are there: they are left alone.
    const { restored } = await restore(config, backup, true);
    assert.equal(restored, [mail]);
    assert.equal(
      (await check(config)).flatMap(({ flaws }) => flaws),
      [],
    );
  }));

test('a restore needs the key that the directory was sealed with, and never replaces one', () =>
  withNode(async (node) => {
    const { config, backup, directory } = node;
    await backUp(node);
    await backUp(node, { to: join(directory, 'with-key'), withKey: true });
    rmSync(config.data, { recursive: true });
    assert.match(await refusalOf(restore(config, backup)), /cluster\.key: the cluster key is missing/);
    assert.not(existsSync(config.data));
    mkdirSync(config.data);
    await createClusterKey(config.clusterKeyFile);
    assert.match(await refusalOf(restore(config, backup)), /does not open with .*cluster\.key/);
    assert.match(
      await refusalOf(restore(config, join(directory, 'with-key'))),
      /is another cluster key than the backup's/,
    );
    assert.not(existsSync(join(config.data, 'directory')));
    assert.equal(existsSync(join(config.data, 'mail')) ? readdirSync(join(config.data, 'mail')) : [], []);
  }));

test('check names what is missing, newer, damaged or of another store, and goes on with the rest', () =>
  withNode(async ({ config }) => {
    const [n1, spare] = [mailPath(config, 'n1'), mailPath(config, 'spare')];
    const aside = `${spare}.aside`;
    renameSync(spare, aside);
    const missing = await check(config);
    assert.equal(
      missing.map(({ database, flaws }) => [database, flaws.length]),
      [
        ['directory', 0],
        ['n1', 0],
        ['spare', 1],
      ],
    );
    assert.match(missing[2]!.flaws[0]!, /is missing/);
    assert.match(missing[1]!.notes[0]!, /^1 messages \(\d+ octets\) of 1 accounts that the directory does not have/);
    renameSync(aside, spare);

    await editHead(spare, { storeId: 'x', mailHost: 'spare', formatVersion: 99 });
    await editHead(n1, { storeId: 'x', mailHost: 'n1', formatVersion: 1 });
    const [directory, , newer] = await check(config);
    assert.match(directory!.flaws[0]!, /mailHost n1: known to the directory with store .*, but the store here is x/);
    assert.equal(newer!.flaws, [`its format is 99, and this program knows up to ${t.FORMAT_VERSION}`]);

    writeFileSync(join(n1, 'data.mdb'), 'no database');
    writeFileSync(join(config.data, 'directory', 'data.mdb'), 'no database either');
    const damaged = await check(config);
    assert.equal(damaged[0]!.flaws, ['is not a directory database']);
    assert.equal(damaged[1]!.flaws, ['is not a mail database, or one that was never finished']);
  }));

async function editHead(path: string, identity: object): Promise<void> {
  const root = open({ path, noSubdir: false, maxDbs: 2, encoding: 'binary', keyEncoding: 'binary' });
  const head = root.openDB({ name: 'head', useVersions: true, encoding: 'binary', keyEncoding: 'binary' });
  await head.put(Buffer.from('identity'), encode(identity), 0);
  await root.close();
}

test.run();
