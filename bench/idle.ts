/** What idle POP3 connections cost: opens them, logged in or not, and reads the server's anonymous memory before and after. */
import { Pop3Client } from './clients/pop3.ts';
import type { NodeProcess } from './fleet/node-process.ts';

export type IdleCost = { readonly connections: number; readonly octetsEach: number };

/** Opens connections in steps, so that the accept queue of the listener does not overflow. */
export async function idleCost(node: NodeProcess, connections: number): Promise<IdleCost> {
  const warmUp = await open(node, 200); // what the server allocates once for all
  for (const each of warmUp) await each.quit();
  const before = await settled(node);
  const clients = await open(node, connections);
  const after = await settled(node);
  for (const client of clients) client.close();
  return { connections, octetsEach: (after - before) / connections };
}

async function open(node: NodeProcess, count: number): Promise<Pop3Client[]> {
  const clients: Pop3Client[] = [];
  while (clients.length < count) {
    const step = Math.min(100, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: step }, () => Pop3Client.connect(node.pop3)))));
  }
  return clients;
}

/** Anonymous memory when it has stopped to move: the least of some readings, a collection may lie between two. */
async function settled(node: NodeProcess): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < 10; reading++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    least = Math.min(least, node.program!.rssAnonOctets());
  }
  return least;
}
