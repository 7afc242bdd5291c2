/**
 * One mailbox of very many messages on one embedded node: what SELECT, STATUS and QRESYNC of it take, how the node's memory grows
 * while all bodies are fetched by one command and while a message of 50 MB is appended, and what a reader of 10 kB/s costs others.
 * Printed as one table, a measurement a row.
 */
import { ImapClient } from '../clients/imap.ts';
import { type Endpoint, Wire } from '../clients/wire.ts';
import { startFleet } from '../fleet/fleet.ts';
import { type Measured, summed } from '../load.ts';
import type { Row } from '../measure.ts';
import { sampleMessage } from './workload.ts';

export type LargeWanted = {
  readonly directory: string;
  readonly messages: number;
  /** Of each message. */
  readonly octets: number;
};

const NAME = 'large@example.test';
const SECRET = 'secret of large';
/** Messages by one APPEND (RFC 3502). */
const AT_ONCE = 200;
const CHANGED = 100;
const TIMES = 40;
const BIG_OCTETS = 50_000_000;
const SLOW_OCTETS = 10_000;
const SLOW_SECONDS = 5;
const SAMPLE_MS = 20;

export async function measureLarge({ directory, messages, octets }: LargeWanted): Promise<readonly Row[]> {
  const fleet = await startFleet({ directory, nodes: ['n1'], nats: 0 });
  try {
    const node = fleet.node('n1');
    const imap = node.imap!;
    await node.ask('account.add', { name: NAME, secret: SECRET, mailHost: 'n1' });
    await fill(imap, messages, octets);
    const anonymous = () => node.program!.memory().anonymous;
    return [
      await growth('FETCH 1:* BODY.PEEK[]', anonymous, () => fetchAll(imap)),
      await growth('APPEND', anonymous, () => appendBig(imap)),
      await answers(imap, 'EXAMINE', 'EXAMINE INBOX'),
      await answers(imap, 'STATUS', 'STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ SIZE DELETED)'),
      await resync(imap, messages),
      await besideSlowReader(imap),
    ];
  } finally {
    await fleet.stop();
  }
}

async function open(imap: Endpoint): Promise<ImapClient> {
  const client = await ImapClient.connect(imap);
  await client.logIn(NAME, SECRET);
  return client;
}

async function fill(imap: Endpoint, messages: number, octets: number): Promise<void> {
  const client = await open(imap);
  for (let number = 0; number < messages; number += AT_ONCE) {
    const parts: Buffer[] = [Buffer.from('APPEND INBOX')];
    for (let at = number; at < Math.min(messages, number + AT_ONCE); at++) {
      const message = sampleMessage(octets, at);
      parts.push(Buffer.from(` {${message.length}+}\r\n`), message);
    }
    await client.ok(Buffer.concat(parts));
  }
  await client.logOut();
}

const NO_FIGURES: Row = { 'p50 ms': '', 'p99 ms': '', MB: '', 'MB/s': '', 'RssAnon grew by MiB': '' };
const rowOf = (what: string, figures: Row): Row => ({ what, ...NO_FIGURES, ...figures });
const latenciesOf = ({ p50Ms, p99Ms }: Measured): Row => ({ 'p50 ms': p50Ms.toFixed(1), 'p99 ms': p99Ms.toFixed(1) });

async function timed(times: number, once: () => Promise<void>): Promise<Measured> {
  const latencies: number[] = [];
  for (let time = 0; time < times; time++) {
    const from = performance.now();
    await once();
    latencies.push(performance.now() - from);
  }
  return summed(latencies, 0, { errors: 0, firstError: undefined });
}

async function answers(imap: Endpoint, what: string, command: string): Promise<Row> {
  const client = await open(imap);
  const measured = await timed(TIMES, async () => void (await client.ok(command)));
  await client.logOut();
  return rowOf(what, latenciesOf(measured));
}

