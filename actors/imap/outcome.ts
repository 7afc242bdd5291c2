/**
 * What comes of an IMAP command, and the shape of those who see to it (commands/). Types, and the shortest ways to make the
 * common ones. When what is said goes out, and what the view adds to it, is perform.ts's.
 */
import type { Result } from '../../kernel/result.ts';
import type { AppendMessage, Command, CommandOf } from '../../protocols/imap/command.ts';
import type { Response } from '../../protocols/imap/response.ts';
import type { ResponseCode } from '../../protocols/imap/response-code.ts';
import type { Content } from '../session.ts';
import type { ImapSession } from './imap-session.ts';

/** How it ended: the tagged response, without its tag. */
export type Ending = {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly code?: ResponseCode | undefined;
  readonly text: string;
};

export type Outcome = Ending & {
  /** In order; may hold `fetches` and `batch`, which are pulled as fast as the client reads. */
  readonly untagged: readonly Response[];
  /**
   * Where only the sending of `untagged` shows how it ended: asked once, after the last of them was sent, and what it gives
   * replaces status, code and text. Never asked when the client has gone.
   */
  readonly finish?: () => Promise<Ending>;
  /** The state that follows (RFC 9051 §3); absent: as it is. The view is set and taken away by the handler itself. */
  readonly become?: 'selected' | 'authenticated';
};

/**
 * Sees to one command. Refusals are outcomes; a fault is thrown, and becomes NO [SERVERBUG] and an entry in the log.
 * @param signal  aborted when the client has gone: reads may break off, what changes something is seen through
 */
export type Handler<C extends Command> = (command: C, session: ImapSession, signal: AbortSignal) => Promise<Outcome>;

export const done = (text: string, untagged: readonly Response[] = [], code?: ResponseCode): Outcome => ({
  untagged,
  status: 'OK',
  code,
  text,
});
export const refused = (text: string, code?: ResponseCode): Outcome => ({ untagged: [], status: 'NO', code, text });
/** The client's error: RFC 9051 §7.1.3. */
export const wrong = (text: string, code?: ResponseCode): Outcome => ({ untagged: [], status: 'BAD', code, text });

/** Refused before its first message, or an APPEND under way. */
export type AppendHandler = (
  command: CommandOf<'APPEND'>,
  session: ImapSession,
  signal: AbortSignal,
) => Promise<Result<Appending, Outcome>>;

/** One APPEND as it comes in: of several messages all or none (RFC 3502 §3). */
export interface Appending {
  /**
   * Looks at what comes before a message's octets, the first one's too. Refused: nothing more is heard of the command, and this
   * is the answer.
   */
  accepts(message: AppendMessage): Promise<Result<null, Outcome>>;
  /**
   * Takes a message's octets, which throw when the client vanishes. Refused: the rest of them is read past, and the answer is said
   * where the command ends or the next message is announced.
   */
  takes(content: Content): Promise<Result<null, Outcome>>;
  /** The command has ended, and every message was accepted and taken: all or none are appended. */
  finish(): Promise<Outcome>;
  /** It is over, finished or not: refused, malformed, broken off. What was staged and is not kept is given up. */
  abandon(): void;
}
