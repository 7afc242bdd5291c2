/**
 * What is served on `mail.<mailHost>.<op>`: requests become operations, answers go back. Reads look at the store's last
 * committed state and never queue behind writes.
 *
 * A request of the wrong shape is a peer's mistake: it throws, and the bus says `fault`.
 */

import { type Clock, pause } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { CHUNK_OCTETS, MAX_TRACE_OCTETS, readMessage } from '../../store/blob.ts';
import { type Store, StoreFault } from '../../store/store.ts';
import { accounts as accountRows, endedSessions, locks, messages, sessions } from '../../store/tables.ts';
import type { Log } from '../../telemetry/log.ts';
import type { AccountsInUse } from './accounts-in-use.ts';
import type { Admissions } from './admission.ts';
import { contentChecking, mustBeContent } from './content.ts';
import type { Fronts } from './fronts.ts';
import { type Handles, type Holding, sessionOf } from './handles.ts';
import { createMailboxReads } from './mailbox-reads.ts';
import { createMailboxService } from './mailbox-service.ts';
import { madeByHand } from './mailboxes.ts';
import { createMessageReads } from './message-reads.ts';
import { isCount, isFlag, isFolder, isName, isNumber, must } from './must.ts';
import { MOST_APPENDED_AT_ONCE } from './operations/limits.ts';
import { recentOpenings } from './recent-openings.ts';
import type * as r from './requests.ts';
import { createSearch } from './search.ts';
import { createSessionEdits } from './session-edits.ts';
import { createSortReads } from './sort-reads.ts';
import { createStructures } from './structures.ts';
import { flat, type Writer } from './writer.ts';

export type ServiceParts = {
  readonly store: Store;
  readonly writer: Writer;
  readonly epoch: number;
  readonly handles: Handles;
  readonly accounts: AccountsInUse;
  readonly fronts: Fronts;
  readonly admissions: Admissions;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when there may be bodies to collect. */
  readonly stir: () => void;
};

const MOST_LISTED = 5_000;
const MOST_DROPPED_AT_ONCE = 500;
const SESSIONS_A_TURN = 1_000;

