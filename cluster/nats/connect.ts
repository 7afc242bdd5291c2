/**
 * The connection to NATS: made once, kept for ever. Servers come and go; it comes back within seconds of them.
 *
 * Options are those of `[nats]` in the configuration. What can't work is refused at the start, by name; what is only
 * away is waited for.
 */
import { readFile } from 'node:fs/promises';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  type Authenticator,
  connect,
  createInbox,
  credsAuthenticator,
  errors,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import type { Clock } from '../../kernel/clock.ts';
import { pause } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { MAX_MESSAGE, type Service } from '../bus/bus.ts';
import { FRAME_OVERHEAD } from '../frames.ts';
import { createListeners } from '../members/listeners.ts';
import { token } from '../subjects.ts';
import { muteAbandonedSockets } from './abandoned-sockets.ts';
import { createViolations, violationIn } from './violations.ts';

export type NatsOptions = {
  /** `host:port` each; one of them is enough to find the others of its cluster. */
  readonly servers: readonly string[];
  /** Names the inboxes, so that permissions can keep one cluster's answers from another; absent: `_INBOX`. */
  readonly cluster?: string;
  /** A NATS credentials file (JWT and nkey seed). */
  readonly credentialsFile?: string;
  readonly user?: string;
  /** Its first line is the user's password. */
  readonly passwordFile?: string;
  /** Any of the three makes TLS a must. */
  readonly tlsCaFile?: string;
  readonly tlsCertificateFile?: string;
  readonly tlsKeyFile?: string;
};

/** The connection with what the house wants to know of it. */
export type NatsLink = {
  readonly connection: NatsConnection;
  connected(): boolean;
  /** Calls back at each change of `connected`. */
  onConnection(listener: (connected: boolean) => void): Service;
  /** A subject that only this asks for answers at, below the cluster's own prefix: what permissions allow (docs/nats.md). */
  newInbox(): string;
  /** Sends what is still to be sent, then closes; never comes back. */
  close(): Promise<void>;
};

export type ConnectOptions = {
  /** Names the connection to those who watch the server. */
  readonly me: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Gives up waiting for a first server. */
  readonly signal?: AbortSignal;
  /** `false`: no JetStream is needed, and nothing is asked of it: an operator's user may not (docs/nats.md). */
  readonly jetStream?: false;
};

/** Together they bound the way back after a server's return: one wait, one handshake. */
const RECONNECT_WAIT_MS = 250;
const RECONNECT_JITTER_MS = 250;
const HANDSHAKE_TIMEOUT_MS = 2_000;
/** A server that is silent for three of these is taken for dead: a stopped process closes no socket. */
const PING_INTERVAL_MS = 1_000;
const MAX_PINGS_OUT = 2;
const SAY_STILL_WAITING_MS = 10_000;

/**
 * Connects, waiting for a server as long as the signal lets it.
 * @throws Error that names what an operator must change: credentials refused, a server's version, no JetStream
 */
export async function connectNats(options: NatsOptions, given: ConnectOptions): Promise<NatsLink> {
  const connectionOptions = await toConnectionOptions(options, given.me);
  const mute = muteAbandonedSockets();
  const connection = await firstConnection(connectionOptions, options, given).catch(async (error: unknown) => {
    await mute.stop();
    throw error;
  });
  const link = watch(connection, { ...given, ...options }, mute); // before anything is asked: no loss may go unseen
  try {
    const unfit = unfitness(connection);
    if (unfit !== undefined) throw new Error(`nats: ${connection.getServer()}: ${unfit}`);
    if (given.jetStream !== false) await requireJetStream(connection);
  } catch (error) {
    await link.close();
    throw error;
  }
  return link;
}

