/** How many connections an address may have, and how fast: counts, tokens, and memory that a flood does not fill. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AddressLimits } from '../../actors/address-limits.ts';
import { ipAddress, ipAddressOf } from '../../kernel/ip-address.ts';

const address = (text: string) => ipAddress(text)!;
const one = address('192.0.2.1');
const two = address('192.0.2.2');

test('an address has so many at once, and as many again when they have ended', () => {
  const limits = new AddressLimits();
  const terms = { connections: 2, perMinute: 0 };
  const admit = (which: bigint) => limits.admit(which, terms, 0);
  assert.equal([admit(one), admit(one), admit(one), admit(two)], ['admitted', 'admitted', 'too-many', 'admitted']);
  limits.release(one);
  assert.equal([admit(one), admit(one)], ['admitted', 'too-many']);
  limits.release(one);
  limits.release(one);
  limits.release(two);
  assert.equal(limits.size, { open: 0, buckets: 0 });
});

test('a minute of connections may come at once, then they come as fast as the rate', () => {
  const limits = new AddressLimits();
  const admit = (nowMs: number) => limits.admit(one, { connections: 0, perMinute: 6 }, nowMs);
  for (let count = 0; count < 6; count += 1) assert.is(admit(1000), 'admitted');
  assert.is(admit(1000), 'too-fast');
  assert.is(admit(10_999), 'too-fast');
  assert.is(admit(11_000), 'admitted');
  assert.is(admit(11_001), 'too-fast');
  assert.is(limits.admit(two, { connections: 0, perMinute: 6 }, 11_001), 'admitted');
  for (let count = 0; count < 6; count += 1) assert.is(admit(71_001), 'admitted');
  assert.is(admit(71_001), 'too-fast');
});

test('who is refused loses nothing by it: hammering does not keep one out', () => {
  const limits = new AddressLimits();
  const terms = { connections: 0, perMinute: 60 };
  for (let count = 0; count < 60; count += 1) limits.admit(one, terms, 0);
  let admitted = 0;
  for (let nowMs = 1; nowMs <= 10_000; nowMs += 1) if (limits.admit(one, terms, nowMs) === 'admitted') admitted += 1;
  assert.is(admitted, 10);
});

test('IPv6 counts by its first 64 bits', () => {
  const limits = new AddressLimits();
  const admit = (text: string) => limits.admit(address(text), { connections: 1, perMinute: 0 }, 0);
  assert.is(admit('2001:db8::1'), 'admitted');
  assert.is(admit('2001:db8::2'), 'too-many');
  assert.is(admit('2001:db8:0:1::1'), 'admitted');
  limits.release(address('2001:db8::ffff'));
  assert.is(admit('2001:db8::3'), 'admitted');
});

test('terms may differ from call to call; 0 is no limit, and is counted all the same', () => {
  const limits = new AddressLimits();
  for (let count = 0; count < 100; count += 1)
    assert.is(limits.admit(one, { connections: 0, perMinute: 0 }, 0), 'admitted');
  assert.is(limits.admit(one, { connections: 100, perMinute: 0 }, 0), 'too-many');
  assert.is(limits.admit(one, { connections: 101, perMinute: 0 }, 0), 'admitted');
});

test('a flood from a million addresses is held in bounded memory, and minutes later in none', () => {
  const limits = new AddressLimits();
  const terms = { connections: 10, perMinute: 100 };
  for (let count = 0; count < 1_000_000; count += 1) {
    const each = ipAddressOf(Uint8Array.of(10, count >> 16, count >> 8, count));
    if (limits.admit(each, terms, count / 1000) === 'admitted') limits.release(each);
  }
  assert.ok(limits.size.buckets <= 16_384, String(limits.size.buckets));
  assert.is(limits.size.open, 0);
  limits.admit(one, terms, 1_000_000);
  assert.is(limits.size.buckets, 1);
});

test.run();
