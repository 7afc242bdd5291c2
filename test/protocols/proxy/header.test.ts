/** The PROXY header, versions 1 and 2: what is read, what is refused, and that no way of cutting it matters. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ipAddressOf, printIpAddress } from '../../../kernel/ip-address.ts';
import { crc32c } from '../../../protocols/proxy/crc32c.ts';
import {
  type Endpoint,
  type HeaderRead,
  MAX_V1_OCTETS,
  MAX_V2_OCTETS,
  readProxyHeader,
} from '../../../protocols/proxy/header.ts';
import { SIGNATURE, tlvs, v1, v2, v2Local, v2Raw, v2Summed, v2Unix } from '../../support/proxy-header.ts';

const client: Endpoint = { address: '192.0.2.9', port: 56324 };
const server: Endpoint = { address: '198.51.100.1', port: 110 };
const client6: Endpoint = { address: '2001:db8::9', port: 56324 };
const server6: Endpoint = { address: '2001:db8::1', port: 995 };
const latin1 = (text: string) => Buffer.from(text, 'latin1');

function header(octets: Uint8Array): Extract<HeaderRead, { kind: 'header' }> {
  const read = readProxyHeader(octets);
  if (read.kind !== 'header') throw new Error(JSON.stringify(read));
  return read;
}
const kindOf = (octets: Uint8Array) => readProxyHeader(octets).kind;
const tcp = (source: Endpoint, destination: Endpoint) => ({ kind: 'tcp', source, destination }) as const;

test("version 1: the specification's example, and what follows it is the client's", () => {
  const line = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n';
  const read = header(latin1(`${line}GET / HTTP/1.1\r\n`));
  assert.equal(read.header, tcp({ address: '192.168.0.1', port: 56324 }, { address: '192.168.0.11', port: 443 }));
  assert.is(read.octets, line.length);
});

test('version 1: IPv6, the longest addresses, the ends of the ports', () => {
  assert.equal(header(v1(client6, server6)).header, tcp(client6, server6));
  const longest = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  const line = v1({ address: longest, port: 65535 }, { address: longest, port: 0 });
  assert.equal(header(line).header, tcp({ address: longest, port: 65535 }, { address: longest, port: 0 }));
});

test('version 1: an address is told in one way, however it was written, as in version 2', () => {
  for (const [written, told] of [
    ['2001:0DB8:0:0:0:0:0:9', '2001:db8::9'],
    ['::ffff:c000:0209', '192.0.2.9'],
    ['::FFFF:192.0.2.9', '192.0.2.9'],
  ] as const) {
    const read = header(v1({ address: written, port: 1 }, { address: written, port: 2 }));
    assert.equal(read.header, tcp({ address: told, port: 1 }, { address: told, port: 2 }));
  }
});

test('version 1: UNKNOWN names nobody, whatever stands behind it', () => {
  for (const rest of ['', ' ', ' ffff::1 ffff::2 1 2', ' some thing \r else'])
    assert.equal(header(latin1(`PROXY UNKNOWN${rest}\r\n`)).header, { kind: 'local' }, rest);
});

test('version 1: a line that is not exactly as it should be is refused', () => {
  const wrong = [
    'TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n',
    'PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n',
    'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP6 2001:db8::1 192.0.2.2 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n',
    'PROXY UNKNOWNX\r\n',
    'PROXY\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n',
    'PROXY UNKNOWN\n',
    'PROXY UNKNOWN \n\r\n',
    'USER alice\r\n',
    '\x16\x03\x01',
  ];
  for (const line of wrong) assert.is(kindOf(latin1(line)), 'invalid', JSON.stringify(line));
});

test('version 1: 107 octets are enough, one more is too many', () => {
  const full = `PROXY UNKNOWN ${'f'.repeat(MAX_V1_OCTETS - 16)}\r\n`;
  assert.is(full.length, MAX_V1_OCTETS);
  assert.is(kindOf(latin1(full)), 'header');
  assert.is(kindOf(latin1(full.slice(0, -2))), 'incomplete');
  assert.is(kindOf(latin1(full.replace('PROXY UNKNOWN ', 'PROXY UNKNOWN f'))), 'invalid');
  assert.is(kindOf(latin1(`PROXY ${'A'.repeat(MAX_V1_OCTETS)}`)), 'invalid');
});

test('version 2: IPv4, IPv6, unix sockets, and what follows', () => {
  for (const [source, destination] of [
    [client, server],
    [client6, server6],
  ] as const) {
    const octets = v2(source, destination);
    const read = header(Buffer.concat([octets, latin1('QUIT\r\n')]));
    assert.equal(read.header, tcp(source, destination));
    assert.is(read.octets, octets.length);
  }
  assert.equal(header(v2Unix('/run/a', '/run/b')).header, { kind: 'unix', source: '/run/a', destination: '/run/b' });
  assert.equal(header(v2Unix('', 'x'.repeat(108))).header, { kind: 'unix', source: '', destination: 'x'.repeat(108) });
});

test('version 2: LOCAL names nobody, and its octets are skipped whatever they are', () => {
  for (const rest of [new Uint8Array(0), Buffer.alloc(300, 0xff)]) {
    for (const transport of [0x00, 0x11, 0x31, 0xff]) {
      const read = header(v2Raw(0x20, transport, rest));
      assert.equal(read.header, { kind: 'local' });
      assert.is(read.octets, 16 + rest.length);
    }
  }
  assert.equal(header(v2Local()).header, { kind: 'local' });
});

test('version 2: no family, or another transport than a stream, names nobody', () => {
  for (const transport of [0x00, 0x01, 0x12, 0x22, 0x32, 0x10])
    assert.equal(header(v2Raw(0x21, transport, Buffer.alloc(216))).header, { kind: 'local' }, String(transport));
});

test('version 2: other versions, commands, families and transports are refused, as soon as they show', () => {
  for (const command of [0x00, 0x11, 0x22, 0x31, 0x2f, 0x01])
    assert.is(kindOf(Buffer.concat([SIGNATURE, Buffer.of(command)])), 'invalid', String(command));
  for (const transport of [0x41, 0xf1, 0x13, 0x1f])
    assert.is(kindOf(Buffer.concat([SIGNATURE, Buffer.of(0x21, transport)])), 'invalid', String(transport));
});

test('version 2: a length that its addresses do not fit in, or that nobody needs, is refused', () => {
  for (const [transport, octets] of [
    [0x11, 11],
    [0x21, 35],
    [0x31, 215],
    [0x12, 11],
  ] as const)
    assert.is(kindOf(v2Raw(0x21, transport, Buffer.alloc(octets))), 'invalid', String(transport));
  assert.is(kindOf(v2Raw(0x20, 0, Buffer.alloc(MAX_V2_OCTETS - 16))), 'header');
  assert.is(kindOf(v2Raw(0x20, 0, Buffer.alloc(MAX_V2_OCTETS - 15)).subarray(0, 16)), 'invalid');
});

test('version 2: extensions are passed over, and refused when they do not end where they should', () => {
  const more = [
    { type: 0x02, value: latin1('mail.example.test') },
    { type: 0x04, value: new Uint8Array(0) },
    { type: 0xee, value: Buffer.alloc(700) },
  ];
  assert.equal(header(v2(client, server, more)).header, tcp(client, server));
  const addresses = v2(client, server).subarray(16);
  const cutShort = tlvs(more).subarray(0, -1);
  assert.is(kindOf(v2Raw(0x21, 0x11, Buffer.concat([addresses, cutShort]))), 'invalid');
  assert.is(kindOf(v2Raw(0x21, 0x11, Buffer.concat([addresses, Buffer.of(4, 0)]))), 'invalid');
});

test('version 2: a checksum that is there must be right', () => {
  assert.is(crc32c(latin1('123456789')), 0xe3069283); // the check value that tables of such sums give
  const summed = v2Summed(client, server, [{ type: 0x05, value: latin1('unique') }]);
  assert.equal(header(summed).header, tcp(client, server));
  const typeAt = summed.length - 7; // changed, there would be no checksum
  for (let at = 16; at < summed.length; at += 1) {
    if (at === typeAt) continue;
    const wrong = Buffer.from(summed);
    wrong[at]! ^= 0x01;
    assert.is(kindOf(wrong), 'invalid', `octet ${at}`);
  }
  assert.is(kindOf(v2(client, server, [{ type: 0x03, value: new Uint8Array(3) }])), 'invalid');
});

const endpoint = (octets: 4 | 16) =>
  fc.tuple(fc.uint8Array({ minLength: octets, maxLength: octets }), fc.nat(65535)).map(([each, port]) => ({
    address: printIpAddress(ipAddressOf(each)),
    port,
  }));
const pairs = fc
  .oneof(fc.tuple(endpoint(4), endpoint(4)), fc.tuple(endpoint(16), endpoint(16)))
  .filter(([a, b]) => a.address.includes(':') === b.address.includes(':')); // a mapped one prints as IPv4

test('what was put in comes out, by both versions', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(pairs, bytes, ([source, destination], rest) => {
      for (const made of [v1(source, destination), v2(source, destination), v2Summed(source, destination)]) {
        const read = header(Buffer.concat([made, rest]));
        assert.equal(read, { kind: 'header', header: tcp(source, destination), octets: made.length });
      }
    }),
  );
});

test('until its last octet a header is incomplete, and no octet changes what was found', () => {
  const headers = [
    v1(client, server),
    v1(client6, server6),
    v2Summed(client6, server6),
    v2Unix('a', 'b'),
    v2Local(Buffer.alloc(9)),
  ];
  for (const made of headers) {
    for (let end = 0; end < made.length; end += 1) assert.is(kindOf(made.subarray(0, end)), 'incomplete', `${end}`);
    assert.is(header(made).octets, made.length);
  }
});

test('nothing makes the reader throw, an answer stays, and there is one in time', () => {
  const wild = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((rest) => Buffer.concat([latin1('PROXY '), rest])),
    fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([SIGNATURE, rest])),
    fc
      .tuple(fc.constantFrom(0x20, 0x21), fc.constantFrom(0, 0x11, 0x21, 0x31), fc.uint8Array({ maxLength: 300 }))
      .map(([command, transport, rest]) => v2Raw(command, transport, rest)),
  );
  fc.assert(
    fc.property(wild, fc.uint8Array({ maxLength: 50 }), (octets, more) => {
      let found: HeaderRead | undefined;
      for (let end = 0; end <= octets.length; end += 1) {
        const read = readProxyHeader(octets.subarray(0, end));
        if (found !== undefined) assert.equal(read, found);
        else if (read.kind !== 'incomplete') found = read;
      }
      if (found !== undefined) assert.equal(readProxyHeader(Buffer.concat([octets, more])), found);
    }),
    { numRuns: 300 },
  );
  const endless = [latin1('PROXY '), Buffer.concat([SIGNATURE, Buffer.of(0x21, 0x11, 0x0f, 0xf0)])];
  for (const begin of endless) {
    const octets = Buffer.concat([begin, Buffer.alloc(MAX_V2_OCTETS, 0x41)]).subarray(0, MAX_V2_OCTETS);
    assert.is.not(kindOf(octets), 'incomplete');
  }
});

test.run();
