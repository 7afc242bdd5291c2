/** SEARCH, SORT and THREAD. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { octetsOf } from '../../properties/cuts.ts';
import { argumentsIn, reasonFor } from './reading.ts';

const key = (text: string): unknown => (argumentsIn(`SEARCH ${text}`) as { key: unknown }).key;
const octets = (text: string) => ({ octets: [...octetsOf(text)] });
const one = (number: number) => ({ from: number, to: number });
const day = { year: 1994, month: 2, day: 1 };

test('RFC 9051 §6.4.4: keys that stand alone', () => {
  assert.equal(key('ALL'), { key: 'ALL' });
  for (const name of ['NEW', 'OLD', 'RECENT', 'SAVEDATESUPPORTED'])
    assert.equal(key(name.toLowerCase()), { key: name });
  for (const name of ['Answered', 'Deleted', 'Draft', 'Flagged', 'Seen']) {
    assert.equal(key(name), { key: 'FLAG', flag: `\\${name}`, isSet: true });
    assert.equal(key(`un${name}`), { key: 'FLAG', flag: `\\${name}`, isSet: false });
  }
});

test('keys with one argument', () => {
  assert.equal(key('KEYWORD $Junk'), { key: 'KEYWORD', flag: '$Junk', isSet: true });
  assert.equal(key('UNKEYWORD work'), { key: 'KEYWORD', flag: 'work', isSet: false });
  for (const name of ['BCC', 'BODY', 'CC', 'FROM', 'SUBJECT', 'TEXT', 'TO']) {
    assert.equal(key(`${name} x`), { key: name, octets: octets('x') });
    assert.equal(key(`${name} ""`), { key: name, octets: octets('') });
    assert.equal(key(`${name} {3+}\r\n\xff\r\n`), { key: name, octets: octets('\xff\r\n') });
  }
  for (const name of [
    'BEFORE',
    'ON',
    'SINCE',
    'SENTBEFORE',
    'SENTON',
    'SENTSINCE',
    'SAVEDBEFORE',
    'SAVEDON',
    'SAVEDSINCE',
  ]) {
    assert.equal(key(`${name} 1-Feb-1994`), { key: name, date: day });
    assert.equal(key(`${name} "01-feb-1994"`), { key: name, date: day });
  }
  assert.equal(key('LARGER 0'), { key: 'LARGER', sizeOctets: 0 });
  assert.equal(key('SMALLER 99999999999'), { key: 'SMALLER', sizeOctets: 99_999_999_999 });
  assert.equal(key('YOUNGER 259200'), { key: 'YOUNGER', intervalSeconds: 259_200 }); // RFC 5032 §4
  assert.equal(key('UID 1,3:*'), { key: 'UID', set: [one(1), { from: 3, to: '*' }] });
  assert.equal(key('UID $'), { key: 'UID', set: '$' });
  assert.equal(key('EMAILID M6d99ac3275bb4e'), { key: 'EMAILID', id: 'M6d99ac3275bb4e' });
  assert.equal(key('THREADID "T-_"'), { key: 'THREADID', id: 'T-_' });
});

test('RFC 7162 §3.1.5: MODSEQ, with and without an entry', () => {
  assert.equal(key('MODSEQ 620162338'), { key: 'MODSEQ', modSeq: 620_162_338 });
  assert.equal(key('MODSEQ "/flags/\\\\draft" all 620162338'), { key: 'MODSEQ', modSeq: 620_162_338 });
  assert.equal(key('MODSEQ 0'), { key: 'MODSEQ', modSeq: 0 });
  assert.is(reasonFor('SEARCH MODSEQ "/other" all 1'), 'SEARCH: an entry name is not well formed');
  assert.is(reasonFor('SEARCH MODSEQ "/flags/x" some 1'), 'SEARCH: an entry name is not well formed');
});

test('keys within keys, and sets of numbers', () => {
  assert.equal(key('HEADER Message-ID <a@b>'), { key: 'HEADER', field: 'Message-ID', octets: octets('<a@b>') });
  assert.equal(key('2,4:7'), { key: 'SEQUENCE', set: [one(2), { from: 4, to: 7 }] });
  assert.equal(key('*'), { key: 'SEQUENCE', set: [{ from: '*', to: '*' }] });
  assert.equal(key('$'), { key: 'SEQUENCE', set: '$' }); // RFC 5182 §2
  assert.equal(key('((ALL))'), { key: 'ALL' });
  assert.equal(key('SEEN (NEW OLD)'), {
    key: 'AND',
    keys: [
      { key: 'FLAG', flag: '\\Seen', isSet: true },
      { key: 'AND', keys: [{ key: 'NEW' }, { key: 'OLD' }] },
    ],
  });
  assert.equal(key('OR NOT NEW (OLD)'), { key: 'OR', either: { key: 'NOT', not: { key: 'NEW' } }, or: { key: 'OLD' } });
});

test('keys may nest 100 deep, and no deeper', () => {
  assert.ok(key(`${'NOT '.repeat(99)}ALL`));
  assert.is(reasonFor(`SEARCH ${'NOT '.repeat(100)}ALL`), 'SEARCH: nested too deep');
  assert.ok(key(`${'('.repeat(99)}ALL${')'.repeat(99)}`));
  assert.is(reasonFor(`SEARCH ${'('.repeat(100)}ALL${')'.repeat(100)}`), 'SEARCH: nested too deep');
});

test('keys that are none', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['', 'an argument is missing'],
    ['FOO', 'an unknown search key'],
    ['constructor', 'an unknown search key'],
    ['KEYWORD \\Seen', 'an atom was expected'],
    ['FROM', 'an argument is missing'],
    ['FROM (x)', 'a string was expected'],
    ['ON 1994', 'a date was expected'],
    ['ON 30-Feb-1994', 'a date was expected'],
    ['LARGER x', 'a number was expected'],
    ['YOUNGER 0', 'a number was expected'],
    ['UID x', 'a sequence set was expected'],
    ['OR ALL', 'an argument is missing'],
    ['NOT', 'an argument is missing'],
    ['(ALL', 'an argument is missing'],
    ['ALL)', 'too many arguments'],
    ['()', 'an atom was expected'],
    ['ALL  NEW', 'an atom was expected'],
    ['EMAILID a.b', 'an atom was expected'],
    ['HEADER "" x', 'an atom was expected'],
    ['CHARSET', 'an unknown search key'],
    ['CHARSET UTF-8', 'an argument is missing'],
  ];
  for (const [text, flaw] of wrong) assert.is(reasonFor(`SEARCH ${text}`), `SEARCH: ${flaw}`, text);
});

const all = { uid: false, key: { key: 'ALL' } };

test('RFC 4731 §3.1, RFC 5182 §2: SEARCH with RETURN, and CHARSET behind it', () => {
  assert.equal(argumentsIn('SEARCH ALL'), all);
  assert.equal(argumentsIn('SEARCH RETURN () ALL'), { ...all, returns: ['ALL'] });
  assert.equal(argumentsIn('UID SEARCH return (save MIN COUNT min) CHARSET utf-8 ALL'), {
    ...all,
    uid: true,
    returns: ['SAVE', 'MIN', 'COUNT'],
    charset: 'UTF-8',
  });
  assert.equal(argumentsIn('SEARCH CHARSET "x y" ALL'), { ...all, charset: 'X Y' });
  assert.is(reasonFor('SEARCH RETURN (PARTIAL 1:2) ALL'), 'SEARCH: an unknown option');
  assert.is(reasonFor('SEARCH RETURN (ALL)'), 'SEARCH: an argument is missing');
  assert.is(reasonFor('SEARCH RETURN ALL'), 'SEARCH: a parenthesis was expected');
});

test('RFC 5256 §3: SORT, and RFC 5267 §3 with RETURN', () => {
  assert.equal(argumentsIn('SORT (SUBJECT REVERSE DATE reverse displayfrom) UTF-8 ALL'), {
    ...all,
    criteria: [
      { by: 'SUBJECT', reverse: false },
      { by: 'DATE', reverse: true },
      { by: 'DISPLAYFROM', reverse: true },
    ],
    charset: 'UTF-8',
  });
  assert.equal(argumentsIn('UID SORT RETURN (COUNT) (ARRIVAL) US-ASCII ALL'), {
    ...all,
    uid: true,
    criteria: [{ by: 'ARRIVAL', reverse: false }],
    returns: ['COUNT'],
    charset: 'US-ASCII',
  });
  assert.is(reasonFor('SORT () UTF-8 ALL'), 'SORT: an atom was expected');
  assert.is(reasonFor('SORT (REVERSE) UTF-8 ALL'), 'SORT: an unknown option');
  assert.is(reasonFor('SORT (DATE) UTF-8'), 'SORT: an argument is missing');
  assert.is(reasonFor('SORT DATE UTF-8 ALL'), 'SORT: a parenthesis was expected');
});

test('RFC 5256 §3: THREAD', () => {
  assert.equal(argumentsIn('UID THREAD references UTF-8 SINCE 1-Feb-1994'), {
    uid: true,
    algorithm: 'REFERENCES',
    charset: 'UTF-8',
    key: { key: 'SINCE', date: day },
  });
  assert.equal(argumentsIn('THREAD ORDEREDSUBJECT UTF-8 ALL'), {
    ...all,
    algorithm: 'ORDEREDSUBJECT',
    charset: 'UTF-8',
  });
  assert.is(reasonFor('THREAD REFS UTF-8 ALL'), 'THREAD: an unknown algorithm');
  assert.is(reasonFor('THREAD REFERENCES ALL'), 'THREAD: an argument is missing');
});

test.run();
