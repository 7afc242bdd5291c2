/**
 * apply: one change becomes writes. Pure and total: no clock, no randomness, no refusal, and nothing thrown for a change
 * that does not fit the state (it then changes what it can find). Owner and followers run this same code, so the same
 * records give the same keys and values everywhere. Whether a change may happen was settled by `decide`.
 */
import { chunkCount } from './blob.ts';
import type {
  Appended,
  BlobStored,
  BodyCollected,
  Change,
  ChunkStored,
  EndedSessionsForgotten,
  Expunged,
  MailboxCreated,
  MailboxDeleted,
  MailboxesRenamed,
  MailboxUnnamed,
  MaildropLocked,
  RightsSet,
  SessionAnswered,
  SessionEnded,
  SessionOpened,
  StageKept,
} from './change.ts';
import type { KeyValue } from './key-value.ts';
import * as t from './tables.ts';

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
    case 'StageDropped':
      dropStage(to, change.session, change.stage);
      break;
    case 'BodyCollected':
      bodyCollected(to, change);
      break;
    case 'Appended':
      appended(to, change);
      break;
    case 'Expunged':
      expunged(to, change);
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

const NO_ACCOUNT: t.AccountRow = {
  octets: 0,
  messages: 0,
  lastUidValidity: 0,
  lastSequence: 0,
  lastLock: 0,
  lastMailbox: 0,
};

function editAccount(to: KeyValue, account: string, edit: (row: t.AccountRow) => t.AccountRow): void {
  t.accounts.put(to, [account], edit(t.accounts.get(to, account) ?? NO_ACCOUNT));
}

function editMailbox(to: KeyValue, account: string, mailbox: number, edit: (row: t.MailboxRow) => t.MailboxRow): void {
  const row = t.mailboxes.get(to, account, mailbox);
  if (row) t.mailboxes.put(to, [account, mailbox], edit(row));
}

function mailboxCreated(to: KeyValue, { account, mailbox, name, uidValidity }: MailboxCreated): void {
  t.mailboxes.put(to, [account, mailbox], { name, uidValidity, uidNext: 1, modSeq: 1, messages: 0, octets: 0 });
  t.mailboxNames.put(to, [account, name], mailbox);
  editAccount(to, account, (row) => ({ ...row, lastUidValidity: uidValidity, lastMailbox: mailbox }));
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
  const uids = t.uidsOf(to, account, mailbox);
  expunged(to, { type: 'Expunged', account, mailbox, uids, modSeq: row.modSeq + 1 });
  t.mailboxes.remove(to, account, mailbox);
  t.goingMailboxes.remove(to, account, mailbox);
}

function mailboxesRenamed(to: KeyValue, { account, mailboxes }: MailboxesRenamed): void {
  const known = mailboxes.filter(
    ({ mailbox }) => t.mailboxes.get(to, account, mailbox) && t.goingMailboxes.get(to, account, mailbox) === undefined,
  );
  // All old names first, and each only while it is still the mailbox's own: so it comes to the same in parts (inParts).
  for (const { mailbox } of known) forgetName(to, account, mailbox, t.mailboxes.get(to, account, mailbox)!.name);
  for (const { mailbox, name } of known) {
    editMailbox(to, account, mailbox, (row) => ({ ...row, name }));
    t.mailboxNames.put(to, [account, name], mailbox);
  }
}

function rightsSet(to: KeyValue, { account, mailbox, identifier, rights }: RightsSet): void {
  if (!t.mailboxes.get(to, account, mailbox) || t.goingMailboxes.get(to, account, mailbox) !== undefined) return;
  if (rights === '') t.rights.remove(to, account, mailbox, identifier);
  else t.rights.put(to, [account, mailbox, identifier], rights);
}

/** A body's number is never given out again, whatever becomes of the body. */
function takeBody(to: KeyValue, body: number): void {
  t.next.put(to, [], { body: Math.max(body + 1, t.next.get(to)?.body ?? 1) });
}

