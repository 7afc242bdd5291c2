/** FETCH and its items. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { argumentsIn, reasonFor } from './reading.ts';

/** The one item of `FETCH 1 ...`. */
function item(text: string): unknown {
  const { items } = argumentsIn(`FETCH 1 (${text})`) as { items: unknown[] };
  assert.is(items.length, 1);
  return items[0];
}
const names = (line: string) => (argumentsIn(line) as { items: { item: string }[] }).items.map((one) => one.item);
const body = (section: object, more = {}) => ({ item: 'BODY[]', section, peek: false, ...more });

test('RFC 9051 §6.4.5: macros stand for their items, by themselves only', () => {
  assert.equal(names('FETCH 1 FAST'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']);
  assert.equal(names('FETCH 1 all'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']);
  assert.equal(names('FETCH 1 Full'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY']);
  assert.is(reasonFor('FETCH 1 (ALL)'), 'FETCH: an unknown data item');
  assert.is(reasonFor('FETCH 1 constructor'), 'FETCH: an unknown data item');
});

test('items without arguments, alone or in a list, each answered once', () => {
  const all =
    'ENVELOPE FLAGS INTERNALDATE RFC822.SIZE UID BODY BODYSTRUCTURE MODSEQ EMAILID THREADID SAVEDATE RFC822 RFC822.HEADER RFC822.TEXT';
  assert.equal(names(`FETCH 1 (${all})`), all.split(' '));
  assert.equal(names(`FETCH 1 (${all.toLowerCase()} UID flags)`), all.split(' '));
  assert.equal(argumentsIn('UID FETCH 1:* UID'), {
    uid: true,
    set: [{ from: 1, to: '*' }],
    items: [{ item: 'UID' }],
    vanished: false,
  });
  assert.is((argumentsIn('FETCH $ UID') as { set: unknown }).set, '$');
});

test('RFC 9051 §6.4.5.1: sections', () => {
  assert.equal(item('BODY[]'), body({ part: [] }));
  assert.equal(item('BODY[HEADER]'), body({ part: [], text: 'HEADER' }));
  assert.equal(item('body[text]'), body({ part: [], text: 'TEXT' }));
  assert.equal(item('BODY[1]'), body({ part: [1] }));
  assert.equal(item('BODY[4.2.2.1]'), body({ part: [4, 2, 2, 1] }));
  assert.equal(item('BODY[4.1.MIME]'), body({ part: [4, 1], text: 'MIME' }));
  assert.equal(item('BODY.PEEK[4.2.HEADER]'), body({ part: [4, 2], text: 'HEADER' }, { peek: true }));
  assert.equal(
    item('BODY[HEADER.FIELDS (Date "From" {2+}\r\nTo)]'),
    body({ part: [], text: 'HEADER.FIELDS', fields: ['Date', 'From', 'To'] }),
  );
  assert.equal(
    item('BODY.PEEK[3.header.fields.not (x])]'),
    body({ part: [3], text: 'HEADER.FIELDS.NOT', fields: ['x]'] }, { peek: true }),
  );
});

test('sections that are none', () => {
  const sections = 'a section was expected';
  for (const text of ['MIME', 'HEADERS', '1.HEADER.2', 'HEADER.FIELDS.1', '1.FLAGS', '.1', '.TEXT'])
    assert.is(reasonFor(`FETCH 1 BODY[${text}]`), `FETCH: ${sections}`, text);
  assert.is(reasonFor('FETCH 1 BODY[1.]'), 'FETCH: an atom was expected');
  assert.is(reasonFor('FETCH 1 BODY[0]'), 'FETCH: a number was expected');
  assert.is(reasonFor('FETCH 1 BODY[1.0]'), 'FETCH: a number was expected');
  assert.is(reasonFor('FETCH 1 BODY[01]'), 'FETCH: a number was expected');
  assert.is(reasonFor('FETCH 1 BODY[4294967296]'), 'FETCH: a number was expected');
  assert.is(reasonFor('FETCH 1 BODY[HEADER.FIELDS ()]'), 'FETCH: a string was expected');
  assert.is(reasonFor('FETCH 1 BODY[HEADER.FIELDS]'), 'FETCH: a space was expected');
  assert.is(reasonFor('FETCH 1 BODY[HEADER.FIELDS ({4+}\r\na\r\nb)]'), 'FETCH: a section was expected');
  assert.is(reasonFor('FETCH 1 BODY[1'), 'FETCH: a bracket was expected');
  assert.is(reasonFor('FETCH 1 BODY.PEEK'), 'FETCH: a bracket was expected');
  assert.is(reasonFor('FETCH 1 (UID[1])'), 'FETCH: a parenthesis was expected');
});

test('partials: an offset and a length that is not 0', () => {
  assert.equal(item('BODY[]<0.2048>'), body({ part: [] }, { partial: { offsetOctets: 0, lengthOctets: 2048 } }));
  assert.equal(
    item('BODY[]<9223372036854775807.9223372036854775807>'),
    body({ part: [] }, { partial: { offsetOctets: Number.MAX_SAFE_INTEGER, lengthOctets: Number.MAX_SAFE_INTEGER } }),
  );
  for (const text of ['<0>', '<0.0>', '<.1>', '<0.1', '<-1.1>', '<0.1.2>', '<>', '<0.9223372036854775808>'])
    assert.is(reasonFor(`FETCH 1 BODY[]${text}`), 'FETCH: a number was expected', text);
});

test('RFC 3516 §4.2: BINARY', () => {
  assert.equal(item('BINARY[]'), { item: 'BINARY', part: [], peek: false });
  assert.equal(item('binary.peek[1.2]<1.2>'), {
    item: 'BINARY',
    part: [1, 2],
    partial: { offsetOctets: 1, lengthOctets: 2 },
    peek: true,
  });
  assert.equal(item('BINARY.SIZE[3]'), { item: 'BINARY.SIZE', part: [3] });
  assert.is(reasonFor('FETCH 1 BINARY[1.MIME]'), 'FETCH: a section was expected');
  assert.is(reasonFor('FETCH 1 BINARY[TEXT]'), 'FETCH: a bracket was expected');
  assert.is(reasonFor('FETCH 1 BINARY.SIZE[1]<0.1>'), 'FETCH: a space was expected');
  assert.is(reasonFor('FETCH 1 BINARY'), 'FETCH: a bracket was expected');
});

test('RFC 8970 §3.1: PREVIEW, lazy or not', () => {
  assert.equal(item('PREVIEW'), { item: 'PREVIEW', lazy: false });
  assert.equal(item('preview (lazy)'), { item: 'PREVIEW', lazy: true });
  assert.equal(names('FETCH 1 (PREVIEW UID)'), ['PREVIEW', 'UID']);
  assert.equal(argumentsIn('FETCH 1 PREVIEW (CHANGEDSINCE 7)'), {
    uid: false,
    set: [{ from: 1, to: 1 }],
    items: [{ item: 'PREVIEW', lazy: false }],
    changedSince: 7,
    vanished: false,
  });
  assert.is(reasonFor('FETCH 1 (PREVIEW (FUZZY))'), 'FETCH: an atom was expected');
  assert.is(reasonFor('FETCH 1 PREVIEW (LAZYBONES)'), 'FETCH: an unknown option');
});

test('RFC 7162 §3.1.4.1, §3.2.6: CHANGEDSINCE, and VANISHED which needs it and UID', () => {
  assert.equal(argumentsIn('uid fetch 300:500 (FLAGS) (VANISHED CHANGEDSINCE 12345)'), {
    uid: true,
    set: [{ from: 300, to: 500 }],
    items: [{ item: 'FLAGS' }],
    changedSince: 12_345,
    vanished: true,
  });
  const lacks = 'FETCH: an option lacks another that it needs';
  assert.is(reasonFor('FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)'), lacks);
  assert.is(reasonFor('UID FETCH 1 FLAGS (VANISHED)'), lacks);
  assert.is(reasonFor('FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)'), 'FETCH: an option stands twice');
  assert.is(reasonFor('FETCH 1 FLAGS (PARTIAL 1:2)'), 'FETCH: an unknown option');
  assert.is(reasonFor('FETCH 1 FLAGS (CHANGEDSINCE 18446744073709551615)'), 'FETCH: a number was expected');
  assert.is(reasonFor('FETCH 1 FLAGS ()'), 'FETCH: an atom was expected');
});

test('a FETCH that lacks something', () => {
  for (const line of ['FETCH', 'FETCH 1', 'FETCH 1 ', 'FETCH 1 (UID', 'UID FETCH'])
    assert.is(reasonFor(line), 'FETCH: an argument is missing', line);
  assert.is(reasonFor('FETCH UID 1'), 'FETCH: a sequence set was expected');
  assert.is(reasonFor('FETCH 1 ()'), 'FETCH: an atom was expected');
  assert.is(reasonFor('FETCH 1 (UID  FLAGS)'), 'FETCH: an atom was expected');
  assert.is(reasonFor('FETCH 1 UID FLAGS'), 'FETCH: a parenthesis was expected');
  assert.is(reasonFor('FETCH 1,, UID'), 'FETCH: a sequence set was expected');
});

test.run();
