/** `homing init`: creates the databases that the configuration names, or joins the cluster that is there. */
import { Command } from 'commander';
import { initialise } from '../initialise.ts';
import { asRuntimeUser } from '../privileges.ts';
import { readConfig, withFile } from './options.ts';

export function initCommand(): Command {
  return withFile(new Command('init'))
    .description("creates this node's databases; refuses to touch existing ones")
    .action(async (options: { file: string }) => {
      const config = readConfig(options.file);
      const made = await asRuntimeUser(config, options.file, () => initialise(config), { makesData: true });
      for (const line of made) console.log(line);
    });
}
