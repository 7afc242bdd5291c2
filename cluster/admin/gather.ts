/**
 * An operator's end of the admin channel: sends one signed message, and gathers the answers until every node that is known
 * to be there has answered, or the time is over. Who is known is what the answering nodes say (docs/admin.md).
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { AnswerCollector, answerOpener, type NodeAnswer } from './answer.ts';
import type { AdminChannel } from './channel.ts';
import { importPublic, type PublicJwk, type SigningKey } from './keys.ts';
import { audienceOf, MAX_LIFETIME_MS, type Order, signMessage } from './message.ts';

export type GatherOptions = {
  readonly channel: AdminChannel;
  readonly cluster: string;
  readonly key: SigningKey;
  /** By which the nodes of the cluster sign. */
  readonly answers: PublicJwk;
  readonly order: Order;
  /** One node; absent: all. */
  readonly to?: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
};

export type Gathered = {
  /** By node. */
  readonly answers: readonly NodeAnswer[];
  /** Nodes that said `refused` and no more. */
  readonly refused: readonly string[];
  /** Nodes that are known to be there and did not answer in time. */
  readonly silent: readonly string[];
};

export async function gather(options: GatherOptions): Promise<Gathered> {
  const { channel, key, order, to, timeoutMs, clock } = options;
  const opener = await answerOpener(importPublic(options.answers));
  const issuedAtMs = clock.wall();
  const message = {
    ...order,
    id: randomBytes(16).toString('base64url'),
    audience: audienceOf(options.cluster, options.answers.kid),
    ...(to !== undefined && { to }),
    answerTo: opener.answerTo,
    issuedAtMs,
    expiresAtMs: issuedAtMs + MAX_LIFETIME_MS / 2, // it is heard at once or not at all; the rest is for clocks
  };
  const octets = await signMessage(key, message);
  opener.expect({ id: message.id, octets });
  const answers = new Map<string, NodeAnswer>();
  const refused = new Set<string>();
  const known = new Set<string>(to === undefined ? [] : [to]);
  const collector = new AnswerCollector();
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const timer = clock.after(timeoutMs, () => end());
  const silent = () => [...known].filter((node) => !answers.has(node) && !refused.has(node)).sort();

  const take = async (heard: Uint8Array): Promise<void> => {
    const part = await opener.open(heard);
    if (part?.kind === 'refused') refused.add(part.node);
    const whole = part?.kind === 'part' ? collector.take(part) : undefined;
    if (whole) {
      answers.set(whole.node, whole); // the collector gives one for each node
      if (to === undefined) for (const node of whole.members) known.add(node);
    }
    if ((answers.size > 0 || to !== undefined) && silent().length === 0) end();
  };
  let taking = Promise.resolve();
  const sent = await channel.send(to, octets, (heard) => {
    taking = taking.then(() => take(heard));
    taking.catch(() => end()); // told below
  });
  await ended;
  timer.cancel();
  await sent.stop();
  await taking;
  return {
    answers: [...answers.values()].sort((a, b) => (a.node < b.node ? -1 : 1)),
    refused: [...refused].filter((node) => !answers.has(node)).sort(),
    silent: silent(),
  };
}
