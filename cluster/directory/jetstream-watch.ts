/**
 * A watch of the bucket's stream: a push consumer of our own. What it passed over shows as holes in the sequences it tells,
 * and watch-gap.ts says when nothing is missing again. The consumer's own count of what is pending would say the same, were
 * it right: nats-server 2.9 miscounts what was overwritten.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { type Msg, nanos, nuid } from '@nats-io/transport-node';
import { type Clock, pause, type Timer } from '../../kernel/clock.ts';
import { abortable } from '../members/elapsed.ts';
import type { NatsLink } from '../nats/connect.ts';
import { BucketFault, type Entry, type WatchEvent } from './bucket.ts';
import { WatchGap } from './watch-gap.ts';

/** The server sends something at least this often; silent for three, it is gone. */
const IDLE_HEARTBEAT_MS = 1000;
/** A stream that does not answer its API in so long can't be watched now. */
const API_TIMEOUT_MS = 1500;
const ASK_AGAIN_MS = 250;

export type WatchSource = {
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  readonly clock: Clock;
  readonly stream: string;
  entry(message: Pick<Msg, 'subject' | 'data' | 'headers'> & { readonly seq: number }): Entry;
};

/** The leader's last sequence, asked for when `told` had been told. */
type Level = { readonly told: number; readonly last: number };

/** See `Bucket.watch`. Ends when `stop` is aborted. */
export async function* watchStream(source: WatchSource, after: number, stop: AbortSignal): AsyncIterable<WatchEvent> {
  const { link, manager, clock, stream } = source;
  const queue = new WatchQueue(clock);
  const over = new AbortController();
  const onAbort = () => {
    queue.end();
    over.abort(stop.reason);
  };
  stop.addEventListener('abort', onAbort, { once: true });
  const connection = link.onConnection(() => queue.fail('the connection was lost'));
  const deliverTo = link.newInbox();
  const subscription = link.connection.subscribe(deliverTo, {
    callback: (error, message) => {
      if (error) queue.fail(error.message);
      else queue.arrive(message);
    },
  });
  if (stop.aborted) onAbort();
  const name = `watch_${nuid.next()}`;
  const inTime = <T>(promise: Promise<T>): Promise<T> => abortable(within(clock, API_TIMEOUT_MS, promise), over.signal);
  /** Until it is answered: no answer, or one from a leader deposed since, says nothing against the watch. */
  const askLeader = async (told: number): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        const { state } = await inTime(manager.streams.info(stream));
        if (state.last_seq >= told) return queue.tell({ told, last: state.last_seq });
      } catch {
        // asked again
      }
      await pause(clock, ASK_AGAIN_MS, over.signal).catch(() => {}); // aborted: the watch is over
    }
  };
  try {
    await inTime(
      manager.consumers.add(stream, {
        name,
        deliver_subject: deliverTo,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: after + 1,
        ack_policy: AckPolicy.None,
        max_deliver: 1,
        flow_control: true,
        idle_heartbeat: nanos(IDLE_HEARTBEAT_MS),
        mem_storage: true,
        num_replicas: 1,
      }),
    );
    yield* tell(queue, source, after, (told) => void askLeader(told));
  } catch (error) {
    if (stop.aborted) return;
    throw error instanceof BucketFault ? error : new BucketFault('unavailable', 'watch', { cause: error });
  } finally {
    queue.end();
    over.abort();
    stop.removeEventListener('abort', onAbort);
    void connection.stop();
    subscription.unsubscribe();
    // the server drops it by itself some seconds after the subscription; this only saves it the wait
    if (link.connected() && !link.connection.isClosed()) manager.consumers.delete(stream, name).catch(() => {});
  }
}

async function* tell(
  queue: WatchQueue,
  source: WatchSource,
  after: number,
  ask: (told: number) => void,
): AsyncIterable<WatchEvent> {
  const gap = new WatchGap(after);
  let wasOpen = true;
  for (;;) {
    const question = gap.question();
    if (question !== undefined) ask(question);
    const next = await queue.next();
    if (next === undefined) return;
    if ('last' in next) gap.answer(next.told, next.last);
    else {
      const { stream } = sequences(next);
      const { subject, data, headers } = next;
      gap.tell(stream);
      if (gap.isOpen() && !wasOpen) yield { kind: 'gap' };
      yield { kind: 'entry', entry: source.entry({ subject, data, headers, seq: stream }) };
    }
    if (wasOpen && !gap.isOpen()) yield { kind: 'caught-up' };
    wasOpen = gap.isOpen();
  }
}

/** What a push consumer delivers, in order and without gaps, with the server's signs of life. */
class WatchQueue {
  readonly #clock: Clock;
  readonly #items: (Msg | Level)[] = [];
  #wake = () => {};
  #isEnded = false;
  #fault: string | undefined;
  #delivered = 0;
  #silence: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#listen();
  }

  arrive(message: Msg): void {
    this.#listen();
    const status = message.headers?.code ?? 0;
    if (status !== 0 && message.data.length === 0) this.#arriveStatus(message, status);
    else if (sequences(message).consumer !== this.#delivered + 1) this.fail('a delivery was missed');
    else {
      this.#delivered++;
      this.#queue(message);
    }
  }

  #arriveStatus(message: Msg, status: number): void {
    const last = Number(message.headers?.get('Nats-Last-Consumer') || 0);
    const stalled = message.headers?.get('Nats-Consumer-Stalled');
    if (status !== 100) this.fail(`the consumer ended: ${status} ${message.headers?.description ?? ''}`);
    else if (message.reply)
      this.#queue(message); // flow control: answered when what came before it was taken
    else if (last > this.#delivered) this.fail('a delivery was missed');
    else if (stalled) this.#stalled(message, stalled);
  }

  /** What the leader said, in its place among the deliveries. */
  tell(level: Level): void {
    this.#queue(level);
  }

  #queue(item: Msg | Level): void {
    this.#items.push(item);
    this.#wake();
  }

  /** A flow-control request was lost: answer it, and the consumer goes on. */
  #stalled(message: Msg, subject: string): void {
    (message as Msg & { publisher: { publish(subject: string): void } }).publisher.publish(subject);
  }

  /** The next delivery or level; undefined when ended by us. Throws BucketFault when the watch broke. */
  async next(): Promise<Msg | Level | undefined> {
    for (;;) {
      if (this.#fault !== undefined) throw new BucketFault('unavailable', `watch: ${this.#fault}`);
      if (this.#isEnded) return undefined;
      const item = this.#items.shift();
      if (!item) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ('last' in item) return item;
      else if (item.headers?.code === 100) item.respond();
      else return item;
    }
  }

  fail(fault: string): void {
    this.#fault ??= fault;
    this.end();
  }

  end(): void {
    this.#isEnded = true;
    this.#silence?.cancel();
    this.#wake();
  }

  #listen(): void {
    this.#silence?.cancel();
    if (this.#isEnded) return;
    this.#silence = this.#clock.after(3 * IDLE_HEARTBEAT_MS, () => this.fail('the server is silent'));
  }
}

/** `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]` */
function sequences(message: Msg): { readonly stream: number; readonly consumer: number } {
  const tokens = (message.reply ?? '').split('.');
  const first = tokens.length === 9 ? 5 : 7;
  return { stream: Number(tokens[first]), consumer: Number(tokens[first + 1]) };
}

export function within<T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(new Error(`no answer in ${timeoutMs} ms`)));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
