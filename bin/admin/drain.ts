/**
 * Waiting for nodes that drain to be empty (docs/admin.md): looked at now and then until no session is left or the time is
 * over. Each look is an order to every node, an entry on its disk and two lines in its log: so not often.
 */
import type { Gathered } from '../../admin/ask-nodes.ts';
import { type Clock, pause } from '../../kernel/clock.ts';
import { complaints, isNodeState, understand } from './report.ts';
import type { Way } from './way.ts';

export type DrainOptions = {
  readonly way: Pick<Way, 'ask'>;
  /** One node; absent: all. */
  readonly to: string | undefined;
  /** How long an answer is waited for. */
  readonly timeoutMs: number;
  /** How long the end of the last session is waited for; 0: not at all. */
  readonly waitMs: number;
  readonly clock: Clock;
};

const LOOK_MS = 2_000;

/** @returns the last that was heard of each node, with what kept it from draining; and the sessions that are left */
export async function drainNodes(options: DrainOptions): Promise<{ gathered: Gathered; sessions: number }> {
  const { way, to, timeoutMs, waitMs, clock } = options;
  let gathered = understand('drain', await way.ask({ verb: 'drain', arguments: {} }, to, timeoutMs));
  const end = clock.monotonic() + waitMs;
  const leftMs = () => end - clock.monotonic();
  let silences = 0;
  while (complaints(gathered).length === 0 && sessionsIn(gathered) > 0 && leftMs() > 0) {
    await pause(clock, Math.min(LOOK_MS, leftMs()));
    const looked = understand('ping', await way.ask({ verb: 'ping', arguments: {} }, to, timeoutMs));
    silences = looked.silent.length > 0 ? silences + 1 : 0;
    if (silences === 1) continue; // one answer may be lost
    gathered = mustDrain(looked);
  }
  return { gathered, sessions: sessionsIn(gathered) };
}

const sessionsIn = ({ answers }: Gathered): number =>
  answers.reduce(
    (sum, { outcome }) => sum + (outcome.ok && isNodeState(outcome.value) ? outcome.value.sessions : 0),
    0,
  );

/** A node that serves again was started anew, or was told to: it is not empty because it drained. */
const mustDrain = ({ answers, ...others }: Gathered): Gathered => ({
  ...others,
  answers: answers.map(({ node, outcome }) =>
    outcome.ok && isNodeState(outcome.value) && outcome.value.state !== 'draining'
      ? { node, outcome: { ok: false, errors: ['does not drain any more: it was started again, or told to undrain'] } }
      : { node, outcome },
  ),
});
