/**
 * A program that we started: waits for a line it says, stops it, kills it, holds it still. Ended with us in any case,
 * so that no load run or test leaves a server behind.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Life, lifeOf } from './life.ts';
import { cpuSeconds, type Memory, memoryOf } from './processes.ts';

/** Far more than any program takes on a busy machine; what it said until then is worth more than to wait on. */
const READY_WITHIN_MS = 180_000;

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
  /** Resolves with the exit status, or the signal, that ended it. */
  readonly ended: Promise<string>;
  readonly #life: Life;

  private constructor(life: Life, ready: string) {
    this.#life = life;
    this.pid = life.pid;
    this.ready = ready;
    this.ended = life.ended;
  }

  /** Starts it and waits until it is ready; throws with what it said when it ends before. */
  static async start(command: readonly string[], options: ProgramOptions): Promise<Program> {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.environment ?? process.env,
      detached: true, // Ctrl-C is for us; we stop our programs in order
    });
    const life = lifeOf(child);
    const endWithUs = () => life.signal('SIGKILL');
    process.once('exit', endWithUs);
    void life.ended.then(() => process.off('exit', endWithUs));
    const said: string[] = [];
    const ready = new Promise<string>((resolve) => {
      for (const stream of [child.stdout!, child.stderr!])
        createInterface({ input: stream }).on('line', (line) => {
          if (said.length < 200) said.push(line);
          options.onLine?.(line);
          if (options.readyLine.test(line)) resolve(line);
        });
    });
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<{ how: string }>((resolve) => {
      late = setTimeout(() => resolve({ how: `ended here after ${READY_WITHIN_MS} ms` }), READY_WITHIN_MS);
    });
    const first = await Promise.race([ready, life.ended.then((how) => ({ how })), tooLate]);
    clearTimeout(late);
    if (typeof first === 'string') return new Program(life, first);
    life.signal('SIGKILL');
    throw new Error(`${command.join(' ')}: ended (${first.how}) before it was ready:\n${said.join('\n')}`);
  }

  isAlive(): boolean {
    return this.#life.isAlive();
  }

  /** Ends it with SIGTERM and waits. */
  stop(): Promise<string> {
    this.#life.signal('SIGCONT');
    this.#life.signal('SIGTERM');
    return this.ended;
  }

  /** Ends it as a power cut would, and waits. */
  kill(): Promise<string> {
    this.#life.signal('SIGKILL');
    return this.ended;
  }

  /** SIGSTOP: it keeps its sockets and answers nothing. */
  hold(): void {
    this.#life.signal('SIGSTOP');
  }

  continue(): void {
    this.#life.signal('SIGCONT');
  }

  /** Anonymous resident memory in octets: what grows, unlike the mapped pages of a database. */
  rssAnonOctets(): number {
    return this.memory().anonymous;
  }

  memory(): Memory {
    return memoryOf([this.pid]);
  }

  /** User and system time used so far, in seconds. */
  cpuSeconds(): number {
    return cpuSeconds([this.pid]);
  }
}
