/**
 * Frames: what the bus puts on NATS, and how values rest in the directory bucket. msgpackr inside, AES-256-GCM around it.
 *
 * A frame is `version 1 | start id 16 | counter 8 | sent at 6 | kind 1 | ciphertext | tag 16`, numbers big-endian, time in
 * milliseconds since 1970. Its key is HKDF(frames key, salt = the sender's start id), so counters can serve as nonces and
 * never meet; version, kind, time, subject and reply subject are associated data. Whoever reads NATS learns sizes and
 * subjects, and what he sends again does nothing (RFC 4303 §3.4.3). Knows nothing of what is asked or answered.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Packr } from 'msgpackr';
import type { Clock } from '../kernel/clock.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import type { Log } from '../telemetry/log.ts';
import { MAX_MESSAGE } from './bus/bus.ts';
import { ReplayWindow } from './bus/replay-window.ts';

/** Changes with the layout of frames and with the meaning of their kinds; nodes of different versions don't talk. */
export const FRAME_VERSION = 1;

export const kinds = {
  request: 1,
  answer: 2,
  fault: 3,
  publish: 4,
  streamOpen: 5,
  streamAccept: 6,
  streamChunk: 7,
  streamEnd: 8,
  streamBreak: 9,
  streamCredit: 10,
  streamCancel: 11,
} as const;
export type Kind = (typeof kinds)[keyof typeof kinds];

/**
 * `truncated` shorter than any frame; `version` of another layout; `forged` another key, or changed since it was sealed;
 * `replayed` seen before, or too far behind the sender's newest; `stale` sealed too long ago, or by a clock too wrong.
 */
export type FrameRefusal = 'truncated' | 'version' | 'forged' | 'replayed' | 'stale';

/** `body` is this frame's own memory: it may be kept, and what is decoded from it aliases it. */
export type OpenedFrame = { readonly kind: Kind; readonly body: Uint8Array };

const START_ID_AT = 1;
const COUNTER_AT = 17;
const SENT_AT = 25;
const KIND_AT = 31;
const HEADER_OCTETS = 32;
const TAG_OCTETS = 16;
const NONCE_OCTETS = 12;
export const FRAME_OVERHEAD = HEADER_OCTETS + TAG_OCTETS;

/** A receiver that restarted, or sits in the same queue group, has not seen what was captured: age bounds that gap. */
export const MAX_FRAME_AGE_MS = 120_000;
/** Senders whose windows are remembered; the one heard longest ago goes first. */
const MAX_SENDERS = 1024;
const WARN_EVERY_MS = 10_000;

type Sender = { readonly key: Uint8Array; readonly window: ReplayWindow };

export type FrameSealerOptions = {
  /** `ClusterKeys.frames`. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes the start id, which must never come twice: with it a counter, and so a nonce, would. */
  readonly random?: (octets: number) => Uint8Array;
};

/** Seals this process's frames and opens everybody's. One for each process start. */
export class FrameSealer {
  readonly #options: FrameSealerOptions;
  readonly #startId: Buffer;
  readonly #key: Uint8Array;
  readonly #nonce = Buffer.alloc(NONCE_OCTETS);
  readonly #senders = new Map<string, Sender>();
  readonly #refused: Record<FrameRefusal, number> = { truncated: 0, version: 0, forged: 0, replayed: 0, stale: 0 };
  readonly #lastWarned = new Map<FrameRefusal, { readonly at: number; readonly count: number }>();
  #counter = 0;

  constructor(options: FrameSealerOptions) {
    this.#options = options;
    this.#startId = Buffer.from((options.random ?? randomBytes)(COUNTER_AT - START_ID_AT));
    this.#key = senderKey(options.key, this.#startId);
  }

  /** How many frames were refused, and why, since the start. */
  get refused(): Readonly<Record<FrameRefusal, number>> {
    return this.#refused;
  }

