/** What the comparison of responses lets pass, and what it does not: a rule that nothing can break proves nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shortened } from './imap-examples.ts';
import { expunged, isFree, isFreeWhenSelecting, numbersOf, sameCode, sameData, tokens } from './imap-meaning.ts';

const same = (printed: string, ...heard: readonly string[]): void => {
  for (const each of heard) assert.ok(sameData(printed, each), `${printed} | ${each}`);
};
const differs = (printed: string, ...heard: readonly string[]): void => {
  for (const each of heard) assert.not(sameData(printed, each), `${printed} | ${each}`);
};

test('tokens: lists, strings, literals, NIL and sections', () => {
  assert.equal(tokens('1 FETCH (BODY[HEADER.FIELDS (DATE)] {3}\r\na)b X "q\\"r" NIL ())'), [
    '1',
    'FETCH',
    ['BODY[HEADER.FIELDS (DATE)]', 'a)b', 'X', 'q"r', null, []],
  ]);
});

test('FETCH: items and flags in any order, UID and MODSEQ besides; nothing else', () => {
  same(
    '2 FETCH (FLAGS (\\Seen \\Deleted))',
    '2 FETCH (FLAGS (\\Deleted \\Seen))',
    '2 FETCH (UID 5 FLAGS (\\SEEN \\Deleted))',
  );
  differs(
    '2 FETCH (FLAGS (\\Seen))',
    '3 FETCH (FLAGS (\\Seen))',
    '2 FETCH (FLAGS (\\Seen \\Deleted))',
    '2 FETCH (FLAGS ())',
  );
  differs('2 FETCH (FLAGS (\\Seen))', '2 FETCH (FLAGS (\\Seen) RFC822.SIZE 3)', '2 FETCH (UID 5)', '2 EXPUNGE');
  differs('2 FETCH (UID 5 FLAGS ())', '2 FETCH (UID 6 FLAGS ())', '2 FETCH (FLAGS ())');
  differs('2 FETCH (MODSEQ (5))', '2 FETCH (MODSEQ (6))', '2 FETCH (UID 2)');
  same('1 FETCH (BODY ("TEXT" "PLAIN" NIL))', '1 FETCH (BODY ("text" "plain" NIL))');
  differs('1 FETCH (ENVELOPE (NIL "A"))', '1 FETCH (ENVELOPE (NIL "a"))', '1 FETCH (ENVELOPE ("NIL" "A"))');
});

test('LIST: attributes of children are told or not, all others must be the same', () => {
  same('LIST () "/" "inbox"', 'LIST (\\HasNoChildren) "/" INBOX');
  same('LIST (\\Noselect) "/" foo', 'LIST (\\NonExistent \\HasChildren) "/" "foo"');
  differs('LIST (\\HasChildren) "/" foo', 'LIST (\\HasNoChildren) "/" foo', 'LIST () "/" foo');
  differs('LIST () "/" foo', 'LIST () "/" Foo', 'LIST () "." foo', 'LIST (\\Subscribed) "/" foo', 'LSUB () "/" foo');
  differs('LIST () "/" foo', 'LIST (\\NonExistent) "/" foo', 'LIST () "/" foo ("CHILDINFO" ("SUBSCRIBED"))');
  differs('LIST (\\NonExistent) "/" foo', 'LIST (\\Noselect) "/" foo');
});

test('SEARCH in any order, SORT in its own; ESEARCH by items, its sets by numbers', () => {
  same('SEARCH 2 84 882', 'SEARCH 882 2 84');
  differs('SEARCH 2 84', 'SEARCH 2 84 882', 'SEARCH 2', 'SEARCH');
  differs('SORT 5 3', 'SORT 3 5');
  same('ESEARCH (TAG "a") ALL 3,4 COUNT 2', 'ESEARCH (TAG "a") COUNT 2 ALL 3:4');
  differs('ESEARCH (TAG "a") ALL 5,3', 'ESEARCH (TAG "a") ALL 3,5', 'ESEARCH (TAG "b") ALL 5,3', 'ESEARCH ALL 5,3');
  differs('ESEARCH (TAG "a") UID ALL 5', 'ESEARCH (TAG "a") ALL 5', 'ESEARCH (TAG "a") UID ALL 5 COUNT 1');
  differs('THREAD (2)(3 6 (4 23))', 'THREAD (2)(3 6 (4)(23))', 'THREAD (3 6 (4 23))(2)');
});

test('rights by their letters, annotations by their entries, statuses by their items', () => {
  same('ACL INBOX Fred rwl', 'ACL inbox fred lrw');
  differs('ACL INBOX Fred rwl', 'ACL INBOX Fred rw', 'ACL INBOX Fred rwl Joe r', 'ACL x Fred rwl');
  same('LISTRIGHTS a smith la r sw', 'LISTRIGHTS a smith al ws r');
  differs('LISTRIGHTS a smith la r sw', 'LISTRIGHTS a smith la r s w', 'LISTRIGHTS a smith l a r sw');
  same('METADATA "" (/a "1" /b "2")', 'METADATA "" (/b "2" /a {1}\r\n1)');
  differs('METADATA "" (/a "1")', 'METADATA "" (/a NIL)', 'METADATA x (/a "1")');
  same('STATUS x (MESSAGES 1 UIDNEXT 2)', 'STATUS "x" (UIDNEXT 2 MESSAGES 1)');
  differs('STATUS x (MESSAGES 1)', 'STATUS x (MESSAGES 2)', 'STATUS x (MESSAGES 1 UIDNEXT 2)');
});

test('status responses: the status and the code count, words do not; codes that change a meaning must be printed', () => {
  assert.ok(sameCode('OK done', 'OK [CAPABILITY IMAP4rev1] logged in'));
  assert.not(sameCode('OK done', 'OK [MODIFIED 3] done'));
  assert.not(sameCode('OK done', 'OK [READ-ONLY] done'));
  assert.not(sameCode('OK done', 'NO done'));
  assert.not(sameCode('OK [UIDNEXT 3] x', 'OK [UIDNEXT 4] x'));
  assert.not(sameCode('OK [UIDNEXT 3] x', 'OK x'));
  assert.ok(sameCode('OK [MODIFIED 7,8] x', 'OK [MODIFIED 7:8]'));
  assert.not(sameCode('OK [PERMANENTFLAGS ()]', 'OK [PERMANENTFLAGS (\\Seen)]'));
  assert.not(sameCode('OK [PERMANENTFLAGS (\\Seen)]', 'OK [PERMANENTFLAGS (\\Draft)]'));
  assert.not(sameCode('OK [COPYUID 5 1:2 7:8]', 'OK [COPYUID 5 1:2 7:9]'));
});

test('what may be heard unasked', () => {
  assert.ok(isFree('3 RECENT'));
  assert.not(isFree('3 EXISTS'));
  assert.ok(isFreeWhenSelecting('OK [HIGHESTMODSEQ 3] x'));
  assert.not(isFreeWhenSelecting('OK [ALERT] x'));
  assert.not(isFreeWhenSelecting('VANISHED (EARLIER) 3'));
});

test('expunges by the numbers that were before', () => {
  assert.is(expunged([3, 3, 5, 8]), '3,4,7,11');
  assert.is(expunged([11, 7, 4, 3]), '3,4,7,11');
  assert.is.not(expunged([3, 4]), expunged([3, 3]));
});

test('numbers of sets, and long mod-sequences, keep their order', () => {
  assert.equal(numbersOf('5,3:1'), [5, 1, 2, 3]);
  assert.is(shortened('MODSEQ (90060115194045001) 715194045007'), 'MODSEQ (60115194045001) 715194045007');
});

test.run();
