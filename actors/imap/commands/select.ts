/**
 * SELECT and EXAMINE: RFC 9051 §6.3.2, §6.3.3; RFC 3501 §6.3.1 for what IMAP4rev1 is told besides; RFC 7162 §3.1.8 and §3.2.5
 * for CONDSTORE and QRESYNC. No message is read for it, but those that changed since a client was here last.
 */

import { SEPARATOR } from '../../../kernel/mailbox-name.ts';
import { accept, type Result } from '../../../kernel/result.ts';
import type { CommandOf, Qresync } from '../../../protocols/imap/command.ts';
import { type Response, untagged } from '../../../protocols/imap/response.ts';
import type { Range } from '../../../protocols/imap/sequence-set.ts';
import type { UidBlock } from '../../../store/uid-bits.ts';
import { intersected, type UidRanges } from '../../../store/uid-ranges.ts';
import type { ChangeEvent } from '../../mailbox-owner/event.ts';
import type { Selected } from '../../mailbox-owner/mailbox-requests.ts';
import { changedSince } from '../changed-since.ts';
import { Fetching } from '../fetching.ts';
import { mayChange } from '../flags.ts';
import type { ImapSession } from '../imap-session.ts';
import type { Place } from '../names.ts';
import { rangesOfSet, uidsOfBlocks } from '../numbering.ts';
import { mailboxId } from '../object-id.ts';
import { done, type Handler, type Outcome, wrong } from '../outcome.ts';
import * as replies from '../replies.ts';
import { allBlocks, type ReadFailure, SelectedMailbox } from '../selected-mailbox.ts';
import type { OwnerSession } from '../services.ts';
import { numberSet, View } from '../view.ts';

type SelectCommand = CommandOf<'SELECT' | 'EXAMINE'>;

export const select: Handler<SelectCommand> = (command, session) => open(command, session, false);
export const examine: Handler<SelectCommand> = (command, session) => open(command, session, true);

async function open(command: SelectCommand, session: ImapSession, readOnly: boolean): Promise<Outcome> {
  const { qresync, type } = command;
  // RFC 7162 §3.2.5; the mailbox selected before stays so.
  if (qresync !== undefined && !session.enabled.has('QRESYNC')) return wrong('QRESYNC was not enabled');
  const closed: Response[] =
    session.view === undefined ? [] : [untagged('OK', 'the mailbox before is closed', 'CLOSED')];
  session.deselect();
  if (command.condstore) session.enabled.add('CONDSTORE');
  const refused = (refusal: replies.Refusal): Outcome => ({
    ...replies.refusal(refusal),
    untagged: closed,
    become: 'authenticated', // RFC 9051 §6.3.2: a SELECT that fails leaves none selected
  });
  const place = session.resolve(command.mailbox);
  if (!place.ok) return refused(place.refusal);
  const opened = await openPlace(session, place.value, readOnly);
  if (!opened.ok) return refused(opened.refusal);
  const { mailbox, selected, list } = opened.value;
  const resynced = await resync(mailbox, qresync, selected.uidNext).catch((fault) => {
    void mailbox.close();
    throw fault;
  });
  if (!resynced.ok) {
    void mailbox.close();
    return refused(resynced.refusal);
  }
  const isReadOnly = readOnly || !mayChange(selected.rights); // RFC 4314 §5.2
  const told = [...closed, ...described(mailbox, selected), ...list, ...resynced.value];
  session.view = mailbox;
  return {
    ...done(`${type} completed`, told),
    code: isReadOnly ? 'READ-ONLY' : 'READ-WRITE',
    become: 'selected',
  };
}

type Opened = { readonly mailbox: SelectedMailbox; readonly selected: Selected; readonly list: readonly Response[] };

async function openPlace(session: ImapSession, place: Place, readOnly: boolean): Promise<Result<Opened, ReadFailure>> {
  const owner = await session.owner(place.mailHost);
  if (!owner.ok) return owner;
  // Listened to before it is looked at, so that no change falls between.
  const heard: (ChangeEvent | 'lost')[] = [];
  let tell: (event: ChangeEvent | 'lost') => void = (event) => void heard.push(event);
  const unwatch = session.services.watch(place.mailHost, place.account, (event) => tell(event));
  const looked = await look(owner.value, place, session.isRev1, readOnly).catch((fault) => {
    unwatch();
    throw fault;
  });
  if (!looked.ok) {
    unwatch();
    return looked;
  }
  const { selected, blocks, list } = looked.value;
  const mailbox = new SelectedMailbox(session, {
    place,
    ref: selected.ref,
    owner: owner.value,
    uidNext: selected.uidNext,
    recentUpTo: selected.recentUpTo,
    view: new View({ ...selected, uids: uidsOf(selected, blocks), readOnly }),
    watch: (listener) => {
      tell = listener;
      for (const event of heard) listener(event);
      return unwatch;
    },
  });
  return accept({ mailbox, selected, list });
}

