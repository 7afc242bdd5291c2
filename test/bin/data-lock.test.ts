/** One process to a data directory, also when many find a dead one's lock at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockData } from '../../bin/data-lock.ts';

const RACER = resolve(import.meta.dirname, 'lock-racer.js');
const LOCK_MODULE = new URL('../../bin/data-lock.ts', import.meta.url).href;
const RACERS = 4;
const ROUNDS = 40;

async function inDirectory(use: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** No process has the number 2^22 or more. */
const DEAD = ['4194305\n1\n', '4194305\n', ''];

test('of several processes that find a dead lock, or none, exactly one has it', () =>
  inDirectory(async (directory) => {
    const racers = Array.from({ length: RACERS }, () => {
      const child: ChildProcess = spawn(process.execPath, [RACER, LOCK_MODULE], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
    });
    const said = () => Promise.all(racers.map(async ({ lines }) => (await lines.next()).value as string));
    try {
      assert.equal(await said(), Array(RACERS).fill('up'));
      for (let round = 0; round < ROUNDS; round++) {
        const data = join(directory, `data${round}`);
        mkdirSync(join(data, 'run'), { recursive: true });
        const dead = [...DEAD, undefined][round % 4];
        if (dead !== undefined) writeFileSync(join(data, 'run', 'homing.lock'), dead);
        for (const { child } of racers) child.stdin!.write(`${data}\n`);
        const how = (await said()).sort();
        assert.equal(how, [...Array(RACERS - 1).fill('lost'), 'won'], `round ${round}`);
        assert.equal(readdirSync(join(data, 'run')), ['homing.lock']);
      }
    } finally {
      for (const { child } of racers) child.stdin!.end();
      await Promise.all(racers.map(({ child }) => new Promise((resolve) => child.once('exit', resolve))));
    }
  }));

test('a lock that is held names its holder, and can be taken when it was released', () =>
  inDirectory((directory) => {
    const first = lockData(directory);
    assert.throws(() => lockData(directory), `in use by process ${process.pid}`);
    first.release();
    lockData(directory).release();
    assert.equal(readdirSync(join(directory, 'run')), []);
  }));

test('a release removes no lock that another has by now', () =>
  inDirectory((directory) => {
    const first = lockData(directory);
    const path = join(directory, 'run', 'homing.lock');
    rmSync(path);
    const second = lockData(directory);
    first.release();
    assert.throws(() => lockData(directory), 'in use by process');
    second.release();
  }));

test.run();
