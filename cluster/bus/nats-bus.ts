/**
 * The bus between nodes: a LocalBus for what is served in this process, sealed frames over NATS for the rest.
 *
 * NATS is trusted with nothing but delivery: every frame is opened by FrameSealer before anything believes it, and what
 * does not open is dropped. The link is the caller's: this bus uses it, and does not close it.
 */
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { decode, encode, type FrameSealer, type Kind, kinds, type OpenedFrame } from '../frames.ts';
import type { NatsLink } from '../nats/connect.ts';
import {
  type AskOptions,
  type Bus,
  BusError,
  type BusFailure,
  type Handler,
  MAX_MESSAGE,
  type Service,
  type StreamHandler,
  type StreamOptions,
} from './bus.ts';
import { type LocalBus, logFault } from './local-bus.ts';
import { type Endpoint, StreamReader, StreamSender, type Wire } from './nats-stream.ts';
import { PatternMap } from './subject-match.ts';
import { Running, waiting } from './waiting.ts';

export type NatsBusOptions = {
  readonly link: NatsLink;
  readonly local: LocalBus;
  readonly sealer: FrameSealer;
  readonly clock: Clock;
  readonly log: Log;
};

/** Servers without a queue of their own share this one: one request, one server. */
const DEFAULT_QUEUE = 'servers';

type Subscribed = { readonly subscription: Subscription; users: number };

export class NatsBus implements Bus {
  readonly #link: NatsLink;
  readonly #local: LocalBus;
  readonly #sealer: FrameSealer;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Ends a `.`: what follows names an endpoint. */
  readonly #inboxPrefix: string;
  readonly #inbox: Subscription;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #subscribed = new PatternMap<Subscribed>();
  readonly #services = new Set<Service>();
  readonly #linkWatch: Service;
  #lastEndpoint = 0;
  #isClosed = false;

