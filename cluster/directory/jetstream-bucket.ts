/**
 * The bucket in NATS JetStream, laid out as a key-value bucket so that the operator's own tools can read it: stream
 * `KV_<bucket>`, one subject for each key, history 1. Works from nats-server 2.9.10 on.
 *
 * Writes are fenced by the expected last sequence of their subject; reads ask the stream's leader, never a replica
 * (`allow_direct` is off). The stream is made by `init` alone. Deletes are records of ours: the server's own are refused
 * where it can refuse them (purge, message delete, roll-up) and seen as entries without a value where it can't.
 */
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { createInbox, errors, type Msg, type NatsConnection, nanos, nuid } from '@nats-io/transport-node';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { NatsLink } from '../nats/connect.ts';
import { type Bucket, BucketFault, type Entry, type WatchEvent } from './bucket.ts';

const WRONG_LAST_SEQUENCE = 10071;
const MESSAGE_NOT_FOUND = 10037;
const STREAM_NOT_FOUND = 10059;
/** The server sends something at least this often; silent for three, it is gone. */
const IDLE_HEARTBEAT_MS = 1000;
const API_TIMEOUT_MS = 5000;

/** The bucket of a cluster: a name that is legal in a stream's. */
export const bucketName = (cluster: string): string =>
  `homing_${Buffer.from(cluster, 'utf8').toString('base64url')}_directory`;

/**
 * Makes the bucket unless there is one: three replicas where the servers are joined and enough, else one.
 * @returns how many replicas it was made with; 0 when it was there already and is left as it is
 */
export async function createJetStreamBucket(connection: NatsConnection, bucket: string): Promise<0 | 1 | 3> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: API_TIMEOUT_MS });
  if (await streamExists(manager, bucket)) return 0;
  const choices: (1 | 3)[] = connection.info?.cluster === undefined ? [1] : [3, 1];
  for (const replicas of choices) {
    try {
      await addStream(manager, bucket, replicas);
      return replicas;
    } catch (error) {
      if (await streamExists(manager, bucket)) return 0; // another init was faster
      if (replicas === 3 && isTooFewServers(error)) continue;
      throw error;
    }
  }
  throw new Error(`directory bucket: ${bucket}: could not be made`);
}

/** err_codes 10005 no suitable peers, 10023 insufficient resources, 10074 replicas without a cluster. */
const isTooFewServers = (error: unknown): boolean => [10005, 10023, 10074].includes(apiCode(error) ?? 0);

