/**
 * The directory of a node in a cluster: reads from the mirror, changes through the bucket, success after the barrier
 * (docs/architecture.md, "Directory and passwords").
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import { waitUntil } from '../members/elapsed.ts';
import { createListeners } from '../members/listeners.ts';
import type { NodeSession } from '../members/node-session.ts';
import type { Account } from './account.ts';
import { accountIn, createIdIndex, lastAccount, liveAccount, plan, withId } from './accounts.ts';
import { type BarrierOptions, passBarrier } from './barrier.ts';
import { type CommitOptions, type Committed, commitRecord } from './commit.ts';
import type { ChangeOptions, ChangeRefusal, Directory, Edit, Members } from './directory.ts';
import type { Mirror } from './mirror.ts';
import { ACCOUNTS, keys } from './records.ts';

export type ClusterDirectoryOptions = {
  readonly mirror: Mirror;
  readonly session: NodeSession;
  readonly members: Members;
  readonly commit: CommitOptions;
  readonly barrier: BarrierOptions;
  readonly log: Log;
  readonly marginMs: number;
  /** How long a change may try before its barrier begins. */
  readonly changeTimeoutMs: number;
  /** Aborted when the node stops: changes under way end as `unknown`. */
  readonly signal: AbortSignal;
};

export function createClusterDirectory(options: ClusterDirectoryOptions): Directory {
  const { mirror, session, log } = options;
  const changed = createListeners<Account>(log);
  function* accounts(): Iterable<Account> {
    for (const held of mirror.list(ACCOUNTS)) {
      const account = liveAccount(held);
      if (account) yield account;
    }
  }
  const ids = createIdIndex(accounts());
  mirror.onFollowed((held) => {
    if (!held.key.startsWith(ACCOUNTS)) return;
    ids.add(accountIn(held));
    changed.tell(accountIn(held));
  });
  const find = (name: string) => liveAccount(mirror.get(keys.account(name)));
  return {
    find,
    last: (name) => lastAccount(mirror.get(keys.account(name))),
    findById: (id) => withId(find, ids.nameOf(id), id),
    accounts,
    isFresh: () => session.isFresh(),
    freshen: (timeoutMs) => session.freshen(timeoutMs),
    change: (name, edit, changeOptions) => change(options, name, edit, changeOptions),
    revision: () => mirror.applied(),
    onChange: (listener) => changed.add(listener),
  };
}

async function change(
  options: ClusterDirectoryOptions,
  name: string,
  edit: Edit,
  changeOptions: ChangeOptions,
): Promise<Result<Account | undefined, ChangeRefusal>> {
  const { mirror, session, commit } = options;
  const { clock } = commit;
  const key = keys.account(name);
  const deadline = clock.monotonic() + options.changeTimeoutMs;
  const remainingMs = () => deadline - clock.monotonic();
  while (remainingMs() > 0 && !options.signal.aborted) {
    if (!(await session.freshen(remainingMs()))) return refuse('unavailable');
    const history = mirror.sweeps();
    const planned = plan(name, mirror.get(key), edit, changeOptions, clock.wall());
    if (planned.kind === 'refused') return refuse(planned.refusal);
    if (planned.kind === 'stands') {
      if (!planned.held) return accept(planned.account);
      return settle(options, { held: planned.held, certainAt: clock.monotonic() }, history);
    }
    const outcome = await commitRecord(commit, key, planned.record, remainingMs());
    if (outcome.ok) {
      mirror.writeThrough(outcome.value.held, outcome.value.sealed, planned.record.after);
      return settle(options, outcome.value, history);
    }
    if (outcome.refusal.kind !== 'conflict') return refuse(outcome.refusal.kind);
    if (!(await catchUp(options, key, outcome.refusal.newest?.revision, planned.record.after, remainingMs()))) {
      return refuse(changeOptions.ifVersion === undefined ? 'unavailable' : 'conflict');
    }
  }
  return refuse('unavailable');
}

/** After a conflict: waits until the mirror has what the leader has, so that the edit is made upon it. */
async function catchUp(
  { mirror, session, commit }: ClusterDirectoryOptions,
  key: string,
  newest: number | undefined,
  after: number,
  timeoutMs: number,
): Promise<boolean> {
  if (newest !== undefined && newest < after) {
    session.suspect('the leader has an older entry than the one mirrored');
    return true; // the next attempt waits until that is swept
  }
  const moved = (listener: () => void) => mirror.onMoved(listener);
  const hasMoved = () => (mirror.get(key)?.revision ?? 0) !== after && mirror.applied() >= (newest ?? 0);
  return waitUntil(commit.clock, moved, hasMoved, timeoutMs);
}

/** From committed to success: on this node's disk, and on the disk or out of the sight of every other. */
async function settle(
  options: ClusterDirectoryOptions,
  { held, certainAt }: Pick<Committed, 'held' | 'certainAt'>,
  history: number,
): Promise<Result<Account | undefined, ChangeRefusal>> {
  const { mirror, session, members, barrier, log, signal } = options;
  const limitMs = session.maxStaleMs()! + options.marginMs;
  const { key, revision, record } = held;
  try {
    const landmark = { key, revision, version: record.version, by: record.by };
    await passBarrier(barrier, landmark, () => members.list(), certainAt, limitMs, signal);
    await mirror.durable(key);
  } catch (error) {
    if (!signal.aborted) log.error('directory: a committed change could not be settled', { key, error });
    return refuse('unknown');
  }
  // swept since it was planned: the bucket may have gone back and brought another history of this account
  const now = mirror.get(key);
  const stands = now?.record.by === record.by || (now && now.record.version > record.version);
  if (!stands || mirror.sweeps() !== history || mirror.broken().has(key)) return refuse('unknown');
  return accept(accountIn(held));
}
