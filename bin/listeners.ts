/** The configuration's listeners as children of the supervisor: each protocol joined to its services. */
import { readFileSync } from 'node:fs';
import type { Certificates } from '../actors/certificates.ts';
import type { DeliverySessions } from '../actors/front/delivery-sessions.ts';
import type { Front } from '../actors/front/front.ts';
import { lmtpServices } from '../actors/front/lmtp-services.ts';
import { pop3Services } from '../actors/front/pop3-services.ts';
import { poppwdServices } from '../actors/front/poppwd-services.ts';
import { Listener, nameOf } from '../actors/listener.ts';
import { lmtpProtocol } from '../actors/lmtp/session.ts';
import { pop3Protocol } from '../actors/pop3/session.ts';
import { poppwdProtocol } from '../actors/poppwd/session.ts';
import type { Protocol } from '../actors/session.ts';
import type { Config, Listener as ListenerConfig } from '../config/schema.ts';
import { CHUNK_OCTETS } from '../store/blob.ts';

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
  /** There when a listener has TLS: the configuration was checked for that. */
  readonly certificates: Certificates | undefined;
  readonly nextSessionId: () => string;
};

/** `tls` says what stands behind the address where a listener has any: ` (STARTTLS)`, ` (TLS)`. */
export type NamedListener = { readonly name: string; readonly tls: string; readonly listener: Listener };

export function listenersOf(options: ListenersOptions): readonly NamedListener[] {
  const { config, front, certificates, nextSessionId } = options;
  const protocols = protocolsOf(options);
  return config.listeners.map((each) => ({
    name: `${each.protocol} on ${nameOf(each.place)}`,
    tls: { none: '', starttls: ' (STARTTLS)', implicit: ' (TLS)' }[each.tls],
    listener: new Listener({
      place: each.place,
      channels: each.channels,
      limits: { idleMs: config[each.protocol].idleTimeoutMs, writeMs: WRITE_TIMEOUT_MS },
      protocol: protocols[each.protocol],
      ...(each.tls !== 'none' && { tls: { mode: each.tls, certificates: certificates! } }),
      nextSessionId,
      clock: front.clock,
      log: front.log,
    }),
  }));
}

function protocolsOf({
  config,
  front,
  deliverySessions,
}: ListenersOptions): Record<ListenerConfig['protocol'], Protocol> {
  const { hostName, pop3, lmtp, poppwd } = config;
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const common = { product: PRODUCT, version, hostName, log: front.log };
  const delivery = { sessions: deliverySessions, chunkOctets: CHUNK_OCTETS, log: front.log };
  return {
    pop3: pop3Protocol({
      ...common,
      loginFailures: pop3.loginFailures,
      loginDelayMs: pop3.loginDelayMs,
      cleartextLogin: config.cleartextLoginEnable,
      services: pop3Services(front, pop3.loginDelayMs),
    }),
    lmtp: lmtpProtocol({
      ...common,
      maxRecipients: lmtp.recipientLimit,
      allow8bitheaders: lmtp.allow8bitheaders,
      maxOctets: lmtp.messageSizeLimitOctets,
      services: lmtpServices({ front, delivery, hostName }),
    }),
    poppwd: poppwdProtocol({
      ...common,
      loginFailures: poppwd.loginFailures,
      cleartextLogin: config.cleartextLoginEnable,
      services: poppwdServices(front, LONGEST_MAX_STALE_MS + CHANGE_COMMIT_MS),
    }),
  };
}
