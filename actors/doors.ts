/**
 * All listeners of a node: opened, watched over and closed together, changed while they serve, and the sessions behind
 * them found. What one listener does is listener.ts's; what becomes of a broken one is supervisor.ts's.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { Listener } from './listener.ts';
import { nameOf } from './listener-socket.ts';
import type { ListenerOptions } from './listener-terms.ts';
import type { LiveSession } from './live-session.ts';
import { Supervisor } from './supervisor.ts';
import { Turns } from './turns.ts';

/** One listener as configured. */
export type Door = ListenerOptions & {
  /** For operators, behind the address: ` (STARTTLS)`, ` (TLS)`, or nothing. */
  readonly label: string;
};

export type DoorsOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** At a stop, commands under way may take so long. */
  readonly graceMs: number;
};

type Kept = {
  /** What stays the same while the rest is changed. */
  readonly key: string;
  door: Door;
  readonly listener: Listener;
  readonly supervisor: Supervisor;
  /** No longer configured: its port is closed, its sessions go on. */
  isLeaving: boolean;
};

export class Doors {
  readonly #options: DoorsOptions;
  /** As configured, until `start`. */
  #configured: readonly Door[];
  /** Of all sessions of the node, whichever listener they came to. */
  readonly #turns: Turns;
  /** In the order of the configuration; those that leave at the end. */
  #kept: readonly Kept[] = [];
  #isStarted = false;
  #isDraining = false;
  #isStopped = false;
  /** Changes, one after the other. */
  #changed: Promise<void> = Promise.resolve();
  #giveUp: (fault: Error) => void = () => {};
  /** Resolves when a listener that had been open was given up; never otherwise. */
  readonly failed: Promise<Error>;

