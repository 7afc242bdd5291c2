/**
 * Reads of one mailbox's messages (message-requests.ts): what they are, what became of them, and their octets. Each is a look,
 * or some, at the last committed state, and queues behind nobody. Answers end by count and by octets, so that none holds up
 * the loop, or the bus, for long.
 */
import { accept, refuse } from '../../kernel/result.ts';
import { MAX_READ_OCTETS, readMessage } from '../../store/blob.ts';
import type { View } from '../../store/key-value.ts';
import { type Store, StoreFault } from '../../store/store.ts';
import { keywords, type MailboxRow, messages } from '../../store/tables.ts';
import { includes, intersected, type UidRanges } from '../../store/uid-ranges.ts';
import { changedSince, vanishedSince } from '../../store/vanished.ts';
import { askerOf, opened } from './access.ts';
import type { Handles } from './handles.ts';
import { presentBlocks } from './mailbox-reads.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import type * as m from './message-requests.ts';
import { ANSWER_OCTETS, entryOf, MOST_ROWS, octetsIn, pageOf, rowsOf } from './message-rows.ts';
import { isCount, isFlag, isNumber, isRanges, isRef, must } from './must.ts';
import type { Structures } from './structures.ts';

export type MessageReadParts = {
  readonly store: Store;
  readonly handles: Handles;
  readonly structures: Structures;
};

/** Places looked at for one answer, of which a request may want few, or none: some ten milliseconds of reading. */
const MOST_LOOKED_AT = 4_000;
/** Of vanished UIDs in an answer; a range takes some ten octets. */
const MOST_VANISHED = 20_000;
const MOST_WANTED = 5_000;
/** Ranges in one request: a front splits what is more. */
export const MOST_RANGES = 10_000;

export function createMessageReads({ store, handles, structures: kept }: MessageReadParts) {
  const list = async (request: m.MessagesRequest): Promise<m.MessagesAnswer> => {
    const { handle, ref, uids, limit, with: wanted } = request;
    must(isRef(ref) && isRanges(uids, MOST_RANGES) && isCount(limit), 'messages: which?');
    must(typeof wanted === 'object' && wanted !== null && isFlag(wanted.structure), 'messages: with what?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const withStructure = wanted.structure === true;
    const page = store.read((view) => {
      const mailbox = opened(view, asker, ref, 'r');
      if (!mailbox.ok) return mailbox;
      return accept(rowsOf(view, ref, uids, Math.max(1, Math.min(limit, MOST_ROWS)), withStructure));
    });
    if (!page.ok || !withStructure) return page.ok ? accept(pageOf(page.value)) : page;
    return accept(await kept.complete(page.value));
  };

  const structure = async ({ handle, ref, uid, offset }: m.StructureRequest): Promise<m.StructureAnswer> => {
    must(isRef(ref) && isNumber(uid) && isCount(offset), 'structure: of which UID?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const row = store.read((view) => {
      const mailbox = opened(view, asker, ref, 'r');
      return mailbox.ok ? accept(messages.get(view, ref.account, ref.mailbox, uid)) : mailbox;
    });
    if (!row.ok) return row;
    const whole = row.value && (await kept.find(row.value.blob));
    if (!whole) return accept(null);
    return accept({ sizeOctets: whole.length, chunk: whole.subarray(offset, offset + MAX_READ_OCTETS) });
  };

  const changes = (request: m.ChangesRequest): m.ChangesAnswer => {
    const { handle, ref, since, uids, at } = request;
    must(isRef(ref) && isCount(since) && (uids === undefined || isRanges(uids, MOST_RANGES)), 'changes: since when?');
    must(at === undefined || isPlace(at), 'changes: from where?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    return store.read((view) => {
      const mailbox = opened(view, asker, ref, 'r');
      if (!mailbox.ok) return mailbox;
      const { row, rights } = mailbox.value;
      const common = {
        uidNext: row.uidNext,
        messages: row.messages,
        keywords: keywords.get(view, ref.account, ref.mailbox) ?? [],
        rights,
      };
      return accept({ ...common, ...whatChanged(view, ref, row, request) });
    });
  };

  const octets = ({ handle, ref, wanted }: m.OctetsRequest): m.OctetsAnswer => {
    must(isRef(ref) && Array.isArray(wanted) && wanted.length > 0 && wanted.length <= MOST_WANTED, 'octets: of which?');
    must(wanted.every(isWanted), 'octets: of which UID?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    return store.read((view) => {
      const mailbox = opened(view, asker, ref, 'r');
      if (!mailbox.ok) return mailbox;
      const answer: (m.Octets | null)[] = [];
      let size = 0;
      for (const each of wanted) {
        const found = octetsOf(view, ref, each);
        size += 20 + (found?.chunk.length ?? 0);
        if (size > ANSWER_OCTETS && answer.length > 0) break;
        answer.push(found);
      }
      return accept(answer);
    });
  };

  /** One chunk a pull, each from a look of its own; throws, and so breaks the stream, as soon as one can't be had. */
  async function* stream(request: m.OctetStreamRequest, mayGoOn: () => boolean): AsyncGenerator<Uint8Array> {
    const { handle, ref, uid, most } = request;
    must(isWanted(request), 'octet-stream: of which UID?');
    const end = most === undefined ? Number.POSITIVE_INFINITY : request.offset + most;
    for (let offset = request.offset; ; ) {
      if (!mayGoOn()) throw new Error('octet-stream: not the owner any more');
      const answer = octets({
        handle,
        ref,
        wanted: [{ uid, offset, ...(most !== undefined && { most: end - offset }) }],
      });
      const found = answer.ok ? answer.value[0] : undefined;
      if (!found) throw new Error(`octet-stream: ${answer.ok ? 'gone' : answer.refusal}`);
      offset += found.chunk.length;
      if (found.chunk.length > 0) yield found.chunk;
      if (offset >= Math.min(end, found.sizeOctets)) return;
    }
  }

  return { messages: list, structure, changes, octets, octetStream: stream };
}

