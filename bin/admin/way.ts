/**
 * How an operator's order reaches the nodes: signed over NATS, by an operator who has a key and need not be on a node's
 * machine; or over the control socket of the node on this machine, by whoever may open that, with no signature.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Gathered } from '../../admin/ask-nodes.ts';
import { gather } from '../../cluster/admin/gather.ts';
import { answerKeys, type PublicJwk, parsePublicJwk, readOperatorKey } from '../../cluster/admin/keys.ts';
import type { Order } from '../../cluster/admin/message.ts';
import { NatsAdminChannel } from '../../cluster/admin/nats-channel.ts';
import { deriveKeys, readClusterKey } from '../../cluster/cluster-key.ts';
import { connectNats } from '../../cluster/nats/connect.ts';
import { subjects } from '../../cluster/subjects.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../kernel/clock.ts';
import { openLog } from '../../telemetry/pino-log.ts';
import { CommandError } from '../command-error.ts';
import { askOf, connectServer } from '../commands/options.ts';

export type Way = {
  /** @param to  one node; absent: all */
  ask(order: Order, to: string | undefined, timeoutMs: number): Promise<Gathered>;
  close(): Promise<void>;
};

export type WayOptions = {
  readonly file: string;
  /** A private key file, in place of the configuration's. */
  readonly key?: string;
  /** Over the control socket even though there is a key. */
  readonly local?: boolean;
};

const CONNECT_MS = 10_000;

export async function openWay(config: Config, { file, key, local }: WayOptions): Promise<Way> {
  if (local && key !== undefined) throw new CommandError('--local and --key: only one of them can be meant');
  const keyFile = key ?? config.admin.keyFile;
  return local || keyFile === undefined ? overControlSocket(config) : overNats(config, file, keyFile);
}

async function overControlSocket(config: Config): Promise<Way> {
  const client = await connectServer(config);
  if (!client) throw new CommandError(`${config.data}: no server runs here; a key (--key) reaches those elsewhere`);
  const ask = askOf(client);
  return {
    ask: async (order, to, timeoutMs) => (await ask('admin', { ...order, to, timeoutMs })) as Gathered, // of this machine's program
    close: async () => client.close(),
  };
}

async function overNats(config: Config, file: string, keyFile: string): Promise<Way> {
  const { nats } = config;
  if (nats === undefined)
    throw new CommandError(`${file}: nats: is missing: signed messages go over NATS (or use --local)`);
  const key = await readOperatorKey(keyFile);
  if (!key.ok) throw new CommandError(key.refusal);
  const answers = await answersKey(config, file);
  const log = openLog({ level: 'error', format: 'text', destination: 'stderr', clock: systemClock });
  const signal = AbortSignal.timeout(CONNECT_MS);
  const connecting = { me: `operator ${key.value.kid}`, log, clock: systemClock, signal, jetStream: false as const };
  const link = await connectNats(nats, connecting).catch((error: Error) => {
    throw new CommandError(signal.aborted ? `no nats-server answers at ${nats.servers.join(', ')}` : error.message);
  });
  const { cluster } = nats;
  const channel = new NatsAdminChannel({ link, subjects: subjects(cluster), log });
  const common = { channel, cluster, key: key.value, answers, clock: systemClock };
  return {
    ask: (order, to, timeoutMs) => gather({ ...common, order, timeoutMs, ...(to !== undefined && { to }) }),
    async close() {
      await link.close();
      await log.close();
    },
  };
}

/** Without it anybody on NATS could answer in a node's place: so it must be there. */
async function answersKey(config: Config, file: string): Promise<PublicJwk> {
  const { answersKeyFile: path } = config.admin;
  if (path === undefined) {
    if (existsSync(config.clusterKeyFile)) return clusterAnswersKey(config);
    throw new CommandError(
      `${file}: admin.answers-key-file: is missing: without it, or the cluster key, nodes' answers can't be told from forged ones; \`homing admin answer-key\` on a node prints what belongs into it`,
    );
  }
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path}: ${error.code === 'ENOENT' ? 'no such file' : `can't be read (${error.code})`}`);
  });
  const jwk = parsePublicJwk(text);
  if (!jwk.ok) throw new CommandError(`${path}: ${jwk.refusal}`);
  return jwk.value;
}

/** From the cluster key, which only nodes have. */
export async function clusterAnswersKey(config: Config): Promise<PublicJwk> {
  const key = await readClusterKey(config.clusterKeyFile).catch((error: Error) => {
    throw new CommandError(error.message);
  });
  return (await answerKeys(deriveKeys(key).adminAnswers)).publicJwk;
}
