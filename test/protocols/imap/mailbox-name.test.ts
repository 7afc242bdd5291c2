/** What a mailbox's name means before and after ENABLE IMAP4rev2. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mailboxNameFor, mailboxNameFrom } from '../../../protocols/imap/mailbox-name.ts';

const ok = (value: string) => ({ ok: true, value });
const no = (refusal: string) => ({ ok: false, refusal });

test('RFC 9051 §5.1: INBOX is INBOX in any case, and only it', () => {
  for (const isUtf8 of [false, true]) {
    for (const raw of ['INBOX', 'inbox', 'InBoX']) assert.equal(mailboxNameFrom(raw, isUtf8), ok('INBOX'));
    assert.equal(mailboxNameFrom('inbox/x', isUtf8), ok('inbox/x'));
    assert.equal(mailboxNameFrom('', isUtf8), ok(''));
  }
  assert.equal(mailboxNameFrom('ınbox', true), ok('ınbox'));
});

test('RFC 3501 §5.1.3: names are modified UTF-7 until IMAP4rev2 is enabled', () => {
  assert.equal(mailboxNameFrom('Entw&APw-rfe/%', false), ok('Entwürfe/%'));
  assert.equal(mailboxNameFrom('Entwürfe', false), no('not-modified-utf7'));
  assert.equal(mailboxNameFrom('a&b', false), no('not-modified-utf7'));
});

test('RFC 9051 §5.1: names are UTF-8 from then on, and an ampersand is one', () => {
  assert.equal(mailboxNameFrom('Entwürfe', true), ok('Entwürfe'));
  assert.equal(mailboxNameFrom('Entw&APw-rfe', true), ok('Entw&APw-rfe'));
  assert.equal(mailboxNameFrom('a&b', true), ok('a&b'));
});

test('attack: controls are no part of a name, in whatever form they come', () => {
  for (const raw of ['a\r\nb', 'a\0', '\x7f', 'a\u0085', '\u2028'])
    for (const isUtf8 of [false, true]) assert.equal(mailboxNameFrom(raw, isUtf8), no('control-character'), raw);
  assert.equal(mailboxNameFrom('a&AA0ACg-b', false), no('control-character'));
  assert.equal(mailboxNameFrom('&AAA-', false), no('control-character'));
});

test('a name that is told comes back as the same name', () => {
  const name = fc.string({ unit: 'binary' }).filter((s) => !/[\p{Cc}\u2028\u2029]/u.test(s) && !/^inbox$/i.test(s));
  fc.assert(
    fc.property(name, fc.boolean(), (name, isUtf8) =>
      assert.equal(mailboxNameFrom(mailboxNameFor(name, isUtf8), isUtf8), ok(name)),
    ),
  );
});

test.run();
