/** Every reply of a POP3 session. The only file here that turns refusals into words (texts.ts) and response codes. */
import type { Malformation } from '../../protocols/pop3/command.ts';
import { challenge, err, ok, type Reply } from '../../protocols/pop3/reply.ts';
import type { Fetched } from './machine.ts';
import { highest, type Maildrop, type Message, message, messages, uniqueId } from './maildrop.ts';
import type { ExpungeRefusal, LogInRefusal, RetrieveRefusal } from './services.ts';
import { type Language, languages, TEXTS, type Texts } from './texts.ts';

/** RFC 1939 §4, with the timestamp that APOP needs (§7). */
export const greeting = (product: string, timestamp: string): Reply => ok(`${product} POP3 server ready ${timestamp}`);

/** What differs between sessions and listeners of what CAPA tells. */
export type Offer = {
  /** Name and version as one token (RFC 2449 §6.9). */
  readonly implementation: string;
  /** USER and PASS are taken, and so is each SASL mechanism that shows the password. */
  readonly cleartext: boolean;
  readonly stls: boolean;
  /** 0: none is asked for. */
  readonly loginDelayMs: number;
};

/**
 * What passes here and nothing else: RFC 2449 §5 and §6, RFC 3206 §6, RFC 2595 §4, RFC 5034 §3, RFC 6856 §2 and §3. APOP has
 * no capability, its timestamp tells (RFC 2449 §6).
 */
export const capabilities = (t: Texts, { implementation, cleartext, stls, loginDelayMs }: Offer): Reply =>
  ok(t.capabilities, {
    lines: [
      'TOP',
      'UIDL',
      ...(cleartext ? ['USER', 'SASL PLAIN'] : []),
      'PIPELINING',
      'RESP-CODES',
      'AUTH-RESP-CODE',
      ...(loginDelayMs > 0 ? [`LOGIN-DELAY ${Math.ceil(loginDelayMs / 1000)}`] : []),
      'EXPIRE NEVER',
      `IMPLEMENTATION ${implementation}`,
      ...(stls ? ['STLS'] : []),
      'UTF8 USER',
      'LANG',
    ],
  });

export const sendPassword = (t: Texts): Reply => ok(t.sendPassword); // whether that user exists or not: RFC 1939 §13
export const noop = ok('');
export const marked = (t: Texts, number: number): Reply => ok(t.marked(number));
export const malformed = (t: Texts, reason: Malformation): Reply => err(t.malformed(reason));
export const notNow = (t: Texts, keyword: string): Reply => err(t.notNow(keyword));

export const cleartextRefused = (t: Texts): Reply => err(t.cleartextRefused);
/** An empty challenge asks for the response that the mechanism begins with (RFC 5034 §4). */
export const goOn = challenge(new Uint8Array(0));
export const noSuchMechanism = (t: Texts): Reply => err(t.noSuchMechanism);
export const exchangeCancelled = (t: Texts): Reply => err(t.exchangeCancelled);
export const notAPlainMessage = (t: Texts): Reply => err(t.notAPlainMessage);

export const beginTls = (t: Texts): Reply => ok(t.beginTls);
export const noStls = (t: Texts, isActive: boolean): Reply => err(isActive ? t.tlsIsActive : t.noTls);
export const utf8Mode = (t: Texts): Reply => ok(t.utf8Mode);

/** "language listing" (RFC 6856 §3.2). */
export const languageListing = (t: Texts): Reply =>
  ok(t.languages, { lines: languages().map((tag) => `${tag} ${TEXTS[tag].language}`) });
/** In the new language already: the tag, then the text (RFC 6856 §3.2). */
export const languageChosen = (language: Language): Reply => ok(`${language} ${TEXTS[language].languageChosen}`);
export const noSuchLanguage = (t: Texts): Reply => err(t.noSuchLanguage);

const size = (t: Texts, { count, octets }: Maildrop): string => t.size(count, octets);
export const opened = (t: Texts, maildrop: Maildrop): Reply => ok(t.opened(size(t, maildrop)));

