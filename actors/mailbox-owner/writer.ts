/**
 * The one writer of a mailHost: group commit (docs/architecture.md, "Store").
 *
 * While a batch is being committed the operations that come wait; then all that wait are decided, one after another, each
 * on the state that the ones before it would leave, and committed as one record. Nobody is answered before the commit. When
 * it fails, what was decided is forgotten: the store never had it.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { apply } from '../../store/apply.ts';
import { type Change, changeOctets } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import { type Overlay, overlay } from '../../store/overlay.ts';
import { seal } from '../../store/record.ts';
import type { Store } from '../../store/store.ts';
import type { Log } from '../../telemetry/log.ts';
import { decide } from './decide.ts';
import type { AppendRefusal, Journal } from './journal.ts';
import { type Answer, needsLittle, type OwnerOperation, operationOctets } from './operation.ts';

/**
 * `full`: no room, nothing was done; `not-owner`: another owner's record came first, nothing was done; `unavailable`:
 * too much is waiting, or the store failed and what stands is known only after it was opened again.
 */
export type WriteRefusal = 'full' | 'not-owner' | 'unavailable';
/** What the operation itself answered, or why it could not be written. */
export type Written<O extends OwnerOperation> = Result<Answer<O>, WriteRefusal>;

/** The operation's own answer, or why it could not be written, in one. */
export const flat = <A>(written: Result<A, WriteRefusal>): A | Result<never, WriteRefusal> =>
  written.ok ? written.value : written;

/** Why a writer stopped for good. */
export type WriterEnd = { readonly reason: 'lost' } | { readonly reason: 'fault'; readonly fault: unknown };

export type Writer = {
  submit<O extends OwnerOperation>(operation: O): Promise<Written<O>>;
  /** Refuses what comes from now on, and resolves when what was accepted has been answered. */
  stop(): Promise<void>;
  /** Resolves when the writer can write no more; never when it is only stopped. */
  readonly ended: Promise<WriterEnd>;
  /** Operations that wait, not those being committed. */
  waiting(): number;
};

/** One record carries at most so many operations, and changes of about so many octets more than its last one. */
const BATCH_OPERATIONS = 512;
const BATCH_OCTETS = 4 * 1024 * 1024;
/** With more than this waiting, in octets, an operation is refused: whoever asks can wait, this node's memory can't. */
const QUEUE_OCTETS = 64 * 1024 * 1024;

type Waiting = {
  readonly operation: OwnerOperation;
  readonly octets: number;
  answer(written: Result<unknown, WriteRefusal>): void;
  fail(fault: unknown): void;
};
type Decided = { readonly waiting: Waiting; readonly answer: unknown };

