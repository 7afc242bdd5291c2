/**
 * A node under attack: decent clients come at an even pace, first undisturbed, then while hostile ones come and go; what both
 * were answered, what the node's memory did, and what it says of itself afterwards.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LmtpClient } from '../clients/lmtp.ts';
import { Pop3Client } from '../clients/pop3.ts';
import type { FleetOptions } from '../fleet/fleet.ts';
import type { NodeProcess } from '../fleet/node-process.ts';
import { Program } from '../fleet/program.ts';
import type { Measured } from '../load.ts';
import { pace } from '../paced.ts';
import { sampleMessage } from '../workloads/workload.ts';
import type { AttackPlan, AttackResult } from './attack.ts';

export type SiegeOptions = {
  readonly directory: string;
  readonly sessions: number;
  readonly atOnce: number;
  /** Hostile sessions that begin in a second, at most. */
  readonly hostilePerSecond: number;
  readonly seed: number;
  readonly quietMs: number;
  readonly patienceMs: number;
  /** Decent sessions of each protocol in a second. */
  readonly perSecond: number;
};

export type Decent = { readonly pop3: Measured; readonly lmtp: Measured };

export type SiegeResult = {
  readonly attack: AttackResult;
  readonly quiet: Decent;
  readonly attacked: Decent;
  /** Anonymous memory of the node, in octets. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
  /** Of the node's processor time while attacked, in seconds. */
  readonly cpuSeconds: number;
  /** Connections that the node has when all clients are gone. */
  readonly sessionsLeft: number;
  /** Lines of its log at the level `error`. */
  readonly errorLines: readonly string[];
  /** The same process as before? */
  readonly isAlive: boolean;
};

const IDLE_MS = 3000;
/** Beyond the server's deadline: its own sweep and lingering, and a machine that has other work. */
const SLACK_MS = 30_000;
const READERS = 100;
const RECIPIENTS = 20;
const VICTIMS = 8;
const MESSAGE_OCTETS = 10_000;
const VICTIM_OCTETS = 2_000_000;
const SAMPLE_MS = 100;
const SETTLE_MS = 60_000;

/** The node's terms: short deadlines, so that they are met; and limits for every address but that of the decent clients. */
export const siegeTerms: Pick<FleetOptions, 'listenerTerms' | 'tables' | 'logLevel' | 'channels'> = {
  channels: 1000,
  listenerTerms: 'connections-per-address = 40\nconnection-rate-per-address = 1200\nlimits-exempt = ["127.0.0.1"]\n',
  tables: ['pop3', 'lmtp', 'poppwd'].map((each) => `[${each}]\nidle-timeout = "${IDLE_MS / 1000}s"\n`).join('\n'),
  logLevel: 'info',
};

/** @param node  of a fleet with `siegeTerms` and TLS offered */
export async function besiege(node: NodeProcess, options: SiegeOptions): Promise<SiegeResult> {
  const { quietMs, sessions, atOnce, seed, patienceMs } = options;
  const program = node.program!;
  const victims = accountsCalled('victim', VICTIMS);
  const clients = await decentClients(node, options.perSecond);
  await put(node, victims, VICTIM_OCTETS);

  await wait(1000); // not counted: what the node does once for all
  clients.begin();
  await wait(quietMs);
  const quiet = await clients.end();
  const before = program.rssAnonOctets();
  let peak = before;
  const sampling = setInterval(() => {
    if (program.isAlive()) peak = Math.max(peak, program.rssAnonOctets());
  }, SAMPLE_MS);
  const cpuBefore = program.cpuSeconds();
  clients.begin();
  try {
    const attack = await runAttacker(options.directory, {
      ...{ sessions, atOnce, seed, patienceMs, victims, perSecond: options.hostilePerSecond },
      closingMs: IDLE_MS + SLACK_MS,
      gates: gatesOf(node),
    });
    const attacked = await clients.end();
    const cpuSeconds = program.cpuSeconds() - cpuBefore;
    const sessionsLeft = await settled(node);
    const after = program.rssAnonOctets();
    const errorLines = node.lines.filter((line) => /^\S+ (ERROR|FATAL)/.test(line));
    const memory = { before, peak, after };
    return { attack, quiet, attacked, memory, cpuSeconds, sessionsLeft, errorLines, isAlive: program.isAlive() };
  } finally {
    clearInterval(sampling);
  }
}

