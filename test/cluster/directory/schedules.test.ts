/**
 * Random schedules of changes, cuts, stops, suspensions, crashes, lost messages and restored copies over three nodes.
 *
 * Held after every single event: a node that says it is fresh shows no version older than one whose change had succeeded.
 * Held at the end: all heal and agree; what was refused as a conflict or as unavailable was never seen anywhere.
 */

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createWorld, edit, fakeClock, processClock, type World, type WorldNode } from './world.ts';

const test = suite('schedules');
const ALICE = 'alice@example.test';
const MES = ['n1', 'n2', 'n3'] as const;

/** More of them for a longer look. */
const RUNS = Number(process.env.HOMING_SCHEDULES ?? 60);

type Step =
  | { readonly kind: 'change'; readonly at: number; readonly isUpon: boolean }
  | { readonly kind: 'cut' | 'stop' | 'suspend' | 'crash' | 'leave'; readonly at: number; readonly forMs: number }
  | { readonly kind: 'copy' }
  | { readonly kind: 'restore' }
  | { readonly kind: 'run'; readonly ms: number };

const at = fc.integer({ min: 0, max: 2 });
const change = fc.record({ kind: fc.constant('change' as const), at, isUpon: fc.boolean() });
const run = fc.record({ kind: fc.constant('run' as const), ms: fc.integer({ min: 1, max: 2500 }) });
const fault = (kind: 'cut' | 'stop' | 'suspend' | 'crash' | 'leave', max: number) =>
  fc.record({ kind: fc.constant(kind), at, forMs: fc.integer({ min: 1, max }) });

const faulty = fc.oneof(
  { weight: 6, arbitrary: change },
  { weight: 4, arbitrary: run },
  fault('cut', 9000),
  fault('stop', 9000),
  fault('suspend', 9000),
  fault('crash', 9000),
  fault('leave', 2000),
);
/** Short faults only: who alone has seen a change must still be registered when the bucket goes back. */
const regressing = fc.oneof(
  { weight: 6, arbitrary: change },
  { weight: 4, arbitrary: run },
  fault('cut', 1500),
  fault('stop', 1500),
  fc.constant({ kind: 'copy' as const }),
  fc.constant({ kind: 'restore' as const }),
);

type Place = { readonly me: string; node: WorldNode | undefined; starting: Promise<void> | undefined };

class Schedule {
  readonly #world: World;
  readonly #places: Place[];
  readonly #random: () => number;
  #operations = 0;
  #acknowledged = 0;
  #copy;
  readonly #refused = new Set<string>();
  readonly #seen = new Set<string>();
  /** Changes not answered yet, and who is to answer. */
  readonly #running = new Map<string, WorldNode>();
  #violation: string | undefined;
  successes = 0;

  constructor(world: World, random: () => number) {
    this.#world = world;
    this.#random = random;
    this.#places = MES.map((me) => ({ me, node: undefined, starting: undefined }));
    this.#copy = world.server.snapshot();
  }

  async start(): Promise<void> {
    for (const place of this.#places) this.#startNode(place);
    await this.#until(() => this.#places.every(({ node }) => node?.directory.isFresh()), 20_000);
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'run') await this.#until(() => false, step.ms);
    else if (step.kind === 'copy') this.#copy = this.#world.server.snapshot();
    else if (step.kind === 'restore') this.#world.server.restore(this.#copy);
    else if (step.kind === 'change') this.#change(this.#places[step.at]!, step.isUpon);
    else this.#fail(this.#places[step.at]!, step.kind, step.forMs);
  }

