/** One Homing node as a process, started the way an operator starts it. */

import { join, resolve } from 'node:path';
import { connectControl } from '../../admin/control-client.ts';
import type { Endpoint } from '../clients/wire.ts';
import { Program } from './program.ts';

const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');

export class NodeProcess {
  readonly me: string;
  readonly file: string;
  readonly data: string;
  readonly pop3: Endpoint;
  readonly lmtp: Endpoint;
  readonly poppwd: Endpoint;
  readonly lines: string[] = [];
  program: Program | undefined;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #command: readonly string[];

  constructor(place: {
    me: string;
    file: string;
    data: string;
    ports: { pop3: number; lmtp: number; poppwd: number };
    environment?: NodeJS.ProcessEnv;
    command?: readonly string[];
  }) {
    this.me = place.me;
    this.file = place.file;
    this.data = place.data;
    const at = (port: number): Endpoint => ({ host: '127.0.0.1', port });
    this.pop3 = at(place.ports.pop3);
    this.lmtp = at(place.ports.lmtp);
    this.poppwd = at(place.ports.poppwd);
    this.#environment = { ...process.env, ...place.environment };
    this.#command = place.command ?? [process.execPath, HOMING];
  }

  /** @param file  another configuration than it will serve with */
  async init(file = this.file): Promise<void> {
    await runHoming(this.#command, ['init', '-f', file], this.#environment);
  }

  async start(): Promise<void> {
    this.program = await Program.start([...this.#command, 'serve', '-f', this.file], {
      readyLine: /^ready/,
      environment: this.#environment,
      onLine: (line) => this.lines.push(line),
    });
  }

  /** Asks a verb over the control socket (admin/control.ts); throws what the verb refuses. */
  async ask(verb: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const client = await connectControl(join(this.data, 'ipc', 'control'));
    if (!client) throw new Error(`${this.me}: does not run`);
    try {
      const answer = await client.ask({ verb, arguments: given });
      if (!answer.ok) throw new Error(answer.errors.join('; '));
      return answer.value;
    } finally {
      client.close();
    }
  }
}

async function runHoming(
  command: readonly string[],
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const said: string[] = [];
  const program = await Program.start([...command, ...words], {
    readyLine: /^/,
    environment,
    onLine: (line) => said.push(line),
  }).catch((error: Error) => {
    if (/ended \(0\)/.test(error.message)) return undefined;
    throw error;
  });
  const how = await (program?.ended ?? Promise.resolve('0'));
  if (how !== '0') throw new Error(`homing ${words.join(' ')}: ended with ${how}:\n${said.join('\n')}`);
}
