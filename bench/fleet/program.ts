/**
 * A program that we started: waits for a line it says, stops it, kills it, holds it still. Ended with us in any case,
 * so that no load run or test leaves a server behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export type ProgramOptions = {
  /** Resolves `start` when a line of stdout or stderr matches. */
  readonly readyLine: RegExp;
  readonly environment?: NodeJS.ProcessEnv;
  readonly onLine?: (line: string) => void;
};

export class Program {
  readonly pid: number;
  /** The line that matched `readyLine`. */
  readonly ready: string;
  readonly #child: ChildProcess;
  readonly ended: Promise<string>;

  private constructor(child: ChildProcess, ready: string, ended: Promise<string>) {
    this.#child = child;
    this.pid = child.pid!;
    this.ready = ready;
    this.ended = ended;
  }

  /** Starts it and waits until it is ready; throws with what it said when it ends before. */
  static async start(command: readonly string[], options: ProgramOptions): Promise<Program> {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.environment ?? process.env,
      detached: true, // Ctrl-C is for us; we stop our programs in order
    });
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(String(signal ?? code)));
    }).finally(() => process.off('exit', endWithUs));
    const said: string[] = [];
    const ready = new Promise<string>((resolve) => {
      for (const stream of [child.stdout!, child.stderr!])
        createInterface({ input: stream }).on('line', (line) => {
          if (said.length < 200) said.push(line);
          options.onLine?.(line);
          if (options.readyLine.test(line)) resolve(line);
        });
    });
    const first = await Promise.race([ready, ended.then((how) => ({ how }))]);
    if (typeof first === 'string') return new Program(child, first, ended);
    throw new Error(`${command.join(' ')}: ended (${first.how}) before it was ready:\n${said.join('\n')}`);
  }

  isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it with SIGTERM and waits. */
  stop(): Promise<string> {
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  /** Ends it as a power cut would, and waits. */
  kill(): Promise<string> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }

  /** SIGSTOP: it keeps its sockets and answers nothing. */
  hold(): void {
    this.#child.kill('SIGSTOP');
  }

  continue(): void {
    this.#child.kill('SIGCONT');
  }

  /** Anonymous resident memory in octets: what grows, unlike the mapped pages of a database. */
  rssAnonOctets(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)![1]) * 1024;
  }

  /** User and system time used so far, in seconds. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100; // clock ticks: 100 a second on Linux
  }
}
