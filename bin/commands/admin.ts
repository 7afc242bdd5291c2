/** `homing admin`: what an operator has running nodes do, and the keys by which he does (docs/admin.md). */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { parsePublicJwk } from '../../cluster/admin/keys.ts';
import type { Config } from '../../config/schema.ts';
import { durationMs } from '../../config/units.ts';
import { systemClock } from '../../kernel/clock.ts';
import { drainNodes } from '../admin/drain.ts';
import { allowKey, writeAllowedKey, writeOperatorKey } from '../admin/key-files.ts';
import { report } from '../admin/report.ts';
import { clusterAnswersKey, openWay, type Way } from '../admin/way.ts';
import { CommandError } from '../command-error.ts';
import { readConfig, withFile } from './options.ts';

type OrderOptions = {
  readonly file: string;
  readonly node?: string;
  readonly key?: string;
  readonly local?: boolean;
  readonly here?: boolean;
  readonly json?: boolean;
  readonly timeout?: number;
};
type DrainOptions = OrderOptions & { readonly all?: boolean; readonly wait?: number };

const TIMEOUT_MS = 5_000;
/** A change of the directory waits for the knowledge of nodes that do not answer to expire. */
const CHANGE_TIMEOUT_MS = 15_000;

export function adminCommand(): Command {
  const admin = new Command('admin').description('orders to running nodes, signed or over the control socket');
  const order = (usage: string, description: string): Command =>
    withFile(admin.command(usage))
      .description(description)
      .option('--node <node>', 'this node alone (default: every node of the cluster)')
      .option('--key <file>', 'sign with this private key (default: admin.key-file of the configuration)')
      .option('--local', 'use the control socket of the node on this machine although there is a key')
      .option('--here', "this machine's node alone, the one of the configuration file, over its control socket")
      .option('--timeout <duration>', 'wait so long for nodes that are silent', duration)
      .option('--json', 'print JSON');

  order('ping', 'which nodes answer, and how they are').action((options: OrderOptions) => run('ping', {}, options));
  order('drain', 'closes the ports of a node; its sessions go on until they end')
    .option('--all', 'really every node of the cluster')
    .option('--wait <duration>', 'wait so long for the last session to end', duration)
    .action(drain);
  order('undrain', 'opens the ports again').action((options: OrderOptions) => run('undrain', {}, options));
  order('kick <account>', 'ends the live sessions of an account').action((account: string, options: OrderOptions) =>
    run('kick', { account }, options),
  );
  order(
    'nologin <on|off> [text...]',
    'tells POP3 clients this text instead of a greeting, or greets them again',
  ).action((state: string, text: readonly string[], options: OrderOptions) =>
    run('nologin', nologin(state, text), options),
  );
  order('sessions', 'lists all live sessions').action((options: OrderOptions) => run('sessions', {}, options));
  order('disable <account>', 'refuses its log-ins and mail from now on, and ends its sessions').action(
    (account: string, options: OrderOptions) => run('disable', { account }, options, CHANGE_TIMEOUT_MS),
  );
  order('enable <account>', 'takes its log-ins and mail again').action((account: string, options: OrderOptions) =>
    run('enable', { account }, options, CHANGE_TIMEOUT_MS),
  );
  order('reload', 'reads the configuration file again').action((options: OrderOptions) => run('reload', {}, options));
  return keyCommands(admin);
}

function keyCommands(admin: Command): Command {
  withFile(admin.command('keygen <name>'))
    .description('makes a key for an operator: a private file, and the public line, which is printed')
    .option('--out <path>', 'the private file (default: NAME.key)')
    .option('--allow', 'add the public key to admin.keys-file of the configuration')
    .action(async (name: string, options: { file: string; out?: string; allow?: boolean }) => {
      const path = options.out ?? `${name}.key`;
      const jwk = options.allow
        ? await writeAllowedKey(name, path, keysFileOf(options.file))
        : await writeOperatorKey(name, path);
      console.log(JSON.stringify(jwk));
    });
  withFile(admin.command('allow [path]'))
    .description('adds the public key in a file, or on standard input, to admin.keys-file of the configuration')
    .action(async (path: string | undefined, options: { file: string }) => {
      const jwk = parsePublicJwk(read(path));
      if (!jwk.ok) throw new CommandError(`${path ?? 'standard input'}: ${jwk.refusal}`);
      await allowKey(keysFileOf(options.file), jwk.value);
    });
  withFile(admin.command('answer-key'))
    .description("prints the public key of the cluster's answers, for an operator's admin.answers-key-file")
    .action(async (options: { file: string }) =>
      console.log(JSON.stringify(await clusterAnswersKey(readConfig(options.file)))),
    );
  return admin;
}

type Arguments = Readonly<Record<string, unknown>>;

async function run(verb: string, given: Arguments, options: OrderOptions, timeoutMs = TIMEOUT_MS): Promise<void> {
  const config = readConfig(options.file);
  const to = nodeOf(config, options);
  await withWay(config, options, async (way) => {
    const gathered = await way.ask({ verb, arguments: given }, to, options.timeout ?? timeoutMs);
    report(verb, gathered, options.json);
  });
}

/** The last port of the last node is not closed by a word that was forgotten. */
async function drain(options: DrainOptions): Promise<void> {
  const config = readConfig(options.file);
  const to = nodeOf(config, options);
  if (config.nats && to === undefined && !options.all)
    throw new CommandError('drain: name the node by --node, or say --all');
  await withWay(config, options, async (way) => {
    const { timeout: timeoutMs = TIMEOUT_MS, wait } = options;
    const { gathered, sessions } = await drainNodes({ way, to, timeoutMs, waitMs: wait ?? 0, clock: systemClock });
    report('drain', gathered, options.json);
    if (wait !== undefined && sessions > 0)
      throw new CommandError(`drain: ${sessions} sessions have not ended yet; they go on`);
  });
}

/** The node that is meant; undefined: all. */
function nodeOf({ me }: Config, { node, here, key, all }: DrainOptions): string | undefined {
  if (!here) return node;
  if (node !== undefined || key !== undefined || all)
    throw new CommandError('--here: means the node of the configuration file alone, without --node, --key or --all');
  return me;
}

async function withWay(config: Config, options: OrderOptions, use: (way: Way) => Promise<void>): Promise<void> {
  const { file, key, local = options.here } = options;
  const way = await openWay(config, { file, ...(key !== undefined && { key }), ...(local && { local }) });
  try {
    await use(way);
  } finally {
    await way.close();
  }
}

function nologin(state: string, words: readonly string[]): Arguments {
  const text = words.join(' ');
  if (state === 'off' && text === '') return {};
  if (state === 'on' && text !== '') return { text };
  throw new CommandError('nologin: say `on TEXT` or `off`');
}

function keysFileOf(file: string): string {
  const { keysFile } = readConfig(file).admin;
  if (keysFile === undefined)
    throw new CommandError(`${file}: admin.keys-file: is missing: there is nothing to add to`);
  return keysFile;
}

function read(path: string | undefined): string {
  try {
    return readFileSync(path ?? 0, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(`${path ?? 'standard input'}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}

function duration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('a duration is written like 30s, 5m or 500ms');
  return ms;
}
