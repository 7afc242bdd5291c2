/**
 * This node's life in the bucket: registered, heard, fresh; cut off and back; and what it does when the bucket went back
 * (docs/architecture.md, "Directory and passwords").
 *
 * One session is one unbroken watch, begun where the bucket was proven to be the one this mirror knows. Heartbeats are
 * compare-and-set on this node's own last one; only a heartbeat that its own watch told makes the node fresh. Whatever is
 * odd (a conflict, a revision that does not rise, a new generation) ends the session, and the next one finds out by sweeping.
 */
import type { Service } from '../bus/bus.ts';
import { BucketFault, type Entry, type WatchEvent } from '../directory/bucket.ts';
import type { Held } from '../directory/mirror.ts';
import { type ClusterSettings, keys, LEASES, NODES, type Registration } from '../directory/records.ts';
import { mend, type RepairOptions } from '../directory/repair.ts';
import { abortable, elapsedMs, type Moment, momentOf, waitUntil } from './elapsed.ts';
import { Heartbeats } from './heartbeats.ts';
import { createHurry, type Hurry } from './hurry.ts';
import { createListeners } from './listeners.ts';
import { createObservation, type Observation } from './observation.ts';
import { claimName, type NodeSessionOptions, removeDead, SessionOver, sealUpon, standing } from './registration.ts';

export class NodeSession {
  readonly #options: NodeSessionOptions;
  readonly #repair: RepairOptions;
  readonly #ownKey: string;
  readonly #observation: Observation;
  readonly #changed;
  readonly #services: Service[];
  #ended: Promise<void> | undefined;
  readonly #stop = new AbortController();
  /** Ends the session that runs. */
  #ending = new AbortController();
  readonly #hurry: Hurry;

  /** Up to when this node's mirror is known to be whole; undefined: it may be anything. */
  #freshAsOf: Moment | undefined;
  #settings: ClusterSettings | undefined;
  #isLeaving = false;
  #isLive = false;
  #heartbeats = new Heartbeats();
  #lastBeatBegun = Number.NEGATIVE_INFINITY;
  #version = 0;
  #ackedVersion = 0;
  /** Our newest entry in the bucket, as far as we know. */
  #ownRevision = 0;
  #ownSealed: Uint8Array | undefined;
  #firstBeat = 0;
  /** Nodes registered when this session caught up that were not yet heard to have swept this generation. */
  #awaited = new Set<string>();
  #isWhole = false;
  /** Why the bucket is known to have gone back, and the generation that must be outgrown before any login. */
  #wentBack: { readonly reason: string; readonly generation: number } | undefined;
  #repairing: Promise<void> | undefined;

  constructor(options: NodeSessionOptions) {
    const { clock, log, mirror, timing } = options;
    this.#options = options;
    this.#repair = { ...options, ...timing };
    this.#ownKey = keys.node(options.me);
    this.#observation = createObservation(clock, 2.5 * timing.heartbeatMs);
    this.#changed = createListeners<void>(log);
    this.#hurry = createHurry(clock, log);
    this.#settings = mirror.get(keys.settings)?.record.value as ClusterSettings | undefined;
    this.#services = [mirror.onMoved(() => this.#changed.tell()), mirror.onFollowed((held) => this.#follow(held))];
  }

  /** Begins; runs until `leave` or `close`. */
  start(): void {
    this.#ended ??= this.#run(this.#stop.signal);
  }

  /** `directory-max-stale`; undefined before the mirror has the settings. */
  maxStaleMs(): number | undefined {
    return this.#settings?.maxStaleMs;
  }

