/** A client that waits for each reply, as most do: one line said, one line heard. */
import type { Protocol } from '../../actors/session.ts';
import { overMemory, type Played, type PlayOptions } from './transcript.ts';

export type Conversation = Played & {
  readonly greeting: string;
  /** @param line  as it is sent, but for its CRLF; with a `\n` of its own it gets none */
  ask(line: string): Promise<string>;
  /** The last reply to these. */
  askAll(...lines: readonly string[]): Promise<string>;
};

export async function converse(protocol: Protocol, options: PlayOptions = {}): Promise<Conversation> {
  return await conversation(overMemory(protocol, options));
}

export async function conversation(played: Played): Promise<Conversation> {
  const { client } = played;
  const hear = async (): Promise<string> => {
    const line = await client.line();
    if (line === undefined) throw new Error('the server closed instead of answering');
    return line;
  };
  const ask = (line: string): Promise<string> => {
    client.send(line.endsWith('\n') ? line : `${line}\r\n`);
    return hear();
  };
  const askAll = async (...lines: readonly string[]): Promise<string> => {
    let last = '';
    for (const line of lines) last = await ask(line);
    return last;
  };
  return { ...played, greeting: await hear(), ask, askAll };
}
