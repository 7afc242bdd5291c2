/** The configuration's listeners as doors of the node: each protocol joined to its services, and whom it lets in. */
import { readFileSync } from 'node:fs';
import type { AccountSessions } from '../actors/account-sessions.ts';
import type { Certificates } from '../actors/certificates.ts';
import type { Door } from '../actors/doors.ts';
import type { ChangeWatch } from '../actors/front/change-watch.ts';
import { defaultMailbox } from '../actors/front/default-mailboxes.ts';
import type { DeliverySessions } from '../actors/front/delivery-sessions.ts';
import type { Front } from '../actors/front/front.ts';
import { imapServices } from '../actors/front/imap-services.ts';
import { lmtpServices } from '../actors/front/lmtp-services.ts';
import { pop3Services } from '../actors/front/pop3-services.ts';
import { poppwdServices } from '../actors/front/poppwd-services.ts';
import { imapProtocol } from '../actors/imap/session.ts';
import type { AsRoot } from '../actors/listener-socket.ts';
import { lmtpProtocol } from '../actors/lmtp/session.ts';
import { readNologin } from '../actors/nologin.ts';
import { pop3Protocol } from '../actors/pop3/session.ts';
import type { FailedLogIns } from '../actors/poppwd/failed-log-ins.ts';
import { poppwdProtocol } from '../actors/poppwd/session.ts';
import type { Protocol } from '../actors/session.ts';
import type { Config, Listener as ListenerConfig } from '../config/schema.ts';
import { CHUNK_OCTETS } from '../store/blob.ts';
import type { ConnectionLog } from '../telemetry/connection-log.ts';
import type { Statistics } from '../telemetry/statistics.ts';
import { allowedBy, listOf, perAddressOf } from './address-terms.ts';
import { CommandError } from './command-error.ts';
import { lmtpSockets } from './lmtp-sockets.ts';
import { nologinPath } from './places.ts';

const PRODUCT = 'Homing';
/** A client that leaves its output unread for so long is dropped. */
const WRITE_TIMEOUT_MS = 120_000;
/**
 * The most that `directory-max-stale` may be (config/schema.ts). The cluster's value rules, which another node's file has
 * set: the one in this node's file may be less than what a change has to wait for.
 */
const LONGEST_MAX_STALE_MS = 60_000;
/** Commit of a changed password, beside the wait for the last node (actors/front/poppwd-services.ts). */
const CHANGE_COMMIT_MS = 10_000;

export type ListenersOptions = {
  readonly config: Config;
  readonly front: Front;
  readonly deliverySessions: DeliverySessions;
  readonly changes: ChangeWatch;
  /** Of the whole cluster, as far as this node knows. */
  readonly mailHosts: () => readonly string[];
  /** There when a listener has TLS: the configuration was checked for that. */
  readonly certificates: Certificates | undefined;
  readonly nextSessionId: () => string;
  readonly connectionLog: ConnectionLog;
  readonly accountSessions: AccountSessions;
  readonly failedLogIns: FailedLogIns;
  readonly statistics: Statistics;
  readonly asRoot: AsRoot;
};

const LABELS = { none: '', starttls: ' (STARTTLS)', implicit: ' (TLS)' } as const;

/**
 * The doors of a configuration: at the start, and of a changed one for those that are open already.
 * @throws CommandError when a file of addresses is not as it should be, or TLS is asked for where there was none at the start
 */
export function doorsOf(options: ListenersOptions): readonly Door[] {
  const { config, front, nextSessionId, connectionLog, statistics, asRoot } = options;
  const { clock, log } = front;
  const protocols = protocolsOf(options);
  const nologin = () => readNologin(nologinPath(config), log);
  return [...config.listeners, ...lmtpSockets(config)].map((each, index) => ({
    ...{ place: each.place, label: LABELS[each.tls], channels: each.channels },
    mode: 'path' in each.place ? each.place.mode : undefined,
    protocol: 'ignoresQuota' in each && each.ignoresQuota ? protocols.overQuota : protocols[each.protocol],
    limits: limitsOf(config, each.protocol),
    tls: tlsOf(each, options),
    allowed: allowedBy(each, `listener#${index + 1}.allow-file`),
    balancers: each.proxyTrusted && listOf(each.proxyTrusted),
    perAddress: perAddressOf(each),
    ...{ nologin, nextSessionId, connectionLog, statistics: statistics.of(each.protocol), asRoot, clock, log },
  }));
}

