/**
 * The IMAP transcripts with the owners on another node than the front, over a real nats-server, and what a session hears of
 * another node's doings. Skipped, visibly, where no nats-server is installed.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { natsServer } from '../../support/nats-server.ts';
import { overMemory, play, transcripts } from '../../support/transcript.ts';
import { ImapClient } from './conversation.ts';
import { type House, house } from './house.ts';
import { natsNode } from './nats-node.ts';

const { server: nats, missing } = await natsServer();
async function withTwoNodes(run: (home: House) => Promise<void>): Promise<void> {
  const [front, owners] = [await natsNode(nats!.address), await natsNode(nats!.address)];
  const home = await house({ buses: { front: front.bus, owners: owners.bus } });
  try {
    await run(home);
  } finally {
    await home.stop();
    await Promise.all([front.close(), owners.close()]);
  }
}

if (nats === undefined) test.skip(missing, () => {});
else {
  for (const transcript of transcripts('imap'))
    test(`${transcript.name}, with the owner on another node`, () =>
      withTwoNodes(async (home) => {
        const played = overMemory(home.protocol());
        await play(transcript, played.client, 'pipelined').finally(() => played.close());
      }));

  test('an IDLE session hears at once what a session elsewhere does', () =>
    withTwoNodes(async (home) => {
      const ann = await ImapClient.of(home.protocol(), 'ann');
      const other = await ImapClient.of(home.protocol(), 'ann');
      await ann.says('SELECT INBOX');
      ann.send('i IDLE\r\n');
      assert.is(await ann.line(), '+ idling');
      other.send('a APPEND INBOX {5+}\r\nhello\r\n');
      assert.match(await other.line(), /^a OK/);
      assert.is(await ann.line(), '* 1 EXISTS');
      await ann.line();
      await other.says('SELECT INBOX');
      await other.says('STORE 1 +FLAGS.SILENT (\\Answered)');
      assert.match(await ann.line(), /^\* 1 FETCH .*Answered/);
      ann.send('DONE\r\n');
      assert.is(await ann.line(), 'i OK IDLE terminated');
      await Promise.all([ann.close(), other.close()]);
    }));

  test.after(() => nats.stop());
}

test.run();
