/**
 * One message to several recipients, whose mailboxes several owners may keep: the content flows once, each owner gets it
 * at the pace of the slowest, and each recipient has an answer of its own. One owner that fails takes no other with it.
 * Knows no protocol. Holds a few parts of the content, never all of it.
 */
import { createHash } from 'node:crypto';
import { type Result, refuse } from '../kernel/result.ts';
import type { Log } from '../telemetry/log.ts';
import type { Content, Delivered, DeliverRecipient } from './mailbox-owner/requests.ts';
import type { MailboxSession } from './mailbox-session.ts';

/** A recipient and the mailHost that keeps its mail. */
export type Destination = DeliverRecipient & { readonly mailHost: string };

/**
 * `over-quota` this recipient has no room; `too-large-for-user` it takes no message so large; `full` the owner has no room;
 * `unavailable` the owner could not be asked, and may rarely have delivered all the same (mailbox-session.ts); the rest is
 * `Standing`'s. An accepted delivery is durable, and there once.
 */
export type DeliveryRefusal =
  | 'over-quota'
  | 'too-large-for-user'
  | 'full'
  | 'unavailable'
  | 'no-such-user'
  | 'disabled';
export type DeliveryOutcome = Result<{ readonly uid: number; readonly sequence: number }, DeliveryRefusal>;

/** Why a recipient that was there when it was named is not to be delivered to now; undefined: it is. */
export type Standing = (recipient: Destination) => 'no-such-user' | 'disabled' | 'unavailable' | undefined;

/** Where open delivery sessions come from (front/delivery-sessions.ts). */
export type Sessions = {
  borrow(mailHost: string): Promise<MailboxSession | undefined>;
  giveBack(session: MailboxSession): void;
  discard(session: MailboxSession): void;
  nextStage(): string;
};

export type DeliveryContext = {
  readonly sessions: Sessions;
  /** The size of all parts of a staged body but its last; a body that fits one is sent with the delivery. */
  readonly chunkOctets: number;
  readonly log: Log;
};

/** Parts on their way at once: hides the owner's fsync and the round trip, at some chunks of memory. */
const PARTS_IN_FLIGHT = 4;

/**
 * Reads `content` to its end, then delivers.
 * @param content  pieces may be overwritten once the next is pulled; if it throws, nothing is delivered and so does this
 * @param standing  asked for each recipient when all content has come, just before the owners are asked to deliver
 * @returns one outcome a recipient, in their order
 */
export async function deliver(
  context: DeliveryContext,
  recipients: readonly Destination[],
  content: AsyncIterable<Uint8Array>,
  standing: Standing = () => undefined,
): Promise<readonly DeliveryOutcome[]> {
  const shares = [...new Set(recipients.map((each) => each.mailHost))].map(
    (mailHost) =>
      new Share(
        context,
        mailHost,
        recipients.filter((each) => each.mailHost === mailHost),
      ),
  );
  let body: Content;
  try {
    body = await spread(context, shares, content);
  } catch (lost) {
    for (const share of shares) void share.abandon();
    throw lost;
  }
  const outcomes = new Map<Destination, DeliveryOutcome>();
  await Promise.all(shares.map((share) => share.deliver(body, outcomes, standing)));
  return recipients.map((each) => outcomes.get(each)!);
}

/** Sends the content on as it comes, and says what it was. */
async function spread(
  { chunkOctets, sessions }: DeliveryContext,
  shares: readonly Share[],
  content: AsyncIterable<Uint8Array>,
): Promise<Content> {
  const hash = createHash('sha256');
  const parts = new Parts(chunkOctets);
  const stage = sessions.nextStage();
  const underWay: Promise<unknown>[] = [];
  let sizeOctets = 0;
  let index = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    if (underWay.length === PARTS_IN_FLIGHT) await underWay.shift();
    const at = index++;
    underWay.push(Promise.all(shares.map((share) => share.stage(stage, at, bytes))));
  };
  for await (const bytes of content) {
    hash.update(bytes);
    sizeOctets += bytes.length;
    for (const part of parts.add(bytes)) await put(part);
  }
  const last = parts.rest();
  if (index === 0) return { kind: 'inline', bytes: last, sha256: hash.digest('hex') };
  await put(last);
  await Promise.all(underWay);
  return { kind: 'staged', stage, sizeOctets, sha256: hash.digest('hex') };
}

/** What one owner has to do with the message. Nothing here throws: what breaks is this owner's share alone. */
class Share {
  readonly #context: DeliveryContext;
  readonly #mailHost: string;
  readonly #recipients: readonly Destination[];
  readonly #session: Promise<MailboxSession | undefined>;
  #refusal: DeliveryRefusal | undefined;
  #hasStaged = false;

