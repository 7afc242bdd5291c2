/** `homing check`: is every database of the node there and consistent? Exit status 1 when something is wrong. */
import { Command } from 'commander';
import type { DatabaseReport } from '../check-databases.ts';
import { runJob, withMaintenance } from './job.ts';
import { readConfig, withFile } from './options.ts';

export function checkCommand(): Command {
  return withFile(new Command('check'))
    .description('checks every database of this node, also while it serves; changes nothing')
    .option('--json', 'print JSON')
    .action(async (options: { file: string; json?: boolean }) => {
      const config = readConfig(options.file);
      const reports = (await withMaintenance(options.file, config, (ask) => runJob(ask, 'check'))) as DatabaseReport[];
      if (options.json) console.log(JSON.stringify(reports, null, 2));
      else for (const report of reports) print(report);
      if (reports.some(({ flaws }) => flaws.length > 0)) process.exitCode = 1;
    });
}

function print({ database, path, counts, flaws, notes }: DatabaseReport): void {
  const counted = Object.entries(counts ?? {}).map(([what, count]) => `${what} ${count}`);
  console.log([`${database}:`, flaws.length === 0 ? 'sound' : 'NOT SOUND', ...counted].join(' '));
  for (const flaw of flaws) console.log(`  ${path}: ${flaw}`);
  for (const note of notes) console.log(`  note: ${note}`);
}
