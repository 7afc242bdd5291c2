/** Rights, quota and metadata. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { argumentsIn, reasonFor } from './reading.ts';

test('RFC 4314 §3.1: SETACL replaces, adds and removes rights', () => {
  const joe = { mailbox: 'INBOX/Drafts', identifier: 'joe' };
  assert.equal(argumentsIn('SETACL INBOX/Drafts joe lrswicd'), { ...joe, mode: 'replace', rights: 'lrswicd' });
  assert.equal(argumentsIn('SETACL INBOX/Drafts "joe" "+k0"'), { ...joe, mode: 'add', rights: 'k0' });
  assert.equal(argumentsIn('SETACL INBOX/Drafts joe -a'), { ...joe, mode: 'remove', rights: 'a' });
  assert.equal(argumentsIn('SETACL INBOX/Drafts joe ""'), { ...joe, mode: 'replace', rights: '' });
  assert.equal(argumentsIn('SETACL x -joe r'), { mailbox: 'x', identifier: '-joe', mode: 'replace', rights: 'r' });
  for (const rights of ['R', '"l r"', '++l', 'l+', '"\xe9"'])
    assert.is(reasonFor(`SETACL x joe ${rights}`), 'SETACL: rights are lower-case letters and digits', rights);
  assert.is(reasonFor('SETACL x joe'), 'SETACL: an argument is missing');
});

test('attack: an identifier or a quota root that would forge a line is refused', () => {
  assert.is(reasonFor('SETACL x {4+}\r\na\r\nb l'), 'SETACL: a control character in a name');
  assert.is(reasonFor('GETQUOTA {4+}\r\na\r\nb'), 'GETQUOTA: a control character in a name');
  assert.is(reasonFor('DELETEACL x "\x7f"'), 'DELETEACL: a control character in a name');
});

test('RFC 4314 §3.2, §3.4: DELETEACL and LISTRIGHTS', () => {
  for (const keyword of ['DELETEACL', 'LISTRIGHTS']) {
    assert.equal(argumentsIn(`${keyword} x smith`), { mailbox: 'x', identifier: 'smith' });
    assert.is(reasonFor(`${keyword} x`), `${keyword}: an argument is missing`);
  }
});

test('RFC 9208 §4.1: GETQUOTA and SETQUOTA', () => {
  assert.equal(argumentsIn('GETQUOTA "!partition/sda4"'), { root: '!partition/sda4' });
  assert.equal(argumentsIn('GETQUOTA ""'), { root: '' });
  assert.equal(argumentsIn('SETQUOTA "" (storage 512 X-FOO 18014398509481984)'), {
    root: '',
    limits: [
      { resource: 'STORAGE', limit: 512 },
      { resource: 'X-FOO', limit: Number.MAX_SAFE_INTEGER },
    ],
  });
  assert.equal(argumentsIn('SETQUOTA "" ()'), { root: '', limits: [] });
  assert.is(reasonFor('SETQUOTA "" (STORAGE)'), 'SETQUOTA: a space was expected');
  assert.is(reasonFor('SETQUOTA "" (STORAGE -1)'), 'SETQUOTA: a number was expected');
  assert.is(reasonFor('SETQUOTA "" STORAGE 1'), 'SETQUOTA: a parenthesis was expected');
});

const comment = { mailbox: 'INBOX', entries: ['/private/comment'], depth: 0 };

test('RFC 5464 §4.2: GETMETADATA, its options before the mailbox or behind it', () => {
  assert.equal(argumentsIn('GETMETADATA "" /shared/comment'), { mailbox: '', entries: ['/shared/comment'], depth: 0 });
  assert.equal(argumentsIn('GETMETADATA INBOX (/private/comment)'), comment);
  assert.equal(argumentsIn('GETMETADATA INBOX /private/comment /shared/comment'), {
    ...comment,
    entries: ['/private/comment', '/shared/comment'],
  });
  const limited = { ...comment, maxSizeOctets: 1024, depth: 'infinity' };
  assert.equal(argumentsIn('GETMETADATA (MAXSIZE 1024 DEPTH infinity) INBOX (/private/comment)'), limited);
  assert.equal(argumentsIn('GETMETADATA INBOX (depth Infinity maxsize 1024) (/private/comment)'), limited);
  assert.equal(argumentsIn('GETMETADATA (DEPTH 1) INBOX "/private/comment"'), { ...comment, depth: 1 });
  assert.is(reasonFor('GETMETADATA (DEPTH 2) INBOX /a'), 'GETMETADATA: an unknown option');
  assert.is(reasonFor('GETMETADATA (SIZE 2) INBOX /a'), 'GETMETADATA: an unknown option');
  assert.is(reasonFor('GETMETADATA (DEPTH 0 DEPTH 1) INBOX /a'), 'GETMETADATA: an option stands twice');
  assert.is(reasonFor('GETMETADATA INBOX'), 'GETMETADATA: an argument is missing');
});

test('RFC 5464 §3.1, §5: names of entries', () => {
  for (const entry of ['comment', '/', '/a/', '//a', '/a//b', '"/a*"', '"/a%b"', '"/\xe9"', '""'])
    assert.is(reasonFor(`GETMETADATA x ${entry}`), 'GETMETADATA: an entry name is not well formed', entry);
});

test('RFC 5464 §4.3: SETMETADATA sets octets of any kind, and removes', () => {
  assert.equal(
    argumentsIn('SETMETADATA INBOX (/private/a NIL /shared/b "x" /shared/c {2+}\r\n\r\n /shared/d ~{2+}\r\n\0\xff)'),
    {
      mailbox: 'INBOX',
      entries: [
        { name: '/private/a', value: null },
        { name: '/shared/b', value: { octets: [0x78] } },
        { name: '/shared/c', value: { octets: [0x0d, 0x0a] } },
        { name: '/shared/d', value: { octets: [0x00, 0xff] } },
      ],
    },
  );
  assert.is(reasonFor('SETMETADATA INBOX (/private/a {1+}\r\n\0)'), 'SETMETADATA: NUL in a string');
  assert.is(reasonFor('SETMETADATA INBOX (/private/a x)'), 'SETMETADATA: a string was expected');
  assert.is(reasonFor('SETMETADATA INBOX (/private/a NILS)'), 'SETMETADATA: a string was expected');
  assert.is(reasonFor('SETMETADATA INBOX ()'), 'SETMETADATA: a string was expected');
  assert.is(reasonFor('SETMETADATA INBOX (/private/a)'), 'SETMETADATA: a space was expected');
});

test.run();
