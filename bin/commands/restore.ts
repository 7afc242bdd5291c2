/** `homing restore DIR`: a backup becomes the databases of a node that has none. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { restoreBackup } from '../backup/restore-backup.ts';
import { makeLostBucket } from '../initialise.ts';
import { asRuntimeUser } from '../privileges.ts';
import { progressBar } from './job.ts';
import { readConfig, withFile } from './options.ts';

export function restoreCommand(): Command {
  return withFile(new Command('restore'))
    .description("makes this node's databases from a backup; refuses to touch existing ones")
    .argument('<directory>', 'the backup')
    .option('--missing', 'restores those that are missing and leaves the others as they are')
    .option('--lost-bucket', "makes the cluster's bucket too, if it is gone: the restored nodes fill it")
    .option('--json', 'print JSON')
    .action(
      async (directory: string, options: { file: string; missing?: boolean; lostBucket?: boolean; json?: boolean }) => {
        const config = readConfig(options.file);
        const bucket = options.lostBucket ? await makeLostBucket(config) : undefined; // first: it can be made again
        const show = progressBar();
        const from = resolve(directory);
        const onlyMissing = options.missing === true;
        const restore = () => restoreBackup({ config, from, onlyMissing, tell: show.tell });
        const done = await asRuntimeUser(config, options.file, restore, { makesData: true }).finally(() => show.stop());
        if (options.json) return console.log(JSON.stringify({ ...done, bucket }, null, 2));
        if (bucket) console.log(`made ${bucket}`);
        for (const path of done.restored) console.log(`restored ${path}`);
        console.log(`as of ${done.begun}; \`homing check\` looks whether all is well`);
      },
    );
}
