/** `homing account`: add, list, show, set, delete and import accounts. */
import { readFileSync } from 'node:fs';
import cliProgress from 'cli-progress';
import { Command } from 'commander';
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
        else printTable(rows, ['name', 'mailHost', 'status']);
      }),
    );
  withFile(account.command('show <name>'))
    .description('shows one account, without its secrets')
    .option('--json', 'print JSON')
    .action((name: string, options: Common) =>
      withVerbs(options.file, async (ask) => {
        const shown = (await ask('account.show', { name })) as Record<string, unknown>;
        if (options.json) console.log(JSON.stringify(shown, null, 2));
        else for (const [key, value] of Object.entries(shown)) console.log(`${key}: ${show(value)}`);
      }),
    );
  withFile(account.command('set <name> <key=value...>'))
    .description('changes settings: status, quota-octets, quota-messages, password-change')
    .action((name: string, settings: readonly string[], options: Common) =>
      withVerbs(options.file, (ask) => ask('account.set', { name, settings: pairs(settings) })),
    );
  withFile(account.command('delete <name>'))
    .description('deletes an account; an account made anew under the name does not see its mail')
    .action((name: string, options: Common) =>
      withVerbs(options.file, async (ask) => {
        const { mailDropped } = (await ask('account.delete', { name })) as { mailDropped: boolean };
        if (!mailDropped)
          console.log('deleted; its owner does not run, so its mail still takes room, out of all reach');
      }),
    );
  withFile(account.command('import <path>'))
    .description('adds accounts from JSON lines: {"name": ..., "password": ..., "mailHost": ...}')
    .action((path: string, options: Common) => withVerbs(options.file, (ask) => importAccounts(path, ask)));
  return account;
}

const show = (value: unknown): string =>
  value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value);

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

type ImportLine = { readonly line: number; readonly given: Record<string, unknown> };

/** The whole file is checked before the first account is made. */
async function importAccounts(path: string, ask: Ask): Promise<void> {
  const { lines, errors } = readLines(path);
  const checked = (await ask('account.check-import', { accounts: lines.map(({ given }) => given) })) as {
    index: number;
    error: string;
  }[];
  for (const { index, error } of checked) errors.push(`${path}: line ${lines[index]!.line}: ${error}`);
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

function readLines(path: string): { lines: ImportLine[]; errors: string[] } {
  const lines: ImportLine[] = [];
  const errors: string[] = [];
  readFileSync(path, 'utf8')
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
