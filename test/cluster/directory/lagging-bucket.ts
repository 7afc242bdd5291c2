/** A bucket whose watch lags behind the bucket, for tests of what was overwritten meanwhile. */
import type { Bucket, WatchEvent } from '../../../cluster/directory/bucket.ts';
import type { World } from './world.ts';

/** A bucket whose watch lags as a stream's consumer does: what was overwritten meanwhile is passed over, the rest comes apart. */
export function laggingBucket(world: World) {
  let isHeld = false;
  let goOn = () => {};
  const client = world.server.client(world.clock, { latencyMs: () => 1 });
  const bucket: Bucket = {
    ...client,
    async *watch(after, signal): AsyncIterable<WatchEvent> {
      let hasGap = false;
      for await (const event of client.watch(after, signal)) {
        while (isHeld) await new Promise<void>((resolve) => (goOn = resolve));
        if (event.kind === 'entry') {
          const { key, revision } = event.entry;
          const isPassedOver = world.server.entry(key)!.revision !== revision;
          if (isPassedOver && !hasGap) yield { kind: 'gap' };
          hasGap ||= isPassedOver;
          if (isPassedOver) continue;
          await new Promise<void>((resolve) => world.clock.after(1, resolve));
        }
        yield event;
        if (hasGap && event.kind === 'entry' && event.entry.revision === world.server.snapshot().last) {
          hasGap = false;
          yield { kind: 'caught-up' };
        }
      }
    },
  };
  return {
    bucket,
    hold: () => {
      isHeld = true;
    },
    goOn: () => {
      isHeld = false;
      goOn();
    },
  };
}