export function createService(parts: ServiceParts) {
  const { store, writer, epoch, handles, accounts, fronts, admissions, clock, log, stir } = parts;
  const checkContent = contentChecking(store, clock);
  const openings = recentOpenings(clock);

  /** The sessions ended: nothing stands for them here any more. */
  const forget = (ended: readonly string[]): void => {
    for (const session of ended) {
      const holding = handles.drop(session);
      if (holding) log.debug('session ended', { session, account: holding.account });
      if (holding?.account) accounts.ended(holding.account, session);
    }
    stir();
  };

  const open = async (request: r.OpenRequest): Promise<r.OpenAnswer> => {
    const { session, front, purpose, ticket, leastIntervalMs = 0 } = request;
    must(isCount(leastIntervalMs), 'open: interval');
    const look = store.read((view) => ({
      again: sessions.get(view, session) !== undefined,
      hasEnded: endedSessions.get(view, session) !== undefined,
    }));
    if (look.hasEnded) return refuse('session-ended');
    const admitted = await (look.again ? admissions.readmit(ticket) : admissions.admit(ticket));
    if (!admitted.ok) return admitted;
    const { value: admission } = admitted;
    const { again } = look;
    const isLimited = !again && leastIntervalMs > 0 && purpose === 'maildrop';
    if (isLimited && admission.account !== null && openings.isTooSoon(admission.account, leastIntervalMs)) {
      return refuse('too-soon');
    }
    const abandoned = admission.account === null ? null : abandonedHolder(store, fronts, admission.account);
    const now = clock.wall();
    const written = await writer.submit({ type: 'open', session, purpose, front, admission, again, abandoned, now });
    const answer = flat(written);
    if (!answer.ok) return answer;
    if (abandoned !== null) forget([abandoned]);
    const { account, counter, maildrop } = answer.value;
    const handle = handles.give({ session, purpose, ...answer.value });
    log.debug('session opened', { session, account, purpose, front: front.me, again });
    if (account !== null && maildrop === null) accounts.opened(account, { session });
    if (account === null || maildrop === null) return accept({ handle, epoch, counter });
    const { lock, uidValidity, uidNext } = maildrop;
    accounts.opened(account, { session, lock });
    if (isLimited) openings.note(account, leastIntervalMs);
    return accept({ handle, epoch, counter, maildrop: { lock, uidValidity, uidNext } });
  };

  const list = (request: r.ListRequest): r.ListAnswer => {
    const { afterUid, limit } = request;
    must(isCount(afterUid) && isCount(limit), 'list: UID or limit');
    const shown = maildropOf(handles.find(request.handle));
    if (!shown) return refuse('unknown-handle');
    const { account, mailbox, uidNext } = shown;
    const most = Math.max(1, Math.min(limit, MOST_LISTED));
    return store.read((view) => {
      const entries: r.ListEntry[] = [];
      const page = messages.range(view, [account, mailbox], { after: [account, mailbox, afterUid], limit: most });
      for (const { key, row } of page) {
        if (key[2] >= uidNext) break;
        entries.push({ uid: key[2], sizeOctets: row.sizeOctets });
      }
      return accept(entries);
    });
  };

  const fetch = ({ handle, uid, offset }: r.FetchRequest): r.FetchAnswer => {
    must(isCount(uid) && isCount(offset), 'fetch: UID or offset');
    const shown = maildropOf(handles.find(handle));
    if (!shown) return refuse('unknown-handle');
    if (uid >= shown.uidNext) return refuse('gone');
    return store.read((view) => {
      const row = messages.get(view, shown.account, shown.mailbox, uid);
      if (!row) return refuse('gone');
      const chunk = readMessage(view, row, offset);
      if (!chunk) throw new StoreFault(`message ${uid} of ${shown.account} lacks a part of its body`);
      return accept({ sizeOctets: row.sizeOctets, chunk });
    });
  };

  /** One chunk a pull, each from a look of its own; throws, and so breaks the stream, as soon as one can't be had. */
  async function* body(request: r.BodyRequest, mayGoOn: () => boolean): AsyncGenerator<Uint8Array> {
    for (let offset = request.offset; ; ) {
      if (!mayGoOn()) throw new Error('body: not the owner any more');
      const fetched = fetch({ ...request, offset });
      if (!fetched.ok) throw new Error(`body: ${fetched.refusal}`);
      offset += fetched.value.chunk.length;
      if (fetched.value.chunk.length > 0) yield fetched.value.chunk;
      if (offset >= fetched.value.sizeOctets) return;
    }
  }

  const stage = async (request: r.StageRequest): Promise<r.StageAnswer> => {
    const { stage: name, index, bytes } = request;
    must(bytes instanceof Uint8Array && bytes.length > 0 && bytes.length <= CHUNK_OCTETS, 'a part of a wrong size');
    must(isCount(index) && isName(name), 'a part without a place');
    const { within } = request;
    must(within === undefined || (isName(within?.account) && isCount(within.quotaOctets)), 'a part: within what?');
    const holding = handles.find(request.handle);
    if (!holding) return refuse('unknown-handle');
    const { session } = holding;
    const limit = within && { within: { account: within.account, quotaOctets: within.quotaOctets } };
    return flat(await writer.submit({ type: 'stage', session, stage: name, index, bytes, ...limit }));
  };

  const dropStages = async ({ handle, stages: names }: r.DropStagesRequest): Promise<r.DropStagesAnswer> => {
    must(Array.isArray(names) && names.length <= MOST_APPENDED_AT_ONCE && names.every(isName), 'drop-stages: which?');
    const holding = handles.find(handle);
    if (!holding) return refuse('unknown-handle');
    const dropped = flat(await writer.submit({ type: 'drop-stages', session: holding.session, stages: names }));
    stir();
    return dropped;
  };

  const deliver = async (request: r.DeliverRequest): Promise<r.DeliverAnswer> => {
    mustBeDelivery(request);
    const { counter, recipients, content } = request;
    const holding = handles.find(request.handle);
    if (!holding && !hasAnswered(store, sessionOf(request.handle), counter)) return refuse('unknown-handle');
    const session = holding?.session ?? sessionOf(request.handle);
    const checked = await checkContent(session, content);
    const operation = { type: 'deliver', session, counter, content: checked, recipients, now: clock.wall() } as const;
    if (recipients.some(({ account }) => admissions.keeps?.(account) === false)) return refuse('unavailable'); // moved
    const answer = flat(await writer.submit(operation));
    if (content.kind === 'staged') stir(); // a copy that was here already leaves the staged one to be collected
    return answer;
  };

  const quit = async (request: r.QuitRequest): Promise<r.QuitAnswer> => {
    const { handle, counter, lock, uids } = request;
    must(isNumber(counter) && Array.isArray(uids) && uids.every(isCount), 'quit: counter or UIDs');
    const holding = handles.find(handle);
    if (!holding && !hasAnswered(store, sessionOf(handle), counter)) return refuse('unknown-handle');
    const session = holding?.session ?? sessionOf(handle);
    const answer = flat(await writer.submit({ type: 'quit', session, counter, lock, uids, now: clock.wall() }));
    if (answer.ok) forget([session]);
    return answer;
  };

  /** By any owner's handle: a front that gives up a session means the session, whoever it opened it with. */
  const close = async ({ handle }: r.CloseRequest): Promise<r.CloseAnswer> => {
    const session = sessionOf(handle);
    const answer = flat(await writer.submit({ type: 'close', session, now: clock.wall() }));
    if (answer.ok) forget([session]);
    return answer;
  };

  /** All that are the account's own, however they were opened; others have their turn between pages. */
  const sessionsFor = async (account: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for (let after: [session: string] | undefined; ; await pause(clock, 0)) {
      const from = after === undefined ? {} : { after };
      const page = store.read((view) => [...sessions.range(view, [], { limit: SESSIONS_A_TURN, ...from })]);
      for (const { key, row } of page) if (row.account === account) found.push(key[0]);
      if (page.length < SESSIONS_A_TURN) return found;
      after = page.at(-1)!.key;
    }
  };

  const vacate = async ({ account, moved = false }: r.VacateRequest): Promise<r.VacateAnswer> => {
    must(isName(account) && typeof moved === 'boolean', 'vacate: which?');
    // A change succeeds without a node that could not be asked: this one may not know yet, and would go on to deliver.
    if (moved && admissions.keeps?.(account) !== false) return refuse('unavailable');
    const left = () =>
      store.read((view) => ({
        messages: accountRows.get(view, account)?.messages ?? 0,
        mailboxes: madeByHand(view, account),
      }));
    const before = left();
    if (before.messages > 0 || before.mailboxes > 0) return accept(before);
    // Of no message at all: an empty account is dropped, another one left. Queued behind every delivery taken before.
    const live = await sessionsFor(account);
    const now = clock.wall();
    const step = flat(await writer.submit({ type: 'drop-account', account, sessions: live, most: 0, now }));
    if (!step.ok) return step;
    forget(step.value.ended);
    if (!step.value.more) return accept({ messages: 0, mailboxes: 0 });
    const after = left(); // what kept it may have gone again since: it was not dropped all the same
    return accept(after.mailboxes > 0 ? after : { ...after, messages: Math.max(1, after.messages) });
  };

  const mailboxes = createMailboxService({ store, writer, admissions, clock, stir });
  const { clear } = mailboxes;
  const structures = createStructures({ store, writer, clock, log });
  const looks = {
    ...createMailboxReads({ store, writer, handles, admissions, clock }),
    ...createMessageReads({ store, handles, structures }),
    search: createSearch({ store, handles, structures, clock }),
    sortKeys: createSortReads({ store, handles, structures, clock }),
  };
  const edits = createSessionEdits({ store, writer, handles, admissions, clock, checkContent, stir, clear });

  const dropAccount = async ({ account }: r.DropAccountRequest): Promise<r.DropAccountAnswer> => {
    must(isName(account), 'drop-account: which?');
    let live = await sessionsFor(account);
    for (;;) {
      const now = clock.wall();
      const most = MOST_DROPPED_AT_ONCE;
      const step = flat(await writer.submit({ type: 'drop-account', account, sessions: live, most, now }));
      if (!step.ok) return step;
      forget(step.value.ended);
      live = [];
      if (step.value.more) continue;
      live = await sessionsFor(account); // by a ticket from before, while it was under way
      if (live.length === 0) return accept(null);
    }
  };

  return {
    open,
    list,
    fetch,
    body,
    stage,
    dropStages,
    deliver,
    quit,
    close,
    dropAccount,
    vacate,
    ...mailboxes,
    looks,
    edits,
    forget,
  };
}

