/** STORE, COPY, MOVE and EXPUNGE. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { argumentsIn, reasonFor } from './reading.ts';

const set = [{ from: 2, to: 4 }];
const plain = { uid: false, set, mode: 'replace', flags: [], silent: false };

test('RFC 9051 §6.4.6: STORE replaces, adds and removes, with parentheses and without', () => {
  assert.equal(argumentsIn('STORE 2:4 +FLAGS (\\deleted)'), { ...plain, mode: 'add', flags: ['\\Deleted'] });
  assert.equal(argumentsIn('uid store 2:4 -flags.silent \\SEEN $Work \\Seen'), {
    ...plain,
    uid: true,
    mode: 'remove',
    silent: true,
    flags: ['\\Seen', '$Work'],
  });
  assert.equal(argumentsIn('STORE 2:4 FLAGS ()'), plain);
  assert.equal(argumentsIn('STORE 2:4 FLAGS (\\recent \\Own)'), { ...plain, flags: ['\\Recent', '\\Own'] });
});

test('RFC 7162 §3.1.3: STORE with UNCHANGEDSINCE', () => {
  assert.equal(argumentsIn('STORE 2:4 (unchangedsince 320162338) FLAGS ()'), { ...plain, unchangedSince: 320_162_338 });
  assert.equal(argumentsIn('STORE 2:4 (UNCHANGEDSINCE 0) FLAGS ()'), { ...plain, unchangedSince: 0 });
  assert.is(reasonFor('STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 2) FLAGS ()'), 'STORE: a parenthesis was expected');
  assert.is(reasonFor('STORE 1 (FOO) FLAGS ()'), 'STORE: an unknown option');
});

test('a STORE that does not fit', () => {
  assert.is(reasonFor('STORE 1 FLAGS'), 'STORE: an argument is missing');
  assert.is(reasonFor('STORE 1 FLAGS '), 'STORE: an argument is missing');
  assert.is(reasonFor('STORE 1 +FLAGS.LOUD ()'), 'STORE: an unknown data item');
  assert.is(reasonFor('STORE 1 *FLAGS ()'), 'STORE: an atom was expected');
  assert.is(reasonFor('STORE 1 FLAGS (\\*)'), 'STORE: a flag was expected');
  assert.is(reasonFor('STORE 1 FLAGS ("x")'), 'STORE: a flag was expected');
  assert.is(reasonFor('STORE 1 FLAGS (\\Seen) x'), 'STORE: too many arguments');
  assert.is(reasonFor('STORE 0 FLAGS ()'), 'STORE: a sequence set was expected');
});

test('RFC 9051 §6.4.7, §6.4.8: COPY and MOVE, of sequence numbers and of UIDs', () => {
  for (const keyword of ['COPY', 'MOVE']) {
    assert.equal(argumentsIn(`${keyword} 2:4 MEETING`), { uid: false, set, mailbox: 'MEETING' });
    assert.equal(argumentsIn(`UID ${keyword} $ "a b"`), { uid: true, set: '$', mailbox: 'a b' });
    assert.is(reasonFor(`${keyword} 2:4`), `${keyword}: an argument is missing`);
    assert.is(reasonFor(`${keyword} x y`), `${keyword}: a sequence set was expected`);
  }
});

test('RFC 9051 §6.4.3, §6.4.9: EXPUNGE takes no set, and UID EXPUNGE does', () => {
  assert.equal(argumentsIn('EXPUNGE'), { uid: false });
  assert.equal(argumentsIn('UID EXPUNGE 2:4'), { uid: true, set });
  assert.is(reasonFor('EXPUNGE 2:4'), 'EXPUNGE: too many arguments');
  assert.is(reasonFor('UID EXPUNGE'), 'EXPUNGE: an argument is missing');
});

test.run();
