/** What a transaction may gather: no request to an owner is larger than the estimate, and so than the bus carries. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { traceLines } from '../../../actors/front/trace.ts';
import { type Context, hasRoom, MAX_GATHERED_OCTETS, octetsOf } from '../../../actors/lmtp/context.ts';
import type { DeliverRecipient } from '../../../actors/mailbox-owner/requests.ts';
import { MAX_MESSAGE } from '../../../cluster/bus/bus.ts';
import type { Path } from '../../../protocols/lmtp/command.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import { encode } from '../../../store/codec.ts';

const ID = `${'a1b2c3d4e5f6'.repeat(2)}.admin.123456789`;
const REVERSE_PATH = { localPart: 's', domain: 'e.org' };
const HOST = 'mail.example.test';
const CLIENT = 'mx1.example.test';

/** With all that a recipient can have. */
function asked(forwardPath: Path, folder: string | undefined): DeliverRecipient {
  const trace = traceLines({
    reversePath: REVERSE_PATH,
    forwardPath,
    clientDomain: CLIENT,
    clientAddress: '2001:0db8:1111:2222:3333:4444:255.255.255.255',
    hostName: HOST,
    session: `${'a1b2c3d4e5f6'.repeat(2)}.123456789`,
    smtputf8: true,
    tls: true,
    receivedAt: 1_700_000_000_000,
  });
  const limits = { quotaOctets: 2 ** 50, quotaMessages: 2 ** 50, sizeLimitOctets: 2 ** 50, ignoresQuota: true };
  return {
    account: ID,
    trace,
    internalDate: 1_700_000_000_000,
    ...limits,
    mustExist: true,
    ...(folder !== undefined && { folder }),
  };
}

for (const [what, forwardPath, folder] of [
  ['short names', { localPart: 'u', domain: 'e.org' }, undefined],
  ['short folders', { localPart: 'shared+b', domain: 'e.org' }, 'b'],
  ['long folders', { localPart: `u+${'x'.repeat(900)}`, domain: 'e.org' }, 'x'.repeat(900)],
  ['folders that are quoted', { localPart: `u+${'"'.repeat(900)}`, domain: 'e.org' }, '"'.repeat(900)],
] as [string, Path, string | undefined][])
  test(`as many recipients as there is room for are no more than the estimate: ${what}`, () => {
    const recipients: DeliverRecipient[] = [];
    const constants = { hostName: HOST, maxRecipients: 1_000_000 };
    // What else is in a context is not looked at.
    const context = { reversePath: REVERSE_PATH, clientDomain: CLIENT, constants, recipients: [], gathered: 0 };
    for (let full = context as unknown as Context; hasRoom(full, forwardPath); ) {
      full = { ...full, gathered: full.gathered + octetsOf(full, forwardPath) };
      recipients.push(asked(forwardPath, folder));
    }
    const octets = encode(recipients).length;
    assert.ok(octets <= MAX_GATHERED_OCTETS, `${octets} octets of ${recipients.length} recipients`);
    assert.ok(octets >= MAX_GATHERED_OCTETS / 2, `${octets}: the estimate is far too high`);
    assert.ok(MAX_GATHERED_OCTETS + CHUNK_OCTETS + 10_000 < MAX_MESSAGE);
  });

test.run();
