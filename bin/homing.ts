/** The command line: one file a verb in commands/. Prints errors as `homing: file: key: what is wrong`, exits non-zero. */
import { Command, CommanderError } from 'commander';
import { CommandError } from './command-error.ts';
import { accountCommand } from './commands/account.ts';
import { adminCommand } from './commands/admin.ts';
import { backupCommand } from './commands/backup.ts';
import { benchCommand } from './commands/bench.ts';
import { checkCommand } from './commands/check.ts';
import { clusterCommand } from './commands/cluster.ts';
import { demoCommand } from './commands/demo.ts';
import { initCommand } from './commands/init.ts';
import { mailboxCommand } from './commands/mailbox.ts';
import { passwordCommand } from './commands/password.ts';
import { restoreCommand } from './commands/restore.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { programVersion } from './version.ts';

/** What any command makes is its user's alone: mail, keys, logs. */
const PRIVATE = 0o077;

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('homing')
    .description('A clustered mail store: POP3, LMTP and poppwd on any node.')
    .version(programVersion())
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'homing: ')) })
    .exitOverride();
  for (const command of [
    serveCommand(),
    initCommand(),
    accountCommand(),
    mailboxCommand(),
    passwordCommand(),
    statusCommand(),
    adminCommand(),
    backupCommand(),
    restoreCommand(),
    checkCommand(),
    demoCommand(),
    clusterCommand(),
    benchCommand(),
  ])
    program.addCommand(inheritSettings(command, program));
  process.umask(PRIVATE);
  // The timers of kernel/clock.ts keep no process alive, so a command that only waits would end in the midst of it.
  const alive = setInterval(() => {}, 2 ** 30);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = complain(error);
  } finally {
    clearInterval(alive);
  }
}

/** Sub-commands made elsewhere know nothing of the program's output and exit settings. */
function inheritSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(child, command);
  return command;
}

/** Says what was wrong, once, and gives the exit status. */
function complain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode; // commander has printed it
  if (error instanceof CommandError) {
    for (const line of error.lines) process.stderr.write(`homing: ${line}\n`);
    return 1;
  }
  process.stderr.write(`homing: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 70; // EX_SOFTWARE: our fault, hence the stack
}