  /** Seals `parts`, one after the other, for one subject and one reply subject ('' if none). */
  seal(kind: Kind, subject: string, reply: string, ...parts: readonly Uint8Array[]): Uint8Array {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const frame = Buffer.allocUnsafe(HEADER_OCTETS + size + TAG_OCTETS);
    const sentAt = this.#options.clock.wall();
    frame[0] = FRAME_VERSION;
    this.#startId.copy(frame, START_ID_AT);
    this.#counter += 1;
    frame.writeUInt32BE(Math.floor(this.#counter / 2 ** 32), COUNTER_AT);
    frame.writeUInt32BE(this.#counter % 2 ** 32, COUNTER_AT + 4);
    frame.writeUIntBE(Math.floor(sentAt), SENT_AT, KIND_AT - SENT_AT);
    frame[KIND_AT] = kind;
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonceOf(frame));
    cipher.setAAD(associated(frame, subject, reply));
    let at = HEADER_OCTETS;
    for (const part of parts) at += cipher.update(part).copy(frame, at);
    cipher.final();
    cipher.getAuthTag().copy(frame, at);
    return frame;
  }

  /** Was this sealed here? Told by the header alone: an unproved claim, good enough to ignore a frame by. */
  isOwn(frame: Uint8Array): boolean {
    return frame.length >= FRAME_OVERHEAD && this.#startId.equals(frame.subarray(START_ID_AT, COUNTER_AT));
  }

  /** The kind that the header claims; proved only by `open`. */
  claimedKind(frame: Uint8Array): number | undefined {
    return frame[0] === FRAME_VERSION ? frame[KIND_AT] : undefined;
  }

  /**
   * Opens a frame that came on `subject` with `reply`. Counts and logs what it refuses.
   * @param copiesExpected  NATS itself brings this frame more than once, so that a second one is no news
   */
  open(octets: Uint8Array, subject: string, reply: string, copiesExpected = false): Result<OpenedFrame, FrameRefusal> {
    const frame = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    if (frame.length === 0) return this.#refuse('truncated', subject);
    if (frame[0] !== FRAME_VERSION) return this.#refuse('version', subject, { theirs: frame[0], ours: FRAME_VERSION });
    if (frame.length < FRAME_OVERHEAD) return this.#refuse('truncated', subject);
    const counter = frame.readUInt32BE(COUNTER_AT) * 2 ** 32 + frame.readUInt32BE(COUNTER_AT + 4);
    if (counter === 0 || counter > Number.MAX_SAFE_INTEGER) return this.#refuse('forged', subject);
    const id = frame.toString('latin1', START_ID_AT, COUNTER_AT);
    const known = this.#senders.get(id);
    if (known && !known.window.isFresh(counter)) {
      return copiesExpected ? refuse('replayed') : this.#refuse('replayed', subject);
    }
    const key = known?.key ?? senderKey(this.#options.key, frame.subarray(START_ID_AT, COUNTER_AT));
    const body = decrypt(key, this.#nonceOf(frame), associated(frame, subject, reply), frame);
    if (body === undefined) return this.#refuse('forged', subject);
    const ageMs = this.#options.clock.wall() - frame.readUIntBE(SENT_AT, KIND_AT - SENT_AT);
    if (Math.abs(ageMs) > MAX_FRAME_AGE_MS) return this.#refuse('stale', subject, { ageMs });
    this.#remember(id, known ?? { key, window: new ReplayWindow() }).window.mark(counter);
    return accept({ kind: frame[KIND_AT] as Kind, body }); // authenticated, so one that a node of this version wrote
  }

  /** Moves the sender to the young end, and drops the oldest. Called for authenticated frames only: forgers evict nobody. */
  #remember(id: string, sender: Sender): Sender {
    this.#senders.delete(id);
    this.#senders.set(id, sender);
    if (this.#senders.size > MAX_SENDERS) this.#senders.delete(this.#senders.keys().next().value!);
    return sender;
  }

  #nonceOf(frame: Buffer): Buffer {
    frame.copy(this.#nonce, NONCE_OCTETS - 8, COUNTER_AT, COUNTER_AT + 8);
    return this.#nonce;
  }

  #refuse(refusal: FrameRefusal, subject: string, fields?: Readonly<Record<string, unknown>>) {
    this.#refused[refusal] += 1;
    const count = this.#refused[refusal];
    const now = this.#options.clock.monotonic();
    const last = this.#lastWarned.get(refusal);
    if (last === undefined || now - last.at >= WARN_EVERY_MS) {
      this.#lastWarned.set(refusal, { at: now, count });
      this.#options.log.warn('bus frame refused', { refusal, subject, since: count - (last?.count ?? 0), ...fields });
    }
    return refuse(refusal);
  }
}

const senderKey = (framesKey: Uint8Array, startId: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', framesKey, startId, 'homing frame sender', 32));

/** Subjects hold no blanks, so no two different frames have the same text. */
function associated(frame: Buffer, subject: string, reply: string): Buffer {
  const sentAt = frame.readUIntBE(SENT_AT, KIND_AT - SENT_AT);
  return Buffer.from(`${frame[0]} ${frame[KIND_AT]} ${sentAt} ${subject} ${reply}`, 'utf8');
}

function decrypt(key: Uint8Array, nonce: Buffer, aad: Buffer, frame: Buffer): Uint8Array | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_OCTETS });
  decipher.setAAD(aad);
  decipher.setAuthTag(frame.subarray(frame.length - TAG_OCTETS));
  const body = decipher.update(frame.subarray(HEADER_OCTETS, frame.length - TAG_OCTETS));
  try {
    decipher.final();
  } catch {
    return undefined; // the tag does not match: the one thing that final() checks
  }
  return asPlainOctets(body);
}

/** A Buffer's `slice` aliases where Uint8Array's copies; what leaves this file is the plain kind. */
const asPlainOctets = (octets: Uint8Array): Uint8Array =>
  new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);

