/**
 * `homing bench WORKLOAD`: starts servers of its own on loopback, loads them, and prints rate, latency, errors and the
 * servers' processor time: one embedded node, and a cluster whose owners are local or remote to the node connected to; in clear
 * or under TLS, and beside a server of others. `hostile` attacks one node instead.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import type { Endpoint } from '../../bench/clients/wire.ts';
import { type Fleet, startFleet } from '../../bench/fleet/fleet.ts';
import { memoryOf } from '../../bench/fleet/processes.ts';
import { makeFleetTls } from '../../bench/fleet/tls.ts';
import { type Idlers, imapIdlers, pop3Idlers } from '../../bench/idle.ts';
import { besideFirst, measureIdle, measureLoad, type Row, rateOf, type Server } from '../../bench/measure.ts';
import { type DovecotMode, startDovecot } from '../../bench/peers/dovecot.ts';
import { measureHostile } from '../../bench/workloads/hostile.ts';
import { imapAppend } from '../../bench/workloads/imap-append.ts';
import { imapFetchBodies } from '../../bench/workloads/imap-fetch-bodies.ts';
import { measureLarge } from '../../bench/workloads/imap-large.ts';
import { imapLoginSelectFetch } from '../../bench/workloads/imap-login-select-fetch.ts';
import { lmtpDeliver } from '../../bench/workloads/lmtp-deliver.ts';
import { pop3Login } from '../../bench/workloads/pop3-login.ts';
import { pop3Retr } from '../../bench/workloads/pop3-retr.ts';
import type { BenchAccount, Workload } from '../../bench/workloads/workload.ts';
import { CommandError } from '../command-error.ts';
import { printTable } from './options.ts';

const WORKLOADS: Readonly<Record<string, Workload>> = {
  'pop3-login': pop3Login,
  'pop3-retr': pop3Retr,
  'lmtp-deliver': lmtpDeliver,
  'imap-login-select-fetch': imapLoginSelectFetch,
  'imap-fetch-bodies': imapFetchBodies,
  'imap-append': imapAppend,
};
const IDLE: Readonly<Record<string, Idlers>> = { 'pop3-idle': pop3Idlers, 'imap-idle': imapIdlers };
const HOSTILE = 'hostile';
const LARGE = 'imap-large';
/** What a peer can be loaded with: without mail, or with mail that IMAP puts there. */
const BESIDE = [
  'pop3-login',
  ...Object.keys(WORKLOADS).filter((name) => name.startsWith('imap-')),
  ...Object.keys(IDLE),
];
const DOVECOT_MODES: readonly DovecotMode[] = ['default', 'reused'];

type Options = {
  readonly seconds: number;
  readonly clients?: number;
  readonly connections: number;
  readonly sessions: number;
  readonly messages: number;
  readonly seed?: number;
  readonly only?: 'embedded' | 'local' | 'remote';
  readonly tls?: 'pop3s' | 'stls';
  readonly resume?: boolean;
  readonly loggedIn?: boolean;
  readonly beside?: 'dovecot';
  readonly json?: boolean;
};

export function benchCommand(): Command {
  return new Command('bench')
    .description('measures a workload on one node, and on a cluster with local and with remote owners')
    .addArgument(new Argument('<workload>').choices([...Object.keys(WORKLOADS), ...Object.keys(IDLE), LARGE, HOSTILE]))
    .option('--seconds <seconds>', 'how long to measure each', Number, 10)
    .option('--clients <clients>', 'concurrent clients (default: the workload’s own)', Number)
    .option('--connections <connections>', 'connections of pop3-idle and imap-idle', Number, 5000)
    .option('--sessions <sessions>', `sessions of ${HOSTILE} clients; --clients says how many at once`, Number, 10_000)
    .option('--messages <messages>', `of 10 kB in the mailbox of ${LARGE}`, Number, 100_000)
    .option('--seed <seed>', `of what ${HOSTILE} clients send (default: another each time)`, Number)
    .option('--logged-in', 'idle connections log in, each to an account of its own; by IMAP they select INBOX and IDLE')
    .addOption(new Option('--only <where>', 'one of the places').choices(['embedded', 'local', 'remote']))
    .addOption(
      new Option(
        '--tls [how]',
        'POP3 and IMAP under TLS from the first octet, or by STLS and STARTTLS; LMTP by STARTTLS, NATS under TLS',
      )
        .choices(['pop3s', 'stls'])
        .preset('pop3s'),
    )
    .option('--resume', 'each connection of pop3-login resumes the TLS session of the one before (default: none does)')
    .addOption(
      new Option('--beside <server>', `${BESIDE.join(', ')}: on one node and on this server`).choices(['dovecot']),
    )
    .option('--json', 'print JSON')
    .action(bench);
}

