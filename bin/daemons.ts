/**
 * The names under which a node's protocols are known to the machine: of the files that hold the process's id and of those
 * that it writes its statistics to. One process serves them all, so all of them name the same one.
 */
import type { Listener } from '../config/schema.ts';

export type Protocol = Listener['protocol'];

/** All that there are, served here or not. */
export const PROTOCOLS: readonly Protocol[] = ['pop3', 'imap', 'lmtp', 'poppwd'];

/** `pop3` is served by `pop3d`, and so on. */
export const daemonOf = (protocol: Protocol): string => `${protocol}d`;

/** Each protocol once, in the order of the listeners. */
export const protocolsServed = (listeners: readonly Pick<Listener, 'protocol'>[]): readonly Protocol[] => [
  ...new Set(listeners.map(({ protocol }) => protocol)),
];
