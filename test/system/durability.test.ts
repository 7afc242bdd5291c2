/** A 250 is said only after the sync that covers it; a full disk is a temporary refusal, and heals. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { configuration } from '../../bench/fleet/configuration.ts';
import { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { deliver, endsWith, eventually, message, openSession, retrieveAll } from '../support/system.ts';

const DAN = 'dan@example.test';
const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');
const has = (program: string, ...words: string[]) => spawnSync(program, words).status === 0;

async function place(directory: string, command?: readonly string[]): Promise<NodeProcess> {
  const picker = new PortPicker();
  const ports = { pop3: await picker.next(), lmtp: await picker.next(), poppwd: await picker.next() };
  const file = join(directory, 'n1.toml');
  writeFileSync(file, configuration({ me: 'n1', data: 'n1', ports }));
  return new NodeProcess({ me: 'n1', file, data: join(directory, 'n1'), ports, ...(command && { command }) });
}

const canTrace = has('strace', '-o', '/dev/null', 'true');
(canTrace ? test : test.skip)('no 250 is written before the sync that covers its message has returned', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const trace = join(directory, 'trace');
  try {
    await (await place(directory)).init();
    const calls = 'trace=fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg,read,recvfrom';
    const node = await place(directory, [
      'strace',
      '-f',
      '-s',
      '40000',
      '-e',
      calls,
      '-o',
      trace,
      process.execPath,
      HOMING,
    ]);
    await node.start();
    try {
      await node.ask('account.add', { name: DAN, secret: 'of dan' });
      const clients = await Promise.all([1, 2, 3, 4].map(() => LmtpClient.connect(node.lmtp)));
      await Promise.all(
        clients.map(async (client, at) => {
          for (let number = 0; number < 10; number++) {
            // The body's mark is what the trace must show as synced: each is looked for below.
            const [answer] = await client.deliver('sender@example.test', [DAN], message(`mark-${at}-${number}-`, 1500));
            assert.is(answer!.code, 250);
          }
          await client.quit();
        }),
      );
    } finally {
      await stopTraced(node);
    }
    checkTrace(readFileSync(trace, 'latin1').split('\n'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** strace passes no signal on: the traced node is told through its own pid. */
