/**
 * Sessions of one mailbox that do whatever they like at the same time, against real owners that come and go: each client
 * applies what it is told to a picture of its own, which must be possible at every step, and in the end the same for all.
 * RFC 9051 §7.4, §7.5 and RFC 7162; more seeds: HOMING_SEEDS=2000.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, type Home, type ImapClient, inHouse, mail } from '../actors/imap/client.ts';

const SEEDS = Number(process.env.HOMING_SEEDS ?? 12);
const SESSIONS = 5;
const ROUNDS = 30;
const FLAGS = ['\\Seen', '\\Flagged', '\\Deleted', '$one', '$two'];

type Message = { uid: number | undefined; flags: string | undefined };
type Spoken = 'rev1' | 'condstore' | 'qresync';

/** mulberry32: the same for the same seed everywhere. */
function random(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return { below, of: <T>(choices: readonly T[]): T => choices[below(choices.length)]! };
}

/** `(\Seen $one)` in one order, without what is a session's own. */
const flagsIn = (list: string): string =>
  list
    .split(' ')
    .filter((flag) => flag !== '' && flag !== '\\Recent')
    .sort()
    .join(' ');

class Picture {
  messages: Message[] = [];
  uidValidity = '';
  highest = 0;
  readonly spoken: Spoken;
  #fetched = 0;
  #coded: number | undefined;

  constructor(spoken: Spoken) {
    this.spoken = spoken;
  }

  /** @param mayExpunge  RFC 9051 §7.5.1 */
  apply({ untagged, tagged }: Answer, mayExpunge: boolean, what: string): void {
    for (const response of untagged) this.#apply(response, mayExpunge, what);
    const code = /^OK \[HIGHESTMODSEQ (\d+)\]/.exec(tagged)?.[1];
    if (code !== undefined) this.#coded = Number(code);
    this.highest = this.#coded ?? Math.max(this.highest, this.#fetched); // RFC 7162 §6
    this.#fetched = 0;
    this.#coded = undefined;
  }

  #apply(response: string, mayExpunge: boolean, what: string): void {
    const [, number = '', kind = ''] = /^(\d+) (EXISTS|EXPUNGE|FETCH|RECENT)/.exec(response) ?? [];
    const at = Number(number);
    const highest = /^OK \[HIGHESTMODSEQ (\d+)\]/.exec(response)?.[1];
    const vanished = /^VANISHED ([\d:,]+)$/.exec(response)?.[1];
    if (highest !== undefined) this.#coded = Number(highest);
    else if (vanished !== undefined) this.#vanish(vanished, mayExpunge, what);
    else if (kind === 'EXISTS') {
      assert.ok(at > this.messages.length, `${what}: EXISTS ${at} after ${this.messages.length}`);
      while (this.messages.length < at) this.messages.push({ uid: undefined, flags: undefined });
    } else if (kind === 'EXPUNGE') {
      assert.ok(mayExpunge && this.spoken !== 'qresync', `${what}: EXPUNGE`);
      assert.ok(at >= 1 && at <= this.messages.length, `${what}: EXPUNGE ${at} of ${this.messages.length}`);
      this.messages.splice(at - 1, 1);
    } else if (kind === 'FETCH') this.#fetch(at, response, what);
  }

  #vanish(set: string, mayExpunge: boolean, what: string): void {
    assert.ok(mayExpunge && this.spoken === 'qresync', `${what}: VANISHED`);
    for (const uid of uidsOf(set)) {
      let at = this.messages.findIndex((each) => each.uid === uid);
      if (at < 0) at = this.#unasked(uid);
      assert.ok(at >= 0, `${what}: VANISHED ${uid}, which is not there`);
      this.messages.splice(at, 1);
    }
  }

  /** One that was told of and not asked about: between those with lower UIDs and those with higher ones. */
  #unasked(uid: number): number {
    const after = this.messages.findLastIndex((each) => each.uid !== undefined && each.uid < uid);
    return this.messages.findIndex((each, at) => at > after && each.uid === undefined);
  }

  #fetch(at: number, response: string, what: string): void {
    const message = this.messages[at - 1];
    assert.ok(message, `${what}: ${response} of ${this.messages.length}`);
    const uid = Number(/UID (\d+)/.exec(response)?.[1] ?? 0);
    if (uid > 0) {
      assert.ok(message.uid === undefined || message.uid === uid, `${what}: ${response}, was ${message.uid}`);
      message.uid = uid;
    }
    const flags = /FLAGS \(([^)]*)\)/.exec(response)?.[1];
    if (flags !== undefined) message.flags = flagsIn(flags);
    const modSeq = /MODSEQ \((\d+)\)/.exec(response)?.[1];
    if (modSeq !== undefined) this.#fetched = Math.max(this.#fetched, Number(modSeq));
    if (this.spoken !== 'rev1' && flags !== undefined && !what.includes('FETCH'))
      assert.ok(modSeq !== undefined && uid > 0, `${what}: ${response} without UID or MODSEQ`);
  }

  /** What a client keeps when it goes away. */
  kept(): Map<number, string | undefined> {
    return new Map(this.messages.flatMap(({ uid, flags }) => (uid === undefined ? [] : [[uid, flags]])));
  }
}

