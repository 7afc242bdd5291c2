/** The verbs over whole databases, `backup` and `check`: jobs of the process that has them open. */
import { isAbsolute, normalize } from 'node:path';
import { cannot, type Verbs } from '../admin/control.ts';
import { createJobs, type Jobs } from '../admin/jobs.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { makeBackup } from './backup/make-backup.ts';
import { checkDatabases } from './check-databases.ts';
import { CommandError } from './command-error.ts';
import type { Databases } from './databases.ts';

export type MaintenanceOptions = {
  readonly config: Config;
  /** As they are open when a job begins. */
  readonly databases: () => Databases;
  readonly clock: Clock;
  readonly log: Log;
};

export function maintenance({ config, databases, clock, log }: MaintenanceOptions): Pick<Jobs, 'verbs' | 'stop'> {
  const linesOf = (error: unknown) => (error instanceof CommandError ? error.lines : undefined);
  const jobs = createJobs({ clock, log, linesOf });
  const verbs: Verbs = {
    ...jobs.verbs,
    backup: async ({ to, withKey = false }) => {
      if (typeof to !== 'string' || !isAbsolute(to)) return cannot('to: must be an absolute path');
      if (typeof withKey !== 'boolean') return cannot('withKey: must be true or false');
      const target = normalize(to).replace(/(?<=.)\/$/, '');
      return jobs.begin('backup', async (tell, signal) => {
        const made = await makeBackup({
          config,
          databases: databases(),
          to: target,
          withKey,
          clock,
          tell,
          signal,
        });
        log.info('backup made', { to: target, withKey });
        return made;
      });
    },
    check: async () =>
      jobs.begin('check', (tell, signal) => checkDatabases({ config, databases: databases(), tell, signal })),
  };
  return { verbs, stop: jobs.stop };
}