  constructor(doors: readonly Door[], options: DoorsOptions) {
    this.#configured = doors;
    this.#options = options;
    this.#turns = new Turns(options.clock);
    this.failed = new Promise((resolve) => (this.#giveUp = resolve));
  }

  /** Opens all. Throws when one can't be, naming it; none is open then. */
  start(): Promise<void> {
    return this.#next(async () => {
      for (const [key, door] of keyed(this.#configured)) {
        if (this.#isStopped) return;
        const fault = await this.#open(key, door);
        if (fault === undefined) continue;
        await this.#stopAll();
        throw fault;
      }
      this.#isStarted = true;
    });
  }

  /** Closes all, lets commands under way finish, and ends what is left after the grace. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#next(() => this.#stopAll());
  }

  /** `pop3 on 127.0.0.1:1110 (STARTTLS)`, for each listener that is open. */
  get addresses(): readonly string[] {
    return this.#kept.flatMap(({ door, listener }) =>
      listener.place ? [`${door.protocol.name} on ${nameOf(listener.place)}${door.label}`] : [],
    );
  }

  /** The sessions of this node's clients, whichever node has their mailboxes. */
  sessions(): readonly LiveSession[] {
    return this.#kept.flatMap(({ listener }) => [...listener.connections].map((connection) => connection.inspect()));
  }

  /** How many these are. */
  get size(): number {
    return this.#kept.reduce((sum, { listener }) => sum + listener.connections.size, 0);
  }

  /**
   * Ends the account's sessions on this node, each between two commands.
   * @param accountId  not its name: a session keeps the name that it logged in by, whatever the account is called since
   * @returns how many it had
   */
  kick(accountId: string): number {
    const found = this.#kept
      .flatMap(({ listener }) => [...listener.connections])
      .filter((connection) => connection.inspect().accountId === accountId);
    for (const connection of found) connection.stop('kicked');
    return found.length;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Resolves when all ports and sockets are unbound. Sessions go on; those that waited to be accepted have been. */
  drain(): Promise<void> {
    return this.#setDraining(true);
  }

  /** Opens all again; throws, naming those that can't be. May be tried again. */
  undrain(): Promise<void> {
    return this.#setDraining(false);
  }

  /**
   * Makes it as configured now: what stays at its place takes its new terms for connections from now on, what is no longer
   * there closes its port while its sessions go on, and what is new opens, unless the node is drained. Before `start` it
   * only says what is to be opened then.
   * @throws naming what could not be opened; all else is as configured then
   */
  reconfigure(doors: readonly Door[]): Promise<void> {
    return this.#next(async () => {
      if (!this.#isStarted) {
        this.#configured = doors;
        return;
      }
      const wanted = keyed(doors);
      for (const kept of this.#kept) if (!wanted.has(kept.key) && !kept.isLeaving) await this.#dismiss(kept);
      const faults: unknown[] = [];
      for (const [key, door] of wanted) {
        if (this.#isStopped) return;
        const kept = this.#kept.find((each) => each.key === key);
        const fault = await (kept === undefined ? this.#open(key, door) : this.#change(kept, door));
        if (fault !== undefined) faults.push(fault);
      }
      this.#sort([...wanted.keys()]);
      raise(faults);
    });
  }

  #next(change: () => Promise<void>): Promise<void> {
    const changed = this.#changed.then(change);
    this.#changed = changed.catch(() => {}); // told to the caller
    return changed;
  }

  #setDraining(isDraining: boolean): Promise<void> {
    return this.#next(async () => {
      this.#isDraining = isDraining;
      const staying = this.#kept.filter(({ isLeaving }) => !isLeaving);
      raise(await Promise.all(staying.map(({ listener }) => faultOf(listener.setDraining(isDraining)))));
    });
  }

  /** @returns the fault when it can't be opened; it is then forgotten */
  async #open(key: string, door: Door): Promise<unknown> {
    const { clock, log, graceMs } = this.#options;
    const listener = new Listener({ ...door, turns: this.#turns });
    if (this.#isDraining) await listener.setDraining(true);
    const child = {
      name: `${door.protocol.name} on ${nameOf(door.place)}`,
      async start() {
        await listener.start();
        return { failed: listener.failed, stop: () => listener.stop(graceMs) };
      },
    };
    const supervisor = new Supervisor([child], { clock, log });
    const fault = await faultOf(supervisor.start());
    if (fault !== undefined) return fault;
    supervisor.failed.then(this.#giveUp);
    this.#kept = [...this.#kept, { key, door, listener, supervisor, isLeaving: false }];
    return undefined;
  }

  async #change(kept: Kept, door: Door): Promise<unknown> {
    kept.door = door;
    if (kept.isLeaving) {
      kept.isLeaving = false; // it has come back
      await kept.listener.setDraining(this.#isDraining);
    }
    return faultOf(kept.listener.change(door));
  }

  async #dismiss(kept: Kept): Promise<void> {
    kept.isLeaving = true;
    await kept.listener.setDraining(true);
    void kept.listener.emptied.then(() =>
      this.#next(async () => {
        if (!kept.isLeaving || !kept.listener.isEmpty || !this.#kept.includes(kept)) return;
        this.#kept = this.#kept.filter((each) => each !== kept);
        await kept.supervisor
          .stop()
          .catch((fault) => this.#options.log.error('a listener that left did not stop', { fault }));
      }),
    );
  }

  #sort(keys: readonly string[]): void {
    const rank = ({ key, isLeaving }: Kept) => (isLeaving ? keys.length : keys.indexOf(key));
    this.#kept = [...this.#kept].sort((a, b) => rank(a) - rank(b));
  }

  /** Together: each may take its whole grace. */
  async #stopAll(): Promise<void> {
    const kept = this.#kept;
    await Promise.all(kept.map(({ supervisor }) => supervisor.stop()));
    this.#kept = [];
  }
}

/** By protocol and place; of several at port 0, by their order. All else about a door may change while it stands. */
function keyed(doors: readonly Door[]): ReadonlyMap<string, Door> {
  const found = new Map<string, Door>();
  for (const door of doors) {
    const key = `${door.protocol.name} on ${nameOf(door.place)}`;
    let times = 1;
    while (found.has(`${key} ${times}`)) times += 1;
    found.set(`${key} ${times}`, door);
  }
  return found;
}

const faultOf = (done: Promise<void>): Promise<unknown> =>
  done.then(
    () => undefined,
    (fault: unknown) => fault ?? new Error('no reason given'),
  );

function raise(faults: readonly unknown[]): void {
  const found = faults.filter((fault) => fault !== undefined);
  if (found.length === 0) return;
  const texts = found.map((fault) => (fault instanceof Error ? fault.message : String(fault)));
  throw new Error(texts.join('; '), { cause: found[0] });
}
