/**
 * What owners publish of the accounts that sessions here look at (actors/mailbox-owner/event.ts): one subscription for each
 * account in use, however many sessions look. Tells `lost` where something may have been missed: before the subscription stood,
 * and while this node was cut off.
 */
import type { Bus, Service } from '../../cluster/bus/bus.ts';
import type { Subjects } from '../../cluster/subjects.ts';
import type { Log } from '../../telemetry/log.ts';
import type { ChangeEvent } from '../mailbox-owner/event.ts';

export type ChangeListener = (event: ChangeEvent | 'lost') => void;

export class ChangeWatch {
  readonly #bus: Bus;
  readonly #subjects: Subjects;
  readonly #log: Log;
  readonly #watched = new Map<string, Watched>();
  readonly #connection: Service;

  constructor({ bus, subjects, log }: { readonly bus: Bus; readonly subjects: Subjects; readonly log: Log }) {
    this.#bus = bus;
    this.#subjects = subjects;
    this.#log = log;
    this.#connection = bus.onConnection((connected) => {
      if (connected) for (const watched of this.#watched.values()) watched.lose();
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
      watched = new Watched(this.#bus, [subject, this.#subjects.changedOwner(mailHost)], this.#log);
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
  readonly #log: Log;
  readonly #listeners = new Set<ChangeListener>();
  /** The newest event of each mailbox. */
  readonly #newest = new Map<number, ChangeEvent>();
  readonly #services: Promise<readonly Service[]>;
  #stands = false;
  #isOver = false;

  constructor(bus: Bus, subjects: readonly string[], log: Log) {
    this.#log = log;
    // Casts below: only nodes of this cluster can speak on the bus, and event.ts is what owners speak there.
    this.#services = Promise.all(
      subjects.map((subject) => bus.subscribe(subject, (message) => this.#hear(message as ChangeEvent))),
    );
    this.#services.then(
      () => {
        this.#stands = true;
        this.lose();
      },
      (fault: unknown) => {
        if (!this.#isOver) log.warn('no news of an account', { fault });
      },
    );
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

  lose(): void {
    this.#tell('lost');
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#services
      .then((services) => Promise.all(services.map((each) => each.stop())))
      .catch((fault: unknown) => this.#log.debug('a subscription did not end cleanly', { fault }));
  }

  #hear(event: ChangeEvent): void {
    if (event.kind === 'messages') this.#newest.set(event.mailbox, event);
    this.#tell(event);
  }

  #tell(event: ChangeEvent | 'lost'): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
