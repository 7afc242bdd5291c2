/**
 * Who may reach into `data`. The directory `ipc` is all that keeps others from sockets where no password is asked, so it is
 * its owner's alone; nothing else there may be written by others, and databases and keys not be read by them.
 *
 * What was loosened is tightened again, and said, since a node that stays down for it helps nobody; what belongs to another
 * user can't be, and then the node does not start.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

type Rule = { readonly path: string; readonly forbidden: number; readonly kind: 'directory' | 'file' };

const BY_OTHERS = 0o077;
const WRITTEN_BY_OTHERS = 0o022;
const DIRECTORIES = { ipc: BY_OTHERS, run: WRITTEN_BY_OTHERS, log: WRITTEN_BY_OTHERS, etc: WRITTEN_BY_OTHERS } as const;

/**
 * Makes the directories that are missing and tightens what is loose.
 * @returns a line for the log for each thing that was
 * @throws CommandError where another user could change what the node relies on
 */
export function tightenData(data: string, uid: number | undefined = process.geteuid?.()): readonly string[] {
  if (!existsSync(data)) return []; // never made by a node that starts
  const said = [tighten({ path: data, forbidden: WRITTEN_BY_OTHERS, kind: 'directory' }, uid)];
  for (const [name, forbidden] of Object.entries(DIRECTORIES)) {
    const path = join(data, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    said.push(tighten({ path, forbidden, kind: 'directory' }, uid));
  }
  for (const file of databaseFiles(data)) said.push(tighten(file, uid));
  return said.filter((line) => line !== undefined);
}

/** LMDB's own files and the reserve; the cluster key has a rule of its own (cluster/cluster-key.ts). */
function databaseFiles(data: string): readonly Rule[] {
  const mail = join(data, 'mail');
  const below = [join(data, 'directory'), ...names(mail).map((name) => join(mail, name))];
  return below.flatMap((directory) =>
    names(directory).map((name): Rule => ({ path: join(directory, name), forbidden: BY_OTHERS, kind: 'file' })),
  );
}

function tighten({ path, forbidden, kind }: Rule, uid: number | undefined): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || (kind === 'file' && !found.isFile())) return undefined;
  const isForeign = uid !== undefined && found.uid !== uid && found.uid !== 0; // root needs no permission anyway
  if (kind === 'directory' && isForeign)
    throw new CommandError(`${path}: belongs to the user with id ${found.uid}, and not to that of the node, ${uid}`);
  const mode = permissions(found);
  if ((mode & forbidden) === 0) return undefined;
  const tight = mode & ~forbidden;
  try {
    chmodSync(path, tight);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`${path}: its mode is ${octal(mode)}, and it can't be made ${octal(tight)} (${code})`);
  }
  return `${path}: its mode was ${octal(mode)}, open to others: it is ${octal(tight)} now`;
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // whoever needs it says that it is missing, or no directory
  }
}

const permissions = ({ mode }: Stats): number => mode & 0o777;
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