function limitsOf(config: Config, protocol: ListenerConfig['protocol']): Door['limits'] {
  const { idleTimeoutMs: idleMs } = config[protocol];
  const logInMs = protocol === 'lmtp' ? 0 : config[protocol].loginTimeoutMs;
  return { idleMs, writeMs: WRITE_TIMEOUT_MS, ...(logInMs > 0 && { logInMs }) };
}

function tlsOf({ tls }: ListenerConfig, { certificates }: ListenersOptions): Door['tls'] {
  if (tls === 'none') return undefined;
  if (certificates === undefined)
    throw new CommandError('tls: a node that was started without [tls] must be restarted');
  return { mode: tls, certificates };
}

function protocolsOf({
  config,
  front,
  deliverySessions,
  changes,
  mailHosts,
  nextSessionId,
  connectionLog,
  accountSessions,
  failedLogIns,
}: ListenersOptions): Record<ListenerConfig['protocol'] | 'overQuota', Protocol> {
  const { hostName, pop3, imap, lmtp, poppwd } = config;
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const common = { product: PRODUCT, version, hostName, log: front.log };
  const delivery = { sessions: deliverySessions, chunkOctets: CHUNK_OCTETS, log: front.log };
  const lmtpWith = (ignoresQuota: boolean): Protocol =>
    lmtpProtocol({
      ...common,
      maxRecipients: lmtp.recipientLimit,
      allow8bitheaders: lmtp.allow8bitheaders,
      maxOctets: lmtp.messageSizeLimitOctets,
      maxHeaderOctets: lmtp.headerSizeLimitOctets,
      overQuota: lmtp.overQuota,
      services: lmtpServices({ front, delivery, hostName, ignoresQuota, overQuota: lmtp.overQuota }),
    });
  return {
    pop3: pop3Protocol({
      ...common,
      loginFailures: pop3.loginFailures,
      loginDelayMs: pop3.loginDelayMs,
      cleartextLogin: config.cleartextLoginEnable,
      defaultDomain: config.defaultDomain,
      connectionLog,
      services: pop3Services(front, pop3.loginDelayMs, accountSessions),
    }),
    imap: imapProtocol({
      ...{ product: PRODUCT, version, clock: front.clock, log: front.log, connectionLog },
      defaultDomain: config.defaultDomain,
      sharedName: config.lmtpSharedName,
      loginFailures: imap.loginFailures,
      cleartextLogin: config.cleartextLoginEnable,
      idleKeepaliveMs: imap.idleKeepaliveMs,
      quotaVisible: imap.quotaVisibleToUsers,
      appendLimitOctets: imap.messageSizeLimitOctets,
      services: imapServices({
        ...{ front, watch: changes, accountSessions, mailHosts, nextOperation: nextSessionId },
        quota: { octets: config.quota.defaultOctets, messages: config.quota.defaultMessages },
        defaultMailboxes: imap.defaultMailboxes.map(defaultMailbox),
      }),
    }),
    lmtp: lmtpWith(false),
    overQuota: lmtpWith(true),
    poppwd: poppwdProtocol({
      ...common,
      loginFailures: poppwd.loginFailures,
      failedLogIns,
      cleartextLogin: config.cleartextLoginEnable,
      defaultDomain: config.defaultDomain,
      connectionLog,
      services: poppwdServices(front, LONGEST_MAX_STALE_MS + CHANGE_COMMIT_MS, accountSessions),
    }),
  };
}
