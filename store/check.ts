/**
 * Is a store consistent in itself? Counts equal what they count, whatever is named is there, whatever is there is named,
 * bodies are whole and are what their names say.
 */
import { createHash } from 'node:crypto';
import { CHUNK_OCTETS, chunkCount } from './blob.ts';
import { checkIndexes } from './check-indexes.ts';
import type { View } from './key-value.ts';
import { isOrdered } from './rights.ts';
import * as t from './tables.ts';

/** One sentence for each thing found wrong; none in a sound store. */
export type Flaw = string;

/** How much a store holds. `octets` are those of all bodies, each counted once. */
export type Counts = {
  readonly accounts: number;
  readonly mailboxes: number;
  readonly messages: number;
  readonly bodies: number;
  readonly octets: number;
};

/** Reads everything in one look: for a store that nobody serves just now. */
export function flaws(view: View): Flaw[] {
  const found: Flaw[] = [];
  const steps = checkInSteps(view, (flaw) => found.push(flaw));
  while (!steps.next().done);
  return found;
}

/**
 * The same a row or a chunk a step, so that others can have their turn between two: over the view of a snapshot. Keeps the name
 * of every body in memory.
 */
export function* checkInSteps(view: View, say: Say): Steps<Counts> {
  const { references, ...counted } = yield* checkMailboxes(view, say);
  yield* checkIndexes(view, say);
  const octets = yield* checkBodies(view, references, say);
  yield* checkSessions(view, say);
  return { ...counted, bodies: references.size, octets };
}

export type Steps<T> = Generator<undefined, T, undefined>;
export type Say = (flaw: Flaw) => void;
type Sum = { messages: number; octets: number };

const add = (sums: Map<string, Sum>, name: string, sum: Sum) => {
  const before = sums.get(name) ?? { messages: 0, octets: 0 };
  sums.set(name, { messages: before.messages + sum.messages, octets: before.octets + sum.octets });
};

/** @returns `references`: how often each blob is named */
function* checkMailboxes(view: View, say: Say) {
  const counted = { accounts: 0, mailboxes: 0, messages: 0 };
  const references = new Map<string, number>();
  const sums = new Map<string, Sum>();
  for (const { key, row } of t.messages.range(view, [])) {
    yield;
    counted.messages++;
    const [account, mailbox, uid] = key;
    const name = `message ${account} ${mailbox} ${uid}`;
    references.set(row.blob, (references.get(row.blob) ?? 0) + 1);
    add(sums, `mailbox ${account} ${mailbox}`, { messages: 1, octets: row.sizeOctets });
    const blob = t.blobs.get(view, row.blob);
    if (!blob) say(`${name}: its body is missing`);
    else if (row.sizeOctets !== row.trace.length + blob.sizeOctets) say(`${name}: wrong size`);
    const home = t.mailboxes.get(view, account, mailbox);
    if (!home) say(`${name}: its mailbox is missing`);
    else if (uid >= home.uidNext) say(`${name}: not below uidNext ${home.uidNext}`);
    else if (row.modSeq > home.modSeq) say(`${name}: above its mailbox's modseq ${home.modSeq}`);
  }
  for (const { key, row } of t.mailboxes.range(view, [])) {
    yield;
    counted.mailboxes++;
    const [account, mailbox] = key;
    const name = `mailbox ${account} ${mailbox}`;
    const sum = sums.get(name) ?? { messages: 0, octets: 0 };
    if (sum.messages !== row.messages || sum.octets !== row.octets) say(`${name}: wrong totals`);
    const isNamed = t.mailboxNames.get(view, account, row.name) === mailbox;
    const isGoing = t.goingMailboxes.get(view, account, mailbox) !== undefined;
    if (isNamed === isGoing)
      say(`${name}: ${isGoing ? 'found by its name, though it is going' : 'not found by its name'}`);
    add(sums, `account ${account}`, sum);
    const owner = t.accounts.get(view, account);
    if (!owner) say(`${name}: its account is missing`);
    else if (owner.lastUidValidity < row.uidValidity || owner.lastMailbox < mailbox) {
      say(`${name}: its account would give its numbers out again`);
    }
  }
  for (const { key, row } of t.mailboxNames.range(view, [])) {
    yield;
    if (t.mailboxes.get(view, key[0], row)?.name !== key[1]) say(`mailbox name ${key.join(' ')}: names nothing`);
  }
  for (const { key } of t.goingMailboxes.range(view, [])) {
    yield;
    if (!t.mailboxes.get(view, ...key)) say(`going mailbox ${key.join(' ')}: is gone already`);
  }
  for (const { key, row } of t.rights.range(view, [])) {
    yield;
    const [account, mailbox, identifier] = key;
    const name = `rights ${account} ${mailbox} ${identifier}`;
    if (!t.mailboxes.get(view, account, mailbox)) say(`${name}: their mailbox is missing`);
    if (t.goingMailboxes.get(view, account, mailbox) !== undefined) say(`${name}: on a mailbox that is going`);
    if (typeof row !== 'string' || row === '' || !isOrdered(row))
      say(`${name}: ${JSON.stringify(row)} is no set of rights`);
  }
  for (const { key, row } of t.accounts.range(view, [])) {
    yield;
    counted.accounts++;
    const sum = sums.get(`account ${key[0]}`) ?? { messages: 0, octets: 0 };
    if (sum.messages !== row.messages || sum.octets !== row.octets) say(`account ${key[0]}: wrong totals`);
  }
  return { ...counted, references };
}

