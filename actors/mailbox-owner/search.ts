/**
 * search and sort-keys (search-requests.ts): flags, dates, sizes and UIDs by what the store keeps of messages, their octets
 * only where that leaves the question open. One request works for some milliseconds and says how far it came, so that a search
 * of a large mailbox holds up nobody, however many search at once.
 */
import { type Clock, pause } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { View } from '../../store/key-value.ts';
import type { Store } from '../../store/store.ts';
import { messagesAmong, unpackMessage } from '../../store/tables.ts';
import { BLOCK_UIDS } from '../../store/uid-bits.ts';
import { rangesOf } from '../../store/uid-ranges.ts';
import { askerOf, opened } from './access.ts';
import type { Handles } from './handles.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import { isCount, isRef, must } from './must.ts';
import { bitsAbove, blockSearch, changedLately, hasBit, presentFrom } from './search-blocks.ts';
import { type Carried, CarriedSearches } from './search-carried.ts';
import { type Effort, matchersOf, matches } from './search-content.ts';
import { type Candidate, candidateOf, planOf, truthOf } from './search-program.ts';
import type * as s from './search-requests.ts';
import type { Structures } from './structures.ts';

export type SearchParts = {
  readonly store: Store;
  readonly handles: Handles;
  readonly structures: Structures;
  readonly clock: Clock;
};

/** One request ends after so long, or when it has read so much; but not in the middle of a message. */
const SEARCH_MS = 15;
const SEARCH_OCTETS = 4 * 1024 * 1024;
/** What is done without giving way to others. */
const TURN_MS = 8;
const TURN_OCTETS = 1024 * 1024;
/** Rows fetched together, and those looked at between two looks at the clock. */
const ROWS_A_STEP = 32;
const ROWS_A_LOOK = 8;
/**
 * What one request does of its own, whatever the clock says: a step is a key asked of a message, some tens of nanoseconds. A
 * row is unpacked for as many as it takes.
 */
const MOST_STEPS = 500_000;
const ROW_STEPS = 32;
const KEYWORD_STEPS = 4;
/** For each key, to ask it of a whole block (search-blocks.ts). */
const BLOCK_STEPS = 16;
/** Messages whose octets are to be asked, found in one look at the rows. */
const MOST_OPEN = 64;
/** UIDs in one answer: as ranges at worst some ten octets each. */
const MOST_FOUND = 20_000;

