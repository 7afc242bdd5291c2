/** `homing password`: set, test, show and delete passwords. A password is read from standard input, never from the line. */
import { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { readSecret, withFile, withVerbs } from './options.ts';

type Options = { file: string; service: string; passwordStdin?: boolean; json?: boolean };

const withService = (command: Command): Command =>
  withFile(command).option('--service <service>', 'POP, IMAP, PWD or DEFAULT', 'DEFAULT');

const withSecret = (command: Command): Command =>
  withService(command).option(
    '--password-stdin',
    'read the password from standard input, without a prompt even on a terminal',
  );

export function passwordCommand(): Command {
  const password = new Command('password').description('the password database');
  withSecret(password.command('set <name>'))
    .description('sets the password of one service; the old one is refused everywhere when this returns')
    .action(async (name: string, options: Options) => {
      const secret = await readSecret(`new password of ${name}: `, options.passwordStdin);
      await withVerbs(options.file, (ask) => ask('password.set', { name, service: options.service, secret }));
    });
  withSecret(password.command('test <name>'))
    .description('tells whether a password is right; the exit status tells too')
    .action(async (name: string, options: Options) => {
      const secret = await readSecret(`password of ${name}: `, options.passwordStdin);
      await withVerbs(options.file, async (ask) => {
        const right = await ask('password.test', { name, service: options.service, secret });
        if (right !== true) throw new CommandError(`${name}: this is not the password`);
      });
      console.log('right');
    });
  withFile(password.command('show <name>'))
    .description('lists the services that have a password of their own; never a password')
    .option('--json', 'print JSON')
    .action((name: string, options: Options) =>
      withVerbs(options.file, async (ask) => {
        const services = (await ask('password.show', { name })) as string[];
        console.log(options.json ? JSON.stringify(services) : services.join('\n'));
      }),
    );
  withService(password.command('delete <name>'))
    .description('deletes the password of one service')
    .action((name: string, options: Options) =>
      withVerbs(options.file, (ask) => ask('password.delete', { name, service: options.service })),
    );
  return password;
}