function* uidsOf(set: string): Iterable<number> {
  for (const range of set.split(',')) {
    const [from, to = from] = range.split(':').map(Number);
    for (let uid = from!; uid <= to!; uid++) yield uid;
  }
}

class Actor {
  readonly #client: ImapClient;
  readonly #random: ReturnType<typeof random>;
  readonly #name: string;
  #picture: Picture;

  private constructor(client: ImapClient, name: string, spoken: Spoken, seed: number) {
    this.#client = client;
    this.#name = `${name} (${spoken})`;
    this.#picture = new Picture(spoken);
    this.#random = random(seed);
  }

  static async begin(home: Home, name: string, spoken: Spoken, seed: number): Promise<Actor> {
    const actor = new Actor(await home.logIn(), name, spoken, seed);
    if (spoken !== 'rev1') await actor.#client.ok(`ENABLE ${spoken}`);
    await actor.#select();
    return actor;
  }

  /** One command, whatever it answers. */
  async act(): Promise<void> {
    const { below, of } = this.#random;
    const deed = below(20);
    if (deed < 3) await this.#do(`APPEND INBOX {${Buffer.byteLength(mail('x'))}+}\r\n${mail('x')}`, true);
    else if (deed < 5) await this.#do('NOOP', true);
    else if (deed < 7) await this.#ofSet('FETCH', '(UID FLAGS)', false);
    else if (deed < 9) await this.#ofSet('UID FETCH', '(FLAGS)', true);
    else if (deed < 12) await this.#store(of(['STORE', 'UID STORE']));
    else if (deed < 14) await this.#do('EXPUNGE', true);
    else if (deed === 14) await this.#ofSet('COPY', 'INBOX', true);
    else if (deed === 15) await this.#ofSet('UID MOVE', of(['INBOX', 'box']), true);
    else if (deed === 16) await this.#do(of(['SEARCH DELETED', 'UID SEARCH FLAGGED']), false, true);
    else if (deed === 17) await this.#ofSet('FETCH', '(BODY[TEXT])', false);
    else await this.#comeBack();
  }

  /** Everything that there is to be known. */
  async know(): Promise<readonly Message[]> {
    await this.#do('NOOP', true);
    const unknown = this.#picture.messages.some(({ uid, flags }) => uid === undefined || flags === undefined);
    if (unknown) await this.#do('FETCH 1:* (UID FLAGS)', false);
    await this.#do('NOOP', true);
    return this.#picture.messages;
  }

