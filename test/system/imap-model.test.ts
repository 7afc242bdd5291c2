/**
 * The model of IMAP sessions (test/model/) on whole nodes: eight sessions on three of them, and at full length with the owner
 * killed by SIGKILL and started again, as often as it comes back.
 */
import { test } from 'uvu';
import { ImapClient } from '../../bench/clients/imap.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import { play } from '../model/imap-game.ts';
import type { Servers } from '../model/imap-session.ts';
import { eventually, hasNats, scaled, threeNodes, withFleet } from '../support/system.ts';

const KILLED_SEEDS = scaled(0, 20);
const SECRET = 'of ann';
const patient = threeNodes({ top: 'failover-patience = "30s"\n' });
const isFull = KILLED_SEEDS > 0;

/** Sessions of an account of its own for each seed, whose owner is n2. */
async function serversOf(fleet: Fleet, seed: number, mayFail: boolean): Promise<Servers> {
  const name = `model${seed}@example.test`;
  await fleet.node('n1').ask('account.add', { name, secret: SECRET, mailHost: 'n2' });
  return {
    nodes: fleet.nodes.length,
    mayFail,
    connect: (node, onResponse) =>
      eventually(`a log-in at node ${node + 1}`, mayFail ? 60_000 : 10_000, async () => {
        const client = await ImapClient.connect(fleet.nodes[node]!.imap!, { onResponse });
        try {
          await client.logIn(name, SECRET);
          return client;
        } catch (fault) {
          client.close();
          throw fault;
        }
      }),
  };
}

const quiet = isFull && hasNats() ? test : test.skip;

quiet('sessions on three nodes are told what is right', () =>
  withFleet(patient, async (fleet) => {
    for (let seed = 1; seed <= 20; seed++) {
      await play({ seed, sessions: 8, deeds: 20, newsWithinMs: 10_000 }, await serversOf(fleet, seed, false));
    }
  }),
);

quiet('sessions on three nodes are told what is right while their owner is killed and comes back', () =>
  withFleet(patient, async (fleet) => {
    const owner = fleet.node('n2');
    for (let seed = 101; seed <= 100 + KILLED_SEEDS; seed++) {
      let restarting: Promise<void> | undefined;
      const restart = async () => {
        await owner.program!.kill();
        await owner.start();
        restarting = undefined;
      };
      await play(
        {
          ...{ seed, sessions: 8, deeds: 25, newsWithinMs: 30_000 },
          onDeed: (_, chance) => {
            if (restarting === undefined && chance.oneIn(50)) restarting = restart();
          },
          settled: async () => await restarting,
        },
        await serversOf(fleet, seed, true),
      );
    }
  }),
);

test.run();
