/**
 * An owner that dies between a commit and its announcement: who idles hears of the change late, from the owner that comes after,
 * and never not at all; who made it is answered once, and it was done once. docs/architecture.md, "Ownership".
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bus } from '../../cluster/bus/bus.ts';
import { LocalBus } from '../../cluster/bus/local-bus.ts';
import { systemClock as clock } from '../../kernel/clock.ts';
import { silentLog as log } from '../../telemetry/log.ts';
import { ImapClient } from '../actors/imap/conversation.ts';
import { type House, house } from '../actors/imap/house.ts';

type Owner = {
  isDead: boolean;
  /** It has committed a change, and could not say so. */
  readonly silenced: Promise<void>;
};

/** The house over a bus on which nothing is announced, and no change answered, while `isDead`. */
async function withMortalOwner(use: (home: House, owner: Owner) => Promise<void>): Promise<void> {
  const local = new LocalBus({ clock, log });
  let silence: () => void = () => {};
  const silenced = new Promise<void>((resolve) => {
    silence = resolve;
  });
  const owner = { isDead: false, silenced };
  const owners: Bus = {
    ask: (subject, request, options) => local.ask(subject, request, options),
    // What was asked of the dead is done, and the answer never comes: the next owner is asked again.
    serve: (subject, handler, options) =>
      local.serve(
        subject,
        async (request) => {
          const answer = await handler(request);
          if (owner.isDead) throw new Error('died with the answer');
          return answer;
        },
        options,
      ),
    publish: (subject, message) => {
      if (owner.isDead) silence();
      else local.publish(subject, message);
    },
    subscribe: (subject, listener) => local.subscribe(subject, listener),
    stream: (subject, request, options) => local.stream(subject, request, options),
    serveStream: (subject, handler) => local.serveStream(subject, handler),
    connected: () => local.connected(),
    onConnection: () => local.onConnection(),
    close: () => local.close(),
  };
  const home = await house({ buses: { front: local, owners } });
  try {
    await use(home, owner);
  } finally {
    await home.stop();
    await local.close();
  }
}

/** Two sessions of ann; the first one idles in INBOX, where one message is. */
async function two(home: House) {
  const idle = await ImapClient.of(home.protocol(), 'ann');
  const other = await ImapClient.of(home.protocol(), 'ann');
  assert.match(await other.ends('APPEND INBOX {5+}\r\nhello'), /^OK/);
  for (const client of [idle, other]) assert.match(await client.ends('SELECT INBOX'), /^OK/);
  idle.send('i IDLE\r\n');
  assert.is(await idle.line(), '+ idling');
  const close = () => Promise.all([idle.close(), other.close()]);
  return { idle, other, close };
}

for (const [command, told] of [
  ['STORE 1 +FLAGS.SILENT (\\Answered)', [/^\* 1 FETCH \(FLAGS \(.*\\Answered/]],
  ['APPEND INBOX {5+}\r\nworld', [/^\* 2 EXISTS$/, /^\* \d RECENT$/]],
  ['MOVE 1 Elsewhere', [/^\* 1 EXPUNGE$/]],
] as const) {
  test(`${command.split(' ')[0]} of which nothing was said is told when the next owner begins, and was done once`, () =>
    withMortalOwner(async (home, owner) => {
      const { idle, other, close } = await two(home);
      assert.match(await other.ends('CREATE Elsewhere'), /^OK/);
      owner.isDead = true;
      const answered = other.says(command);
      await owner.silenced;
      await home.takeOver('n1', false);
      assert.is(idle.played.client.unread, '', 'nobody can have said it');
      owner.isDead = false;
      await home.takeOver('n1');
      for (const expected of told) assert.match(await idle.line(), expected);
      assert.match((await answered).at(-1)!, /^OK/);
      idle.send('DONE\r\n');
      assert.is(await idle.line(), 'i OK IDLE terminated', 'and nothing else');
      const box = command.startsWith('MOVE') ? 'Elsewhere' : 'INBOX';
      const [status] = await other.says(`STATUS ${box} (MESSAGES)`);
      assert.is(status, `* STATUS ${box} (MESSAGES ${command.startsWith('APPEND') ? 2 : 1})`);
      await close();
    }));
}

test.run();
