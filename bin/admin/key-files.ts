/** Operators' key files as commands make them: a private one that is never written over, and the list of those to obey. */
import { existsSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_NAME, makeOperatorKey, type PublicJwk, readKeyList } from '../../cluster/admin/keys.ts';
import { CommandError } from '../command-error.ts';

/** @returns the public half; the private one is in the file, mode 0600, and on the disk */
export async function writeOperatorKey(name: string, path: string): Promise<PublicJwk> {
  if (!KEY_NAME.test(name))
    throw new CommandError(
      `${name}: a key is named by up to 64 letters, digits and ._@-, beginning with a letter or digit`,
    );
  const { privateText, publicJwk } = makeOperatorKey(name);
  await write(path, privateText, 0o600, 'wx').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'exists already' : error.message;
    throw new CommandError(`${path}: ${why}; no key was made`);
  });
  return publicJwk;
}

/**
 * The same, of an operator whom this node is to obey from now on: the key is in its list, or there is none.
 * @param list  the node's list, which is made when it is missing
 */
export async function writeAllowedKey(name: string, path: string, list: string): Promise<PublicJwk> {
  return changeList(list, async (listed, put) => {
    mustBeNew(list, listed, name); // before there is a private key to remove
    const jwk = await writeOperatorKey(name, path);
    try {
      await put(jwk);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
    return jwk;
  });
}

/** Adds a key to a node's list, which is made when it is missing. */
export const allowKey = (list: string, jwk: PublicJwk): Promise<void> =>
  changeList(list, async (listed, put) => {
    mustBeNew(list, listed, jwk.kid);
    await put(jwk);
  });

function mustBeNew(list: string, listed: readonly PublicJwk[], name: string): void {
  if (listed.some(({ kid }) => kid === name))
    throw new CommandError(`${list}: a key called "${name}" is there already; nothing was changed`);
}

type Put = (jwk: PublicJwk) => Promise<void>;

/** One at a time: the draft of the new list is made first, which only one can, and takes the old one's place by rename(2). */
async function changeList<T>(list: string, change: (listed: readonly PublicJwk[], put: Put) => Promise<T>): Promise<T> {
  const draft = `${list}.new`;
  const unwritten = (error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'EEXIST'
        ? `${draft} exists: another command is changing the list; if none is, one was killed: remove that file`
        : `can't be written: ${error.message}`;
    throw new CommandError(`${list}: ${why}`);
  };
  await write(draft, '', 0o600, 'wx').catch(unwritten);
  let isOurs = true;
  try {
    const listed = existsSync(list) ? await readKeyList(list) : { ok: true as const, value: [] };
    if (!listed.ok) throw new CommandError(listed.refusal);
    return await change(listed.value, async (jwk) => {
      const lines = [...listed.value, jwk].map((each) => `  ${JSON.stringify(each)}`).join(',\n');
      // Public keys: the node's user must be able to read them.
      await write(draft, `{"keys": [\n${lines}\n]}\n`, 0o644, 'w').catch(unwritten);
      await rename(draft, list).catch(unwritten);
      isOurs = false; // the next may have begun
      await syncDirectory(list);
    });
  } finally {
    if (isOurs) rmSync(draft, { force: true });
  }
}

async function write(path: string, text: string, mode: number, flags: string): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await file.chmod(mode); // whatever the umask
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(path);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}
