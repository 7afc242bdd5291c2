/**
 * A mailHost for tests of its fronts: what is durable, owners that come and go above it, and a bus on which requests and
 * answers are lost, delayed and doubled as the test says. The rules are those of actors/mailbox-owner/requests.ts.
 */
import type {
  Content,
  DeliverAnswer,
  DeliverRecipient,
  DeliverRefusal,
  DeliverRequest,
  FetchAnswer,
  FetchRequest,
  ListAnswer,
  ListRequest,
  OpenAnswer,
  OpenRequest,
  QuitAnswer,
  QuitRequest,
  StageAnswer,
  StageRequest,
} from '../../actors/mailbox-owner/requests.ts';
import { type AskOptions, type Bus, BusError, type StreamOptions } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';

type Record = {
  counter: number;
  answer?: unknown;
  lock?: number;
  ended: boolean;
  readonly stages: Map<string, Map<number, Uint8Array>>;
};

export class ModelMailHost {
  // Durable: outlives every owner.
  readonly sessions = new Map<string, Record>();
  readonly messages = new Map<number, Uint8Array>();
  readonly delivered: { account: string; bytes: Uint8Array }[] = [];
  lockedBy: string | undefined;
  locks = 0;
  // Of one owner's incarnation.
  epoch = 1;
  #handles = new Map<string, string>();
  #opens = 0;
  /** Tests set these. */
  chunkOctets = 4;
  openRefusal: (OpenAnswer & { ok: false })['refusal'] | undefined;
  isFull = false;
  isOverQuota: (account: string) => boolean = () => false;
  refusalFor: (recipient: DeliverRecipient) => DeliverRefusal | undefined = () => undefined;
  readonly recipients: DeliverRecipient[] = [];
  largestPart = 0;
  partsUnderWay = 0;
  mostPartsUnderWay = 0;
  readonly asked: string[] = [];

  /** The owner dies and the next one takes over: handles are worth nothing, what is durable stays. */
  failOver(): void {
    this.epoch += 1;
    this.#handles = new Map();
  }

  handle(operation: string, request: unknown): unknown {
    this.asked.push(operation);
    if (operation === 'open') return this.#open(request as OpenRequest);
    const { handle, counter } = request as QuitRequest;
    const session = handle.slice(handle.indexOf('.') + 1); // a handle of any owner names its session
    const record = this.sessions.get(session);
    if (operation === 'close') {
      if (record !== undefined) this.#end(session, record);
      return accept(null);
    }
    if (operation === 'quit' && record?.ended && record.counter === counter) return record.answer;
    if (record === undefined || record.ended || this.#handles.get(session) !== handle) return refuse('unknown-handle');
    switch (operation) {
      case 'list':
        return this.#list(request as ListRequest);
      case 'fetch':
        return this.#fetch(request as FetchRequest);
      case 'stage':
        return this.#stage(record, request as StageRequest);
      case 'deliver':
        return this.#numbered(record, request as DeliverRequest, () =>
          this.#deliver(record, request as DeliverRequest),
        );
      case 'quit':
        return this.#numbered(record, request as QuitRequest, () =>
          this.#quit(session, record, request as QuitRequest),
        );
    }
    throw new Error(`no such operation: ${operation}`);
  }

  *chunks({ handle, uid, offset }: FetchRequest): Generator<Uint8Array> {
    if (![...this.#handles.values()].includes(handle)) throw new Error('unknown handle');
    const body = this.messages.get(uid)!;
    for (let at = offset; at < body.length; at += this.chunkOctets) yield body.subarray(at, at + this.chunkOctets);
  }

  #open({ session, purpose }: OpenRequest): OpenAnswer {
    if (this.openRefusal !== undefined) return refuse(this.openRefusal);
    let record = this.sessions.get(session);
    if (record?.ended) return refuse('session-ended');
    if (record === undefined) {
      if (purpose === 'maildrop' && this.lockedBy !== undefined) return refuse('in-use');
      record = { counter: 0, ended: false, stages: new Map() };
      if (purpose === 'maildrop') {
        record.lock = ++this.locks;
        this.lockedBy = session;
      }
      this.sessions.set(session, record);
    }
    const handle = `${this.epoch}-${++this.#opens}.${session}`;
    this.#handles.set(session, handle); // the one before is known no more
    const { lock, counter } = record;
    const maildrop = lock === undefined ? {} : { maildrop: { lock, uidValidity: 7, uidNext: 1000 } };
    return accept({ handle, epoch: this.epoch, counter, ...maildrop });
  }

  #list({ afterUid, limit }: ListRequest): ListAnswer {
    const uids = [...this.messages.keys()].filter((uid) => uid > afterUid).sort((a, b) => a - b);
    return accept(uids.slice(0, limit).map((uid) => ({ uid, sizeOctets: this.messages.get(uid)!.length })));
  }

  #fetch({ uid, offset }: FetchRequest): FetchAnswer {
    const body = this.messages.get(uid);
    if (body === undefined) return refuse('gone');
    return accept({ sizeOctets: body.length, chunk: body.subarray(offset, offset + this.chunkOctets) });
  }

  #stage(record: Record, { stage, index, bytes }: StageRequest): StageAnswer {
    if (this.isFull) return refuse('full');
    const parts = record.stages.get(stage) ?? new Map<number, Uint8Array>();
    record.stages.set(stage, parts.set(index, bytes));
    this.largestPart = Math.max(this.largestPart, bytes.length);
    return accept(null);
  }

  #numbered<A>(record: Record, { counter }: { counter: number }, act: () => A): A | QuitAnswer {
    if (counter === record.counter) return record.answer as A;
    if (counter < record.counter) return refuse('stale');
    const answer = act() as A & { ok: boolean };
    if (answer.ok) {
      record.counter = counter;
      record.answer = answer;
    }
    return answer;
  }

  #deliver(record: Record, { content, recipients }: DeliverRequest): DeliverAnswer {
    if (this.isFull) return refuse('full');
    const bytes = bytesOf(content, record);
    if (bytes === undefined) return refuse('stage-missing');
    return accept(
      recipients.map((recipient) => {
        const { account } = recipient;
        this.recipients.push(recipient);
        if (this.isOverQuota(account)) return refuse('over-quota' as const);
        const refusal = this.refusalFor(recipient);
        if (refusal !== undefined) return refuse(refusal);
        this.delivered.push({ account, bytes });
        return accept({ uid: this.delivered.length, sequence: this.delivered.length });
      }),
    );
  }

  #quit(session: string, record: Record, { lock, uids }: QuitRequest): QuitAnswer {
    if (lock !== record.lock || this.lockedBy !== session) return refuse('lock-lost');
    for (const uid of uids) this.messages.delete(uid);
    this.#end(session, record);
    return accept(null);
  }

  #end(session: string, record: Record): void {
    record.ended = true;
    record.stages.clear();
    if (this.lockedBy === session) this.lockedBy = undefined;
  }
}

