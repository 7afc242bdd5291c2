/** HTML as text, for previews. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HtmlText } from '../../mime/html-text.ts';

function textOf(chunks: readonly string[]): string {
  const html = new HtmlText();
  return chunks.map((chunk) => html.write(chunk)).join('') + html.end();
}

const ROWS: readonly (readonly [what: string, html: string, text: string])[] = [
  ['tags go', 'a <b>bold</b> word', 'a bold word'],
  ['words cut by tags are whole', 'w<i>or</i>d', 'word'],
  ['blocks are lines', '<p>one</p><p>two<br>three</p>', 'one\ntwo\nthree\n'],
  ['a tag without space is one still', 'a<br/>b<BR />c', 'a\nb\nc'],
  ['attributes may hold anything', `a<a href="x>y" title='"<b>'>b</a>`, 'ab'],
  ['comments', 'a<!-- <p> -- > x -->b', 'ab'],
  ['doctype and instructions', '<!DOCTYPE html><?xml version="1.0"?>a', 'a'],
  ['scripts and styles', '<style>p > a { }</style><SCRIPT>if (a<b) "</p>"</SCRIPT >a', 'a'],
  ['the title is none of the text', '<title>T</title>a', 'a'],
  ['a raw end begun twice', '<script>x</s</script>a', 'a'],
  ['named references', 'a&amp;b &lt;c&gt; &quot;d&quot; caf&eacute; &euro;&nbsp;1', 'a&b <c> "d" café €\u00a01'],
  ['numbered references', '&#233;&#xE9;&#X1f600;', 'éé😀'],
  ['references without semicolon', '&eacute x&amp&lt', 'é x&<'],
  ['what is no reference', 'a & b &foo; &#; &#xzz; &; AT&T', 'a & b &foo; &#; &#xzz; &; AT&T'],
  ['references to nothing', '&#0;&#xd800;&#x110000;', '\ufffd\ufffd\ufffd'],
  ['a sign that is no tag', 'a < b <3 <> 1', 'a < b <3 <> 1'],
  ['line ends are spaces', 'a\r\nb', 'a  b'],
  ['space between blocks is none', '<div>\n  <p> a </p>\n</div>', 'a \n'],
  ['quotations are marked', 'a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e', 'a\n>b\n>c\n>>d\ne'],
  ['an end too many', '</blockquote>a', 'a'],
  ['ends in the middle of a tag', 'a<b', 'a'],
  ['ends behind a sign', 'a<', 'a<'],
  ['ends in a reference', 'a&am', 'a&am'],
];
for (const [what, html, text] of ROWS)
  test(what, () => {
    assert.is(textOf([html]), text);
    assert.is(textOf(html.split('')), text);
  });

test('hostile: any piece of syntax, repeated without end, is passed once', () => {
  for (const piece of [
    '<',
    '<a',
    '<a "',
    '<!--',
    '-->',
    '&',
    '&#',
    '&a',
    '<script>',
    '</script',
    '<blockquote>',
    '</',
    '<p>',
  ])
    assert.type(textOf([piece.repeat(50_000)]), 'string');
});

const pieces = fc.constantFrom(
  '<',
  '>',
  '/',
  '!',
  '--',
  '"',
  "'",
  '=',
  '&',
  ';',
  '#',
  'x',
  'amp',
  'p',
  'br',
  'b',
  'script',
  '<p>',
  '</script>',
  ' ',
  '\n',
  '<blockquote>',
  '😀',
);

test('property: cut anywhere, the text is the same', () =>
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
      assert.is(textOf(parts), textOf([parts.join('')]));
      assert.is(textOf(parts.join('').split('')), textOf([parts.join('')]));
    }),
    { numRuns: 2000, seed: 1866 },
  ));

test.run();
