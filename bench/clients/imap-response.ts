/**
 * Responses of an IMAP server as data: RFC 9051 §7 and §9, as a client reads them. Written from the grammar and apart from the
 * server's own encoder, so that a fault in that is not read over. Throws on what no grammar allows.
 */

/** An atom or number as it stands, a quoted string or literal as octets, NIL, or a list. */
export type ImapValue = string | Buffer | null | readonly ImapValue[];
export type ResponseCode = { readonly name: string; readonly values: readonly ImapValue[] };
export type Status = 'OK' | 'NO' | 'BAD' | 'PREAUTH' | 'BYE';
export type StatusText = { readonly status: Status; readonly code: ResponseCode | undefined; readonly text: string };

export type ImapResponse =
  | { readonly kind: 'continue'; readonly text: string }
  | ({ readonly kind: 'tagged'; readonly tag: string } & StatusText)
  | ({ readonly kind: 'status' } & StatusText)
  /** `* 3 FETCH (...)` has a number; `* SEARCH 1 2` none. */
  | {
      readonly kind: 'data';
      readonly number: number | undefined;
      readonly name: string;
      readonly values: readonly ImapValue[];
    };

/** The size of the literal that this line ends with: the octets that follow it are no line. */
export function literalAfter(line: string): number | undefined {
  const size = /~?\{(\d+)\}$/.exec(line)?.[1];
  return size === undefined ? undefined : Number(size);
}

/** @param parts  lines without CRLF, and between them the literals that they announce */
export function parseResponse(parts: readonly (string | Buffer)[]): ImapResponse {
  const first = parts[0];
  if (typeof first !== 'string') throw new Error('a response begins with a line');
  if (first.startsWith('+')) return { kind: 'continue', text: first.slice(2) };
  const space = first.indexOf(' ');
  if (space < 1) throw new Error(`neither untagged nor tagged: ${first}`);
  const tag = first.slice(0, space);
  const rest = first.slice(space + 1);
  const status = /^(OK|NO|BAD|PREAUTH|BYE) (.*)$/.exec(rest);
  if (status !== null) {
    const said = statusText(status[1] as Status, status[2]!);
    return tag === '*' ? { kind: 'status', ...said } : { kind: 'tagged', tag, ...said };
  }
  if (tag !== '*') throw new Error(`a tagged response without OK, NO or BAD: ${first}`);
  const [, number, name = ''] = /^(?:(\d+) )?([A-Za-z0-9-]+)/.exec(rest) ?? [];
  if (name === '') throw new Error(`an untagged response without a name: ${first}`);
  const from = (number === undefined ? 0 : number.length + 1) + name.length;
  const values = new Values([rest.slice(from), ...parts.slice(1)]).all();
  return { kind: 'data', number: number === undefined ? undefined : Number(number), name: name.toUpperCase(), values };
}

function statusText(status: Status, said: string): StatusText {
  const [, name, terms = '', text] = /^\[([A-Za-z0-9-]+)( [^\]]*)?\] ?(.*)$/.exec(said) ?? [];
  if (name === undefined) return { status, code: undefined, text: said };
  return { status, code: { name: name.toUpperCase(), values: new Values([terms]).all() }, text: text! };
}

/** Values parted by spaces, with lists in parentheses; what stands in brackets belongs to its atom. */
class Values {
  readonly #parts: readonly (string | Buffer)[];
  #part = 0;
  #at = 0;

  constructor(parts: readonly (string | Buffer)[]) {
    this.#parts = parts;
  }

  all(): readonly ImapValue[] {
    const values = this.#list(false);
    if (this.#part < this.#parts.length) throw this.#wrong('a parenthesis too many');
    return values;
  }

  #list(isInner: boolean): ImapValue[] {
    const values: ImapValue[] = [];
    for (;;) {
      const char = this.#peek();
      if (char === ' ') this.#at++;
      else if (char === undefined) {
        if (isInner) throw this.#wrong('a list without an end');
        return values;
      } else if (char === ')') {
        if (!isInner) throw this.#wrong('a parenthesis too many');
        this.#at++;
        return values;
      } else values.push(this.#value(char));
    }
  }

  #value(char: string): ImapValue {
    if (char === '(') {
      this.#at++;
      return this.#list(true);
    }
    if (char === '"') return this.#quoted();
    const line = this.#line;
    const literal = /^~?\{\d+\}$/.exec(line.slice(this.#at));
    if (literal !== null) return this.#literal();
    return this.#atom();
  }

  #literal(): Buffer {
    const octets = this.#parts[this.#part + 1];
    if (!(octets instanceof Buffer)) throw this.#wrong('a literal that is not there');
    this.#part += 2;
    this.#at = 0;
    return octets;
  }

  #quoted(): Buffer {
    const line = this.#line;
    let text = '';
    for (let at = this.#at + 1; at < line.length; at++) {
      if (line[at] === '"') {
        this.#at = at + 1;
        return Buffer.from(text, 'latin1');
      }
      if (line[at] === '\\') at++;
      text += line[at] ?? '';
    }
    throw this.#wrong('a quoted string without an end');
  }

  #atom(): string | null {
    const line = this.#line;
    let depth = 0;
    let at = this.#at;
    for (; at < line.length; at++) {
      const char = line[at]!;
      if (char === '[') depth++;
      else if (char === ']') depth--;
      else if (depth === 0 && (char === ' ' || char === '(' || char === ')')) break;
    }
    const atom = line.slice(this.#at, at);
    this.#at = at;
    return atom === 'NIL' ? null : atom;
  }

  get #line(): string {
    return this.#parts[this.#part] as string;
  }

  #peek(): string | undefined {
    const line = this.#parts[this.#part];
    if (line === undefined) return undefined;
    if (typeof line !== 'string') throw this.#wrong('octets where a line goes on');
    if (this.#at < line.length) return line[this.#at];
    this.#part++;
    this.#at = 0;
    return this.#part < this.#parts.length ? this.#peek() : undefined;
  }

  #wrong(what: string): Error {
    return new Error(`${what}: ${this.#parts.map((part) => part.toString('latin1')).join('\r\n')}`);
  }
}

/** `2,4:6` in the order it stands; `*` is not for responses. */
export function* numbersIn(set: string): Iterable<number> {
  for (const range of set.split(',')) {
    const [from, to = from] = range.split(':').map(Number);
    if (!(from! > 0 && to! > 0)) throw new Error(`no set of numbers: ${set}`);
    for (let number = Math.min(from!, to!); number <= Math.max(from!, to!); number++) yield number;
  }
}

/** The items of a FETCH response and such: each name with its value. */
export function pairsIn(list: ImapValue | undefined): Map<string, ImapValue> {
  if (!Array.isArray(list) || list.length % 2 !== 0) throw new Error(`no list of pairs: ${JSON.stringify(list)}`);
  const pairs = new Map<string, ImapValue>();
  for (let at = 0; at < list.length; at += 2) pairs.set(String(list[at]).toUpperCase(), list[at + 1]!);
  return pairs;
}
