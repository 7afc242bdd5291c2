/**
 * How soon an IDLE session hears of a flag: set on n1, owned by n2, told on n3, while other sessions work. Prints what it finds;
 * figures are for a machine that does nothing else.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImapClient } from '../../bench/clients/imap.ts';
import { pairsIn } from '../../bench/clients/imap-response.ts';
import { run, summed } from '../../bench/load.ts';
import { hasNats, scaled, threeNodes, withFleet } from '../support/system.ts';

const CHANGES = scaled(50, 2_000);
const WORKERS = scaled(2, 8);
const SECRET = 'of ann';
const MESSAGE = Buffer.from('Subject: flagged\r\n\r\nall day\r\n');
const cluster = hasNats() && process.env['HOMING_TEST_FULL'] !== undefined ? test : test.skip;

cluster('each flag set on n1 is told on n3, whose owner is n2; how long that takes is printed', () =>
  withFleet(threeNodes(), async (fleet) => {
    const names = Array.from({ length: WORKERS + 1 }, (_, at) => `u${at}@example.test`);
    for (const name of names) await fleet.node('n1').ask('account.add', { name, secret: SECRET, mailHost: 'n2' });
    const connect = async (me: string, name: string, onFlags?: (flags: readonly string[]) => void) => {
      const client = await ImapClient.connect(fleet.node(me).imap!, {
        onResponse(response) {
          if (response.kind !== 'data' || response.name !== 'FETCH') return;
          onFlags?.((pairsIn(response.values[0]).get('FLAGS') ?? []) as readonly string[]);
        },
      });
      await client.logIn(name, SECRET);
      await client.append('INBOX', MESSAGE);
      await client.ok('SELECT INBOX');
      return client;
    };
    const [watched, ...others] = names as [string, ...string[]];
    let isFlagged = false;
    let tell: () => void = () => {};
    const setter = await connect('n1', watched);
    const listener = await connect('n3', watched, (flags) => {
      if (flags.includes('\\Flagged') === isFlagged) tell();
    });
    const done = await listener.idle();
    const workers = await Promise.all(others.map((name, at) => connect(fleet.nodes[at % 3]!.me, name)));

    const latencies: number[] = [];
    const answered: number[] = [];
    const measured = new AbortController();
    const load = loadUntil(measured.signal, workers);
    for (let at = 0; at < CHANGES; at++) {
      isFlagged = at % 2 === 0;
      const told = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const begun = performance.now();
      const stored = setter.ok(`STORE 1 ${isFlagged ? '+' : '-'}FLAGS.SILENT (\\Flagged)`).then(() => {
        answered.push(performance.now() - begun);
      });
      await told;
      latencies.push(performance.now() - begun);
      await stored;
    }
    measured.abort();
    const rate = await load;
    await done();
    for (const client of [setter, listener, ...workers]) client.close();
    assert.is(latencies.length, CHANGES, 'none was lost');
    const { p50Ms, p99Ms } = figures(latencies);
    const own = figures(answered);
    console.log(
      `${CHANGES} changes told: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms; answered to who made them: ` +
        `p50 ${own.p50Ms.toFixed(1)} ms, p99 ${own.p99Ms.toFixed(1)} ms; beside ${Math.round(rate)} commands/s`,
    );
  }),
);

const figures = (latenciesMs: readonly number[]) => summed(latenciesMs, 1, { errors: 0, firstError: undefined });

/** Each appends, fetches, and flags, ten times a second. @returns commands a second */
async function loadUntil(signal: AbortSignal, workers: readonly ImapClient[]): Promise<number> {
  const begun = performance.now();
  let commands = 0;
  while (!signal.aborted) {
    const { operations } = await run({
      clients: workers.length,
      durationMs: 1,
      operation: async (at) => {
        const worker = workers[at]!;
        await worker.append('INBOX', MESSAGE);
        await worker.ok('FETCH 1:* (UID FLAGS)');
        await worker.ok('STORE * +FLAGS.SILENT (\\Seen \\Deleted)');
        await worker.ok('EXPUNGE');
        await new Promise((resolve) => setTimeout(resolve, 100));
      },
    });
    commands += 4 * operations;
  }
  return commands / ((performance.now() - begun) / 1000);
}

test.run();