async function runAttacker(directory: string, plan: AttackPlan): Promise<AttackResult> {
  const file = join(directory, 'attack.json');
  writeFileSync(file, JSON.stringify(plan));
  const isNative = 'Deno' in globalThis || (process.features as { typescript?: unknown }).typescript;
  const loader = isNative ? [] : ['--import', import.meta.resolve('tsx')];
  const attacker = await Program.start([process.execPath, ...loader, join(import.meta.dirname, 'attacker.ts'), file], {
    readyLine: /^\{.*\}$/,
  });
  await attacker.ended;
  return JSON.parse(attacker.ready) as AttackResult;
}

function gatesOf({ ports }: NodeProcess): AttackPlan['gates'] {
  const { pop3s, poppwds, ...inClear } = ports;
  if (pop3s === undefined || poppwds === undefined) throw new Error('the fleet has no TLS');
  const gate = (port: number) => ({ host: '127.0.0.1', port });
  return {
    pop3: gate(inClear.pop3),
    lmtp: gate(inClear.lmtp),
    poppwd: gate(inClear.poppwd),
    pop3s: gate(pop3s),
    poppwds: gate(poppwds),
  };
}

type Account = { readonly name: string; readonly secret: string };

const accountsCalled = (what: string, count: number): Account[] =>
  Array.from({ length: count }, (_, at) => ({ name: `${what}${at}@example.test`, secret: `secret of ${at}` }));

/** Accounts with one message each. */
async function put(node: NodeProcess, accounts: readonly Account[], octets: number): Promise<void> {
  for (const { name, secret } of accounts) await node.ask('account.add', { name, secret, mailHost: node.me });
  const client = await LmtpClient.connect(node.lmtp);
  const names = accounts.map(({ name }) => name);
  for (const { code, lines } of await client.deliver('bench@example.test', names, sampleMessage(octets, 0)))
    if (code !== 250) throw new Error(lines[0]);
  await client.quit();
}

/** Each comes as if it were another person's: a connection for each session, and a maildrop that nobody else reads. */
async function decentClients(node: NodeProcess, perSecond: number) {
  const readers = accountsCalled('reader', READERS);
  const recipients = accountsCalled('recipient', RECIPIENTS);
  await put(node, readers, MESSAGE_OCTETS);
  await put(node, recipients, MESSAGE_OCTETS);
  const read = async (number: number): Promise<void> => {
    const { name, secret } = readers[number % READERS]!;
    const session = await Pop3Client.connect(node.pop3);
    try {
      await session.logIn(name, secret);
      if ((await session.retrieve(1)).length < MESSAGE_OCTETS / 2) throw new Error('a short message');
      await session.quit();
    } finally {
      session.close();
    }
  };
  const deliver = async (number: number): Promise<void> => {
    const client = await LmtpClient.connect(node.lmtp);
    try {
      const { name } = recipients[number % RECIPIENTS]!;
      const [answer] = await client.deliver('bench@example.test', [name], sampleMessage(MESSAGE_OCTETS, number));
      if (answer!.code !== 250) throw new Error(answer!.lines[0]);
      await client.quit();
    } finally {
      client.close();
    }
  };
  let running: readonly ReturnType<typeof pace>[] = [];
  return {
    begin(): void {
      running = [read, deliver].map((operation) => pace({ perSecond, operation }));
    },
    async end(): Promise<Decent> {
      const [pop3, lmtp] = await Promise.all(running.map((each) => each.end()));
      return { pop3: pop3!, lmtp: lmtp! };
    },
  };
}

/** Connections of the node when they have come to none, or have not for a minute. */
async function settled(node: NodeProcess): Promise<number> {
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    const { nodes } = (await node.ask('status')) as { nodes: readonly { sessions: number }[] };
    const left = nodes[0]!.sessions;
    if (left === 0 || performance.now() > end) return left;
    await wait(SAMPLE_MS);
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
