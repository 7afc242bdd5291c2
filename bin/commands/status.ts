/** `homing status`: nodes, mailHosts with owner and epoch, sessions, directory revision and lag. */
import { Command } from 'commander';
import type { ClusterStatus } from '../status.ts';
import { printTable, withFile, withServer } from './options.ts';

export function statusCommand(): Command {
  return withFile(new Command('status'))
    .description('shows the cluster as this node sees it')
    .option('--json', 'print JSON')
    .action((options: { file: string; json?: boolean }) =>
      withServer(options.file, async (ask) => {
        const status = (await ask('status')) as ClusterStatus;
        if (options.json) return console.log(JSON.stringify(status, null, 2));
        printTable(status.nodes, ['node', 'state', 'sessions', 'revision', 'lag', 'fresh']);
        console.log();
        printTable(status.mailHosts, ['mailHost', 'owner', 'epoch', 'sessions']);
      }),
    );
}
