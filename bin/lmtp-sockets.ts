/**
 * The unix sockets that LMTP has by itself, beside the listeners of the configuration: `ipc/lmtpd`, and `ipc/lmtpd-oq` when
 * `lmtp-enable-overquota-delivery` asks for it. Their directory's mode is the only access control (bin/modes.ts).
 */
import { lstatSync, unlinkSync } from 'node:fs';
import type { Config, Listener } from '../config/schema.ts';
import { lmtpdOverQuotaPath, lmtpdPath } from './places.ts';

/** As many as a listener has by default. */
const CHANNELS = 1000;

/** `ignoresQuota`: no quota refuses what is delivered here. */
export type LmtpSocket = Listener & { readonly ignoresQuota: boolean };

export function lmtpSockets(config: Config): readonly LmtpSocket[] {
  const { listeners, lmtp, lmtpEnableOverquotaDelivery } = config;
  const isNamed = listeners.some(({ place }) => 'path' in place && place.path === lmtpdPath(config));
  const isServed = listeners.some(({ protocol }) => protocol === 'lmtp');
  return [
    ...(lmtp.socket && isServed && !isNamed ? [socket(lmtpdPath(config), false)] : []),
    ...(lmtpEnableOverquotaDelivery ? [socket(lmtpdOverQuotaPath(config), true)] : []),
  ];
}

/**
 * Removes what a node that was killed left behind of sockets that this configuration does not open: a file that is there
 * says that somebody delivers there. For a node that holds its data alone.
 */
export function removeUnusedSockets(config: Config): void {
  const opened = [...config.listeners, ...lmtpSockets(config)].map(({ place }) => 'path' in place && place.path);
  for (const path of [lmtpdPath(config), lmtpdOverQuotaPath(config)])
    if (!opened.includes(path) && lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}

const socket = (path: string, ignoresQuota: boolean): LmtpSocket => ({
  protocol: 'lmtp',
  place: { path },
  channels: CHANNELS,
  tls: 'none',
  ignoresQuota,
});
