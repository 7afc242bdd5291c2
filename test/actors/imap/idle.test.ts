/** IDLE and a client that does not read. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Idle, type IdleEvent } from '../../../actors/imap/idle.ts';
import type { ImapSession } from '../../../actors/imap/imap-session.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import { manualClock } from '../manual-clock.ts';

/** Flat, as they go out; pulled like an outlet pulls them. */
async function out(event: IdleEvent | undefined): Promise<readonly Response[]> {
  if (event?.type !== 'idle.told') throw new Error(`nothing was told, but ${event?.type}`);
  const flat: Response[] = [];
  for (const each of event.responses) {
    if (each.type === 'batch') for await (const inner of each.responses) flat.push(inner);
    else flat.push(each);
  }
  return flat;
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function idling() {
  const clock = manualClock();
  const told: IdleEvent[] = [];
  let count = 0;
  let wake = () => {};
  const view = {
    sync: async () => [{ type: 'EXISTS', count } as const],
    onNews: (listener: () => void) => {
      wake = listener;
      return () => {};
    },
    close: () => {},
  };
  // Cast: what else a session has, IDLE does not look at.
  const session = { view, clock, constants: { idleKeepaliveMs: 1_000 } } as unknown as ImapSession;
  const idle = new Idle(session, (event) => told.push(event));
  const news = async (times: number) => {
    for (let n = 0; n < times; n++) {
      count++;
      wake();
      await settled();
    }
  };
  return { idle, told, news, clock };
}

test('nothing more is told before the last is out, and then all that came meanwhile at once', async () => {
  const { told, news, clock, idle } = idling();
  await news(50);
  clock.advance(5_000);
  await settled();
  assert.is(told.length, 1, 'a client that reads nothing');
  assert.equal(await out(told[0]), [{ type: 'EXISTS', count: 1 }]);
  await settled();
  assert.is(told.length, 2);
  assert.equal(await out(told[1]), [{ type: 'EXISTS', count: 50 }]);
  await settled();
  assert.is(told.length, 2);
  idle.stop();
});

test('DONE waits for what is on its way; keepalives do not pile up', async () => {
  const { told, news, clock, idle } = idling();
  for (let n = 0; n < 5; n++) {
    clock.advance(1_000);
    await settled();
  }
  assert.is(told.length, 1);
  await news(1);
  idle.finish();
  await settled();
  assert.is(told.length, 1);
  await out(told[0]);
  await settled();
  await out(told[1]);
  await settled();
  assert.equal(told.slice(2), [{ type: 'idle.ended' }]);
});

test.run();