export function createWriter(options: {
  readonly store: Store;
  readonly journal: Journal;
  readonly epoch: number;
  readonly log: Log;
  /** Told of each record as it is decided, on the state before it; what it returns is called when the record stands. */
  readonly announce?: (before: View, changes: readonly Change[]) => () => void;
}): Writer {
  const { store, journal, epoch, log, announce = () => () => {} } = options;
  const queue: Waiting[] = [];
  /** Taken from the queue, and not answered yet. */
  const inHand = new Set<Waiting>();
  let queuedOctets = 0;
  let standing: 'open' | 'stopping' | WriterEnd = 'open';
  let running: Promise<void> | undefined;
  let end: (how: WriterEnd) => void;
  const ended = new Promise<WriterEnd>((resolve) => {
    end = resolve;
  });

  const finish = (how: WriterEnd): void => {
    standing = how;
    end(how);
  };
  const refusalNow = (): WriteRefusal | undefined => {
    if (standing === 'open') return queuedOctets > QUEUE_OCTETS ? 'unavailable' : undefined;
    return typeof standing === 'object' && standing.reason === 'fault' ? 'unavailable' : 'not-owner';
  };

  const answer = (waiting: Waiting, written: Result<unknown, WriteRefusal>): void => {
    inHand.delete(waiting);
    waiting.answer(written);
  };

  /** Takes what waits, as much as one record should carry; what needs little goes alone if the one before found no room. */
  const take = (view: Overlay, onlyLittle: boolean): { changes: Change[]; batch: Decided[] } => {
    const changes: Change[] = [];
    const batch: Decided[] = [];
    let applied = 0; // so many of the changes; the last operation's are not, for nobody is decided after it
    let octets = 0;
    while (queue.length > 0 && batch.length < BATCH_OPERATIONS && octets < BATCH_OCTETS) {
      if (onlyLittle && !needsLittle(queue[0]!.operation)) break;
      const waiting = queue.shift()!;
      queuedOctets -= waiting.octets;
      inHand.add(waiting);
      for (; applied < changes.length; applied++) apply(view, changes[applied]!);
      const decided = decideOne(view, waiting);
      if (!decided) continue;
      batch.push({ waiting, answer: decided.answer });
      for (const change of decided.changes) {
        changes.push(change);
        octets += changeOctets(change);
      }
    }
    return { changes, batch };
  };

  const decideOne = (view: Overlay, waiting: Waiting) => {
    try {
      return decide(view, waiting.operation);
    } catch (fault) {
      inHand.delete(waiting);
      waiting.fail(fault); // nothing of it was applied: the batch goes on without it
      return undefined;
    }
  };

  const append = async (changes: readonly Change[]): Promise<Result<null, AppendRefusal | 'fault'>> => {
    if (changes.length === 0) return accept(null);
    try {
      return await journal.append(seal(store.applied(), epoch, changes));
    } catch (fault) {
      log.error('a commit failed', { fault });
      finish({ reason: 'fault', fault });
      return refuse('fault');
    }
  };

  /** A full disk refuses mail; what needs little, and was only in the same batch, is tried again without it. */
  const onFull = (batch: readonly Decided[]): boolean => {
    const again = batch.filter(({ waiting }) => needsLittle(waiting.operation));
    const retries = again.length < batch.length ? again : [];
    const refused = retries.length > 0 ? batch.filter(({ waiting }) => !needsLittle(waiting.operation)) : batch;
    for (const { waiting } of refused) answer(waiting, refuse('full'));
    for (const { waiting } of retries) {
      inHand.delete(waiting);
      queuedOctets += waiting.octets;
    }
    queue.unshift(...retries.map(({ waiting }) => waiting));
    return retries.length > 0;
  };

  const writeAll = async (): Promise<void> => {
    let onlyLittle = false;
    while (queue.length > 0 && typeof standing === 'string') {
      const { changes, batch, tell } = store.read((view) => {
        const taken = take(overlay(view), onlyLittle);
        return { ...taken, tell: announce(view, taken.changes) };
      });
      onlyLittle = false;
      const appended = await append(changes);
      if (appended.ok) {
        tell();
        for (const decided of batch) answer(decided.waiting, accept(decided.answer));
      } else if (appended.refusal === 'full') {
        onlyLittle = onFull(batch);
      } else if (appended.refusal === 'lost') {
        finish({ reason: 'lost' });
      }
    }
  };

  /** Once the writer has ended nothing that waits can be done. */
  const refuseAll = (): void => {
    const refusal = refusalNow()!;
    for (const waiting of [...inHand, ...queue.splice(0)]) answer(waiting, refuse(refusal));
    queuedOctets = 0;
  };

  /** From the first that waits to the last. */
  const run = async (): Promise<void> => {
    await Promise.resolve(); // what comes in the same turn shares the first record too
    do {
      try {
        await writeAll();
      } catch (fault) {
        log.error('the writer failed', { fault }); // a fault of `apply` or of a read: the state can't be trusted
        finish({ reason: 'fault', fault });
      }
    } while (queue.length > 0 && typeof standing === 'string'); // came while the loop above was returning
    running = undefined;
    if (typeof standing === 'object') refuseAll();
  };

  return {
    submit(operation) {
      const refusal = refusalNow();
      if (refusal) return Promise.resolve(refuse(refusal));
      return new Promise((resolve, reject) => {
        const octets = operationOctets(operation);
        queuedOctets += octets;
        // `decide` answers an operation with its own kind of answer: what is put in here comes out there.
        const settle = resolve as (written: Result<unknown, WriteRefusal>) => void;
        queue.push({ operation, octets, answer: settle, fail: reject });
        running ??= run();
      });
    },
    async stop() {
      if (standing === 'open') standing = 'stopping';
      await running;
    },
    ended,
    waiting: () => queue.length,
  };
}
