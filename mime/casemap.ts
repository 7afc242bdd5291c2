/**
 * The collation `i;unicode-casemap`: RFC 5051 §2, which SEARCH, SORT and THREAD compare by (RFC 5255 §4.3, RFC 5256 §7).
 * Each code point is titlecased, then decomposed, by itself: so that a text may be cut between any two of them.
 */
/**
 * Code points whose titlecase in UnicodeData.txt is not what `toUpperCase` makes of them: digraphs that have a titlecase
 * of their own, Greek letters with iota subscript, Georgian (which has capitals, and no titlecase), and letters whose
 * capitals are several code points and which therefore have none.
 */
const APART =
  /[ßŉǄ-ǌǰǱ-ǳΐΰև\u10d0-\u10fa\u10fd-\u10ff\u1e96-\u1e9a\u1f50\u1f52\u1f54\u1f56\u1f80-\u1faf\u1fb2-\u1fb4\u1fb6\u1fb7\u1fbc\u1fc2-\u1fc4\u1fc6\u1fc7\u1fcc\u1fd2\u1fd3\u1fd6\u1fd7\u1fe2-\u1fe4\u1fe6\u1fe7\u1ff2-\u1ff4\u1ff6\u1ff7\u1ffc\ufb00-\ufb06\ufb13-\ufb17]/g;
/** What normalisation may put before a neighbour: to be decomposed alone. */
const MARK = /[\p{M}\uff9e\uff9f]|[^\p{M}\uff9e\uff9f]+/gu;
const ASCII = /^[\x00-\x7f]*$/;

/** The "titlecased canonicalized" form of RFC 5051 §2. Two strings are equal under the collation if these are. */
export function casemap(text: string): string {
  if (ASCII.test(text)) return text.toUpperCase();
  return decomposed(titlecased(text));
}

/** Before (below 0), equal to (0) or after (above 0), by code points: of strings that `casemap` made. */
export function compareCasemapped(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a !== b) return rank(a) - rank(b);
  }
  return one.length - other.length;
}

/** Surrogates stand for code points above all others: their order in UTF-16 is not that of UTF-8 (RFC 5051 §2). */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

function titlecased(text: string): string {
  let out = '';
  let from = 0;
  for (const match of text.matchAll(APART)) {
    out += text.slice(from, match.index).toUpperCase() + titlecaseApart(match[0].charCodeAt(0));
    from = match.index + 1;
  }
  return from === 0 ? text.toUpperCase() : out + text.slice(from).toUpperCase();
}

function titlecaseApart(code: number): string {
  if (code >= 0x1c4 && code <= 0x1cc) return String.fromCharCode(0x1c5 + 3 * Math.floor((code - 0x1c4) / 3));
  if (code >= 0x1f1 && code <= 0x1f3) return '\u01f2';
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCharCode(code | 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCharCode(code + 9);
  return String.fromCharCode(code);
}

function decomposed(text: string): string {
  const normal = text.normalize('NFKD');
  if (normal === text) return text;
  return text.replace(MARK, (run) => run.normalize('NFKD'));
}
