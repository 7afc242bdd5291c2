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
    jobs: { type: 'string', default: '2' },
    'no-static': { type: 'boolean', default: false },
  },
});
if (!isRuntime(values.runtime)) throw new Error(`--runtime: ${values.runtime}: one of node, node-current, deno`);

await installPeers();
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

/** Files that start whole nodes, or measure, run one at a time after the others. */
async function runAll(files: readonly RuntimeFile[]): Promise<void> {
  const runOne = async ({ file, name, on }: RuntimeFile) => {
    const environment = values.full ? { ...on.environment, HOMING_TEST_FULL: '1' } : on.environment;
    report({ ...(await runFile(on.command, file, environment)), name });
  };
  const alone = files.filter(({ file }) => file.startsWith('test/system/'));
  const shared = files.filter((each) => !alone.includes(each));
  const lanes = Array.from({ length: Number(values.jobs) }, async () => {
    for (let next = shared.shift(); next; next = shared.shift()) await runOne(next);
  });
  await Promise.all(lanes);
  for (const each of alone) await runOne(each);
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
