/**
 * From TOML text to a checked Config, or to everything that is wrong with it. Pure: bad input is a refusal, in words for
 * the operator, and never throws; load.ts reads the file.
 */
import { resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { contradictions, DEFAULT_ADDRESS, type Finding } from './cross-checks.ts';
import { defaultPort } from './default-port.ts';
import { isDomain, named } from './option.ts';
import { admin } from './options/admin.ts';
import { limits } from './options/limits.ts';
import { owner, password, quota } from './options/mail.ts';
import { nats } from './options/nats.ts';
import { node } from './options/node.ts';
import { imap, lmtp, pop3, poppwd } from './options/sessions.ts';
import { tls, tlsName } from './options/tls.ts';
import { nearest, type Problem, printKey } from './problem.ts';
import { type Config, type ConfigFile, configFile, type Listener, type Tls, tables } from './schema.ts';

export type Source = {
  /** The file's name as the operator gave it: problems begin with it. */
  readonly file: string;
  /** Paths in the file begin here; absolute. */
  readonly directory: string;
  /** What this machine calls itself: the default of `host-name`. */
  readonly machine: string;
  /** `process.platform`: for default ports. */
  readonly platform: string;
};

/** TOML text to Config. */
export function parseConfig(toml: string, source: Source): Result<Config, readonly Problem[]> {
  let given: unknown;
  try {
    given = parse(toml, { unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    return refuse([{ file: source.file, text: syntaxError(error) }]);
  }
  return checkConfig(given, source);
}

/** An already parsed file, of whatever shape, to Config. */
export function checkConfig(given: unknown, source: Source): Result<Config, readonly Problem[]> {
  const problem = ({ path, text }: Finding): Problem =>
    path.length === 0 ? { file: source.file, text } : { file: source.file, key: printKey(path), text };
  const read = configFile.safeParse(given);
  if (!read.success) return refuse(read.error.issues.flatMap(findings).map(problem));
  const wrong = contradictions(read.data, source);
  if (wrong.length > 0) return refuse(wrong.map(problem));
  return accept(complete(read.data, source));
}

/** Fills in the defaults that depend on other options or on the machine. */
function complete(read: ConfigFile, source: Source): Config {
  const { directory, machine } = source;
  const top = named(node, read, directory);
  const keyFile = read.nats?.['cluster-key-file'];
  const base = {
    ...top,
    mailHosts: top.mailHosts ?? [read.me],
    hostName: top.hostName ?? (isDomain(machine) ? machine.toLowerCase() : read.me),
    clusterKeyFile: keyFile === undefined ? resolve(top.data, 'cluster.key') : resolve(directory, keyFile),
    listeners: read.listener.map((written) => listenerOf(written, source)),
    log: { ...read.log, destination: destinationOf(read.log.destination, 'stderr', directory) },
    connectionLog: {
      ...read['connection-log'],
      destination: destinationOf(read['connection-log'].destination, 'off', directory),
    },
    pop3: named(pop3, read.pop3, directory),
    imap: named(imap, read.imap, directory),
    lmtp: named(lmtp, read.lmtp, directory),
    poppwd: named(poppwd, read.poppwd, directory),
    limits: named(limits, read.limits, directory),
    password: named(password, read.password, directory),
    quota: named(quota, read.quota, directory),
    owner: named(owner, read.owner, directory),
    admin: named(admin, read.admin, directory),
  };
  const withTls = read.tls === undefined ? base : { ...base, tls: tlsOf(read.tls, directory) };
  if (read.nats === undefined) return withTls;
  const { clusterKeyFile: _, ...natsRead } = named(nats, read.nats, directory);
  return { ...withTls, nats: natsRead };
}

function tlsOf({ name, ...written }: NonNullable<ConfigFile['tls']>, directory: string): Tls {
  const names = name.map((each) => ({
    ...named(tlsName, each, directory),
    names: each.names.map((one) => one.toLowerCase()),
  }));
  return { ...named(tls, written, directory), names };
}

function listenerOf(written: ConfigFile['listener'][number], { directory, platform }: Source): Listener {
  const { protocol, channels, tls, path, mode, port, address = DEFAULT_ADDRESS, ...rest } = written;
  const place =
    path !== undefined
      ? { path: resolve(directory, path), ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }) }
      : { address, port: port ?? defaultPort(protocol, tls, platform)! }; // contradictions() saw to that
  const { 'proxy-protocol': proxy, 'proxy-trusted': trusted = [], 'allow-file': allowFile } = rest;
  const { allow, 'limits-exempt': limitsExempt } = rest;
  const { 'connections-per-address': connectionsPerAddress } = rest;
  const { 'connection-rate-per-address': connectionRatePerAddress } = rest;
  return {
    ...{ protocol, channels, tls, place },
    ...(allow !== undefined && { allow }),
    ...(allowFile !== undefined && { allowFile: resolve(directory, allowFile) }),
    ...(proxy === 'required' && { proxyTrusted: trusted }),
    ...(connectionsPerAddress !== undefined && { connectionsPerAddress }),
    ...(connectionRatePerAddress !== undefined && { connectionRatePerAddress }),
    ...(limitsExempt !== undefined && { limitsExempt }),
  };
}

const destinationOf = <W extends string>(written: string, word: W, directory: string): W | { readonly file: string } =>
  written === word ? word : { file: resolve(directory, written) };

type Issue = { readonly code: string; readonly path: readonly PropertyKey[]; readonly message: string };

/** An unknown key is a finding of its own, without its value, which may be anything. */
function findings(issue: Issue & { readonly keys?: readonly string[] }): readonly Finding[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, text: issue.message }];
  return issue.keys!.map((key) => ({
    path: [...issue.path, key],
    text: `is no option${hint(key, tableOf(issue.path))}`,
  }));
}

const tableOf = ([first, second]: readonly PropertyKey[]): PropertyKey | undefined =>
  first === 'tls' && second === 'name' ? 'tls.name' : first;

function hint(key: string, table: PropertyKey | undefined): string {
  const known = table === undefined ? [...Object.keys(node), ...Object.keys(tables)] : optionsOf(table);
  const meant = nearest(key, known);
  if (meant !== undefined) return `; did you mean "${meant}"?`;
  const homes = Object.keys(tables).filter((other) => optionsOf(other).includes(key));
  if (key in node && Object.hasOwn(node, key)) homes.unshift('the top of the file, above the first table');
  return homes.length === 0 ? '' : `; it belongs in ${homes.map(inBrackets).join(' or ')}`;
}

const optionsOf = (table: PropertyKey): readonly string[] =>
  Object.hasOwn(tables, table) ? Object.keys(tables[table as keyof typeof tables]) : [];

const inBrackets = (table: string) =>
  table.includes(' ') ? table : table === 'listener' || table === 'tls.name' ? `[[${table}]]` : `[${table}]`;

/** Position and reason only: the parser's own message quotes the lines around, and a secret may stand there. */
function syntaxError(error: unknown): string {
  if (!(error instanceof TomlError)) return `is not readable as TOML (${(error as Error).name})`;
  const reason = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '');
  return `line ${error.line}, column ${error.column}: ${reason}`;
}
