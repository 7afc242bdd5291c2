/**
 * What a POP3 client may show to a person, in each language that LANG offers (RFC 6856 §3). Keywords, response codes,
 * numbers and listings are not here: programs read those, and they are the same in every language. No text tells whether a
 * user exists.
 */
import type { Malformation } from '../../protocols/pop3/command.ts';

export type Texts = {
  /** This language in itself, for the language listing. */
  readonly language: string;
  readonly languageChosen: string;
  readonly languages: string;
  readonly noSuchLanguage: string;
  readonly capabilities: string;
  readonly sendPassword: string;
  readonly cleartextRefused: string;
  readonly noSuchMechanism: string;
  readonly exchangeCancelled: string;
  readonly notAPlainMessage: string;
  readonly beginTls: string;
  readonly tlsIsActive: string;
  readonly noTls: string;
  readonly utf8Mode: string;
  readonly notNow: (keyword: string) => string;
  readonly malformed: (reason: Malformation) => string;
  readonly size: (count: number, octets: number) => string;
  readonly opened: (size: string) => string;
  readonly uniqueIds: string;
  readonly octets: (count: number) => string;
  readonly top: string;
  readonly marked: (number: number) => string;
  readonly isMarked: (number: number) => string;
  readonly noSuchMessage: (highest: number) => string;
  readonly gone: string;
  readonly bye: string;
  readonly updated: (left: number) => string;
  readonly lockLost: string;
  readonly perhapsNotRemoved: string;
  readonly fault: string;
  readonly wrongCredentials: string;
  readonly tooManyFailures: string;
  readonly inUse: string;
  readonly tooSoon: string;
  readonly tooManySessions: string;
  readonly kicked: string;
  readonly broken: string;
};

const english: Texts = {
  language: 'English',
  languageChosen: 'language changed',
  languages: 'language listing follows',
  noSuchLanguage: 'no such language here',
  capabilities: 'capability list follows',
  sendPassword: 'send PASS',
  cleartextRefused: 'passwords are taken under TLS only',
  noSuchMechanism: 'no such mechanism here',
  exchangeCancelled: 'authentication cancelled',
  notAPlainMessage: 'not a message of PLAIN',
  beginTls: 'begin TLS negotiation',
  tlsIsActive: 'TLS is active already',
  noTls: 'no TLS here',
  utf8Mode: 'UTF-8 from now on',
  notNow: (keyword) => `${keyword} is not allowed now`,
  malformed: (reason) => reason,
  size: (count, octets) => `${count} ${count === 1 ? 'message' : 'messages'} (${octets} octets)`,
  opened: (size) => `maildrop has ${size}`,
  uniqueIds: 'unique-id listing follows',
  octets: (count) => `${count} octets`,
  top: 'top of message follows',
  marked: (number) => `message ${number} deleted`,
  isMarked: (number) => `message ${number} is marked as deleted`,
  noSuchMessage: (highest) => `no such message, only ${highest} in maildrop`,
  gone: 'message was removed meanwhile',
  bye: 'goodbye',
  updated: (left) =>
    left === 0 ? 'goodbye (maildrop empty)' : `goodbye (${left} ${left === 1 ? 'message' : 'messages'} left)`,
  lockLost: 'maildrop lock was lost, nothing removed',
  perhapsNotRemoved: 'deleted messages may not be removed',
  fault: 'temporary failure, try again later',
  wrongCredentials: 'wrong name or password',
  tooManyFailures: 'too many failed log-ins',
  inUse: 'maildrop is in use by another session',
  tooSoon: 'too soon after the last log-in',
  tooManySessions: 'too many sessions of this account',
  kicked: 'session ended by the administrator',
  broken: 'maildrop cannot be opened, ask your administrator',
};