/** Tries again and again for as long as no server is there; gives up at once on what waiting can't cure. */
async function firstConnection(
  connectionOptions: NodeConnectionOptions,
  { servers }: NatsOptions,
  { log, clock, signal }: ConnectOptions,
): Promise<NatsConnection> {
  let saidAt = clock.monotonic() - SAY_STILL_WAITING_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await connect(connectionOptions);
    } catch (error) {
      if (isForOperator(error))
        throw new Error(`nats: ${servers.join(', ')}: ${(error as Error).message}`, { cause: error });
      if (clock.monotonic() - saidAt >= SAY_STILL_WAITING_MS) {
        saidAt = clock.monotonic();
        log.warn('waiting for a nats-server', { servers, reason: (error as Error).message });
      }
    }
    await pause(clock, RECONNECT_WAIT_MS, signal);
  }
}

/** Refused credentials, bad options, TLS that can't be agreed: the same tomorrow. Unreachable or slow: perhaps not. */
function isForOperator(error: unknown): boolean {
  if (error instanceof errors.AuthorizationError || error instanceof errors.InvalidArgumentError) return true;
  if (error instanceof errors.UserAuthenticationExpiredError) return true;
  const { message, code = '' } = error as NodeJS.ErrnoException;
  return /does not support 'tls'|doesn't exist/.test(message) || /^ERR_(TLS|SSL|OSSL)|CERT|SELF_SIGNED/.test(code);
}

async function toConnectionOptions(options: NatsOptions, me: string): Promise<NodeConnectionOptions> {
  const { tlsCaFile, tlsCertificateFile, tlsKeyFile } = options;
  const tls = {
    ...(tlsCaFile === undefined ? {} : { caFile: tlsCaFile }),
    ...(tlsCertificateFile === undefined ? {} : { certFile: tlsCertificateFile }),
    ...(tlsKeyFile === undefined ? {} : { keyFile: tlsKeyFile }),
  };
  const isTls = Object.keys(tls).length > 0;
  const checked = { ...tls, checkServerIdentity: identityOfAny(options.servers.map(hostOf)) }; // Node's own option, passed on
  const authenticator = await credentials(options);
  return {
    servers: [...options.servers],
    name: `homing ${me}`,
    inboxPrefix: inboxPrefix(options.cluster),
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    timeout: HANDSHAKE_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    ignoreAuthErrorAbort: true, // an operator may be changing credentials: keep trying, the log says why it fails
    noAsyncTraces: true,
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(isTls ? { tls: checked } : {}),
  };
}

/** Every inbox of a cluster's nodes begins so; the words below one token each, so that no cluster's name begins another's. */
const inboxPrefix = (cluster: string | undefined): string =>
  cluster === undefined ? '_INBOX' : `_INBOX_homing_${token(cluster)}`;

/** `host` of `host`, `host:port`, `[host]:port` or any of these after `scheme://`. */
const hostOf = (server: string): string => server.replace(/^[a-z]+:\/\//, '').replace(/^\[(.*)\](:\d+)?$|:\d+$/, '$1');

/**
 * nats.js names no server to TLS that was given by its address, and Node then looks for `localhost` in the certificate.
 * A certificate for any of the servers that the operator named is as good: they are one cluster. So is one for the name that
 * the cluster itself gave a server, over a connection that was checked.
 */
const identityOfAny =
  (hosts: readonly string[]) =>
  (asked: string, certificate: PeerCertificate): Error | undefined => {
    const errorOf = (host: string) => checkServerIdentity(host, certificate);
    const good = asked === 'localhost' ? hosts : [...hosts, asked];
    return good.some((host) => errorOf(host) === undefined) ? undefined : errorOf(hosts[0] ?? asked);
  };

/** Read once: nats.js asks for them again at each reconnect. */
async function credentials(options: NatsOptions): Promise<Authenticator | undefined> {
  const { credentialsFile, user, passwordFile } = options;
  if (credentialsFile !== undefined) return credsAuthenticator(await contentOf('credentials-file', credentialsFile));
  if (user === undefined) return undefined;
  if (passwordFile === undefined) return () => ({ user });
  const text = new TextDecoder().decode(await contentOf('password-file', passwordFile));
  const pass = text.split(/\r?\n/, 1)[0]!;
  return () => ({ user, pass });
}

async function contentOf(option: string, path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`nats: ${option}: ${path}: ${error.code === 'ENOENT' ? 'no such file' : error.code}`, {
      cause: error,
    });
  });
}

