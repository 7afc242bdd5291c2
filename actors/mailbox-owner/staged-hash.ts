/**
 * The hash of a staged body, over the chunks as they are on the disk: what `deliver` believes instead of what it is told; and
 * in the same reading what mime/ finds in it, since a long body should not be read twice.
 */
import { createHash } from 'node:crypto';
import { type Clock, pause } from '../../kernel/clock.ts';
import { StructureParser } from '../../mime/structure-parser.ts';
import type { Store } from '../../store/store.ts';
import { chunks, type StageRow, stages } from '../../store/tables.ts';
import { keepable, packed } from './structures.ts';

/** Some 512 kB, a few milliseconds: then others have their turn. */
const CHUNKS_A_TURN = 4;

export type StagedHash = {
  readonly body: number;
  readonly sizeOctets: number;
  readonly sha256: string;
  /** Absent: too large to be kept. */
  readonly structure?: Uint8Array;
};

/** @returns undefined when there is no such stage, or it went while it was being read */
export type HashStage = (session: string, stage: string) => Promise<StagedHash | undefined>;

/** A front asks again while a large body is still being read: all who ask for the same octets get the one reading. */
export function stageHashing(store: Store, clock: Clock): HashStage {
  const underWay = new Map<string, Promise<StagedHash | undefined>>();
  return async (session, stage) => {
    const row = store.read((view) => stages.get(view, session, stage));
    if (!row) return undefined;
    const name = `${row.body} ${row.parts}`; // a body's number is never used again, and a body only grows
    const known = underWay.get(name);
    if (known) return known;
    const hashing = hashBody(store, clock, row).finally(() => underWay.delete(name));
    underWay.set(name, hashing);
    return hashing;
  };
}

async function hashBody(store: Store, clock: Clock, row: StageRow): Promise<StagedHash | undefined> {
  const hash = createHash('sha256');
  const parser = new StructureParser();
  for (let index = 0; index < row.parts; index++) {
    const chunk = store.read((view) => chunks.get(view, row.body, index));
    if (!chunk) return undefined;
    hash.update(chunk);
    parser.push(chunk);
    if (index % CHUNKS_A_TURN === CHUNKS_A_TURN - 1) await pause(clock, 0);
  }
  const structure = keepable(packed(parser));
  return { body: row.body, sizeOctets: row.sizeOctets, sha256: hash.digest('hex'), ...(structure && { structure }) };
}
