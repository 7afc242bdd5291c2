/** The judge of hostile runs must not be one who finds everything proper. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Protocol, ReplyWatch } from '../../../bench/hostile/reply-watch.ts';

/** What it complains of, however the octets are cut. */
function complaintsOf(protocol: Protocol, said: string, isTls = false): readonly string[] {
  const octets = Buffer.from(said, 'latin1');
  const watched = [octets.length, 1, 3].map((size) => {
    const watch = new ReplyWatch(protocol);
    if (isTls) watch.expectTls();
    for (let at = 0; at < octets.length; at += size) watch.push(octets.subarray(at, at + size));
    watch.end();
    return watch.complaints.map((complaint) => complaint.split(':')[0]!);
  });
  assert.equal(watched[1], watched[0]);
  assert.equal(watched[2], watched[0]);
  return watched[0]!;
}

const PROPER: readonly (readonly [Protocol, string])[] = [
  ['pop3', ''],
  ['pop3', '+OK ready <1@host>\r\n-ERR [AUTH] no\r\n+ \r\n+OK\r\n'],
  ['pop3', '+OK capabilities\r\nTOP\r\nUIDL\r\n.\r\n+OK bye\r\n'],
  ['pop3', '+OK empty\r\n.\r\n+OK bye\r\n'],
  ['pop3', `+OK ${'x'.repeat(506)}\r\n`],
  ['pop3', '-ERR Pr\xc3\xbcfsumme\r\n'],
  ['lmtp', '220 host ready\r\n250-host\r\n250-SIZE 1\r\n250 8BITMIME\r\n354 go\r\n550 5.1.1 no\r\n421 4.3.2 gone\r\n'],
  ['poppwd', '200 ready <1>\r\n300 PASS\r\n515 no\r\n501 what\r\n'],
];

for (const [protocol, said] of PROPER)
  test(`${protocol}: ${JSON.stringify(said.slice(0, 50))} is proper`, () => {
    assert.equal(complaintsOf(protocol, said), []);
  });

const IMPROPER: readonly (readonly [Protocol, string, string])[] = [
  ['pop3', '+OK cut o', 'a line without its end'],
  ['pop3', '+OK ready\n', 'a line that ends in a bare LF'],
  ['pop3', 'BAD what\r\n', 'neither +OK nor -ERR'],
  ['pop3', '-ERR no\r\nmore\r\n.\r\n', 'neither +OK nor -ERR'],
  ['pop3', '+OKAY\r\n', 'not a status indicator'],
  ['pop3', `+OK ${'x'.repeat(507)}\r\n`, 'a reply too long'],
  ['pop3', '+OK list\r\nTOP\r\n', 'a multi-line reply without its end'],
  ['pop3', '+OK list\r\nTOP\r\n-ERR no\r\n', 'a multi-line reply without its end'],
  ['pop3', '-ERR a\0b\r\n', 'a reply with controls or broken UTF-8'],
  ['pop3', '-ERR a\xffb\r\n', 'a reply with controls or broken UTF-8'],
  ['lmtp', '-ERR no\r\n', 'not a reply'],
  ['lmtp', '650 what\r\n', 'not a reply'],
  ['lmtp', '250-host\r\n', 'a reply of several lines without its last'],
  ['lmtp', '250-host\r\n550 host\r\n', 'a reply of two codes'],
  ['lmtp', '550 4.1.1 no\r\n', 'an enhanced code of another class'],
  ['lmtp', '550 5.1.1 n\xc3\xb6\r\n', 'not a reply'],
  ['poppwd', '250 ok\r\n', 'not a reply'],
  ['poppwd', '200-more\r\n', 'not a reply'],
];

for (const [protocol, said, complaint] of IMPROPER)
  test(`${protocol}: ${JSON.stringify(said.slice(0, 50))} is not: ${complaint}`, () => {
    assert.ok(complaintsOf(protocol, said).includes(complaint), String(complaintsOf(protocol, said)));
  });

test('a line that never ends is complained of, and not kept', () => {
  assert.ok(complaintsOf('pop3', 'x'.repeat(5000)).includes('a line too long'));
});

test('after TLS was accepted only records may come', () => {
  assert.equal(complaintsOf('pop3', '\x15\x03\x03\x00\x02\x02\x46', true), []);
  assert.equal(complaintsOf('pop3', '\x15\x03\x03\x00', true), []); // cut by a reset
  assert.equal(complaintsOf('pop3', '-ERR what\r\n', true)[0], 'not a TLS record');
  const watch = new ReplyWatch('pop3');
  watch.push(Buffer.from('+OK begin TLS\r\n+OK mo'));
  watch.expectTls();
  assert.is(watch.complaints.length, 1);
});

test('replies, refusals and the last of them are counted', () => {
  const watch = new ReplyWatch('lmtp');
  watch.push(Buffer.from('220 host\r\n250-host\r\n250 SIZE\r\n501 5.5.4 no\r\n'));
  assert.equal([watch.replies, watch.refusals, watch.last], [3, 1, 'no']);
});

test.run();
