/**
 * apply: one change becomes writes. Pure and total: no clock, no randomness, no refusal, and nothing thrown for a change
 * that does not fit the state (it then changes what it can find). Owner and followers run this same code, so the same
 * records give the same keys and values everywhere. Whether a change may happen was settled by `decide`.
 */
import { appended, copied, discard, editAccount, editMailbox, expunged, flagsChanged } from './apply-messages.ts';
import type {
  AnnotationSet,
  BlobStored,
  BodyCollected,
  Change,
  ChunkStored,
  EndedSessionsForgotten,
  MailboxCreated,
  MailboxDeleted,
  MailboxesRenamed,
  MailboxUnnamed,
  MaildropLocked,
  RecentShown,
  RightsSet,
  SessionAnswered,
  SessionEnded,
  SessionOpened,
  SpecialUseSet,
  StageKept,
  StructureKept,
} from './change.ts';
import type { KeyValue } from './key-value.ts';
import * as t from './tables.ts';
import { uidsWith } from './uid-bits.ts';
import { countIn, piecesOf } from './uid-ranges.ts';

export function apply(to: KeyValue, change: Change): void {
  switch (change.type) {
    case 'EpochBegan':
      break; // the record's own epoch is kept with the applied number
    case 'MailboxCreated':
      mailboxCreated(to, change);
      break;
    case 'MailboxUnnamed':
      mailboxUnnamed(to, change);
      break;
    case 'MailboxDeleted':
      mailboxDeleted(to, change);
      break;
    case 'MailboxesRenamed':
      mailboxesRenamed(to, change);
      break;
    case 'RightsSet':
      rightsSet(to, change);
      break;
    case 'BlobStored':
      blobStored(to, change);
      break;
    case 'ChunkStored':
      chunkStored(to, change);
      break;
    case 'StageKept':
      stageKept(to, change);
      break;
    case 'StructureKept':
      structureKept(to, change);
      break;
    case 'StageDropped':
      dropStage(to, change.session, change.stage);
      break;
    case 'BodyCollected':
      bodyCollected(to, change);
      break;
    case 'Appended':
      appended(to, change);
      break;
    case 'Copied':
      copied(to, change);
      break;
    case 'Expunged':
      expunged(to, change);
      break;
    case 'FlagsChanged':
      flagsChanged(to, change);
      break;
    case 'RecentShown':
      recentShown(to, change);
      break;
    case 'SpecialUseSet':
      specialUseSet(to, change);
      break;
    case 'Subscribed':
      t.subscriptions.put(to, [change.account, change.name], null);
      break;
    case 'Unsubscribed':
      t.subscriptions.remove(to, change.account, change.name);
      break;
    case 'AnnotationSet':
      annotationSet(to, change);
      break;
    case 'AccountDropped':
      dropAccount(to, change.account);
      break;
    case 'NumbersRaised':
      raiseNumbers(to, change.by);
      break;
    case 'SessionOpened':
      sessionOpened(to, change);
      break;
    case 'SessionAnswered':
      sessionAnswered(to, change);
      break;
    case 'SessionEnded':
      sessionEnded(to, change);
      break;
    case 'EndedSessionsForgotten':
      endedSessionsForgotten(to, change);
      break;
    case 'MaildropLocked':
      maildropLocked(to, change);
      break;
    case 'MaildropUnlocked':
      if (t.locks.get(to, change.account)?.lock === change.lock) t.locks.remove(to, change.account);
      break;
  }
}

/** A maildrop of 60,000 messages takes a second to expunge: in so many at once it takes a few tens of milliseconds each. */
const UIDS_A_PART = 2_000;

const MAILBOXES_A_PART = 500;

/** Changes that do together what the change does: one at a time, others can have their turn between them. */
export function* inParts(change: Change): Iterable<Change> {
  if (change.type === 'Expunged') {
    for (const uids of pieces(change.uids, UIDS_A_PART)) yield { ...change, uids };
  } else if (change.type === 'FlagsChanged') {
    for (const group of change.groups) {
      for (const uids of piecesOf(group.uids, UIDS_A_PART)) yield { ...change, groups: [{ ...group, uids }] };
    }
  } else if (change.type === 'Copied') {
    let { uid, sequence } = change;
    for (const uids of piecesOf(change.uids, UIDS_A_PART)) {
      yield { ...change, uid, sequence, uids };
      uid += countIn(uids);
      sequence += countIn(uids);
    }
  } else if (change.type === 'MailboxesRenamed') {
    for (const mailboxes of pieces(change.mailboxes, MAILBOXES_A_PART)) yield { ...change, mailboxes };
  } else {
    yield change;
  }
}

/** At least one, be it empty. */
function* pieces<T>(list: readonly T[], most: number): Iterable<readonly T[]> {
  if (list.length <= most) yield list;
  else for (let at = 0; at < list.length; at += most) yield list.slice(at, at + most);
}

