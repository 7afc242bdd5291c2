/** A client of IMAP for tests: commands out, whole responses in, literals and all. Knows no rule but where a response ends. */
import * as assert from 'uvu/assert';
import type { Protocol } from '../../../actors/session.ts';
import { type Client, overMemory, type Played } from '../../support/transcript.ts';
import { type House, type HouseOptions, house, SECRET } from './house.ts';

export type Answer = {
  /** Without `* ` and CRLF; a literal stands in its place with its `{n}` and CRLF before it. */
  readonly untagged: readonly string[];
  /** Without the tag. */
  readonly tagged: string;
};

export class ImapClient {
  readonly #played: Played;
  readonly #client: Client;
  #tags = 0;

  constructor(played: Played) {
    this.#played = played;
    this.#client = played.client;
  }

  /** Whatever its status. */
  async ask(command: string): Promise<Answer> {
    const tag = this.say(command);
    return await this.answer(tag);
  }

  /** Must be OK; what came untagged. */
  async ok(command: string): Promise<readonly string[]> {
    const { untagged, tagged } = await this.ask(command);
    assert.match(tagged, /^OK /, `${command.slice(0, 100)}: ${tagged}`);
    return untagged;
  }

  /** Sends only. @returns the tag */
  say(command: string): string {
    const tag = `t${++this.#tags}`;
    this.#client.send(Buffer.from(`${tag} ${command}\r\n`, 'latin1'));
    return tag;
  }

  send(octets: Uint8Array | string): void {
    this.#client.send(octets);
  }

  async answer(tag: string): Promise<Answer> {
    const untagged: string[] = [];
    for (;;) {
      const response = await this.response();
      if (response === undefined) throw new Error(`closed before the answer to ${tag}; heard ${untagged.join(' | ')}`);
      if (response.startsWith(`${tag} `)) return { untagged, tagged: response.slice(tag.length + 1) };
      untagged.push(response.replace(/^\* /, ''));
    }
  }

  /** The next one, tagged or not. */
  async response(): Promise<string | undefined> {
    let response = await this.#client.line();
    if (response === undefined) return undefined;
    for (;;) {
      const size = /\{(\d+)\}$/.exec(response)?.[1];
      if (size === undefined) return response;
      let octets = '';
      while (octets.length <= Number(size)) octets += `${await this.#client.line('a literal')}\r\n`;
      response += `\r\n${octets.slice(0, -2)}`;
    }
  }

  /** In one line `{n+}` and the text. */
  append(mailbox: string, text: string, before = ''): Promise<Answer> {
    return this.ask(`APPEND ${mailbox} ${before}{${Buffer.byteLength(text, 'latin1')}+}\r\n${text}`);
  }

  get wire(): Client {
    return this.#client;
  }

  close(): Promise<void> {
    return this.#played.close();
  }
}

export type Home = House & { readonly logIn: (user?: string) => Promise<ImapClient> };

/** Runs with a house, and closes it and its clients after that. */
export async function inHouse(use: (home: Home) => Promise<void>, options: HouseOptions = {}): Promise<void> {
  const home = await house(options);
  const clients: ImapClient[] = [];
  const logIn = async (user = 'ann'): Promise<ImapClient> => {
    const protocol = home.protocol();
    const session = `test.c${clients.length}`;
    const begin: Protocol['begin'] = (caller) => protocol.begin({ ...caller, session }); // each is one of its own
    const client = new ImapClient(overMemory({ ...protocol, begin }));
    clients.push(client);
    await client.response();
    await client.ok(`LOGIN ${user} ${SECRET}`);
    return client;
  };
  try {
    await use({ ...home, logIn });
  } finally {
    for (const client of clients) await client.close();
    await home.stop();
  }
}

/** A message of that subject and text. */
export const mail = (subject: string, text = 'hello\r\n', more = ''): string =>
  `From: Ann <ann@example.test>\r\nTo: joe@example.test\r\nSubject: ${subject}\r\n` +
  `Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <${subject.replaceAll(' ', '.')}@example.test>\r\n${more}\r\n${text}`;
