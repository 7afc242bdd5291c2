/** One process to a data directory, also when many find a dead one's lock at once, and when they can't see each other. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError } from '../../bin/command-error.ts';
import { type DataLock, lockData, type Place } from '../../bin/data-lock.ts';

const RACER = resolve(import.meta.dirname, 'lock-racer.js');
const LOCK_MODULE = new URL('../../bin/data-lock.ts', import.meta.url).href;
const RACERS = 4;
const ROUNDS = 40;

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const lockOf = (data: string): string => join(data, 'run', 'homing.lock');
const nonceOf = (data: string): string => readFileSync(lockOf(data), 'utf8').split('\n')[3]!;
const onlyLockOf = (data: string): string[] => ['homing.lock', `s-${nonceOf(data).slice(0, 5)}`];

/** @returns the whole of what was said */
async function mustRefuse(locking: Promise<DataLock>, words: RegExp | string): Promise<string> {
  const error = await locking.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  assert.instance(error, CommandError, String(error));
  const { message } = error as CommandError;
  assert.ok(typeof words === 'string' ? message.includes(words) : words.test(message), message);
  return message;
}

const HERE: Place = { host: 'alpha', boot: 'b1' };
const NONCE = '0123456789ab';

/** What a holder left when it was killed: `socket` says what became of its socket since. */
function leave(data: string, { host, boot }: Place, socket: 'refuses' | 'gone'): void {
  mkdirSync(join(data, 'run'), { recursive: true });
  writeFileSync(lockOf(data), `17\n${host}\n${boot}\n${NONCE}\n`);
  if (socket === 'refuses') leaveSocket(join(data, 'run', `s-${NONCE.slice(0, 5)}`));
}

/** Under another name its file outlives a socket that is closed. */
function leaveSocket(path: string): void {
  const server = createServer().listen(`${path}-`);
  renameSync(`${path}-`, path);
  server.close();
}

