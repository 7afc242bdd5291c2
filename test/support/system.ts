/**
 * What tests on whole nodes share: a fleet in a temporary directory for one test file, sizes that are short in the gate
 * and full by `npm test -- --full`, and waiting for a condition that another process brings about.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { Pop3Client, Pop3Refusal } from '../../bench/clients/pop3.ts';
import type { Endpoint } from '../../bench/clients/wire.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../bench/fleet/fleet.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import { type FleetTls, makeFleetTls } from '../../bench/fleet/tls.ts';
import type { ClusterStatus } from '../../bin/status.ts';
import { flaws } from '../../store/check.ts';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import { haproxyBalancer } from './haproxy.ts';

/** A size for the gate, and the one that `--full` asks for. */
export const scaled = (short: number, full: number): number => (process.env['HOMING_TEST_FULL'] ? full : short);

export const hasNats = (): boolean => spawnSync('nats-server', ['--version']).status === 0;

/** Asked for by `npm run test:cluster:tls`: TLS on every listener, and on NATS. */
export const isUnderTls = (): boolean => process.env['HOMING_TEST_TLS'] !== undefined;

/** Asked for by `npm test -- --proxy`: HAProxy before every node, and PROXY headers on every connection. */
export const isBehindProxy = (): boolean => process.env['HOMING_TEST_PROXY'] !== undefined;

/** Asked for by `npm run test:cluster:nats`: where a test wants one nats-server it gets three, of which one is killed. */
export const hasLostNats = (): boolean => process.env['HOMING_TEST_NATS_LOST'] !== undefined;

export type FleetWanted = Omit<FleetOptions, 'directory' | 'tls'> & { readonly tls?: FleetTls['use'] };

/** Starts a fleet, runs `use`, and ends and removes everything, whatever happened. */
export async function withFleet(
  options: FleetWanted,
  use: (fleet: Fleet, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  try {
    const { tls: wanted = isUnderTls() ? 'only' : undefined, ...others } = options;
    const tls = wanted && (await makeFleetTls(directory, wanted));
    const balancer = isBehindProxy() ? { balancer: haproxyBalancer } : {};
    const losesOne = hasLostNats() && others.nats === 1;
    const nats = losesOne ? 3 : others.nats;
    const fleet = await startFleet({ directory, ...balancer, ...others, nats, ...(tls && { tls }) });
    try {
      if (losesOne) await loseOne(fleet);
      await use(fleet, directory);
    } finally {
      for (const { program } of [...fleet.nodes, ...fleet.nats]) program?.continue();
      await fleet.stop();
    }
    for (const node of fleet.nodes) await mustBeConsistent(join(node.data, 'mail'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Kills the server that all nodes know first, and waits until each of them has heard of all again by the other two. */
async function loseOne(fleet: Fleet): Promise<void> {
  const knownAt = async (node: Fleet['nodes'][number]) => {
    const { nodes } = (await node.ask('status')) as ClusterStatus;
    const { revision = 0, fresh = false } = nodes.find(({ node: me }) => me === node.me) ?? {};
    return { revision, fresh };
  };
  await fleet.nats[0]!.program.kill();
  for (const node of fleet.nodes) {
    const before = await knownAt(node);
    await eventually(`${node.me} to be fresh again`, 30_000, async () => {
      const now = await knownAt(node);
      return now.fresh && now.revision > before.revision + 2 * fleet.nodes.length ? true : undefined; // two heartbeats of each
    });
  }
}

/** What the test left on the disk: references, counts and chunks must agree in every store, however its node ended. */
async function mustBeConsistent(mail: string): Promise<void> {
  for (const mailHost of readdirSync(mail)) {
    const opened = await openLmdbStore(join(mail, mailHost));
    if (!opened.ok) throw new Error(`${mailHost}: ${opened.refusal.kind}`);
    const found = opened.value.read((view) => [...flaws(view)]);
    await opened.value.close();
    if (found.length > 0) throw new Error(`the store of ${mailHost} is not consistent:\n${found.join('\n')}`);
  }
}

export const threeNodes = (more: Partial<FleetWanted> = {}): FleetWanted => ({
  nodes: ['n1', 'n2', 'n3'],
  nats: 1,
  ...more,
});

/**
 * Asks again until the answer is not undefined. Other processes tell no events to a test; what is bounded here is only how long
 * it may take, and a test that fails says what it waited for.
 */
export async function eventually<T>(
  what: string,
  withinMs: number,
  attempt: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const got = await attempt();
      if (got !== undefined) return got;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits for a line of the node's log. It comes by another pipe than what the node says itself, and so after it at times. */
export const logged = ({ me, lines }: NodeProcess, ...parts: readonly string[]): Promise<string> =>
  eventually(`${me} to log ${JSON.stringify(parts)}`, 5000, () =>
    lines.find((line) => parts.every((part) => line.includes(part))),
  );

/** `ok`, or the whole `-ERR` line. */
export async function logIn(pop3: Endpoint, name: string, secret: string): Promise<string> {
  const client = await Pop3Client.connect(pop3);
  try {
    await client.logIn(name, secret);
    await client.quit();
    return 'ok';
  } catch (error) {
    if (error instanceof Pop3Refusal) return error.reply;
    throw error;
  } finally {
    client.close();
  }
}

/** A logged-in session, to be ended by the caller. */
export async function openSession(pop3: Endpoint, name: string, secret: string): Promise<Pop3Client> {
  const client = await Pop3Client.connect(pop3);
  try {
    await client.logIn(name, secret);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Delivers one message to one account; the reply's first line. */
export async function deliver(lmtp: Endpoint, to: string, message: Buffer): Promise<string> {
  const client = await LmtpClient.connect(lmtp);
  try {
    const [answer] = await client.deliver('sender@example.test', [to], message);
    await client.quit();
    return answer!.lines[0]!;
  } finally {
    client.close();
  }
}

/** All messages of a maildrop, whole. */
export async function retrieveAll(pop3: Endpoint, name: string, secret: string): Promise<Buffer[]> {
  const session = await openSession(pop3, name, secret);
  try {
    const { messages } = await session.stat();
    const all: Buffer[] = [];
    for (let message = 1; message <= messages; message++) all.push(await session.retrieve(message));
    await session.quit();
    return all;
  } finally {
    session.close();
  }
}

/** A message with a subject of its own, and a body of about `octets` octets. */
export function message(subject: string, octets = 200): Buffer {
  const line = `${subject}: all lines of this message say so, and none begins with a dot.\r\n`;
  const header = `From: <sender@example.test>\r\nSubject: ${subject}\r\n\r\n`;
  return Buffer.from(header + line.repeat(Math.max(1, Math.round(octets / line.length))), 'latin1');
}

/** The Subject of a message that `message` made. */
export const subjectOf = (whole: Buffer): string => /^Subject: (.*)\r$/m.exec(whole.toString('latin1'))?.[1] ?? '';

/** Do the octets below the trace lines equal what was delivered? */
export const endsWith = (whole: Buffer, part: Buffer): boolean =>
  whole.length >= part.length && whole.subarray(whole.length - part.length).equals(part);
