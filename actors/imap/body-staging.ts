/**
 * Bodies on their way to an owner that is to append them: what fits one chunk waits here and goes with the request, what is
 * larger flows part by part as it comes. Holds a few parts of one body, and never all of it. Knows no command.
 */
import { createHash } from 'node:crypto';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { CHUNK_OCTETS } from '../../store/blob.ts';
import { Parts } from '../delivery.ts';
import type { Content, StageLimit } from '../mailbox-owner/requests.ts';
import type { SessionRefusal } from '../mailbox-session.ts';
import type { OwnerSession } from './services.ts';

/** Octets that wait here together, and go in one request: half of what the bus carries. */
const MOST_INLINE_OCTETS = 512 * 1024;
/** Parts on their way at once: hides the owner's fsync and the round trip. */
const PARTS_IN_FLIGHT = 4;

export class BodyStaging {
  readonly #owner: OwnerSession;
  readonly #nextStage: () => string;
  readonly #within: StageLimit | undefined;
  readonly #stages: Stage[] = [];
  #inlineOctets = 0;

  /**
   * For the bodies of one request.
   * @param within  whose they are to be; absent: there is no limit
   */
  constructor(owner: OwnerSession, nextStage: () => string, within?: StageLimit) {
    this.#owner = owner;
    this.#nextStage = nextStage;
    this.#within = within;
  }

  /** @param octets  pieces may be overwritten once the next is pulled; left early when refused. What it throws, this throws. */
  async store(octets: AsyncIterable<Uint8Array>): Promise<Result<Content, StageRefusal>> {
    const hash = createHash('sha256');
    const parts = new Parts(CHUNK_OCTETS);
    const staging = new Stage(this.#owner, this.#nextStage(), this.#within);
    this.#stages.push(staging);
    let sizeOctets = 0;
    for await (const bytes of octets) {
      hash.update(bytes);
      sizeOctets += bytes.length;
      for (const part of parts.add(bytes)) await staging.put(part);
      if (staging.refusal !== undefined) return refuse(staging.refusal);
    }
    const last = parts.rest();
    if (!staging.isBegun && this.#inlineOctets + last.length <= MOST_INLINE_OCTETS) {
      this.#inlineOctets += last.length;
      return accept({ kind: 'inline', bytes: last, sha256: hash.digest('hex') });
    }
    await staging.put(last);
    await staging.settled();
    if (staging.refusal !== undefined) return refuse(staging.refusal);
    return accept({ kind: 'staged', stage: staging.name, sizeOctets, sha256: hash.digest('hex') });
  }

  /** The request was made, and what was staged is used up. */
  kept(): void {
    this.#stages.length = 0;
  }

  /**
   * The request will not be made: nothing of it is to lie at the owner as long as the session lasts. Resolves when the owner
   * has heard, or can't be told; what it then still has goes with the session.
   */
  async drop(): Promise<void> {
    const begun = this.#stages.splice(0).filter(({ isBegun }) => isBegun);
    if (begun.length === 0) return;
    // A part that came after would begin the stage anew.
    await Promise.allSettled(begun.map((stage) => stage.settled()));
    await this.#owner.dropStages(begun.map(({ name }) => name));
  }
}

type StageRefusal = SessionRefusal | 'full' | 'over-quota';

class Stage {
  readonly name: string;
  readonly #owner: OwnerSession;
  readonly #within: StageLimit | undefined;
  readonly #underWay: Promise<void>[] = [];
  #index = 0;
  refusal: StageRefusal | undefined;

  constructor(owner: OwnerSession, name: string, within: StageLimit | undefined) {
    this.#owner = owner;
    this.name = name;
    this.#within = within;
  }

  get isBegun(): boolean {
    return this.#index > 0;
  }

  /** @param part  is not changed any more; waits while enough others are under way */
  async put(part: Uint8Array): Promise<void> {
    if (this.#underWay.length === PARTS_IN_FLIGHT) await this.#underWay.shift();
    if (this.refusal !== undefined) return;
    const sent = this.#send(this.#index++, part);
    sent.catch(() => undefined); // it is awaited in its turn
    this.#underWay.push(sent);
  }

  async #send(index: number, part: Uint8Array): Promise<void> {
    const staged = await this.#owner.stage(this.name, index, part, this.#within);
    if (!staged.ok) this.refusal ??= staged.refusal;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
