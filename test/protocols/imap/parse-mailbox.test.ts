/** Commands that name a mailbox, LIST among them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { argumentsIn, reasonFor } from './reading.ts';

const plain = { condstore: false };
const one = (number: number) => ({ from: number, to: number });

test('a mailbox is a string as it was sent', () => {
  assert.equal(argumentsIn('SELECT inbox'), { mailbox: 'inbox', ...plain });
  assert.equal(argumentsIn('EXAMINE "Sent Mail"'), { mailbox: 'Sent Mail', ...plain });
  assert.equal(argumentsIn('SELECT &AOk-'), { mailbox: '&AOk-', ...plain });
  assert.equal(argumentsIn('SELECT ""'), { mailbox: '', ...plain });
  assert.equal(argumentsIn('SELECT NIL'), { mailbox: 'NIL', ...plain });
  for (const keyword of ['DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE', 'GETACL', 'MYRIGHTS', 'GETQUOTAROOT']) {
    assert.equal(argumentsIn(`${keyword} a/b`), { mailbox: 'a/b' });
    assert.is(reasonFor(keyword), `${keyword}: an argument is missing`);
    assert.is(reasonFor(`${keyword} a b`), `${keyword}: too many arguments`);
  }
  assert.equal(argumentsIn('RENAME a {1+}\r\nb'), { from: 'a', to: 'b' });
  assert.is(reasonFor('RENAME a'), 'RENAME: an argument is missing');
});

test('RFC 7162 §3.1.8, §3.2.5: SELECT with CONDSTORE and QRESYNC', () => {
  assert.equal(argumentsIn('SELECT INBOX (CONDSTORE)'), { mailbox: 'INBOX', condstore: true });
  assert.equal(argumentsIn('SELECT INBOX (QRESYNC (67890007 90060115194045000))'), {
    mailbox: 'INBOX',
    ...plain,
    qresync: { uidValidity: 67_890_007, modSeq: Number.MAX_SAFE_INTEGER },
  });
  assert.equal(argumentsIn('select INBOX (qresync (1 2 41,43:211 (1,3 4,5)) condstore)'), {
    mailbox: 'INBOX',
    condstore: true,
    qresync: {
      uidValidity: 1,
      modSeq: 2,
      knownUids: [one(41), { from: 43, to: 211 }],
      match: { sequence: [one(1), one(3)], uids: [one(4), one(5)] },
    },
  });
  assert.equal(argumentsIn('SELECT x (QRESYNC (1 2 (1 4)))'), {
    mailbox: 'x',
    ...plain,
    qresync: { uidValidity: 1, modSeq: 2, match: { sequence: [one(1)], uids: [one(4)] } },
  });
});

test('parameters of SELECT that do not fit', () => {
  assert.is(reasonFor('SELECT x (QRESYNC (1 2 1:*))'), 'SELECT: a set of known numbers has no * and no $');
  assert.is(reasonFor('SELECT x (QRESYNC (1 2 $))'), 'SELECT: a set of known numbers has no * and no $');
  assert.is(reasonFor('SELECT x (QRESYNC (0 2))'), 'SELECT: a number was expected');
  assert.is(reasonFor('SELECT x (QRESYNC (1))'), 'SELECT: a space was expected');
  assert.is(reasonFor('SELECT x (QRESYNC (1 2 3 4))'), 'SELECT: a parenthesis was expected');
  assert.is(reasonFor('SELECT x (QRESYNC (1 2 (1 2) (3 4)))'), 'SELECT: an option stands twice');
  assert.is(reasonFor('SELECT x (QRESYNC (1 2) QRESYNC (1 2))'), 'SELECT: an option stands twice');
  assert.is(reasonFor('SELECT x (CONDSTORE CONDSTORE)'), 'SELECT: an option stands twice');
  assert.is(reasonFor('SELECT x (UIDONLY)'), 'SELECT: an unknown option');
  assert.is(reasonFor('SELECT x ()'), 'SELECT: an atom was expected');
  assert.is(reasonFor('SELECT x CONDSTORE'), 'SELECT: a parenthesis was expected');
  assert.is(reasonFor('SELECT x (CONDSTORE'), 'SELECT: an argument is missing');
});

test('RFC 6154 §3: CREATE with a special use', () => {
  assert.equal(argumentsIn('CREATE x'), { mailbox: 'x', specialUse: [] });
  assert.equal(argumentsIn('CREATE x (USE (\\drafts \\SENT \\Own \\sent))'), {
    mailbox: 'x',
    specialUse: ['\\Drafts', '\\Sent', '\\Own'],
  });
  assert.equal(argumentsIn('CREATE x (USE ())'), { mailbox: 'x', specialUse: [] });
  assert.is(reasonFor('CREATE x (USE (Sent))'), 'CREATE: a flag was expected');
  assert.is(reasonFor('CREATE x (FOR (\\Sent))'), 'CREATE: an unknown option');
});

test('RFC 9051 §6.3.11: STATUS with its items, each once', () => {
  assert.equal(argumentsIn('STATUS blurdybloop (uidnext MESSAGES UIDNEXT DELETED-STORAGE)'), {
    mailbox: 'blurdybloop',
    items: ['UIDNEXT', 'MESSAGES', 'DELETED-STORAGE'],
  });
  assert.is(reasonFor('STATUS x ()'), 'STATUS: an atom was expected');
  assert.is(reasonFor('STATUS x (FOO)'), 'STATUS: an unknown data item');
  assert.is(reasonFor('STATUS x MESSAGES'), 'STATUS: a parenthesis was expected');
});

const none = { selection: [], returns: [], isExtended: false };

test('RFC 3501 §6.3.8: LIST of the plain kind', () => {
  assert.equal(argumentsIn('LIST "" *'), { reference: '', patterns: ['*'], ...none });
  assert.equal(argumentsIn('LIST ~/Mail/ "%/a b"'), { reference: '~/Mail/', patterns: ['%/a b'], ...none });
  assert.equal(argumentsIn('LIST "" ""'), { reference: '', patterns: [''], ...none });
  assert.equal(argumentsIn('LSUB "#news." comp.mail.*'), { reference: '#news.', pattern: 'comp.mail.*' });
  assert.is(reasonFor('LIST ""'), 'LIST: an argument is missing');
  assert.is(reasonFor('LSUB "" (a b)'), 'LSUB: a string was expected');
  assert.is(reasonFor('LSUB % a'), 'LSUB: a string was expected');
});

test('RFC 5258 §3: LIST with selection options, many patterns and return options', () => {
  assert.equal(argumentsIn('LIST (SUBSCRIBED RECURSIVEMATCH) "" "*"'), {
    reference: '',
    patterns: ['*'],
    selection: ['SUBSCRIBED', 'RECURSIVEMATCH'],
    returns: [],
    isExtended: true,
  });
  assert.equal(argumentsIn('LIST "" (INBOX "Drafts" Sent/%) RETURN (children special-use myrights)'), {
    reference: '',
    patterns: ['INBOX', 'Drafts', 'Sent/%'],
    selection: [],
    returns: ['CHILDREN', 'SPECIAL-USE', 'MYRIGHTS'],
    isExtended: true,
  });
  for (const line of ['LIST () "" "*"', 'LIST "" ("*")', 'LIST "" "*" RETURN ()'])
    assert.equal(argumentsIn(line), { reference: '', patterns: ['*'], ...none, isExtended: true }, line);
  assert.equal(argumentsIn('LIST (SPECIAL-USE REMOTE REMOTE) "" *'), {
    reference: '',
    patterns: ['*'],
    selection: ['SPECIAL-USE', 'REMOTE'],
    returns: [],
    isExtended: true,
  });
});

test('RFC 5819 §2: LIST that returns STATUS', () => {
  assert.equal(argumentsIn('LIST "" % RETURN (STATUS (MESSAGES UNSEEN) SUBSCRIBED)'), {
    reference: '',
    patterns: ['%'],
    selection: [],
    returns: ['SUBSCRIBED'],
    status: ['MESSAGES', 'UNSEEN'],
    isExtended: true,
  });
  assert.is(reasonFor('LIST "" % RETURN (STATUS (X))'), 'LIST: an unknown data item');
  assert.is(reasonFor('LIST "" % RETURN (STATUS (SIZE) STATUS (SIZE))'), 'LIST: an option stands twice');
});

test('RFC 5258 §3.1: unknown options are BAD, and RECURSIVEMATCH alone is', () => {
  assert.is(reasonFor('LIST (FOO) "" *'), 'LIST: an unknown option');
  assert.is(reasonFor('LIST (RECURSIVEMATCH) "" *'), 'LIST: an option lacks another that it needs');
  assert.is(reasonFor('LIST (REMOTE RECURSIVEMATCH) "" *'), 'LIST: an option lacks another that it needs');
  assert.is(reasonFor('LIST "" * RETURN (FOO)'), 'LIST: an unknown option');
  assert.is(reasonFor('LIST "" * RETURN'), 'LIST: an argument is missing');
  assert.is(reasonFor('LIST "" * (CHILDREN)'), 'LIST: an atom was expected');
  assert.is(reasonFor('LIST "" ()'), 'LIST: a string was expected');
});

test.run();
