/** Paths and address literals: RFC 5321 §4.1.2, §4.1.3. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isAddressLiteral, isDomain, parsePath, printPath } from '../../../protocols/lmtp/path.ts';

const forward = (text: string) => parsePath(text, 'postmaster');
const path = (localPart: string, domain: string, rest = '') => ({ path: { localPart, domain }, rest });

test('RFC 5321 §4.1.2: a mailbox in angle brackets, and what follows it', () => {
  assert.equal(forward('<joe@example.test>'), path('joe', 'example.test'));
  assert.equal(forward('<joe+a/B@example.test> X=1'), path('joe+a/B', 'example.test', ' X=1'));
  assert.equal(forward("<!#$%&'*+-/=?^_`{|}~@a.b>"), path("!#$%&'*+-/=?^_`{|}~", 'a.b'));
});

test('RFC 5321 §4.1.1.3: a source route is recognised and dropped', () => {
  assert.equal(forward('<@hosta.int,@jkl.org:userc@d.bar.org>'), path('userc', 'd.bar.org'));
  for (const text of ['<@a.b:>', '<@a.b,:c@d>', '<@a.b c@d>', '<a.b:c@d>', '<@a_b:c@d>', '<@:c@d>'])
    assert.is(forward(text), undefined, text);
});

test('RFC 5321 §4.1.2: quoting is no part of a local part', () => {
  assert.equal(forward('<"joe"@a.b>'), path('joe', 'a.b'));
  assert.equal(forward('<"Joe\\,Smith"@a.b>'), path('Joe,Smith', 'a.b'));
  assert.equal(forward('<"a \\" \\\\ > @ b"@a.b>'), path('a " \\ > @ b', 'a.b'));
  assert.equal(forward('<""@a.b>'), path('', 'a.b'));
});

test('RFC 5321 §4.1.3: address literals for IPv4, IPv6 and others', () => {
  for (const good of [
    '[127.0.0.1]',
    '[IPv6:::1]',
    '[ipv6:2001:db8::1]',
    '[IPv6:::ffff:1.2.3.4]',
    '[IPv6:1:2:3:4:5:6:7:8]',
    '[IPv6:1:2:3:4:5:6:1.2.3.4]',
    '[IPv6:1::]',
    '[tag:any>thing]',
  ])
    assert.equal(forward(`<a@${good}>`), path('a', good));
  for (const bad of [
    '[127.0.0.256]',
    '[1.2.3]',
    '[1.2.3.4.5]',
    '[]',
    '[IPv6:]',
    '[IPv6:1::2::3]',
    '[IPv6:1:2:3:4:5:6::8]',
    '[IPv6:fe80::1%eth0]',
    '[IPv6:1.2.3.4::]',
    '[IPv6:12345::]',
    '[IPv6::1]',
    '[x:]',
    '[x-:a]',
    '[x:a[b]',
    '1.2.3.4]',
    '[1.2.3.4',
    '[x:a\\b]',
  ])
    assert.not.ok(isAddressLiteral(bad), bad);
});

test('RFC 5321 §4.1.2: letters, digits and inner hyphens make a domain, nothing else', () => {
  for (const good of ['a', 'localhost', 'a-b.c', '1.2', 'xn--bcher-kva.example']) assert.ok(isDomain(good), good);
  for (const bad of ['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a_b', 'a b', 'b\xfccher', 'a@b', 'x'.repeat(256)])
    assert.not.ok(isDomain(bad), bad);
});

test('RFC 5321 §4.1.1.3: Postmaster alone, in any case, is a forward-path and no reverse-path', () => {
  assert.equal(forward('<Postmaster>'), path('Postmaster', ''));
  assert.equal(forward('<pOSTMASTER>'), path('pOSTMASTER', ''));
  assert.is(parsePath('<Postmaster>', 'null'), undefined);
  assert.is(forward('<joe>'), undefined);
});

test('RFC 5321 §4.5.5: the null path is a reverse-path and no forward-path', () => {
  assert.equal(parsePath('<> SIZE=1', 'null'), { path: null, rest: ' SIZE=1' });
  assert.is(forward('<>'), undefined);
});

test('what is not a path is refused', () => {
  for (const text of [
    '',
    '<',
    'a@b',
    '<a@b',
    'a@b>',
    '<a@>',
    '<@b>',
    '<a b@c>',
    '<.a@b>',
    '<a.@b>',
    '<a..b@c>',
    '<"a@b>',
    '<"a"b@c>',
    '<"a\\',
    '<a@b@c>',
    '<a,b@c>',
    '<(x)a@b>',
    '<a@b c>',
    '<<a@b>>',
    '<a@[1.2.3.4>',
    '<a@[1.2.3.4]x>',
    '<a@[1.2.3.4]',
  ])
    assert.is(forward(text), undefined, text);
});

test('a path is printed with the least quoting, and reads back the same', () => {
  assert.is(printPath(null), '<>');
  assert.is(printPath({ localPart: 'Postmaster', domain: '' }), '<Postmaster>');
  assert.is(printPath({ localPart: 'a.b', domain: 'c.d' }), '<a.b@c.d>');
  assert.is(printPath({ localPart: 'a "b"\\', domain: 'c.d' }), '<"a \\"b\\"\\\\"@c.d>');
  assert.is(printPath({ localPart: '', domain: 'c.d' }), '<""@c.d>');
  assert.is(printPath({ localPart: 'a..b', domain: '[127.0.0.1]' }), '<"a..b"@[127.0.0.1]>');
});

test.run();
