/** A session of the model at play: one deed after the other by its seed, going away and coming back among them. RFC 7162 §3.2.5. */
import {
  append,
  expunge,
  fetch,
  fetchChanges,
  learn,
  noop,
  read,
  some,
  status,
  store,
  transfer,
} from './imap-deeds.ts';
import { must } from './imap-ledger.ts';
import type { Picture } from './imap-picture.ts';
import { search } from './imap-searches.ts';
import { Session, type SessionParts, Unknown } from './imap-session.ts';
import type { Chance } from './seeded.ts';

/** What happens around a player. */
export type Surroundings = {
  /** Resolves after so many deeds of others, or when nobody does anything any more. */
  afterDeeds(count: number): Promise<void>;
};

export class Player {
  readonly session: Session;
  readonly #chance: Chance;
  readonly #around: Surroundings;
  #appended = 0;
  /** When nothing more was known than this: what a client keeps that lost its connection. */
  #kept: Picture | undefined;

  constructor(parts: SessionParts, chance: Chance, around: Surroundings) {
    this.session = new Session(parts);
    this.#chance = chance;
    this.#around = around;
  }

  async begin(): Promise<void> {
    const { session } = this;
    await session.connect(this.#chance.below(session.servers.nodes));
    await session.select();
  }

  /** One deed, to its end. After a connection that broke, or an answer that did not come, it comes back first. */
  async act(): Promise<void> {
    try {
      await this.#deed();
    } catch (fault) {
      if (!(fault instanceof Unknown)) throw fault;
      await this.recover();
    }
  }

  async recover(): Promise<void> {
    const { session } = this;
    session.ledger.isComplete = false;
    for (;;) {
      session.disconnect();
      try {
        return await this.#comeBack();
      } catch (fault) {
        if (!(fault instanceof Unknown)) throw fault;
      }
    }
  }

  async #deed(): Promise<void> {
    const { session } = this;
    const chance = this.#chance;
    const deed = chance.below(40);
    if (deed < 6) await append(session, chance, `${session.name}-${++this.#appended}.`);
    else if (deed < 8) await noop(session);
    else if (deed < 12) await fetch(session, chance);
    else if (deed < 13) await read(session, chance);
    else if (deed < 14) await fetchChanges(session, chance);
    else if (deed < 22) await store(session, chance);
    else if (deed < 25) await expunge(session, chance);
    else if (deed < 27) await transfer(session, chance, 'COPY');
    else if (deed < 29) await transfer(session, chance, 'MOVE');
    else if (deed < 32) await search(session, chance);
    else if (deed < 33) await status(session);
    else if (deed < 34) await this.#pipelined();
    else if (deed < 37) await this.#idle();
    else await this.#goAway();
  }

  async #idle(): Promise<void> {
    const done = await this.session.idle();
    await this.#around.afterDeeds(1 + this.#chance.below(8));
    await done();
  }

  /** RFC 9051 §5.5: several at once, none of which makes another's numbers ambiguous. */
  async #pipelined(): Promise<void> {
    const { session } = this;
    const named = await some(session, this.#chance);
    if (named === undefined) return;
    const { sequence, uids } = named;
    const both = [`FETCH ${sequence} (FLAGS)`, `STORE ${sequence} +FLAGS ($both)`, `UID FETCH ${uids} (FLAGS)`, 'NOOP'];
    await Promise.all(both.map((command) => session.ask(command)));
  }

  async #goAway(): Promise<void> {
    const { session } = this;
    const way = this.#chance.below(5);
    if (way === 0) await session.ok('UNSELECT');
    else if (way === 1) await session.ok('CLOSE');
    else if (way === 2) session.disconnect();
    else if (way === 3) {
      const lost = session.ask('NOOP').catch(() => {}); // what it tells may be half heard
      session.disconnect();
      await lost;
    }
    await this.#comeBack();
  }

  /** With what it knew, where it can say so; and everything that it was not told of must be as it was. */
  async #comeBack(): Promise<void> {
    const { session } = this;
    const chance = this.#chance;
    // A picture of which nothing was told would be all that is left of one that was never answered.
    if (session.picture.uidValidity !== undefined) this.#kept = session.picture;
    if (session.client === undefined) await session.connect(chance.below(session.servers.nodes));
    const kept = this.#kept;
    const readOnly = chance.oneIn(6);
    if (!session.dialect.qresync || kept === undefined || kept.count === 0 || kept.highest === 0) {
      await session.select(session.dialect.condstore && chance.oneIn(2) ? ' (CONDSTORE)' : '', readOnly);
      return;
    }
    const known = kept.kept();
    await session.select(` (QRESYNC (${qresyncTerms(kept, chance)}))`, readOnly);
    await this.#resynced(known, kept);
  }

  async #resynced(known: Map<number, string | undefined>, before: Picture): Promise<void> {
    const { session } = this;
    const { picture } = session;
    for (const uid of picture.earlier) {
      known.delete(uid);
      session.ledger.claimGone(uid, `UID ${uid} is told to have vanished`);
    }
    for (const { uid, flags } of picture.messages) if (uid !== undefined) known.set(uid, flags);
    if (picture.count > 0) await session.ask('FETCH 1:* (UID FLAGS MODSEQ RFC822.SIZE)');
    for (const { uid, flags, modSeq } of picture.messages) {
      const had = uid === undefined ? undefined : known.get(uid);
      if (had === undefined || modSeq === undefined || modSeq > picture.selectedAt) continue;
      must(
        had === flags,
        `UID ${uid} has (${flags}) since ${modSeq}, was (${had}) at ${before.highest}, and QRESYNC tells nothing`,
      );
    }
    await session.ok('NOOP');
    const there = new Set(picture.uids);
    for (const uid of known.keys()) {
      must(
        there.has(uid) || picture.vanished.has(uid),
        `UID ${uid} vanished after ${before.highest}, and QRESYNC tells nothing`,
      );
    }
  }

  /** What everybody who was told everything knows. */
  async know(): Promise<void> {
    if (this.session.readOnly) await this.session.select();
    await noop(this.session);
    await learn(this.session);
    await noop(this.session);
  }
}

/** UIDVALIDITY and HIGHESTMODSEQ, and at will the UIDs known and which number some of them had (RFC 7162 §3.2.5.2). */
function qresyncTerms(kept: Picture, chance: Chance): string {
  const terms = `${kept.uidValidity} ${kept.highest}`;
  const { uids } = kept;
  if (uids.length === 0 || chance.oneIn(3)) return terms;
  const withUids = `${terms} ${uids.join(',')}`;
  const numbered = kept.messages.flatMap(({ uid }, at) => (uid === undefined ? [] : [[at + 1, uid] as const]));
  if (!chance.oneIn(3)) return withUids;
  return `${withUids} (${numbered.map(([number]) => number).join(',')} ${numbered.map(([, uid]) => uid).join(',')})`;
}
