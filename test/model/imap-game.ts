/**
 * One game of the model: eight sessions on three nodes do what their seeds say, all at once; then they stop, and what each was
 * told must be the same for all, and for a session that comes new. RFC 9051 §5.2, §7.5; RFC 7162.
 */
import type { ImapClient } from '../../bench/clients/imap.ts';
import { pairsIn } from '../../bench/clients/imap-response.ts';
import { mailNamed, noop, store } from './imap-deeds.ts';
import { flagsOf, Ledger, must, Violation } from './imap-ledger.ts';
import type { Dialect } from './imap-picture.ts';
import { Player, type Surroundings } from './imap-player.ts';
import { type Servers, type Session, Unknown } from './imap-session.ts';
import { type Chance, seeded } from './seeded.ts';

export type Game = {
  readonly seed: number;
  readonly sessions: number;
  /** Of each session. */
  readonly deeds: number;
  /** Called after each deed of anybody; it may make things happen to the servers. */
  readonly onDeed?: (count: number, chance: Chance) => void;
  /** At the end of that, before views are compared: the servers are whole again. */
  readonly settled?: () => Promise<void>;
  /** How long what an IDLE session is to be told may take, in milliseconds, before the game is lost. */
  readonly newsWithinMs: number;
};

/** None, CONDSTORE, QRESYNC, of either revision. */
const DIALECTS: readonly Dialect[] = [
  { rev2: false, condstore: false, qresync: false },
  { rev2: false, condstore: true, qresync: true },
  { rev2: false, condstore: true, qresync: false },
  { rev2: true, condstore: true, qresync: true },
  { rev2: true, condstore: false, qresync: false },
];

type Truth = ReadonlyMap<number, { readonly flags: string; readonly modSeq: number; readonly name: string }>;

/** Throws with the seed and everything that was said when a rule is broken. */
export async function play(game: Game, servers: Servers): Promise<void> {
  const ledger = new Ledger();
  const table = new Table(game, servers, ledger);
  try {
    await table.play();
  } catch (fault) {
    const said = ledger.history.slice(-HISTORY_LINES);
    const cut = ledger.history.length - said.length;
    const history = `${cut > 0 ? `(${cut} lines before)\n` : ''}${said.join('\n')}`;
    throw new Error(`seed ${game.seed}: ${(fault as Error).message}\n${history}`, { cause: fault });
  } finally {
    table.end();
  }
}

const HISTORY_LINES = 3_000;
const MESSAGES = 8;

class Table implements Surroundings {
  readonly #game: Game;
  readonly #servers: Servers;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #players: readonly Player[];
  #deeds = 0;
  /** Players that are not waiting for the others. */
  #busy = 0;
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(game: Game, servers: Servers, ledger: Ledger) {
    this.#game = game;
    this.#servers = servers;
    this.#ledger = ledger;
    this.#chance = seeded(game.seed);
    this.#players = Array.from({ length: game.sessions }, (_, at) => {
      const dialect = DIALECTS[(at + this.#chance.below(2)) % DIALECTS.length]!;
      return new Player({ name: `s${at}`, dialect, servers, ledger }, this.#chance.fork(), this);
    });
  }

  async play(): Promise<void> {
    await this.#lay();
    for (const player of this.#players) await player.begin();
    await this.#all(this.#players, (player) => this.#turns(player, this.#game.deeds));
    await this.#game.settled?.();
    await this.#compareIdle();
    const truth = await this.#truth();
    for (const player of this.#players) await this.#compare(player, truth);
    this.#ledger.judge(new Set(truth.keys()));
  }

  end(): void {
    for (const { session } of this.#players) session.client?.close();
  }

  afterDeeds(count: number): Promise<void> {
    this.#busy--;
    return new Promise<void>((resolve) => {
      this.#waiting.push({ until: this.#deeds + count, resolve });
      this.#wake();
    });
  }

  /** The messages that are there from the beginning. */
  async #lay(): Promise<void> {
    const client = await this.#servers.connect(0, () => {});
    await client.ok('CREATE box');
    const { untagged } = await client.ok('STATUS INBOX (UIDVALIDITY)');
    const status = untagged.find((each) => each.kind === 'data');
    if (status?.kind === 'data') this.#ledger.uidValidity = String(pairsIn(status.values[1]).get('UIDVALIDITY'));
    for (let at = 1; at <= this.#chance.below(MESSAGES + 1); at++) {
      const { code } = await client.append('INBOX', mailNamed(`first-${at}.`));
      this.#ledger.assign(Number(code!.values[1]), `first-${at}.`, this.#ledger.floor());
    }
    client.close();
  }

  async #turns(player: Player, count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      await player.act();
      this.#deeds++;
      this.#game.onDeed?.(this.#deeds, this.#chance);
      this.#wake();
    }
  }

  /** Waits for all, so that none goes on behind a failure; the first of those that is no consequence is thrown. */
  async #all(players: readonly Player[], run: (player: Player) => Promise<void>): Promise<void> {
    this.#busy = players.length;
    const failures: unknown[] = [];
    await Promise.all(
      players.map((player) =>
        run(player)
          .catch((fault: unknown) => {
            failures.push(fault);
            this.#ledger.note(`${player.session.name} fails: ${(fault as Error).message}`);
            this.end();
          })
          .finally(() => {
            this.#busy--;
            this.#wake();
          }),
      ),
    );
    if (failures.length > 0) throw failures.find((fault) => fault instanceof Violation) ?? failures[0];
  }

