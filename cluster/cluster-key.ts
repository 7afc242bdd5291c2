/**
 * The cluster key: 32 random octets in a file, base64 text, mode 0600, the same on every node.
 *
 * It is never used as it stands: each purpose gets a key of its own (HKDF, RFC 5869), so that what one part of the house
 * seals means nothing to another. Nothing here logs, and no error says more of the file's content than its length.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

export const CLUSTER_KEY_OCTETS = 32;

/** Keys derived from the cluster key, 32 octets each. */
export type ClusterKeys = {
  /** Seals what crosses NATS (cluster/frames.ts). */
  readonly frames: Uint8Array;
  /** Seals what rests in the directory bucket (`sealValue`, cluster/frames.ts). */
  readonly values: Uint8Array;
  /** Signs tickets (cluster/tickets.ts). */
  readonly tickets: Uint8Array;
  /** The seed of the key pair by which nodes sign their answers to operators (cluster/admin/keys.ts). */
  readonly adminAnswers: Uint8Array;
};

/** One key for each purpose: RFC 5869 §3.2, the purpose as `info`. */
export function deriveKeys(clusterKey: Uint8Array): ClusterKeys {
  const derive = (purpose: string) =>
    new Uint8Array(hkdfSync('sha256', clusterKey, new Uint8Array(0), `homing ${purpose} 1`, CLUSTER_KEY_OCTETS));
  return {
    frames: derive('frames'),
    values: derive('values'),
    tickets: derive('tickets'),
    adminAnswers: derive('admin answers'),
  };
}

/**
 * Reads the key file.
 * @returns the 32 octets
 * @throws Error whose message names the file and what is wrong with it: missing, readable by others, not a key
 */
export async function readClusterKey(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'no such file' : (error.code ?? 'unreadable');
    throw new Error(`${path}: ${reason}; the cluster key can't be read`, { cause: error });
  });
  try {
    const { mode } = await file.stat(); // of the open file: a swapped path can't pass the check for another
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw new Error(`${path}: mode is ${octal}; a cluster key may be open to its owner only (chmod 0600)`);
    }
    const key = parseClusterKey(await file.readFile('utf8'));
    if (typeof key === 'string') throw new Error(`${path}: ${key}`);
    return key;
  } finally {
    await file.close();
  }
}

/**
 * Makes a new key and its file; the file and its name are on disk when this resolves.
 * @throws Error when the file exists already: a key is never replaced, what it sealed would be lost
 */
export async function createClusterKey(
  path: string,
  random: (octets: number) => Uint8Array = randomBytes,
): Promise<Uint8Array> {
  const key = random(CLUSTER_KEY_OCTETS);
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'exists already' : (error.code ?? 'not writable');
    throw new Error(`${path}: ${reason}; no cluster key was made`, { cause: error });
  });
  try {
    await file.writeFile(`${Buffer.from(key).toString('base64')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
  return new Uint8Array(key);
}

/** The key, or what is wrong with the text. Strict: a damaged key must not pass as another one. */
function parseClusterKey(text: string): Uint8Array | string {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(trimmed)) return 'is not base64 text (RFC 4648 §4)';
  const key = new Uint8Array(Buffer.from(trimmed, 'base64'));
  if (key.length !== CLUSTER_KEY_OCTETS) {
    return `holds ${key.length} octets; a cluster key is ${CLUSTER_KEY_OCTETS} octets in base64`;
  }
  return key;
}
