/** Files of a backup: how long they are and what they hash to, copied and read a piece at a time. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const PIECE_OCTETS = 1024 * 1024;

export type FileSum = { readonly octets: number; readonly sha256: string };

export type Reading = {
  /** Told how many octets were read so far, after each piece. */
  readonly tell?: (octets: number) => void;
  readonly signal?: AbortSignal;
};

/** Reads a file whole. */
export const sumOf = (path: string, reading: Reading = {}): Promise<FileSum> => read(path, reading, async () => {});

/** Copies a file to a name that is free, mode 0600; it is on the disk when resolved. @returns the sum of what was written */
export async function copyFileSynced(from: string, to: string, reading: Reading = {}): Promise<FileSum> {
  const file = await open(to, 'wx', 0o600);
  try {
    const sum = await read(from, reading, (piece) => file.writeFile(piece));
    await file.sync();
    return sum;
  } finally {
    await file.close();
  }
}

/** A new file, mode 0600, on the disk when resolved. */
export async function writeFileSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function read(
  path: string,
  { tell, signal }: Reading,
  use: (piece: Uint8Array) => Promise<void>,
): Promise<FileSum> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE_OCTETS);
    let octets = 0;
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return { octets, sha256: hash.digest('hex') };
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      await use(piece);
      octets += bytesRead;
      tell?.(octets);
    }
  } finally {
    await file.close();
  }
}
