/** `npm run simulate:imap -- [--seeds 2000] [--first 1] [--nats]`: the model's games by command; prints the seeds that fail. */
import { parseArgs } from 'node:util';
import { natsServer } from '../support/nats-server.ts';
import { gameOverNats, gameWithLinks } from './imap-games.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    first: { type: 'string', default: '1' },
    /** Over a nats-server instead of links in this process: less is determined by the seed. */
    nats: { type: 'boolean', default: false },
  },
});
const first = Number(values.first);
const end = first + Number(values.seeds);
const { server, missing } = values.nats ? await natsServer() : { server: undefined, missing: undefined };
if (missing !== undefined) throw new Error(missing);

const failed: number[] = [];
const begun = performance.now();
for (let seed = first; seed < end; seed++) {
  try {
    await (server === undefined ? gameWithLinks(seed) : gameOverNats(seed, server.address));
  } catch (fault) {
    failed.push(seed);
    console.error((fault as Error).message);
  }
  if ((seed - first + 1) % 50 === 0) {
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(`${seed - first + 1} seeds in ${seconds} s, ${failed.length} failed`);
  }
}
await server?.stop();
console.log(failed.length === 0 ? `all of ${end - first} seeds hold` : `failed: ${failed.join(' ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
