/**
 * The model of IMAP sessions in the gate: games of fifty seeds over links within one process, some with an owner that ends and
 * comes back or with what is lost on the way, and a few over NATS. More: `npm run simulate:imap`.
 */
import { test } from 'uvu';
import { natsServer } from '../support/nats-server.ts';
import { gameOverNats, gameWithLinks } from './imap-games.ts';

const SEEDS = 50;
const NATS_SEEDS = 3;
const TOGETHER = 5;

for (let first = 1; first <= SEEDS; first += TOGETHER) {
  const last = first + TOGETHER - 1;
  test(`seeds ${first} to ${last}: what eight sessions on three nodes are told is right at every step, and in the end the same`, async () => {
    for (let seed = first; seed <= last; seed++) await gameWithLinks(seed);
  });
}

const { server, missing } = await natsServer();
if (server === undefined) test.skip(missing, () => {});
else {
  for (let seed = 1; seed <= NATS_SEEDS; seed++)
    test(`seed ${seed}, over NATS`, () => gameOverNats(seed, server.address));
  test.after(() => server.stop());
}

test.run();