  async finish(): Promise<void> {
    await this.#until(() => false, 30_000); // every fault ends by itself within ten seconds
    const agreed = () =>
      this.#running.size === 0 &&
      this.#places.every(({ node }) => node?.directory.isFresh()) &&
      new Set(this.#places.map(({ node }) => node!.directory.find(ALICE)?.changedBy)).size === 1;
    assert.ok(await this.#until(agreed, 30_000), 'all are fresh and agree at the end');
    for (const operation of this.#seen) assert.not(this.#refused.has(operation), `${operation} was refused and done`);
  }

  /** Lets time pass, looking at the invariant after each event. */
  async #until(done: () => boolean, ms: number): Promise<boolean> {
    const isDone = await this.#world.clock.until(() => this.#look() || done(), ms);
    if (this.#violation) throw new Error(this.#violation);
    return isDone;
  }

  #look(): boolean {
    for (const { me, node } of this.#places) {
      if (!node || node.clock.isStopped() || !node.directory.isFresh()) continue;
      const version = node.directory.find(ALICE)?.version ?? 0;
      if (version < this.#acknowledged) {
        this.#violation = `${me} is fresh with version ${version}, but ${this.#acknowledged} had succeeded`;
        return true;
      }
    }
    return false;
  }

  #startNode(place: Place, disk?: WorldNode['store']): void {
    place.starting = this.#world.open({ me: place.me, ...(disk ? { disk } : {}) }).then((node) => {
      node.faults.latencyMs = () => Math.floor(this.#random() * 30);
      node.faults.fate = (key) => {
        const roll = this.#random();
        if (!key.startsWith('account.') && !key.startsWith('node.')) return 'done';
        return roll < 0.05 ? 'lost' : roll < 0.1 ? 'ack-lost' : 'done';
      };
      node.directory.onChange((account) => this.#seen.add(account.changedBy));
      place.node = node;
      place.starting = undefined;
    });
  }

  #change({ node }: Place, isUpon: boolean): void {
    if (!node || node.clock.isStopped()) return;
    const operation = `operation ${this.#operations++}`;
    const version = node.directory.find(ALICE)?.version ?? 0;
    const options = { operation, ...(isUpon ? { ifVersion: version } : {}) };
    this.#running.set(operation, node);
    void node.directory.change(ALICE, edit(ALICE, this.#operations), options).then((result) => {
      this.#running.delete(operation);
      if (node.clock.isStopped()) return; // a dead or stopped process tells nobody anything
      if (!result.ok) {
        if (result.refusal !== 'unknown') this.#refused.add(operation);
        return;
      }
      this.successes++;
      this.#acknowledged = Math.max(this.#acknowledged, result.value!.version);
    });
  }

  #fail(place: Place, kind: 'cut' | 'stop' | 'suspend' | 'crash' | 'leave', forMs: number): void {
    const { node } = place;
    const { clock } = this.#world;
    if (!node || node.clock.isStopped() || node.bucket.isCut()) return;
    if (kind === 'cut') {
      node.cut();
      clock.after(forMs, () => node.mend());
    } else if (kind === 'stop' || kind === 'suspend') {
      node.clock.stop(kind === 'suspend');
      clock.after(forMs, () => node.clock.go());
    } else {
      place.node = undefined;
      if (kind === 'leave') {
        this.#world.nodes.splice(this.#world.nodes.indexOf(node), 1);
        void node.leave().then(() => this.#startNode(place, node.store.crash()));
      } else {
        const disk = node.kill();
        for (const [operation, by] of this.#running) if (by === node) this.#running.delete(operation);
        clock.after(forMs, () => this.#startNode(place, disk));
      }
    }
  }
}

async function play(seed: number, steps: readonly Step[]): Promise<number> {
  let state = (seed % 2147483646) + 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const world = await createWorld({ latencyMs: () => Math.floor(random() * 5) });
  const schedule = new Schedule(world, random);
  await schedule.start();
  for (const step of steps) await schedule.play(step);
  await schedule.finish();
  await world.close();
  return schedule.successes;
}

for (const [name, step] of [
  ['cuts, stops, suspensions, crashes and departures', faulty],
  ['copies restored while all live', regressing],
] as const) {
  test(`never fresh with an older version than one that succeeded: ${name}`, async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2147483646 }),
        fc.array<Step>(step, { minLength: 5, maxLength: 40, size: 'max' }),
        async (seed, steps) => {
          successes += await play(seed, steps);
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
    assert.ok(successes > RUNS, 'the schedules let changes through');
  });
}

test('a process that goes on hears what came meanwhile before what comes now, as over one connection', async () => {
  const world = fakeClock();
  const own = processClock(world);
  const heard: string[] = [];
  own.stop();
  world.after(5, () => own.go());
  own.after(1, () => heard.push('first'));
  own.after(2, () => heard.push('second'));
  own.after(5, () => heard.push('third'));
  await world.run(10);
  assert.equal(heard, ['first', 'second', 'third']);
});

test('the schedules can see a fault: a node that lies about its freshness is caught', async () => {
  const world = await createWorld();
  const schedule = new Schedule(world, () => 0.5);
  await schedule.start();
  const liar = world.nodes.find(({ me }) => me === 'n2')!;
  Object.assign(liar.directory, { isFresh: () => true });
  const steps: Step[] = [
    { kind: 'cut', at: 1, forMs: 9000 },
    { kind: 'change', at: 0, isUpon: false },
    { kind: 'run', ms: 5000 },
  ];
  let caught = '';
  try {
    for (const step of steps) await schedule.play(step);
  } catch (error) {
    caught = String(error);
  }
  assert.match(caught, /n2 is fresh with version 0, but 1 had succeeded/);
  await world.close();
});

test.run();
