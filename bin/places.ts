/** Where a node's databases and files lie below `data`. */
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';

export const directoryPath = (config: Config): string => join(config.data, 'directory');
export const mailPath = (config: Config, mailHost: string): string => join(config.data, 'mail', mailHost);
export const controlPath = (config: Config): string => join(config.data, 'ipc', 'control');
/** Sockets for LMTP (lmtp-sockets.ts); at the second, quotas refuse nothing. */
export const lmtpdPath = (config: Config): string => join(config.data, 'ipc', 'lmtpd');
export const lmtpdOverQuotaPath = (config: Config): string => join(config.data, 'ipc', 'lmtpd-oq');
/** While it is there, POP3 clients are told its first line instead of a greeting (actors/nologin.ts). */
export const nologinPath = (config: Pick<Config, 'data'>): string => join(config.data, 'etc', 'nologin');
/** Bus subjects of an embedded node stay in the process: any name will do. */
export const clusterName = (config: Config): string => config.nats?.cluster ?? 'embedded';
