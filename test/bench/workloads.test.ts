/** Each workload against one node for a moment: nothing fails, and something is done. How fast is `npm run bench`'s to say. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fleet, startFleet } from '../../bench/fleet/fleet.ts';
import { imapIdlers, pop3Idlers } from '../../bench/idle.ts';
import { measureIdle, measureLoad, rateOf, type Server } from '../../bench/measure.ts';
import { imapAppend } from '../../bench/workloads/imap-append.ts';
import { imapFetchBodies } from '../../bench/workloads/imap-fetch-bodies.ts';
import { measureLarge } from '../../bench/workloads/imap-large.ts';
import { imapLoginSelectFetch } from '../../bench/workloads/imap-login-select-fetch.ts';
import { lmtpDeliver } from '../../bench/workloads/lmtp-deliver.ts';
import { pop3Login } from '../../bench/workloads/pop3-login.ts';
import { pop3Retr } from '../../bench/workloads/pop3-retr.ts';

const CLIENTS = 3;
let directory: string;
let fleet: Fleet;

test.before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  fleet = await startFleet({ directory: join(directory, 'fleet'), nodes: ['n1'], nats: 0 });
});
test.after(async () => {
  await fleet?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** With accounts of its own for each workload: some count on an empty mailbox. */
async function server(what: string): Promise<Server> {
  const node = fleet.node('n1');
  const accounts = Array.from({ length: CLIENTS }, (_, at) => ({
    name: `${what}${at}@example.test`,
    secret: 'secret',
  }));
  for (const { name, secret } of accounts) await node.ask('account.add', { name, secret, mailHost: 'n1' });
  return {
    where: 'embedded',
    place: { pop3: node.pop3, imap: node.imap!, lmtp: node.lmtp, accounts },
    cpuSeconds: () => node.program!.cpuSeconds(),
    memory: () => node.program!.memory(),
  };
}

for (const [name, workload] of Object.entries({
  ...{ 'pop3-login': pop3Login, 'pop3-retr': pop3Retr, 'lmtp-deliver': lmtpDeliver },
  ...{ 'imap-login-select-fetch': imapLoginSelectFetch, 'imap-fetch-bodies': imapFetchBodies },
  'imap-append': imapAppend,
}))
  test(`${name} does what it counts`, async () => {
    const row = await measureLoad(workload, await server(name), { name, clients: CLIENTS, seconds: 0.2 });
    assert.is(row['errors'], 0);
    assert.ok(Number(row[rateOf(workload)]) > 0, JSON.stringify(row));
  });

for (const [name, idlers] of Object.entries({ 'pop3-idle': pop3Idlers, 'imap-idle': imapIdlers }))
  test(`${name} opens, and closes`, async () => {
    const row = await measureIdle(idlers, await server(name), { name, connections: CLIENTS, isLoggedIn: true });
    assert.is(row['connections'], CLIENTS);
    assert.ok(Number(row['MiB in all']) > 0, JSON.stringify(row));
  });

test('imap-large measures a mailbox of whatever size', async () => {
  const rows = await measureLarge({ directory: join(directory, 'large'), messages: 300, octets: 2000 });
  assert.equal(
    rows.map(({ what }) => what),
    [
      'FETCH 1:* BODY.PEEK[]',
      'APPEND',
      'EXAMINE',
      'STATUS',
      'QRESYNC of 100 changes',
      'NOOP beside a reader of 10 kB/s',
    ],
  );
  assert.ok(Number(rows[0]!['MB']) > 0.5, 'all bodies came');
});

test.run();
