/** What is told of mailboxes, octet for octet, by the examples of the RFCs named. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { List, Namespace, Response } from '../../../protocols/imap/response.ts';
import { octetsOf } from '../../properties/cuts.ts';
import { encoded } from './encoded.ts';

const says = (response: Response, line: string) => assert.is(encoded(response), `${line}\r\n`);
const inUtf8 = (response: Response, line: string) =>
  assert.is(encoded(response, { utf8: true }), Buffer.from(`${line}\r\n`).toString('latin1'));
const list = (mailbox: string, more: Partial<List> = {}): List => ({
  type: 'LIST',
  attributes: [],
  delimiter: '/',
  mailbox,
  ...more,
});

test('RFC 9051 §7.3.1: LIST', () => {
  says(list('~/Mail/foo', { attributes: ['\\Noselect'] }), '* LIST (\\Noselect) "/" ~/Mail/foo');
  says(list('INBOX', { delimiter: null }), '* LIST () NIL INBOX');
  says(list('Other Users/Mike'), '* LIST () "/" "Other Users/Mike"'); // RFC 2342 §5
  says(list('a', { delimiter: '\\' }), '* LIST () "\\\\" a');
  says({ ...list('#news.comp.mail.misc', { delimiter: '.' }), type: 'LSUB' }, '* LSUB () "." #news.comp.mail.misc');
});

test('RFC 5258 §5: CHILDINFO, RFC 9051 §6.3.9.7: OLDNAME', () => {
  says(list('foo2', { childInfo: ['SUBSCRIBED'] }), '* LIST () "/" foo2 ("CHILDINFO" ("SUBSCRIBED"))');
  says(list('NewMailbox', { oldName: 'Old Mailbox' }), '* LIST () "/" NewMailbox ("OLDNAME" ("Old Mailbox"))');
  says(
    list('a', { childInfo: ['SUBSCRIBED', 'SPECIAL-USE'], oldName: 'b' }),
    '* LIST () "/" a ("CHILDINFO" ("SUBSCRIBED" "SPECIAL-USE") "OLDNAME" (b))',
  );
});

test('RFC 3501 §5.1.3: names are modified UTF-7, and UTF-8 where that may be said', () => {
  const name = '~peter/mail/台北/日本語';
  says(list(name), '* LIST () "/" ~peter/mail/&U,BTFw-/&ZeVnLIqe-');
  inUtf8(list(name), `* LIST () "/" "${name}"`);
  says(list('Entwürfe & mehr'), '* LIST () "/" "Entw&APw-rfe &- mehr"');
  inUtf8(list('Entwürfe & mehr'), '* LIST () "/" "Entwürfe & mehr"');
  inUtf8(list('a', { oldName: 'ä' }), '* LIST () "/" a ("OLDNAME" ("ä"))');
});

test('names that would read as something else are quoted', () => {
  says(list(''), '* LIST () "/" ""');
  says(list('NIL'), '* LIST () "/" "NIL"');
  says(list('a"b\\c'), '* LIST () "/" "a\\"b\\\\c"');
  for (const special of ['a b', 'a(', 'a)', 'a{', 'a%', 'a*']) says(list(special), `* LIST () "/" "${special}"`);
  says(list('a]'), '* LIST () "/" a]'); // astring, not atom
});

test('RFC 9051 §7.3.3: STATUS, with the items of its extensions', () => {
  says(
    { type: 'STATUS', mailbox: 'blurdybloop', items: { messages: 231, uidNext: 44292, highestModSeq: 7011231777 } },
    '* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 HIGHESTMODSEQ 7011231777)', // RFC 7162 §3.1.7
  );
  says(
    { type: 'STATUS', mailbox: 'INBOX', items: { messages: 12, deleted: 4, deletedStorageKib: 8 } },
    '* STATUS INBOX (MESSAGES 12 DELETED 4 DELETED-STORAGE 8)', // RFC 9208 §4.1.4
  );
  const others = {
    recent: 1,
    uidValidity: 9,
    unseen: 0,
    sizeOctets: 2 ** 40,
    appendLimitOctets: null,
    mailboxId: 'F1',
  };
  says(
    { type: 'STATUS', mailbox: 'x', items: others },
    '* STATUS x (RECENT 1 UIDVALIDITY 9 UNSEEN 0 SIZE 1099511627776 APPENDLIMIT NIL MAILBOXID (F1))',
  );
  says({ type: 'STATUS', mailbox: 'x', items: { appendLimitOctets: 257890 } }, '* STATUS x (APPENDLIMIT 257890)');
  says({ type: 'STATUS', mailbox: 'x', items: {} }, '* STATUS x ()');
});

test('RFC 2342 §5: NAMESPACE', () => {
  const namespace = (personal: Namespace[] | null, otherUsers: Namespace[] | null, shared: Namespace[] | null) =>
    ({ type: 'NAMESPACE', personal, otherUsers, shared }) as const;
  const of = (prefix: string, delimiter: string | null = '/') => ({ prefix, delimiter });
  says(namespace([of('')], null, null), '* NAMESPACE (("" "/")) NIL NIL');
  says(namespace(null, null, [of('', '.')]), '* NAMESPACE NIL NIL (("" "."))');
  says(
    namespace([of('')], [of('~')], [of('#shared/'), of('#public/'), of('#ftp/'), of('#news.', '.')]),
    '* NAMESPACE (("" "/")) (("~" "/")) (("#shared/" "/")("#public/" "/")("#ftp/" "/")("#news." "."))',
  );
  says(namespace([of('', null)], [], null), '* NAMESPACE (("" NIL)) NIL NIL');
  says(namespace([of('ä/')], null, null), '* NAMESPACE (("&AOQ-/" "/")) NIL NIL');
});

test('RFC 4314 §3: ACL, LISTRIGHTS, MYRIGHTS', () => {
  const entries = [
    { identifier: 'Fred', rights: 'rwipslxetad' },
    { identifier: 'Chris', rights: 'lrswi' },
    { identifier: '-joe smith', rights: '' },
  ];
  says(
    { type: 'ACL', mailbox: 'INBOX/Drafts', entries },
    '* ACL INBOX/Drafts Fred rwipslxetad Chris lrswi "-joe smith" ""',
  );
  says({ type: 'ACL', mailbox: 'INBOX', entries: [] }, '* ACL INBOX');
  says(
    {
      type: 'LISTRIGHTS',
      mailbox: '~/Mail/saved',
      identifier: 'smith',
      required: 'la',
      optional: ['r', 's', 'w', 'i', 'p', 'k', 'x', 't'],
    },
    '* LISTRIGHTS ~/Mail/saved smith la r s w i p k x t',
  );
  says(
    { type: 'LISTRIGHTS', mailbox: 'archive/imap', identifier: 'anyone', required: '', optional: ['l', 'xte'] },
    '* LISTRIGHTS archive/imap anyone "" l xte',
  );
  says({ type: 'MYRIGHTS', mailbox: 'INBOX', rights: 'rwiptsldaex' }, '* MYRIGHTS INBOX rwiptsldaex');
});

test('RFC 9208 §4.2: QUOTA and QUOTAROOT', () => {
  const resources = [
    { name: 'STORAGE', usage: 10, limit: 512 },
    { name: 'MESSAGE', usage: 20, limit: 100 },
  ];
  says({ type: 'QUOTA', root: '', resources }, '* QUOTA "" (STORAGE 10 512 MESSAGE 20 100)');
  says({ type: 'QUOTA', root: '!partition/sda4', resources: [] }, '* QUOTA !partition/sda4 ()');
  says({ type: 'QUOTAROOT', mailbox: 'INBOX', roots: [''] }, '* QUOTAROOT INBOX ""');
  says({ type: 'QUOTAROOT', mailbox: 'comp.mail.mime', roots: [] }, '* QUOTAROOT comp.mail.mime');
});

test('RFC 5464 §4.4: METADATA with values, and without', () => {
  const entries = [
    { name: '/shared/comment', value: octetsOf('Shared comment') },
    { name: '/private/comment', value: null },
    { name: '/private/lines', value: octetsOf('a\r\nb') },
    { name: '/private/octets', value: octetsOf('a\0b') },
    { name: '/private/latin1', value: octetsOf('\xe4') },
  ];
  says(
    { type: 'METADATA', mailbox: 'INBOX', entries },
    '* METADATA INBOX (/shared/comment "Shared comment" /private/comment NIL /private/lines {4}\r\na\r\nb ' +
      '/private/octets ~{3}\r\na\0b /private/latin1 {1}\r\n\xe4)',
  );
  says(
    { type: 'METADATA', mailbox: '', changed: ['/shared/comment', '/private/comment'] },
    '* METADATA "" /shared/comment /private/comment',
  );
  const german = { name: '/private/comment', value: Buffer.from('Grüße') };
  inUtf8({ type: 'METADATA', mailbox: 'x', entries: [german] }, '* METADATA x (/private/comment "Grüße")');
  const notUtf8 = encoded({ type: 'METADATA', mailbox: 'x', entries: [entries[4]!] }, { utf8: true });
  assert.is(notUtf8, '* METADATA x (/private/latin1 {1}\r\n\xe4)\r\n');
});

test('RFC 9051 §7.2, §7.3.5, §7.4: CAPABILITY, ENABLED, FLAGS, EXISTS, RECENT', () => {
  says(
    { type: 'CAPABILITY', capabilities: ['IMAP4rev2', 'STARTTLS', 'AUTH=GSSAPI'] },
    '* CAPABILITY IMAP4rev2 STARTTLS AUTH=GSSAPI',
  );
  says({ type: 'ENABLED', capabilities: ['CONDSTORE', 'X-GOOD-IDEA'] }, '* ENABLED CONDSTORE X-GOOD-IDEA');
  says({ type: 'ENABLED', capabilities: [] }, '* ENABLED');
  const flags = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft', '$Forwarded'];
  says({ type: 'FLAGS', flags }, '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)');
  says({ type: 'EXISTS', count: 23 }, '* 23 EXISTS');
  says({ type: 'RECENT', count: 0 }, '* 0 RECENT');
  says({ type: 'EXPUNGE', sequence: 44 }, '* 44 EXPUNGE');
});

test('RFC 2971 §3.2: ID', () => {
  says({ type: 'ID', fields: null }, '* ID NIL');
  const fields = [
    ['name', 'Cyrus'],
    ['support-url', 'mailto:a"b@c'],
    ['os', null],
  ] as const;
  says({ type: 'ID', fields }, '* ID ("name" "Cyrus" "support-url" "mailto:a\\"b@c" "os" NIL)');
});

test('attack: a name with a line end is a literal, and one with NUL is not said', () => {
  says(
    { type: 'ACL', mailbox: 'x', entries: [{ identifier: 'a\r\n* BYE', rights: 'l' }] },
    '* ACL x {8}\r\na\r\n* BYE l',
  );
  says({ type: 'QUOTA', root: 'a\nb', resources: [] }, '* QUOTA {3}\r\na\nb ()');
  inUtf8(list('a\r\nb'), '* LIST () "/" {4}\r\na\r\nb');
  says(list('a\r\nb'), '* LIST () "/" a&AA0ACg-b');
  const never: Response[] = [
    { type: 'QUOTA', root: 'a\0', resources: [] },
    { type: 'QUOTA', root: 'a', resources: [{ name: 'X Y', usage: 0, limit: 0 }] },
    { type: 'MYRIGHTS', mailbox: 'a', rights: 'l\r\n' },
    { type: 'MYRIGHTS', mailbox: 'a', rights: 'L' },
    { type: 'METADATA', mailbox: 'a', entries: [] },
    { type: 'METADATA', mailbox: 'a', changed: [] },
    { type: 'FLAGS', flags: ['a b'] },
    { type: 'FLAGS', flags: [''] },
    { type: 'CAPABILITY', capabilities: ['A\r\nB'] },
    list('a', { delimiter: '\n' }),
    list('a', { delimiter: 'ä' }),
    list('a', { attributes: ['\\X\r\n'] }),
    list('a', { childInfo: ['"'] }),
  ];
  for (const response of never) assert.throws(() => encoded(response), undefined, JSON.stringify(response));
});

test('RFC 9051 §4.3: 8-bit is a literal until the client reads UTF-8', () => {
  const entries = [{ identifier: 'jürgen', rights: 'l' }];
  says({ type: 'ACL', mailbox: 'x', entries }, '* ACL x {7}\r\nj\xc3\xbcrgen l');
  inUtf8({ type: 'ACL', mailbox: 'x', entries }, '* ACL x "jürgen" l');
});

test('a long string is a literal', () => {
  says({ type: 'QUOTA', root: 'x'.repeat(2000), resources: [] }, `* QUOTA {2000}\r\n${'x'.repeat(2000)} ()`);
});

test.run();