  constructor({ link, local, sealer, clock, log }: NatsBusOptions) {
    this.#link = link;
    this.#local = local;
    this.#sealer = sealer;
    this.#clock = clock;
    this.#log = log;
    this.#inboxPrefix = `${link.newInbox()}.`;
    this.#inbox = this.#listen(`${this.#inboxPrefix}*`, {}, (message) => this.#onInbox(message));
    this.#linkWatch = link.onConnection((connected) => {
      if (!connected) this.#failAll('disconnected');
    });
  }

  async ask(subject: string, request: unknown, options: AskOptions): Promise<unknown> {
    if (this.#local.serves(subject)) return this.#local.ask(subject, request, options);
    options.signal?.throwIfAborted();
    this.#requireReachable(subject);
    const body = encodeMessage(subject, request);
    const id = this.#newEndpointId();
    const answer = waiting<unknown>({
      clock: this.#clock,
      subject,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      onSettled: () => this.#endpoints.delete(id),
    });
    const fail = (failure: BusFailure) => answer.reject(new BusError(failure, subject));
    this.#endpoints.set(id, {
      onFrame: (kind, octets) => {
        if (kind === kinds.answer) answer.resolve(decode(octets));
        else if (kind === kinds.fault) fail('fault');
      },
      onNoResponders: () => fail('no-responders'),
      fail,
    });
    this.#send(kinds.request, subject, this.#inboxPrefix + id, body);
    return answer.promise;
  }

  async serve(subject: string, handler: Handler, options: { readonly queue?: string } = {}): Promise<Service> {
    const local = await this.#local.serve(subject, handler, options);
    const running = new Running();
    const queue = options.queue ?? DEFAULT_QUEUE;
    const subscription = this.#listen(subject, { queue }, (message) => {
      const frame = this.#open(message, kinds.request);
      if (frame !== undefined) void this.#answer(message, frame, handler, running);
    });
    await this.#settled();
    return this.#service(() => Promise.all([local.stop(), drained(subscription).then(() => running.idle())]));
  }

  publish(subject: string, message: unknown): void {
    if (this.#isClosed) return;
    const body = encodeMessage(subject, message);
    this.#local.publish(subject, message);
    this.#send(kinds.publish, subject, '', body);
  }

  async subscribe(pattern: string, listener: (message: unknown, subject: string) => void): Promise<Service> {
    const local = await this.#local.subscribe(pattern, listener);
    const subscribed = this.#subscribed.get(pattern) ?? {
      subscription: this.#listen(pattern, {}, (message) => this.#onPublished(message)),
      users: 0,
    };
    subscribed.users += 1;
    this.#subscribed.set(pattern, subscribed);
    await this.#settled();
    return this.#service(async () => {
      subscribed.users -= 1;
      if (subscribed.users === 0) {
        this.#subscribed.delete(pattern);
        subscribed.subscription.unsubscribe();
      }
      await local.stop();
    });
  }

  async *stream(subject: string, request: unknown, options: StreamOptions): AsyncGenerator<Uint8Array, void, void> {
    if (this.#local.servesStream(subject)) {
      yield* this.#local.stream(subject, request, options);
      return;
    }
    options.signal?.throwIfAborted();
    this.#requireReachable(subject);
    const id = this.#newEndpointId();
    const reader = new StreamReader(this.#wire(id), subject, options);
    this.#endpoints.set(id, reader);
    try {
      reader.open(streamSubject(subject), request);
      for (let chunk = await reader.take(); chunk !== undefined; chunk = await reader.take()) yield chunk;
    } finally {
      reader.leave();
    }
  }

  async serveStream(subject: string, handler: StreamHandler): Promise<Service> {
    const local = await this.#local.serveStream(subject, handler);
    const running = new Running();
    const subscription = this.#listen(streamSubject(subject), { queue: DEFAULT_QUEUE }, (message) => {
      const frame = this.#open(message, kinds.streamOpen);
      if (frame === undefined || !message.reply) return;
      const id = this.#newEndpointId();
      const sender = new StreamSender(this.#wire(id), subject, handler, frame.body, message.reply);
      this.#endpoints.set(id, sender);
      running.begin();
      void sender.run().finally(() => running.end());
    });
    await this.#settled();
    return this.#service(() => Promise.all([local.stop(), drained(subscription).then(() => running.idle())]));
  }

  connected(): boolean {
    return !this.#isClosed && this.#link.connected();
  }

  onConnection(listener: (connected: boolean) => void): Service {
    return this.#link.onConnection(listener);
  }

  /** Breaks what is being asked and streamed, with `closed`; resolves when the handlers that run have finished. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#failAll('closed');
    this.#isClosed = true;
    await Promise.all([this.#local.close(), ...[...this.#services].map((service) => service.stop())]);
    await this.#linkWatch.stop();
    this.#inbox.unsubscribe();
  }

  #requireReachable(subject: string): void {
    if (this.#isClosed) throw new BusError('closed', subject);
    if (!this.#link.connected()) throw new BusError('disconnected', subject);
  }

  #failAll(failure: 'disconnected' | 'closed'): void {
    for (const endpoint of [...this.#endpoints.values()]) endpoint.fail(failure);
  }

  async #answer(message: Msg, frame: OpenedFrame, handler: Handler, running: Running): Promise<void> {
    const { subject, reply } = message;
    if (!reply) return;
    running.begin();
    try {
      const answer = await handler(decode(frame.body));
      this.#send(kinds.answer, reply, '', encodeMessage(subject, answer));
    } catch (fault) {
      logFault(this.#log, subject, fault);
      this.#send(kinds.fault, reply, '');
    } finally {
      running.end();
    }
  }

  #onPublished(message: Msg): void {
    if (this.#sealer.isOwn(message.data)) return; // told here already
    const copiesExpected = this.#subscribed.matching(message.subject).length > 1;
    const frame = this.#open(message, kinds.publish, copiesExpected);
    if (frame !== undefined) this.#local.deliver(message.subject, decode(frame.body));
  }

  #onInbox(message: Msg): void {
    const endpoint = this.#endpoints.get(message.subject.slice(this.#inboxPrefix.length));
    if (message.data.length === 0 && message.headers?.code === 503) {
      endpoint?.onNoResponders(); // the server's own word, unsealed: whoever forges it can only make us ask again
      return;
    }
    const frame = this.#open(message);
    if (frame === undefined) return;
    const reply = message.reply ?? '';
    if (endpoint !== undefined) endpoint.onFrame(frame.kind, frame.body, reply);
    else if (reply !== '') this.#disown(frame.kind, message.subject, reply);
  }

  /** A frame for an end that is gone: the other end of a stream must hear of it; a late answer is nobody's loss. */
  #disown(kind: Kind, inbox: string, reply: string): void {
    if (kind === kinds.streamAccept || kind === kinds.streamChunk) this.#send(kinds.streamCancel, reply, inbox);
    else if (kind === kinds.streamCredit) this.#send(kinds.streamBreak, reply, inbox, encode('disconnected'));
  }

  /** The frame, if it is genuine, new, and of the kind that is heard there. */
  #open(message: Msg, kind?: Kind, copiesExpected = false): OpenedFrame | undefined {
    // What claims to be another kind is for other ears on the same subject; of version and forgery `open` judges.
    const claimed = this.#sealer.claimedKind(message.data);
    if (kind !== undefined && claimed !== undefined && claimed !== kind) return undefined;
    const opened = this.#sealer.open(message.data, message.subject, message.reply ?? '', copiesExpected);
    return opened.ok ? opened.value : undefined;
  }

  /** Loses the frame when there is no connection: what waits for its effect has been told, or has a time limit. */
  #send(kind: Kind, subject: string, reply: string, ...parts: readonly Uint8Array[]): void {
    if (!this.#link.connected()) return;
    const frame = this.#sealer.seal(kind, subject, reply, ...parts);
    try {
      this.#link.connection.publish(subject, frame, reply === '' ? {} : { reply });
    } catch (error) {
      this.#log.warn('nats: a frame could not be sent', { subject, reason: (error as Error).message }); // closing, say
    }
  }

  #wire(id: string): Wire {
    return {
      clock: this.#clock,
      log: this.#log,
      inbox: this.#inboxPrefix + id,
      send: (kind, subject, reply, ...parts) => this.#send(kind, subject, reply, ...parts),
      gone: () => void this.#endpoints.delete(id),
    };
  }

  #newEndpointId(): string {
    this.#lastEndpoint += 1;
    return this.#lastEndpoint.toString(36);
  }

  /** Nothing may be thrown into the NATS client: it would stop reading. */
  #listen(subject: string, { queue }: { readonly queue?: string }, hear: (message: Msg) => void): Subscription {
    const callback = (error: Error | null, message: Msg) => {
      if (error) return this.#log.error('nats: subscription ended', { subject, reason: error.message });
      try {
        hear(message);
      } catch (fault) {
        logFault(this.#log, subject, fault);
      }
    };
    return this.#link.connection.subscribe(subject, queue === undefined ? { callback } : { queue, callback });
  }

  /** The server knows of the subscriptions so far; without a connection it will when there is one again. */
  async #settled(): Promise<void> {
    if (!this.#link.connected()) return;
    await this.#link.connection.flush().catch((error: Error) => {
      this.#log.debug('nats: connection lost while subscribing', { reason: error.message });
    });
  }

  #service(end: () => Promise<unknown>): Service {
    let ended: Promise<void> | undefined;
    const service: Service = {
      stop: () => {
        ended ??= end().then(() => void this.#services.delete(service));
        return ended;
      },
    };
    this.#services.add(service);
    return service;
  }
}

/** Streams have subjects of their own, lest NATS give an opening to a server that only answers requests. */
const streamSubject = (subject: string): string => `${subject}.~stream`;

/** Resolves when what NATS had already sent to this subscription has been heard; at once when the connection is gone. */
async function drained(subscription: Subscription): Promise<void> {
  if (!subscription.isClosed()) await subscription.drain().catch(() => subscription.unsubscribe());
}

function encodeMessage(subject: string, message: unknown): Uint8Array {
  const octets = encode(message);
  if (octets.length > MAX_MESSAGE) {
    throw new RangeError(`bus: ${subject}: a message of ${octets.length} octets; at most ${MAX_MESSAGE} may pass`);
  }
  return octets;
}
