/** One operator and nodes on one channel, with a clock that a test moves: what tests of admin messages share. */

import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '../../../cluster/admin/answer.ts';
import type { AdminChannel } from '../../../cluster/admin/channel.ts';
import {
  type AnswerKeys,
  answerKeys,
  importPublic,
  type KeySet,
  makeOperatorKey,
  type PublicJwk,
} from '../../../cluster/admin/keys.ts';
import { LocalAdminChannel } from '../../../cluster/admin/local-channel.ts';
import type { AdminMessage, Order } from '../../../cluster/admin/message.ts';
import { audienceOf } from '../../../cluster/admin/message.ts';
import { startReception } from '../../../cluster/admin/reception.ts';
import { openReplayGuard } from '../../../cluster/admin/replay-guard.ts';
import type { Service } from '../../../cluster/bus/bus.ts';
import { deriveKeys } from '../../../cluster/cluster-key.ts';
import { accept, type Result } from '../../../kernel/result.ts';
import { type MemoryLog, memoryLog } from '../../../telemetry/memory-log.ts';
import { FakeClock } from '../bus/fake-clock.ts';

export const CLUSTER_KEY = new Uint8Array(32).fill(7);

/** An operator's key, as if read from its file. */
export function operator(kid: string) {
  const { privateText, publicJwk } = makeOperatorKey(kid);
  return { publicJwk, key: { kid, key: createPrivateKey({ key: JSON.parse(privateText), format: 'jwk' }) } };
}

export const keySetOf = (...jwks: readonly PublicJwk[]): KeySet =>
  new Map(jwks.map((jwk) => [jwk.kid, importPublic(jwk)]));

/** Knows how many answers have come back in all. */
type CountingChannel = AdminChannel & { readonly answered: () => number };

function countingAnswers(channel: AdminChannel): CountingChannel {
  let answers = 0;
  return {
    serve: (me, hear) => channel.serve(me, hear),
    send: (to, message, hear) =>
      channel.send(to, message, (answer) => {
        answers += 1;
        hear(answer);
      }),
    answered: () => answers,
  };
}

export type World = {
  readonly clock: FakeClock;
  readonly channel: CountingChannel;
  readonly answers: AnswerKeys;
  readonly boss: ReturnType<typeof operator>;
  /** What was done, by node. */
  readonly performed: { readonly node: string; readonly order: Order }[];
  readonly directory: string;
  keys: Result<KeySet, string>;
  outcome: (node: string, order: Order) => Promise<Outcome>;
  node(me: string, members?: readonly string[]): Promise<Service & { readonly log: MemoryLog }>;
  /** A message that every node takes, unless it is changed. */
  message(changed?: Partial<AdminMessage>): AdminMessage;
};

export async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const channel = countingAnswers(new LocalAdminChannel(memoryLog()));
  const directory = mkdtempSync(join(tmpdir(), 'homing-admin-'));
  const clock = new FakeClock();
  const answers = await answerKeys(deriveKeys(CLUSTER_KEY).adminAnswers);
  const boss = operator('boss');
  const running = new Set<Service>();
  let messages = 0;
  const world: World = {
    clock,
    channel,
    answers,
    boss,
    performed: [],
    directory,
    keys: accept(keySetOf(boss.publicJwk)),
    outcome: async (node) => ({ ok: true, value: `done by ${node}` }),
    async node(me, members = [me]) {
      const log = memoryLog();
      const guard = await openReplayGuard(join(directory, `${me}.seen`), clock);
      const reception = await startReception({
        me,
        cluster: 'demo',
        channel,
        readKeys: async () => world.keys,
        answers,
        guard,
        members: () => members,
        perform: (order) => {
          world.performed.push({ node: me, order });
          return world.outcome(me, order);
        },
        clock,
        log,
      });
      const node = {
        log,
        async stop() {
          running.delete(node);
          await reception.stop();
          await guard.close();
        },
      };
      running.add(node);
      return node;
    },
    message: (changed = {}) => ({
      verb: 'ping',
      arguments: {},
      id: `message-number-${++messages}`,
      audience: audienceOf('demo', answers.publicJwk.kid),
      answerTo: { kty: 'OKP', crv: 'X25519', x: 'JWK7uVGpUXu5Fkj4T9vJMQxOSVcGRJoWV0sI9kZvQ3A' },
      issuedAtMs: clock.wall(),
      expiresAtMs: clock.wall() + 30_000,
      ...changed,
    }),
  };
  try {
    await use(world);
  } finally {
    for (const node of [...running]) await node.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
