/** A node is copied while it is delivered to, loses everything, and is restored: what was acknowledged before is there. */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { JobLook } from '../../admin/jobs.ts';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import { restoreBackup } from '../../bin/backup/restore-backup.ts';
import type { DatabaseReport } from '../../bin/check-databases.ts';
import { loadConfig } from '../../config/load.ts';
import {
  deliver,
  endsWith,
  eventually,
  hasNats,
  logIn,
  message,
  openSession,
  retrieveAll,
  scaled,
  subjectOf,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');
const JOE = 'joe@example.test';
/** A restored node waits until its former registration and leases are old. */
const QUICK = 'directory-max-stale = "1s"\nlease-duration = "1s"\n';

type Ran = { readonly status: number | null; readonly out: string; readonly err: string };

/** One command, while this process goes on. */
function homing(file: string, ...words: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [HOMING, ...words, '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (data) => (said.out += data));
  child.stderr.on('data', (data) => (said.err += data));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (status) => done({ status, ...said }));
  });
}

async function mustRun(file: string, ...words: string[]): Promise<string> {
  const { status, out, err } = await homing(file, ...words);
  assert.is(status, 0, `homing ${words.join(' ')}: ${out}${err}`);
  return out;
}

/** A job of the running server, to its end. */
async function jobOf(node: NodeProcess, verb: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const begun = await node.ask(verb, given);
  return eventually(verb, 20_000, async () => {
    const look = (await node.ask('job.look', begun as { job: string })) as JobLook;
    return look.state === 'done' ? { value: look.value } : undefined;
  }).then(({ value }) => value);
}

async function mustBeSound(node: NodeProcess): Promise<void> {
  const reports = (await jobOf(node, 'check')) as DatabaseReport[];
  assert.equal(
    reports.map(({ database, flaws }) => [database, flaws]),
    [
      ['directory', []],
      [node.me, []],
    ],
  );
}

/** Everything of the node but what no backup is said to hold: the cluster key. */
function loseEverything({ data }: NodeProcess): void {
  for (const name of readdirSync(data)) if (name !== 'cluster.key') rmSync(join(data, name), { recursive: true });
}

/** Delivers on and on, over several connections; `acknowledged` grows. */
function load({ lmtp }: NodeProcess, connections: number) {
  const acknowledged = new Map<string, Buffer>();
  let isOver = false;
  let count = 0;
  const one = async (): Promise<void> => {
    const client = await LmtpClient.connect(lmtp);
    while (!isOver) {
      const subject = `message ${++count}`;
      const octets = count % 10 === 0 ? 300_000 : 900; // large bodies are staged, so that some are half-way
      const body = message(subject, octets);
      const [answer] = await client.deliver('sender@example.test', [JOE], body);
      assert.match(answer!.lines[0]!, /^250/);
      acknowledged.set(subject, body);
    }
    await client.quit();
  };
  const running = Promise.all(Array.from({ length: connections }, one));
  running.catch(() => {}); // heard at `end`
  return {
    acknowledged,
    reaches: (least: number) =>
      eventually(`${least} messages`, 30_000, () => (acknowledged.size >= least ? true : undefined)),
    async end() {
      isOver = true;
      await running;
    },
  };
}

async function uidsOf({ pop3 }: NodeProcess): Promise<string[]> {
  const session = await openSession(pop3, JOE, 'secret');
  try {
    return await session.uidl();
  } finally {
    await session.quit();
  }
}

test('copied under load, everything lost, restored: no message acknowledged before the backup is missing', () =>
  withFleet({ nodes: ['n1'], nats: 0 }, async (fleet, directory) => {
    const node = fleet.node('n1');
    const backup = join(directory, 'backup');
    await node.ask('account.add', { name: JOE, secret: 'secret' });
    const delivering = load(node, 4);
    await delivering.reaches(scaled(100, 3000));
    const before = new Map(delivering.acknowledged);
    const made = JSON.parse(await mustRun(node.file, 'backup', backup, '--json'));
    const meanwhile = delivering.acknowledged.size;
    await mustBeSound(node); // under load, too
    await delivering.reaches(meanwhile + 20);
    await delivering.end();
    assert.ok(made.mail[0].record > 0 && made.hasKey === false);
    assert.ok(delivering.acknowledged.size > before.size, 'messages came meanwhile');
    const lost = new Set(await uidsOf(node));

    await node.program!.kill();
    loseEverything(node);
    await mustRun(node.file, 'restore', backup);
    await node.start();
    await mustBeSound(node);
    const restored = await retrieveAll(node.pop3, JOE, 'secret');
    const there = new Map(restored.map((whole) => [subjectOf(whole), whole]));
    for (const [subject, body] of before) assert.ok(there.has(subject) && endsWith(there.get(subject)!, body), subject);
    assert.is(there.size, restored.length, 'none is there twice');
    for (const subject of there.keys()) assert.match(subject, /^message \d+$/);

    // A client that keeps its mail on the server must not take a new message for one that it has seen.
    const known = await uidsOf(node);
    for (const uid of known) assert.ok(lost.has(uid), 'what was restored has its old unique id');
    assert.match(await deliver(node.lmtp, JOE, message('after')), /^250/);
    const [fresh] = (await uidsOf(node)).filter((uid) => !known.includes(uid));
    assert.ok(fresh !== undefined && !lost.has(fresh), 'no unique id is given out again');
  }));