/** Why this server won't do, or undefined. */
export function unfitness({ info }: Pick<NatsConnection, 'info'>): string | undefined {
  if (info === undefined) return 'went away during the handshake';
  if (hasUnsafeCompareAndSet(info.version)) {
    return (
      `nats-server ${info.version} may accept two concurrent compare-and-sets of one key ` +
      '(versions 2.9.15 to 2.9.20): install another version'
    );
  }
  const needed = MAX_MESSAGE + FRAME_OVERHEAD;
  if (info.max_payload < needed) return `max_payload is ${info.max_payload} octets; at least ${needed} are needed`;
  return undefined;
}

/** nats-server issue 4320: replicated streams, expected last subject sequence. */
function hasUnsafeCompareAndSet(version: string): boolean {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) === 2 && Number(minor) === 9 && Number(patch) >= 15 && Number(patch) <= 20;
}

/** A JetStream without a leader yet is only away; one that is not there at all, or not for this user, is refused. */
async function requireJetStream(connection: NatsConnection): Promise<void> {
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: HANDSHAKE_TIMEOUT_MS });
    await manager.getAccountInfo();
  } catch (error) {
    const violation = violationIn(error);
    if (violation) throw new Error(`nats: ${connection.getServer()}: ${violation}`, { cause: error });
    if (!isNotEnabled(error)) return;
    const message = 'JetStream is not enabled there, for this account; start nats-server with -js or a jetstream block';
    throw new Error(`nats: ${connection.getServer()}: ${message}`, { cause: error });
  }
}

function isNotEnabled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof errors.NoRespondersError || error.cause instanceof errors.NoRespondersError) return true;
  return /not enabled/i.test(error.message); // JetStreamNotEnabled, and err_codes 10039 and 10076
}

function watch(connection: NatsConnection, options: ConnectOptions & NatsOptions, mute: Service): NatsLink {
  const { log, clock } = options;
  const listeners = createListeners<boolean>(log);
  const violations = createViolations(log, clock);
  let isConnected = true;
  let saidUnfit: string | undefined;
  const change = (connected: boolean) => {
    if (connected === isConnected) return;
    isConnected = connected;
    listeners.tell(connected);
  };

  /**
   * A server that would be refused at the start is not used after a reconnect either: it is left at once, for the next.
   * nats.js waits between two attempts at one server (`reconnectTimeWait`): where there is no other, this does not spin.
   */
  const leave = (server: string, unfit: string) => {
    if (connection.info === undefined || connection.isClosed()) return; // gone already: nats.js sees to it
    if (saidUnfit !== unfit) log.error('nats: a server will not do, trying for another', { server, unfit });
    saidUnfit = unfit;
    connection.reconnect().catch((error: Error) => {
      log.debug('nats: closing, no other server is tried', { reason: error.message });
    });
  };

  const follow = async () => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        if (isConnected) log.warn('nats: connection lost', { server: status.server });
        change(false);
      } else if (status.type === 'reconnect') {
        const unfit = unfitness(connection);
        if (unfit !== undefined) {
          leave(status.server, unfit);
          continue;
        }
        log.info('nats: connected again', { server: status.server });
        saidUnfit = undefined;
        change(true);
      } else if (status.type === 'error' && !violations.take(status.error)) {
        log.error('nats: the server complains', { reason: status.error.message });
      }
    }
    change(false); // closed for good
  };
  const followed = follow();

  return {
    connection,
    connected: () => isConnected,
    onConnection: (listener) => listeners.add(listener),
    newInbox: () => createInbox(inboxPrefix(options.cluster)),
    close: async () => {
      if (isConnected && !connection.isClosed()) {
        await connection.drain().catch((error: Error) => {
          log.warn('nats: connection lost while closing it', { reason: error.message });
        });
      }
      await connection.close(); // drain closes too, unless it failed
      await followed;
      await mute.stop();
    },
  };
}
