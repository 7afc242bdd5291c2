/**
 * What owners publish of the accounts that sessions here look at (actors/mailbox-owner/event.ts): one subscription for each
 * account in use, however many sessions look. Tells `lost` where something may have been missed: before the subscription stood,
 * and while this node was cut off.
 */
import type { Bus, Service } from '../../cluster/bus/bus.ts';
import type { Subjects } from '../../cluster/subjects.ts';
import { type Clock, pause } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { ChangeEvent } from '../mailbox-owner/event.ts';

export type ChangeListener = (event: ChangeEvent | 'lost') => void;

type WatchParts = { readonly bus: Bus; readonly clock: Clock; readonly log: Log };

/** Between tries to subscribe; each pause is twice the one before. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export class ChangeWatch {
  readonly #parts: WatchParts;
  readonly #subjects: Subjects;
  readonly #watched = new Map<string, Watched>();
  readonly #connection: Service;

  constructor({ bus, subjects, clock, log }: WatchParts & { readonly subjects: Subjects }) {
    this.#parts = { bus, clock, log };
    this.#subjects = subjects;
    this.#connection = bus.onConnection((connected) => {
      if (connected) for (const watched of this.#watched.values()) watched.reconnected();
    });
  }

  /**
   * Tells of the account's mailboxes on that mailHost, in turns of their own, the last of each mailbox that is known at once: what
   * happened while a mailbox was being read may have been told before its reader listened.
   * @returns ends it
   */
  watch(mailHost: string, account: string, listener: ChangeListener): () => void {
    const subject = this.#subjects.changed(mailHost, account);
    let watched = this.#watched.get(subject);
    if (watched === undefined) {
      watched = new Watched(this.#parts, [subject, this.#subjects.changedOwner(mailHost)]);
      this.#watched.set(subject, watched);
    }
    const there = watched;
    there.add(listener);
    return () => {
      if (there.remove(listener) && this.#watched.get(subject) === there) this.#watched.delete(subject);
    };
  }

  /** Of how many accounts; for tests. */
  get size(): number {
    return this.#watched.size;
  }

  async stop(): Promise<void> {
    await this.#connection.stop();
    for (const watched of this.#watched.values()) watched.end();
    this.#watched.clear();
  }
}

class Watched {
  readonly #parts: WatchParts;
  readonly #subjects: readonly string[];
  readonly #listeners = new Set<ChangeListener>();
  /** The newest event of each mailbox. */
  readonly #newest = new Map<number, ChangeEvent>();
  #services: readonly Service[] = [];
  #stands = false;
  #isOver = false;
  /** Wakes who waits to try again. */
  #again: AbortController | undefined;

  constructor(parts: WatchParts, subjects: readonly string[]) {
    this.#parts = parts;
    this.#subjects = subjects;
    void this.#begin();
  }

  add(listener: ChangeListener): void {
    this.#listeners.add(listener);
    if (!this.#stands) return; // it hears `lost` when that is so
    const known = [...this.#newest.values()];
    if (known.length === 0) return;
    queueMicrotask(() => {
      for (const event of known) if (this.#listeners.has(listener)) listener(event);
    });
  }

  /** @returns whether nobody listens any more */
  remove(listener: ChangeListener): boolean {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return false;
    this.end();
    return true;
  }

  /** This node is in touch with the others again: something may have been missed, or can be subscribed to now. */
  reconnected(): void {
    if (this.#stands) this.#tell('lost');
    else this.#again?.abort();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#again?.abort();
    void this.#stop(this.#services);
    this.#services = [];
  }

  /** Tries until it stands: until then nobody hears of changes, who looks all the same is told when it does. */
  async #begin(): Promise<void> {
    const { clock, log } = this.#parts;
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isOver; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const fault = await this.#subscribe();
      if (fault === undefined || this.#isOver) return;
      log.warn('no news of an account yet', { fault, againInMs: pauseMs });
      this.#again = new AbortController();
      await pause(clock, pauseMs, this.#again.signal).catch(() => {}); // only we abort it
      this.#again = undefined;
    }
  }

  /** All of the subjects or none. @returns why not */
  async #subscribe(): Promise<unknown> {
    // Casts below: only nodes of this cluster can speak on the bus, and event.ts is what owners speak there.
    const tried = await Promise.allSettled(
      this.#subjects.map(async (subject) =>
        this.#parts.bus.subscribe(subject, (message) => this.#hear(message as ChangeEvent)),
      ),
    );
    const services = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const failed = tried.find((each) => each.status === 'rejected');
    if (failed !== undefined || this.#isOver) {
      await this.#stop(services);
      return failed?.reason;
    }
    this.#services = services;
    this.#stands = true;
    this.#tell('lost');
    return undefined;
  }

  async #stop(services: readonly Service[]): Promise<void> {
    try {
      await Promise.all(services.map((each) => each.stop()));
    } catch (fault) {
      this.#parts.log.debug('a subscription did not end cleanly', { fault });
    }
  }

  #hear(event: ChangeEvent): void {
    if (this.#isOver) return;
    if (event.kind === 'messages') this.#newest.set(event.mailbox, event);
    this.#tell(event);
  }

  #tell(event: ChangeEvent | 'lost'): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
