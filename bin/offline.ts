/** The verbs of a node that does not run: its databases are opened for as long as the command takes. */
import type { Verbs } from '../admin/control.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../kernel/clock.ts';
import { openLog } from '../telemetry/pino-log.ts';
import { CommandError } from './command-error.ts';
import { openGround } from './ground.ts';
import { verbsOf } from './verbs.ts';

const READY_MS = 15_000;

export async function openVerbs(config: Config): Promise<{ verbs: Verbs; close(): Promise<void> }> {
  const log = openLog({ level: 'error', format: 'text', destination: 'stderr', clock: systemClock });
  const signal = AbortSignal.timeout(READY_MS);
  const ground = await openGround({ config, clock: systemClock, log, signal }).catch((error) => {
    if (error instanceof CommandError || !signal.aborted) throw error;
    throw new CommandError(`no nats-server answers at ${config.nats?.servers.join(', ')}`);
  });
  if (!(await ground.ready(READY_MS))) {
    await ground.closers.close();
    throw new CommandError('the directory can not be reached now');
  }
  return {
    verbs: verbsOf(config, ground),
    close: () => ground.closers.close(),
  };
}