/** No record structures: shared between peers they would silently decode to wrong field names. */
const packr = new Packr({ useRecords: false, useBigIntExtension: true });

/** @throws on what is not plain data, where msgpackr notices */
export const encode = (value: unknown): Uint8Array => packr.pack(value);

/**
 * Octets within the value are views of `octets`: copy what outlives them.
 * @throws on what `encode` did not write; give it only what was authenticated
 */
export const decode = (octets: Uint8Array): unknown => packr.unpack(asPlainOctets(octets));

/** What `value` would be after a passage through a frame; throws on what is not plain data, where NATS would change it. */
export function throughFrame(value: unknown): unknown {
  assertPlain(value, 'value');
  const octets = encode(value);
  if (octets.length > MAX_MESSAGE) throw new RangeError(`a message of ${octets.length} octets; at most ${MAX_MESSAGE}`);
  return decode(octets.slice());
}

function assertPlain(value: unknown, where: string): void {
  if (value === null || value === undefined || value instanceof Uint8Array) return;
  const type = typeof value;
  if (type === 'boolean' || type === 'number' || type === 'bigint' || type === 'string') return;
  if (type !== 'object') throw new TypeError(`${where}: a ${type} is not plain data and can't cross the bus`);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertPlain(item, `${where}[${index}]`);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (value as object).constructor?.name ?? 'object';
    throw new TypeError(`${where}: a ${name} is not plain data and can't cross the bus`);
  }
  for (const [key, item] of Object.entries(value)) assertPlain(item, `${where}.${key}`);
}

const VALUE_VERSION = 1;
const VALUE_HEADER_OCTETS = 1 + NONCE_OCTETS;

/** `version` of another layout; `forged` too short, another key or name, or changed since it was sealed. */
export type ValueRefusal = 'version' | 'forged';

/**
 * Seals a value that rests under `name`: `version 1 | nonce 12 | ciphertext | tag 16`; moved to another name it won't open.
 * @param key  `ClusterKeys.values`; with random nonces good for 2^32 values (NIST SP 800-38D §8.3)
 */
export function sealValue(
  key: Uint8Array,
  name: string,
  value: unknown,
  random: (octets: number) => Uint8Array = randomBytes,
): Uint8Array {
  const nonce = random(NONCE_OCTETS);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(`${VALUE_VERSION} ${name}`, 'utf8'));
  const sealed = cipher.update(encode(value));
  cipher.final();
  return asPlainOctets(Buffer.concat([Buffer.of(VALUE_VERSION), nonce, sealed, cipher.getAuthTag()]));
}

/** Opens what `sealValue` sealed under the same name. */
export function openValue(key: Uint8Array, name: string, sealed: Uint8Array): Result<unknown, ValueRefusal> {
  if (sealed.length < VALUE_HEADER_OCTETS + TAG_OCTETS) return refuse('forged');
  if (sealed[0] !== VALUE_VERSION) return refuse('version');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, VALUE_HEADER_OCTETS), {
    authTagLength: TAG_OCTETS,
  });
  decipher.setAAD(Buffer.from(`${VALUE_VERSION} ${name}`, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_OCTETS));
  const octets = decipher.update(sealed.subarray(VALUE_HEADER_OCTETS, sealed.length - TAG_OCTETS));
  try {
    decipher.final();
  } catch {
    return refuse('forged');
  }
  return accept(decode(octets));
}
