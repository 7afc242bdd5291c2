/** The base subject: RFC 5256 §2.1 and §5, rule by rule. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { baseSubject } from '../../mime/base-subject.ts';

const ROWS: readonly (readonly [rule: string, subject: string, base: string, isReplyOrForward: boolean])[] = [
  ['nothing to take off', 'Hello world', 'Hello world', false],
  ['empty', '', '', false],
  ['(1) tabs, line ends and runs of spaces are one space', 'a\t b  \r\n  c', 'a b c', false],
  ['(2) trailers: spaces', 'a  ', 'a', false],
  ['(2) trailers: (fwd)', 'a (fwd)', 'a', true],
  ['(2) trailers: several, in any case', 'a(FWD) (fwd) ', 'a', true],
  ['(3) leaders: re', 'Re: a', 'a', true],
  ['(3) leaders: fw and fwd', 'FW: Fwd: a', 'a', true],
  ['(3) leaders: space before the colon', 're : a', 'a', true],
  ['(3) leaders: a blob before the colon', 'Re[2]: a', 'a', true],
  ['(3) leaders: spaces around the blob', 'Re [2] : a', 'a', true],
  ['(3) leaders: blobs before it', '[list] [x] Re: a', 'a', true],
  ['(3) leaders: spaces', '  a', 'a', false],
  ['(3) words that begin like one', 'Reply: a', 'Reply: a', false],
  ['(3) forward is no leader', 'Forward: a', 'Forward: a', false],
  ['(3) fwdd is none', 'fwdd: a', 'fwdd: a', false],
  ['(3) two blobs before the colon are one too many', 're[1][2]: a', 're[1][2]: a', false],
  ['(3) nothing left', 'Re:', '', true],
  ['(4) a blob before text', '[list] a', 'a', false],
  ['(4) several blobs before text', '[list][b] [c]a', 'a', false],
  ['(4) a blob alone is the base', '[list]', '[list]', false],
  ['(4) the last of several blobs alone', '[a] [b]', '[b]', false],
  ['(4) an empty blob', '[] a', 'a', false],
  ['(4) a blob that is not closed', '[list a', '[list a', false],
  ['(4) brackets in brackets are no blob', '[a[b]] c', '[a[b]] c', false],
  ['(5) leaders and blobs in turn', 'Re: [list] Fw: [x] a', 'a', true],
  ['(6) a forward in brackets', '[Fwd: a]', 'a', true],
  ['(6) and what is within', '[fwd: Re: [list] a (fwd)]', 'a', true],
  ['(6) forwards in forwards', '[Fwd: [fwd: a]]', 'a', true],
  ['(6) a forward of nothing', '[fwd:]', '', true],
  ['(6) a forward with text behind it is a blob', '[fwd: a] b', 'b', false],
  ['all together', 'Re: [list] [Fwd: FW: Hello (fwd) ] (fwd)', 'Hello', true],
  ['letters are left as they are', 'RE: Grüße', 'Grüße', true],
  ['only ASCII letters make a token', 'ＲＥ: a', 'ＲＥ: a', false],
  ['brackets that cross the end', 'Re: [a](fwd)', '[a]', true],
];
for (const [rule, subject, base, isReplyOrForward] of ROWS)
  test(`RFC 5256 §2.1: ${rule}`, () => assert.equal(baseSubject(subject), { text: base, isReplyOrForward }));

/** The procedure as the RFC words it, one removal at a time, by expressions made of its ABNF. */
function literally(subject: string): { text: string; isReplyOrForward: boolean } {
  let text = subject.replace(/[\t\r\n ]+/g, ' ');
  let isReplyOrForward = false;
  const remove = (pattern: RegExp, tells: boolean): boolean => {
    if (!pattern.test(text)) return false;
    text = text.replace(pattern, '');
    isReplyOrForward ||= tells;
    return true;
  };
  const blob = '\\[[^\\[\\]\\0]*\\] *';
  for (;;) {
    while (remove(/\(fwd\)$/i, true) || remove(/ $/, false)); // (2)
    for (;;) {
      const hasLeader = remove(/^ /, false) || remove(new RegExp(`^(?:${blob})*(?:re|fwd?) *(?:${blob})?:`, 'i'), true); // (3)
      const hasBlob = !hasLeader && remove(new RegExp(`^${blob}(?=[^ ])`), false); // (4)
      if (!hasLeader && !hasBlob) break; // (5)
    }
    const forward = /^\[fwd:(.*)\]$/is.exec(text); // (6)
    if (forward === null) return { text, isReplyOrForward };
    text = forward[1]!;
    isReplyOrForward = true;
  }
}

const pieces = ['re', 'Fw', 'fwd', ':', '[', ']', '[fwd:', '(fwd)', ' ', '\t', 'a', 'Re: ', '[x]', '[x] ', '\0'];

test('property: one pass does what the procedure does step by step', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), (parts) => {
      assert.equal(baseSubject(parts.join('')), literally(parts.join('')), JSON.stringify(parts.join('')));
    }),
    { numRuns: 2000, seed: 5256 },
  ));

test('property: a reply has the base subject of what it replies to', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (subject) => {
      const { text } = baseSubject(subject);
      assert.is(baseSubject(`Re: ${subject}`).text, text);
    }),
    { numRuns: 500, seed: 5257 },
  ));

test('hostile: any piece of syntax, repeated without end, is passed in one go', () => {
  for (const piece of ['[', ']', '[a]', '[fwd:', 're:', 're[', 're[]', '(fwd)', ' ', '[a] re: ', '[a]x'])
    for (const end of ['', ']'.repeat(50_000), 'x'])
      assert.type(baseSubject(piece.repeat(50_000) + end).text, 'string');
});

test.run();
