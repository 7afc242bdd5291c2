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
type OpenScene = Omit<Mutable<Scene>, 'users' | 'mailboxes' | 'examples'> & {
  users: Scene['users'][number][];
  mailboxes: (Omit<Mutable<PlantedMailbox>, 'messages' | 'expunged'> & {
    messages: Mutable<PlantedMessages>[];
    expunged: PlantedMailbox['expunged'][number][];
  })[];
  examples: (Mutable<Omit<Example, 'steps'>> & { steps: Step[] })[];
};

export function parseExamples(file: string, text: string): readonly Scene[] {
  const scenes: OpenScene[] = [];
  let rfc = 0;
  let enable: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const at = index + 1;
    const fail = (why: string): Error => new Error(`${file}:${at}: ${why}: ${line}`);
    const scene = scenes.at(-1);
    const example = scene?.examples.at(-1);
    const mailbox = scene?.mailboxes.at(-1);
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, bracketed] = /^\[([CS]\d*:.*)\]$/.exec(line) ?? [];
    const [, kind, session, words] = /^\+?([CS])(\d*):(?: (.*))?$/.exec(bracketed ?? line) ?? [];
    if (kind !== undefined) {
      if (!example) throw fail('of no example');
      const isBracketed = bracketed !== undefined;
      const isPrinted = !line.startsWith('+');
      if ((isBracketed || !isPrinted) && (example.but ?? example.impossible) === undefined)
        throw fail('not as printed, and no reason');
      const of = { session: session!, text: words ?? '', isBracketed, isPrinted, at };
      example.steps.push({ kind: kind as 'C' | 'S', ...of });
      continue;
    }
    const [, word, rest] = /^(\S+)\s*(.*)$/.exec(line)!;
    switch (word) {
      case 'rfc':
        rfc = Number(rest);
        break;
      case 'enable':
        enable = rest === 'nothing' ? undefined : rest;
        break;
      case 'scene':
        scenes.push({
          name: `${file}:${at}`,
          ...(enable !== undefined && { enable }),
          ...{ users: [], mailboxes: [], tls: false, examples: [] },
        });
        break;
      case 'tls':
        scene!.tls = true;
        break;
      case 'user': {
        const [name, password = 'pencil'] = unquoted(rest!);
        scene!.users.push({ name: name!, password });
        break;
      }
      case 'mailbox': {
        const [name, ...more] = unquoted(rest!);
        const given = options(more, ['of', 'validity', 'next', 'modseq', 'recent'], fail);
        scene!.mailboxes.push({
          name: name!,
          user: given.get('of') ?? scene!.users[0]?.name ?? 'ann',
          validity: Number(given.get('validity') ?? 1),
          ...(given.has('next') && { next: Number(given.get('next')) }),
          ...(given.has('modseq') && { modSeq: Number(shortened(given.get('modseq')!)) }),
          ...(given.has('recent') && { recent: Number(given.get('recent')) }),
          ...{ messages: [], expunged: [] },
        });
        break;
      }
      case 'messages': {
        const [uids, ...more] = unquoted(rest!);
        const given = options(more, ['flags', 'modseq', 'from', 'subject', 'date', 'octets', 'text'], fail);
        const flags = (given.get('flags') ?? '()').slice(1, -1).split(' ');
        mailbox!.messages.push({
          uids: uids!,
          flags: flags.filter((flag) => flag !== ''),
          ...(given.has('modseq') && { modSeq: Number(shortened(given.get('modseq')!)) }),
          ...(given.has('from') && { from: given.get('from')! }),
          ...(given.has('subject') && { subject: given.get('subject')! }),
          ...(given.has('date') && { date: given.get('date')! }),
          ...(given.has('octets') && { octets: Number(given.get('octets')) }),
          ...(given.has('text') && { text: given.get('text')! }),
        });
        break;
      }
      case '|': {
        const message = mailbox!.messages.at(-1)!;
        message.raw = `${message.raw ?? ''}${line.slice(2)}\r\n`;
        break;
      }
      case 'expunged': {
        const [uids, ...more] = unquoted(rest!);
        const modSeq = Number(shortened(options(more, ['modseq'], fail).get('modseq') ?? '2'));
        mailbox!.expunged.push({ uids: uids!, modSeq });
        break;
      }
      case 'example': {
        const [, section, ordinal] = /^(\S+) (\d+)$/.exec(rest!) ?? [];
        if (ordinal === undefined) throw fail('no section and number');
        scene!.examples.push({
          ...{ rfc, section: section!, ordinal: Number(ordinal), steps: [], isNobodys: false, goesOn: false },
        });
        break;
      }
      case 'impossible:':
        example!.impossible = rest!;
        break;
      case 'but:':
        example!.but = rest!;
        break;
      case 'as':
        example!.isNobodys = true;
        break;
      case 'goes':
        example!.goesOn = true;
        break;
      case 'session': {
        const [session, user] = rest!.split(' ');
        example!.steps.push({ kind: 'session', session: session!, user: user!, at });
        break;
      }
      case 'by': {
        const [, user, command] = /^(\S+): (.*)$/.exec(rest!) ?? [];
        if (command === undefined) throw fail('no command');
        example!.steps.push({ kind: 'by', user: user!, command, at });
        break;
      }
      case 'first:':
        example!.steps.push({ kind: 'first', session: '', command: rest!, at });
        break;
      case 'first': {
        const [, session, command] = /^(\d+): (.*)$/.exec(rest!) ?? [];
        if (command === undefined) throw fail('no command');
        example!.steps.push({ kind: 'first', session: session!, command, at });
        break;
      }
      case 'deliver':
        example!.steps.push({ kind: 'deliver', user: rest!, at });
        break;
      default:
        throw fail('unknown');
    }
  }
  return scenes;
}

/** Words, `"..."` as one without its quotes, `(...)` as one. */
const unquoted = (text: string): readonly string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\([^)]*\))|(\S+)/g)].map(
    ([, quoted, list, word]) => quoted?.replace(/\\(.)/g, '$1') ?? list ?? word!,
  );

function options(
  words: readonly string[],
  known: readonly string[],
  fail: (why: string) => Error,
): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) {
    if (!known.includes(words[at]!) || words[at + 1] === undefined) throw fail(`unknown ${words[at]}`);
    given.set(words[at]!, words[at + 1]!);
  }
  return given;
}
