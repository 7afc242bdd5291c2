/**
 * What idle connections cost: opens them and reads the server's memory before and after. POP3 and IMAP; greeted only, or logged in
 * (by IMAP with INBOX selected and IDLE), in clear or under TLS.
 */
import { ImapClient } from './clients/imap.ts';
import { Pop3Client } from './clients/pop3.ts';
import type { Memory } from './fleet/processes.ts';
import type { BenchAccount, Place } from './workloads/workload.ts';

type Idler = { quit(): Promise<void>; close(): void };

/** Opens one connection that stays idle. `account`: whom it logs in; absent: it says nothing after the greeting. */
export type Idlers = (place: Place, account: BenchAccount | undefined) => Promise<Idler>;

export const pop3Idlers: Idlers = async ({ pop3 }, account) => {
  const client = await Pop3Client.connect(pop3);
  if (account) await client.logIn(account.name, account.secret);
  return client;
};

export const imapIdlers: Idlers = async ({ imap }, account) => {
  const client = await ImapClient.connect(imap);
  let end = async () => {};
  if (account) {
    await client.logIn(account.name, account.secret);
    await client.ok('SELECT INBOX');
    const done = await client.idle();
    end = async () => void (await done());
  }
  return {
    async quit() {
      await end();
      await client.logOut();
    },
    close: () => client.close(),
  };
};

export type IdleCost = {
  readonly connections: number;
  /** By how much each of them made it grow. */
  readonly each: Memory;
  /** With all of them open. */
  readonly inAll: Memory;
};

const WARM_UP = 200;

/** @param memory  of the server, all its processes */
export async function idleCost(
  idlers: Idlers,
  place: Place,
  memory: () => Memory,
  connections: number,
): Promise<IdleCost> {
  const warmUp = await open(idlers, place, Math.min(WARM_UP, connections)); // what the server allocates once for all
  for (const each of warmUp) await each.quit();
  const before = await settled(memory);
  const clients = await open(idlers, place, connections);
  const after = await settled(memory);
  for (const client of clients) client.close();
  const grown = (kind: keyof Memory): number => (after[kind] - before[kind]) / connections;
  return { connections, each: { pss: grown('pss'), anonymous: grown('anonymous') }, inAll: after };
}

/** In steps, so that the accept queue of the listener does not overflow. */
async function open(idlers: Idlers, place: Place, count: number): Promise<Idler[]> {
  const clients: Idler[] = [];
  const atOnce = place.accounts.length > 0 ? 20 : 100;
  while (clients.length < count) {
    const step = Math.min(atOnce, count - clients.length);
    const one = (at: number) => idlers(place, place.accounts[clients.length + at]);
    clients.push(...(await Promise.all(Array.from({ length: step }, (_, at) => one(at)))));
  }
  return clients;
}

/** Memory when it has stopped to move: the least of some readings, a collection may lie between two. */
async function settled(memory: () => Memory): Promise<Memory> {
  let least: Memory = { pss: Number.POSITIVE_INFINITY, anonymous: Number.POSITIVE_INFINITY };
  for (let reading = 0; reading < 10; reading++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { pss, anonymous } = memory();
    least = { pss: Math.min(least.pss, pss), anonymous: Math.min(least.anonymous, anonymous) };
  }
  return least;
}
