/**
 * Postfix delivers by LMTP through a node that is drained and restarted meanwhile, to mailboxes of that node and of another: nothing is
 * lost, nothing is doubled, and its queue empties. Skipped where Postfix is missing or may not be started.
 */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import { Postfix, postfixIsMissing } from '../support/postfix.ts';
import { eventually, hasNats, retrieveAll, scaled, threeNodes, withFleet } from '../support/system.ts';

const missing = hasNats() ? postfixIsMissing() : 'nats-server is not installed';
if (missing) console.log(`skipped: ${missing}`);
const postfix = missing ? test.skip : test;

const MESSAGES = scaled(50, 1000);
const ROUNDS = scaled(1, 3);
const HERE = { name: 'here@example.test', secret: 'secret', mailHost: 'n2' };
const ELSEWHERE = { name: 'elsewhere@example.test', secret: 'secret', mailHost: 'n1' };

postfix(
  `${MESSAGES} messages of Postfix through a node that is drained and restarted meanwhile: each is there once`,
  () =>
    withFleet(
      threeNodes({ tls: 'offered', tables: '[admin]\nkeys-file = "keys.json"\n' }),
      async (fleet, directory) => {
        const key = join(directory, 'boss.key');
        await fleet.node('n1').homing('admin', 'keygen', 'boss', '--out', key, '--allow');
        for (const account of [HERE, ELSEWHERE]) await fleet.node('n1').ask('account.add', account);
        const front = fleet.node('n2');
        const relay = await Postfix.start({ lmtpPort: front.ports.lmtp, authorityFile: fleet.tls!.authorityFile });
        try {
          const sizes = batches(MESSAGES / 2, 2 * ROUNDS);
          for (let round = 0; round < ROUNDS; round++)
            await restartUnderLoad(fleet, relay, key, [sizes[2 * round]!, sizes[2 * round + 1]!]);
          await relay.flush();
          await eventually('an empty queue', 60_000, async () => ((await relay.isEmpty()) ? true : undefined));
          assert.is(relay.count('sent'), MESSAGES);
          assert.is(relay.count('bounced'), 0);
          assert.match(relay.log(), /Verified TLS connection established to 127\.0\.0\.1/);
          for (const account of [HERE, ELSEWHERE]) await hasEachOnce(fleet, account, relay.sentTo(account.name));
        } finally {
          await relay.stop();
        }
      },
    ),
);

/** So many in all, as evenly as whole numbers go. */
const batches = (total: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => Math.floor(((at + 1) * total) / count) - Math.floor((at * total) / count));

/**
 * Drains the node by a signed message to another one, while a batch for each account goes through it; ends it when a second
 * batch has met the closed port, and starts it again.
 */
async function restartUnderLoad(
  fleet: Fleet,
  relay: Postfix,
  key: string,
  [during, after]: readonly [number, number],
): Promise<void> {
  const inject = (count: number) => Promise.all([HERE, ELSEWHERE].map(({ name }) => relay.inject(count, name)));
  const more = (what: 'sent' | 'deferred', than: number) =>
    eventually(`more ${what}`, 60_000, () => (relay.count(what) > than ? true : undefined));
  const sent = relay.count('sent');
  const first = inject(during);
  first.catch(() => {}); // awaited below, unless the drain fails before
  await more('sent', sent + 5);
  // Returns when the relay has ended the last connection that it kept: all that it sends then is put off.
  await fleet.node('n1').homing('admin', 'drain', '--node', 'n2', '--key', key, '--wait', '60s', '--timeout', '30s');
  const deferred = relay.count('deferred');
  const second = inject(after);
  second.catch(() => {});
  await more('deferred', deferred);
  assert.is(await fleet.node('n2').program!.stop(), '0');
  await fleet.node('n2').start();
  await Promise.all([first, second]);
}

/** By Postfix's own names: smtp-source, when it is slow, gives several messages one Message-Id. */
async function hasEachOnce(fleet: Fleet, { name, secret }: typeof HERE, sent: readonly string[]): Promise<void> {
  const mail = await retrieveAll(fleet.node('n3').pop3, name, secret);
  const ids = mail.map((each) => /\(Postfix\)\s+with E?SMTP id (\w+)/.exec(each.toString('latin1'))?.[1] ?? 'none');
  assert.is(new Set(sent).size, MESSAGES / 2, name);
  assert.equal(ids.sort(), [...sent].sort(), `${name}: each is there, and none twice`);
}

test.run();