const addStream = (manager: JetStreamManager, bucket: string, replicas: 1 | 3) =>
  manager.streams.add({
    name: `KV_${bucket}`,
    subjects: [`$KV.${bucket}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    max_consumers: -1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    duplicate_window: nanos(120_000),
    allow_direct: false,
    allow_rollup_hdrs: false,
    deny_delete: true,
    deny_purge: true,
  });

export async function jetStreamBucketExists(connection: NatsConnection, bucket: string): Promise<boolean> {
  return streamExists(await jetstreamManager(connection, { checkAPI: false, timeout: API_TIMEOUT_MS }), bucket);
}

async function streamExists(manager: JetStreamManager, bucket: string): Promise<boolean> {
  try {
    await manager.streams.info(`KV_${bucket}`);
    return true;
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return false;
    throw error;
  }
}

/** Opens it; whether it is there shows at the first use. The link stays its caller's. */
export async function openJetStreamBucket(link: NatsLink, bucket: string, clock: Clock): Promise<Bucket> {
  const manager = await jetstreamManager(link.connection, { checkAPI: false, timeout: API_TIMEOUT_MS });
  return new JetStreamBucket(link, bucket, manager, clock);
}

class JetStreamBucket implements Bucket {
  readonly #link: NatsLink;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #clock: Clock;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #closing = new AbortController();

  constructor(link: NatsLink, bucket: string, manager: JetStreamManager, clock: Clock) {
    this.#link = link;
    this.#client = jetstream(link.connection, { timeout: API_TIMEOUT_MS });
    this.#manager = manager;
    this.#clock = clock;
    this.#stream = `KV_${bucket}`;
    this.#prefix = `$KV.${bucket}.`;
  }

  async write(key: string, value: Uint8Array, expectedRevision: number, timeoutMs: number) {
    // what is published while the connection is away would be kept and sent later: better not to begin
    if (!this.#isUsable()) throw new BucketFault('unavailable', `write ${key}`);
    try {
      const ack = await this.#client.publish(`${this.#prefix}${key}`, value, {
        timeout: timeoutMs,
        expect: { streamName: this.#stream, lastSubjectSequence: expectedRevision },
      });
      return accept(ack.seq);
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_SEQUENCE) return refuse('conflict' as const);
      const failure = isSurelyNotWritten(error) ? 'unavailable' : 'unknown';
      throw new BucketFault(failure, `write ${key}`, { cause: error });
    }
  }

  async read(key: string, timeoutMs: number): Promise<Entry | undefined> {
    if (!this.#isUsable()) throw new BucketFault('unavailable', `read ${key}`);
    try {
      const found = await within(
        this.#clock,
        timeoutMs,
        this.#manager.streams.getMessage(this.#stream, { last_by_subj: `${this.#prefix}${key}` }),
      );
      return found ? this.#entry(key, found.seq, found.data, found.header) : undefined;
    } catch (error) {
      if (apiCode(error) === MESSAGE_NOT_FOUND) return undefined;
      throw new BucketFault('unavailable', `read ${key}`, { cause: error });
    }
  }

  async *watch(after: number, signal: AbortSignal): AsyncIterable<WatchEvent> {
    if (!this.#isUsable()) throw new BucketFault('unavailable', 'watch');
    const queue = new WatchQueue(this.#clock);
    const onAbort = () => queue.end();
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    stop.addEventListener('abort', onAbort, { once: true });
    if (stop.aborted) queue.end();
    const connection = this.#link.onConnection(() => queue.fail('the connection was lost'));
    const deliverTo = createInbox();
    const subscription = this.#link.connection.subscribe(deliverTo, {
      callback: (error, message) => {
        if (error) queue.fail(error.message);
        else queue.arrive(message);
      },
    });
    const name = `watch_${nuid.next()}`;
    try {
      const { state } = await this.#manager.streams.info(this.#stream);
      await this.#manager.consumers.add(this.#stream, {
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
      });
      // the last sequence is told, or one that overwrote it; the consumer's own count of what is pending is less sure
      let goal: number | undefined = state.last_seq;
      for (let told = after; ; ) {
        if (goal !== undefined && told >= goal) {
          goal = undefined;
          yield { kind: 'caught-up' };
        }
        const next = await queue.next();
        if (next === undefined) return;
        told = sequences(next).stream;
        const key = next.subject.slice(this.#prefix.length);
        yield { kind: 'entry', entry: this.#entry(key, told, next.data, next.headers) };
      }
    } catch (error) {
      if (stop.aborted) return;
      throw error instanceof BucketFault ? error : new BucketFault('unavailable', 'watch', { cause: error });
    } finally {
      queue.end();
      stop.removeEventListener('abort', onAbort);
      void connection.stop();
      subscription.unsubscribe();
      // the server drops it by itself some seconds after the subscription; this only saves it the wait
      if (this.#isUsable()) this.#manager.consumers.delete(this.#stream, name).catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  #isUsable(): boolean {
    return this.#link.connected() && !this.#link.connection.isClosed() && !this.#closing.signal.aborted;
  }

  /** The server marks its own deletes by a header; such an entry has no value. */
  #entry(key: string, revision: number, data: Uint8Array, header: { has(name: string): boolean } | undefined): Entry {
    const isDeleted = header?.has('KV-Operation') || header?.has('Nats-Marker-Reason');
    return { key, revision, value: isDeleted ? undefined : new Uint8Array(data) };
  }
}

/** What a push consumer delivers, in order and without gaps, with the server's signs of life. */
class WatchQueue {
  readonly #clock: Clock;
  readonly #messages: Msg[] = [];
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

  #queue(message: Msg): void {
    this.#messages.push(message);
    this.#wake();
  }

  /** A flow-control request was lost: answer it, and the consumer goes on. */
  #stalled(message: Msg, subject: string): void {
    (message as Msg & { publisher: { publish(subject: string): void } }).publisher.publish(subject);
  }

  /** The next message; undefined when ended by us. Throws BucketFault when the watch broke. */
  async next(): Promise<Msg | undefined> {
    for (;;) {
      if (this.#fault !== undefined) throw new BucketFault('unavailable', `watch: ${this.#fault}`);
      if (this.#isEnded) return undefined;
      const message = this.#messages.shift();
      if (!message) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (message.headers?.code === 100) message.respond();
      else return message;
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

const apiCode = (error: unknown): number | undefined => (error instanceof JetStreamApiError ? error.code : undefined);

/** Refused by the server, or never sent: no such stream, no JetStream, no permission, a closed connection. */
function isSurelyNotWritten(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status < 500;
  const cause = error instanceof Error ? error.cause : undefined;
  return [error, cause].some(
    (one) =>
      one instanceof errors.NoRespondersError ||
      one instanceof errors.ClosedConnectionError ||
      (one instanceof errors.RequestError && one.isNoResponders()),
  );
}

function within<T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(new Error(`no answer in ${timeoutMs} ms`)));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