async function bench(name: string, options: Options): Promise<void> {
  if (options.beside && !BESIDE.includes(name)) throw new CommandError(`--beside goes with ${BESIDE.join(', ')} only`);
  if (options.resume && (name !== 'pop3-login' || !options.tls))
    throw new CommandError('--resume goes with pop3-login and --tls only');
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-'));
  try {
    if (name === HOSTILE) {
      await hostile(directory, options);
      return;
    }
    const rows = await rowsOf(directory, name, options);
    if (options.json) console.log(JSON.stringify(rows, null, 2));
    else printTable(rows, Object.keys(rows[0]!));
    if (rows.some((row) => row['errors'] !== undefined && row['errors'] !== 0)) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const LARGE_OCTETS = 10_000;

async function rowsOf(directory: string, name: string, options: Options): Promise<readonly Row[]> {
  if (name === LARGE) return measureLarge({ directory, messages: options.messages, octets: LARGE_OCTETS });
  return IDLE[name] ? idle(directory, name, options) : load(directory, name, options);
}

const HOSTILE_AT_ONCE = 300;

async function hostile(directory: string, options: Options): Promise<void> {
  const { sessions, seconds, clients: atOnce = HOSTILE_AT_ONCE, seed = Math.floor(Math.random() * 2 ** 31) } = options;
  const tables = await measureHostile({ directory, sessions, atOnce, seed, seconds });
  const { decent, node, endings, wrong } = tables;
  if (options.json) console.log(JSON.stringify(tables, null, 2));
  else for (const rows of [decent, node, endings]) printTable(rows, Object.keys(rows[0]!));
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
}

async function load(directory: string, name: string, options: Options): Promise<readonly Row[]> {
  const workload = WORKLOADS[name]!;
  const wanted = { name, clients: options.clients ?? workload.clients, seconds: options.seconds };
  const measure = (server: Server) => measureLoad(workload, server, wanted);
  if (options.beside) {
    const rows = await beside(directory, options, wanted.clients, wanted.clients, measure);
    return besideFirst(rows, rateOf(workload));
  }
  const rows: Row[] = [];
  for (const { nodes, places } of fleetsFor(options))
    await onFleet(join(directory, String(nodes.length)), nodes, options, 20_000, async (fleet) => {
      for (const place of places) rows.push(await measure(await serverOf(fleet, place, options, wanted.clients)));
    });
  return rows;
}

/** Clients connect to n1; `owner` keeps their mail. */
type FleetPlace = { readonly where: string; readonly owner: string };

function fleetsFor({ only }: Options): readonly { readonly nodes: readonly string[]; readonly places: FleetPlace[] }[] {
  const isWanted = ({ where }: FleetPlace) => only === undefined || only === where;
  const one = [{ where: 'embedded', owner: 'n1' }];
  const three = [
    { where: 'local', owner: 'n1' },
    { where: 'remote', owner: 'n2' },
  ];
  return [
    { nodes: ['n1'], places: one.filter(isWanted) },
    { nodes: ['n1', 'n2', 'n3'], places: three.filter(isWanted) },
  ].filter(({ places }) => places.length > 0);
}

async function onFleet(
  directory: string,
  nodes: readonly string[],
  options: Options,
  channels: number,
  use: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const tls = options.tls ? await makeFleetTls(directory, 'only') : undefined;
  const fleet = await startFleet({ directory, nodes, nats: nodes.length > 1 ? 1 : 0, channels, ...(tls && { tls }) });
  try {
    await use(fleet);
  } finally {
    await fleet.stop();
  }
}

async function serverOf(
  fleet: Fleet,
  { where, owner }: FleetPlace,
  { tls, resume }: Options,
  accounts: number,
): Promise<Server> {
  const front = fleet.node('n1');
  const programs = () => [...fleet.nodes, ...fleet.nats].map(({ program }) => program!);
  return {
    where: labelled(where, tls),
    place: {
      pop3: tls === 'pop3s' ? front.pop3s! : front.pop3,
      imap: tls === 'pop3s' ? front.imaps! : front.imap!,
      lmtp: front.lmtp,
      accounts: await makeAccounts(fleet, where, owner, accounts),
      ...(resume && { resumes: true }),
    },
    cpuSeconds: () => programs().reduce((sum, program) => sum + program.cpuSeconds(), 0),
    memory: () => memoryOf(programs().map(({ pid }) => pid)),
  };
}

const labelled = (what: string, tls: Options['tls']): string =>
  tls ? `${what}, ${{ pop3s: 'TLS', stls: 'STLS' }[tls]}` : what;

async function makeAccounts(fleet: Fleet, where: string, owner: string, count: number): Promise<BenchAccount[]> {
  const accounts = accountsCalled(where, count);
  for (const { name, secret } of accounts)
    await fleet.node(owner).ask('account.add', { name, secret, mailHost: owner });
  return accounts;
}

const accountsCalled = (what: string, count: number): BenchAccount[] =>
  Array.from({ length: count }, (_, at) => ({ name: `${what}${at}@example.test`, secret: `secret of ${at}` }));

async function idle(directory: string, name: string, options: Options): Promise<readonly Row[]> {
  const { connections, loggedIn = false } = options;
  const accounts = loggedIn ? connections : 0;
  const measure = (server: Server) => measureIdle(IDLE[name]!, server, { name, connections, isLoggedIn: loggedIn });
  if (options.beside) return besideFirst(await beside(directory, options, accounts, connections, measure), 'KiB each');
  const rows: Row[] = [];
  await onFleet(directory, ['n1'], options, connections + 500, async (fleet) => {
    rows.push(await measure(await serverOf(fleet, { where: 'embedded', owner: 'n1' }, options, accounts)));
  });
  return rows;
}

/** One embedded node, and then the peer in each of its modes, one after another on the same machine. */
async function beside(
  directory: string,
  options: Options,
  accountCount: number,
  connections: number,
  measure: (server: Server) => Promise<Row>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  await onFleet(join(directory, 'homing'), ['n1'], options, connections + 500, async (fleet) => {
    rows.push(await measure(await serverOf(fleet, { where: 'embedded', owner: 'n1' }, options, accountCount)));
  });
  const tls = await makeFleetTls(join(directory, 'peer'), 'only');
  const accounts = accountsCalled('peer', accountCount);
  for (const mode of DOVECOT_MODES) {
    const peer = await startDovecot({ directory: join(directory, 'peer', mode), tls, mode, connections, accounts });
    const chosen = (upgraded: Endpoint, implicit: Endpoint): Endpoint => {
      const { startTls: _, ...inClear } = upgraded;
      return { pop3s: implicit, stls: upgraded, none: inClear }[options.tls ?? 'none'];
    };
    const pop3 = chosen(peer.pop3, peer.pop3s);
    const where = labelled(peer.name, options.tls);
    const place = {
      pop3,
      imap: chosen(peer.imap, peer.imaps),
      lmtp: pop3,
      accounts,
      ...(options.resume && { resumes: true }),
    };
    try {
      rows.push(await measure({ ...peer, where, place }));
    } finally {
      await peer.stop();
    }
  }
  return rows;
}
