/**
 * The test command. Installs what the tests need, runs the static checks and every test file in a process of its own,
 * and prints `N passed, N failed, N skipped` as its last line.
 *
 * uvu exits 0 when a file holds no test or forgets `.run()`: here such a file has failed.
 *
 *   npm test                          everything, heavy suites in their short form
 *   npm test -- test/store cluster    files whose path holds one of these words; no static checks
 *   npm test -- --runtime deno        the same files on another runtime: node (default), node-current or deno
 *   npm test -- --full                heavy suites at full length (HOMING_TEST_FULL=1)
 */
import { parseArgs } from 'node:util';
import { installPeers } from './lib/peers.ts';
import { type FileResult, runFile, testFiles } from './lib/run-file.ts';
import { isRuntime, runtimeCommand } from './lib/runtimes.ts';
import { staticChecks } from './lib/static-checks.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: 'node' },
    full: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    'no-static': { type: 'boolean', default: false },
  },
});
if (!isRuntime(values.runtime)) throw new Error(`--runtime: ${values.runtime}: one of node, node-current, deno`);

await installPeers();
const command = await runtimeCommand(values.runtime);
const environment = values.full ? { ...process.env, HOMING_TEST_FULL: '1' } : process.env;

const results: FileResult[] = [];
const report = (result: FileResult) => {
  results.push(result);
  const { passed, failed, skipped } = result;
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`${failed ? 'FAIL' : 'ok  '} ${result.name}  (${counts}; ${(result.ms / 1000).toFixed(1)} s)`);
  if (failed || process.env['HOMING_TEST_VERBOSE']) console.log(result.output.trimEnd());
};

const everything = positionals.length === 0;
if (everything && !values['no-static']) for (const check of staticChecks) report(await check());

const wanted = testFiles().filter((file) => everything || positionals.some((word) => file.includes(word)));
// Files that start whole nodes, or measure, run one at a time after the others.
const alone = wanted.filter((file) => file.startsWith('test/system/'));
const shared = wanted.filter((file) => !alone.includes(file));
const lanes = Array.from({ length: Number(values.jobs) }, async () => {
  for (let file = shared.shift(); file; file = shared.shift()) report(await runFile(command, file, environment));
});
await Promise.all(lanes);
for (const file of alone) report(await runFile(command, file, environment));

const sum = (count: (result: FileResult) => number) => results.reduce((total, result) => total + count(result), 0);
const failed = sum((result) => result.failed) + (results.length === 0 ? 1 : 0);
if (results.length === 0) console.log('no test file matches');
for (const result of results.filter((each) => each.failed)) console.log(`failed: ${result.name}`);
console.log(`${sum((result) => result.passed)} passed, ${failed} failed, ${sum((result) => result.skipped)} skipped`);
process.exitCode = failed ? 1 : 0;
