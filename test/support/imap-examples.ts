/**
 * The examples that RFCs print, as files under test/transcripts/imap-examples/: read here, played by test/actors/imap/examples.ts,
 * listed in docs/imap-examples.md.
 *
 *     rfc 9051
 *     enable IMAP4rev2               all sessions do, once logged in
 *     scene                          a house of its own for what follows, with what is set up here
 *     user ann                       may log in with `pencil`, or with the password behind the name; the first is `ann` below
 *     mailbox INBOX validity 38505 next 44 modseq 7 recent 1
 *     messages 1:3,7 flags (\Seen) modseq 5 from "Smith" subject "x" date "1-Feb-1994 ..." octets 4096 text "..."
 *     | Subject: the message          as it is, if any such line follows
 *     expunged 4:6 modseq 6          of the mailbox named last; each message that vanished was there
 *     example 6.3.2 1                section and place of the example in it
 *     impossible: REASON             there is nothing to play
 *     but: REASON                    some of it is not as printed: the printed lines stand in brackets
 *     as nobody                      no log-in; the greeting was heard if the first line is not that of the server
 *     goes on                        with the sessions of the example before
 *     session 2 joe                  lines `C2:` and `S2:` are joe's
 *     by joe: CREATE x               another session of joe's did that; it is OK
 *     first: SELECT INBOX            the session of the example did that; it is OK
 *     first 2: SELECT INBOX          so did session 2
 *     deliver ann                    a message comes by LMTP
 *     C: A142 SELECT INBOX           lines as printed, those that are broken for the eye in one
 *     S: * 172 EXISTS
 *     [S: * LIST (\NoInferiors) "/" "inbox"]
 *     +S: * LIST () "/" INBOX         not printed, where `but:` says why
 *     C: <tls>                       the client begins TLS
 *     S: <close>                     the server closes
 *
 * `<any>` and `<number>` stand for what is not printed or free; see imap-meaning.ts for the rest that is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Said = {
  readonly kind: 'C' | 'S';
  /** '' or the session's digits. */
  readonly session: string;
  readonly text: string;
  /** Printed only: it is not played. */
  readonly isBracketed: boolean;
  /** It stands in the RFC. */
  readonly isPrinted: boolean;
  /** Of the file. */
  readonly at: number;
};
export type Step =
  | Said
  | { readonly kind: 'by'; readonly user: string; readonly command: string; readonly at: number }
  | { readonly kind: 'first'; readonly session: string; readonly command: string; readonly at: number }
  | { readonly kind: 'session'; readonly session: string; readonly user: string; readonly at: number }
  | { readonly kind: 'deliver'; readonly user: string; readonly at: number };

export type Example = {
  readonly rfc: number;
  readonly section: string;
  readonly ordinal: number;
  readonly steps: readonly Step[];
  readonly impossible?: string;
  readonly but?: string;
  readonly isNobodys: boolean;
  readonly goesOn: boolean;
};

export type PlantedMessages = {
  readonly uids: string;
  readonly flags: readonly string[];
  readonly modSeq?: number;
  readonly from?: string;
  readonly subject?: string;
  readonly date?: string;
  readonly octets?: number;
  readonly text?: string;
  readonly raw?: string;
};
export type PlantedMailbox = {
  readonly name: string;
  readonly user: string;
  readonly validity: number;
  readonly next?: number;
  readonly modSeq?: number;
  /** So many of the last messages are recent; absent: none. */
  readonly recent?: number;
  readonly messages: readonly PlantedMessages[];
  readonly expunged: readonly { readonly uids: string; readonly modSeq: number }[];
};
export type Scene = {
  readonly name: string;
  readonly enable?: string;
  readonly users: readonly { readonly name: string; readonly password: string }[];
  readonly mailboxes: readonly PlantedMailbox[];
  /** STARTTLS is offered, and passwords are not taken before it. */
  readonly tls: boolean;
  readonly examples: readonly Example[];
};

export const nameOf = ({ rfc, section, ordinal }: Pick<Example, 'rfc' | 'section' | 'ordinal'>): string =>
  `RFC ${rfc} §${section}, ${ordinal}`;

/**
 * Mod-sequences may have 63 bits (RFC 7162 §3.1), and Homing's have 53: of printed ones that are larger the last 15 digits are
 * kept, which leaves them in order.
 */
export const shortened = (text: string): string =>
  text.replace(/\d{16,}/g, (digits) => String(BigInt(digits.slice(-15))));

const directory = join(import.meta.dirname, '..', 'transcripts', 'imap-examples');

export function exampleFiles(): readonly Scene[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.txt') && file !== 'index.txt')
    .sort()
    .flatMap((file) => parseExamples(file, readFileSync(join(directory, file), 'utf8')));
}

