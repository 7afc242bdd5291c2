/**
 * Tokens of structured header fields: RFC 5322 §3.2, RFC 2045 §5.1. Reads an unfolded value from left to right, one latin1
 * character an octet, and turns back at most once; so whatever is built on it takes linear time. Judges nothing.
 */

/** What ends a word of a phrase or a local part, beside controls: less than ends an `atom`, since brackets are met there. */
const NOT_IN_WORDS = ' "(),:;<>@\x7f';
const NOT_IN_DOMAINS = ' "(),:;<>@[]\\\x7f';
/** What ends a `token` (RFC 2045 §5.1); octets above ASCII do not. */
const NOT_IN_TOKENS = ' ()<>@,;:\\"/[]?=\x7f';
/** What ends a parameter's value without quotes: all that can't be taken for the next thing goes with it, `token` or not. */
const NOT_IN_VALUES = ' ();"\x7f';

export class Scanner {
  readonly text: string;
  #at = 0;
  /** Characters looked at so far: what the scanning cost. */
  steps = 0;
  /** The last comment passed, without its parentheses and its quoting; the user may clear it. */
  comment = '';
  /** A quote was opened that nothing closes: then none that follows is closed either. */
  #quotesAreJunk = false;
  #bracketsAreJunk = false;

  constructor(text: string) {
    this.text = text;
  }

  /** The next character; empty at the end. */
  peek(): string {
    return this.text.charAt(this.#at);
  }

  skip(): void {
    this.steps += 1;
    this.#at += 1;
  }

  word(): string {
    return this.#upTo(NOT_IN_WORDS);
  }
  domainWord(): string {
    return this.#upTo(NOT_IN_DOMAINS);
  }
  token(): string {
    return this.#upTo(NOT_IN_TOKENS);
  }
  bareValue(): string {
    return this.#upTo(NOT_IN_VALUES);
  }

  /** `CFWS` (RFC 5322 §3.2.2): spaces and comments, nested ones too. A comment that is not closed takes all that follows. */
  cfws(): void {
    while (this.#at < this.text.length) {
      const char = this.peek();
      if (char === '(') this.#passComment();
      else if (char === ' ' || char === '\t') this.skip();
      else return;
    }
  }

  /**
   * `quoted-string` (RFC 5322 §3.2.4), without quotes and backslashes. Where nothing closes it the quote alone is passed and
   * the answer is undefined.
   */
  quotedString(): string | undefined {
    const closed = this.#quotesAreJunk ? undefined : this.#enclosed('"');
    if (closed === undefined) {
      this.#quotesAreJunk = true;
      this.skip();
    }
    return closed;
  }

  /** `domain-literal` (RFC 5322 §3.4.1), with its brackets; undefined, and the bracket passed, where nothing closes it. */
  domainLiteral(): string | undefined {
    const closed = this.#bracketsAreJunk ? undefined : this.#enclosed(']');
    if (closed === undefined) {
      this.#bracketsAreJunk = true;
      this.skip();
    }
    return closed === undefined ? undefined : `[${closed}]`;
  }

  /** From the opening character to `end`; stays where it is when there is no end. */
  #enclosed(end: string): string | undefined {
    let content = '';
    let from = this.#at + 1;
    for (let at = from; at < this.text.length; at += 1) {
      this.steps += 1;
      const char = this.text[at];
      if (char === '\\') {
        content += this.text.slice(from, at);
        at += 1;
        from = at; // the character behind it stands for itself
      } else if (char === end) {
        this.#at = at + 1;
        return content + this.text.slice(from, at);
      }
    }
    return undefined;
  }

  #passComment(): void {
    let content = '';
    let depth = 0;
    let from = this.#at + 1;
    for (; this.#at < this.text.length; this.skip()) {
      const char = this.peek();
      if (char === '(') depth += 1;
      if (char === '\\') {
        content += this.text.slice(from, this.#at);
        this.skip();
        from = this.#at;
      }
      if (char !== ')') continue;
      depth -= 1;
      if (depth > 0) continue;
      this.comment = content + this.text.slice(from, this.#at);
      this.skip();
      return;
    }
  }

  #upTo(excluded: string): string {
    const from = this.#at;
    while (this.#at < this.text.length && this.peek() > '\x1f' && !excluded.includes(this.peek())) this.skip();
    return this.text.slice(from, this.#at);
  }
}