async function stopTraced(node: NodeProcess): Promise<void> {
  const pid = Number(readFileSync(join(node.data, 'run', 'homing.lock'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGTERM');
  await node.program!.ended;
}

/**
 * Reads the trace in order. A mark is read from a client's socket, written to the database, and acknowledged on the
 * same socket; between the end of its write and the 250 a sync of that database file must have begun and returned.
 */
function checkTrace(lines: readonly string[]): void {
  const markOf = new Map<string, string>(); // socket -> mark last read from it
  const written = new Map<string, { file: string; at: number }>(); // mark -> its last database write
  const syncs: { file: string; begun: number; returned: number }[] = [];
  const waiting = new Map<string, { call: string; file: string; begun: number; text: string }>(); // thread -> call
  let acknowledged = 0;
  const ended = (call: string, file: string, begun: number, at: number, text: string) => {
    if (/^(fsync|fdatasync)$/.test(call)) return syncs.push({ file, begun, returned: at });
    const marks = text.match(/mark-\d+-\d+-/g);
    if (/^(read|recvfrom)$/.test(call) && marks) return markOf.set(file, marks.at(-1)!);
    if (/^(pwrite64|pwritev|writev|write)$/.test(call)) for (const mark of marks ?? []) written.set(mark, { file, at });
    return undefined;
  };
  for (const [at, line] of lines.entries()) {
    const [, thread, rest] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    if (thread === undefined) continue;
    if (/^(write|writev|sendto|sendmsg)\((\d+), .*"?250 2\.\d\.\d[^"]*n1\/\d+/.test(rest!)) {
      // A write is judged where it begins: that is where the octets leave.
      const mark = markOf.get(/\((\d+)/.exec(rest!)![1]!);
      assert.ok(mark, `a 250 on a socket that no message came from: ${rest}`);
      const write = written.get(mark);
      assert.ok(write, `${mark} was acknowledged and not written`);
      assert.ok(
        syncs.some(({ file, begun, returned }) => file === write.file && begun > write.at && returned < at),
        `${mark} was acknowledged before a sync that covers it returned`,
      );
      acknowledged++;
    }
    const whole = /^(\w+)\((\d+)(.*)\) += \d+/s.exec(rest!);
    const begun = /^(\w+)\((\d+)(.*)<unfinished \.\.\.>/s.exec(rest!);
    const resumed = /^<\.\.\. (\w+) resumed>(.*)= \d+/s.exec(rest!);
    if (whole) ended(whole[1]!, whole[2]!, at, at, whole[3]!);
    else if (begun) waiting.set(thread, { call: begun[1]!, file: begun[2]!, begun: at, text: begun[3]! });
    else if (resumed) {
      const call = waiting.get(thread);
      waiting.delete(thread);
      if (call && call.call === resumed[1]) ended(call.call, call.file, call.begun, at, call.text + resumed[2]!);
    }
  }
  assert.is(acknowledged, 40, 'the trace shows each 250');
}

const canMount = process.getuid?.() === 0 && tmpfsWorks();
(canMount ? test : test.skip)('a full disk gives 452 4.3.1, keeps what was acknowledged, and heals', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  mount(directory, '24m');
  try {
    const node = await place(directory);
    await node.init();
    await node.start();
    try {
      await node.ask('account.add', { name: DAN, secret: 'of dan' });
      const accepted: Buffer[] = [];
      let said = '';
      for (let number = 0; number < 100; number++) {
        const sent = message(`number ${number}`, 600_000);
        said = await deliver(node.lmtp, DAN, sent);
        if (!said.startsWith('250')) break;
        accepted.push(sent);
      }
      assert.match(said, /^452 4\.3\.1/);
      assert.ok(accepted.length > 3, `${accepted.length} messages fitted`);
      assert.match(await deliver(node.lmtp, DAN, message('still full', 600_000)), /^452 4\.3\.1/);
      const { bavail, bsize } = statfsSync(directory);
      assert.ok(bavail * bsize < 2_000_000, 'the disk was full');
      const kept = await retrieveAll(node.pop3, DAN, 'of dan');
      assert.is(kept.length, accepted.length);
      for (const [at, sent] of accepted.entries()) assert.ok(endsWith(kept[at]!, sent));

      // To the last octet: with ever smaller messages, until not even the smallest is taken.
      for (const octets of [200_000, 50_000, 10_000, 2_000, 100]) {
        for (let number = 0; ; number++) {
          const sent = message(`small ${octets} ${number}`, octets);
          const answered = await deliver(node.lmtp, DAN, sent);
          if (!answered.startsWith('250')) {
            assert.match(answered, /^452 4\.3\.1/);
            break;
          }
          accepted.push(sent);
        }
      }
      const session = await openSession(node.pop3, DAN, 'of dan');
      for (let number = 1; number <= 3; number++) await session.ask(`DELE ${number}`);
      await session.quit(); // throws what is not +OK
      accepted.splice(0, 3);
      const fits = message('fits again', 300_000);
      await eventually('a delivery into the room that was made', 10_000, async () =>
        (await deliver(node.lmtp, DAN, fits)).startsWith('250') ? true : undefined,
      );
      accepted.push(fits);
      const left = await retrieveAll(node.pop3, DAN, 'of dan');
      assert.is(left.length, accepted.length);
      for (const [at, sent] of accepted.entries()) assert.ok(endsWith(left[at]!, sent));

      spawnSync('mount', ['-o', 'remount,size=64m', directory]);
      const healed = message('healed', 600_000);
      await eventually('delivery', 5000, async () =>
        (await deliver(node.lmtp, DAN, healed)).startsWith('250') ? true : undefined,
      );
      const all = await retrieveAll(node.pop3, DAN, 'of dan');
      assert.is(all.length, accepted.length + 1);
      assert.ok(endsWith(all.at(-1)!, healed));
    } finally {
      await node.program!.stop();
    }
  } finally {
    spawnSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  }
});

function mount(directory: string, size: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory]);
  if (status !== 0) throw new Error(String(stderr));
}

function tmpfsWorks(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'homing-mount-'));
  const works = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]).status === 0;
  if (works) spawnSync('umount', [directory]);
  rmSync(directory, { recursive: true });
  return works;
}

test.run();
