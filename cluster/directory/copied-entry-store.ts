/** Copies of a directory database (entry-store.ts, `copyTo`) before anybody serves them: looked at, and made one's own. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { batch, environment, LOCK_FILE } from './entry-database.ts';
import type { Remembered } from './entry-store.ts';

/** What a copy says of itself; leaves nothing beside it. */
export async function inspectEntryCopy(
  path: string,
): Promise<{ readonly dataId: string; readonly remembered: Remembered }> {
  const root = environment(path, { readOnly: true });
  try {
    const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' });
    return { dataId: String(meta.get('dataId')), remembered: meta.get('remembered') as Remembered };
  } finally {
    await root.close();
    await rm(join(path, LOCK_FILE), { force: true });
  }
}

/**
 * Makes a copy a data directory of its own: it gets another identity, so that no node takes it for the one it was copied
 * from, whose process may live.
 * @param isMirror  what the copy knows of the bucket is old: nothing of it counts until all of the bucket was told anew.
 *   What is newer here than there is then written back (repair.ts), what is newer there is followed
 */
export async function adoptEntryCopy(path: string, isMirror: boolean): Promise<void> {
  const root = environment(path);
  try {
    const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' });
    const remembered = meta.get('remembered') as Remembered;
    await batch(path, root, () => {
      meta.put('dataId', randomUUID());
      if (isMirror) meta.put('remembered', { ...remembered, generation: -1, isDistrusted: true } satisfies Remembered);
    });
  } finally {
    await root.close();
  }
}
