/**
 * A client of IMAP for tests that set two servers, or two sides of one, against each other: sends a command, and reads all
 * answers into values. It knows no command; literals are sent without waiting (RFC 7888).
 */
import { type Endpoint, Wire } from '../../bench/clients/wire.ts';

/** An atom or number as it was written, a string (quoted or literal) as latin1, NIL, or a parenthesised list. */
export type Value = string | { readonly string: string } | null | readonly Value[];

export type Answer = {
  /** `OK`, `NO` or `BAD`, and what follows. */
  readonly status: string;
  readonly text: string;
  /** Each without its `*`. */
  readonly untagged: readonly (readonly Value[])[];
};

type Line = { readonly texts: readonly string[]; readonly literals: readonly string[] };

export class ImapWire {
  readonly #wire: Wire;
  #tags = 0;
  #answered: Promise<unknown> = Promise.resolve();

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async open(endpoint: Endpoint, name: string, secret: string): Promise<ImapWire> {
    const wire = await Wire.open(endpoint);
    await wire.line();
    const client = new ImapWire(wire);
    await client.must(`LOGIN "${name}" "${secret}"`);
    return client;
  }

  /**
   * May be asked again before it has answered: the servers get all at once.
   * @param literals  sent for each `{}` of the command, in order
   */
  async ask(command: string, ...literals: readonly Buffer[]): Promise<Answer> {
    const tag = `t${++this.#tags}`;
    const [first, ...others] = command.split('{}');
    if (others.length !== literals.length) throw new Error(`${command}: ${literals.length} literals`);
    const pieces = others.flatMap((text, at) => [
      Buffer.from(`{${literals[at]!.length}+}\r\n`),
      literals[at]!,
      Buffer.from(text),
    ]);
    const before = this.#answered;
    const sent = this.#wire.send(Buffer.concat([Buffer.from(`${tag} ${first}`), ...pieces, Buffer.from('\r\n')]));
    const answer = before.then(() => this.#answer(tag));
    this.#answered = answer.catch(() => {}); // whoever asked is told
    await sent;
    return answer;
  }

  async #answer(tag: string): Promise<Answer> {
    const untagged: (readonly Value[])[] = [];
    for (;;) {
      const line = await this.#line();
      const text = line.texts[0]!;
      if (text.startsWith('* ')) untagged.push(valuesOf(line, 2));
      else if (text.startsWith(`${tag} `)) {
        const [, status = '', rest = ''] = /^\S+ (\S+) ?(.*)$/s.exec(text)!;
        return { status, text: rest, untagged };
      } else throw new Error(`neither tagged nor untagged: ${text}`);
    }
  }

  /** Throws unless the answer is OK. */
  async must(command: string, ...literals: readonly Buffer[]): Promise<Answer> {
    const answer = await this.ask(command, ...literals);
    if (answer.status !== 'OK') throw new Error(`${command}: ${answer.status} ${answer.text}`);
    return answer;
  }

  async logOut(): Promise<void> {
    await this.must('LOGOUT');
    this.close();
  }

  close(): void {
    this.#wire.close();
  }

  /** A line with the literals in it. */
  async #line(): Promise<Line> {
    const texts: string[] = [];
    const literals: string[] = [];
    for (;;) {
      const text = await this.#wire.line();
      const size = /~?\{(\d+)\}$/.exec(text);
      texts.push(size ? text.slice(0, size.index) : text);
      if (!size) return { texts, literals };
      const octets: Buffer[] = [];
      for (let left = Number(size[1]); left > 0; left -= octets.at(-1)!.length)
        octets.push(await this.#wire.some(left));
      literals.push(Buffer.concat(octets).toString('latin1'));
    }
  }
}

/** What a FETCH told, by message number and then by item; items of the same message in several responses are joined. */
export function fetched({ untagged }: Answer): Map<number, Map<string, Value>> {
  const told = new Map<number, Map<string, Value>>();
  for (const [number, word, items] of untagged) {
    if (word !== 'FETCH' || !Array.isArray(items)) continue;
    const of = told.get(Number(number)) ?? new Map<string, Value>();
    for (let at = 0; at + 1 < items.length; at += 2) of.set(String(items[at]).toUpperCase(), items[at + 1]!);
    told.set(Number(number), of);
  }
  return told;
}

/** What one message's item says, a string of whatever form. */
export function stringOf(value: Value | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object' && 'string' in value) return value.string;
  throw new Error(`no string: ${JSON.stringify(value)}`);
}

const DELIMITERS = new Set(' ()');

function valuesOf({ texts, literals }: Line, from: number): readonly Value[] {
  const open: Value[][] = [[]];
  const add = (value: Value) => open.at(-1)!.push(value);
  for (const [at, text] of texts.entries()) {
    let next = at === 0 ? from : 0;
    while (next < text.length) {
      const octet = text[next]!;
      if (octet === '(') open.push([]);
      else if (octet === ')' && open.length > 1) add(open.pop()!);
      if (DELIMITERS.has(octet)) next += 1;
      else if (octet === '"') {
        const [whole, inner] = /"((?:[^"\\]|\\.)*)"/y[Symbol.match](text.slice(next)) ?? [
          text.slice(next),
          text.slice(next + 1),
        ];
        add({ string: inner!.replace(/\\(.)/gs, '$1') });
        next += whole!.length;
      } else {
        const atom = atomAt(text, next);
        add(atom.toUpperCase() === 'NIL' ? null : atom);
        next += atom.length;
      }
    }
    if (at < literals.length) add({ string: literals[at]! });
  }
  return open[0]!;
}

/** `BODY[HEADER.FIELDS (SUBJECT)]` is one: within brackets nothing ends it. */
function atomAt(text: string, from: number): string {
  let to = from;
  for (let depth = 0; to < text.length && (depth > 0 || !DELIMITERS.has(text[to]!)); to++) {
    if (text[to] === '[') depth += 1;
    if (text[to] === ']') depth -= 1;
  }
  return text.slice(from, to);
}
