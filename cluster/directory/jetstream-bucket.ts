/**
 * The bucket in NATS JetStream, laid out as a key-value bucket so that the operator's own tools can read it: stream
 * `KV_<bucket>`, one subject for each key, history 1. Works from nats-server 2.9.10 on.
 *
 * Writes are fenced by the expected last sequence of their subject; reads ask the stream's leader, never a replica
 * (`allow_direct` is off). The stream is made by `init` alone. Deletes are records of ours: the server's own are refused
 * where it can refuse them (purge, message delete, roll-up) and seen as entries without a value where it can't.
 */
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { errors, type NatsConnection, nanos } from '@nats-io/transport-node';
import { type Clock, pause, systemClock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { NatsLink } from '../nats/connect.ts';
import { type Bucket, BucketFault, type Entry, type WatchEvent } from './bucket.ts';
import { watchStream, within } from './jetstream-watch.ts';

const WRONG_LAST_SEQUENCE = 10071;
const MESSAGE_NOT_FOUND = 10037;
const STREAM_NOT_FOUND = 10059;
const API_TIMEOUT_MS = 5000;
/** So long after their start nats-servers may need to agree on a leader; `init` waits no longer for it. */
const SETTLE_MS = 10_000;
const SETTLE_RETRY_MS = 250;

/** The bucket of a cluster: a name that is legal in a stream's. */
export const bucketName = (cluster: string): string =>
  `homing_${Buffer.from(cluster, 'utf8').toString('base64url')}_directory`;

/**
 * Makes the bucket unless there is one: three replicas where the servers are joined and enough, else one. Servers that have
 * just been started are given some seconds to find each other and elect a leader: what is made with one replica stays so.
 * @returns how many replicas it was made with; 0 when it was there already and is left as it is
 */
export async function createJetStreamBucket(
  connection: NatsConnection,
  bucket: string,
  clock: Clock = systemClock,
): Promise<0 | 1 | 3> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: API_TIMEOUT_MS });
  const wanted = connection.info?.cluster === undefined ? 1 : 3;
  const deadline = clock.monotonic() + SETTLE_MS;
  for (;;) {
    try {
      if (await streamExists(manager, bucket)) return 0;
      await addStream(manager, bucket, wanted);
      return wanted;
    } catch (error) {
      if (await streamExists(manager, bucket).catch(() => false)) return 0; // another init was faster
      const isTooFew = wanted === 3 && isTooFewServers(error);
      if (!isTooFew && !isPassing(error)) throw error;
      if (clock.monotonic() < deadline) {
        await pause(clock, SETTLE_RETRY_MS);
        continue;
      }
      if (!isTooFew) throw error;
    }
    await addStream(manager, bucket, 1);
    return 1;
  }
}

/** err_codes 10005 no suitable peers, 10023 insufficient resources, 10074 replicas without a cluster. */
const isTooFewServers = (error: unknown): boolean => [10005, 10023, 10074].includes(apiCode(error) ?? 0);

/** No leader yet: nobody answers, or the API says that it can't now. */
const isPassing = (error: unknown): boolean =>
  error instanceof errors.TimeoutError ||
  (error instanceof errors.RequestError && error.isNoResponders()) ||
  (error instanceof JetStreamApiError && error.status === 503);

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

  watch(after: number, signal: AbortSignal): AsyncIterable<WatchEvent> {
    if (!this.#isUsable()) throw new BucketFault('unavailable', 'watch');
    return watchStream(
      {
        link: this.#link,
        manager: this.#manager,
        clock: this.#clock,
        stream: this.#stream,
        entry: (message) =>
          this.#entry(message.subject.slice(this.#prefix.length), message.seq, message.data, message.headers),
      },
      after,
      AbortSignal.any([signal, this.#closing.signal]),
    );
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
