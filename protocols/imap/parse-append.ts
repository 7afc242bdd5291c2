/** APPEND up to a message's literal, and from one message to the next: RFC 9051 §6.3.12, RFC 3502, RFC 3516 §4.4. */
import type { AppendMessage, Command } from './command.ts';
import { Cursor } from './cursor.ts';
import { type DateTime, parseDateTime } from './date-time.ts';
import type { CutText, LiteralHead } from './literals.ts';
import { hasBareControl, malformed, tagOf } from './parse-command.ts';
import { mailboxAt } from './parse-mailbox.ts';

/**
 * Is the literal behind this text the message of an APPEND? One that stands right behind the keyword is the mailbox.
 * @param before  the line up to the literal's head, or the lines and heads so far
 */
export function isAppendMessage(before: string): boolean {
  const [head] = /^[^ ]{1,512} APPEND ./is.exec(before) ?? [];
  return head !== undefined;
}

/** `append = "APPEND" SP mailbox 1*append-message`, up to the literal of the first (RFC 3502). */
export function parseAppend(before: CutText, literal: LiteralHead): Command {
  const tag = tagOf(before.text);
  if (hasBareControl(before.text)) return malformed(tag, 'NUL, CR or LF in a command');
  if (tag === undefined) return malformed(undefined, 'no tag');
  const cursor = new Cursor(before, tag.length + ' APPEND '.length);
  const mailbox = mailboxAt(cursor);
  const message = mailbox === undefined ? undefined : messageAt(cursor, literal);
  if (mailbox === undefined || message === undefined) {
    return malformed(tag, `APPEND: ${cursor.flaw ?? 'a message literal was expected'}`);
  }
  return { type: 'APPEND', tag, mailbox, ...message };
}

/** What stands behind one message's octets, up to the literal of the next. */
export function parseAppendMore(tag: string, before: CutText, literal: LiteralHead): Command {
  if (hasBareControl(before.text)) return malformed(tag, 'NUL, CR or LF in a command');
  const cursor = new Cursor(before);
  const message = messageAt(cursor, literal);
  if (message === undefined) return malformed(tag, `APPEND: ${cursor.flaw ?? 'a message literal was expected'}`);
  return { type: 'append-more', ...message };
}

/** What stands behind the last message's octets: nothing. */
export function parseAppendEnd(tag: string, rest: CutText): Command {
  const isEnd = new Cursor(rest).isAtEnd;
  return isEnd ? { type: 'append-end' } : malformed(tag, 'APPEND: a message literal was expected');
}

/** `append-message = [SP flag-list] [SP date-time] SP literal` (RFC 3502), where the literal is what comes next. */
function messageAt(cursor: Cursor, { sizeOctets, sync, binary }: LiteralHead): AppendMessage | undefined {
  let flags: string[] | undefined;
  let date: DateTime | undefined;
  if (!cursor.space()) return undefined;
  if (cursor.isNextOf('(')) {
    flags = cursor.list(() => cursor.flag(), { mayBeEmpty: true });
    if (flags === undefined || !cursor.space()) return undefined;
  }
  if (cursor.isNextOf('"')) {
    const text = cursor.string();
    date = text === undefined ? undefined : parseDateTime(text);
    if (date === undefined) return cursor.fail('a date and time was expected');
    if (!cursor.space()) return undefined;
  }
  if (!cursor.isAtEnd) return cursor.fail('a message literal was expected');
  return { flags: flags ?? [], ...(date === undefined ? {} : { date }), sizeOctets, sync, binary };
}