function bytesOf(content: Content, record: Record): Uint8Array | undefined {
  if (content.kind === 'inline') return content.bytes;
  const parts = record.stages.get(content.stage);
  const bytes = Buffer.concat([...(parts ?? [])].sort(([a], [b]) => a - b).map(([, part]) => part));
  return bytes.length === content.sizeOctets ? bytes : undefined;
}

/**
 * What becomes of one request: answered; lost on its way; done, and its answer lost; answered by nobody; done, the answer
 * lost and the owner dead; the owner dead before; lost now and arriving `late`; refused by one who is no owner; faulty.
 */
export type Fate =
  | 'done'
  | 'lost'
  | 'reply-lost'
  | 'nobody'
  | 'dies-after'
  | 'dies-before'
  | 'late'
  | 'not-owner'
  | 'fault';

export type FaultyBus = Bus & {
  /** Lets the oldest request that is still on its way arrive; its answer goes nowhere. */
  arriveLate(): boolean;
  /** Nobody answers while false. */
  isUp: boolean;
};

/** @param fateOf  asked once for each request; for a stream, what is not `done` breaks it after one chunk */
export function faultyBus(
  clock: Clock,
  hosts: Readonly<{ [mailHost: string]: ModelMailHost }>,
  fateOf: (operation: string, mailHost: string) => Fate = () => 'done',
): FaultyBus {
  const late: (() => void)[] = [];
  let isClosed = false;
  const hostOf = (subject: string) => {
    const [, , , mailHost, operation] = subject.split('.');
    return { host: hosts[mailHost!]!, mailHost: mailHost!, operation: operation! };
  };
  const silence = (subject: string, { timeoutMs, signal }: AskOptions) =>
    new Promise<never>((_resolve, reject) => {
      const timer = clock.after(timeoutMs, () => reject(new BusError('timeout', subject)));
      signal?.addEventListener('abort', () => {
        timer.cancel();
        reject(signal.reason);
      });
    });
  const unused = () => {
    throw new Error('not part of this bus');
  };
  const bus: FaultyBus = {
    isUp: true,
    arriveLate() {
      const arrive = late.shift();
      arrive?.();
      return arrive !== undefined;
    },
    async ask(subject, request, options) {
      options.signal?.throwIfAborted();
      if (isClosed) throw new BusError('closed', subject);
      const { host, operation, mailHost } = hostOf(subject);
      if (!bus.isUp) throw new BusError('no-responders', subject);
      host.partsUnderWay += operation === 'stage' ? 1 : 0;
      host.mostPartsUnderWay = Math.max(host.mostPartsUnderWay, host.partsUnderWay);
      await Promise.resolve();
      host.partsUnderWay -= operation === 'stage' ? 1 : 0;
      switch (fateOf(operation, mailHost)) {
        case 'done':
          return host.handle(operation, request);
        case 'lost':
          return await silence(subject, options);
        case 'late':
          late.push(() => host.handle(operation, request));
          return await silence(subject, options);
        case 'reply-lost':
          host.handle(operation, request);
          return await silence(subject, options);
        case 'dies-before':
          host.failOver();
          return await silence(subject, options);
        case 'dies-after':
          host.handle(operation, request);
          host.failOver();
          return await silence(subject, options);
        case 'nobody':
          throw new BusError('no-responders', subject);
        case 'not-owner':
          return refuse('not-owner');
        case 'fault':
          throw new BusError('fault', subject);
      }
    },
    async *stream(subject: string, request: unknown, options: StreamOptions) {
      const { host, mailHost } = hostOf(subject);
      const fate = bus.isUp ? fateOf('body', mailHost) : 'nobody';
      if (fate === 'nobody') throw new BusError('no-responders', subject);
      for (const chunk of host.chunks(request as FetchRequest)) {
        options.signal?.throwIfAborted();
        yield chunk;
        if (fate === 'done') continue;
        if (fate.startsWith('dies')) host.failOver();
        if (fate === 'lost') return; // ends as if whole
        throw new BusError('disconnected', subject);
      }
    },
    serve: unused,
    publish: unused,
    subscribe: unused,
    serveStream: unused,
    connected: () => !isClosed,
    onConnection: unused,
    async close() {
      isClosed = true;
    },
  };
  return bus;
}
