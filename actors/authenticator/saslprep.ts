/**
 * SASLprep (RFC 4013), so that a password typed on two keyboards is one password. Pure.
 *
 * Mapping, normalisation and prohibited characters are the RFC's. Two rules are left out on purpose: unassigned code points
 * are let through (RFC 4013 §2.5 is about Unicode 3.2; passwords of today may hold newer letters), and so are mixed
 * directions (§2.4), which changes no output and only refuses. ASCII without controls comes out as it went in.
 */

/** RFC 3454 C.1.2: spaces that are not U+0020, each mapped to it. */
const NON_ASCII_SPACE = /[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu;
/** RFC 3454 B.1, commonly mapped to nothing; U+200B is taken by C.1.2 before. */
const MAPPED_TO_NOTHING = /\u00AD|\u034F|\u1806|[\u180B-\u180D]|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu;
/** RFC 4013 §2.3: C.2.1 and C.2.2 controls, C.3 private use, C.4 non-characters, C.5 surrogates, C.6 to C.9. */
const PROHIBITED = new RegExp(
  [
    '[\\u0000-\\u001F\\u007F-\\u009F\\u06DD\\u070F\\u180E\\u2028\\u2029\\u2061-\\u2063\\u206A-\\u206F]', // C.2
    '[\\uFFF9-\\uFFFD\\u{1D173}-\\u{1D17A}]', // C.2.2, C.6
    '[\\u2FF0-\\u2FFB\\u0340\\u0341\\u200E\\u200F\\u202A-\\u202E]', // C.7, C.8
    '\\p{Co}|\\p{Cs}|\\p{Noncharacter_Code_Point}', // C.3, C.5, C.4
    '[\\u{E0001}\\u{E0020}-\\u{E007F}]', // C.9
  ].join('|'),
  'u',
);
const PLAIN_ASCII = /^[\x20-\x7E]*$/;

/** The prepared text, or undefined when it holds a character that RFC 4013 §2.3 prohibits. */
export function saslprep(text: string): string | undefined {
  if (PLAIN_ASCII.test(text)) return text;
  const prepared = text.replace(NON_ASCII_SPACE, ' ').replace(MAPPED_TO_NOTHING, '').normalize('NFKC');
  return PROHIBITED.test(prepared) ? undefined : prepared;
}
