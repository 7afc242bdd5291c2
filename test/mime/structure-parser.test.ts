/** Where parts lie, and how BODY and BODYSTRUCTURE tell them: RFC 2045, RFC 2046 §5, RFC 9051 §7.5.2. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textOf } from '../properties/cuts.ts';
import { bodyStructureOf, everyPart, lines, MIXED, structureOf, texts } from './structure-messages.ts';

/** BODYSTRUCTURE of a text/plain part with no extension data, as it stands behind its size. */
const TEXT = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit"';
const NO_EXTENSION = 'NIL NIL NIL NIL)';

test('RFC 2045 §5.2: a message that says nothing of itself is text/plain in US-ASCII', () => {
  const { message, body, bodyStructure, sizeOctets } = structureOf('Subject: x\r\n\r\na\r\nb\r\n');
  assert.is(textOf(bodyStructure), `${TEXT} 6 2 ${NO_EXTENSION}`);
  assert.is(textOf(body), `${TEXT} 6 2)`);
  assert.is(sizeOctets, 20);
  const part = { from: 0, body: 14, to: 20, lines: 2, kind: 'leaf', parts: [], type: 'text/plain', encoding: '7bit' };
  assert.equal(message, part);
});

test('RFC 9051 §7.5.2: all fields of a single part, in their order and as sent', () => {
  const head = lines(
    'MIME-Version: 1.0',
    'Content-Type: Application/X-Foo; Name="a \\"b\\""; size=3',
    'Content-ID: <a@b> (c)',
    'Content-Description: =?utf-8?q?a?=',
    ' b',
    'Content-Transfer-Encoding: BASE64',
    'Content-MD5: Q2hlY2s=',
    'Content-Disposition: attachment; filename=x; a=b',
    'Content-Language: en, de',
    'Content-Location: http://x/\xe9',
  );
  const { message, body, bodyStructure } = structureOf(`${head}\r\n\r\nYQ==`);
  const fields = '("Application" "X-Foo" ("Name" "a \\"b\\"" "size" "3") "<a@b> (c)" "=?utf-8?q?a?= b" "BASE64" 4';
  assert.is(textOf(body), `${fields})`);
  assert.is(
    textOf(bodyStructure),
    `${fields} "Q2hlY2s=" ("attachment" ("filename" "x" "a" "b")) ("en" "de") {10}\r\nhttp://x/\xe9)`,
  );
  assert.equal([message.type, message.encoding, message.charset], ['application/x-foo', 'base64', undefined]);
});

test('RFC 2046 §4.1.2: text without a charset is in US-ASCII, and others get none', () => {
  const of = (type: string) => bodyStructureOf(`Content-Type: ${type}\r\n\r\n`);
  assert.match(of('text/html; format=flowed'), '("text" "html" ("format" "flowed" "charset" "us-ascii") NIL');
  assert.match(of('text/plain; CHARSET=x'), '("text" "plain" ("CHARSET" "x") NIL');
  assert.match(of('image/png'), '("image" "png" NIL NIL');
  assert.is(structureOf('Content-Type: text/plain; CHARSET=X\r\n\r\n').message.charset, 'X');
});

test('RFC 2045 §4: without MIME-Version and Content-Type other MIME fields mean nothing', () => {
  const fields = 'Content-Transfer-Encoding: base64\r\nContent-ID: <a>\r\n';
  assert.is(bodyStructureOf(`${fields}\r\n`), `${TEXT} 0 0 ${NO_EXTENSION}`);
  assert.match(bodyStructureOf(`${fields}Mime-Version: 1.0\r\n\r\n`), '"<a>" NIL "base64"');
  assert.match(bodyStructureOf(`${fields}Content-Type: text/plain\r\n\r\n`), '"<a>" NIL "base64"');
});

test('RFC 2045 §5.2: a Content-Type that can not be read is text/plain, and of two the first counts', () => {
  assert.is(bodyStructureOf('Content-Type: multipart\r\n\r\n'), `${TEXT} 0 0 ${NO_EXTENSION}`);
  assert.match(bodyStructureOf('Content-Type: text/a\r\nContent-Type: text/b\r\n\r\n'), '("text" "a"');
});

