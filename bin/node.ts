/** The composition root: a node from its configuration, each part given what it may know of the others. */
import { AccountSessions } from '../actors/account-sessions.ts';
import { startAuthenticator } from '../actors/authenticator/authenticator.ts';
import { Certificates } from '../actors/certificates.ts';
import { ClosedAccounts } from '../actors/closed-accounts.ts';
import { Doors } from '../actors/doors.ts';
import { ChangeWatch } from '../actors/front/change-watch.ts';
import { DeliverySessions } from '../actors/front/delivery-sessions.ts';
import type { Front } from '../actors/front/front.ts';
import type { MailHost } from '../actors/mailbox-owner/mail-host.ts';
import { FailedLogIns, type FailedLogInTerms } from '../actors/poppwd/failed-log-ins.ts';
import { sessionIds } from '../actors/session-ids.ts';
import { Supervisor } from '../actors/supervisor.ts';
import { cannot, done, type Verb, type Verbs } from '../admin/control.ts';
import { serveControl } from '../admin/control-server.ts';
import { createTickets } from '../cluster/tickets.ts';
import { checkFiles } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { configWarnings } from '../config/warnings.ts';
import { type Clock, pause, systemClock } from '../kernel/clock.ts';
import type { LmdbStore } from '../store/lmdb-store.ts';
import { silentConnectionLog } from '../telemetry/connection-log.ts';
import { countedConnectionLog } from '../telemetry/counted-connection-log.ts';
import { type FileConnectionLog, openConnectionLog } from '../telemetry/file-connection-log.ts';
import type { Log } from '../telemetry/log.ts';
import { openLog, type ServerLog } from '../telemetry/pino-log.ts';
import { Statistics } from '../telemetry/statistics.ts';
import { reloader } from './admin/reload.ts';
import { startAdmin } from './admin/start-admin.ts';
import { administratorsOf } from './administrators.ts';
import { CommandError } from './command-error.ts';
import { daemonFiles } from './daemon-files.ts';
import { runningDatabases } from './databases.ts';
import { type Ground, openGround } from './ground.ts';
import { doorsOf } from './listeners.ts';
import { removeUnusedSockets } from './lmtp-sockets.ts';
import { mailHostChild } from './mail-host-child.ts';
import { maintenance } from './maintenance.ts';
import { tightenData } from './modes.ts';
import { controlPath } from './places.ts';
import { noPrivileges, type Privileges } from './privileges.ts';
import { clusterStatus, type NodeReport, serveStatus } from './status.ts';
import { verbsOf } from './verbs.ts';

/** One round trip to the directory, retried a little. */
const FRESHEN_TIMEOUT_MS = 2_500;
/** An authenticator's answer: freshening, hashing, a queue of others. */
const AUTH_TIMEOUT_MS = 15_000;
/** One request to an owner, before it is asked again. */
const ATTEMPT_MS = 5_000;
const CACHE_LIFETIME_MS = 60_000;
const CACHE_ENTRIES = 20_000;
/** At a stop, commands under way may take so long. */
const GRACE_MS = 10_000;
/** After so long the listeners open although mailHosts wait: clients are told to try later rather than refused. */
const SETTLE_MS = 8_000;

export type RunningNode = {
  /** `pop3 on 127.0.0.1:1110 (STARTTLS)`, for each listener that is open. */
  readonly addresses: readonly string[];
  readonly verbs: Verbs;
  /** Resolves when a part of the node was given up. */
  readonly failed: Promise<Error>;
  /** Appends to each daemon's file what it has done so far (statistics-files.ts). Never rejects. */
  writeStatistics(): Promise<void>;
  stop(): Promise<void>;
};

export type StartOptions = {
  readonly clock?: Clock;
  /** The configuration file's name, for warnings about it. */
  readonly file?: string;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
  /** Root set aside: used for what needs it, and given up before this resolves. */
  readonly privileges?: Privileges;
};