type Shown = { readonly account: string; readonly mailbox: number; readonly uidNext: number };
const maildropOf = (holding: Holding | undefined): Shown | undefined =>
  holding?.account && holding.maildrop
    ? { account: holding.account, mailbox: holding.maildrop.mailbox, uidNext: holding.maildrop.uidNext }
    : undefined;

/** The session that has the maildrop, if its front is gone. */
function abandonedHolder(store: Store, fronts: Fronts, account: string): string | null {
  const held = store.read((view) => locks.get(view, account));
  return held && fronts.isGone(held.front) ? held.session : null;
}

/** Was the ended session's last request this one? So a repeated `quit` or `deliver` gets its answer from any owner. */
function hasAnswered(store: Store, session: string, counter: number): boolean {
  const ended = store.read((view) => endedSessions.get(view, session));
  return ended?.counter === counter;
}

function mustBeDelivery({ counter, content, recipients }: r.DeliverRequest): void {
  must(isNumber(counter), 'deliver: counter');
  mustBeContent(content);
  must(Array.isArray(recipients) && recipients.length > 0, 'deliver: no recipients');
  for (const recipient of recipients) {
    const { account, trace, internalDate, folder = '' } = recipient;
    must(isName(account) && isCount(internalDate), 'deliver: recipient');
    must(trace instanceof Uint8Array && trace.length <= MAX_TRACE_OCTETS, 'deliver: trace');
    must(isFolder(folder) && isFlag(recipient.mustExist) && isFlag(recipient.ignoresQuota), 'deliver: mailbox');
    for (const limit of [recipient.quotaOctets, recipient.quotaMessages, recipient.sizeLimitOctets])
      must(limit === undefined || isCount(limit), 'deliver: limit');
  }
}
