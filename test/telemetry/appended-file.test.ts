/** A file that is renamed under its writer, and a disk that is full. */
import { spawnSync } from 'node:child_process';
import fs, { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileSystem, openAppendedFile } from '../../telemetry/appended-file.ts';
import { type ManualClock, manualClock } from '../actors/manual-clock.ts';

type World = { directory: string; path: string; clock: ManualClock; faults: string[]; lost: number[]; lines: number };
const test = suite<World>('appended-file');

test.before.each((world) => {
  world.directory = mkdtempSync(join(tmpdir(), 'homing-appended-'));
  world.path = join(world.directory, 'connection.log');
  world.clock = manualClock();
  world.faults = [];
  world.lost = [];
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const opened = ({ path, clock, faults, lost }: World, system?: FileSystem) =>
  openAppendedFile({
    path,
    clock,
    faulty: (fault) => faults.push(fault.message),
    lost: (lines) => lost.push(lines),
    ...(system && { system }),
  });

/** The real system on a disk that the test fills. */
function disk() {
  const state = { room: Number.POSITIVE_INFINITY };
  const writeSync = (fd: number, octets: Uint8Array): number => {
    if (state.room === 0) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    const written = fs.writeSync(fd, octets.subarray(0, state.room));
    state.room -= written;
    return written;
  };
  return { state, system: { ...fs, writeSync: writeSync as FileSystem['writeSync'] } };
}

test('a line is in the file when `write` returns; the file is not for everyone', (world) => {
  const file = opened(world);
  file.write('one\n');
  assert.is(readFileSync(world.path, 'utf8'), 'one\n');
  assert.is(statSync(world.path).mode & 0o027, 0);
  file.close();
  file.write('after the end\n');
  const again = opened(world);
  again.write('two\n');
  again.close();
  assert.is(readFileSync(world.path, 'utf8'), 'one\ntwo\n');
});

test('G-17: when the file is renamed, lines go on under the old name, and none is lost or doubled', (world) => {
  const file = opened(world);
  file.write('one\n');
  renameSync(world.path, `${world.path}.1`);
  file.write('two\n'); // within the second in which nobody looks
  world.clock.advance(1000);
  file.write('three\n');
  assert.is(readFileSync(`${world.path}.1`, 'utf8'), 'one\ntwo\n');
  assert.is(readFileSync(world.path, 'utf8'), 'three\n');
  file.close();
  assert.equal(world.faults, []);
});

test('a new file made by the rotation is found as well, and a removed one made anew', (world) => {
  const file = opened(world);
  renameSync(world.path, `${world.path}.1`);
  fs.writeFileSync(world.path, 'made\n');
  world.clock.advance(1000);
  file.write('one\n');
  assert.is(readFileSync(world.path, 'utf8'), 'made\none\n');
  rmSync(world.path);
  world.clock.advance(1000);
  file.write('two\n');
  assert.is(readFileSync(world.path, 'utf8'), 'two\n');
  file.close();
});

test('where no new file can be opened the old one goes on, and the fault is told once', (world) => {
  const file = opened(world);
  renameSync(world.path, `${world.path}.1`);
  fs.mkdirSync(world.path);
  const write = (...lines: number[]) => {
    for (const n of lines) {
      world.clock.advance(1000);
      file.write(`${n}\n`);
    }
  };
  write(0, 1, 2, 3, 4);
  assert.is(readFileSync(`${world.path}.1`, 'utf8'), '0\n1\n2\n3\n4\n');
  assert.is(world.faults.length, 1, world.faults.join());
  fs.rmdirSync(world.path);
  write(5);
  assert.is(readFileSync(world.path, 'utf8'), '5\n');
  renameSync(world.path, `${world.path}.2`);
  fs.mkdirSync(world.path);
  write(6, 7);
  assert.is(world.faults.length, 2, 'it was right in between');
  file.close();
});

test('what still waits for room at the end is told as lost', (world) => {
  const { state, system } = disk();
  const file = opened(world, system);
  state.room = 6;
  file.write('one\n');
  file.write('two\n');
  file.write('three\n');
  assert.equal(world.lost, []);
  file.close();
  assert.equal(world.lost, [2], 'the half of one is no line');
  assert.equal(world.faults, ['no room']);
});

test('a full disk stops nobody; a line that was half written is finished, in the same file', (world) => {
  const { state, system } = disk();
  const file = opened(world, system);
  state.room = 4;
  file.write('one two\n');
  assert.is(readFileSync(world.path, 'utf8'), 'one ');
  assert.equal(world.faults, ['no room']);
  file.write('three\n');
  renameSync(world.path, `${world.path}.1`);
  world.clock.advance(5000);
  assert.equal(world.faults, ['no room']);
  state.room = Number.POSITIVE_INFINITY;
  world.clock.advance(1000);
  file.write('four\n');
  assert.is(readFileSync(`${world.path}.1`, 'utf8'), 'one two\nthree\n');
  assert.is(readFileSync(world.path, 'utf8'), 'four\n');
  assert.equal(world.lost, []);
  file.close();
});

test('what waits is bounded: beyond it lines are dropped, counted, and their number told once there is room', (world) => {
  const { state, system } = disk();
  const file = opened(world, system);
  state.room = 0;
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 1030; n += 1) file.write(line);
  assert.equal(world.lost, []);
  state.room = Number.POSITIVE_INFINITY;
  world.clock.advance(1000);
  assert.equal(world.lost, [6]);
  assert.is(readFileSync(world.path).length, 1024 * 1024);
  file.close();
});

test('what is written waits no more: the bound is of what waits at one time', (world) => {
  const file = opened(world);
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 2100; n += 1) file.write(line);
  file.close();
  assert.is(readFileSync(world.path).length, 2100 * 1024);
});

test('what waits at the end is written once more', (world) => {
  const { state, system } = disk();
  const file = opened(world, system);
  state.room = 0;
  file.write('one\n');
  state.room = 100;
  file.close();
  assert.is(readFileSync(world.path, 'utf8'), 'one\n');
});

test('what is no regular file is refused at once: a FIFO, a directory, a missing place', (world) => {
  assert.throws(() => opened({ ...world, path: world.directory }));
  assert.throws(() => opened({ ...world, path: join(world.directory, 'none', 'x') }));
  assert.throws(() => opened({ ...world, path: '/dev/null' }), /is no regular file/);
  if (spawnSync('mkfifo', [world.path]).status === 0) assert.throws(() => opened(world));
});

test.run();