export type Printed = {
  readonly rfc: number;
  readonly section: string;
  readonly ordinal: number;
  readonly line: string;
};

/** All that the RFCs print: test/transcripts/imap-examples/index.txt, in their order. */
export function printedExamples(): readonly Printed[] {
  return readFileSync(join(directory, 'index.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, rfc, section, ordinal, first] = /^(\d+) (\S+) (\d+) (.+)$/.exec(line) ?? [];
      if (first === undefined) throw new Error(`index.txt: ${line}`);
      return { rfc: Number(rfc), section: section!, ordinal: Number(ordinal), line: first };
    });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type OpenMailbox = Omit<Mutable<PlantedMailbox>, 'messages' | 'expunged'> & {
  messages: Mutable<PlantedMessages>[];
  expunged: PlantedMailbox['expunged'][number][];
};
type OpenExample = Omit<Mutable<Example>, 'steps'> & { steps: Step[] };
type OpenScene = Omit<Mutable<Scene>, 'users' | 'mailboxes' | 'examples'> & {
  users: Scene['users'][number][];
  mailboxes: OpenMailbox[];
  examples: OpenExample[];
};

export function parseExamples(file: string, text: string): readonly Scene[] {
  const reader = new Reader(file);
  for (const [index, line] of text.split('\n').entries()) reader.read(line, index + 1);
  return reader.scenes;
}

/** Of one file, line by line. */
class Reader {
  readonly scenes: OpenScene[] = [];
  readonly #file: string;
  #rfc = 0;
  #enable: string | undefined;
  /** The line that is read, and its number. */
  #line = '';
  #at = 0;

  constructor(file: string) {
    this.#file = file;
  }

  read(line: string, at: number): void {
    if (line.trim() === '' || line.startsWith('#')) return;
    this.#line = line;
    this.#at = at;
    if (this.#said()) return;
    const [, word, rest] = /^(\S+) ?(.*)$/.exec(line) as unknown as [string, string, string];
    const statement = statements.get(word);
    if (statement) statement(this, rest);
    else throw this.fault('unknown');
  }

  fault(why: string): Error {
    return new Error(`${this.#file}:${this.#at}: ${why}: ${this.#line}`);
  }

  get scene(): OpenScene {
    return this.#last(this.scenes, 'no scene yet');
  }

  get mailbox(): OpenMailbox {
    return this.#last(this.scene.mailboxes, 'no mailbox yet');
  }

  get message(): Mutable<PlantedMessages> {
    return this.#last(this.mailbox.messages, 'no message yet');
  }

  get example(): OpenExample {
    return this.#last(this.scene.examples, 'no example yet');
  }

  #last<T>(list: readonly T[], otherwise: string): T {
    const last = list.at(-1);
    if (last === undefined) throw this.fault(otherwise);
    return last;
  }

  of(rfc: number): void {
    this.#rfc = rfc;
  }

  enable(capability: string | undefined): void {
    this.#enable = capability;
  }

  beginScene(): void {
    const enable = this.#enable === undefined ? {} : { enable: this.#enable };
    const name = `${this.#file}:${this.#at}`;
    this.scenes.push({ name, ...enable, users: [], mailboxes: [], tls: false, examples: [] });
  }

  beginExample(section: string, ordinal: number): void {
    const place = { rfc: this.#rfc, section, ordinal };
    this.scene.examples.push({ ...place, steps: [], isNobodys: false, goesOn: false });
  }

  step(step: Unplaced): void {
    this.example.steps.push({ ...step, at: this.#at });
  }

  /** Words before a colon and what stands behind it. */
  pair(rest: string): readonly [string, string] {
    const [, before, behind] = /^(\S+): (.*)$/.exec(rest) ?? [];
    if (before === undefined) throw this.fault('no colon');
    return [before, behind!];
  }

  /** Names and values by turns. */
  options(words: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
    const given = new Map<string, string>();
    for (let at = 0; at < words.length; at += 2) {
      if (!known.includes(words[at]!) || words[at + 1] === undefined) throw this.fault(`unknown ${words[at]}`);
      given.set(words[at]!, words[at + 1]!);
    }
    return given;
  }

  /** A line of `C:` or `S:`, bare, in brackets or behind a plus. */
  #said(): boolean {
    const [, bracketed] = /^\[([CS]\d*:.*)\]$/.exec(this.#line) ?? [];
    const [, kind, session, words] = /^\+?([CS])(\d*):(?: (.*))?$/.exec(bracketed ?? this.#line) ?? [];
    if (kind === undefined) return false;
    const isBracketed = bracketed !== undefined;
    const isPrinted = !this.#line.startsWith('+');
    const { but, impossible } = this.example;
    if ((isBracketed || !isPrinted) && (but ?? impossible) === undefined)
      throw this.fault('not as printed, and no reason');
    this.step({ kind: kind as 'C' | 'S', session: session!, text: words ?? '', isBracketed, isPrinted });
    return true;
  }
}

/** As it is before its line is known. */
type Unplaced = Step extends infer S ? (S extends Step ? Omit<S, 'at'> : never) : never;
type Statement = (reader: Reader, rest: string) => void;

const statements: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  ['rfc', (reader, rest) => reader.of(Number(rest))],
  ['enable', (reader, rest) => reader.enable(rest === 'nothing' ? undefined : rest)],
  ['scene', (reader) => reader.beginScene()],
  [
    'tls',
    ({ scene }) => {
      scene.tls = true;
    },
  ],
  [
    'user',
    ({ scene }, rest) => {
      const [name, password = 'pencil'] = unquoted(rest);
      scene.users.push({ name: name!, password });
    },
  ],
  ['mailbox', mailboxStatement],
  ['messages', messagesStatement],
  [
    '|',
    ({ message }, rest) => {
      message.raw = `${message.raw ?? ''}${rest}\r\n`;
    },
  ],
  [
    'expunged',
    (reader, rest) => {
      const [uids, ...more] = unquoted(rest);
      const modSeq = reader.options(more, ['modseq']).get('modseq') ?? '2';
      reader.mailbox.expunged.push({ uids: uids!, modSeq: Number(shortened(modSeq)) });
    },
  ],
  [
    'example',
    (reader, rest) => {
      const [, section, ordinal] = /^(\S+) (\d+)$/.exec(rest) ?? [];
      if (ordinal === undefined) throw reader.fault('no section and number');
      reader.beginExample(section!, Number(ordinal));
    },
  ],
  [
    'impossible:',
    ({ example }, rest) => {
      example.impossible = rest;
    },
  ],
  [
    'but:',
    ({ example }, rest) => {
      example.but = rest;
    },
  ],
  [
    'as',
    ({ example }) => {
      example.isNobodys = true;
    },
  ],
  [
    'goes',
    ({ example }) => {
      example.goesOn = true;
    },
  ],
  [
    'session',
    (reader, rest) => {
      const [session, user] = rest.split(' ');
      reader.step({ kind: 'session', session: session!, user: user! });
    },
  ],
  [
    'by',
    (reader, rest) => {
      const [user, command] = reader.pair(rest);
      reader.step({ kind: 'by', user, command });
    },
  ],
  ['first:', (reader, rest) => reader.step({ kind: 'first', session: '', command: rest })],
  [
    'first',
    (reader, rest) => {
      const [session, command] = reader.pair(rest);
      reader.step({ kind: 'first', session, command });
    },
  ],
  ['deliver', (reader, rest) => reader.step({ kind: 'deliver', user: rest })],
]);

function mailboxStatement(reader: Reader, rest: string): void {
  const [name, ...more] = unquoted(rest);
  const given = reader.options(more, ['of', 'validity', 'next', 'modseq', 'recent']);
  reader.scene.mailboxes.push({
    name: name!,
    user: given.get('of') ?? reader.scene.users[0]?.name ?? 'ann',
    validity: Number(given.get('validity') ?? 1),
    ...numberOf(given, 'next', 'next'),
    ...numberOf(given, 'modseq', 'modSeq'),
    ...numberOf(given, 'recent', 'recent'),
    ...{ messages: [], expunged: [] },
  });
}

function messagesStatement(reader: Reader, rest: string): void {
  const [uids, ...more] = unquoted(rest);
  const given = reader.options(more, ['flags', 'modseq', 'from', 'subject', 'date', 'octets', 'text']);
  const flags = (given.get('flags') ?? '()').slice(1, -1).split(' ');
  reader.mailbox.messages.push({
    uids: uids!,
    flags: flags.filter((flag) => flag !== ''),
    ...numberOf(given, 'modseq', 'modSeq'),
    ...numberOf(given, 'octets', 'octets'),
    ...textOf(given, 'from'),
    ...textOf(given, 'subject'),
    ...textOf(given, 'date'),
    ...textOf(given, 'text'),
  });
}

const numberOf = <K extends string>(given: ReadonlyMap<string, string>, name: string, key: K) => {
  const value = given.get(name);
  return (value === undefined ? {} : { [key]: Number(shortened(value)) }) as { readonly [key in K]?: number };
};
const textOf = <K extends string>(given: ReadonlyMap<string, string>, name: K) => {
  const value = given.get(name);
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: string };
};

/** Words, `"..."` as one without its quotes, `(...)` as one. */
const unquoted = (text: string): readonly string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\([^)]*\))|(\S+)/g)].map(
    ([, quoted, list, word]) => quoted?.replace(/\\(.)/g, '$1') ?? list ?? word!,
  );