test('RFC 2046 §5.1.1: parts lie between delimiters, preamble and epilogue in none', () => {
  const message = `${MIXED}preamble\r\n--B\r\nA: b\r\n\r\none\r\n--B \t\r\n\r\ntwo\r\n\r\n--B--\r\nepilogue\r\n--B\r\n`;
  assert.equal(texts(message), [
    [MIXED, message.slice(MIXED.length)],
    ['A: b\r\n\r\n', 'one'],
    ['\r\n', 'two\r\n'],
  ]);
  assert.is(
    bodyStructureOf(message),
    `(${TEXT} 3 0 ${NO_EXTENSION}${TEXT} 5 1 ${NO_EXTENSION} "mixed" ("boundary" "B") NIL NIL NIL)`,
  );
});

test('RFC 2046 §5.1.1: the line end before a delimiter is the delimiter’s, even the one of an empty line', () => {
  for (const [part, expected] of [
    ['A: b\r\n\r\n\r\n', ['A: b\r\n\r\n', '']],
    ['A: b\r\n\r\n', ['A: b\r\n', '']],
    ['A: b\r\n', ['A: b', '']],
    ['\r\n\r\n', ['\r\n', '']],
    ['\r\n', ['', '']],
    ['', ['', '']],
  ] as const)
    assert.equal(texts(`${MIXED}--B\r\n${part}--B--\r\n`)[1], expected, JSON.stringify(part));
});

test('RFC 2046 §5.1.2: the delimiter of a multipart around it ends what is within', () => {
  const inner = lines('Content-Type: multipart/alternative; boundary=C', '', '--C', '', 'a', '--C', 'X: y');
  const message = `${MIXED}--B\r\n${inner}\r\n--B\r\n\r\nb\r\n--C\r\nc\r\n--B--\r\n`;
  assert.equal(
    texts(message)
      .slice(1)
      .map(([, body]) => body),
    ['--C\r\n\r\na\r\n--C\r\nX: y', 'a', '', 'b\r\n--C\r\nc'],
  );
});