type WhatChanged = Pick<m.Changes, 'modSeq' | 'changed' | 'vanished' | 'present' | 'next'>;

/** What vanished first, then what came and changed; each page goes on where the one before it ended. */
function whatChanged(view: View, ref: MailboxRef, row: MailboxRow, request: m.ChangesRequest): WhatChanged {
  const { since, uids, at } = request;
  const { account, mailbox } = ref;
  const upTo = at?.upTo ?? row.modSeq;
  const told = at === undefined ? vanishedUids(view, ref, row, since, uids) : { vanished: [] };
  const changed: m.MessageEntry[] = [];
  let size = (told.vanished?.length ?? 0) * 10 + (told.present?.blocks.length ?? 0) * 520;
  let looked = 0;
  let last = at && { modSeq: at.modSeq, uid: at.uid };
  for (const place of changedSince(view, account, mailbox, row, since, last)) {
    if (place.modSeq > upTo) break; // of the next round
    const isFull = changed.length >= MOST_ROWS || size > ANSWER_OCTETS || looked >= MOST_LOOKED_AT;
    if (isFull && looked > 0 && last) return { modSeq: upTo, changed, ...told, next: { upTo, ...last } };
    looked++;
    last = { modSeq: place.modSeq, uid: place.uid };
    if (place.isPassed) continue;
    if (uids !== undefined && !includes(uids, place.uid)) continue;
    const message = messages.get(view, account, mailbox, place.uid);
    if (!message) throw new StoreFault(`message ${place.uid} of ${account} has a mod-sequence and no row`);
    const paged = { uid: place.uid, row: message };
    changed.push(entryOf(paged));
    size += octetsIn(paged);
  }
  return { modSeq: upTo, changed, ...told, next: null };
}

/** Where it is not remembered, or too much to tell, the whole list of UIDs says the same. */
function vanishedUids(
  view: View,
  ref: MailboxRef,
  row: MailboxRow,
  since: number,
  uids: UidRanges | undefined,
): Pick<m.Changes, 'vanished' | 'present'> {
  const all = vanishedSince(view, ref.account, ref.mailbox, row, since);
  const vanished = all && uids ? intersected(all, uids) : all;
  if (vanished && vanished.length <= MOST_VANISHED) return { vanished };
  return { vanished: null, present: presentBlocks(view, ref) };
}

function octetsOf(view: View, { account, mailbox }: MailboxRef, wanted: m.OctetsWanted): m.Octets | null {
  const { uid, offset, most = Number.POSITIVE_INFINITY } = wanted;
  const row = messages.get(view, account, mailbox, uid);
  if (!row) return null;
  const chunk = readMessage(view, row, offset);
  if (!chunk) throw new StoreFault(`message ${uid} of ${account} lacks a part of its body`);
  return { sizeOctets: row.sizeOctets, chunk: chunk.length > most ? chunk.subarray(0, most) : chunk };
}

const isWanted = ({ uid, offset, most }: m.OctetsWanted): boolean =>
  isNumber(uid) && isCount(offset) && (most === undefined || isCount(most));

const isPlace = (place: m.ChangesPlace): boolean => isCount(place.upTo) && isCount(place.modSeq) && isCount(place.uid);