  /** May a login be answered from the mirror in this very turn? */
  isFresh(): boolean {
    const maxStaleMs = this.maxStaleMs();
    if (this.#freshAsOf === undefined || maxStaleMs === undefined) return false;
    return elapsedMs(this.#options.clock, this.#freshAsOf) <= maxStaleMs;
  }

  /** Is the watch unbroken and caught up, so that what other nodes write is seen? */
  isLive(): boolean {
    return this.#isLive;
  }

  async freshen(timeoutMs: number): Promise<boolean> {
    if (this.isFresh()) return true;
    if (this.#isLeaving || !this.#ended) return false;
    this.#hurry.now();
    return waitUntil(
      this.#options.clock,
      (listener) => this.onChanged(listener),
      () => this.isFresh(),
      timeoutMs,
    );
  }

  /** How long a key of another node has stood unchanged before this node's eyes; 0 while it can't see. */
  unchangedMs(key: string): number {
    return this.#isLive ? this.#observation.unchangedMs(key) : 0;
  }

  /** Something moved: the mirror, freshness, or the session. */
  onChanged(listener: () => void): Service {
    return this.#changed.add(listener);
  }

  /** Stops logins, then deregisters, then ends. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#doubt();
    await this.#halt();
    if (this.#ownRevision === 0) return;
    const record = { version: this.#version + 1, at: this.#options.clock.wall(), by: this.#options.startId };
    try {
      const tombstone = { ...record, after: this.#ownRevision };
      const sealed = sealUpon(this.#options.seal, this.#ownKey, tombstone, this.#ownSealed);
      await this.#write(this.#ownKey, sealed, this.#ownRevision);
    } catch (error) {
      if (!(error instanceof BucketFault)) throw error;
      this.#options.log.warn('left without deregistering; the others will find out', { reason: error.message });
    }
  }

  /** Ends and leaves the registration as it is. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#doubt();
    await this.#halt();
  }

  async #halt(): Promise<void> {
    this.#stop.abort(new SessionOver('stopped'));
    await this.#ended;
    await Promise.all(this.#services.map((service) => service.stop()));
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { log, timing } = this.#options;
    while (!signal.aborted) {
      let pauseMs = timing.retryMs;
      try {
        await this.#session(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof SessionOver) pauseMs = timing.retryMs / 5;
        if (error instanceof SessionOver) log.warn('directory session ended', { reason: error.message });
        else if (error instanceof BucketFault) log.debug('directory session ended', { reason: error.message });
        else log.error('directory session failed', { error });
      } finally {
        this.#isLive = false;
        this.#observation.pause();
        this.#changed.tell();
      }
      await this.#hurry.pause(pauseMs, signal).catch(() => {}); // aborted: the loop ends by itself
    }
  }

  /** One unbroken watch. Ends by throwing. */
  async #session(stop: AbortSignal): Promise<void> {
    const { bucket, mirror } = this.#options;
    this.#ending = new AbortController();
    const signal = AbortSignal.any([stop, this.#ending.signal]);
    const own = await claimName(this.#options, this.#settings, signal);
    const { provenRevision, isOlder, version } = await standing(this.#options, own, this.#ackedVersion);
    if (isOlder) this.#goneBack('our own registration is older than the one we wrote');
    this.#version = Math.max(this.#version, version);
    const after = mirror.isDistrusted() ? 0 : provenRevision;
    this.#isWhole = after === 0;
    this.#heartbeats = new Heartbeats();
    this.#ownRevision = own?.revision ?? 0;
    this.#ownSealed = own?.value;
    mirror.begin(after);
    await this.#beat(signal);
    this.#firstBeat = this.#ownRevision;
    const parts = [this.#watch(bucket.watch(after, signal), signal), this.#beatOn(signal)];
    try {
      await Promise.race(parts);
    } finally {
      this.#isLive = false;
      this.#ending.abort(new SessionOver('ended'));
      await Promise.allSettled([...parts, this.#repairing]);
    }
  }

  async #watch(events: AsyncIterable<WatchEvent>, signal: AbortSignal): Promise<void> {
    const { mirror } = this.#options;
    for await (const event of events) {
      signal.throwIfAborted();
      if (event.kind === 'entry') this.#hear(event.entry);
      else mirror.setGap(event.kind === 'gap');
      // a replica may say so too early; our own heartbeat of this session comes from the leader
      if (!mirror.hasGap() && !this.#isLive && this.#heartbeats.heard()) this.#catchUp();
      this.#settle(signal);
    }
    throw new SessionOver('the watch ended');
  }

  #hear(entry: Entry): void {
    const { mirror, startId } = this.#options;
    const verdict = mirror.deliver(entry);
    if (verdict === 'went-back') {
      this.#goneBack('a revision came that is not above one applied already');
      throw new SessionOver('the bucket went back');
    }
    if (verdict === 'refused') {
      mirror.distrust();
      this.#doubt();
    }
    if (entry.key === this.#ownKey) {
      const record = mirror.get(this.#ownKey)?.record;
      if (verdict === 'refused' || record?.by !== startId || !this.#heartbeats.hear(record.version)) {
        this.#doubt();
        throw new SessionOver('our own registration was overwritten');
      }
      this.#setOwn(entry.revision, entry.value);
      if (this.#isLive) this.#observation.alive();
    }
    if (entry.key === keys.generation && verdict === 'followed') {
      const isOurs = mirror.get(keys.generation)?.record.by === startId;
      const isSweeping = this.#isWhole && (isOurs || !this.#isLive);
      if (!isSweeping) {
        mirror.distrust();
        this.#doubt();
        throw new SessionOver('a new generation began');
      }
      if (this.#isLive) this.#awaitOthers();
    }
  }

  #catchUp(): void {
    const { mirror, log, me } = this.#options;
    mirror.caughtUp();
    const lost = [...mirror.broken().keys()].filter((key) => key !== this.#ownKey);
    if (lost.length > 0) this.#goneBack('the bucket lacks records that were applied here');
    if (this.#wentBack !== undefined && !this.#isWhole) throw new SessionOver('the bucket went back');
    if (this.#wentBack !== undefined) {
      log.error('THE DIRECTORY BUCKET WENT BACK; repairing it from this mirror, no logins until it is done', {
        reason: this.#wentBack.reason,
        keys: lost.length,
        generation: mirror.generation(),
      });
    }
    this.#awaitOthers();
    this.#isLive = true;
    this.#observation.alive();
    if (!this.#settings) log.error('directory: the bucket has no settings; no login can be answered');
    log.info('directory mirror caught up', { me, revision: mirror.applied(), swept: this.#isWhole });
  }

  /** Whoever is registered may know better than the bucket and this mirror, and a new generation asks everyone anew. */
  #awaitOthers(): void {
    const held = [...this.#options.mirror.list(NODES)];
    this.#awaited = new Set(
      held.filter((node) => node.key !== this.#ownKey && !this.#hasSwept(node)).map(({ key }) => key),
    );
  }

  /** Left, or heard in this very session, with this generation swept: it has put back whatever it knew better. */
  #hasSwept({ key, revision, record }: Held): boolean {
    const { mirror } = this.#options;
    const registration = record.value as Registration | undefined;
    if (!registration) return true;
    // What the bucket has lost is not of this session, neither its word nor its revision; nor is what somebody wrote back,
    // which is upon nothing (repair.ts). A node's very first heartbeat is, too: its second one follows.
    const isItsOwn = record.upon !== undefined && !mirror.broken().has(key);
    return isItsOwn && revision > this.#firstBeat && registration.synced >= mirror.generation();
  }

  #follow(held: Held): void {
    const { key, record } = held;
    if (key.startsWith(NODES)) {
      this.#observation.changed(key);
      if (this.#awaited.has(key) && this.#hasSwept(held)) this.#awaited.delete(key);
    } else if (key.startsWith(LEASES)) this.#observation.changed(key);
    else if (key === keys.settings) this.#settings = record.value as ClusterSettings;
  }

  /** Looks at where things stand after each event: what to repair, whether this generation is swept, whether we are fresh. */
  #settle(signal: AbortSignal): void {
    const { mirror, log } = this.#options;
    if (!this.#isLive) return;
    if (this.#dueGeneration() === undefined) this.#wentBack = undefined;
    if (mirror.broken().size > 0 || this.#wentBack) {
      this.#repairing ??= mend(this.#repair, () => this.#dueGeneration(), this.#ownKey, signal).finally(() => {
        this.#repairing = undefined;
      });
      return;
    }
    if (mirror.sweptGeneration() !== mirror.generation() && this.#isWhole) {
      mirror.trust(mirror.generation());
      log.info('directory generation swept', { generation: mirror.generation() });
      this.#hurry.now(); // the others wait to hear it
    } else if (mirror.isDistrusted()) mirror.trust(mirror.sweptGeneration());
    const heard = this.#heartbeats.heard();
    if (!this.#isSynced() || mirror.hasGap() || this.#awaited.size > 0 || !heard || this.#isLeaving) return;
    this.#freshAsOf = heard;
    this.#changed.tell();
  }

  #isSynced(): boolean {
    const { mirror } = this.#options;
    return this.#isLive && mirror.broken().size === 0 && mirror.sweptGeneration() === mirror.generation();
  }

  /** Why a new generation is due, if one is. */
  #dueGeneration(): string | undefined {
    const wentBack = this.#wentBack;
    return wentBack && this.#options.mirror.generation() <= wentBack.generation ? wentBack.reason : undefined;
  }

  async #beatOn(signal: AbortSignal): Promise<void> {
    const { clock, timing } = this.#options;
    for (;;) {
      await this.#hurry.pause(this.#lastBeatBegun + timing.heartbeatMs - clock.monotonic(), signal);
      try {
        await this.#beat(signal);
      } catch (error) {
        if (!(error instanceof BucketFault)) throw error;
        this.#options.log.debug('a heartbeat was not acknowledged', { reason: error.message });
      }
      signal.throwIfAborted();
      const maxStaleMs = this.maxStaleMs();
      if (maxStaleMs !== undefined) await removeDead(this.#options, maxStaleMs, (key) => this.unchangedMs(key));
    }
  }

  /** Throws BucketFault when not acknowledged, SessionOver when refused or when it shows a bucket that went back. */
  async #beat(signal: AbortSignal): Promise<void> {
    const { clock, me, startId, dataId, mailHosts, mirror, seal } = this.#options;
    const begun = momentOf(clock); // before the write: see heartbeats.ts
    this.#lastBeatBegun = begun.monotonic;
    const applied = mirror.applied();
    const after = this.#ownRevision;
    const version = ++this.#version;
    const value: Registration = {
      me,
      startId,
      dataId,
      mailHosts,
      synced: this.#isSynced() ? mirror.generation() : -1,
    };
    this.#heartbeats.begun(version, begun);
    const record = { version, at: clock.wall(), by: startId, after, value };
    const sealed = sealUpon(seal, this.#ownKey, record, this.#ownSealed);
    const written = await abortable(this.#write(this.#ownKey, sealed, after), signal);
    if (!written.ok) {
      this.#doubt();
      throw new SessionOver('our own registration was overwritten');
    }
    if (written.value <= applied) {
      this.#goneBack('our heartbeat got a revision not above one applied already');
      throw new SessionOver('the bucket went back');
    }
    this.#ackedVersion = version;
    this.#setOwn(written.value, sealed);
  }

  #setOwn(revision: number, sealed: Uint8Array | undefined): void {
    if (revision <= this.#ownRevision) return;
    this.#ownRevision = revision;
    this.#ownSealed = sealed;
  }

  #write(key: string, sealed: Uint8Array, expectedRevision: number) {
    const { bucket, timing } = this.#options;
    return bucket.write(key, sealed, expectedRevision, timing.requestTimeoutMs);
  }

  /** No logins until fresh again. */
  #doubt(): void {
    this.#freshAsOf = undefined;
    this.#changed.tell();
  }

  #goneBack(reason: string): void {
    if (this.#wentBack === undefined) this.#options.log.error('directory: the bucket went back', { reason });
    // a generation not yet swept here is new enough: to outgrow that one too would have two nodes outgrow each other for ever
    this.#wentBack ??= { reason, generation: Math.max(0, this.#options.mirror.sweptGeneration()) };
    this.#options.mirror.distrust();
    this.#doubt();
  }

  /** Someone saw that the bucket is not the one this mirror knows: no logins until it was swept. */
  suspect(reason: string): void {
    this.#goneBack(reason);
    this.#ending.abort(new SessionOver(reason));
  }
}