/** A client that comes back after flags of a hundred messages changed (RFC 7162 §3.2.5). */
async function resync(imap: Endpoint, messages: number): Promise<Row> {
  const client = await open(imap);
  await client.ok('ENABLE QRESYNC');
  const { untagged } = await client.ok('SELECT INBOX');
  const codes = untagged.flatMap((each) => (each.kind === 'status' && each.code ? [each.code] : []));
  const [validity, modSeq] = ['UIDVALIDITY', 'HIGHESTMODSEQ'].map((name) =>
    String(codes.find((code) => code.name === name)!.values[0]),
  );
  const step = Math.max(1, Math.floor(messages / CHANGED));
  const some = Array.from({ length: Math.min(CHANGED, messages) }, (_, at) => 1 + at * step);
  await client.ok(`STORE ${some.join(',')} +FLAGS.SILENT (\\Flagged)`);
  const measured = await timed(TIMES, async () => {
    const { untagged: told } = await client.ok(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`);
    const changed = told.filter((each) => each.kind === 'data' && each.name === 'FETCH').length;
    if (changed !== some.length) throw new Error(`${changed} changes were told`);
  });
  await client.logOut();
  return rowOf(`QRESYNC of ${some.length} changes`, latenciesOf(measured));
}

/** By how much the node grew at most, beyond what it had before. */
async function grownBy(
  anonymous: () => number,
  deed: () => Promise<number>,
): Promise<{ octets: number; grown: number }> {
  const before = anonymous();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, anonymous());
  }, SAMPLE_MS);
  try {
    const octets = await deed();
    return { octets, grown: Math.max(most, anonymous()) - before };
  } finally {
    clearInterval(timer);
  }
}

async function growth(what: string, anonymous: () => number, deed: () => Promise<number>): Promise<Row> {
  const from = performance.now();
  const { octets, grown } = await grownBy(anonymous, deed);
  const seconds = (performance.now() - from) / 1000;
  return rowOf(what, {
    MB: (octets / 1e6).toFixed(0),
    'MB/s': (octets / 1e6 / seconds).toFixed(0),
    'RssAnon grew by MiB': (grown / 2 ** 20).toFixed(1),
  });
}

/** A bare reader: what it reads it forgets. */
async function openBare(imap: Endpoint): Promise<Wire> {
  const wire = await Wire.open(imap);
  await wire.line();
  await wire.send(`a LOGIN "${NAME}" "${SECRET}"\r\nb EXAMINE INBOX\r\n`);
  while (!/^b OK/.test(await wire.line()));
  return wire;
}

async function fetchAll(imap: Endpoint): Promise<number> {
  const wire = await openBare(imap);
  await wire.send('c FETCH 1:* BODY.PEEK[]\r\n');
  let octets = 0;
  for (let end = ''; !/\r\nc OK [^\r\n]*\r\n$/.test(end); ) {
    const some = await wire.some(1 << 20);
    if (some.length === 0) throw new Error('the server closed in the middle of FETCH');
    octets += some.length;
    end = (end + some.subarray(-200).toString('latin1')).slice(-200);
  }
  wire.close();
  return octets;
}

async function appendBig(imap: Endpoint): Promise<number> {
  const client = await open(imap);
  const message = sampleMessage(BIG_OCTETS, 0);
  const { status, text } = await client.append('INBOX', message);
  if (status !== 'OK') throw new Error(text);
  await client.logOut();
  return message.length;
}

/** What NOOP takes another session meanwhile. */
async function besideSlowReader(imap: Endpoint): Promise<Row> {
  const slow = await openBare(imap);
  await slow.send('c FETCH 1:* BODY.PEEK[]\r\n');
  const client = await open(imap);
  await client.ok('SELECT INBOX');
  const latencies: number[] = [];
  const end = performance.now() + SLOW_SECONDS * 1000;
  for (let next = 0; performance.now() < end; ) {
    if (performance.now() >= next) {
      await slow.some(SLOW_OCTETS / 10);
      slow.stall();
      next = performance.now() + 100;
    }
    const { p50Ms } = await timed(1, async () => void (await client.ok('NOOP')));
    latencies.push(p50Ms);
  }
  slow.close();
  await client.logOut();
  return rowOf(
    `NOOP beside a reader of ${SLOW_OCTETS / 1000} kB/s`,
    latenciesOf(summed(latencies, SLOW_SECONDS, { errors: 0, firstError: undefined })),
  );
}
