/** One hostile session as its kind sees it: the socket, what it may draw on, and how it ends or must be ended. */
import type { HostileSocket } from './hostile-socket.ts';
import type { Noise } from './noise.ts';
import type { Protocol } from './reply-watch.ts';

export type Terms = {
  /** How long a client goes on that would go on for ever. */
  readonly patienceMs: number;
  /** The server's idle-timeout, and what a busy machine may add to it: after that an unclosed session hangs. */
  readonly closingMs: number;
  /** Accounts whose secret the hostile clients have, with a large message each. */
  readonly victims: readonly { readonly name: string; readonly secret: string }[];
  /** The beginning of a TLS handshake, as a client sends it. */
  readonly clientHello: Uint8Array;
};

/** A kind of hostile client. Its session is over when `run` is, whatever the server thinks of it. */
export type Kind = {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  /** On the listener under TLS from the first octet. */
  readonly isUnderTls?: true;
  /** Begins before the greeting has come. */
  readonly isHasty?: true;
  run(it: HostileSession): Promise<void>;
};

export class HostileSession {
  readonly socket: HostileSocket;
  readonly protocol: Protocol;
  readonly noise: Noise;
  readonly terms: Terms;
  /** What the server did that no server should, beside what the watch has found. */
  readonly complaints: string[] = [];

  constructor(of: Pick<HostileSession, 'socket' | 'protocol' | 'noise' | 'terms'>) {
    this.socket = of.socket;
    this.protocol = of.protocol;
    this.noise = of.noise;
    this.terms = of.terms;
  }

  /** Says a line and waits for the reply to it. */
  async ask(line: string): Promise<'yes' | 'no' | 'closed'> {
    const { watch } = this.socket;
    const before = watch.replies;
    await this.socket.write(`${line}\r\n`);
    await this.socket.replies(before + 1);
    return watch.replies > before ? watch.last! : 'closed';
  }

  /** LMTP, to where a body may come. */
  async address(): Promise<void> {
    const { name } = this.noise.pick(this.terms.victims);
    for (const line of ['LHLO client.example.test', 'MAIL FROM:<>', `RCPT TO:<${name}>`])
      this.expect(await this.ask(line), 'yes', line);
  }

  expect(got: string, wanted: string, to: string): void {
    if (got !== wanted) this.complaints.push(`${wanted} expected to ${to}, got ${got}`);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Part of the patience, another one each time. */
  someMs(): number {
    return this.noise.integer(this.terms.patienceMs);
  }

  /** Waits for the server to close, which it has to do in time. */
  async mustBeClosed(): Promise<void> {
    const inTime = await within(this.socket.closed, this.terms.closingMs);
    if (!inTime) this.complaints.push(`not closed within ${this.terms.closingMs} ms`);
  }
}

/** True when it was settled in time. */
export async function within(settled: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([settled.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
