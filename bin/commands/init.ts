/** `homing init`: creates the databases that the configuration names, or joins the cluster that is there. */
import { Command } from 'commander';
import { initialise } from '../initialise.ts';
import { readConfig, withFile } from './options.ts';

export function initCommand(): Command {
  return withFile(new Command('init'))
    .description("creates this node's databases; refuses to touch existing ones")
    .action(async (options: { file: string }) => {
      const config = readConfig(options.file);
      for (const line of await initialise(config)) console.log(line);
    });
}
