/** Lists of addresses: their syntax, and who is on them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AddressList, addressLine, addressList, saysSomething } from '../../kernel/address-list.ts';
import { ipAddress, ipAddressOf, printIpAddress } from '../../kernel/ip-address.ts';

const list = (...lines: string[]): AddressList => {
  const read = addressList(lines);
  if (!read.ok) throw new Error(JSON.stringify(read.refusal));
  return read.value;
};
const on = (one: AddressList, address: string): boolean => one.has(ipAddress(address)!);
function holds(one: AddressList, inside: readonly string[], outside: readonly string[]): void {
  for (const address of inside) assert.ok(on(one, address), `${address} should be on it`);
  for (const address of outside) assert.not.ok(on(one, address), `${address} should not be on it`);
}

test('an address, a range, a network by bits or mask', () => {
  holds(list('192.0.2.7'), ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.6', '192.0.2.8', '::1']);
  holds(list('192.0.2.7-192.0.2.9'), ['192.0.2.7', '192.0.2.8', '192.0.2.9'], ['192.0.2.6', '192.0.2.10']);
  holds(list('192.0.2.7 - 192.0.2.9'), ['192.0.2.8'], []);
  for (const network of ['192.0.2.0/24', '192.0.2.77/24', '192.0.2.0/255.255.255.0', '192.0.2.0 / 24'])
    holds(list(network), ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0']);
  holds(list('0.0.0.0/0'), ['0.0.0.0', '255.255.255.255'], ['::1', '2001:db8::1']);
  holds(list('192.0.2.1/32'), ['192.0.2.1'], ['192.0.2.2']);
  holds(list('0.0.0.0/0.0.0.0'), ['192.0.2.1'], ['2001:db8::1']);
});

test('IPv6 in the same three ways', () => {
  holds(list('2001:db8::7'), ['2001:0db8::7'], ['2001:db8::8']);
  holds(list('2001:db8::7-2001:db8::9'), ['2001:db8::8'], ['2001:db8::a']);
  holds(list('2001:db8::/32'), ['2001:db8:ffff::1'], ['2001:db9::']);
  holds(list('::/0'), ['2001:db8::1', '192.0.2.1'], []);
  holds(list('::ffff:192.0.2.0/120'), ['192.0.2.9'], ['192.0.3.1']);
  holds(list('::ffff:0.0.0.0/96'), ['192.0.2.9'], ['::1', '2001:db8::1']);
});

test('an IPv4 address written as IPv6 takes no mask of IPv4, which would let in nearly everybody', () => {
  for (const line of [
    '::ffff:192.0.2.0/24',
    '::ffff:192.0.2.0/95',
    '::ffff:c000:200/0',
    '::ffff:192.0.2.0/255.255.255.0',
  ])
    assert.equal(addressLine(line), { ok: false, refusal: 'wrong-mask' }, line);
});

test('"!" takes off, wherever it stands; ";" begins a comment', () => {
  const one = list('; office', '!192.0.2.66 ; the printer', '192.0.2.0/24;all', '', '  ! 192.0.2.200-192.0.2.210 ');
  holds(one, ['192.0.2.1', '192.0.2.67', '192.0.2.211'], ['192.0.2.66', '192.0.2.205', '192.0.3.1']);
  holds(list('!192.0.2.66'), ['192.0.2.1', '2001:db8::1'], ['192.0.2.66']);
  holds(list(), [], ['192.0.2.1', '::1']);
});

test('wrong lines are named by their number and what is wrong', () => {
  const read = addressList([
    '192.0.2.1',
    'example.test',
    '192.0.2.1/33',
    '; fine',
    '2001:db8::/129',
    '192.0.2.1/255.0.255.0',
    '192.0.2.9-192.0.2.1',
    '192.0.2.9-2001:db8::1',
    '192.0.2.1-192.0.2.2-192.0.2.3',
    '!',
    '!!192.0.2.1',
    '192.0.2.1/24/3',
    '192.0.2.1 192.0.2.2',
    '192.0.2.1/',
    '192.0.2.1/::',
  ]);
  assert.equal(read.ok ? [] : read.refusal.map(({ line, fault }) => `${line} ${fault}`), [
    '2 no-address',
    '3 wrong-mask',
    '5 wrong-mask',
    '6 wrong-mask',
    '7 wrong-range',
    '8 wrong-range',
    '9 no-address',
    '10 no-address',
    '11 no-address',
    '12 no-address',
    '13 no-address',
    '14 wrong-mask',
    '15 wrong-mask',
  ]);
});

test('a list of comments says nothing', () => {
  assert.not.ok(saysSomething(['', '; nobody', '  ']));
  assert.ok(saysSomething(['', '!192.0.2.1']));
  assert.ok(saysSomething(['nonsense']), 'what is wrong is found where it is read');
});

test('nothing makes the reader throw', () => {
  fc.assert(fc.property(fc.string(), (line) => void addressLine(line)));
  fc.assert(fc.property(fc.stringMatching(/^[!0-9a-f:./; -]{0,40}$/), (line) => void addressLine(line)));
});

test('whatever the order and the overlaps, an address is on the list if a line has it and none takes it off', () => {
  const address = fc.nat(40).map((last) => ipAddressOf(Uint8Array.of(192, 0, 2, last)));
  const line = fc.record({ isExcluded: fc.boolean(), a: address, b: address }).map(({ isExcluded, a, b }) => {
    const [first, last] = a <= b ? [a, b] : [b, a];
    const text = `${isExcluded ? '!' : ''}${printIpAddress(first)}-${printIpAddress(last)}`;
    return { isExcluded, first, last, text };
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), address, (lines, asked) => {
      const has = (each: { first: bigint; last: bigint }) => each.first <= asked && asked <= each.last;
      const included = lines.filter(({ isExcluded }) => !isExcluded);
      const excluded = lines.filter(({ isExcluded }) => isExcluded);
      const expected = (included.length === 0 || included.some(has)) && !excluded.some(has);
      assert.is(list(...lines.map(({ text }) => text)).has(asked), expected);
    }),
  );
});

test.run();