test('a multipart within another may have the same boundary, or one that the other begins with', () => {
  const of = (boundary: string) =>
    lines(
      '--B',
      `Content-Type: multipart/x; boundary=${boundary}`,
      '',
      `--${boundary}`,
      '',
      'a',
      `--${boundary}--`,
      '',
    );
  const shape = (message: string) =>
    bodyStructureOf(message).replaceAll(/\("text"[^"]*"plain".*?NIL NIL NIL NIL\)/g, 't');
  assert.is(
    shape(`${MIXED}${of('B')}--B\r\n\r\nb\r\n--B--`),
    '((t "x" ("boundary" "B") NIL NIL NIL)t "mixed" ("boundary" "B") NIL NIL NIL)',
  );
  assert.is(
    shape(`${MIXED}${of('BB')}--B\r\n\r\nb\r\n--B--`),
    '((t "x" ("boundary" "BB") NIL NIL NIL)t "mixed" ("boundary" "B") NIL NIL NIL)',
  );
});

test('a multipart that has no parts is told with an empty text/plain part in it', () => {
  for (const type of ['multipart/mixed', 'multipart/mixed; boundary=B', 'multipart/mixed; boundary=""']) {
    const { message, body } = structureOf(`Content-Type: ${type}\r\n\r\nx\r\n--B--\r\n`);
    assert.is(textOf(body), `(${TEXT} 0 0) "mixed")`);
    assert.equal(
      [...everyPart(message)].map(({ from, to }) => from - to),
      [message.from - message.to, 0],
    );
  }
});

test('a multipart without its last delimiter ends with the message', () =>
  assert.equal(texts(`${MIXED}--B\r\n\r\na\r\n`)[1], ['\r\n', 'a\r\n']));

test('RFC 2046 §5.2.1: a message within has its envelope, its structure and its lines', () => {
  const inner = lines('Subject: in', '', 'text', '');
  const message = `${MIXED}--B\r\nContent-Type: message/RFC822; name=x\r\n\r\n${inner}\r\n--B--\r\n`;
  assert.is(
    bodyStructureOf(message),
    `(("message" "rfc822" ("name" "x") NIL NIL "7bit" 21 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ` +
      `${TEXT} 6 1 ${NO_EXTENSION} 3 ${NO_EXTENSION} "mixed" ("boundary" "B") NIL NIL NIL)`,
  );
  assert.equal(texts(message)[2], ['Subject: in\r\n\r\n', 'text\r\n']);
});

test('RFC 6532 §3.7 and RFC 9051 §7.5.2: message/global is a message too, unless it is encoded', () => {
  const of = (encoding: string) =>
    bodyStructureOf(
      `Content-Type: message/global\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\nSubject: \xc3\xa9\r\n\r\n`,
    );
  assert.match(of('8bit'), '("message" "global" NIL NIL NIL "8bit" 15 (NIL {2}\r\n\xc3\xa9 NIL');
  assert.is(of('base64'), `("application" "octet-stream" NIL NIL NIL "base64" 15 ${NO_EXTENSION}`);
});

test('RFC 2045 §6.4: an encoded message/rfc822 is not looked into', () => {
  const part = 'Content-Type: message/rfc822; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQp4';
  assert.match(
    bodyStructureOf(`${MIXED}--B\r\n${part}\r\n--B--`),
    '(("application" "octet-stream" ("name" "x") NIL NIL "base64" 20 NIL',
  );
});

test('RFC 2046 §5.1.5: in a digest a part without a type is a message', () => {
  const message = lines(
    'Content-Type: multipart/digest; boundary=C',
    '',
    '--C',
    '',
    'Subject: in',
    '',
    'a',
    '--C',
    'Content-Type: text/html',
    '',
    'b',
    '--C--',
  );
  assert.is(
    textOf(structureOf(message).body),
    `(("message" "rfc822" NIL NIL NIL "7bit" 16 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ${TEXT} 1 0) 2)` +
      '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 1 0) "digest")',
  );
});

test('a message that is a message, without any multipart', () => {
  const message =
    'Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/x; boundary=C\r\n\r\n--C\r\n\r\na\r\n--C--\r\n';
  assert.equal(
    [...everyPart(structureOf(message).message)].map(({ kind, type }) => `${kind} ${type}`),
    ['message message/rfc822', 'multipart multipart/x', 'leaf text/plain'],
  );
});

test('RFC 5322 §2.1: a message without an empty line is all header, and one that begins with it has none', () => {
  assert.equal(texts('Subject: x'), [['Subject: x', '']]);
  assert.equal(texts('\r\nSubject: x'), [['\r\n', 'Subject: x']]);
  assert.equal(texts(''), [['', '']]);
  assert.is(bodyStructureOf(''), `${TEXT} 0 0 ${NO_EXTENSION}`);
});

test('LF alone ends a line too, CR alone does not', () => {
  const message = 'Content-Type: multipart/x; boundary=B\n\n--B\n\na\rb\r\r\n--B\n\r\nc\n--B--\n';
  assert.equal(texts(message).slice(1), [
    ['\n', 'a\rb\r'],
    ['\r\n', 'c'],
  ]);
});

test('RFC 5322 §2.2.3: fields are folded, in any case, and with spaces before the colon', () => {
  assert.match(bodyStructureOf('cOnTeNt-tYpE \t:\r\n text/\r\n\t html\r\n\r\n'), '("text" "html"');
  assert.match(bodyStructureOf(' Content-Type: text/a\r\nX\r\n y\r\nContent-Type: text/b\r\n\r\n'), '("text" "b"');
});

test('the values that are sorted by come as they were sent, unfolded', () => {
  const { header } = structureOf(
    lines(
      'Subject:  =?x?=',
      '\t\xe9 ',
      'To: a@b',
      'To: c@d',
      'References: <a>',
      ' <b>',
      'Message-ID: <c>',
      'Date: d',
      '',
      '',
    ),
  );
  assert.equal(Object.fromEntries(Object.entries(header).map(([name, value]) => [name, textOf(value)])), {
    date: 'd',
    subject: '=?x?=\t\xe9',
    to: 'a@b, c@d',
    messageId: '<c>',
    references: '<a> <b>',
  });
});

test.run();