const germanMalformations: Readonly<Record<Malformation, string>> = {
  'line too long': 'Zeile zu lang',
  'NUL or CR in a command': 'NUL oder CR in einem Befehl',
  'unknown command': 'unbekannter Befehl',
  'STAT takes no argument': 'STAT nimmt kein Argument',
  'RSET takes no argument': 'RSET nimmt kein Argument',
  'NOOP takes no argument': 'NOOP nimmt kein Argument',
  'CAPA takes no argument': 'CAPA nimmt kein Argument',
  'QUIT takes no argument': 'QUIT nimmt kein Argument',
  'STLS takes no argument': 'STLS nimmt kein Argument',
  'UTF8 takes no argument': 'UTF8 nimmt kein Argument',
  'USER wants a name': 'USER braucht einen Namen',
  'PASS wants a password': 'PASS braucht ein Passwort',
  'APOP wants a name and an MD5 digest': 'APOP braucht einen Namen und eine MD5-Prüfsumme',
  'AUTH wants a mechanism and at most an initial response':
    'AUTH braucht ein Verfahren und höchstens eine erste Antwort',
  'not base64': 'kein Base64',
  'names and passwords must be UTF-8': 'Namen und Passwörter müssen UTF-8 sein',
  'LANG wants a language or nothing': 'LANG braucht eine Sprache oder nichts',
  'LIST wants a message number or nothing': 'LIST braucht eine Nachrichtennummer oder nichts',
  'UIDL wants a message number or nothing': 'UIDL braucht eine Nachrichtennummer oder nichts',
  'RETR wants a message number': 'RETR braucht eine Nachrichtennummer',
  'DELE wants a message number': 'DELE braucht eine Nachrichtennummer',
  'TOP wants a message number and a number of lines': 'TOP braucht eine Nachrichtennummer und eine Zeilenzahl',
};

const nachrichten = (count: number) => `${count} ${count === 1 ? 'Nachricht' : 'Nachrichten'}`;

const german: Texts = {
  language: 'Deutsch',
  languageChosen: 'Sprache gewechselt',
  languages: 'Liste der Sprachen folgt',
  noSuchLanguage: 'diese Sprache gibt es hier nicht',
  capabilities: 'Liste der Fähigkeiten folgt',
  sendPassword: 'bitte PASS senden',
  cleartextRefused: 'Passwörter werden nur unter TLS angenommen',
  noSuchMechanism: 'dieses Verfahren gibt es hier nicht',
  exchangeCancelled: 'Anmeldung abgebrochen',
  notAPlainMessage: 'keine Nachricht nach PLAIN',
  beginTls: 'TLS-Aushandlung kann beginnen',
  tlsIsActive: 'TLS ist schon aktiv',
  noTls: 'hier gibt es kein TLS',
  utf8Mode: 'ab jetzt UTF-8',
  notNow: (keyword) => `${keyword} ist jetzt nicht erlaubt`,
  malformed: (reason) => germanMalformations[reason],
  size: (count, octets) => `${nachrichten(count)} (${octets} Oktette)`,
  opened: (size) => `Postfach mit ${size}`,
  uniqueIds: 'Liste der Kennungen folgt',
  octets: (count) => `${count} Oktette`,
  top: 'Anfang der Nachricht folgt',
  marked: (number) => `Nachricht ${number} gelöscht`,
  isMarked: (number) => `Nachricht ${number} ist zum Löschen vorgemerkt`,
  noSuchMessage: (highest) => `keine solche Nachricht, nur ${highest} im Postfach`,
  gone: 'Nachricht wurde inzwischen entfernt',
  bye: 'auf Wiedersehen',
  updated: (left) => `auf Wiedersehen (${left === 0 ? 'Postfach leer' : `noch ${nachrichten(left)}`})`,
  lockLost: 'Sperre des Postfachs verloren, nichts entfernt',
  perhapsNotRemoved: 'gelöschte Nachrichten sind vielleicht nicht entfernt',
  fault: 'vorübergehender Fehler, bitte später noch einmal',
  wrongCredentials: 'falscher Name oder falsches Passwort',
  tooManyFailures: 'zu viele misslungene Anmeldungen',
  inUse: 'Postfach wird von einer anderen Sitzung benutzt',
  tooSoon: 'zu bald nach der letzten Anmeldung',
  tooManySessions: 'zu viele Sitzungen dieses Kontos',
  kicked: 'Sitzung vom Verwalter beendet',
  broken: 'Postfach lässt sich nicht öffnen, bitte den Verwalter fragen',
};

/** By language tag (RFC 5646). */
export const TEXTS = { en: english, de: german } as const satisfies Readonly<Record<string, Texts>>;
export type Language = keyof typeof TEXTS;
/** Until LANG says otherwise, and what `LANG *` chooses. ASCII, as RFC 1939 §3 has it. */
export const DEFAULT_LANGUAGE: Language = 'en';

export const languages = (): readonly Language[] => Object.keys(TEXTS) as Language[]; // its keys are just these

/** The language for a range in lower case, by lookup (RFC 4647 §3.4: `de-at` is served by `de`); undefined: none fits. */
export function languageFor(range: string): Language | undefined {
  if (range === '*') return DEFAULT_LANGUAGE;
  for (let tag = range; tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    const found = languages().find((each) => each === tag);
    if (found !== undefined) return found;
  }
  return undefined;
}
