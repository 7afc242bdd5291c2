/** One node's bus over a real nats-server, for tests; all nodes of a test file have one key. */
import { randomBytes } from 'node:crypto';
import type { Bus } from '../../../cluster/bus/bus.ts';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import { NatsBus } from '../../../cluster/bus/nats-bus.ts';
import { FrameSealer } from '../../../cluster/frames.ts';
import { connectNats } from '../../../cluster/nats/connect.ts';
import { systemClock as clock } from '../../../kernel/clock.ts';
import { silentLog as log } from '../../../telemetry/log.ts';

const key = randomBytes(32);

export type NatsNode = { readonly bus: Bus; close(): Promise<void> };

export async function natsNode(address: string): Promise<NatsNode> {
  const link = await connectNats({ servers: [address] }, { me: 'test', log, clock });
  const local = new LocalBus({ clock, log });
  const bus = new NatsBus({ link, local, sealer: new FrameSealer({ key, clock, log }), clock, log });
  const close = async () => {
    await bus.close();
    await link.close();
  };
  return { bus, close };
}
