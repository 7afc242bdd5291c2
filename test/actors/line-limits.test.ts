/** Lines without an end: every protocol refuses one once, holds none of it, and goes on with the next command. */
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_COMMAND_OCTETS as MAX_LMTP } from '../../protocols/lmtp/decoder.ts';
import { MAX_COMMAND_OCTETS as MAX_POP3 } from '../../protocols/pop3/decoder.ts';
import { MAX_LINE_OCTETS as MAX_POPPWD } from '../../protocols/poppwd/decoder.ts';
import { listening, pop3 } from './listening.ts';
import * as lmtpFakes from './lmtp/fake-services.ts';
import * as poppwdFakes from './poppwd/fake-services.ts';

const ENDLESS_OCTETS = 256 * 1024 * 1024;
const PIECE = Buffer.alloc(256 * 1024, 'x');

for (const { name, protocol, maxOctets, tooLong, quit, goodbye } of [
  {
    name: 'POP3',
    protocol: pop3(),
    maxOctets: MAX_POP3,
    tooLong: /^-ERR line too long/,
    quit: 'QUIT',
    goodbye: /^\+OK/,
  },
  {
    name: 'LMTP',
    protocol: lmtpFakes.lmtp(lmtpFakes.fakeHouse().services),
    maxOctets: MAX_LMTP,
    tooLong: /^500 5\.5\.2 line too long/,
    quit: 'QUIT',
    goodbye: /^$/, // a BDAT may have been in that line: nothing more is heard
  },
  {
    name: 'poppwd',
    protocol: poppwdFakes.poppwd(poppwdFakes.fakeHouse().services),
    maxOctets: MAX_POPPWD,
    tooLong: /^5\d\d line too long/,
    quit: 'QUIT',
    goodbye: /^200 /,
  },
] as const) {
  test(`${name}: 256 MiB without a line end take no memory and get one reply, once they have one`, async () => {
    const house = await listening({ protocol });
    const client = await house.call();
    try {
      await client.line();
      const before = process.memoryUsage();
      for (let sent = 0; sent < ENDLESS_OCTETS; sent += PIECE.length) {
        client.send(PIECE);
        if (client.wire.writableNeedDrain) await once(client.wire, 'drain');
      }
      const after = process.memoryUsage();
      const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
      assert.ok(grown < ENDLESS_OCTETS / 2, `${grown} octets more`);
      client.send(`\r\n${quit}\r\n`);
      assert.match((await client.line())!, tooLong);
      assert.match((await client.line()) ?? '', goodbye);
      assert.is(await client.rest(), '');
    } finally {
      client.wire.destroy();
      await house.stop();
    }
  });

  test(`${name}: a line of ${maxOctets} octets is read, one more is too long`, async () => {
    const house = await listening({ protocol });
    const client = await house.call();
    await client.line();
    client.send(`${'x'.repeat(maxOctets - 2)}\r\n${'x'.repeat(maxOctets - 1)}\r\n`);
    assert.not.match((await client.line())!, /too long/);
    assert.match((await client.line())!, tooLong);
    await house.stop();
  });
}

test.run();
