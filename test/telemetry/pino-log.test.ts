/** The server log as its file and standard error show it. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../telemetry/log.ts';
import { type Level, openLog } from '../../telemetry/pino-log.ts';
import { MASK } from '../../telemetry/redact.ts';

const test = suite<{ directory: string }>('pino-log');
const clock = { wall: () => Date.UTC(2026, 10, 22, 8), after: () => ({ cancel() {} }) };

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'homing-log-'));
});
test.after.each(async ({ directory }) => {
  await rm(directory, { recursive: true });
});

/** What `use` logs, as the file's lines. */
async function logged(
  directory: string,
  level: Level,
  format: 'text' | 'json',
  use: (log: Log) => void,
): Promise<readonly string[]> {
  const file = join(directory, 'homing.log');
  const log = openLog({ level, format, destination: { file }, clock });
  use(log);
  await log.close();
  log.error('after the end');
  return (await readFile(file, 'utf8')).split('\n').slice(0, -1);
}

test('JSON: one object a line with time, level, fields and message', async ({ directory }) => {
  const lines = await logged(directory, 'info', 'json', (log) => log.info('ready', { listeners: 3 }));
  assert.equal(
    lines.map((line) => JSON.parse(line)),
    [{ level: 'info', time: '2026-11-22T08:00:00.000Z', listeners: 3, msg: 'ready' }],
  );
});

test('text: one line an entry', async ({ directory }) => {
  const lines = await logged(directory, 'info', 'text', (log) =>
    log.with({ node: 'n1' }).warn('lost a\npeer', { peer: 'n 2' }),
  );
  assert.equal(lines, ['2026-11-22T08:00:00.000Z WARN  lost a\\u{a}peer node=n1 peer="n 2"']);
});

test('only entries of the level and above are written', async ({ directory }) => {
  const lines = await logged(directory, 'warn', 'json', (log) => {
    log.debug('1');
    log.info('2');
    log.warn('3');
    log.error('4');
  });
  assert.equal(
    lines.map((line) => JSON.parse(line).msg),
    ['3', '4'],
  );
});

test('`with` adds fields to every line; the innermost word counts, and stands once', async ({ directory }) => {
  const lines = await logged(directory, 'debug', 'json', (log) => {
    const session = log.with({ session: 's1', a: 1 });
    session.with({ a: 2, b: 2 }).debug('x', { b: 3 });
    session.debug('y');
    log.debug('z');
  });
  assert.equal(
    lines.map((line) => {
      const { level: _level, time: _time, ...rest } = JSON.parse(line);
      return rest;
    }),
    [{ session: 's1', a: 2, b: 3, msg: 'x' }, { session: 's1', a: 1, msg: 'y' }, { msg: 'z' }],
  );
  assert.is(lines[0]!.match(/"b":/g)!.length, 1);
});

test('a field does not stand in for the time, the level or the message', async ({ directory }) => {
  const [line] = await logged(directory, 'info', 'json', (log) =>
    log.with({ level: 'debug' }).info('x', { time: 1, msg: 'y' }),
  );
  assert.equal(JSON.parse(line!), {
    level: 'info',
    time: '2026-11-22T08:00:00.000Z',
    level_: 'debug',
    time_: 1,
    msg_: 'y',
    msg: 'x',
  });
});

for (const format of ['json', 'text'] as const)
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    test(`${format}, ${level}: no field named like a secret is written`, async ({ directory }) => {
      const fields = {
        secret: 'hunter2',
        password: 'hunter2',
        token: 'hunter2',
        ticket: 'hunter2',
        digest: 'hunter2',
        newSecret: 'hunter2',
        event: { type: 'PASS', secret: 'hunter2' },
      };
      const lines = await logged(directory, 'debug', format, (log) => {
        log[level]('x', fields);
        log.with(fields)[level]('y');
      });
      assert.is(lines.length, 2);
      for (const line of lines) {
        assert.not.match(line, 'hunter2');
        assert.is(line.split(MASK).length, 8);
        assert.match(line, 'PASS');
      }
    });

test('an error is logged with its stack, octets by their number', async ({ directory }) => {
  const [line] = await logged(directory, 'info', 'json', (log) =>
    log.error('x', { error: new TypeError('no'), body: Buffer.from('mail') }),
  );
  const { error, body } = JSON.parse(line!);
  assert.is(error.name, 'TypeError');
  assert.match(error.stack, 'TypeError: no');
  assert.is(body, '[4 octets]');
});

test('a file is appended to, and others may not read it', async ({ directory }) => {
  await logged(directory, 'info', 'json', (log) => log.info('1'));
  assert.is((await logged(directory, 'info', 'json', (log) => log.info('2'))).length, 2);
  assert.is((await stat(join(directory, 'homing.log'))).mode & 0o007, 0);
});

test('a file that cannot be opened is a fault at once', ({ directory }) => {
  assert.throws(
    () => openLog({ level: 'info', format: 'json', destination: { file: join(directory, 'no', 'x') }, clock }),
    /ENOENT/,
  );
});

test('standard error gets the lines, flushed before a sudden exit', async ({ directory }) => {
  const module = JSON.stringify(new URL('../../telemetry/pino-log.ts', import.meta.url));
  const program = join(directory, 'program.mjs');
  await writeFile(
    program,
    `import { openLog } from ${module};
    const log = openLog({ level: 'info', format: 'text', destination: 'stderr', clock: { wall: () => 0, after: () => ({ cancel() {} }) } });
    for (let n = 1; n <= 500; n++) log.info('line', { n });
    log.flush();
    process.exit(3);`,
  );
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const run =
    'Deno' in globalThis
      ? ['run', '-A', '--config', 'deno.json', program]
      : [join(cwd, 'node_modules/tsx/dist/cli.mjs'), program];
  const ran = spawnSync(process.execPath, run, { cwd, encoding: 'utf8' });
  assert.is(ran.status, 3, ran.stderr);
  const lines = ran.stderr.split('\n').filter((line) => line.startsWith('1970-01-01'));
  assert.equal(
    lines.map((line) => Number(line.split('n=')[1])).sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, n) => n + 1),
  );
});

test.run();
