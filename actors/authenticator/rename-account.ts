/**
 * `account rename`: another name for the same mail. The mail lies under the account's id and does not move; the directory
 * has one key a name, so two changes make a rename: the account is copied to its new name, then the old one is ended.
 *
 * Between the two both names are the account: log-ins and deliveries under either are right, none is refused. Whoever is
 * interrupted there leaves it so; `homing check` finds it, the same command again finishes it, and the reverse one undoes it.
 */
import type { Account } from '../../cluster/directory/account.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import {
  type AccountRefusal,
  type AccountView,
  type Administration,
  isReserved,
  isSharedName,
  nameFor,
  no,
  tombstone,
  unversioned,
  view,
} from './accounts.ts';

const ATTEMPTS = 5;

/**
 * A verification remembered under the account's id must hold for one password of that id only (verification-cache.ts). The new
 * name's versions, which its passwords take, therefore begin so far above that the old name can't reach them meanwhile.
 */
const VERSIONS_APART = 1000;

type Outcome = Promise<Result<AccountView, AccountRefusal>>;
type Step = Promise<Awaited<Outcome> | 'again'>;

export async function renameAccount(admin: Administration, oldName: string, newName: string): Outcome {
  const [from, to] = [nameFor(admin, oldName), nameFor(admin, newName)];
  if (!from.ok) return from;
  if (!to.ok) return to;
  const misfit = nameMisfit(admin, from.value, to.value);
  if (misfit) return misfit;
  if (from.value === to.value) return no('exists', to.value);
  const begun = admin.directory.find(from.value);
  if (!begun) return doneBefore(admin, from.value, to.value);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const step = await tryRename(admin, begun.id, from.value, to.value);
    if (step !== 'again') return step;
  }
  return unfinished(admin, from.value, to.value, 'conflict');
}

/** @returns `again` when another change came between */
async function tryRename(admin: Administration, id: string, from: string, to: string): Step {
  const { directory } = admin;
  const old = directory.find(from);
  const there = directory.find(to);
  if (old?.id !== id) return await endedMeanwhile(admin, id, from, to);
  const standing = there ? standingOf(old, there) : 'to-copy';
  if (standing === 'another') return no('exists', to);
  if (standing === 'both-changed') return bothChanged(from, to);
  if (standing === 'to-copy') {
    const copy = (_: Account | undefined, version: number) => ({
      ...unversioned(old),
      name: to,
      renamedFrom: { name: from, version: old.version, at: version },
    });
    const made = await directory.change(to, copy, {
      operation: admin.nextOperation(),
      ifVersion: there?.version ?? 0,
      aboveVersion: old.version + VERSIONS_APART,
    });
    if (!made.ok && made.refusal === 'conflict') return 'again';
    if (!made.ok) return unfinished(admin, from, to, made.refusal);
  }
  const end = (current: Account | undefined) => current && tombstone(current, to);
  const ended = await directory.change(from, end, { operation: admin.nextOperation(), ifVersion: old.version });
  if (!ended.ok) return ended.refusal === 'conflict' ? 'again' : unfinished(admin, from, to, ended.refusal);
  const renamed = directory.find(to);
  return renamed ? accept(view(renamed)) : no('no-such-account', to); // deleted by another in this very moment
}

/** Shared mailboxes go under the name that the configuration gives them, as after a change of it; no account does. */
function nameMisfit(admin: Administration, from: string, to: string): Result<never, AccountRefusal> | undefined {
  const isShared = admin.directory.last(from)?.kind === 'shared';
  if (!isShared) return isReserved(admin, to) ? no('reserved-name', to) : undefined;
  if (isSharedName(admin, to)) return undefined;
  const message = `${from} is the home of shared mailboxes: it can only be named ${admin.sharedName} (lmtp-shared-name), at whatever domain`;
  return refuse({ code: 'bad-name', message });
}

/** The old name was gone when the command came: this very rename may have been finished before. */
function doneBefore({ directory }: Administration, from: string, to: string): Result<AccountView, AccountRefusal> {
  const [ended, there] = [directory.last(from), directory.find(to)];
  if (!there || ended?.id !== there.id) return no('no-such-account', from);
  if (ended.renamedTo === to) return accept(view(there));
  const message = `${from} was not renamed but deleted; ${to} is another name of the same account: delete it too, or keep it`;
  return refuse({ code: 'no-such-account', message });
}

/**
 * The old name, alive when this rename began, is not the account's any more. Another hand may have finished the same rename.
 * Else it was deleted, perhaps before the copy could be seen, and its mail with it: a copy made of it must not outlive it.
 */
async function endedMeanwhile(admin: Administration, id: string, from: string, to: string): Step {
  const [ended, there] = [admin.directory.last(from), admin.directory.find(to)];
  const isOurs = ended?.deleted && ended.id === id;
  if (isOurs && ended.renamedTo === to && there?.id === id) return accept(view(there));
  const how = isOurs && ended.renamedTo !== undefined ? `renamed to ${ended.renamedTo}` : 'deleted';
  if (there?.id !== id) return refuse({ code: 'conflict', message: `${from} was ${how} meanwhile: it is not renamed` });
  if (!isOurs || there.renamedFrom?.name !== from) {
    const message = `${from} was ${how} meanwhile, and ${to} is another name of that account: delete it too, or keep it`;
    return refuse({ code: 'conflict', message });
  }
  const undone = await admin.directory.change(to, (current) => current && tombstone(current), {
    operation: admin.nextOperation(),
    ifVersion: there.version,
  });
  if (undone.ok) return refuse({ code: 'conflict', message: `${from} was ${how} meanwhile: it is not renamed` });
  if (undone.refusal === 'conflict') return 'again';
  const message = `${from} was ${how} meanwhile, and ${to}, made of it, could not be removed again: delete it`;
  return refuse({ code: undone.refusal, message });
}

/**
 * What `there`, which has the new name, is to the account that is to get it. A copy that was made before is good as long as
 * one side alone was changed since; it does not matter which of the two is the copy.
 */
export function standingOf(old: Account, there: Account): 'copied' | 'to-copy' | 'both-changed' | 'another' {
  if (there.id !== old.id) return 'another';
  const [copy, origin] = there.renamedFrom?.name === old.name ? [there, old] : [old, there];
  const made = copy.renamedFrom;
  if (made?.name !== origin.name) return 'another';
  const isCopyChanged = copy.version !== made.at;
  const isOriginChanged = origin.version !== made.version;
  if (isCopyChanged && isOriginChanged) return 'both-changed';
  return (copy === there ? isOriginChanged : isCopyChanged) ? 'to-copy' : 'copied';
}

const bothChanged = (from: string, to: string): Result<never, AccountRefusal> =>
  refuse({
    code: 'conflict',
    message: `${from} and ${to} are one account since an unfinished rename, and both were changed since: delete the one that is wrong, the mail stays with the other`,
  });

/** Says how far it came, as this node sees it. */
function unfinished(
  { directory }: Administration,
  from: string,
  to: string,
  refusal: 'conflict' | 'unavailable' | 'unknown',
): Result<never, AccountRefusal> {
  const there = directory.find(to);
  const isBoth = there !== undefined && there.id === directory.find(from)?.id;
  if (!isBoth) return no(refusal, from);
  const message = `${from} is not renamed yet: both ${from} and ${to} are its names now; the same command again finishes it`;
  return refuse({ code: refusal, message });
}
