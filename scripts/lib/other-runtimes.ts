/**
 * The part of the gate that runs on the runtimes besides this Node: what touches bytes, the disk and the network, where
 * runtimes differ. Short: a minute for both. Where npm can't install one, its files are skipped, and it is said why.
 */
import type { FileResult } from './run-file.ts';
import { type OtherRuntime, type RuntimeCommand, runtimeCommand } from './runtimes.ts';

const SHORT = [
  'test/protocols/',
  'test/mime/',
  'test/store/',
  'test/cluster/bus/',
  'test/cluster/nats/',
  'test/cluster/directory/jetstream-bucket.test.ts',
  'test/system/demo.test.ts', // a whole node, from its start to its stop
];
const FULL = ['test/protocols/', 'test/mime/', 'test/store/', 'test/cluster/', 'test/system/demo.test.ts'];

export type RuntimeFile = { readonly file: string; readonly name: string; readonly on: RuntimeCommand };

/** What is to run, and results for what can't. */
export async function filesOnOtherRuntimes(
  files: readonly string[],
  isFull: boolean,
): Promise<{ readonly ready: readonly RuntimeFile[]; readonly skipped: readonly FileResult[] }> {
  const wanted = files.filter((file) => (isFull ? FULL : SHORT).some((start) => file.startsWith(start)));
  const ready: RuntimeFile[] = [];
  const skipped: FileResult[] = [];
  for (const runtime of ['deno', 'node-current'] satisfies OtherRuntime[]) {
    const nameOf = (file: string) => `on ${runtime}: ${file}`;
    try {
      const on = await runtimeCommand(runtime);
      ready.push(...wanted.map((file) => ({ file, name: nameOf(file), on })));
    } catch (error) {
      console.log(`${(error as Error).message}\nits tests are skipped`);
      const none = { passed: 0, failed: 0, skipped: 1, ms: 0, output: '' };
      skipped.push(...wanted.map((file) => ({ name: nameOf(file), ...none })));
    }
  }
  return { ready, skipped };
}
