/** The directory's stream is put back to an older copy while the nodes live: seen, repaired, never silently followed. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, hasNats, logIn, threeNodes, withFleet } from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const GIL = 'gil@example.test';

cluster('an older copy restored under living nodes: no old password is accepted, the newest mirror wins', () =>
  withFleet(threeNodes(), async (fleet, directory) => {
    const nats = fleet.nats[0]!;
    const copy = join(directory, 'older');
    const n1 = fleet.node('n1');
    await n1.ask('account.add', { name: GIL, secret: 'old', mailHost: 'n2' });
    await n1.ask('account.add', { name: 'kept@example.test', secret: 'same', mailHost: 'n1' });

    await nats.program.stop();
    cpSync(nats.store, copy, { recursive: true });
    await nats.restart();
    const healed = () =>
      eventually('fresh nodes', 10_000, async () => {
        for (const { pop3 } of fleet.nodes)
          if ((await logIn(pop3, 'kept@example.test', 'same')) !== 'ok') return undefined;
        return true;
      });
    await healed();
    await fleet.node('n2').ask('password.set', { name: GIL, service: 'DEFAULT', secret: 'new' });
    await fleet.node('n3').ask('account.add', { name: 'late@example.test', secret: 'late', mailHost: 'n3' });

    await nats.program.kill();
    rmSync(nats.store, { recursive: true });
    cpSync(copy, nats.store, { recursive: true });
    await nats.restart();

    const answers = new Set<string>();
    await eventually('the nodes to have repaired the directory', 20_000, async () => {
      let accepted = 0;
      for (const { pop3 } of fleet.nodes) {
        answers.add(await logIn(pop3, GIL, 'old'));
        if ((await logIn(pop3, GIL, 'new')) === 'ok') accepted++;
        if ((await logIn(pop3, 'late@example.test', 'late')) === 'ok') accepted++;
      }
      return accepted === 6 ? true : undefined;
    });
    for (const answer of answers) assert.match(answer, /^-ERR \[(AUTH|SYS\/TEMP)\]/);
    assert.ok(
      fleet.nodes.some(({ lines }) => lines.some((line) => /went back|regress/i.test(line))),
      'the regression is in a log',
    );
    // A node that joins with an empty mirror reads what was repaired, not what was restored.
    const n4 = await fleet.add('n4');
    assert.match(await logIn(n4.pop3, GIL, 'old'), /^-ERR \[AUTH\]/);
    assert.is(await logIn(n4.pop3, GIL, 'new'), 'ok');
    const n3 = fleet.node('n3');
    await n3.program!.kill();
    await n3.start();
    assert.match(await logIn(n3.pop3, GIL, 'old'), /^-ERR \[AUTH\]/);
    assert.is(await logIn(n3.pop3, GIL, 'new'), 'ok');
    await n1.ask('password.set', { name: GIL, service: 'DEFAULT', secret: 'newer' });
    for (const { pop3 } of fleet.nodes) {
      assert.is(await logIn(pop3, GIL, 'newer'), 'ok');
      assert.match(await logIn(pop3, GIL, 'new'), /^-ERR \[AUTH\]/);
    }
  }),
);

test.run();