function mailboxCreated(to: KeyValue, { account, mailbox, name, uidValidity, continues }: MailboxCreated): void {
  const { uidNext, modSeq } = continues ?? { uidNext: 1, modSeq: 1 };
  t.mailboxes.put(to, [account, mailbox], {
    name,
    uidValidity,
    uidNext,
    modSeq,
    messages: 0,
    octets: 0,
    unseen: 0,
    deleted: 0,
    deletedOctets: 0,
    recentFrom: uidNext,
    vanishedFrom: modSeq, // of a new one nothing has vanished yet; of one that goes on all did
    vanishedRanges: 0,
    vanishedLast: null,
  });
  t.mailboxNames.put(to, [account, name], mailbox);
  editAccount(to, account, (row) => ({
    ...row,
    lastUidValidity: Math.max(row.lastUidValidity, uidValidity),
    lastMailbox: mailbox,
  }));
}

/** Its row stays, for the totals are kept there; the name in it means nothing any more. */
function mailboxUnnamed(to: KeyValue, { account, mailbox }: Omit<MailboxUnnamed, 'type'>): void {
  const row = t.mailboxes.get(to, account, mailbox);
  if (!row) return;
  forgetName(to, account, mailbox, row.name);
  for (const { key } of [...t.rights.range(to, [account, mailbox])]) t.rights.remove(to, ...key);
  t.goingMailboxes.put(to, [account, mailbox], null);
}

/** Another mailbox may have the name already. */
function forgetName(to: KeyValue, account: string, mailbox: number, name: string): void {
  if (t.mailboxNames.get(to, account, name) === mailbox) t.mailboxNames.remove(to, account, name);
}

function mailboxDeleted(to: KeyValue, { account, mailbox }: MailboxDeleted): void {
  const row = t.mailboxes.get(to, account, mailbox);
  if (!row) {
    t.goingMailboxes.remove(to, account, mailbox);
    return;
  }
  mailboxUnnamed(to, { account, mailbox });
  const uids = [...uidsWith(to, account, mailbox)];
  expunged(to, { type: 'Expunged', account, mailbox, uids, modSeq: row.modSeq + 1 });
  for (const { key } of [...t.vanished.range(to, [account, mailbox])]) t.vanished.remove(to, ...key);
  for (const { key } of [...t.annotations.range(to, [account, mailbox])]) t.annotations.remove(to, ...key);
  t.keywords.remove(to, account, mailbox);
  t.mailboxes.remove(to, account, mailbox);
  t.goingMailboxes.remove(to, account, mailbox);
}

function mailboxesRenamed(to: KeyValue, { account, mailboxes }: MailboxesRenamed): void {
  const known = mailboxes.filter(
    ({ mailbox }) => t.mailboxes.get(to, account, mailbox) && t.goingMailboxes.get(to, account, mailbox) === undefined,
  );
  // All old names first, and each only while it is still the mailbox's own: so it comes to the same in parts (inParts).
  for (const { mailbox } of known) forgetName(to, account, mailbox, t.mailboxes.get(to, account, mailbox)!.name);
  for (const { mailbox, name, uidValidity = 0 } of known) {
    editMailbox(to, account, mailbox, (row) => ({ ...row, name, uidValidity: uidValidity || row.uidValidity }));
    t.mailboxNames.put(to, [account, name], mailbox);
    if (uidValidity > 0) {
      editAccount(to, account, (row) => ({
        ...row,
        lastUidValidity: Math.max(row.lastUidValidity, uidValidity),
      }));
    }
  }
}

function rightsSet(to: KeyValue, { account, mailbox, identifier, rights }: RightsSet): void {
  if (!t.mailboxes.get(to, account, mailbox) || t.goingMailboxes.get(to, account, mailbox) !== undefined) return;
  if (rights === '') t.rights.remove(to, account, mailbox, identifier);
  else t.rights.put(to, [account, mailbox, identifier], rights);
}

function recentShown(to: KeyValue, { account, mailbox, from }: RecentShown): void {
  editMailbox(to, account, mailbox, (row) => ({ ...row, recentFrom: Math.max(row.recentFrom, from) }));
}

function specialUseSet(to: KeyValue, { account, mailbox, specialUse }: SpecialUseSet): void {
  editMailbox(to, account, mailbox, ({ specialUse: _, ...row }) => ({
    ...row,
    ...(specialUse !== null && { specialUse }),
  }));
}

/** Of a mailbox only while it can be found: what is going loses them with the rest. */
function annotationSet(to: KeyValue, { account, mailbox, entry, who, value }: AnnotationSet): void {
  if (value === null) t.annotations.remove(to, account, mailbox, entry, who);
  else if (mailbox === 0 || t.mailboxes.get(to, account, mailbox)) {
    t.annotations.put(to, [account, mailbox, entry, who], value);
  }
}

/** A body's number is never given out again, whatever becomes of the body. */
function takeBody(to: KeyValue, body: number): void {
  t.next.put(to, [], { body: Math.max(body + 1, t.next.get(to)?.body ?? 1) });
}

