/** How a served node ends: when it is told to, and when a part of it was given up. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError } from '../../bin/command-error.ts';
import { unlessStopped, untilStopped } from '../../bin/until-stopped.ts';

const node = (failed?: Promise<Error>) => {
  const running = {
    stops: 0,
    ...(failed && { failed }),
    stop: async () => {
      running.stops += 1;
    },
  };
  return running;
};

test('the signal stops it, also one that came before it was ready', async () => {
  const [early, late] = [node(new Promise(() => {})), node()];
  await untilStopped(early, AbortSignal.abort());
  assert.is(early.stops, 1);
  const stopping = new AbortController();
  const ended = untilStopped(late, stopping.signal);
  await Promise.resolve();
  assert.is(late.stops, 0);
  stopping.abort();
  await ended;
  assert.is(late.stops, 1);
});

test('a node that gave up a part of itself is stopped, and the command fails with its words', async () => {
  const running = node(Promise.resolve(new Error('mailHost n1 was given up: the disk is full')));
  const thrown = await untilStopped(running, new AbortController().signal).then(
    () => undefined,
    (error) => error,
  );
  assert.instance(thrown, CommandError);
  assert.equal(thrown.lines, ['mailHost n1 was given up: the disk is full']);
  assert.is(running.stops, 1);
});

test('a start that the signal ended is no failure; one that failed by itself is', async () => {
  const reason = new Error('stopped by a signal');
  assert.is(await unlessStopped(Promise.reject(reason), AbortSignal.abort(reason)), undefined);
  assert.is(await unlessStopped(Promise.resolve(7), new AbortController().signal), 7);
  const fault = new Error('the disk is full');
  const thrown = await unlessStopped(Promise.reject(fault), AbortSignal.abort(reason)).catch((error) => error);
  assert.is(thrown, fault);
});

test.run();