  async #store(command: string): Promise<void> {
    const { below, of } = this.#random;
    const silent = this.#picture.spoken !== 'rev1' && below(2) === 0;
    const sign = of(['+', '-']);
    const flag = of(FLAGS);
    const before = this.#picture.messages.map((message) => ({ ...message }));
    const set = await this.#ofSet(
      command,
      `${sign}FLAGS${silent ? '.SILENT' : ''} (${flag})`,
      command.startsWith('UID'),
    );
    if (!silent || set === undefined) return;
    // A client that is told nothing but the mod-sequence works out the flags itself, if it knew them.
    for (const message of this.#picture.messages) {
      const was = before.find((each) => each.uid !== undefined && each.uid === message.uid);
      if (was?.flags === undefined || message.flags !== was.flags || !set.has(message.uid)) continue;
      const kept = message.flags.split(' ').filter((each) => each !== flag && each !== '');
      message.flags = flagsIn([...kept, ...(sign === '+' ? [flag] : [])].join(' '));
    }
  }

  /** Of some messages; by UID of some that may be gone. @returns the UIDs meant, if it was done */
  async #ofSet(command: string, what: string, mayExpunge: boolean): Promise<Set<number | undefined> | undefined> {
    const { messages } = this.#picture;
    if (messages.length === 0) return undefined;
    const from = 1 + this.#random.below(messages.length);
    const to = Math.min(messages.length, from + this.#random.below(4));
    const uids = new Set(messages.slice(from - 1, to).map(({ uid }) => uid));
    const isByUid = command.startsWith('UID');
    const named = [...uids].filter((uid) => uid !== undefined);
    if (isByUid && named.length === 0) return undefined;
    const answer = await this.#do(`${command} ${isByUid ? named.join(',') : `${from}:${to}`} ${what}`, mayExpunge);
    return answer.tagged.startsWith('OK') ? uids : undefined;
  }

  /** Goes, and comes back with what it knew: RFC 7162 §3.2.5. */
  async #comeBack(): Promise<void> {
    const { spoken, highest, uidValidity } = this.#picture;
    const kept = this.#picture.kept();
    this.#picture = new Picture(spoken);
    await this.#client.ok('UNSELECT');
    if (spoken !== 'qresync' || kept.size === 0 || highest === 0) return await this.#select();
    const { untagged, tagged } = await this.#client.ask(
      `SELECT INBOX (QRESYNC (${uidValidity} ${highest} ${[...kept.keys()].join(',')}))`,
    );
    assert.match(tagged, /^OK/);
    for (const each of untagged) {
      const vanished = /^VANISHED \(EARLIER\) ([\d:,]+)$/.exec(each)?.[1];
      for (const uid of vanished === undefined ? [] : uidsOf(vanished)) kept.delete(uid);
      const [, uid, flags] = /FETCH \(UID (\d+) FLAGS \(([^)]*)\)/.exec(each) ?? [];
      if (uid !== undefined) kept.set(Number(uid), flagsIn(flags!));
    }
    this.#selected(untagged);
    await this.#do('NOOP', true); // what was expunged since the SELECT
    await this.#do('FETCH 1:* (UID)', false);
    for (const message of this.#picture.messages) {
      if (message.uid !== undefined && message.flags === undefined) message.flags = kept.get(message.uid);
    }
    await this.#do('NOOP', true);
    const known = new Set(this.#picture.messages.map(({ uid }) => uid));
    if (this.#picture.messages.every(({ uid }) => uid !== undefined)) {
      for (const uid of kept.keys()) {
        const isTold = known.has(uid) || this.#vanishedSince.has(uid);
        assert.ok(isTold, `${this.#name}: UID ${uid} vanished untold since ${highest}`);
      }
    }
  }

  /** Told as gone in the selected mailbox. */
  readonly #vanishedSince = new Set<number>();

  async #select(): Promise<void> {
    this.#selected(await this.#client.ok('SELECT INBOX'));
  }

  #selected(untagged: readonly string[]): void {
    const told = untagged.filter((each) => !/^VANISHED|FETCH/.test(each) && !each.startsWith('0 EXISTS'));
    this.#vanishedSince.clear();
    this.#picture.apply({ untagged: told, tagged: '' }, true, 'SELECT');
    this.#picture.uidValidity = /UIDVALIDITY (\d+)/.exec(untagged.join())![1]!;
  }

  async #do(command: string, mayExpunge: boolean, isSearch = false): Promise<Answer> {
    const what = `${this.#name}: ${command.slice(0, 60)}`;
    const answer = await this.#client.ask(command);
    assert.not.match(answer.tagged, /SERVERBUG|UNAVAILABLE/, what);
    const byUid = command.startsWith('UID') && !isSearch;
    for (const each of answer.untagged) {
      const vanished = /^VANISHED ([\d:,]+)$/.exec(each)?.[1];
      for (const uid of vanished === undefined ? [] : uidsOf(vanished)) this.#vanishedSince.add(uid);
    }
    this.#picture.apply(answer, mayExpunge || byUid || command.startsWith('UID'), what);
    return answer;
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`seed ${seed}: what sessions are told is possible at every step, and in the end the same`, async () => {
    await inHouse(async (home) => {
      const { below } = random(seed);
      const first = await home.logIn();
      await first.ok('CREATE box');
      for (let n = 0; n < below(8); n++) await first.append('INBOX', mail(`m${n}`));
      const actors: Actor[] = [];
      const spoken: readonly Spoken[] = ['rev1', 'condstore', 'qresync'];
      for (let n = 0; n < SESSIONS; n++)
        actors.push(await Actor.begin(home, `session ${n}`, spoken[n % 3]!, seed * 100 + n));
      for (let round = 0; round < ROUNDS; round++) {
        const deeds = actors.map((actor) => actor.act());
        if (below(12) === 0) deeds.push(home.takeOver('n1'));
        await Promise.all(deeds);
      }
      const last = await home.logIn();
      await last.ok('SELECT INBOX');
      const truth = (await last.ok('UID FETCH 1:* (FLAGS)')).map((each) => ({
        uid: Number(/UID (\d+)/.exec(each)![1]),
        flags: flagsIn(/FLAGS \(([^)]*)\)/.exec(each)![1]!),
      }));
      for (const actor of actors) assert.equal(await actor.know(), truth);
    });
  });
}

test.run();
