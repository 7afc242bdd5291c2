/**
 * `homing serve`: one node in the foreground. Says `ready` and its addresses when all its listeners accept.
 *
 * SIGTERM and SIGINT stop it; SIGHUP writes its statistics, and is no order to read the configuration again.
 */
import { Command } from 'commander';
import { checkFiles } from '../../config/load.ts';
import { CommandError } from '../command-error.ts';
import { type RunningNode, startNode } from '../node.ts';
import { setRootAside } from '../privileges.ts';
import { tellReady } from '../service-manager.ts';
import { outlive, stopSignal, unlessStopped, untilStopped } from '../until-stopped.ts';
import { readConfig, withFile } from './options.ts';

export function serveCommand(): Command {
  return withFile(new Command('serve')).description('runs a node in the foreground').action(serve);
}

async function serve({ file }: { file: string }): Promise<void> {
  let node: RunningNode | undefined;
  let isAsked = false;
  const writeStatistics = () => {
    isAsked = node === undefined; // while it starts: as soon as there is something to write
    void node?.writeStatistics();
  };
  outlive({ SIGHUP: writeStatistics }); // first: it would end the process
  const config = readConfig(file);
  const missing = checkFiles(config, file);
  if (missing.length > 0) throw new CommandError(...missing);
  const signal = stopSignal();
  const privileges = setRootAside(config, file); // before anything is opened: what is made belongs to the runtime user
  node = await unlessStopped(startNode(config, { file, signal, privileges }), signal);
  if (!node) return;
  if (isAsked) writeStatistics();
  const addresses = node.addresses.join(', ');
  console.log(`ready: ${config.me}: ${addresses}`);
  const fault = await tellReady(`serves ${addresses}`);
  if (fault) console.error(`homing: the service manager does not know that the node is ready: ${fault}`);
  await untilStopped(node, signal);
}
