/**
 * What idle POP3 connections cost: opens them and reads the server's memory before and after; greeted only, or logged in, in clear
 * or under TLS.
 */
import { Pop3Client } from './clients/pop3.ts';
import type { Endpoint } from './clients/wire.ts';
import type { Memory } from './fleet/processes.ts';
import type { BenchAccount } from './workloads/workload.ts';

export type IdlePlace = {
  readonly pop3: Endpoint;
  /** Connections log in, each to an account of its own; absent: they say nothing after the greeting. */
  readonly accounts?: readonly BenchAccount[];
  /** Of the server, all its processes. */
  readonly memory: () => Memory;
};

export type IdleCost = {
  readonly connections: number;
  /** By how much each of them made it grow. */
  readonly each: Memory;
  /** With all of them open. */
  readonly inAll: Memory;
};

const WARM_UP = 200;

export async function idleCost(place: IdlePlace, connections: number): Promise<IdleCost> {
  const warmUp = await open(place, Math.min(WARM_UP, connections)); // what the server allocates once for all
  for (const each of warmUp) await each.quit();
  const before = await settled(place);
  const clients = await open(place, connections);
  const after = await settled(place);
  for (const client of clients) client.close();
  const grown = (kind: keyof Memory): number => (after[kind] - before[kind]) / connections;
  return { connections, each: { pss: grown('pss'), anonymous: grown('anonymous') }, inAll: after };
}

/** In steps, so that the accept queue of the listener does not overflow. */
async function open({ pop3, accounts }: IdlePlace, count: number): Promise<Pop3Client[]> {
  const clients: Pop3Client[] = [];
  const one = async (at: number): Promise<Pop3Client> => {
    const client = await Pop3Client.connect(pop3);
    if (accounts) await client.logIn(accounts[at]!.name, accounts[at]!.secret);
    return client;
  };
  while (clients.length < count) {
    const step = Math.min(accounts ? 20 : 100, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: step }, (_, at) => one(clients.length + at)))));
  }
  return clients;
}

/** Memory when it has stopped to move: the least of some readings, a collection may lie between two. */
async function settled({ memory }: IdlePlace): Promise<Memory> {
  let least: Memory = { pss: Number.POSITIVE_INFINITY, anonymous: Number.POSITIVE_INFINITY };
  for (let reading = 0; reading < 10; reading++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { pss, anonymous } = memory();
    least = { pss: Math.min(least.pss, pss), anonymous: Math.min(least.anonymous, anonymous) };
  }
  return least;
}