type Body = { readonly name: string; readonly from: number; readonly to: number; readonly sizeOctets?: number };

/** @returns the octets of all bodies */
function* checkBodies(view: View, references: ReadonlyMap<string, number>, say: Say): Steps<number> {
  const bodies = new Map<number, Body>();
  let octets = 0;
  const own = (body: number, owner: Body) => {
    const other = bodies.get(body);
    if (other) say(`body ${body}: belongs to ${other.name} and to ${owner.name}`);
    bodies.set(body, owner);
  };
  for (const { key, row } of t.blobs.range(view, [])) {
    yield;
    const name = `blob ${key[0]}`;
    if (row.references !== (references.get(key[0]) ?? 0)) say(`${name}: wrong count of references`);
    if (row.references === 0) say(`${name}: nothing names it`);
    own(row.body, { name, from: 0, to: chunkCount(row.sizeOctets), sizeOctets: row.sizeOctets });
    octets += row.sizeOctets;
    const hash = createHash('sha256');
    for (let index = 0; index < chunkCount(row.sizeOctets); index++) {
      hash.update(t.chunks.get(view, row.body, index) ?? new Uint8Array());
      yield;
    }
    if (hash.digest('hex') !== key[0]) say(`${name}: its octets have another hash`);
  }
  for (const { key } of t.structures.range(view, [])) {
    yield;
    if (!t.blobs.get(view, key[0])) say(`structure ${key[0]}: of no body`);
  }
  for (const { key, row } of t.stages.range(view, [])) {
    yield;
    own(row.body, { name: `stage ${key.join(' ')}`, from: 0, to: row.parts, sizeOctets: row.sizeOctets });
    if (!t.sessions.get(view, key[0])) say(`stage ${key.join(' ')}: its session is gone`);
  }
  for (const { key, row } of t.garbage.range(view, [])) {
    yield;
    own(key[0], { name: `garbage ${key[0]}`, from: row.from, to: row.parts });
  }
  yield* checkChunks(view, bodies, say);
  return octets;
}

function* checkChunks(view: View, bodies: ReadonlyMap<number, Body>, say: Say): Steps<void> {
  const counted = new Map<number, Sum>();
  const nextBody = t.next.get(view)?.body ?? 1;
  for (const { body, index, bytes } of t.chunks.range(view)) {
    yield;
    const owner = bodies.get(body);
    if (!owner) say(`chunk ${body} ${index}: belongs to nothing`);
    else if (index < owner.from || index >= owner.to) say(`chunk ${body} ${index}: not a part of ${owner.name}`);
    else if (index < owner.to - 1 && bytes.length !== CHUNK_OCTETS) say(`chunk ${body} ${index}: short`);
    if (body >= nextBody) say(`chunk ${body} ${index}: its number would be given out again`);
    const sum = counted.get(body) ?? { messages: 0, octets: 0 };
    counted.set(body, { messages: sum.messages + 1, octets: sum.octets + bytes.length });
  }
  for (const [body, owner] of bodies) {
    yield;
    const sum = counted.get(body) ?? { messages: 0, octets: 0 };
    if (sum.messages !== owner.to - owner.from) say(`${owner.name}: chunks are missing`);
    if (owner.sizeOctets !== undefined && sum.octets !== owner.sizeOctets) say(`${owner.name}: wrong size`);
  }
}

function* checkSessions(view: View, say: Say): Steps<void> {
  for (const { key, row } of t.locks.range(view, [])) {
    yield;
    const holder = t.sessions.get(view, row.session);
    if (holder?.account !== key[0] || holder.maildrop?.lock !== row.lock) say(`lock ${key[0]}: its session is gone`);
    if ((t.accounts.get(view, key[0])?.lastLock ?? 0) < row.lock) say(`lock ${key[0]}: would be given out again`);
  }
  for (const { key, row } of t.sessions.range(view, [])) {
    yield;
    if (t.endedSessions.get(view, key[0])) say(`session ${key[0]}: lives and has ended`);
    if ((row.purpose === 'maildrop') !== (row.account !== null && row.maildrop !== null)) {
      say(`session ${key[0]}: a maildrop without an account, or the other way round`);
    }
  }
  for (const { key, row } of t.endedSessions.range(view, [])) {
    yield;
    if (t.endedByTime.get(view, row.until, key[0]) === undefined) say(`ended session ${key[0]}: never forgotten`);
  }
  for (const { key } of t.endedByTime.range(view, [])) {
    yield;
    if (t.endedSessions.get(view, key[1])?.until !== key[0]) say(`ended session ${key[1]}: forgotten already`);
  }
}
