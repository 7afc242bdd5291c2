/** Reads the files of test/transcripts/imap-examples/; imap-examples.ts tells what stands in them. Plays nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Example,
  type PlantedMailbox,
  type PlantedMessages,
  type Scene,
  type Step,
  shortened,
} from './imap-examples.ts';

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
    const { but, impossible, asked } = this.example;
    const reason = but ?? impossible ?? (isBracketed ? undefined : asked);
    if ((isBracketed || !isPrinted) && reason === undefined) throw this.fault('not as printed, and no reason');
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
    'asked:',
    ({ example }, rest) => {
      example.asked = rest;
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
