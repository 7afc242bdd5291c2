/**
 * Message identifiers in Message-ID, References and In-Reply-To: RFC 5322 §3.6.4, in the one form that RFC 5256 §3 wants
 * them compared in, which is without the quoting that one sender writes and another does not.
 */

/** Who answers more than this many messages at once is making work; the last ones are those that count. */
const MOST_IDS = 1000;

/**
 * `msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]`: all valid ones, in their order.
 * @param value  the field body, with or without its folding
 * @returns each as `left@right`, unquoted; what is no identifier is passed over. The last 1,000 where there are more
 */
export function messageIds(value: string): string[] {
  const ids: string[] = [];
  let honoursQuotes = true; // until one turns out to be closed by nothing
  for (let start = value.indexOf('<'); start >= 0; ) {
    const found = idAt(value, start, honoursQuotes);
    if (found.end === undefined) {
      if (!found.isInQuotes) break; // no `>` anywhere behind
      honoursQuotes = false;
      continue;
    }
    if (found.id !== undefined) ids.push(found.id);
    start = value.indexOf('<', found.end);
  }
  return ids.slice(-MOST_IDS);
}

type Found = { readonly id?: string; readonly end: number | undefined; readonly isInQuotes: boolean };

/** From `<` to its `>`, or to another `<`, which begins anew. `end`: where to look for the next. */
function idAt(value: string, start: number, honoursQuotes: boolean): Found {
  let text = '';
  let at = start + 1;
  let atSign = -1; // in `text`: the last one, outside of quotes
  let isInQuotes = false;
  for (; at < value.length; at += 1) {
    const char = value[at]!;
    if (char === '\\' && (isInQuotes || atSign >= 0)) {
      at += 1;
      text += value[at] ?? '';
    } else if (honoursQuotes && char === '"') isInQuotes = !isInQuotes;
    else if (isInQuotes) text += char;
    else if (char === '>') return { id: validId(text, atSign), end: at + 1, isInQuotes };
    else if (char === '<') return { end: at, isInQuotes };
    else if (!/\s/.test(char)) {
      if (char === '@') atSign = text.length;
      text += char;
    }
  }
  return { end: undefined, isInQuotes };
}

const validId = (text: string, atSign: number): string | undefined =>
  atSign > 0 && atSign < text.length - 1 ? text : undefined;
