/** Where a node's databases lie below `data`. */
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';

export const directoryPath = (config: Config): string => join(config.data, 'directory');
export const mailPath = (config: Config, mailHost: string): string => join(config.data, 'mail', mailHost);
export const controlPath = (config: Config): string => join(config.data, 'ipc', 'control');
/** Bus subjects of an embedded node stay in the process: any name will do. */
export const clusterName = (config: Config): string => config.nats?.cluster ?? 'embedded';