  #wake(): void {
    const isOver = this.#busy === 0;
    for (const each of this.#waiting.filter(({ until }) => isOver || until <= this.#deeds)) {
      this.#waiting.splice(this.#waiting.indexOf(each), 1);
      this.#busy++;
      each.resolve();
    }
  }

  /** Every other one only listens while the rest change flags; it must hear of everything without asking. */
  async #compareIdle(): Promise<void> {
    const listening = this.#players.filter((_, at) => at % 2 === 0);
    const acting = this.#players.filter((_, at) => at % 2 === 1);
    await this.#all(this.#players, (player) => this.#untilDone(player, () => player.know()));
    const ends: (() => Promise<unknown>)[] = [];
    for (const { session } of listening) ends.push(await session.idle());
    await this.#all(acting, async ({ session }) => {
      for (let at = 0; at < 3; at++) await store(session, this.#chance);
    });
    const truth = await this.#truth();
    for (const { session } of listening) await this.#hears(session, truth);
    for (const end of ends) await end();
  }

  async #untilDone(player: Player, deed: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await deed();
      } catch (fault) {
        if (!(fault instanceof Unknown)) throw fault;
        await player.recover();
      }
    }
  }

  async #hears(session: Session, truth: Truth): Promise<void> {
    if (difference(session, truth) === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const patience = setTimeout(() => {
        reject(new Violation(`${session.name} idles, and is not told: ${difference(session, truth)}`));
      }, this.#game.newsWithinMs);
      session.onNews = () => {
        if (difference(session, truth) !== undefined) return;
        clearTimeout(patience);
        resolve();
      };
    }).finally(() => {
      session.onNews = undefined;
    });
  }

  async #compare(player: Player, truth: Truth): Promise<void> {
    const { session } = player;
    await noop(session);
    const found = difference(session, truth);
    must(found === undefined, `${session.name}, after NOOP: ${found}`);
    for (const uid of truth.keys()) {
      const own = this.#isKnown(session, uid) ? session.own.get(uid) : undefined;
      const has = truth.get(uid)!.flags.split(' ').includes(session.keyword);
      must(own === undefined || own === has, `UID ${uid}: ${session.keyword} is ${has}, and was answered to be ${own}`);
    }
  }

  #isKnown({ unsure }: Session, uid: number): boolean {
    return !unsure.has(uid) && !this.#ledger.replaced.has(uid);
  }

  /** As a session sees it that knows nothing yet. */
  async #truth(): Promise<Truth> {
    const client = await this.#servers.connect(this.#chance.below(this.#servers.nodes), () => {});
    try {
      await client.ok('ENABLE CONDSTORE');
      await client.ok('EXAMINE INBOX');
      const truth = await truthOf(client);
      for (const [uid, { name, modSeq, flags }] of truth) {
        this.#ledger.name(uid, name);
        this.#ledger.state(uid, modSeq, flags);
      }
      return truth;
    } finally {
      client.close();
    }
  }
}

async function truthOf(client: ImapClient): Promise<Truth> {
  const { untagged } = await client.ok('UID FETCH 1:* (FLAGS MODSEQ ENVELOPE)');
  return new Map(
    untagged.flatMap((each) => {
      if (each.kind !== 'data' || each.name !== 'FETCH') return [];
      const items = pairsIn(each.values[0]);
      const [, subject] = items.get('ENVELOPE') as readonly unknown[];
      const flags = flagsOf(items.get('FLAGS') as readonly string[]);
      const modSeq = Number((items.get('MODSEQ') as readonly string[])[0]);
      return [[Number(items.get('UID')), { flags, modSeq, name: String(subject) }] as const];
    }),
  );
}

/** In what a session is wrong, if it is. */
function difference({ picture }: Session, truth: Truth): string | undefined {
  const uids = [...truth.keys()];
  if (picture.uids.join() !== uids.join()) return `it has UIDs ${picture.uids}, there are ${uids}`;
  if (picture.count !== uids.length) return `it has ${picture.count} messages, there are ${uids.length}`;
  for (const { uid, flags, modSeq } of picture.messages) {
    const is = truth.get(uid!)!;
    if (flags !== is.flags) return `UID ${uid} has (${is.flags}), it was told (${flags})`;
    if (modSeq !== undefined && modSeq !== is.modSeq) return `UID ${uid} is at ${is.modSeq}, it was told ${modSeq}`;
  }
  return undefined;
}
