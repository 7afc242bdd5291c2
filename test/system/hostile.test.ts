/**
 * Hostile clients of all kinds against a whole node: it lives, says nothing improper, forgets them, and serves the others. How
 * fast it serves them meanwhile is measured by `npm run bench -- hostile`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FLOOD } from '../../bench/hostile/attack.ts';
import { kinds } from '../../bench/hostile/kinds.ts';
import { besiege, siegeTerms } from '../../bench/hostile/siege.ts';
import { scaled, withFleet } from '../support/system.ts';

const SESSIONS = scaled(600, 10_000);
const AT_ONCE = scaled(150, 300);
/**
 * Some hundreds of connections with all that each may have in flight, and what a collector lets lie: bounded by how many there
 * are at once, and the same for six hundred sessions and for ten thousand.
 */
const MOST_GROWN_MB = 256;
/** Hostile clients come from addresses of their own, which a balancer would have to be told, and Deno's sockets can't choose. */
const isDirect = process.env['HOMING_TEST_PROXY'] === undefined && !('Deno' in globalThis);

(isDirect ? test : test.skip)('a node under attack refuses in words, forgets, and serves everybody else', () =>
  withFleet({ nodes: ['n1'], nats: 0, tls: 'offered', ...siegeTerms }, async (fleet, directory) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const result = await besiege(fleet.node('n1'), {
      ...{ directory, seed, sessions: SESSIONS, atOnce: AT_ONCE },
      ...{ quietMs: 1000, patienceMs: scaled(1500, 4000), perSecond: 5, hostilePerSecond: 100 },
    });
    const { attack, quiet, attacked, memory } = result;
    const what = `seed ${seed}`;
    assert.ok(result.isAlive, what);
    assert.is(attack.sessions, SESSIONS, what);
    assert.equal(Object.keys(attack.endings).sort(), [FLOOD, ...kinds.map(({ name }) => name)].sort(), what);
    assert.equal({ improper: attack.improper, examples: attack.examples }, { improper: 0, examples: [] }, what);
    assert.ok((attack.endings[FLOOD]!['not let in'] ?? 0) > 0, `${what}: no flood met a limit`);
    assert.ok(attack.refusals > SESSIONS, `${what}: only ${attack.refusals} refusals`);
    for (const decent of [quiet.pop3, quiet.lmtp, attacked.pop3, attacked.lmtp]) {
      assert.is(decent.errors, 0, `${what}: ${decent.firstError}`);
      assert.ok(decent.operations > 0, what);
    }
    assert.is(result.sessionsLeft, 0, what);
    assert.equal(result.errorLines, [], what);
    const grownMb = (memory.peak - memory.before) / 1024 ** 2;
    assert.ok(grownMb < MOST_GROWN_MB, `${what}: ${grownMb} MB more`);
  }),
);

test.run();
