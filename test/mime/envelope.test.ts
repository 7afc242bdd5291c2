/** ENVELOPE: RFC 9051 §7.5.2, of whole messages. Address lists have a test of their own. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { envelopeOf, lines } from './structure-messages.ts';

const A = '((NIL NIL "a" "b"))';

test('RFC 9051 §7.5.2: ten fields, in their order', () =>
  assert.is(
    envelopeOf(
      lines(
        'Message-ID: <m@x>',
        'In-Reply-To: <r@x>',
        'Bcc: b1@x',
        'Cc: c1@x, c2@x',
        'To: T <t@x>',
        'Reply-To: r@x',
        'Sender: s@x',
        'From: "F" <f@x>',
        'Subject: s "q"',
        'Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
        '',
        'Subject: body',
      ),
    ),
    '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "s \\"q\\"" (("F" NIL "f" "x")) ((NIL NIL "s" "x")) ((NIL NIL "r" "x")) ' +
      '(("T" NIL "t" "x")) ((NIL NIL "c1" "x")(NIL NIL "c2" "x")) ((NIL NIL "b1" "x")) "<r@x>" "<m@x>")',
  ));

test('RFC 9051 §7.5.2: Sender and Reply-To, absent or empty, are From', () => {
  assert.is(envelopeOf('From: a@b\r\n\r\n'), `(NIL NIL ${A} ${A} ${A} NIL NIL NIL NIL NIL)`);
  assert.is(envelopeOf('Sender:\r\nReply-To: ()\r\nFrom: a@b\r\n\r\n'), `(NIL NIL ${A} ${A} ${A} NIL NIL NIL NIL NIL)`);
});

test('RFC 9051 §7.5.2: what is absent is NIL, what is empty the empty string, and an empty list NIL', () => {
  assert.is(envelopeOf('\r\n'), '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)');
  assert.is(envelopeOf('Subject:\r\nDate: \r\nTo:\r\n\r\n'), '("" "" NIL NIL NIL NIL NIL NIL NIL NIL)');
});

test('RFC 9051 §7.5.2: a group is its start, its addresses and its end', () =>
  assert.is(
    envelopeOf('To: G: a@b;\r\n\r\n'),
    '(NIL NIL NIL NIL NIL ((NIL NIL "G" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)) NIL NIL NIL NIL)',
  ));

test('RFC 5322 §2.2.3: values are unfolded, and nothing else is done to what is within', () =>
  assert.is(envelopeOf('Subject: a\r\n\tb  c\r\n d  \r\n\r\n'), '(NIL "a\tb  c d" NIL NIL NIL NIL NIL NIL NIL NIL)'));

test('RFC 5322 §4.5.3: several address fields are one list; of other fields the last counts', () => {
  assert.is(
    envelopeOf('To: a@b\r\nTo: c@d\r\n\r\n'),
    '(NIL NIL NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL)',
  );
  assert.is(envelopeOf('Subject: a\r\nSubject: b\r\n\r\n'), '(NIL "b" NIL NIL NIL NIL NIL NIL NIL NIL)');
});

test('8-bit text is a literal, as it came', () =>
  assert.is(
    envelopeOf('Subject: \xe9\r\nTo: "J\xc3\xb6" <a@b>\r\n\r\n'),
    '(NIL {1}\r\n\xe9 NIL NIL NIL (({3}\r\nJ\xc3\xb6 NIL "a" "b")) NIL NIL NIL NIL)',
  ));

test('NUL, which IMAP has no place for, becomes U+FFFD, and CR alone a space', () =>
  assert.is(envelopeOf('Subject: a\0b\rc\r\n\r\n'), '(NIL {7}\r\na\xef\xbf\xbdb c NIL NIL NIL NIL NIL NIL NIL NIL)'));

test.run();
