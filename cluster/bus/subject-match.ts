/**
 * Subjects with wildcards as NATS has them: `*` stands for one token, a last `>` for one or more. Pure.
 */

export const isPattern = (subject: string): boolean => /(^|\.)(\*(\.|$)|>$)/.test(subject);

/** Does `subject`, which has no wildcards, fall under `pattern`? */
export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (const [index, want] of wanted.entries()) {
    if (want === '>' && index === wanted.length - 1) return tokens.length > index;
    if (index >= tokens.length || (want !== '*' && want !== tokens[index])) return false;
  }
  return tokens.length === wanted.length;
}

/** Values kept by pattern; those without wildcards are found without a search. */
export class PatternMap<T> {
  readonly #exact = new Map<string, T>();
  readonly #wild = new Map<string, T>();

  get(pattern: string): T | undefined {
    return this.#side(pattern).get(pattern);
  }

  set(pattern: string, value: T): void {
    this.#side(pattern).set(pattern, value);
  }

  delete(pattern: string): void {
    this.#side(pattern).delete(pattern);
  }

  /** The values of all patterns that `subject` falls under. */
  matching(subject: string): T[] {
    const found: T[] = [];
    const exact = this.#exact.get(subject);
    if (exact !== undefined) found.push(exact);
    for (const [pattern, value] of this.#wild) if (matches(pattern, subject)) found.push(value);
    return found;
  }

  *values(): Iterable<T> {
    yield* this.#exact.values();
    yield* this.#wild.values();
  }

  #side(pattern: string): Map<string, T> {
    return isPattern(pattern) ? this.#wild : this.#exact;
  }
}
