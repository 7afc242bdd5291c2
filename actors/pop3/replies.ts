/** Every text that a POP3 client reads. The only file here that turns refusals into words; none tells whether a user exists. */
import { err, ok, type Reply } from '../../protocols/pop3/reply.ts';
import type { Fetched } from './machine.ts';
import { highest, type Maildrop, type Message, message, messages, uniqueId } from './maildrop.ts';
import type { ExpungeRefusal, LogInRefusal, RetrieveRefusal } from './services.ts';

/** RFC 1939 §4, with the timestamp that APOP needs (§7). */
export const greeting = (product: string, timestamp: string): Reply => ok(`${product} POP3 server ready ${timestamp}`);

/** RFC 2449 §5, RFC 3206 §6: what passes here and nothing else. APOP has no capability, its timestamp tells (RFC 2449 §6). */
export const capabilities = (implementation: string): Reply =>
  ok('capability list follows', {
    lines: [
      'TOP',
      'UIDL',
      'USER',
      'PIPELINING',
      'RESP-CODES',
      'AUTH-RESP-CODE',
      'EXPIRE NEVER',
      `IMPLEMENTATION ${implementation}`,
    ],
  });

export const sendPassword = ok('send PASS'); // whether that user exists or not: RFC 1939 §13
export const noop = ok('');
export const marked = (number: number): Reply => ok(`message ${number} deleted`);
export const malformed = (reason: string): Reply => err(reason);
export const notNow = (keyword: string): Reply => err(`${keyword} is not allowed now`);

const size = (count: number, octets: number): string =>
  `${count} ${count === 1 ? 'message' : 'messages'} (${octets} octets)`;
export const opened = (maildrop: Maildrop): Reply => ok(`maildrop has ${size(maildrop.count, maildrop.octets)}`);

/** "drop listing" (RFC 1939 §5 STAT). */
export const stat = ({ count, octets }: Maildrop): Reply => ok(`${count} ${octets}`);

/** "scan listing" (RFC 1939 §5 LIST), of one message or of all. */
export const list = (maildrop: Maildrop, number?: number): Reply =>
  listing(maildrop, number, size(maildrop.count, maildrop.octets), (found) => `${found.number} ${found.sizeOctets}`);

/** "unique-id listing" (RFC 1939 §7 UIDL), of one message or of all. */
export const uidl = (maildrop: Maildrop, number?: number): Reply =>
  listing(maildrop, number, 'unique-id listing follows', (found) => `${found.number} ${uniqueId(maildrop, found)}`);

function listing(
  maildrop: Maildrop,
  number: number | undefined,
  head: string,
  line: (found: Message) => string,
): Reply {
  if (number === undefined) return ok(head, { lines: each(maildrop, line) });
  const found = message(maildrop, number);
  return found === undefined ? noSuchMessage(maildrop, number) : ok(line(found));
}

function* each(maildrop: Maildrop, line: (found: Message) => string): Generator<string> {
  for (const found of messages(maildrop)) yield line(found);
}

export const noSuchMessage = (maildrop: Maildrop, number: number): Reply =>
  number <= highest(maildrop)
    ? err(`message ${number} is marked as deleted`)
    : err(`no such message, only ${highest(maildrop)} in maildrop`);

export const retrieved = (fetched: Fetched): Reply =>
  fetched.ok ? ok(`${fetched.value.sizeOctets} octets`, { body: fetched.value.body }) : notRetrieved(fetched.refusal);
export const top = (fetched: Fetched): Reply =>
  fetched.ok ? ok('top of message follows', { body: fetched.value.body }) : notRetrieved(fetched.refusal);

export const bye = ok('goodbye');
/** RFC 1939 §6. */
export const updated = ({ count }: Maildrop): Reply =>
  ok(count === 0 ? 'goodbye (maildrop empty)' : `goodbye (${count} ${count === 1 ? 'message' : 'messages'} left)`);

/** A fault of ours, in whichever command (RFC 3206 §4). */
export const fault = err('temporary failure, try again later', 'SYS/TEMP');
export const tooManyFailures = err('too many failed log-ins', 'AUTH');

export function notLoggedIn(refusal: LogInRefusal): Reply {
  switch (refusal) {
    case 'bad-credentials':
      return err('wrong name or password', 'AUTH'); // RFC 3206 §5; the same for a user who does not exist
    case 'in-use':
      return err('maildrop is in use by another session', 'IN-USE'); // RFC 2449 §8.1.2
    case 'unavailable':
      return fault;
    case 'broken':
      return err('maildrop cannot be opened, ask your administrator', 'SYS/PERM'); // RFC 3206 §4
  }
}

function notRetrieved(refusal: RetrieveRefusal): Reply {
  switch (refusal) {
    case 'gone':
      return err('message was removed meanwhile'); // by another protocol's session; no code fits, it will not come back
    case 'unavailable':
      return fault;
  }
}

/** RFC 1939 §6: "some deleted messages not removed"; here it is all or none. */
export function notExpunged(refusal: ExpungeRefusal): Reply {
  switch (refusal) {
    case 'lock-lost':
      return err('maildrop lock was lost, nothing removed', 'SYS/TEMP');
    case 'unavailable':
      return err('deleted messages may not be removed', 'SYS/TEMP');
  }
}
