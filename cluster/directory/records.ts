/**
 * What the bucket's entries hold: keys, and sealed records with a version that only rises.
 *
 * Every value is one record, sealed under its key, so that nobody without the cluster key reads it, makes one up or moves
 * it to another key. What such a stranger can still do, put an old record back, shows by its version: records of one key
 * are totally ordered and a mirror never follows one that does not rise. A deletion is a record too (a tombstone).
 */
import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { fromToken, token } from '../subjects.ts';

/** Authenticated encryption bound to a name; `open` gives nothing for what was not sealed under this key and name. */
export type Seal = {
  seal(key: string, plain: Uint8Array): Uint8Array;
  open(key: string, sealed: Uint8Array): Uint8Array | undefined;
};

export type StoredRecord = {
  /** Grows by at least one with each new value of the key, for ever. */
  readonly version: number;
  /** Milliseconds since the epoch at the writer; decides only between two histories that reached the same version. */
  readonly at: number;
  /** The operation or the start of a node that wrote this version. */
  readonly by: string;
  /** The key's revision that this record was written upon. */
  readonly after: number;
  /**
   * Registrations only: `fingerprint` of the very octets that this record was written upon. Proves that the bucket held
   * that entry; a revision alone would not, since a bucket that went back gives out the same ones again.
   */
  readonly upon?: string;
  /** Absent in a tombstone. */
  readonly value?: unknown;
};

export const keys = {
  account: (name: string) => `account.${token(name)}`,
  node: (me: string) => `node.${token(me)}`,
  lease: (mailHost: string) => `lease.${token(mailHost)}`,
  mailHost: (name: string) => `mailhost.${token(name)}`,
  settings: 'settings',
  generation: 'generation',
} as const;

export const ACCOUNTS = 'account.';
export const NODES = 'node.';
export const LEASES = 'lease.';
export const MAIL_HOSTS = 'mailhost.';

/** The name within a key that has one: `node.n1` -> `n1`. */
export const nameIn = (key: string): string => fromToken(key.slice(key.indexOf('.') + 1));

/** `settings`: written once by init, the same for every node. */
export type ClusterSettings = {
  readonly cluster: string;
  /** `directory-max-stale`: how old a node's knowledge may be when it answers a login. */
  readonly maxStaleMs: number;
};

/** `mailhost.<name>`: which store is the truth for that mailHost. */
export type MailHostRecord = { readonly mailHost: string; readonly storeId: string };

/** `generation`: a new one each time the bucket was found to have gone back. */
export type GenerationRecord = { readonly reason: string };

/** `node.<me>`: a registered node; its heartbeat is a new version each second. */
export type Registration = {
  readonly me: string;
  readonly startId: string;
  /** Identity of the data directory, whose lock the node holds: two live processes never share one. */
  readonly dataId: string;
  readonly mailHosts: readonly string[];
  /** The generation that this node has swept whole, with nothing left to repair; -1 while it has not. */
  readonly synced: number;
};

/** `lease.<mailHost>`: who owns it. Kept when released, for its epoch. */
export type LeaseRecord = {
  readonly mailHost: string;
  readonly holder: string;
  readonly startId: string;
  readonly dataId: string;
  readonly epoch: number;
  readonly released?: true;
};

const packr = new Packr({ useRecords: false });

export const encodeRecord = (seal: Seal, key: string, record: StoredRecord): Uint8Array =>
  seal.seal(key, packr.pack(record));

/** Of sealed octets; two sealings of one record differ. */
export const fingerprint = (sealed: Uint8Array): string =>
  createHash('sha256').update(sealed).digest('base64url').slice(0, 22);

/** Undefined for whatever is not a record sealed under this key: never throws on what came from outside. */
export function decodeRecord(seal: Seal, key: string, sealed: Uint8Array): StoredRecord | undefined {
  try {
    const plain = seal.open(key, sealed);
    if (!plain) return undefined;
    const record: unknown = packr.unpack(plain);
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined; // sealed by us but not a record: as good as garbage, and said so by the caller
  }
}

function isRecord(value: unknown): value is StoredRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, at, by, after } = value as Partial<StoredRecord>;
  return Number.isSafeInteger(version) && Number.isFinite(at) && typeof by === 'string' && Number.isSafeInteger(after);
}

/**
 * The order of one key's records: the version; between two histories that reached the same version (only a bucket that
 * went back makes them) the later by its writer's clock, then by its writer, so that all nodes choose alike. 0: the same.
 */
export function compareRecords(a: StoredRecord, b: StoredRecord): number {
  return a.version - b.version || a.at - b.at || (a.by < b.by ? -1 : a.by > b.by ? 1 : 0);
}