function blobStored(to: KeyValue, { sha256, body, sizeOctets, chunks, structure }: BlobStored): void {
  takeBody(to, body);
  chunks.forEach((bytes, index) => {
    t.chunks.put(to, body, index, bytes);
  });
  t.blobs.put(to, [sha256], { body, sizeOctets, references: 0 });
  if (structure) t.structures.put(to, [sha256], structure);
}

function structureKept(to: KeyValue, { sha256, structure }: StructureKept): void {
  if (t.blobs.get(to, sha256)) t.structures.put(to, [sha256], structure);
}

function chunkStored(to: KeyValue, { session, stage, body, index, bytes }: ChunkStored): void {
  const row = t.stages.get(to, session, stage);
  if (index === 0) takeBody(to, body);
  t.chunks.put(to, body, index, bytes);
  t.stages.put(to, [session, stage], {
    body,
    parts: index + 1,
    sizeOctets: (index === 0 ? 0 : (row?.sizeOctets ?? 0)) + bytes.length,
  });
}

function stageKept(to: KeyValue, { session, stage, sha256, structure }: StageKept): void {
  const row = t.stages.get(to, session, stage);
  if (!row) return;
  t.stages.remove(to, session, stage);
  t.blobs.put(to, [sha256], { body: row.body, sizeOctets: row.sizeOctets, references: 0 });
  if (structure) t.structures.put(to, [sha256], structure);
}

function dropStage(to: KeyValue, session: string, stage: string): void {
  const row = t.stages.get(to, session, stage);
  if (!row) return;
  t.stages.remove(to, session, stage);
  discard(to, row.body, row.parts);
}

/** Only of a body that is garbage still: the count is looked at again, here, where it can't change meanwhile. */
function bodyCollected(to: KeyValue, { body, from, to: end }: BodyCollected): void {
  const row = t.garbage.get(to, body);
  if (!row) return;
  for (let index = from; index < end; index++) t.chunks.remove(to, body, index);
  if (end >= row.parts) t.garbage.remove(to, body);
  else t.garbage.put(to, [body], { from: end, parts: row.parts });
}

function dropAccount(to: KeyValue, account: string): void {
  for (const { key } of [...t.mailboxes.range(to, [account])]) {
    mailboxDeleted(to, { type: 'MailboxDeleted', account, mailbox: key[1] });
  }
  for (const { key } of [...t.subscriptions.range(to, [account])]) t.subscriptions.remove(to, ...key);
  for (const { key } of [...t.annotations.range(to, [account])]) t.annotations.remove(to, ...key);
  t.locks.remove(to, account);
}

function raiseNumbers(to: KeyValue, by: number): void {
  for (const { key, row } of [...t.mailboxes.range(to, [])]) {
    const lost = { above: row.lost?.above ?? row.modSeq, below: row.modSeq + by };
    t.mailboxes.put(to, key, { ...row, uidNext: row.uidNext + by, modSeq: row.modSeq + by, lost });
  }
  for (const { key, row } of [...t.accounts.range(to, [])]) {
    t.accounts.put(to, key, { ...row, lastSequence: row.lastSequence + by, lastLock: row.lastLock + by });
  }
}

function sessionOpened(to: KeyValue, change: SessionOpened): void {
  const { session, purpose, account, front, expiresAt, maildrop, administers } = change;
  t.sessions.put(to, [session], {
    purpose,
    account,
    front: { me: front.me, startId: front.startId },
    expiresAt,
    counter: 0,
    answer: null,
    maildrop: maildrop && {
      lock: maildrop.lock,
      mailbox: maildrop.mailbox,
      uidValidity: maildrop.uidValidity,
      uidNext: maildrop.uidNext,
    },
    ...(administers && { administers }),
  });
}

function sessionAnswered(to: KeyValue, { session, counter, answer }: SessionAnswered): void {
  const row = t.sessions.get(to, session);
  if (row) t.sessions.put(to, [session], { ...row, counter, answer });
}

function sessionEnded(to: KeyValue, { session, until }: SessionEnded): void {
  const row = t.sessions.get(to, session);
  if (!row) return;
  for (const { key } of [...t.stages.range(to, [session])]) dropStage(to, ...key);
  t.sessions.remove(to, session);
  t.endedSessions.put(to, [session], { until, counter: row.counter, answer: row.answer });
  t.endedByTime.put(to, [until, session], null);
}

function endedSessionsForgotten(to: KeyValue, { sessions }: EndedSessionsForgotten): void {
  for (const { session, until } of sessions) {
    t.endedSessions.remove(to, session);
    t.endedByTime.remove(to, until, session);
  }
}

function maildropLocked(to: KeyValue, { account, lock, session, front }: MaildropLocked): void {
  t.locks.put(to, [account], { lock, session, front: { me: front.me, startId: front.startId } });
  editAccount(to, account, (row) => ({ ...row, lastLock: lock }));
}