  constructor(context: DeliveryContext, mailHost: string, recipients: readonly Destination[]) {
    this.#context = context;
    this.#mailHost = mailHost;
    this.#recipients = recipients;
    this.#session = context.sessions.borrow(mailHost).catch((fault) => {
      this.#log('no session', fault);
      return undefined;
    });
  }

  /** Settles when the owner has the part, or will get no more of this body. */
  async stage(stage: string, index: number, bytes: Uint8Array): Promise<void> {
    await this.#unlessRefused(async (session) => {
      this.#hasStaged = true;
      const staged = await session.stage(stage, index, bytes);
      if (staged.ok || this.#refusal !== undefined) return;
      // The first refusal is the reason. The parts behind it would be asked for as long as patience lasts, for they have
      // overtaken this one: leaving the session ends that.
      this.#refusal = staged.refusal === 'full' ? 'full' : 'unavailable';
      void session.close();
    });
  }

  async deliver(content: Content, outcomes: Map<Destination, DeliveryOutcome>, standing: Standing): Promise<void> {
    let asked = this.#recipients;
    await this.#unlessRefused(async (session) => {
      asked = withoutFallen(this.#recipients, standing, outcomes);
      if (asked.length === 0) return;
      const recipients = asked.map(({ mailHost: _here, ...recipient }) => recipient);
      const delivered = await session.deliver(content, recipients);
      if (!delivered.ok) this.#refusal = delivered.refusal === 'full' ? 'full' : 'unavailable';
      else for (const [index, each] of asked.entries()) outcomes.set(each, toSender(delivered.value[index]!));
    });
    const refusal = this.#refusal;
    if (refusal !== undefined) for (const each of asked) outcomes.set(each, refuse(refusal));
    const session = await this.#session;
    if (session === undefined) return;
    const leavesParts = this.#hasStaged && asked.length === 0;
    if (refusal === undefined && !leavesParts) this.#context.sessions.giveBack(session);
    else this.#context.sessions.discard(session);
  }

  /** The content was lost: what was staged of it goes with the session. */
  async abandon(): Promise<void> {
    this.#refusal = 'unavailable';
    const session = await this.#session;
    if (session === undefined) return;
    if (this.#hasStaged) this.#context.sessions.discard(session);
    else this.#context.sessions.giveBack(session);
  }

  async #unlessRefused(act: (session: MailboxSession) => Promise<void>): Promise<void> {
    const session = await this.#session;
    if (session === undefined) this.#refusal ??= 'unavailable';
    if (session === undefined || this.#refusal !== undefined) return;
    try {
      await act(session);
    } catch (fault) {
      this.#log('a delivery broke', fault, session.id);
      this.#refusal ??= 'unavailable';
    }
  }

  #log(message: string, fault: unknown, session?: string): void {
    this.#context.log.error(message, { mailHost: this.#mailHost, ...(session && { session }), fault });
  }
}

/** A mailbox that must be there and is not is an address that nobody has: more is not told. */
function toSender(outcome: Delivered[number]): DeliveryOutcome {
  if (outcome.ok) return outcome;
  return refuse(outcome.refusal === 'no-such-mailbox' ? 'no-such-user' : outcome.refusal);
}

/** Those that still stand; the others have their outcome at once. */
function withoutFallen(
  recipients: readonly Destination[],
  standing: Standing,
  outcomes: Map<Destination, DeliveryOutcome>,
): readonly Destination[] {
  return recipients.filter((each) => {
    const fault = standing(each);
    if (fault !== undefined) outcomes.set(each, refuse(fault));
    return fault === undefined;
  });
}

/** Cuts what flows by into parts of one size; holds at most one. */
export class Parts {
  readonly #size: number;
  #held: Buffer;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
    this.#held = Buffer.allocUnsafeSlow(Math.min(size, 8 * 1024)); // most messages are small
  }

  /** Full parts, each given out only when more follows it: the last part, full or not, is `rest`. */
  *add(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#length === this.#size) {
        yield this.#held;
        this.#held = Buffer.allocUnsafeSlow(this.#size);
        this.#length = 0;
      }
      const take = Math.min(bytes.length - at, this.#size - this.#length);
      this.#makeRoom(take);
      this.#held.set(bytes.subarray(at, at + take), this.#length);
      this.#length += take;
      at += take;
    }
  }

  rest(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }

  #makeRoom(octets: number): void {
    if (this.#length + octets <= this.#held.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(2 * this.#held.length, this.#length + octets)));
    larger.set(this.#held.subarray(0, this.#length));
    this.#held = larger;
  }
}
