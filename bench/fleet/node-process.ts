/** One Homing node as a process, started the way an operator starts it. */

import { join, resolve } from 'node:path';
import { connectControl } from '../../admin/control-client.ts';
import type { Endpoint } from '../clients/wire.ts';
import { Program } from './program.ts';
import { type FleetTls, trusting } from './tls.ts';

const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');

export type NodePorts = Readonly<Record<'pop3' | 'lmtp' | 'poppwd', number>> & {
  readonly imap?: number;
  readonly pop3s?: number;
  readonly imaps?: number;
  readonly poppwds?: number;
};

export class NodeProcess {
  readonly me: string;
  readonly file: string;
  readonly data: string;
  /** As the fleet's clients use them: in clear, or, where TLS alone is used, by STLS and STARTTLS. */
  readonly pop3: Endpoint;
  /** Where the node has it. */
  readonly imap: Endpoint | undefined;
  readonly lmtp: Endpoint;
  readonly poppwd: Endpoint;
  /** Under implicit TLS, where the fleet has any. */
  readonly pop3s: Endpoint | undefined;
  readonly imaps: Endpoint | undefined;
  readonly ports: NodePorts;
  readonly lines: string[] = [];
  program: Program | undefined;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #command: readonly string[];

  constructor(place: {
    me: string;
    file: string;
    data: string;
    ports: NodePorts;
    tls?: FleetTls | undefined;
    environment?: NodeJS.ProcessEnv;
    command?: readonly string[];
  }) {
    this.me = place.me;
    this.file = place.file;
    this.data = place.data;
    const { ports } = place;
    this.ports = ports;
    const at = (port: number): Endpoint => ({ host: '127.0.0.1', port });
    const under = (port: number | undefined): Endpoint | undefined =>
      place.tls && port !== undefined ? { ...at(port), tls: trusting(place.tls) } : undefined;
    const isOnly = place.tls?.use === 'only';
    const upgraded = place.tls && isOnly ? { startTls: trusting(place.tls) } : {};
    this.pop3 = { ...at(ports.pop3), ...upgraded };
    this.imap = ports.imap === undefined ? undefined : { ...at(ports.imap), ...upgraded };
    this.lmtp = { ...at(ports.lmtp), ...upgraded };
    this.poppwd = (isOnly ? under(ports.poppwds) : undefined) ?? at(ports.poppwd);
    this.pop3s = under(ports.pop3s);
    this.imaps = under(ports.imaps);
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

  /** A command of the command line, as an operator gives it; what it said. Throws when it fails. */
  async homing(...words: readonly string[]): Promise<readonly string[]> {
    return runHoming(this.#command, [...words, '-f', this.file], this.#environment);
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
): Promise<readonly string[]> {
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
  return said;
}
