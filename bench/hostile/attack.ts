/**
 * Hostile sessions of all kinds against one node: so many, so many of them at once, in an order drawn from a seed, each from
 * one of some addresses of loopback; and floods of connections from one address of their own. Tells how each ended.
 */

import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { type Gate, HostileSocket } from './hostile-socket.ts';
import { kinds } from './kinds.ts';
import { Noise } from './noise.ts';
import type { Protocol } from './reply-watch.ts';
import { HostileSession, type Kind, type Terms, within } from './session.ts';

export type AttackPlan = Pick<Terms, 'patienceMs' | 'closingMs' | 'victims'> & {
  readonly seed: number;
  /** Connections in all, each of a flood counted. */
  readonly sessions: number;
  /** Most at once, each of a flood not counted, and most that begin in a second. */
  readonly atOnce: number;
  readonly perSecond: number;
  readonly gates: Readonly<Record<Protocol | 'pop3s' | 'poppwds', Gate>>;
};

export type Ending =
  /** Refused instead of greeted, in the protocol's words, and closed. */
  | 'not let in'
  /** By the server: its last word was a refusal. */
  | 'refused, closed'
  /** By the server: its last word was none. A goodbye, an answer to a client that ended its half, or silence past a deadline. */
  | 'closed'
  | 'client left'
  | 'no connection';

export type AttackResult = {
  readonly seconds: number;
  readonly sessions: number;
  /** By kind, how many ended how. */
  readonly endings: Readonly<Record<string, Partial<Record<Ending, number>>>>;
  /** Whole replies heard, and how many of them were refusals. */
  readonly replies: number;
  readonly refusals: number;
  /** Of all sessions; the first of them told. */
  readonly improper: number;
  readonly examples: readonly string[];
};

/** One connection of a flood, whose others are there at the same time. */
export const FLOOD = 'flood from one address';
const FLOOD_SHARE = 0.2;
const FLOOD_CONNECTIONS = 50;
/** How long those of a flood that were let in keep their places. */
const FLOOD_MS = 500;
const FLOOD_ADDRESS = '127.0.0.200';
const ADDRESSES = Array.from({ length: 32 }, (_, at) => `127.0.0.${at + 2}`);
const MOST_EXAMPLES = 20;

export async function attack(plan: AttackPlan): Promise<AttackResult> {
  const begun = performance.now();
  const tally = new Tally();
  const terms: Terms = { ...plan, clientHello: await clientHello() };
  const work = workOf(plan);
  let at = 0;
  const lane = async () => {
    for (let number = at++; number < work.length; number = at++) {
      await due(begun + (number * 1000) / plan.perSecond);
      await work[number]!(number, terms, plan, tally);
    }
  };
  await Promise.all(Array.from({ length: plan.atOnce }, lane));
  return tally.result((performance.now() - begun) / 1000);
}

const due = (atMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));

type Work = (number: number, terms: Terms, plan: AttackPlan, tally: Tally) => Promise<void>;

/** Each kind at each of its protocols as often as any other. */
function workOf({ seed, sessions }: AttackPlan): Work[] {
  const floods = Math.max(1, Math.round((sessions * FLOOD_SHARE) / FLOOD_CONNECTIONS));
  const singles = Math.max(0, sessions - floods * FLOOD_CONNECTIONS);
  const pairs = kinds.flatMap((kind) => kind.protocols.map((protocol) => ({ kind, protocol })));
  const work: Work[] = Array.from({ length: singles }, (_, at) => single(pairs[at % pairs.length]!));
  for (let flooded = 0; flooded < floods; flooded++) work.push(flood);
  return new Noise(seed, -1).shuffle(work);
}

