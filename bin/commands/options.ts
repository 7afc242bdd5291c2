/** What commands share: the configuration file, JSON or a table, and the way to a node's verbs. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { ControlAnswer, Verbs } from '../../admin/control.ts';
import { type ControlClient, connectControl } from '../../admin/control-client.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { CommandError } from '../command-error.ts';
import { openVerbs } from '../offline.ts';
import { controlPath } from '../places.ts';
import { asRuntimeUser } from '../privileges.ts';

export const DEFAULT_FILE = 'homing.toml';

export const withFile = (command: Command): Command =>
  command.option('-f, --file <file>', 'configuration file', DEFAULT_FILE);

/** The configuration, or a CommandError with a line for each thing wrong. */
export function readConfig(file: string): Config {
  if (!existsSync(file)) throw new CommandError(`${file}: there is no such file (name one with -f)`);
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new CommandError(...loaded.refusal);
  return loaded.value;
}

export type Ask = (verb: string, given?: Readonly<Record<string, unknown>>) => Promise<unknown>;

/**
 * Runs `use` with a way to ask verbs: over the control socket of the running server, or, when none runs, on the
 * databases themselves. A verb's errors become a CommandError.
 * @param use  where root runs it on the databases it is the runtime user, to the end: an owner may begin with any verb. What
 *   only root may read is to be read before
 */
export async function withVerbs(file: string, use: (ask: Ask, config: Config) => Promise<unknown>): Promise<void> {
  const config = readConfig(file);
  const client = await connectServer(config);
  if (client) {
    await use(askOf(client), config).finally(() => client.close());
    return;
  }
  await asRuntimeUser(config, file, async () => {
    const offline = await openVerbs(config);
    try {
      await use(askOf(offline.verbs), config);
    } finally {
      await offline.close();
    }
  });
}

/** Asks the running server alone, for what nobody else knows: never opens a database, nor takes its lock for a moment. */
export async function withServer(file: string, use: (ask: Ask, config: Config) => Promise<unknown>): Promise<void> {
  const config = readConfig(file);
  const client = await connectServer(config);
  if (!client) throw new CommandError(`${config.data}: no server runs on these databases`);
  await use(askOf(client), config).finally(() => client.close());
}

/** The running server; undefined when none runs on these databases. */
export function connectServer(config: Config): Promise<ControlClient | undefined> {
  const path = controlPath(config);
  return connectControl(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EACCES' ? 'may not be used by this user' : error.message;
    throw new CommandError(`${path}: the control socket of the server: ${why}`);
  });
}

/** Of a server, or of the verbs of this very process. */
export function askOf(answering: Pick<ControlClient, 'ask'> | Verbs): Ask {
  const client = answering as ControlClient;
  return async (verb, given = {}) =>
    unwrap(
      typeof client.ask === 'function'
        ? await client.ask({ verb, arguments: given })
        : await call(answering as Verbs, verb, given),
    );
}

async function call(verbs: Verbs, name: string, given: Readonly<Record<string, unknown>>): Promise<ControlAnswer> {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb) throw new CommandError(`${name}: needs a running server, and none runs on these databases`);
  return verb(given);
}

function unwrap(answer: ControlAnswer): unknown {
  if (!answer.ok) throw new CommandError(...answer.errors);
  return answer.value;
}

/** Prints rows as an aligned table, or as JSON for `--json`. */
export function printTable(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): void {
  const text = (value: unknown) => (value === undefined || value === null ? '-' : String(value));
  const width = (column: string) => Math.max(column.length, ...rows.map((row) => text(row[column]).length));
  const line = (cell: (column: string) => string) =>
    columns
      .map((column) => cell(column).padEnd(width(column)))
      .join('  ')
      .trimEnd();
  console.log(line((column) => column));
  for (const row of rows) console.log(line((column) => text(row[column])));
}

/**
 * A secret from standard input: its first line, without the line end.
 * @param isPlain  read a terminal too as it is; else it is asked there, without echo
 */
export async function readSecret(prompt: string, isPlain = false): Promise<string> {
  if (process.stdin.isTTY && !isPlain) return askWithoutEcho(prompt);
  let text = '';
  process.stdin.setEncoding('utf8'); // a letter may be cut between two reads
  for await (const read of process.stdin) {
    text += String(read);
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/, 1)[0]!;
}

async function askWithoutEcho(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  process.stdin.setRawMode(true).setEncoding('utf8');
  let secret = '';
  try {
    for await (const read of process.stdin)
      for (const char of String(read)) {
        if (char === '\r' || char === '\n' || char === '\u0004') return secret;
        if (char === '\u0003') throw new CommandError('interrupted');
        secret = char === '\u007f' ? secret.slice(0, -1) : secret + char;
      }
    return secret;
  } finally {
    process.stdin.setRawMode(false);
    process.stderr.write('\n');
  }
}