/** "drop listing" (RFC 1939 §5 STAT). */
export const stat = ({ count, octets }: Maildrop): Reply => ok(`${count} ${octets}`);

/** "scan listing" (RFC 1939 §5 LIST), of one message or of all. */
export const list = (t: Texts, maildrop: Maildrop, number?: number): Reply =>
  listing(t, maildrop, number, size(t, maildrop), (found) => `${found.number} ${found.sizeOctets}`);

/** "unique-id listing" (RFC 1939 §7 UIDL), of one message or of all. */
export const uidl = (t: Texts, maildrop: Maildrop, number?: number): Reply =>
  listing(t, maildrop, number, t.uniqueIds, (found) => `${found.number} ${uniqueId(maildrop, found)}`);

function listing(
  t: Texts,
  maildrop: Maildrop,
  number: number | undefined,
  head: string,
  line: (found: Message) => string,
): Reply {
  if (number === undefined) return ok(head, { lines: each(maildrop, line) });
  const found = message(maildrop, number);
  return found === undefined ? noSuchMessage(t, maildrop, number) : ok(line(found));
}

function* each(maildrop: Maildrop, line: (found: Message) => string): Generator<string> {
  for (const found of messages(maildrop)) yield line(found);
}

export const noSuchMessage = (t: Texts, maildrop: Maildrop, number: number): Reply =>
  err(number <= highest(maildrop) ? t.isMarked(number) : t.noSuchMessage(highest(maildrop)));

export const retrieved = (t: Texts, fetched: Fetched): Reply =>
  fetched.ok ? ok(t.octets(fetched.value.sizeOctets), { body: fetched.value.body }) : notRetrieved(t, fetched.refusal);
export const top = (t: Texts, fetched: Fetched): Reply =>
  fetched.ok ? ok(t.top, { body: fetched.value.body }) : notRetrieved(t, fetched.refusal);

export const bye = (t: Texts): Reply => ok(t.bye);
/** RFC 1939 §6. */
export const updated = (t: Texts, { count }: Maildrop): Reply => ok(t.updated(count));

/** A fault of ours, in whichever command (RFC 3206 §4). */
export const fault = (t: Texts): Reply => err(t.fault, 'SYS/TEMP');
export const tooManyFailures = (t: Texts): Reply => err(t.tooManyFailures, 'AUTH');
/** For good, as far as the client can tell: coming back at once is what it should not do (RFC 3206 §4). */
export const kicked = (t: Texts): Reply => err(t.kicked, 'SYS/PERM');

export function notLoggedIn(t: Texts, refusal: LogInRefusal): Reply {
  switch (refusal) {
    case 'bad-credentials':
      return err(t.wrongCredentials, 'AUTH'); // RFC 3206 §5; the same for a user who does not exist
    case 'in-use':
      return err(t.inUse, 'IN-USE'); // RFC 2449 §8.1.2
    case 'too-soon':
      return err(t.tooSoon, 'LOGIN-DELAY'); // RFC 2449 §8.1.1
    case 'too-many-sessions':
      return err(t.tooManySessions, 'IN-USE'); // no other code says that it is others' doing and will pass
    case 'unavailable':
      return fault(t);
    case 'broken':
      return err(t.broken, 'SYS/PERM'); // RFC 3206 §4
  }
}

function notRetrieved(t: Texts, refusal: RetrieveRefusal): Reply {
  switch (refusal) {
    case 'gone':
      return err(t.gone); // by another protocol's session; no code fits, it will not come back
    case 'unavailable':
      return fault(t);
  }
}

/** RFC 1939 §6: "some deleted messages not removed"; here it is all or none. */
export function notExpunged(t: Texts, refusal: ExpungeRefusal): Reply {
  switch (refusal) {
    case 'lock-lost':
      return err(t.lockLost, 'SYS/TEMP');
    case 'unavailable':
      return err(t.perhapsNotRemoved, 'SYS/TEMP');
  }
}
