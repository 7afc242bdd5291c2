/**
 * Journal records: what is committed as one. Each carries its own number, its owner's epoch and the hash of the one
 * before, so that a chain of them can be checked without asking anybody (docs/architecture.md, "Ownership, journal").
 */
import { createHash } from 'node:crypto';
import { accept, type Result, refuse } from '../kernel/result.ts';
import type { Change } from './change.ts';
import { decode, encode } from './codec.ts';
import { FORMAT_VERSION } from './tables.ts';

/** How far a store is: the last record applied. */
export type Applied = { readonly number: number; readonly epoch: number; readonly hash: string };

/** Before the first record. */
export const NOTHING_APPLIED: Applied = { number: 0, epoch: 0, hash: '0'.repeat(64) };

export type JournalRecord = {
  /** 1, 2, 3, ... without a gap. */
  readonly number: number;
  readonly epoch: number;
  /** The hash of the record before, in lower-case hex; of NOTHING_APPLIED for the first. */
  readonly previous: string;
  /** SHA-256 over number, epoch, previous and the packed changes. */
  readonly hash: string;
  readonly changes: readonly Change[];
  /** The changes as they are hashed and sent. */
  readonly packed: Uint8Array;
};

/** The record that follows `applied`. */
export function seal(applied: Applied, epoch: number, changes: readonly Change[]): JournalRecord {
  const packed = encode(changes);
  const number = applied.number + 1;
  const hash = hashOf(number, epoch, applied.hash, packed);
  return { number, epoch, previous: applied.hash, hash, changes, packed };
}

/** Why a record can't follow what is applied, in words for a log; undefined when it can. */
export function misfit(applied: Applied, record: Omit<JournalRecord, 'packed'>): string | undefined {
  if (record.number !== applied.number + 1) return `record ${record.number} does not follow ${applied.number}`;
  if (record.previous !== applied.hash) return `record ${record.number} follows another record ${applied.number}`;
  if (record.epoch < applied.epoch) return `record ${record.number} is of epoch ${record.epoch}, not ${applied.epoch}`;
  return undefined;
}

export const encodeRecord = (record: JournalRecord): Buffer =>
  encode([FORMAT_VERSION, record.number, record.epoch, record.previous, record.hash, record.packed]);

export type RecordRefusal = 'malformed' | 'newer-format' | 'hash-mismatch';

/** Never throws: what comes from a journal is checked before it is believed. */
export function decodeRecord(octets: Uint8Array): Result<JournalRecord, RecordRefusal> {
  try {
    const fields = decode<unknown>(octets);
    if (!Array.isArray(fields) || typeof fields[0] !== 'number') return refuse('malformed');
    if (fields[0] > FORMAT_VERSION) return refuse('newer-format');
    if (fields[0] < FORMAT_VERSION) return refuse('malformed'); // there was none before this
    const [, number, epoch, previous, hash, packed] = fields;
    if (!Number.isSafeInteger(number) || !Number.isSafeInteger(epoch)) return refuse('malformed');
    if (typeof previous !== 'string' || typeof hash !== 'string' || !(packed instanceof Uint8Array)) {
      return refuse('malformed');
    }
    if (hash !== hashOf(number, epoch, previous, packed)) return refuse('hash-mismatch');
    // Hashed by the owner that made them: what is inside is what `seal` was given.
    return accept({ number, epoch, previous, hash, packed, changes: decode<Change[]>(packed) });
  } catch {
    return refuse('malformed');
  }
}

const hashOf = (number: number, epoch: number, previous: string, packed: Uint8Array): string =>
  createHash('sha256').update(`homing record ${number} ${epoch} ${previous}\n`).update(packed).digest('hex');