cluster('a node of a cluster is restored: its old directory is not believed, its mail is served', () =>
  withFleet({ nodes: ['n1', 'n2'], nats: 1, top: QUICK }, async (fleet, directory) => {
    const [n1, n2] = [fleet.node('n1'), fleet.node('n2')];
    const backup = join(directory, 'backup');
    await n1.ask('account.add', { name: JOE, secret: 'old', mailHost: 'n2' });
    await n1.ask('account.add', { name: 'gone@example.test', secret: 'gone', mailHost: 'n1' });
    assert.match(await deliver(n1.lmtp, JOE, message('kept')), /^250/);
    await jobOf(n2, 'backup', { to: backup });
    await n1.ask('password.set', { name: JOE, service: 'DEFAULT', secret: 'new' });
    await n1.ask('account.delete', { name: 'gone@example.test' });
    await n1.ask('account.add', { name: 'late@example.test', secret: 'late', mailHost: 'n1' });
    await n2.program!.kill();
    loseEverything(n2);
    const config = loadConfig(n2.file);
    assert.ok(config.ok);
    await restoreBackup({ config: config.value, from: backup, onlyMissing: false, tell: () => {} });
    await n2.start();
    await eventually('n2 to be fresh', 20_000, async () =>
      (await logIn(n2.pop3, 'late@example.test', 'late')) === 'ok' ? true : undefined,
    );
    assert.match(await logIn(n2.pop3, JOE, 'old'), /^-ERR \[AUTH\]/);
    assert.match(await logIn(n2.pop3, 'gone@example.test', 'gone'), /^-ERR \[AUTH\]/);
    for (const { pop3 } of [n1, n2]) {
      const all = await eventually('the mailHost to be served again', 20_000, () => retrieveAll(pop3, JOE, 'new'));
      assert.equal(all.map(subjectOf), ['kept']);
    }
    for (const { file } of [n1, n2])
      assert.match(await mustRun(file, 'check'), /directory: sound accounts 2 deleted 1/);
  }),
);

const thorough = hasNats() && process.env['HOMING_TEST_FULL'] ? test : test.skip;

thorough('a node and the bucket itself are lost: the restored node fills a new one', () =>
  withFleet({ nodes: ['n1'], nats: 1, top: QUICK }, async (fleet, directory) => {
    const [n1, nats] = [fleet.node('n1'), fleet.nats[0]!];
    const backup = join(directory, 'backup');
    await n1.ask('account.add', { name: JOE, secret: 'secret' });
    assert.match(await deliver(n1.lmtp, JOE, message('kept')), /^250/);
    await jobOf(n1, 'backup', { to: backup });
    await n1.program!.kill();
    await nats.program.kill();
    loseEverything(n1);
    rmSync(nats.store, { recursive: true });
    await nats.restart();
    assert.match(await mustRun(n1.file, 'restore', backup, '--lost-bucket'), /made the cluster's bucket/);
    assert.match(
      await mustRun(n1.file, 'check'),
      /directory: sound accounts 1 .*\n {2}note: does not trust .*\nn1: sound/,
    );
    await n1.start();
    const all = await eventually('the directory to be repaired', 20_000, () => retrieveAll(n1.pop3, JOE, 'secret'));
    assert.equal(all.map(subjectOf), ['kept']);
    await n1.ask('password.set', { name: JOE, service: 'DEFAULT', secret: 'new' });
    assert.is(await logIn(n1.pop3, JOE, 'new'), 'ok');
    await mustBeSound(n1);
  }),
);

test.run();
