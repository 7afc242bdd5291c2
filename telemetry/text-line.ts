/**
 * A JSON log line as people read it: `2026-11-22T08:00:00.000Z INFO  ready node=n1 listeners=3`. Pure.
 * Always one line: what a value holds can't forge another.
 */

/** @param json  a line as pino writes it, with `time`, `level` and `msg` */
export function textLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const head = `${time} ${String(level).toUpperCase().padEnd(5)} ${escapeControls(String(msg ?? ''))}`;
  return `${Object.entries(fields).reduce((line, [key, value]) => `${line} ${bare(key)}=${valueText(value)}`, head)}\n`;
}

const valueText = (value: unknown): string =>
  typeof value === 'string' ? bare(value) : escapeControls(JSON.stringify(value));

/** Left as it is where nothing in it can be misread; otherwise a JSON string. */
const bare = (text: string): string =>
  /^[\p{L}\p{N}_.:@/+<>[\]-]+$/u.test(text) ? text : escapeControls(JSON.stringify(text));

/** Control characters, line separators and direction marks: they would move a terminal's cursor or hide text. */
const escapeControls = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
