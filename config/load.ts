/**
 * A configuration's touch with the disk: reads the file, and asks whether the files that it names are there
 * (docs/architecture.md, "The operator's contract"). What the file means is parse.ts's to say.
 */
import {
  accessSync,
  closeSync,
  constants,
  mkdtempSync,
  opendirSync,
  openSync,
  readFileSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { parseConfig } from './parse.ts';
import { printProblem, show } from './problem.ts';
import type { Config } from './schema.ts';

/**
 * Reads and checks a configuration file, before anything else runs.
 * @returns the configuration, or a line `file: key: what is wrong` for each thing wrong; an unreadable file is one
 */
export function loadConfig(file: string): Result<Config, readonly string[]> {
  const text = readText(file);
  if (!text.ok) return refuse([printProblem({ file, text: text.refusal })]);
  const parsed = parseConfig(text.value, {
    file,
    directory: dirname(resolve(file)),
    machine: hostname(),
    platform: process.platform,
  });
  return parsed.ok ? parsed : refuse(parsed.refusal.map(printProblem));
}

/**
 * Do the files that a configuration names exist and open? For `serve` to ask before it starts anything, so that the
 * operator hears the option's name. Reads no contents, and creates nothing that stays.
 * @returns a line for each file that is missing, unreadable or of the wrong kind
 */
export function checkFiles(config: Config, file: string): readonly string[] {
  const wanted: readonly Wanted[] = [
    { key: 'data', path: config.data, kind: 'directory', mode: constants.R_OK | constants.W_OK | constants.X_OK },
    // Embedded there is no [nats] to name it in: it is then one of the files in `data`.
    {
      key: config.nats ? 'nats.cluster-key-file' : 'data',
      path: config.clusterKeyFile,
      kind: 'file',
      mode: constants.R_OK,
    },
    ...natsFiles(config.nats),
    ...tlsFiles(config.tls),
    ...listenerFiles(config.listeners),
    ...logDirectory('log.destination', config.log.destination),
    ...logDirectory('connection-log.destination', config.connectionLog.destination),
  ];
  return wanted.flatMap((one) => {
    const text = faultOf(one);
    return text === undefined ? [] : [printProblem({ file, key: one.key, text })];
  });
}

type Wanted = {
  readonly key: string;
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly mode: number;
};

function natsFiles(nats: Config['nats']): readonly Wanted[] {
  if (nats === undefined) return [];
  const named = {
    'credentials-file': nats.credentialsFile,
    'password-file': nats.passwordFile,
    'tls-ca-file': nats.tlsCaFile,
    'tls-certificate-file': nats.tlsCertificateFile,
    'tls-key-file': nats.tlsKeyFile,
  };
  return Object.entries(named).flatMap(([key, path]) =>
    path === undefined ? [] : [{ key: `nats.${key}`, path, kind: 'file' as const, mode: constants.R_OK }],
  );
}

function tlsFiles(tls: Config['tls']): readonly Wanted[] {
  if (tls === undefined) return [];
  const file = (key: string, path: string): Wanted => ({ key, path, kind: 'file', mode: constants.R_OK });
  const pair = (key: string, { certificateFile, keyFile }: { certificateFile: string; keyFile: string }) => [
    file(`${key}.certificate-file`, certificateFile),
    file(`${key}.key-file`, keyFile),
  ];
  const clients = tls.clientCaFile === undefined ? [] : [file('tls.client-ca-file', tls.clientCaFile)];
  return [...pair('tls', tls), ...clients, ...tls.names.flatMap((each, index) => pair(`tls.name#${index + 1}`, each))];
}

const listenerFiles = (listeners: Config['listeners']): readonly Wanted[] =>
  listeners.flatMap(({ allowFile: path }, index) =>
    path === undefined
      ? []
      : [{ key: `listener#${index + 1}.allow-file`, path, kind: 'file' as const, mode: constants.R_OK }],
  );

/** The log file itself is made when missing; its directory is not. */
const logDirectory = (key: string, destination: string | { readonly file: string }): readonly Wanted[] =>
  typeof destination === 'string'
    ? []
    : [
        {
          key,
          path: dirname(destination.file),
          kind: 'directory',
          mode: constants.W_OK | constants.X_OK,
        },
      ];

function faultOf({ path, kind, mode }: Wanted): string | undefined {
  try {
    const found = statSync(path);
    const right = kind === 'directory' ? found.isDirectory() : !found.isDirectory();
    if (!right) return `${show(path)} is not a ${kind}`;
    mustBeUsable(path, found, mode);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return `no such ${kind}: ${show(path)}`;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `${show(path)} may not be used by this user`;
    return `${show(path)} cannot be used (${code})`;
  }
}

/**
 * Deno's `access` compares mode bits, and knows neither root nor groups (seen in 2.9): what is refused is tried before it
 * is believed. A pipe is not: opening one could wait for ever.
 */
function mustBeUsable(path: string, found: Stats, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    if (found.isFile()) {
      closeSync(openSync(path, 'r'));
    } else if (found.isDirectory()) {
      if (mode & constants.R_OK) opendirSync(path).closeSync();
      rmdirSync(mkdtempSync(join(path, '.homing-may-write-')));
    } else throw error;
  }
}

function readText(file: string): Result<string, string> {
  let octets: Uint8Array;
  try {
    octets = readFileSync(file);
  } catch (error) {
    return refuse(unreadable(error as NodeJS.ErrnoException));
  }
  try {
    return accept(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what TextDecoder throws: Encoding Standard, `decode()`
    return refuse('is not UTF-8 text');
  }
}

function unreadable(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such file';
  if (error.code === 'EACCES') return 'may not be read by this user';
  if (error.code === 'EISDIR') return 'is a directory';
  return `cannot be read (${error.code ?? error.message})`;
}
