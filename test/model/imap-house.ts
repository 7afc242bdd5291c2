/** Servers for the model in one process: three nodes' fronts and the owner, over a local bus with links, or over NATS. */
import { randomBytes } from 'node:crypto';
import { Connection } from '../../actors/connection.ts';
import { ChangeWatch } from '../../actors/front/change-watch.ts';
import { imapServices } from '../../actors/front/imap-services.ts';
import { imapProtocol } from '../../actors/imap/session.ts';
import type { Caller, Protocol } from '../../actors/session.ts';
import { Turns } from '../../actors/turns.ts';
import { ImapClient, ImapRefusal } from '../../bench/clients/imap.ts';
import { Wire } from '../../bench/clients/wire.ts';
import type { Bus } from '../../cluster/bus/bus.ts';
import { LocalBus } from '../../cluster/bus/local-bus.ts';
import { NatsBus } from '../../cluster/bus/nats-bus.ts';
import { FrameSealer } from '../../cluster/frames.ts';
import { connectNats } from '../../cluster/nats/connect.ts';
import { systemClock as clock } from '../../kernel/clock.ts';
import { silentConnectionLog } from '../../telemetry/connection-log.ts';
import { silentLog as log } from '../../telemetry/log.ts';
import { type House, house, SECRET } from '../actors/imap/house.ts';
import { duplexPair } from '../support/transcript.ts';
import { farBus, type Losses } from './far-bus.ts';
import type { Servers } from './imap-session.ts';
import { seeded } from './seeded.ts';

export type ModelHouse = Servers & {
  /** The owner ends, and another one begins. */
  takeOver(): Promise<void>;
  stop(): Promise<void>;
};

/** The owner is on the second of three nodes; what goes to the others takes its time. */
export async function houseWithLinks(seed: number, losses: Losses): Promise<ModelHouse> {
  const near = new LocalBus({ clock, log });
  const chance = seeded(seed + 1_000_003);
  const buses = [farBus(near, chance.fork(), losses), near, farBus(near, chance.fork(), losses)];
  return await houseOver(buses, losses, () => near.close());
}

/** Each node has a connection of its own to that server. */
export async function houseOverNats(address: string): Promise<ModelHouse> {
  const key = randomBytes(32);
  const ends: (() => Promise<void>)[] = [];
  const buses: Bus[] = [];
  for (const me of ['n1', 'n2', 'n3']) {
    const link = await connectNats({ servers: [address] }, { me, log, clock });
    const local = new LocalBus({ clock, log });
    const bus = new NatsBus({ link, local, sealer: new FrameSealer({ key, clock, log }), clock, log });
    buses.push(bus);
    ends.push(async () => {
      await bus.close();
      await link.close();
    });
  }
  return await houseOver(buses, { answersOneIn: 0, eventsOneIn: 0 }, async () => {
    for (const end of ends) await end();
  });
}

async function houseOver(buses: readonly Bus[], losses: Losses, closeBuses: () => Promise<void>): Promise<ModelHouse> {
  const home = await house({ buses: { front: buses[1]!, owners: buses[1]! } });
  const fronts = buses.map((bus, at) => frontOf(home, bus, `n${at + 1}`));
  const closing = new Set<() => void>();
  let sessions = 0;
  const connect: Servers['connect'] = async (node, onResponse) => {
    const [near, far] = duplexPair();
    const caller = callerOf(`m.${++sessions}`);
    const connection = new Connection(caller, far, fronts[node]!.protocol.begin(caller), {
      ...{ protocol: 'imap', limits: { idleMs: 600_000, writeMs: 60_000 }, clock, log, turns: new Turns(clock) },
      closed: () => {
        closing.delete(close);
      },
    });
    const close = () => connection.destroy();
    closing.add(close);
    const client = await ImapClient.over(Wire.over(near), { onResponse });
    await client.logIn('ann', SECRET);
    return client;
  };
  return {
    nodes: fronts.length,
    mayFail: losses.answersOneIn > 0, // what can't be said in time is refused
    connect: (node, onResponse) => untilTaken(losses, () => connect(node, onResponse)),
    takeOver: () => home.takeOver('n1'),
    async stop() {
      for (const close of closing) close();
      for (const { watch } of fronts) await watch.stop();
      await home.stop();
      await closeBuses();
    },
  };
}

/** A log-in is refused for the time being where an answer to it is lost. */
async function untilTaken(losses: Losses, connect: () => Promise<ImapClient>): Promise<ImapClient> {
  for (;;) {
    try {
      return await connect();
    } catch (fault) {
      const isPassing = fault instanceof ImapRefusal && fault.answer.code?.name === 'UNAVAILABLE';
      if (losses.answersOneIn === 0 || !isPassing) throw fault;
    }
  }
}

/** Another node's front to the same house, which takes passwords in clear. */
export function frontOf({ front: first }: House, bus: Bus, me: string): { protocol: Protocol; watch: ChangeWatch } {
  const front = { ...first, bus, me, startId: `start of ${me}` };
  const watch = new ChangeWatch(front);
  let made = 0;
  const services = imapServices({
    ...{ front, watch, quota: { octets: 0, messages: 0 }, defaultMailboxes: [], mailHosts: () => ['n1', 'n2'] },
    nextOperation: () => `${me}.x${++made}`,
  });
  const protocol = imapProtocol({
    ...{ product: 'Homing', version: '0.1.0', defaultDomain: 'example.test', sharedName: 'shared' },
    ...{ loginFailures: 3, cleartextLogin: true, idleKeepaliveMs: 0, quotaVisible: false, appendLimitOctets: 0 },
    ...{ connectionLog: silentConnectionLog, clock, log, services },
  });
  return { protocol, watch };
}

const callerOf = (session: string): Caller => ({
  session,
  address: '192.0.2.1',
  port: 40_143,
  local: { address: '192.0.2.2', port: 143 },
  tls: 'none',
});
