/** `homing account`: add, list, show, set, rename, delete and import accounts. */
import { readFileSync } from 'node:fs';
import cliProgress from 'cli-progress';
import { Command } from 'commander';
import { accountName } from '../../actors/authenticator/names.ts';
import { CommandError } from '../command-error.ts';
import { type Ask, printTable, readSecret, withFile, withVerbs } from './options.ts';

type Common = { file: string; json?: boolean };
type AddOptions = Common & { mailHost?: string; passwordStdin?: boolean; set: readonly string[] };

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function accountCommand(): Command {
  const account = new Command('account').description('accounts of the directory');
  withFile(account.command('add <name>'))
    .description('adds an account; a bare name gets the default domain')
    .option('--mail-host <host>', 'the mailHost that keeps its mail (default: the first of this node)')
    .option('--password-stdin', 'read the password from standard input; without it the account can not log in yet')
    .option('--set <key=value>', 'a setting, as in `account set`', collect, [])
    .action(async (name: string, options: AddOptions) => {
      const secret = options.passwordStdin ? await readSecret('password: ') : undefined;
      await withVerbs(options.file, (ask) =>
        ask('account.add', { name, mailHost: options.mailHost, secret, settings: pairs(options.set) }),
      );
    });
  withFile(account.command('list'))
    .description('lists all accounts')
    .option('--json', 'print JSON')
    .action((options: Common) =>
      withVerbs(options.file, async (ask) => {
        const rows = (await ask('account.list')) as Record<string, unknown>[];
        if (options.json) console.log(JSON.stringify(rows, null, 2));
        else printTable(rows, ['name', 'mailHost', 'status', 'kind']);
      }),
    );
  withFile(account.command('show <name>'))
    .description('shows one account, without its secrets')
    .option('--json', 'print JSON')
    .action((name: string, options: Common) =>
      withVerbs(options.file, async (ask) => {
        const shown = (await ask('account.show', { name })) as Record<string, unknown>;
        if (options.json) console.log(JSON.stringify(shown, null, 2));
        else for (const [key, value] of Object.entries(shown)) console.log(`${key}: ${show(key, value)}`);
      }),
    );
  withFile(account.command('set <name> <key=value...>'))
    .description(
      'changes settings: status, quota-octets, quota-messages, size-limit, password-change; and mail-host, while it has no mail',
    )
    .action((name: string, settings: readonly string[], options: Common) =>
      withVerbs(options.file, (ask) => ask('account.set', { name, settings: pairs(settings) })),
    );
  withFile(account.command('rename <old> <new>'))
    .description('gives an account another name: its mail, passwords and settings stay; the old name is refused')
    .action((name: string, to: string, options: Common) =>
      withVerbs(options.file, (ask) => ask('account.rename', { name, to })),
    );
  withFile(account.command('delete <name>'))
    .description(
      'deletes an account with its mail, or what is left of that; an account made anew under the name does not see it',
    )
    .action((name: string, options: Common) =>
      withVerbs(options.file, async (ask) => {
        const { mailDropped, mailOf, also, again } = (await ask('account.delete', { name })) as {
          mailDropped: boolean;
          again?: true;
          mailOf?: string;
          also?: string[];
        };
        if (also)
          console.log(`deleted with it: ${also.join(', ')}, which an unfinished rename had left as its other name`);
        if (again) console.log('deleted before; what was left of its mail goes now');
        if (mailOf !== undefined) console.log(`deleted; its mail stays with ${mailOf}, the other name of the account`);
        else if (!mailDropped)
          console.log(
            'deleted; its owner does not answer, so its mail still takes room, out of all reach: repeat this when it does',
          );
      }),
    );
  withFile(account.command('import <path>'))
    .description('adds accounts from JSON lines: {"name": ..., "password": ..., "mailHost": ...}')
    .action(async (path: string, options: Common) => {
      const read = readLines(path); // before: perhaps only root may
      await withVerbs(options.file, (ask, config) => importAccounts(path, read, ask, config.defaultDomain));
    });
  return account;
}