export function createSearch({ store, handles, structures, clock }: SearchParts) {
  /** The last of each session: a front asks again while a very long message is still being read. */
  const underWay = new Map<string, UnderWay>();
  const carried = new CarriedSearches();

  const search = async (request: s.SearchRequest, text: string): Promise<s.SearchAnswer> => {
    const { handle, ref, program, afterUid } = request;
    must(isRef(ref) && isCount(afterUid), 'search: in what?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const going = carried.take(handle, text, afterUid) ?? begun(text, program);
    if (!going) return refuse('bad-program');
    const { plan } = going;
    const effort = efforts(clock);
    const uids: number[] = [];
    let modSeq = 0;
    let upTo = afterUid;
    const answer = (isAll: boolean) => {
      if (!isAll) carried.keep(handle, going, upTo);
      return accept({
        uids: rangesOf(uids),
        ...(plan.asksModSeq && uids.length > 0 && { modSeq }),
        upTo: isAll ? null : upTo,
      });
    };
    for (;;) {
      const look = store.read((view) => {
        const mailbox = opened(view, asker, ref, 'r');
        return mailbox.ok ? accept(scan(view, ref, going, upTo, MOST_FOUND - uids.length, effort)) : mailbox;
      });
      if (!look.ok) return look;
      for (const { uid, open } of look.value.found) {
        let isMatch = open === undefined || open.truth;
        if (open && !open.truth) {
          going.matchers ??= await matchersOf(plan, effort);
          isMatch = await matches({ store, structures }, plan, going.matchers, open, effort);
        }
        upTo = uid;
        if (isMatch) uids.push(uid);
        if (isMatch && open) modSeq = Math.max(modSeq, open.row.modSeq);
        if (open && !open.truth && effort.isOver()) return answer(false);
      }
      upTo = look.value.upTo;
      if (look.value.isAll) return answer(true);
      if (effort.isSpent() || uids.length >= MOST_FOUND) return answer(false);
    }
  };

  return (request: s.SearchRequest): Promise<s.SearchAnswer> => {
    const { handle, afterUid } = request;
    const text = JSON.stringify([request.ref, request.program]) ?? '';
    const running = underWay.get(handle);
    if (running && running.afterUid === afterUid && running.text === text) return running.answer;
    const answer = search(request, text).finally(() => {
      if (underWay.get(handle)?.answer === answer) underWay.delete(handle);
    });
    underWay.set(handle, { text, afterUid, answer });
    return answer;
  };
}

type UnderWay = { readonly text: string; readonly afterUid: number; readonly answer: Promise<s.SearchAnswer> };

function begun(text: string, program: s.SearchProgram): Carried | undefined {
  const plan = planOf(program);
  return plan && { text, plan };
}

/** `open` absent: it matches, whatever it says. Else by its row: `truth`, or its octets are to be asked. */
type Found = { readonly uid: number; readonly open?: Candidate & { readonly truth: boolean } };
type Scan = { readonly found: readonly Found[]; readonly upTo: number; readonly isAll: boolean };

/** From above that UID on, as far as the effort, or room for what is found, goes; one row at least. */
function scan(view: View, ref: MailboxRef, going: Carried, afterUid: number, most: number, effort: Efforts): Scan {
  const { plan } = going;
  if (going.lately === undefined) going.lately = changedLately(view, ref, plan.program);
  const blocks = blockSearch(view, ref, plan.program, going.lately);
  const found: Found[] = [];
  let upTo = afterUid;
  let open = 0;
  let rowsLeft = ROWS_A_LOOK;
  for (const { block, bits } of presentFrom(view, ref, afterUid + 1)) {
    const first = block * BLOCK_UIDS + 1;
    const { sure, maybe } = blocks.of(block, bits);
    effort.stepped(plan.keys * BLOCK_STEPS);
    const candidates = [...bitsAbove(maybe, upTo - first)].map((bit) => first + bit);
    for (let at = 0; at < candidates.length; at += ROWS_A_STEP) {
      const step = candidates.slice(at, at + ROWS_A_STEP);
      // Of what matches anyway the row is needed only for its mod-sequence.
      const asked = plan.asksModSeq ? step : step.filter((uid) => !hasBit(sure, uid - first));
      const rows = rowsBy(view, ref, asked);
      for (const uid of step) {
        const packed = rows.get(uid);
        if (packed === undefined) found.push({ uid });
        else {
          const message = candidateOf(uid, unpackMessage(packed), plan);
          const truth = truthOf(plan.program, message);
          effort.stepped(ROW_STEPS + plan.keys + KEYWORD_STEPS * message.keywords.size);
          if (truth !== false) found.push({ uid, open: { ...message, truth: truth === true } });
          if (truth === undefined) open++;
        }
        upTo = uid;
        const isFull = found.length >= most || open >= MOST_OPEN || effort.isDone();
        if (isFull || (--rowsLeft === 0 && effort.isSpent())) return { found, upTo, isAll: false };
        if (rowsLeft === 0) rowsLeft = ROWS_A_LOOK;
      }
    }
    upTo = Math.max(upTo, first + BLOCK_UIDS - 1);
    if (effort.isSpent()) return { found, upTo, isAll: false };
  }
  return { found, upTo, isAll: true };
}

const rowsBy = (view: View, { account, mailbox }: MailboxRef, uids: readonly number[]) =>
  new Map([...messagesAmong(view, account, mailbox, uids)].map(({ uid, packed }) => [uid, packed]));

type Efforts = Effort & {
  /** So many steps were done. */
  stepped(steps: number): void;
  /** All its steps. */
  isDone(): boolean;
  /** Its time is over, or it has read enough. */
  isOver(): boolean;
  /** Any of these. */
  isSpent(): boolean;
};

/** What one request may take, and when it is others' turn. */
function efforts(clock: Clock): Efforts {
  const endMs = clock.monotonic() + SEARCH_MS;
  let turnMs = clock.monotonic() + TURN_MS;
  let octets = 0;
  let turnOctets = 0;
  let steps = 0;
  const isOver = () => octets >= SEARCH_OCTETS || clock.monotonic() >= endMs;
  const isDone = () => steps >= MOST_STEPS;
  return {
    took(read) {
      octets += read;
      turnOctets += read;
    },
    stepped(more) {
      steps += more;
    },
    giveWay() {
      if (turnOctets < TURN_OCTETS && clock.monotonic() < turnMs) return undefined;
      return pause(clock, 0).then(() => {
        turnOctets = 0;
        turnMs = clock.monotonic() + TURN_MS;
      });
    },
    isDone,
    isOver,
    isSpent: () => isDone() || isOver(),
  };
}
