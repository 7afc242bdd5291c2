/** `homing mailbox`: make, list, delete and rename the mailboxes of an account or of a domain's shared ones, and set rights. */
import { Command } from 'commander';
import type { MailboxView } from '../../admin/mailbox-verbs.ts';
import { CommandError } from '../command-error.ts';
import { printTable, withFile, withVerbs } from './options.ts';

type Common = { file: string; json?: boolean };
type RightsOptions = Common & { negative?: boolean };
type CreateOptions = Common & { mailHost?: string; anyone?: string };

const WHOSE = 'an account, or `shared@domain` (lmtp-shared-name) for shared mailboxes';

export function mailboxCommand(): Command {
  const mailbox = new Command('mailbox').description('mailboxes of accounts, and shared ones');
  withFile(mailbox.command('create <name> <mailbox>'))
    .description(`makes a mailbox of ${WHOSE}, with the levels above it that are missing`)
    .option('--mail-host <host>', "where a domain's shared mailboxes will live, with the first of them")
    .option('--anyone <rights>', 'what anyone may do there, as in `mailbox rights`: `p` lets mail in')
    .action((name: string, path: string, { file, mailHost, anyone }: CreateOptions) =>
      withVerbs(file, (ask) => ask('mailbox.create', { name, mailbox: path, mailHost, anyone })),
    );
  withFile(mailbox.command('list <name>'))
    .description(`lists the mailboxes of ${WHOSE}`)
    .option('--json', 'print JSON')
    .action((name: string, options: Common) =>
      withVerbs(options.file, async (ask) => {
        const rows = (await ask('mailbox.list', { name })) as MailboxView[];
        if (options.json) console.log(JSON.stringify(rows, null, 2));
        else {
          const table = rows.map((row) => ({ ...row, mailbox: row.name, rights: inline(row.rights) }));
          printTable(table, ['mailbox', 'messages', 'octets', 'rights']);
        }
      }),
    );
  withFile(mailbox.command('delete <name> <mailbox>'))
    .description('deletes a mailbox with all its messages; those below it stay')
    .action((name: string, path: string, options: Common) =>
      withVerbs(options.file, (ask) => ask('mailbox.delete', { name, mailbox: path })),
    );
  withFile(mailbox.command('rename <name> <mailbox> <new>'))
    .description('gives a mailbox another name, and those below it with it')
    .action((name: string, path: string, to: string, options: Common) =>
      withVerbs(options.file, (ask) => ask('mailbox.rename', { name, mailbox: path, to })),
    );
  mailbox.addCommand(rightsCommand());
  return mailbox;
}

/** For tests of what it makes of words: what it would ask is `run`'s. */
export function rightsCommand(run: typeof withVerbs = withVerbs): Command {
  return withFile(new RightsCommand('rights'))
    .arguments('<name> <mailbox> [identifier] [rights]')
    .description(
      'shows who may do what, or sets it, for an account or `anyone`: rights are letters of lrswipkxtea (RFC 4314), `none`, or a change as `+p` or `-p`',
    )
    .option('--negative', 'what the identifier may not do, whatever others give it; the same as `-- -IDENTIFIER`')
    .option('--json', 'print JSON')
    .allowUnknownOption() // `-p` is none; RightsCommand lets nothing else through
    .action(
      (name: string, path: string, who: string | undefined, rights: string | undefined, options: RightsOptions) => {
        if (options.negative && who === undefined) throw new CommandError('--negative: for which identifier?');
        const identifier = options.negative ? `-${who}` : who;
        return run(options.file, async (ask) => {
          const asked = await ask('mailbox.rights', { name, mailbox: path, identifier, rights });
          const shown = asked as MailboxView['rights'];
          if (options.json) console.log(JSON.stringify(shown, null, 2));
          else for (const [whose, letters] of Object.entries(shown)) console.log(`${whose} ${letters}`);
        });
      },
    );
}

/** Rights to be taken, or an option: never an identifier that happens to begin as one. `-fred p` is not `-f red p`. */
class RightsCommand extends Command {
  override parseOptions(argv: string[]): ReturnType<Command['parseOptions']> {
    for (let at = 0; at < argv.length && argv[at] !== '--'; at++) {
      const word = argv[at]!;
      const name = word.startsWith('--') ? word.split('=', 1)[0]! : word;
      const option = this.options.find(({ short, long }) => name === short || name === long);
      if (option?.required && name === word) at++; // its value
      if (!word.startsWith('-') || option || RIGHTS_TAKEN.test(word) || word === '-h' || word === '--help') continue;
      throw new CommandError(
        `${word}: is no option, and no rights to be taken; for an identifier whose rights are negative write --negative and its name`,
      );
    }
    return super.parseOptions(argv);
  }
}

/** Letters of RFC 4314 §2.1 and of RFC 2086; what others there are the verb refuses. */
const RIGHTS_TAKEN = /^-[lrswipkxteacd]+$/;

const inline = (rights: MailboxView['rights']): string | undefined =>
  Object.entries(rights)
    .map(([who, letters]) => `${who}=${letters}`)
    .join(' ') || undefined;
