/**
 * What all sessions together have been told of one mailbox, and what may never contradict: a UID is one message for ever, a
 * message under one mod-sequence has one set of flags, both only rise, and what was told as gone stays so. RFC 9051 §2.3.1,
 * RFC 7162 §3.1. What can only be judged once everything is known is kept as a claim, and judged at the end.
 */

/** `\Seen $one` in one order, without what is a session's own. */
export const flagsOf = (flags: Iterable<string>): string =>
  [...flags]
    .filter((flag) => flag !== '\\Recent')
    .sort()
    .join(' ');

/** What stood when a command began: an answer may be newer, never older. */
export type Floor = { readonly modSeq: number; readonly uid: number; readonly at: number };

export class Ledger {
  /** Lines of the whole game, in order. */
  readonly history: string[] = [];
  /** Everything was answered; otherwise some of what follows can't be known. */
  isComplete = true;
  uidValidity: string | undefined;
  highestModSeq = 0;
  highestUid = 0;
  /** UIDs that came into being here and were told of by whoever made them, with the time. */
  readonly assigned = new Map<number, number>();
  /** The time at which somebody first heard that it is gone. */
  readonly gone = new Map<number, number>();
  /** Somebody gave it \Deleted, or moved it away. */
  readonly #endangered = new Set<number>();
  /** Somebody set all its flags at once: what keywords it has is no single session's doing. */
  readonly replaced = new Set<number>();
  readonly #states = new Map<string, string>();
  readonly #modSeqs = new Map<number, { readonly modSeq: number; readonly at: number }[]>();
  readonly #names = new Map<number, string>();
  readonly #copies: { readonly from: number; readonly to: number }[] = [];
  readonly #claims: { readonly uid: number; readonly what: string }[] = [];
  #time = 0;

  /** The time goes on with each thing said. */
  note(line: string): void {
    this.#time++;
    this.history.push(line);
  }

  get time(): number {
    return this.#time;
  }

  floor(): Floor {
    return { modSeq: this.highestModSeq, uid: this.highestUid, at: this.#time };
  }

  /** A command that may end this message is on its way. */
  endanger(uids: Iterable<number>): void {
    for (const uid of uids) this.#endangered.add(uid);
  }

  /** A message came into being. @param name  its Subject, where that is known */
  assign(uid: number, name: string | undefined, since: Floor): void {
    must(!this.assigned.has(uid), `UID ${uid} is given a second time`);
    must(uid > since.uid, `UID ${uid} is given after ${since.uid}`);
    this.assigned.set(uid, this.#time);
    this.sawUid(uid);
    if (name !== undefined) this.name(uid, name);
  }

  copy(from: number, to: number, since: Floor): void {
    this.assign(to, this.#names.get(from), since);
    this.#copies.push({ from, to });
  }

  sawUid(uid: number): void {
    this.highestUid = Math.max(this.highestUid, uid);
  }

  /** RFC 9051 §2.3.1.1: the message of a UID never changes. */
  name(uid: number, name: string): void {
    const known = this.#names.get(uid);
    must(known === undefined || known === name, `UID ${uid} is ${name}, and was ${known}`);
    this.#names.set(uid, name);
  }

  nameOf(uid: number): string | undefined {
    return this.#names.get(uid);
  }

  /** RFC 7162 §3.1: each change has a mod-sequence of its own. */
  state(uid: number, modSeq: number, flags: string): void {
    const key = `${uid} ${modSeq}`;
    const known = this.#states.get(key);
    must(known === undefined || known === flags, `UID ${uid} at ${modSeq} has (${flags}), and had (${known})`);
    this.#states.set(key, flags);
  }

  /** Somebody was shown this of the message. */
  sawModSeq(uid: number, modSeq: number): void {
    this.highestModSeq = Math.max(this.highestModSeq, modSeq);
    const seen = this.#modSeqs.get(uid) ?? [];
    if (modSeq > (seen.at(-1)?.modSeq ?? 0)) this.#modSeqs.set(uid, [...seen, { modSeq, at: this.#time }]);
  }

  /** The highest that anybody was shown before that time: a read that begins then shows no lower one. */
  modSeqAt(uid: number, at: number): number {
    return this.#modSeqs.get(uid)?.findLast((each) => each.at <= at)?.modSeq ?? 0;
  }

  vanish(uid: number): void {
    if (!this.gone.has(uid)) this.gone.set(uid, this.#time);
    this.claimGone(uid, `UID ${uid} is told as gone`);
  }

  isGoneAt(uid: number, at: number): boolean {
    return (this.gone.get(uid) ?? Infinity) <= at;
  }

  /** To be judged at the end: it was treated as gone, so somebody must have had it removed. */
  claimGone(uid: number, what: string): void {
    this.#claims.push({ uid, what });
  }

  /** @param truth  the UIDs that are there when all is over */
  judge(truth: ReadonlySet<number>): void {
    for (const uid of truth) {
      must(!this.gone.has(uid), `UID ${uid} was told as gone, and is there`);
      if (this.isComplete) must(this.assigned.has(uid), `UID ${uid} came from nowhere`);
    }
    if (!this.isComplete) return;
    // A copy has \Deleted as its original did, which may be a copy that was heard of later.
    for (const { from, to } of this.#copies.toSorted((one, other) => one.to - other.to))
      if (this.#endangered.has(from)) this.#endangered.add(to);
    for (const { uid, what } of this.#claims) {
      must(this.#endangered.has(uid), `${what}, and nobody removed it`);
      must(!truth.has(uid), `${what}, and it is there`);
    }
    for (const uid of this.assigned.keys()) {
      must(truth.has(uid) || this.#endangered.has(uid), `UID ${uid} is not there, and nobody removed it`);
    }
  }
}

/** What a server may not do was done. */
export class Violation extends Error {}

export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Violation(otherwise);
}
