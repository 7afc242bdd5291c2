/** SIGHUP's files: dated blocks, one after the other, and what happens when they can't be written. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Protocol } from '../../bin/daemons.ts';
import { StatisticsFiles } from '../../bin/statistics-files.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { Statistics } from '../../telemetry/statistics.ts';
import { manualClock } from '../actors/manual-clock.ts';

const test = suite<{ data: string }>('statistics files');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'homing-stats-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

function node(data: string, protocols: readonly Protocol[] = ['pop3', 'lmtp']) {
  mkdirSync(join(data, 'log'));
  const clock = manualClock();
  const log = memoryLog();
  const statistics = new Statistics();
  const files = new StatisticsFiles({
    statistics,
    data,
    node: 'n1',
    version: '0.1.0',
    protocols: () => protocols,
    clock,
    log,
    pid: 4711,
  });
  return { clock, entries: log.entries, statistics, files };
}

const read = (data: string, daemon: string) => readFileSync(join(data, 'log', `${daemon}.stats`), 'utf8');
const titles = (text: string) => text.split('\n').filter((line) => line.startsWith('--- '));
const valueIn = (text: string, name: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => Number(line.slice(name.length + 1)));

test('one file for each daemon that the node is, with its own numbers', async ({ data }) => {
  const { files, statistics } = node(data);
  statistics.of('pop3').command();
  await files.write();
  assert.equal(readdirSync(join(data, 'log')).sort(), ['lmtpd.stats', 'pop3d.stats']);
  assert.equal(valueIn(read(data, 'pop3d'), 'commands'), [1]);
  assert.equal(valueIn(read(data, 'lmtpd'), 'commands'), [0]);
});

test('each writing adds a block, dated, and leaves what was there', async ({ data }) => {
  const { files, statistics, clock } = node(data, ['pop3']);
  writeFileSync(join(data, 'log', 'pop3d.stats'), 'of an earlier process\n');
  await files.write();
  statistics.of('pop3').command();
  clock.advance(90_000);
  await files.write();
  const text = read(data, 'pop3d');
  assert.ok(text.startsWith('of an earlier process\n--- '));
  assert.is(titles(text).length, 2);
  assert.is.not(titles(text)[0], titles(text)[1]);
  assert.equal(valueIn(text, 'commands'), [0, 1]);
  assert.equal(valueIn(text, 'uptime-seconds'), [0, 90]);
});

test('a hundred askings at once write whole blocks, the last with the last numbers, and not a hundred', async ({
  data,
}) => {
  const { files, statistics } = node(data, ['pop3']);
  const written = [];
  for (let i = 0; i < 100; i++) {
    statistics.of('pop3').command();
    written.push(files.write());
  }
  await Promise.all(written);
  const text = read(data, 'pop3d');
  const commands = valueIn(text, 'commands');
  assert.is(commands.at(-1), 100);
  assert.ok(commands.length >= 1 && commands.length <= 3, `${commands.length} blocks`);
  assert.is(titles(text).length, commands.length);
  assert.ok(text.endsWith('\n\n'));
  await files.write();
  assert.is(valueIn(read(data, 'pop3d'), 'commands').length, commands.length + 1);
});

test('without the directory it is logged at error, nothing is made, and the next one is written again', async ({
  data,
}) => {
  const { files, entries } = node(data, ['pop3']);
  rmSync(join(data, 'log'), { recursive: true });
  await files.write();
  assert.not.ok(existsSync(join(data, 'log')));
  const errors = entries.filter(({ level }) => level === 'error');
  assert.is(errors.length, 1);
  assert.match(JSON.stringify(errors[0]), 'pop3d.stats');
  mkdirSync(join(data, 'log'));
  await files.write();
  assert.is(titles(read(data, 'pop3d')).length, 1);
});

test.run();
