/** Programs of others that tests run: is one there, and what it said and how it ended. None outlives its time. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian puts servers into /usr/sbin, which not everybody's PATH has. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'].filter(Boolean);

export const hasProgram = (program: string): boolean => FOLDERS.some((folder) => existsSync(`${folder}/${program}`));

/** Of a program that must also start: a shim on the PATH may stand for nothing. */
export const startsProgram = (program: string, ...args: readonly string[]): boolean =>
  hasProgram(program) && spawnSync(program, args).status === 0;

export type Ran = {
  readonly status: number | string;
  readonly out: string;
  readonly err: string;
  /** Both streams, in the order in which they were heard. */
  readonly all: string;
};

export type RunOptions = {
  readonly input?: string | Buffer;
  readonly environment?: NodeJS.ProcessEnv;
  readonly directory?: string;
  readonly withinMs?: number;
};

export function runProgram(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { input = '', environment = {}, directory, withinMs = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, PATH: FOLDERS.join(':'), ...environment },
      ...(directory !== undefined && { cwd: directory }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), withinMs);
    const heard = { out: '', err: '', all: '' };
    for (const stream of ['out', 'err'] as const)
      child[`std${stream}`].setEncoding('utf8').on('data', (text: string) => {
        heard[stream] += text;
        heard.all += text;
      });
    child.stdin.on('error', () => {}); // it ended without reading all
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ status: code ?? signal ?? 'nothing', ...heard });
    });
  });
}
