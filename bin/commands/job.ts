/** A command that begins a job of the process that has the databases, shows how far it is, and waits for its end. */
import cliProgress from 'cli-progress';
import type { JobLook, Progress } from '../../admin/jobs.ts';
import type { Config } from '../../config/schema.ts';
import { pause, systemClock } from '../../kernel/clock.ts';
import { openLog } from '../../telemetry/pino-log.ts';
import { CommandError } from '../command-error.ts';
import { openDatabases } from '../databases.ts';
import { maintenance } from '../maintenance.ts';
import { asRuntimeUser } from '../privileges.ts';
import { type Ask, askOf, connectServer } from './options.ts';

const LOOK_MS = 150;

/** Asks the running server, or, when none runs, does it here. Needs no NATS: a node's databases are its own. */
export async function withMaintenance<T>(file: string, config: Config, use: (ask: Ask) => Promise<T>): Promise<T> {
  const client = await connectServer(config);
  if (client) return use(askOf(client)).finally(() => client.close());
  return await asRuntimeUser(config, file, () => withDatabases(config, use));
}

async function withDatabases<T>(config: Config, use: (ask: Ask) => Promise<T>): Promise<T> {
  const { databases, close } = await openDatabases(config);
  const log = openLog({ level: 'error', format: 'text', destination: 'stderr', clock: systemClock });
  const { verbs, stop } = maintenance({ config, databases: () => databases, clock: systemClock, log });
  try {
    return await use(askOf(verbs));
  } finally {
    await stop();
    await close();
    await log.close();
  }
}

/** Begins, shows and waits. SIGINT and SIGTERM cancel it, and wait until nothing is left of it. */
export async function runJob(ask: Ask, verb: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const { job } = (await ask(verb, given)) as { job: string };
  let isCancelled = false;
  const cancel = () => (isCancelled = true);
  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  const show = progressBar();
  try {
    for (;;) {
      const look = (await ask('job.look', { job })) as JobLook;
      if (look.state === 'done') return look.value;
      show.tell(look.progress);
      if (isCancelled) {
        await ask('job.cancel', { job });
        throw new CommandError(`${verb}: cancelled`);
      }
      await pause(systemClock, LOOK_MS);
    }
  } finally {
    show.stop();
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}

/** On standard error, if that is a terminal. */
export function progressBar(): { tell(progress: Progress): void; stop(): void } {
  if (!process.stderr.isTTY) return { tell() {}, stop() {} };
  const format = '{bar} {percentage}% {step}';
  const bar = new cliProgress.SingleBar({ format, hideCursor: true }, cliProgress.Presets.shades_classic);
  bar.start(1, 0, { step: '' });
  return {
    tell({ step, done, total }) {
      bar.setTotal(total === 0 ? Math.max(1, done) : total);
      bar.update(done, { step: total === 0 ? `${step}, ${done}` : step });
    },
    stop: () => bar.stop(),
  };
}
