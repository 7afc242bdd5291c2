/** Runs one uvu test file in a process of its own and reads its summary; no summary, no test or a bad exit is a failure. */
import { spawn } from 'node:child_process';
import { globSync } from './glob.ts';

export type FileResult = {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly ms: number;
  readonly output: string;
};

/** For one file; at full length some need twenty minutes on two cores, and more when those are busy. */
const limitMs = (environment: NodeJS.ProcessEnv): number => (environment['HOMING_TEST_FULL'] ? 90 : 10) * 60_000;

export const testFiles = (): string[] => globSync('test', '.test.ts').sort();

export async function runFile(
  command: readonly string[],
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<FileResult> {
  const started = performance.now();
  let { output, code } = await run([...command, file], environment);
  // Deno 2.9 with a native addon loaded crashes now and then while it exits, about once in a hundred on a busy machine: all
  // tests have passed by then. It is run again, so that a crash of ours, which comes each time, still fails.
  if (code === 'SIGSEGV' && hasAllPassed(output)) ({ output, code } = await run([...command, file], environment));
  const ms = performance.now() - started;
  const summary = readSummary(output);
  if (summary === undefined) return failure(file, ms, output + `\n${file}: no summary: does it call test.run()?`);
  const { total, passed, skipped } = summary;
  if (total === 0) return failure(file, ms, output + `\n${file}: holds no test`);
  const failed = total - passed - skipped;
  if (failed === 0 && code !== 0) return failure(file, ms, output + `\n${file}: exited with ${code}`);
  return { name: file, passed, failed, skipped, ms, output };
}

const hasAllPassed = (output: string): boolean => {
  const summary = readSummary(output);
  return summary !== undefined && summary.total > 0 && summary.passed + summary.skipped === summary.total;
};

const failure = (name: string, ms: number, output: string): FileResult => ({
  name,
  passed: 0,
  failed: 1,
  skipped: 0,
  ms,
  output,
});

/** uvu's closing lines; a file that calls `.run()` for several suites prints one block for all of them. */
function readSummary(output: string): { total: number; passed: number; skipped: number } | undefined {
  const plain = output.replace(/\u001b\[\d+m/g, '');
  const total = /^ {2}Total: +(\d+)/m.exec(plain);
  const passed = /^ {2}Passed: +(\d+)/m.exec(plain);
  const skipped = /^ {2}Skipped: +(\d+)/m.exec(plain);
  if (!total || !passed || !skipped) return undefined;
  // uvu counts skipped tests beside the total, not in it.
  return {
    total: Number(total[1]) + Number(skipped[1]),
    passed: Number(passed[1]),
    skipped: Number(skipped[1]),
  };
}

export function run(
  command: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ output: string; code: number | string }> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const hear = (bytes: Buffer) => {
      output += bytes.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const limit = setTimeout(() => {
      output += `\nstopped after ${limitMs(environment) / 60_000} minutes`;
      child.kill('SIGKILL');
    }, limitMs(environment));
    child.on('error', (error) => {
      output += String(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ output, code: code ?? signal ?? 'nothing' });
    });
  });
}
