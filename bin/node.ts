/** The composition root: a node from its configuration, each part given what it may know of the others. */
import { randomBytes } from 'node:crypto';
import { admissions } from '../actors/authenticator/admission.ts';
import { startAuthenticator } from '../actors/authenticator/authenticator.ts';
import { Certificates } from '../actors/certificates.ts';
import { DeliverySessions } from '../actors/front/delivery-sessions.ts';
import type { Front } from '../actors/front/front.ts';
import { type Listener, nameOf } from '../actors/listener.ts';
import { localJournal } from '../actors/mailbox-owner/local-journal.ts';
import { type MailHost, startMailHost } from '../actors/mailbox-owner/mail-host.ts';
import { sessionIds } from '../actors/session-ids.ts';
import { type Child, Supervisor } from '../actors/supervisor.ts';
import { done, type Verbs } from '../admin/control.ts';
import { serveControl } from '../admin/control-server.ts';
import { createTickets, type Tickets } from '../cluster/tickets.ts';
import type { Config } from '../config/schema.ts';
import { configWarnings } from '../config/warnings.ts';
import { type Clock, pause, systemClock } from '../kernel/clock.ts';
import { type LmdbStore, openLmdbStore } from '../store/lmdb-store.ts';
import type { Log } from '../telemetry/log.ts';
import { openLog } from '../telemetry/pino-log.ts';
import { CommandError } from './command-error.ts';
import { runningDatabases, unopened } from './databases.ts';
import { type Ground, openGround } from './ground.ts';
import { listenersOf } from './listeners.ts';
import { maintenance } from './maintenance.ts';
import { controlPath, mailPath } from './places.ts';
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
  stop(): Promise<void>;
};

export type StartOptions = {
  readonly clock?: Clock;
  /** The configuration file's name, for warnings about it. */
  readonly file?: string;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
};

export async function startNode(config: Config, options: StartOptions = {}): Promise<RunningNode> {
  const { clock = systemClock, file = 'configuration' } = options;
  const log = openLog({ ...config.log, clock });
  for (const warning of configWarnings(config, file)) log.warn(warning);
  const { signal } = options;
  try {
    const ground = await openGround({ config, clock, log, ...(signal && { signal }) });
    try {
      return await build(config, ground, clock, log, signal);
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
  log: Log & { close(): Promise<void> },
  signal: AbortSignal | undefined,
): Promise<RunningNode> {
  signal?.throwIfAborted();
  const { bus, subjects, directory, members, closers, startId } = ground;
  const { me } = config;
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
    credentials: { iterations: config.password.scramIterations, keepPlain: config.password.keepPlaintext },
    cacheLifetimeMs: CACHE_LIFETIME_MS,
    cacheEntries: CACHE_ENTRIES,
    freshenTimeoutMs: FRESHEN_TIMEOUT_MS,
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
  };
  const nextSessionId = sessionIds(startId);
  const deliverySessions = new DeliverySessions(front, nextSessionId);
  const certificates = config.tls && (await Certificates.open(config.tls, { clock, log }).catch(asCommandError));
  if (certificates) closers.add('the certificates', async () => certificates.close());
  const listeners = listenersOf({ config, front, deliverySessions, certificates, nextSessionId });

  const report = (): NodeReport => ({
    sessions: listeners.reduce((sum, { listener }) => sum + listener.connections.size, 0),
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
  const verbs: Verbs = {
    ...verbsOf(config, ground),
    ...jobs.verbs,
    status: async () => done(await clusterStatus(status)),
  };
  const served = await serveStatus(status);
  closers.add('the status', () => served.stop());
  const control = await serveControl(controlPath(config), verbs, log);
  closers.add('the control socket', () => control.close());

  let tellFault: (fault: Error) => void = () => {};
  const firstFault = new Promise<Error>((resolve) => (tellFault = resolve));
  const parts = { config, ground, clock, log, tickets, mailHosts, stores, tellFault };
  const owners = new Supervisor(
    config.mailHosts.map((mailHost) => mailHostChild({ ...parts, mailHost })),
    { clock, log },
  );
  closers.add('the mailHosts', () => owners.stop());
  closers.add('the jobs', jobs.stop); // before the stores, which wait for what reads them
  await owners.start().catch(asCommandError);
  closers.add('delivery sessions', () => deliverySessions.stop());
  await settled({ ground, mailHosts, firstFault, clock, log, signal });
  const doors = new Supervisor(
    listeners.map(({ name, listener }) => listenerChild(name, listener)),
    { clock, log },
  );
  closers.add('the listeners', () => doors.stop());
  await doors.start().catch(asCommandError);
  return {
    get addresses() {
      return listeners.flatMap(({ name, tls, listener }) =>
        listener.place ? [`${name.split(' ', 1)[0]} on ${nameOf(listener.place)}${tls}`] : [],
      );
    },
    verbs,
    failed: Promise.race([owners.failed, doors.failed]),
    async stop() {
      await closers.close();
      await log.close();
    },
  };
}

/** What can't start is set up wrongly, most likely: the message names it, and a stack would not help. */
const asCommandError = (error: Error): never => {
  throw new CommandError(error.message);
};

type MailHostParts = {
  readonly config: Config;
  readonly ground: Ground;
  readonly clock: Clock;
  readonly log: Log;
  readonly tickets: Tickets;
  readonly mailHosts: Map<string, MailHost>;
  /** The stores that are open, for backup and check. */
  readonly stores: Map<string, LmdbStore>;
  readonly mailHost: string;
  /** Told when a mailHost can't go on: at the start that ends it, later the supervisor tries again. */
  readonly tellFault: (fault: Error) => void;
};

/** A store opened anew at each start: what failed may have left it in doubt. */
function mailHostChild(parts: MailHostParts): Child {
  const { config, ground, clock, log, tickets, mailHosts, stores, mailHost, tellFault } = parts;
  const { bus, subjects, directory, members, leases } = ground;
  return {
    name: `mailHost ${mailHost}`,
    async start() {
      const path = mailPath(config, mailHost);
      const opened = await openLmdbStore(path);
      if (!opened.ok) throw new CommandError(`${path}: ${unopened(opened.refusal)}`);
      const store = opened.value;
      if (store.identity.mailHost !== mailHost) {
        await store.close();
        throw new CommandError(`${path}: is the store of mailHost "${store.identity.mailHost}", not of "${mailHost}"`);
      }
      const owner = startMailHost({
        bus,
        subjects,
        store,
        journal: localJournal(store),
        leases,
        members,
        admissions: admissions({ mailHost, directory, tickets, log, freshenTimeoutMs: FRESHEN_TIMEOUT_MS }),
        clock,
        passivateAfterMs: config.owner.passivateAfterMs,
        random: randomBytes,
        log,
      });
      mailHosts.set(mailHost, owner);
      stores.set(mailHost, store);
      return {
        failed: owner.ended.then((end) => {
          if (end.how === 'stopped') return new Promise(() => {});
          const fault = new Error(`${path}: ${end.fault}`);
          tellFault(fault);
          return fault;
        }),
        async stop() {
          await owner.stop();
          mailHosts.delete(mailHost);
          stores.delete(mailHost);
          await store.close();
        },
      };
    },
  };
}

const listenerChild = (name: string, listener: Listener): Child => ({
  name,
  async start() {
    await listener.start();
    return { failed: listener.failed, stop: () => listener.stop(GRACE_MS) };
  },
});

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