function racer(command = process.execPath, ...before: string[]) {
  const child: ChildProcess = spawn(command, [...before, RACER, LOCK_MODULE], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said = async (): Promise<string> => (await lines.next()).value;
  const tell = (line: string) => child.stdin!.write(`${line}\n`);
  const end = () => {
    child.stdin!.end();
    return exited;
  };
  return { said, tell, end, exited };
}

test('of several processes that find a dead lock, or none, exactly one has it', () =>
  inDirectory(async (directory) => {
    const scratch = await lockData(join(directory, 'scratch'));
    const [, host = '', boot = ''] = readFileSync(lockOf(join(directory, 'scratch')), 'utf8').split('\n');
    scratch.release();
    const racers = Array.from({ length: RACERS }, () => racer());
    const said = () => Promise.all(racers.map((each) => each.said()));
    try {
      assert.equal(await said(), Array(RACERS).fill('up'));
      for (let round = 0; round < ROUNDS; round++) {
        const data = join(directory, `${round}`);
        if (round % 3 === 0) leave(data, { host, boot }, 'refuses');
        else if (round % 3 === 1) leave(data, { host, boot: boot && 'another' }, 'refuses');
        for (const { tell } of racers) tell(data);
        const how = (await said()).sort();
        assert.equal(how, [...Array(RACERS - 1).fill('lost'), 'won'], `round ${round}`);
        assert.equal(readdirSync(join(data, 'run')).sort(), onlyLockOf(data));
      }
    } finally {
      await Promise.all(racers.map(({ end }) => end()));
    }
  }));

test('a lock that is held names its holder, and can be taken when it was released', () =>
  inDirectory(async (directory) => {
    const first = await lockData(directory);
    await mustRefuse(lockData(directory), new RegExp(`in use by process ${process.pid}$`));
    assert.equal(readdirSync(join(directory, 'run')).sort(), onlyLockOf(directory));
    first.release();
    (await lockData(directory)).release();
    assert.equal(readdirSync(join(directory, 'run')), []);
  }));

test('a holder that ended without a release, in order or not, is succeeded', () =>
  inDirectory(async (directory) => {
    for (const [data, line] of [
      [join(directory, 'ended'), undefined],
      [join(directory, 'killed'), 'die'],
    ] as const) {
      const holder = racer();
      assert.is(await holder.said(), 'up');
      holder.tell(data);
      assert.is(await holder.said(), 'won');
      if (line) holder.tell(line);
      await holder.end();
      assert.equal(readdirSync(join(data, 'run')).sort(), onlyLockOf(data));
      (await lockData(data)).release();
      assert.equal(readdirSync(join(data, 'run')), []);
    }
  }));

test('a holder whose socket answers has the lock, wherever it says it runs', () =>
  inDirectory(async (directory) => {
    const places = [HERE, { host: 'beta', boot: 'b1' }, { host: 'alpha', boot: 'b2' }, { host: 'beta', boot: 'b2' }];
    for (const place of places) {
      const held = await lockData(directory, place);
      const named = `${process.pid}${place.host === 'beta' ? ' of host beta' : ''}`;
      await mustRefuse(lockData(directory, HERE), new RegExp(`in use by process ${named}$`));
      held.release();
    }
  }));

test('a holder whose socket refuses is dead if it was on this kernel or on this host', () =>
  inDirectory(async (directory) => {
    const dead: [holder: Place, here: Place][] = [
      [HERE, HERE],
      [{ host: 'beta', boot: 'b1' }, HERE], // another container
      [{ host: 'alpha', boot: 'b2' }, HERE], // rebooted since
      [
        { host: 'alpha', boot: '' },
        { host: 'alpha', boot: '' },
      ], // a system that does not name its boots
      [{ host: 'alpha', boot: '' }, HERE],
    ];
    for (const [holder, here] of dead) {
      leave(directory, holder, 'refuses');
      const held = await lockData(directory, here);
      assert.equal(readdirSync(join(directory, 'run')).sort(), onlyLockOf(directory));
      held.release();
    }
  }));

test('a holder without its socket is dead if this host was booted since', () =>
  inDirectory(async (directory) => {
    leave(directory, { host: 'alpha', boot: 'b2' }, 'gone');
    (await lockData(directory, HERE)).release();
    assert.equal(readdirSync(join(directory, 'run')), []);
  }));

test('a holder that may live keeps the lock: who, and what to do, is said', () =>
  inDirectory(async (directory) => {
    const remedy = `when no process uses ${directory} any more, remove ${lockOf(directory)}`;
    const unsure: [holder: Place, here: Place, socket: 'refuses' | 'gone', who: string][] = [
      [{ host: 'beta', boot: 'b2' }, HERE, 'refuses', '17 of host beta'], // a kernel knows its own sockets only
      [{ host: 'beta', boot: '' }, { host: 'alpha', boot: '' }, 'refuses', '17 of host beta'],
      [HERE, HERE, 'gone', '17'],
      [{ host: 'alpha', boot: '' }, HERE, 'gone', '17'],
      [{ host: 'alpha', boot: 'b2' }, { host: 'alpha', boot: '' }, 'gone', '17'],
      [{ host: 'beta', boot: 'b2' }, HERE, 'gone', '17 of host beta'],
    ];
    for (const [holder, here, socket, who] of unsure) {
      leave(directory, holder, socket);
      const before = readdirSync(join(directory, 'run'));
      const code = socket === 'refuses' ? 'ECONNREFUSED' : 'ENOENT';
      const words = `${directory}: in use by process ${who}, or it ended and that can't be seen (${code}): ${remedy}`;
      assert.is(await mustRefuse(lockData(directory, here), ''), words);
      assert.equal(readdirSync(join(directory, 'run')), before);
      rmSync(join(directory, 'run'), { recursive: true });
    }
  }));

test('a lock that no holder can have written is not taken', () =>
  inDirectory(async (directory) => {
    mkdirSync(join(directory, 'run'));
    for (const written of ['', '17\n', '17\n1234\n0123456789ab\n', '0\nalpha\nb1\n0123456789ab\n']) {
      writeFileSync(lockOf(directory), written);
      await mustRefuse(lockData(directory, HERE), /homing\.lock: not a lock of this version.* remove /);
      assert.equal(readdirSync(join(directory, 'run')), ['homing.lock']);
    }
  }));

test('a successor that died before it was done is succeeded, and nothing of the dead stays', () =>
  inDirectory(async (directory) => {
    leave(directory, HERE, 'refuses');
    const first = createHash('sha256').update(readFileSync(lockOf(directory)));
    const right = `homing.lock.after-${first.digest('hex').slice(0, 32)}`;
    writeFileSync(join(directory, 'run', right), '18\nbeta\nb1\nfedcba987654\n');
    await mustRefuse(lockData(directory, HERE), 'in use by process 18 of host beta, or it ended');
    leaveSocket(join(directory, 'run', 's-fedcb'));
    const held = await lockData(directory, HERE);
    assert.equal(readdirSync(join(directory, 'run')).sort(), onlyLockOf(directory));
    held.release();
  }));

/** What a successor left that died before it was done. */
function leaveSuccessor(data: string): void {
  const first = createHash('sha256').update(readFileSync(lockOf(data)));
  const right = `homing.lock.after-${first.digest('hex').slice(0, 32)}`;
  writeFileSync(join(data, 'run', right), '18\nalpha\nb1\nfedcba987654\n');
  leaveSocket(join(data, 'run', 's-fedcb'));
}

test('of several calls in one process that find a dead lock, a line of them, or none, exactly one has it', () =>
  inDirectory(async (directory) => {
    for (let round = 0; round < 3 * ROUNDS; round++) {
      const data = join(directory, `${round}`);
      if (round % 3 > 0) leave(data, HERE, 'refuses');
      if (round % 3 > 1) leaveSuccessor(data);
      const calls = await Promise.allSettled(Array.from({ length: RACERS }, () => lockData(data, HERE)));
      const [held, ...others] = calls.flatMap((call) => (call.status === 'fulfilled' ? call.value : []));
      assert.is(others.length, 0, `round ${round}`);
      for (const call of calls) {
        if (call.status === 'rejected') assert.is(call.reason.message, `${data}: in use by process ${process.pid}`);
      }
      assert.equal(readdirSync(join(data, 'run')).sort(), onlyLockOf(data));
      held!.release();
      assert.equal(readdirSync(join(data, 'run')), []);
    }
  }));

test('a lock released at any moment of a call in the same process is taken by it, or was in use', () =>
  inDirectory(async (directory) => {
    let refused: string | undefined;
    let taken = 0;
    // Later and later, until it comes too late.
    for (let turns = 0; refused === undefined; turns = turns < 32 ? turns + 1 : turns * 2) {
      const first = await lockData(directory);
      const second = lockData(directory).then(
        (lock) => lock.release(),
        (error: Error) => error.message,
      );
      for (let i = 0; i < turns; i++) await turn();
      first.release();
      refused = (await second) ?? undefined;
      if (refused === undefined) taken += 1;
      assert.equal(readdirSync(join(directory, 'run')), []);
    }
    assert.is(refused, `${directory}: in use by process ${process.pid}`);
    assert.ok(taken > 0);
  }));

test('calls in one process that take and release again and again never have it together', () =>
  inDirectory(async (directory) => {
    let holders = 0;
    let times = 0;
    const takeOften = async (): Promise<void> => {
      for (let i = 0; i < ROUNDS; i++) {
        const lock = await lockData(directory).catch((error: Error) => {
          assert.match(error.message, /in use by process|other processes take it again and again/);
        });
        if (!lock) continue;
        times += 1;
        holders += 1;
        assert.is(holders, 1);
        await turn();
        holders -= 1;
        lock.release();
      }
    };
    await Promise.all(Array.from({ length: RACERS }, takeOften));
    assert.ok(times > 0);
    assert.equal(readdirSync(join(directory, 'run')), []);
  }));

test('a release removes no lock that another has by now', () =>
  inDirectory(async (directory) => {
    const first = await lockData(directory);
    rmSync(lockOf(directory));
    const second = await lockData(directory);
    first.release();
    await mustRefuse(lockData(directory), 'in use by process');
    second.release();
  }));

test('a path too long for sockets is refused by name, and nothing is left of the attempt', () =>
  inDirectory(async (directory) => {
    const data = join(directory, 'x'.repeat(120 - directory.length));
    await mustRefuse(lockData(data), `${data}: its path is `);
    assert.equal(readdirSync(join(data, 'run')), []);
  }));

/**
 * A process with pids, a host name and a network of its own, as in a container; both have the same pid. The shell, which
 * would tell of a process killed, is silent.
 */
const APART = [
  '--map-root-user',
  '--pid',
  '--uts',
  '--net',
  '--fork',
  'sh',
  '-c',
  'hostname "$0" && { "$@" 2>&3; } 3>&2 2>/dev/null; true',
];
const RUN = 'Deno' in globalThis ? ['run', '-A', '--quiet'] : [];
const canPartAway = spawnSync('unshare', [...APART, 'one', 'true']).status === 0;
const apart = (name: string) => racer('unshare', ...APART, name, process.execPath, ...RUN);

(canPartAway ? test : test.skip)(
  'two containers on one volume: one has the lock, and the other when the first was killed',
  () =>
    inDirectory(async (directory) => {
      const [one, two] = [apart('one'), apart('two')];
      try {
        assert.equal([await one.said(), await two.said()], ['up', 'up']);
        one.tell(directory);
        assert.is(await one.said(), 'won');
        const [pid, host] = readFileSync(lockOf(directory), 'utf8').split('\n');
        assert.is(host, 'one');
        two.tell(directory);
        assert.is(await two.said(), 'lost');
        await mustRefuse(lockData(directory), `in use by process ${pid} of host one`);
        one.tell('die');
        await one.exited;
        two.tell(directory);
        assert.is(await two.said(), 'won');
        assert.is(readFileSync(lockOf(directory), 'utf8').split('\n').slice(0, 2).join(), `${pid},two`);
      } finally {
        await Promise.all([one.end(), two.end()]);
      }
    }),
);

test.run();
