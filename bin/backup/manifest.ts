/**
 * What a backup says of itself: `manifest.json`, written last, so that without it there is no backup. Numbers and names
 * only; a newer format is told by its number before anything else of it is believed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';

/** Changing what a manifest means is a new format; adding a field that may be absent is not. */
export const BACKUP_FORMAT = 1;
export const MANIFEST = 'manifest.json';
/** Where in the backup the cluster key is, if it was asked for. */
export const KEY_FILE = 'cluster.key';

const count = z.number().int().nonnegative();
const file = { octets: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) };

const manifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  /** The program's version. */
  program: z.string(),
  me: z.string(),
  cluster: z.string(),
  /** When it began and was complete, ISO 8601. All that was acknowledged before `begun` is inside. */
  begun: z.string(),
  ended: z.string(),
  hasKey: z.boolean(),
  directory: z.object({
    ...file,
    format: z.string(),
    dataId: z.string(),
    revision: count,
    generation: z.number().int(),
  }),
  mail: z.array(
    z.object({ ...file, mailHost: z.string(), storeId: z.string(), formatVersion: count, record: count, epoch: count }),
  ),
});

export type Manifest = z.infer<typeof manifest>;

/** Paths within a backup. */
export const directoryIn = (backup: string): string => join(backup, 'directory');
export const mailIn = (backup: string, mailHost: string): string => join(backup, 'mail', mailHost);

/** @throws CommandError naming what is wrong with it */
export function readManifest(backup: string): Manifest {
  const path = join(backup, MANIFEST);
  const given = parse(path);
  const format = (given as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > BACKUP_FORMAT)
    throw new CommandError(`${path}: its format is ${format}, and this program knows up to ${BACKUP_FORMAT}`);
  const read = manifest.safeParse(given);
  if (read.success) return read.data;
  const lines = read.error.issues.map(({ path: at, message }) => `${path}: ${at.join('.') || 'the whole'}: ${message}`);
  throw new CommandError(...lines);
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new CommandError(`${path}: there is no such file: this is no backup, or none that was finished`);
    throw new CommandError(`${path}: ${code ?? 'not JSON'}`);
  }
}
