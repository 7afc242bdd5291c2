/**
 * Patterns of LIST and LSUB: RFC 9051 §6.3.9, RFC 3501 §6.3.8. `*` stands for anything, `%` for anything within a level. Linear in
 * the name for each wildcard, whatever the two are. Pure.
 */
import { INBOX, SEPARATOR } from '../../kernel/mailbox-name.ts';

/** A pattern with more is matched by nothing: RFC 9051 §6.3.9 lets servers ignore what they do not accept. */
const MOST_WILDCARDS = 12;

export class Pattern {
  readonly #text: string;
  readonly #isAccepted: boolean;
  /** What every name that matches begins with. */
  readonly prefix: string;

  /** @param text  the reference and the pattern, joined; Unicode */
  constructor(text: string) {
    const simple = text.replace(/[*%]*\*[*%]*/g, '*').replace(/%+/g, '%');
    // RFC 9051 §5.1: INBOX in any case; its inferiors are kept below that spelling too.
    this.#text = simple.replace(/^inbox(?=$|\/)/i, INBOX);
    const wildcards = this.#text.replace(/[^*%]/g, '').length;
    this.#isAccepted = wildcards <= MOST_WILDCARDS;
    this.prefix = this.#text.split(/[*%]/, 1)[0]!;
  }

  /** Could a name below this level match, or the level itself? */
  reaches(level: string): boolean {
    const { prefix } = this;
    if (prefix.length <= level.length) return level.startsWith(prefix);
    return prefix.startsWith(level + SEPARATOR);
  }

  matches(name: string): boolean {
    if (!this.#isAccepted) return false;
    if (matched(this.#text, name)) return true;
    // INBOX as a wildcard leaves it: `in%` matches it too.
    return name === INBOX && matched(this.#text.toUpperCase(), INBOX);
  }
}

/** All places of the pattern that the name may have come to, octet by octet. */
function matched(pattern: string, name: string): boolean {
  let places = closure(pattern, [0]);
  for (let at = 0; at < name.length && places.length > 0; at++) {
    const unit = name[at]!;
    const next: number[] = [];
    for (const place of places) {
      const wanted = pattern[place];
      if (wanted === '*' || (wanted === '%' && unit !== SEPARATOR)) next.push(place);
      else if (wanted === unit) next.push(place + 1);
    }
    places = closure(pattern, next);
  }
  return places.at(-1) === pattern.length;
}

/** With the places behind wildcards that may stand for nothing; ascending, each once. */
function closure(pattern: string, places: readonly number[]): readonly number[] {
  const all = new Set<number>();
  for (let place of places) {
    while (!all.has(place)) {
      all.add(place);
      if (pattern[place] === '*' || pattern[place] === '%') place += 1;
    }
  }
  return [...all].sort((a, b) => a - b);
}