function blobStored(to: KeyValue, { sha256, body, sizeOctets, chunks }: BlobStored): void {
  takeBody(to, body);
  chunks.forEach((bytes, index) => {
    t.chunks.put(to, body, index, bytes);
  });
  t.blobs.put(to, [sha256], { body, sizeOctets, references: 0 });
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

function stageKept(to: KeyValue, { session, stage, sha256 }: StageKept): void {
  const row = t.stages.get(to, session, stage);
  if (!row) return;
  t.stages.remove(to, session, stage);
  t.blobs.put(to, [sha256], { body: row.body, sizeOctets: row.sizeOctets, references: 0 });
}

function dropStage(to: KeyValue, session: string, stage: string): void {
  const row = t.stages.get(to, session, stage);
  if (!row) return;
  t.stages.remove(to, session, stage);
  discard(to, row.body, row.parts);
}

/** Nothing names the body from now on; its chunks go in batches, later. An empty body has none. */
function discard(to: KeyValue, body: number, parts: number): void {
  if (parts > 0) t.garbage.put(to, [body], { from: 0, parts });
}

/** Only of a body that is garbage still: the count is looked at again, here, where it can't change meanwhile. */
function bodyCollected(to: KeyValue, { body, from, to: end }: BodyCollected): void {
  const row = t.garbage.get(to, body);
  if (!row) return;
  for (let index = from; index < end; index++) t.chunks.remove(to, body, index);
  if (end >= row.parts) t.garbage.remove(to, body);
  else t.garbage.put(to, [body], { from: end, parts: row.parts });
}

function appended(to: KeyValue, change: Appended): void {
  const { account, mailbox, uid, modSeq, sequence, internalDate, trace, sha256 } = change;
  const blob = t.blobs.get(to, sha256);
  if (!blob) return;
  t.blobs.put(to, [sha256], { ...blob, references: blob.references + 1 });
  const sizeOctets = trace.length + blob.sizeOctets;
  t.messages.put(to, [account, mailbox, uid], { modSeq, sequence, internalDate, sizeOctets, trace, blob: sha256 });
  editMailbox(to, account, mailbox, (row) => ({
    ...row,
    uidNext: uid + 1,
    modSeq,
    messages: row.messages + 1,
    octets: row.octets + sizeOctets,
  }));
  editAccount(to, account, (row) => ({
    ...row,
    octets: row.octets + sizeOctets,
    messages: row.messages + 1,
    lastSequence: sequence,
  }));
}

function expunged(to: KeyValue, { account, mailbox, uids, modSeq }: Expunged): void {
  let messages = 0;
  let octets = 0;
  // Read whole before the first is removed: what is walked must not change. In the record they are ascending.
  for (const { uid, packed } of [...t.messagesAmong(to, account, mailbox, uids)]) {
    const message = t.unpackMessage(packed);
    t.messages.remove(to, account, mailbox, uid);
    release(to, message.blob);
    messages++;
    octets += message.sizeOctets;
  }
  const less = <Row extends { octets: number; messages: number }>(row: Row): Row => ({
    ...row,
    octets: row.octets - octets,
    messages: row.messages - messages,
  });
  editMailbox(to, account, mailbox, (row) => ({ ...less(row), modSeq }));
  editAccount(to, account, less);
}

/** One reference less; at zero the blob is absent at once, and the same content will be stored as a new body. */
function release(to: KeyValue, sha256: string): void {
  const blob = t.blobs.get(to, sha256);
  if (!blob) return;
  if (blob.references > 1) {
    t.blobs.put(to, [sha256], { ...blob, references: blob.references - 1 });
  } else {
    t.blobs.remove(to, sha256);
    discard(to, blob.body, chunkCount(blob.sizeOctets));
  }
}

function dropAccount(to: KeyValue, account: string): void {
  for (const { key } of [...t.mailboxes.range(to, [account])]) {
    mailboxDeleted(to, { type: 'MailboxDeleted', account, mailbox: key[1] });
  }
  t.locks.remove(to, account);
}

function raiseNumbers(to: KeyValue, by: number): void {
  for (const { key, row } of [...t.mailboxes.range(to, [])]) {
    t.mailboxes.put(to, key, { ...row, uidNext: row.uidNext + by, modSeq: row.modSeq + by });
  }
  for (const { key, row } of [...t.accounts.range(to, [])]) {
    t.accounts.put(to, key, { ...row, lastSequence: row.lastSequence + by, lastLock: row.lastLock + by });
  }
}

function sessionOpened(to: KeyValue, change: SessionOpened): void {
  const { session, purpose, account, front, expiresAt, maildrop } = change;
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
