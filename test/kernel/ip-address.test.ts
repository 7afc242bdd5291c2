/** IP addresses as numbers: reading, printing, who counts as the same. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ipAddress,
  ipAddressOf,
  isIpv4,
  isLoopback,
  plainAddress,
  printIpAddress,
  subscriberOf,
} from '../../kernel/ip-address.ts';

test('an IPv4 address is the same as its mapped one', () => {
  assert.is(ipAddress('192.0.2.1'), ipAddress('::ffff:192.0.2.1'));
  assert.is(ipAddress('192.0.2.1'), ipAddress('::FFFF:c000:0201'));
  assert.is(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
  assert.is(plainAddress('::FFFF:192.0.2.1'), '192.0.2.1');
  for (const other of ['2001:db8::1', '192.0.2.1', '', '::ffff:300.0.0.1']) assert.is(plainAddress(other), other);
});

test('IPv6 is read however it is written, without its zone', () => {
  const written = [
    '2001:db8::1',
    '2001:DB8:0:0:0:0:0:1',
    '2001:0db8:0000:0000:0000:0000:0000:0001',
    '2001:db8::0.0.0.1',
  ];
  for (const text of written) assert.is(ipAddress(text), 0x20010db8000000000000000000000001n);
  assert.is(ipAddress('::'), 0n);
  assert.is(ipAddress('1::'), 1n << 112n);
  assert.is(ipAddress('fe80::1%eth0'), ipAddress('fe80::1'));
});

test('what is no address is none', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', ':::', '1::2::3', 'example.test', ' 1.2.3.4'])
    assert.is(ipAddress(text), undefined, text);
});

test('addresses are printed as RFC 5952 §4 wants them', () => {
  const printed = [
    '192.0.2.1',
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1::1',
    'fe80:0:0:1::a0',
    '10::10:0:0:10',
  ];
  for (const text of printed) assert.is(printIpAddress(ipAddress(text)!), text);
});

test('printed and read again, every address is itself; so are its octets', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((each) => Uint8Array.from(each)),
  );
  fc.assert(
    fc.property(octets, (each) => {
      const address = ipAddressOf(each);
      assert.is(ipAddress(printIpAddress(address)), address);
    }),
  );
});

test('nothing makes the reader throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void ipAddress(text)));
  fc.assert(fc.property(fc.stringMatching(/^[0-9a-f:.%]{0,40}$/), (text) => void ipAddress(text)));
});

test('a subscriber is an IPv4 address, or 64 bits of an IPv6 one', () => {
  const of = (text: string) => subscriberOf(ipAddress(text)!);
  assert.is(of('2001:db8::1'), of('2001:db8::ffff:ffff:ffff:ffff'));
  assert.is.not(of('2001:db8::1'), of('2001:db8:0:1::1'));
  assert.is.not(of('192.0.2.1'), of('192.0.2.2'));
  assert.is(of('192.0.2.1'), of('::ffff:192.0.2.1'));
});

test('this machine is known by all its names', () => {
  for (const text of ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(ipAddress(text)!));
  for (const text of ['128.0.0.1', '::2', '192.0.2.1', '::']) assert.not.ok(isLoopback(ipAddress(text)!), text);
  assert.ok(isIpv4(ipAddress('::ffff:1.2.3.4')!));
  assert.not.ok(isIpv4(ipAddress('::1.2.3.4')!));
});

test.run();
