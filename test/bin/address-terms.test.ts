/** What the configuration lets an address do: lists from files, and defaults that protect without breaking a balancer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allowedBy, perAddressOf } from '../../bin/address-terms.ts';
import { CommandError } from '../../bin/command-error.ts';
import type { Listener } from '../../config/schema.ts';
import { ipAddress } from '../../kernel/ip-address.ts';

const pop3: Listener = { protocol: 'pop3', place: { address: '::', port: 110 }, channels: 1000, tls: 'none' };
const terms = (listener: Partial<Listener>, address = '192.0.2.1') =>
  perAddressOf({ ...pop3, ...listener })(ipAddress(address)!);
const NONE = { connections: 0, perMinute: 0 };

test('by default an address has at most three quarters of the channels', () => {
  assert.equal(terms({}), { connections: 750, perMinute: 6000 });
  assert.equal(terms({ channels: 1 }), { connections: 1, perMinute: 6000 });
  assert.is(terms({ channels: 0 }).connections, 1);
  assert.is(terms({ protocol: 'poppwd', channels: 10 }).connections, 7);
  assert.is(terms({ channels: 2 }).connections, 1, 'of two one is left to others');
  assert.is(terms({ channels: 5 }).connections, 3);
});

test('by default this machine and LMTP have no limits; what is written holds for them too', () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) assert.equal(terms({}, address), NONE, address);
  assert.equal(terms({ protocol: 'lmtp' }), NONE);
  assert.equal(terms({ connectionsPerAddress: 5 }, '127.0.0.1'), { connections: 5, perMinute: 0 });
  assert.equal(terms({ protocol: 'lmtp', connectionRatePerAddress: 60 }), { connections: 0, perMinute: 60 });
});

test('0 is no limit, and who is exempt has none', () => {
  assert.equal(terms({ connectionsPerAddress: 0 }), { connections: 0, perMinute: 6000 });
  assert.equal(terms({ connectionsPerAddress: 3, limitsExempt: ['192.0.2.0/24'] }), NONE);
  assert.is(terms({ connectionsPerAddress: 3, limitsExempt: ['192.0.2.0/24'] }, '192.0.3.1').connections, 3);
});

test('the list and the file are one list; a file that is wrong, empty or missing is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-terms-'));
  const allowFile = join(folder, 'allowed');
  const read = (more: Partial<Listener> = {}) => allowedBy({ ...pop3, allowFile, ...more }, 'listener#1.allow-file');
  const fault = (): CommandError => {
    try {
      read();
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
    throw new Error('was accepted');
  };
  try {
    assert.is(allowedBy(pop3, ''), undefined);
    assert.equal(fault().lines, [`listener#1.allow-file: "${allowFile}" cannot be read (ENOENT)`]);
    writeFileSync(allowFile, '; the office\r\n192.0.2.0/24\r\n!192.0.2.66 ; a printer\n');
    const list = read({ allow: ['203.0.113.7'] })!;
    for (const [address, isIn] of [
      ['192.0.2.1', true],
      ['192.0.2.66', false],
      ['203.0.113.7', true],
      ['203.0.113.8', false],
    ] as const)
      assert.is(list.has(ipAddress(address)!), isIn, address);
    writeFileSync(allowFile, '192.0.2.1\nexample.test\n\n192.0.2.1/99\n');
    assert.equal(fault().lines, [
      `${allowFile}: line 2: "example.test" is not allowed: must be an IP address, two with "-" between them, or one with "/" and a mask`,
      `${allowFile}: line 4: "192.0.2.1/99" is not allowed: the mask must be a number of bits that the address has (for ::ffff:192.0.2.0 of 96 or more), or of the form 255.255.255.0`,
    ]);
    writeFileSync(allowFile, '; nobody yet\n');
    assert.equal(fault().lines, [`${allowFile}: names no address`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