const single =
  ({ kind, protocol }: { readonly kind: Kind; readonly protocol: Protocol }): Work =>
  async (number, terms, plan, tally) => {
    const noise = new Noise(plan.seed, number);
    const gate = plan.gates[kind.isUnderTls && protocol !== 'lmtp' ? (`${protocol}s` as const) : protocol];
    const where = `session ${number}, ${kind.name}, ${protocol}`;
    const socket = await HostileSocket.open(gate, protocol, noise.pick(ADDRESSES)).catch((fault: Error) => fault);
    if (socket instanceof Error) {
      tally.add(kind.name, 'no connection', [`${where}: ${socket.message}`]);
      return;
    }
    if (kind.isUnderTls) socket.watch.expectTls();
    const it = new HostileSession({ socket, protocol, noise, terms });
    const isIn = kind.isHasty || (await isGreeted(it));
    if (isIn) await kind.run(it);
    const { watch } = socket;
    const ending = isIn ? endingOf(socket) : 'not let in';
    socket.leave();
    const complaints = [...watch.complaints, ...it.complaints].map((what) => `${where}: ${what}`);
    tally.add(kind.name, ending, complaints, watch);
  };

/** Who is not, must have been told so, and closed. */
async function isGreeted(it: HostileSession): Promise<boolean> {
  const { socket } = it;
  if (!(await within(socket.replies(1), it.terms.closingMs))) it.complaints.push('not greeted in time');
  if (socket.watch.last === 'yes') return true;
  if (socket.watch.last === undefined) it.complaints.push('closed without a word');
  await it.mustBeClosed();
  return false;
}

function endingOf({ watch, wasClosed }: HostileSocket): Ending {
  if (!wasClosed) return 'client left';
  return watch.last === 'no' ? 'refused, closed' : 'closed';
}

/** Many connections from one address, all there before any of them goes. */
const flood: Work = async (number, terms, plan, tally) => {
  const protocol = new Noise(plan.seed, number).pick(['pop3', 'lmtp', 'poppwd'] as const);
  const one = async (): Promise<() => void> => {
    const where = `flood ${number}, ${protocol}`;
    const socket = await HostileSocket.open(plan.gates[protocol], protocol, FLOOD_ADDRESS).catch(
      (fault: Error) => fault,
    );
    if (socket instanceof Error) return () => tally.add(FLOOD, 'no connection', [`${where}: ${socket.message}`]);
    const it = new HostileSession({ socket, protocol, noise: new Noise(plan.seed, number), terms });
    const isIn = await isGreeted(it);
    return () => {
      const ending = isIn ? endingOf(socket) : 'not let in';
      socket.leave();
      const complaints = [...socket.watch.complaints, ...it.complaints].map((what) => `${where}: ${what}`);
      tally.add(FLOOD, ending, complaints, socket.watch);
    };
  };
  const ends = await Promise.all(Array.from({ length: FLOOD_CONNECTIONS }, one));
  await new Promise((resolve) => setTimeout(resolve, FLOOD_MS));
  for (const end of ends) end();
};

class Tally {
  readonly #endings: Record<string, Partial<Record<Ending, number>>> = {};
  readonly #examples: string[] = [];
  #sessions = 0;
  #improper = 0;
  #replies = 0;
  #refusals = 0;

  add(kind: string, ending: Ending, complaints: readonly string[], heard = { replies: 0, refusals: 0 }): void {
    this.#endings[kind] ??= {};
    this.#endings[kind][ending] = (this.#endings[kind][ending] ?? 0) + 1;
    this.#sessions += 1;
    this.#replies += heard.replies;
    this.#refusals += heard.refusals;
    if (complaints.length === 0) return;
    this.#improper += 1;
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(complaints[0]!);
  }

  result(seconds: number): AttackResult {
    return {
      seconds,
      sessions: this.#sessions,
      endings: this.#endings,
      replies: this.#replies,
      refusals: this.#refusals,
      improper: this.#improper,
      examples: this.#examples,
    };
  }
}

/** What a TLS client says first. */
function clientHello(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const nobody = new Duplex({
      read() {},
      write(bytes: Buffer, _, done) {
        resolve(Buffer.from(bytes));
        done();
      },
    });
    connect({ socket: nobody, servername: 'localhost' }).on('error', () => {});
  });
}
