/**
 * What is wrong with a configuration, in words an operator can act on: file, key, value, what is allowed.
 *
 * Knows no option by name. Values of options that may hold a secret never come here.
 */
export type Problem = {
  /** As the operator named it. */
  readonly file: string;
  /** `pop3.idle-timeout`, `listener#2.port` (the second `[[listener]]`); absent when the file itself is the problem. */
  readonly key?: string;
  readonly text: string;
};

/** `file: key: what is wrong`, as every command prints it after `homing: `. */
export const printProblem = ({ file, key, text }: Problem): string =>
  key === undefined ? `${file}: ${text}` : `${file}: ${key}: ${text}`;

/** A path into the file as TOML spells keys; a number counts the entries of a list from 1. */
export function printKey(path: readonly PropertyKey[]): string {
  let key = '';
  for (const part of path) {
    if (typeof part === 'number') key += `#${part + 1}`;
    else key += (key === '' ? '' : '.') + (/^[A-Za-z0-9_-]+$/.test(String(part)) ? String(part) : quote(String(part)));
  }
  return key;
}

/** A value in an error text: short, on one line, and never the contents of a table. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return 'a date';
  return Array.isArray(value) ? 'a list' : 'a table';
}

/** The known word that was probably meant: at most a third of it mistyped, two letters in short words. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; edits: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > 6) continue;
    const edits = editDistance(word.toLowerCase().replaceAll('_', '-'), candidate);
    if (
      edits <= Math.max(2, Math.floor(candidate.length / 3)) &&
      edits < candidate.length &&
      edits < (best?.edits ?? Number.POSITIVE_INFINITY)
    )
      best = { word: candidate, edits };
  }
  return best?.word;
}

const MAX_SHOWN = 80;

function quote(text: string): string {
  const quoted = JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
  return quoted.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Letters to insert, delete, replace or swap with their neighbour to make `a` into `b`. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(replaced, rows[i - 1]![j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, rows[i - 2]![j - 2]! + 1);
      row.push(edits);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
