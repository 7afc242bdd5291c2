/**
 * What mime/ finds in bodies (mime/structure.ts), packed: made while a body comes in, or when it is first asked for, and kept
 * with it from then on. Reading a long body gives way to others every few milliseconds.
 */
import { type Clock, pause } from '../../kernel/clock.ts';
import type { Structure } from '../../mime/structure.ts';
import { StructureParser } from '../../mime/structure-parser.ts';
import { decode, encode } from '../../store/codec.ts';
import type { Store } from '../../store/store.ts';
import { blobs, chunks, structures } from '../../store/tables.ts';
import type { Log } from '../../telemetry/log.ts';
import type { MessageEntry, MessagePage } from './message-requests.ts';
import { ANSWER_OCTETS, entryOf, octetsIn, type RowPage } from './message-rows.ts';
import type { Writer } from './writer.ts';

/** The first octet of what is kept: one that mime/ made otherwise, in another version, is made anew. */
const VERSION = 1;
export const packed = (parser: StructureParser): Uint8Array =>
  Buffer.concat([Uint8Array.of(VERSION), encode(parser.end())]);
const isCurrent = (structure: Uint8Array): boolean => structure[0] === VERSION;
/** Throws for one of another version. */
export function unpackStructure(octets: Uint8Array): Structure {
  if (!isCurrent(octets)) throw new Error(`a structure of version ${octets[0]}`);
  return decode<Structure>(octets.subarray(1));
}

/** One larger than this takes more to keep than to make: hostile mail alone has such. */
const MOST_KEPT_OCTETS = 256 * 1024;
export const keepable = (structure: Uint8Array): Uint8Array | undefined =>
  structure.length <= MOST_KEPT_OCTETS ? structure : undefined;

export type Structures = {
  /** The entries of a page with their structures; ends it early when making them takes long, the first is always there. */
  complete(page: RowPage): Promise<MessagePage>;
  /** By the body's SHA-256; undefined when it is not there any more. */
  find(sha256: string): Promise<Uint8Array | undefined>;
  /** The same for a search, which looks at far more bodies than anybody reads: what it makes is not kept. */
  look(sha256: string): Promise<Uint8Array | undefined>;
};

/** Some 128 kB each, a millisecond or two. */
const CHUNKS_A_TURN = 4;
/** What making structures may take of one page. */
const PAGE_MS = 20;
const PAGE_OCTETS = 4 * 1024 * 1024;
/** Made last and too large to be kept with their bodies. */
const MOST_REMEMBERED = 4;

export function createStructures(options: {
  readonly store: Store;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}): Structures {
  const { store, writer, clock, log } = options;
  const underWay = new Map<string, Promise<Uint8Array | undefined>>();
  const remembered = new Map<string, Uint8Array>();

  const make = async (sha256: string): Promise<Uint8Array | undefined> => {
    const blob = store.read((view) => blobs.get(view, sha256));
    if (!blob) return undefined;
    const parser = new StructureParser();
    for (let index = 0, octets = 0; octets < blob.sizeOctets; index++) {
      if (index > 0 && index % CHUNKS_A_TURN === 0) await pause(clock, 0);
      const chunk = store.read((view) => chunks.get(view, blob.body, index));
      if (!chunk) return undefined; // collected meanwhile
      parser.push(chunk);
      octets += chunk.length;
    }
    return packed(parser);
  };

  const keep = (sha256: string, structure: Uint8Array): Uint8Array => {
    if (!keepable(structure)) {
      remembered.delete(sha256);
      remembered.set(sha256, structure);
      const [oldest] = remembered.keys();
      if (remembered.size > MOST_REMEMBERED) remembered.delete(oldest!);
      return structure;
    }
    // Whatever becomes of it, the structure is right, and can be made again.
    writer
      .submit({ type: 'keep-structures', structures: [{ sha256, structure }] })
      .catch((fault) => log.error('a structure was not kept', { fault }));
    return structure;
  };

  const knownOf = (sha256: string): Uint8Array | undefined =>
    remembered.get(sha256) ?? current(store.read((view) => structures.get(view, sha256)));

  const current = (kept: Uint8Array | null | undefined) => (kept && isCurrent(kept) ? kept : undefined);

  const find = async (sha256: string): Promise<Uint8Array | undefined> => {
    const known = knownOf(sha256);
    if (known) return known;
    const making = underWay.get(sha256);
    if (making) return await making;
    const begun = make(sha256)
      .then((made) => made && keep(sha256, made))
      .finally(() => underWay.delete(sha256));
    underWay.set(sha256, begun);
    return await begun;
  };

  return {
    find,
    look: async (sha256) => knownOf(sha256) ?? (await make(sha256)),
    async complete({ rows, more }) {
      const entries: MessageEntry[] = [];
      const endMs = clock.monotonic() + PAGE_MS;
      let [made, told] = [0, 0];
      for (const paged of rows) {
        const kept = current(paged.structure);
        const isLong = !kept && (clock.monotonic() > endMs || made > PAGE_OCTETS);
        if (isLong && entries.length > 0) return { entries, more: true };
        const structure = kept ?? (await find(paged.row.blob));
        if (!structure) continue; // expunged meanwhile
        if (!kept) made += paged.row.sizeOctets;
        const whole = { ...paged, structure };
        told += octetsIn(whole);
        if (told > ANSWER_OCTETS && entries.length > 0) return { entries, more: true };
        entries.push(entryOf(whole));
      }
      return { entries, more };
    },
  };
}