export async function startNode(config: Config, options: StartOptions = {}): Promise<RunningNode> {
  const { clock = systemClock, file = 'configuration', privileges = noPrivileges } = options;
  const log = openLog({ ...config.log, clock });
  for (const warning of [...configWarnings(config, file), ...privileges.warnings]) log.warn(warning);
  const { signal } = options;
  try {
    for (const warning of tightenData(config.data)) log.warn(warning);
    const ground = await openGround({ config, clock, log, ...(signal && { signal }) });
    try {
      removeUnusedSockets(config);
      return await build(config, ground, clock, log, signal, privileges, options.file);
    } catch (error) {
      await ground.closers.close();
      throw error;
    }
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function build(
  config: Config,
  ground: Ground,
  clock: Clock,
  log: ServerLog,
  signal: AbortSignal | undefined,
  privileges: Privileges,
  file: string | undefined,
): Promise<RunningNode> {
  signal?.throwIfAborted();
  const { bus, subjects, directory, members, closers, startId } = ground;
  const { me } = config;
  const statistics = new Statistics();
  const daemons = daemonFiles({ config, statistics, clock, log });
  closers.add('the pid files', daemons.remove);
  daemons.serve(config);
  const tickets = await createTickets(ground.keys.tickets, clock);
  const mailHosts = new Map<string, MailHost>();
  const isServing = (mailHost: string) => mailHosts.get(mailHost)?.inspect().state === 'serving';
  const authenticator = await startAuthenticator({
    bus,
    subjects,
    directory,
    tickets,
    clock,
    log,
    defaultDomain: config.defaultDomain,
    isAdministrator: administratorsOf(config),
    credentials: { iterations: config.password.scramIterations, keepPlain: config.password.keepPlaintext },
    cacheLifetimeMs: CACHE_LIFETIME_MS,
    cacheEntries: CACHE_ENTRIES,
    freshenTimeoutMs: FRESHEN_TIMEOUT_MS,
    sharedName: config.lmtpSharedName,
    quota: { octets: config.quota.defaultOctets, messages: config.quota.defaultMessages },
    ownerTimeoutMs: ATTEMPT_MS,
    servesHere: isServing,
  });
  closers.add('the authenticator', () => authenticator.stop());

  const front: Front = {
    bus,
    subjects,
    clock,
    log,
    patienceMs: config.failoverPatienceMs,
    attemptMs: ATTEMPT_MS,
    me,
    startId,
    directory,
    freshenTimeoutMs: FRESHEN_TIMEOUT_MS,
    authTimeoutMs: AUTH_TIMEOUT_MS,
    statistics,
    servesHere: isServing,
  };
  const nextSessionId = sessionIds(startId);
  const connectionLog = await openedConnectionLog(config, clock, log).catch(asCommandError);
  closers.add('the connection log', () => connectionLog.close());
  const accountSessions = new AccountSessions(config.limits.sessionsPerAccount);
  const failedLogIns = new FailedLogIns(failedLogInTerms(config), clock);
  const deliverySessions = new DeliverySessions(front, nextSessionId);
  const changes = new ChangeWatch(front);
  closers.add('the watch for changes', () => changes.stop());
  const everyMailHost = () => [
    ...new Set([...config.mailHosts, ...members.list().flatMap((member) => member.mailHosts)]),
  ];
  const { tls } = config;
  const certificates =
    tls && (await privileges.asRoot(() => Certificates.open(tls, { clock, log })).catch(asCommandError));
  if (certificates) closers.add('the certificates', async () => certificates.close());
  const doorsFor = (wanted: Config) =>
    doorsOf({
      config: wanted,
      front,
      deliverySessions,
      changes,
      mailHosts: everyMailHost,
      certificates,
      nextSessionId,
      connectionLog: countedConnectionLog(connectionLog, statistics),
      accountSessions,
      failedLogIns,
      statistics,
      asRoot: privileges.asRoot,
    });
  const doors = new Doors(doorsFor(config), { clock, log, graceMs: GRACE_MS });
  const closed = new ClosedAccounts(directory, doors);
  closers.add('the watch for closed accounts', () => closed.stop());

  const report = (): NodeReport => ({
    sessions: doors.size,
    draining: doors.isDraining,
    revision: directory.revision(),
    fresh: directory.isFresh(),
    mailHosts: [...mailHosts.values()].map((each) => {
      const { mailHost, state, tenure } = each.inspect();
      return { mailHost, state, epoch: tenure?.epoch ?? 0, sessions: tenure?.sessions ?? 0 };
    }),
  });
  const status = { me, bus, subjects, members, report };
  const stores = new Map<string, LmdbStore>();
  const jobs = maintenance({ config, databases: () => runningDatabases(config, ground.entries, stores), clock, log });
  const reload = reloader({
    file,
    started: config,
    prepare(wanted) {
      const opened = doorsFor(wanted);
      return {
        apply() {
          log.setLevel(wanted.log.level);
          accountSessions.allow(wanted.limits.sessionsPerAccount);
          failedLogIns.allow(failedLogInTerms(wanted));
          return failuresOf(
            () => doors.reconfigure(opened),
            () => daemons.serve(wanted),
          );
        },
      };
    },
  });
  let admin: Verb = async () => cannot(`${me} is still starting: it takes orders when it is ready`);
  let endAdmin = async () => {};
  closers.add('orders of operators', () => endAdmin());
  const verbs: Verbs = {
    ...verbsOf(config, ground),
    ...jobs.verbs,
    status: async () => done(await clusterStatus(status)),
    admin: (given) => admin(given),
  };
  const served = await serveStatus(status);
  closers.add('the status', () => served.stop());
  const control = await serveControl(controlPath(config), verbs, log);
  closers.add('the control socket', () => control.close());

  let tellFault: (fault: Error) => void = () => {};
  const firstFault = new Promise<Error>((resolve) => (tellFault = resolve));
  const freshenTimeoutMs = FRESHEN_TIMEOUT_MS;
  const parts = { config, ground, clock, log, tickets, freshenTimeoutMs, mailHosts, stores, tellFault };
  const owners = new Supervisor(
    config.mailHosts.map((mailHost) => mailHostChild({ ...parts, mailHost })),
    { clock, log },
  );
  closers.add('the mailHosts', () => owners.stop());
  closers.add('the jobs', jobs.stop); // before the stores, which wait for what reads them
  await owners.start().catch(asCommandError);
  closers.add('delivery sessions', () => deliverySessions.stop());
  await settled({ ground, mailHosts, firstFault, clock, log, signal });
  closers.add('the listeners', () => doors.stop());
  await doors.start().catch(asCommandError);
  dropRoot(privileges, config, file, log);
  ({ admin, stop: endAdmin } = await startAdmin({ config, ground, doors, closed, reload, clock, log }));
  return {
    get addresses() {
      return doors.addresses;
    },
    verbs,
    failed: Promise.race([owners.failed, doors.failed]),
    writeStatistics: daemons.writeStatistics,
    async stop() {
      await closers.close();
      await log.close();
    },
  };
}

/** For good. What root alone may read was read, and will not be again: a renewed key then needs a restart. */
function dropRoot(privileges: Privileges, config: Config, file: string | undefined, log: Log): void {
  privileges.drop();
  if (privileges.user === undefined) return;
  const { name, uid, gid } = privileges.user;
  log.info('root is given up for good', { name, uid, gid });
  const lost = checkFiles(config, file ?? 'configuration');
  for (const line of lost) log.warn(`${line}: what root has read is kept; a change of it will not be read`);
}

const failedLogInTerms = ({ poppwd }: Config): FailedLogInTerms => ({
  failures: poppwd.failedLoginFlow,
  intervalMs: poppwd.failedLoginIntervalMs,
});

/** What can't start is set up wrongly, most likely: the message names it, and a stack would not help. */
const asCommandError = (error: Error): never => {
  throw new CommandError(error.message);
};

/** Does each, whatever became of those before. @returns a line for each that failed */
async function failuresOf(...acts: readonly (() => Promise<void> | void)[]): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const act of acts) {
    try {
      await act();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  return failures;
}

/** Who connected and logged in, where the configuration asks for it. */
async function openedConnectionLog(config: Config, clock: Clock, log: Log): Promise<FileConnectionLog> {
  const { destination, protocols } = config.connectionLog;
  if (destination === 'off') return { ...silentConnectionLog, close() {} };
  return openConnectionLog({ file: destination.file, protocols, source: config.me, clock, log });
}

type Settling = {
  readonly ground: Ground;
  readonly mailHosts: ReadonlyMap<string, MailHost>;
  readonly firstFault: Promise<Error>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
};

/**
 * Waits until the directory is caught up and fresh, so that the first log-in is not put off while a killed node is still
 * waited for, and until the mailHosts are served; or for a while.
 * @throws CommandError when a mailHost can't be served as it is: a node that says `ready` has none of these
 */
async function settled({ ground, mailHosts, firstFault, clock, log, signal }: Settling): Promise<void> {
  const enough = new AbortController();
  const end = () => enough.abort();
  signal?.addEventListener('abort', end, { once: true });
  const late = pause(clock, SETTLE_MS, enough.signal).then(
    () => log.warn('the listeners open although not everything is there yet'),
    () => {}, // all was there in time, or nobody wants it any more
  );
  const fresh = ground.ready(SETTLE_MS).then(() => ground.directory.freshen(SETTLE_MS));
  const all = fresh.then(() => Promise.all([...mailHosts.values()].map(({ served }) => served)));
  const fault = await Promise.race([firstFault, all.then(() => undefined), late.then(() => undefined)]);
  signal?.removeEventListener('abort', end);
  enough.abort();
  signal?.throwIfAborted();
  if (fault) throw new CommandError(fault.message);
}
