/** A client that says commands under tags of its own and hears each one's answer whole. */
import { randomUUID } from 'node:crypto';
import type { Protocol } from '../../../actors/session.ts';
import { overMemory, type Played, type PlayOptions } from '../../support/transcript.ts';
import { SECRET } from './house.ts';

export class ImapClient {
  readonly played: Played;
  #tags = 0;

  constructor(protocol: Protocol, options: PlayOptions = {}) {
    this.played = overMemory(protocol, { session: randomUUID(), ...options });
  }

  /** A client that is logged in. */
  static async of(protocol: Protocol, name: string, options: PlayOptions = {}): Promise<ImapClient> {
    const client = new ImapClient(protocol, options);
    await client.line();
    const said = await client.says(`LOGIN ${name} ${SECRET}`);
    if (!said.at(-1)!.startsWith('OK')) throw new Error(said.join('\n'));
    return client;
  }

  async line(): Promise<string> {
    return (await this.played.client.line()) ?? '<close>';
  }

  send(text: string): void {
    this.played.client.send(text);
  }

  /** All lines of the answer, the last without its tag. */
  async says(command: string): Promise<readonly string[]> {
    const tag = `t${++this.#tags}`;
    this.send(`${tag} ${command}\r\n`);
    const heard: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line.startsWith(`${tag} `)) return [...heard, line.slice(tag.length + 1)];
      heard.push(line);
      if (line === '<close>') return heard;
    }
  }

  /** The last line alone. */
  async ends(command: string): Promise<string> {
    return (await this.says(command)).at(-1)!;
  }

  close(): Promise<void> {
    return this.played.close();
  }
}
