/**
 * Reading the configuration file again (docs/admin.md): what can change while the node runs is changed, what waits for the
 * next start is named. A file with anything wrong in it changes nothing.
 */
import type { Reloaded } from '../../admin/node-verbs.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { CommandError } from '../command-error.ts';

export type ReloadOptions = {
  /** The configuration file; absent: there is none to read. */
  readonly file: string | undefined;
  /** What the node was started with. */
  readonly started: Config;
  /** Refuses a configuration that can't be served, by CommandError, before anything of it is in force. */
  readonly prepare: (config: Config) => {
    /** Puts all of it in force that can be. @returns a line for each thing that could not */
    apply(): Promise<readonly string[]>;
  };
};

/** Tables and options that are in force from the next connection, or line of the log, on. */
const LIVE =
  /^(listener|pop3\..*|imap\..*|lmtp\..*|poppwd\..*|limits\..*|cleartext-login-enable|lmtp-enable-overquota-delivery|log\.level)$/;

export function reloader({
  file,
  started,
  prepare,
}: ReloadOptions): () => Promise<Result<Reloaded, readonly string[]>> {
  let running = started;
  return async () => {
    if (file === undefined) return refuse(['this node was started without a configuration file']);
    const loaded = loadConfig(file);
    if (!loaded.ok) return loaded;
    const next = withLive(started, loaded.value);
    const applied = differences(running, next);
    const needRestart = differences(started, loaded.value).filter((key) => !LIVE.test(key));
    let prepared: ReturnType<ReloadOptions['prepare']>;
    try {
      prepared = prepare(next);
    } catch (error) {
      if (error instanceof CommandError) return refuse(error.lines.map((line) => `${file}: ${line}`));
      throw error;
    }
    running = next;
    const failures = await prepared.apply();
    if (failures.length > 0)
      return refuse([...failures, 'all else of the file that can change while the node runs is in force']);
    return accept({ applied, needRestart });
  };
}

/** The running configuration with those parts of the wanted one that need no restart. */
function withLive(running: Config, wanted: Config): Config {
  const { listeners, pop3, imap, lmtp, poppwd, limits, cleartextLoginEnable, lmtpEnableOverquotaDelivery } = wanted;
  const live = { listeners, pop3, imap, lmtp, poppwd, limits, cleartextLoginEnable, lmtpEnableOverquotaDelivery };
  return { ...running, ...live, log: { ...running.log, level: wanted.log.level } };
}

/** The keys, as in the file, whose values differ: `pop3.idle-timeout`; lists of tables as a whole. */
export function differences(one: Config, other: Config): readonly string[] {
  const found: string[] = [];
  for (const key of keysOf(one, other)) {
    const [a, b] = [one[key], other[key]];
    if (isSame(a, b)) continue;
    const table = tableNames[key] ?? kebab(key);
    if (!isTable(a) || !isTable(b)) found.push(table);
    else for (const inner of keysOf(a, b)) if (!isSame(a[inner], b[inner])) found.push(`${table}.${kebab(inner)}`);
  }
  return found.sort();
}

const tableNames: Readonly<Record<string, string>> = { listeners: 'listener', clusterKeyFile: 'nats.cluster-key-file' };

/** `idleTimeoutMs` is `idle-timeout`: the inverse of what config/option.ts does to names. */
const kebab = (key: string): string =>
  key.replace(/(Ms|Octets)$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const keysOf = <T extends object>(one: T, other: T) => [
  ...new Set([...Object.keys(one), ...Object.keys(other)] as (keyof T & string)[]),
];

type Table = Readonly<Record<string, unknown>>;
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
