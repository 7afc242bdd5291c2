/**
 * Work that takes longer than one answer: a verb begins it and names it, `job.look` tells how far it is and at last what
 * came of it, `job.cancel` ends it. A job that nobody looks at any more is ended too: whoever asked for it has gone away.
 */
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { type ControlAnswer, cannot, done, type Verbs } from './control.ts';

/** `total` 0: not known yet. */
export type Progress = { readonly step: string; readonly done: number; readonly total: number };

/** What `job.look` answers while all is well; a job that failed is answered as a verb that did. */
export type JobLook =
  | { readonly state: 'running'; readonly progress: Progress }
  | { readonly state: 'done'; readonly value: unknown };

/** Must end soon after the signal is aborted, and leave nothing half-made. */
export type Work = (tell: (progress: Progress) => void, signal: AbortSignal) => Promise<unknown>;

/** Said of work that was refused or could not go on, in lines for the operator; anything else thrown is a fault. */
export type LinesOf = (error: unknown) => readonly string[] | undefined;

export type Jobs = {
  /** One at a time: a second is refused. Answers `{ job }`. */
  begin(what: string, work: Work): ControlAnswer;
  readonly verbs: Verbs;
  /** Cancels what runs and waits for its end. */
  stop(): Promise<void>;
};

/** A command looks several times a second. */
const FORSAKEN_AFTER_MS = 20_000;

type Job = {
  readonly id: string;
  readonly what: string;
  readonly cancelling: AbortController;
  progress: Progress;
  outcome: ControlAnswer | undefined;
  ended: Promise<void>;
  timer: Timer | undefined;
};

export function createJobs({ clock, log, linesOf }: { clock: Clock; log: Log; linesOf: LinesOf }): Jobs {
  /** Those that run and those that ended and were not looked at since, by id. */
  const jobs = new Map<string, Job>();
  let count = 0;
  let isStopping = false;

  const running = (): Job | undefined => [...jobs.values()].find(({ outcome }) => !outcome);

  const watchOver = (job: Job): void => {
    job.timer?.cancel();
    job.timer = clock.after(FORSAKEN_AFTER_MS, () => {
      if (job.outcome) jobs.delete(job.id);
      else job.cancelling.abort(new Error(`${job.what}: nobody waits for it any more`));
    });
  };

  const run = async (job: Job, work: Work): Promise<void> => {
    try {
      const value = await work((progress) => (job.progress = progress), job.cancelling.signal);
      job.outcome = done({ state: 'done', value } satisfies JobLook);
    } catch (error) {
      const lines = linesOf(error);
      if (job.cancelling.signal.aborted) job.outcome = cannot((job.cancelling.signal.reason as Error).message);
      else if (lines) job.outcome = cannot(...lines);
      else {
        log.error('a job failed', { job: job.what, error });
        job.outcome = cannot(`${job.what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (!isStopping) watchOver(job); // from now on for its outcome
  };

  const find = (given: Readonly<Record<string, unknown>>): Job | undefined =>
    typeof given['job'] === 'string' ? jobs.get(given['job']) : undefined;

  return {
    begin(what, work) {
      const other = running();
      if (other) return cannot(`${other.what} is under way: one at a time`);
      const job: Job = {
        id: String(++count),
        what,
        cancelling: new AbortController(),
        progress: { step: what, done: 0, total: 0 },
        outcome: undefined,
        ended: Promise.resolve(),
        timer: undefined,
      };
      jobs.set(job.id, job);
      watchOver(job);
      job.ended = run(job, work);
      return done({ job: job.id });
    },
    verbs: {
      'job.look': async (given) => {
        const job = find(given);
        if (!job) return cannot('there is no such job, or it was looked at when it had ended');
        if (!job.outcome) {
          watchOver(job);
          return done({ state: 'running', progress: job.progress } satisfies JobLook);
        }
        job.timer?.cancel();
        jobs.delete(job.id);
        return job.outcome;
      },
      'job.cancel': async (given) => {
        const job = find(given);
        job?.cancelling.abort(new Error(`${job.what}: cancelled`));
        await job?.ended;
        return done();
      },
    },
    async stop() {
      isStopping = true;
      const job = running();
      job?.cancelling.abort(new Error(`${job.what}: the server stops`));
      await job?.ended;
      for (const { timer } of jobs.values()) timer?.cancel();
    },
  };
}
