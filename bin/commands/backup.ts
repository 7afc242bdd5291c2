/** `homing backup DIR`: a copy of every database of the node, while it serves or stands still. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Manifest } from '../backup/manifest.ts';
import { runJob, withMaintenance } from './job.ts';
import { readConfig, withFile } from './options.ts';

export function backupCommand(): Command {
  return withFile(new Command('backup'))
    .description('copies every database of this node into a new directory, also while it serves')
    .argument('<directory>', 'the directory to make; it may exist if it is empty')
    .option('--with-key', 'puts the cluster key beside them: together they are as good as all passwords')
    .option('--json', 'print the manifest')
    .action(async (directory: string, options: { file: string; withKey?: boolean; json?: boolean }) => {
      const to = resolve(directory);
      const given = { to, withKey: options.withKey === true };
      const made = (await withMaintenance(options.file, readConfig(options.file), (ask) =>
        runJob(ask, 'backup', given),
      )) as Manifest;
      if (options.json) return console.log(JSON.stringify(made, null, 2));
      for (const { mailHost, octets, record } of made.mail)
        console.log(`mail of ${mailHost}: ${octets} octets, up to record ${record}`);
      console.log(`directory: ${made.directory.octets} octets, up to revision ${made.directory.revision}`);
      console.log(`backup of ${made.me} as of ${made.begun} or later: ${to}`);
      if (!made.hasKey) console.log('the cluster key is not in it: keep a copy elsewhere, nothing opens without it');
    });
}
