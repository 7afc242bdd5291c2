/**
 * The test command. Installs what the tests need, runs the static checks and every test file in a process of its own,
 * and prints `N passed, N failed, N skipped` as its last line.
 *
 * uvu exits 0 when a file holds no test or forgets `.run()`: here such a file has failed.
 *
 *   npm test                          everything, heavy suites in their short form; some files on Deno and current Node too
 *   npm test -- test/store cluster    files whose path holds one of these words; no static checks
 *   npm test -- --runtime deno        the same files on another runtime: node (default), node-current or deno
 *   npm test -- --full                heavy suites at full length (HOMING_TEST_FULL=1)
 *   npm test -- --tls test/system/    with TLS on every listener and on NATS (HOMING_TEST_TLS=1)
 *   npm test -- --proxy test/system/  with HAProxy before every node (HOMING_TEST_PROXY=1)
 *   npm test -- --nats-lost test/...  with three nats-servers for one, the first of them killed (HOMING_TEST_NATS_LOST=1)
 *   npm test -- test/interop/         with clients and servers of others, which are installed where that is possible
 */
import { parseArgs } from 'node:util';
import { filesOnOtherRuntimes, type RuntimeFile } from './lib/other-runtimes.ts';
import { installPeers } from './lib/peers.ts';
import { type FileResult, runFile, testFiles } from './lib/run-file.ts';
import { isRuntime, runtimeCommand } from './lib/runtimes.ts';
import { staticChecks } from './lib/static-checks.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: 'node' },
    full: { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    proxy: { type: 'boolean', default: false },
    'nats-lost': { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    'no-static': { type: 'boolean', default: false },
  },
});
if (!isRuntime(values.runtime)) throw new Error(`--runtime: ${values.runtime}: one of node, node-current, deno`);

const wantsOthers = values.proxy || positionals.some((word) => word.startsWith('test/interop'));
await installPeers(wantsOthers ? 'interop' : 'gate');
const asked = await runtimeCommand(values.runtime);

const results: FileResult[] = [];
const report = (result: FileResult) => {
  results.push(result);
  const { passed, failed, skipped } = result;
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(
    `${failed ? 'FAIL' : passed ? 'ok  ' : 'skip'} ${result.name}  (${counts}; ${(result.ms / 1000).toFixed(1)} s)`,
  );
  if (failed || process.env['HOMING_TEST_VERBOSE']) console.log(result.output.trimEnd());
};

const everything = positionals.length === 0;
if (everything && !values['no-static']) for (const check of staticChecks) report(await check());

/** They measure, or use the ports of `npm start`. */
const ALONE = /^test\/(system\/(delivery|demo|hostile|imap-latency)|interop\/postfix)\./;
/** They start whole nodes, and wait for them more than they reckon. */
const SYSTEM = /^test\/(system|interop)\//;

/** First what is small, then what starts whole nodes, then one at a time what must have the machine to itself. */
async function runAll(files: readonly RuntimeFile[]): Promise<void> {
  const runOne = async ({ file, name, on }: RuntimeFile) => {
    const environment = {
      ...on.environment,
      ...(values.full && { HOMING_TEST_FULL: '1' }),
      ...(values.tls && { HOMING_TEST_TLS: '1' }),
      ...(values.proxy && { HOMING_TEST_PROXY: '1' }),
      ...(values['nats-lost'] && { HOMING_TEST_NATS_LOST: '1' }),
    };
    report({ ...(await runFile(on.command, file, environment)), name });
  };
  const inLanes = async (some: RuntimeFile[], count: number) => {
    const lane = async () => {
      for (let next = some.shift(); next; next = some.shift()) await runOne(next);
    };
    await Promise.all(Array.from({ length: count }, lane));
  };
  const mayShare = files.filter(({ file }) => !ALONE.test(file));
  const jobs = Number(values.jobs);
  await inLanes(
    mayShare.filter(({ file }) => !SYSTEM.test(file)),
    jobs,
  );
  await inLanes(
    mayShare.filter(({ file }) => SYSTEM.test(file)),
    values.full ? 1 : jobs,
  );
  await inLanes(
    files.filter(({ file }) => ALONE.test(file)),
    1,
  );
}

const files = testFiles();
const wanted = files.filter((file) => everything || positionals.some((word) => file.includes(word)));
await runAll(wanted.map((file) => ({ file, name: file, on: asked })));
if (everything && values.runtime === 'node') {
  const { ready, skipped } = await filesOnOtherRuntimes(files, values.full);
  for (const result of skipped) report(result);
  await runAll(ready);
}

const sum = (count: (result: FileResult) => number) => results.reduce((total, result) => total + count(result), 0);
const failed = sum((result) => result.failed) + (results.length === 0 ? 1 : 0);
if (results.length === 0) console.log('no test file matches');
for (const result of results.filter((each) => each.failed)) console.log(`failed: ${result.name}`);
console.log(`${sum((result) => result.passed)} passed, ${failed} failed, ${sum((result) => result.skipped)} skipped`);
process.exitCode = failed ? 1 : 0;
