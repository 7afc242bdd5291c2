/** `homing serve`: one node in the foreground. Says `ready` and its addresses when all its listeners accept. */
import { Command } from 'commander';
import { checkFiles } from '../../config/load.ts';
import { CommandError } from '../command-error.ts';
import { startNode } from '../node.ts';
import { stopSignal, unlessStopped, untilStopped } from '../until-stopped.ts';
import { readConfig, withFile } from './options.ts';

export function serveCommand(): Command {
  return withFile(new Command('serve')).description('runs a node in the foreground').action(serve);
}

async function serve(options: { file: string }): Promise<void> {
  const config = readConfig(options.file);
  const missing = checkFiles(config, options.file);
  if (missing.length > 0) throw new CommandError(...missing);
  const signal = stopSignal();
  const node = await unlessStopped(startNode(config, { file: options.file, signal }), signal);
  if (!node) return;
  console.log(`ready: ${config.me}: ${node.addresses.join(', ')}`);
  await untilStopped(node, signal);
}