async function look(owner: OwnerSession, place: Place, isRev1: boolean, readOnly: boolean) {
  const { account, name } = place;
  const [selected, children] = await Promise.all([
    owner.read('select', { account, name, write: !readOnly && isRev1 }), // in IMAP4rev2 nothing is told as recent
    isRev1 ? undefined : owner.read('list-mailboxes', { account, after: `${name}${SEPARATOR}`, limit: 1 }),
  ]);
  if (!selected.ok) return selected;
  const blocks = await allBlocks(owner, selected.value.ref, selected.value.present);
  if (!blocks.ok) return blocks;
  const hasChildren = children?.ok && children.value.entries[0]?.name.startsWith(`${name}${SEPARATOR}`) === true;
  const list: Response[] = isRev1 ? [] : [listing(place, selected.value, hasChildren === true)];
  return accept({ selected: selected.value, blocks: blocks.value, list });
}

/** RFC 9051 §6.3.2: the LIST response that IMAP4rev2 wants. */
const listing = ({ shown }: Place, { specialUse }: Selected, hasChildren: boolean): Response => ({
  type: 'LIST',
  attributes: [hasChildren ? '\\HasChildren' : '\\HasNoChildren', ...(specialUse === undefined ? [] : [specialUse])],
  delimiter: SEPARATOR,
  mailbox: shown,
});

/** Blocks that came later may have more, which changes will tell of. */
function uidsOf({ uidNext }: Selected, blocks: readonly UidBlock[]): Uint32Array {
  const uids = uidsOfBlocks(blocks);
  let count = uids.length;
  while (count > 0 && uids[count - 1]! >= uidNext) count--;
  return count === uids.length ? uids : uids.slice(0, count);
}

function described({ view, ref, place, dialect }: SelectedMailbox, { uidNext, firstUnseen }: Selected): Response[] {
  const { numbers } = view;
  const { rev1 } = dialect;
  const unseen = firstUnseen === null ? 0 : numbers.sequence(firstUnseen);
  return [
    ...view.flagList(),
    { type: 'EXISTS', count: numbers.count },
    ...(rev1 ? [{ type: 'RECENT', count: view.recentCount } as const] : []),
    ...(rev1 && unseen > 0 ? [untagged('OK', 'first without \\Seen', { code: 'UNSEEN', sequence: unseen })] : []),
    untagged('OK', 'UIDs are valid', { code: 'UIDVALIDITY', uidValidity: ref.uidValidity }),
    untagged('OK', 'next UID', { code: 'UIDNEXT', uidNext }),
    untagged('OK', 'highest', { code: 'HIGHESTMODSEQ', modSeq: view.modSeq }), // RFC 7162 §3.1.2.1
    untagged('OK', 'mailbox id', {
      code: 'MAILBOXID',
      mailboxId: mailboxId(ref.account, { ...ref, name: place.name }),
    }), // RFC 8474 §4.1
  ];
}

/** RFC 7162 §3.2.5.1: what a client that knows an older state is to be told; nothing if it is of another mailbox. */
async function resync(
  mailbox: SelectedMailbox,
  qresync: Qresync | undefined,
  uidNext: number,
): Promise<Result<readonly Response[], ReadFailure>> {
  if (qresync === undefined || qresync.uidValidity !== mailbox.ref.uidValidity) return accept([]);
  const since = await changedSince(mailbox, qresync.modSeq, knownUids(qresync, uidNext), matchedUid(mailbox, qresync));
  if (!since.ok) return since;
  const { changed, vanished } = since.value;
  const told: Response[] = [];
  if (vanished.length > 0) told.push({ type: 'VANISHED', earlier: true, uids: numberSet(vanished) });
  if (changed.length === 0) return accept(told);
  const fetching = new Fetching(mailbox, changed, { items: [{ item: 'UID' }, { item: 'FLAGS' }, { item: 'MODSEQ' }] });
  return accept([...told, { type: 'batch', responses: fetching.responsesOrThrow() }]);
}

/** All below UIDNEXT where the client names none. */
function knownUids({ knownUids }: Qresync, uidNext: number): UidRanges {
  if (uidNext <= 1) return [];
  const all: UidRanges = [[1, uidNext - 1]];
  // A UID that never was is not told as vanished.
  return knownUids === undefined || knownUids === '$' ? all : intersected(rangesOfSet(knownUids, uidNext - 1), all);
}

/** The highest UID whose message has the number that the client thinks: RFC 7162 §3.2.5.2. */
function matchedUid({ view: { numbers } }: SelectedMailbox, { match }: Qresync): number {
  if (match === undefined || match.sequence === '$' || match.uids === '$') return 0;
  let matched = 0;
  let last = 0;
  const uids = singles(match.uids);
  for (const sequence of singles(match.sequence)) {
    const uid = uids.next();
    if (uid.done || sequence > numbers.count || sequence <= last) break; // both ascend, or mean nothing
    last = sequence;
    if (numbers.uid(sequence) === uid.value) matched = Math.max(matched, uid.value);
  }
  return matched;
}

function* singles(set: readonly Range[]): Generator<number, undefined> {
  for (const { from, to } of set) {
    if (from === '*' || to === '*') return;
    for (let number = from; number <= to; number++) yield number;
  }
}