function show(key: string, value: unknown): string {
  if (key === 'usage' && value === null) return 'not known, for the owner does not answer';
  return value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `key=value` words as an object; what keys and values may be is the verb's to say. */
function pairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw new CommandError(`${word}: a setting is written KEY=VALUE`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

const SLICE_LINES = 500;
const SLICE_OCTETS = 512 * 1024;

/** What is given is any JSON: the check says what it must be. */
type ImportLine = { readonly line: number; readonly given: Record<string, unknown> };

type ImportFile = { readonly lines: readonly ImportLine[]; readonly errors: string[] };

/** The whole file is checked before the first account is made. */
async function importAccounts(
  path: string,
  { lines, errors }: ImportFile,
  ask: Ask,
  defaultDomain: string,
): Promise<void> {
  for (const { line, error } of await checkLines(lines, ask, defaultDomain))
    errors.push(`${path}: line ${line}: ${error}`);
  if (errors.length > 0) throw new CommandError(...errors, `${path}: nothing was imported`);
  const bar = new cliProgress.SingleBar({ noTTYOutput: false }, cliProgress.Presets.shades_classic);
  if (process.stderr.isTTY) bar.start(lines.length, 0);
  try {
    for (const { line, given } of lines) {
      try {
        await ask('account.add', { name: given['name'], mailHost: given['mailHost'], secret: given['password'] });
      } catch (error) {
        const why = error instanceof CommandError ? error.lines.join('; ') : String(error);
        throw new CommandError(`${path}: line ${line}: ${why}`, `${path}: the lines before ${line} were imported`);
      }
      bar.increment();
    }
  } finally {
    bar.stop();
  }
  console.log(`${lines.length} accounts imported`);
}

type LineFault = { readonly line: number; readonly error: string };

/** In slices that fit into a request (admin/control-server.ts). A slice can't tell who stands in another one. */
async function checkLines(lines: readonly ImportLine[], ask: Ask, defaultDomain: string): Promise<LineFault[]> {
  const faults = new Map<number, string>();
  for (const slice of slices(lines)) {
    const checked = await ask('account.check-import', { accounts: slice.map(({ given }) => given) });
    for (const { index, error } of checked as { index: number; error: string }[]) faults.set(slice[index]!.line, error);
  }
  const seen = new Set<string>();
  for (const { line, given } of lines) {
    const name = given?.['name'];
    const named = typeof name === 'string' ? accountName(name, defaultDomain) : undefined;
    if (!named?.ok) continue;
    if (seen.has(named.value) && !faults.has(line)) faults.set(line, `name: ${named.value} stands in the list before`);
    seen.add(named.value);
  }
  return [...faults].map(([line, error]) => ({ line, error })).sort((a, b) => a.line - b.line);
}

function* slices(lines: readonly ImportLine[]): Generator<readonly ImportLine[], void, void> {
  let slice: ImportLine[] = [];
  let octets = 0;
  for (const each of lines) {
    const needed = Buffer.byteLength(JSON.stringify(each.given));
    if (slice.length === SLICE_LINES || (slice.length > 0 && octets + needed > SLICE_OCTETS)) {
      yield slice;
      slice = [];
      octets = 0;
    }
    slice.push(each);
    octets += needed;
  }
  if (slice.length > 0) yield slice;
}

function readImport(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(`${path}: ${code === 'ENOENT' ? 'no such file' : `cannot be read: ${message}`}`);
  }
}

function readLines(path: string): ImportFile {
  const lines: ImportLine[] = [];
  const errors: string[] = [];
  readImport(path)
    .split('\n')
    .forEach((text, index) => {
      if (text.trim() === '') return;
      try {
        lines.push({ line: index + 1, given: JSON.parse(text) as Record<string, unknown> });
      } catch {
        errors.push(`${path}: line ${index + 1}: not JSON`);
      }
    });
  return { lines, errors };
}
