/**
 * A node's operators' side, put together: what may be ordered of it, over its control socket, from other nodes', and by
 * signed messages over NATS (docs/admin.md).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ClosedAccounts } from '../../actors/closed-accounts.ts';
import type { Doors } from '../../actors/doors.ts';
import { adminVerb, perform, serveOrders } from '../../admin/ask-nodes.ts';
import type { Verb, Verbs } from '../../admin/control.ts';
import { nodeVerbs, type Reloaded } from '../../admin/node-verbs.ts';
import { answerKeys, keySetReader } from '../../cluster/admin/keys.ts';
import { NatsAdminChannel } from '../../cluster/admin/nats-channel.ts';
import { startReception } from '../../cluster/admin/reception.ts';
import { openReplayGuard } from '../../cluster/admin/replay-guard.ts';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Result } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import { Closers } from '../closers.ts';
import type { Ground } from '../ground.ts';
import { nologinPath } from '../places.ts';
import { programVersion } from '../version.ts';

export type StartAdminOptions = {
  readonly config: Config;
  readonly ground: Ground;
  readonly doors: Doors;
  readonly closed: ClosedAccounts;
  readonly reload: () => Promise<Result<Reloaded, readonly string[]>>;
  readonly clock: Clock;
  readonly log: Log;
};

/** @returns what the control socket asks, and how to end it all, which waits for what is being done */
export async function startAdmin(options: StartAdminOptions): Promise<{ readonly admin: Verb; stop(): Promise<void> }> {
  const { config, ground, doors, reload, clock, log } = options;
  const { me } = config;
  const { bus, subjects, members, directory, startId } = ground;
  const closers = new Closers();
  let operations = 0;
  const nologin = nologinPath(config);
  const verbs = nodeVerbs({
    me,
    version: programVersion(),
    doors,
    closed: options.closed,
    administration: {
      directory,
      defaultDomain: config.defaultDomain,
      nextOperation: () => `${startId}.order.${++operations}`,
    },
    setNologin: (text) => setNologin(nologin, text),
    nologin: () => (existsSync(nologin) ? readFileSync(nologin, 'utf8').trimEnd() : undefined),
    reload,
    clock,
  });
  const asking = { me, bus, subjects, members, verbs, log };
  try {
    const orders = await serveOrders(asking);
    closers.add('orders of other nodes', () => orders.stop());
    await startSignedMessages(options, verbs, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
  return { admin: adminVerb(asking), stop: () => closers.close() };
}

/** Only where there are both a NATS to hear them and a file that says whose to obey. Mail goes on without. */
async function startSignedMessages(
  { config, ground, clock, log }: StartAdminOptions,
  verbs: Verbs,
  closers: Closers,
): Promise<void> {
  const { link, subjects, members, keys } = ground;
  const { keysFile } = config.admin;
  if (link === undefined || config.nats === undefined || keysFile === undefined) return;
  const readKeys = keySetReader(keysFile, clock);
  const listed = await readKeys();
  if (!listed.ok) log.warn('no signed admin message is taken now', { reason: listed.refusal });
  const guard = await openReplayGuard(join(config.data, 'admin-seen'), clock).catch((error: Error) => {
    // Without it a message could be acted on twice.
    log.error('no signed admin message is taken until the next start', { reason: error.message });
  });
  if (guard === undefined) return;
  closers.add('the memory of admin messages', () => guard.close());
  const reception = await startReception({
    me: config.me,
    cluster: config.nats.cluster,
    channel: new NatsAdminChannel({ link, subjects, log }),
    readKeys,
    answers: await answerKeys(keys.adminAnswers),
    guard,
    members: () => members.list().map(({ me }) => me),
    perform: (order) => perform(verbs, order, log),
    clock,
    log,
  });
  closers.add('admin messages', () => reception.stop());
}

/** Whole or not at all, a client may connect in the midst of it; and on the disk. */
async function setNologin(path: string, text: string | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (text === undefined) rmSync(path, { force: true });
  else await write(path, `${text}\n`);
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}

async function write(path: string, text: string): Promise<void> {
  const next = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(next, 'wx', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
