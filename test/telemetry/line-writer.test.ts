/** The log where it meets a slow or full disk. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileSystem, lineWriter } from '../../telemetry/line-writer.ts';

/** A clock that the test winds, and a disk that the test fills. */
function machine() {
  const timers: (() => void)[] = [];
  const pending: (() => void)[] = [];
  const state = { written: '', full: false, octetsEach: Number.POSITIVE_INFINITY, closed: false };
  const put = (octets: Uint8Array): number => {
    if (state.full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    const part = octets.subarray(0, state.octetsEach);
    state.written += Buffer.from(part).toString();
    return part.length;
  };
  const system: FileSystem = {
    write: (_fd, octets, done) => {
      pending.push(() => {
        try {
          done(null, put(octets));
        } catch (error) {
          done(error as Error, 0);
        }
      });
    },
    // The parameters that only the real calls have are never given here.
    writeSync: ((_fd: number, octets: Uint8Array) => put(octets)) as FileSystem['writeSync'],
    closeSync: () => {
      state.closed = true;
    },
  };
  const clock = {
    after: (_ms: number, then: () => void) => ({
      cancel: () => void timers.splice(timers.indexOf(then), 1),
      at: timers.push(then),
    }),
  };
  const settle = () => {
    while (pending.length > 0) pending.shift()!();
  };
  const ring = () => {
    for (const then of timers.splice(0)) then();
    settle();
  };
  return { state, writer: lineWriter(9, clock, system), settle, ring };
}

test('lines are written in order, however little the system takes at once', () => {
  const { state, writer, settle } = machine();
  state.octetsEach = 3;
  for (let n = 0; n < 1000; n++) writer.write(`line ${n}\n`);
  settle();
  assert.is(state.written, Array.from({ length: 1000 }, (_, n) => `line ${n}\n`).join(''));
});

test('a full disk stops nothing, and heals by itself', () => {
  const { state, writer, settle, ring } = machine();
  state.full = true;
  writer.write('a\n');
  settle();
  writer.write('b\n');
  ring();
  assert.is(state.written, '');
  state.full = false;
  ring();
  assert.is(state.written, 'a\nb\n');
  writer.write('c\n');
  settle();
  assert.is(state.written, 'a\nb\nc\n');
});

test('what does not fit is dropped and counted, and it heals when there is room again', () => {
  const { state, writer, settle, ring } = machine();
  state.full = true;
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 4096 + 5; n++) writer.write(line);
  settle();
  let told: number[] = [];
  const say = (lines: number) => {
    told.push(lines);
    writer.write(line); // finds no room either
  };
  writer.sayLost(say);
  writer.sayLost(say);
  assert.equal(told, [5, 5]);
  state.full = false;
  ring();
  assert.is(state.written.length, 4096 * 1024);
  told = [];
  writer.sayLost(say);
  writer.sayLost(say);
  assert.equal(told, [5]);
});

test('flush writes what waits before it returns, after what the system already has', () => {
  const { state, writer, settle } = machine();
  writer.write('a\n');
  settle();
  state.full = true;
  writer.write('b\n');
  settle(); // refused
  writer.write('c\n');
  state.full = false;
  writer.flush();
  assert.is(state.written, 'a\nb\nc\n');
});

test('flush gives up at a full disk and keeps the lines', () => {
  const { state, writer, settle, ring } = machine();
  state.full = true;
  writer.write('a\n');
  settle();
  writer.write('b\n');
  writer.flush();
  state.full = false;
  ring();
  assert.is(state.written, 'a\nb\n');
});

test('close writes what waits, closes, and is silent afterwards', async () => {
  const { state, writer, settle } = machine();
  for (let n = 0; n < 600; n++) writer.write('x\n');
  const closed = writer.close();
  settle();
  await closed;
  writer.write('y\n');
  settle();
  assert.is(state.written.length, 1200);
  assert.ok(state.closed);
  await writer.close();
});

test('close ends at a full disk too', async () => {
  const { state, writer, settle } = machine();
  state.full = true;
  writer.write('x\n');
  const closed = writer.close();
  settle();
  await closed;
  assert.ok(state.closed);
});

test.run();
