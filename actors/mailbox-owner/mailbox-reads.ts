/**
 * Reads of mailboxes as such (mailbox-requests.ts): lists, rights, annotations, and the look that begins work in one. No
 * message is read for any of them. Sessions of purpose `mailboxes` only; access.ts says who may what.
 */
import type { Clock } from '../../kernel/clock.ts';
import { INBOX, mailboxName } from '../../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { FLAG } from '../../store/flags.ts';
import type { View } from '../../store/key-value.ts';
import type { Store } from '../../store/store.ts';
import {
  annotations,
  rights as grants,
  keywords,
  type MailboxRow,
  mailboxes,
  mailboxNames,
  subscriptions,
} from '../../store/tables.ts';
import { BLOCK_UIDS, bitsIn, blockOf, blocksWith, firstWith, type UidBlock } from '../../store/uid-bits.ts';
import { askerOf, mayKnow, opened } from './access.ts';
import type { Admissions } from './admission.ts';
import type { Handles } from './handles.ts';
import type * as b from './mailbox-requests.ts';
import { mailboxNamed } from './mailboxes.ts';
import { isCount, isName, isRef, isText, must } from './must.ts';
import type { RecentAnswer } from './operation.ts';
import type { CommonRefusal } from './requests.ts';
import { type Asker, lacking, rightsFor } from './rights.ts';
import { flat, type Writer } from './writer.ts';

export type MailboxReadParts = {
  readonly store: Store;
  readonly writer: Writer;
  readonly handles: Handles;
  readonly admissions: Admissions;
  readonly clock: Clock;
};

/** Entries of a page; with the longest names they fit an answer. */
const MOST_LISTED = 250;
/** Mailboxes, or entries of rights, looked at for one answer, of which few may be for the asker. */
const MOST_LOOKED_AT = 1_000;
const MOST_KEPT_OCTETS = 1_000;
const MOST_NAME_OCTETS = 4_000;
/** Blocks of 512 octets in one answer. */
const MOST_BLOCKS = 400;
/** Values of annotations in one answer, in octets; the first is given whatever it takes. */
const ANNOTATION_OCTETS = 256 * 1024;

export function createMailboxReads({ store, writer, handles, admissions, clock }: MailboxReadParts) {
  /** RFC 9051 §5.1: a user's INBOX is always there; what every account has is made when it is first asked for. */
  const withInbox = async (
    asker: Asker & { readonly session: string },
    account: string,
  ): Promise<Result<null, CommonRefusal>> => {
    if (account !== asker.account || store.read((view) => mailboxNamed(view, account, INBOX))) return accept(null);
    if (admissions.keeps?.(account) === false) return refuse('unavailable'); // moved
    const edit = { type: 'create', name: INBOX } as const;
    const now = clock.wall();
    const { session } = asker;
    const made = flat(await writer.submit({ type: 'change-mailboxes', account, withInbox: true, edit, now, session }));
    if (made.ok || made.refusal === 'exists') return accept(null);
    return refuse(made.refusal === 'not-owner' ? 'not-owner' : 'unavailable');
  };

  const list = async (request: b.ListMailboxesRequest): Promise<b.ListMailboxesAnswer> => {
    const { handle, account, after, limit } = request;
    must(isName(account) && isCount(limit), 'list-mailboxes: of which?');
    must(after === undefined || isText(after, MOST_KEPT_OCTETS), 'list-mailboxes: after');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const inbox = await withInbox(asker, account);
    if (!inbox.ok) return inbox;
    const most = Math.max(1, Math.min(limit, MOST_LISTED));
    return store.read((view) => {
      const entries: b.ListedMailbox[] = [];
      const from = after === undefined ? {} : { after: [account, after] as [string, string] };
      let [looked, last] = [0, ''];
      for (const { key, row: mailbox } of mailboxNames.range(view, [account], from)) {
        if (entries.length === most || ++looked > MOST_LOOKED_AT) return accept({ entries, next: last });
        last = key[1];
        const rights = rightsFor(view, asker, account, mailbox);
        if (rights.includes('l')) entries.push(listed(view, account, mailbox, rights));
      }
      return accept({ entries, next: null });
    });
  };

  const named = async ({ handle, account, name }: b.MailboxNamedRequest): Promise<b.MailboxNamedAnswer> => {
    must(isName(account) && isText(name, MOST_NAME_OCTETS), 'mailbox-named: which?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const inbox = await withInbox(asker, account);
    if (!inbox.ok) return inbox;
    return store.read((view) => {
      const found = foundFor(view, asker, account, name);
      return found.ok ? accept(listed(view, account, found.value.mailbox, found.value.rights)) : found;
    });
  };

  /** Only mailboxes on whose lists somebody is are looked at: few, in most mailHosts. */
  const sharing = ({ handle, after, limit }: b.SharingAccountsRequest): b.SharingAccountsAnswer => {
    const from = after === undefined ? START : placeIn(after);
    must(isCount(limit) && from !== undefined, 'sharing-accounts: after');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const most = Math.max(1, Math.min(limit, MOST_LISTED));
    return store.read((view) => accept(sharingWith(view, asker, from, most)));
  };

  const subscribed = ({ handle, after, limit }: b.SubscriptionsRequest): b.SubscriptionsAnswer => {
    must(isCount(limit) && (after === undefined || isText(after, MOST_NAME_OCTETS)), 'subscriptions: after');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const { account } = asker;
    const most = Math.max(1, Math.min(limit, MOST_LISTED));
    const from = after === undefined ? {} : { after: [account, after] as [string, string] };
    return store.read((view) => {
      const page = [...subscriptions.range(view, [account], { ...from, limit: most + 1 })].map(({ key }) => key[1]);
      return accept({ entries: page.slice(0, most), more: page.length > most });
    });
  };

  const rightsOn = ({ handle, account, name }: b.RightsOnRequest): b.RightsOnAnswer => {
    must(isName(account) && isText(name, MOST_NAME_OCTETS), 'rights-on: which?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    return store.read((view) => {
      const found = foundFor(view, asker, account, name);
      if (!found.ok) return found;
      if (!found.value.rights.includes('a')) return refuse('no-permission');
      const all = [...grants.range(view, [account, found.value.mailbox])];
      return accept(all.map(({ key, row }) => ({ identifier: key[2], rights: row })));
    });
  };

  const annotated = ({ handle, account, name, after, limit }: b.AnnotationsRequest): b.AnnotationsAnswer => {
    must(isName(account) && (name === null || isText(name, MOST_NAME_OCTETS)), 'annotations: of which?');
    must(isCount(limit) && (after === undefined || isText(after.entry, MOST_KEPT_OCTETS)), 'annotations: after');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const most = Math.max(1, Math.min(limit, MOST_LISTED));
    return store.read((view) => {
      if (name === null) return accept(annotationsOf(view, account, 0, asker.account, after, most));
      const found = foundFor(view, asker, account, name);
      if (!found.ok) return found;
      const { rights, mailbox } = found.value;
      if (!rights.includes('l') || !/[rswip]/.test(rights)) return refuse(lacking(rights)); // RFC 5464 §3.3
      return accept(annotationsOf(view, account, mailbox, asker.account, after, most));
    });
  };

  const select = async ({ handle, account, name, write }: b.SelectRequest): Promise<b.SelectAnswer> => {
    must(isName(account) && isText(name, MOST_NAME_OCTETS) && typeof write === 'boolean', 'select: which?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const inbox = await withInbox(asker, account);
    if (!inbox.ok) return inbox;
    const found = store.read((view) => {
      const known = foundFor(view, asker, account, name);
      if (!known.ok) return known;
      return known.value.rights.includes('r') ? known : refuse(lacking(known.value.rights));
    });
    if (!found.ok) return found;
    const { mailbox, row } = found.value;
    const ref: b.MailboxRef = { account, mailbox, uidValidity: row.uidValidity };
    const recent = write && row.recentFrom < row.uidNext ? await noteShown(ref, row) : asItIs(row);
    return store.read((view) => {
      const now = opened(view, asker, ref, 'r');
      return now.ok ? accept(selected(view, ref, now.value.row, now.value.rights, recent)) : now;
    });
  };

  /** Recent to this session alone, if that can be noted now; where the disk is full, to the next one again. */
  const noteShown = async (ref: b.MailboxRef, row: MailboxRow): Promise<RecentAnswer> => {
    const shown = flat(await writer.submit({ type: 'show-recent', ref }));
    return shown.ok ? shown.value : asItIs(row);
  };

  const showRecent = async ({ handle, ref, upTo }: b.ShowRecentRequest): Promise<b.ShowRecentAnswer> => {
    must(isRef(ref) && isCount(upTo), 'show-recent: up to where?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const found = store.read((view) => opened(view, asker, ref, 'r'));
    if (!found.ok) return found;
    if (found.value.row.recentFrom >= upTo) return accept(null);
    const shown = flat(await writer.submit({ type: 'show-recent', ref, upTo }));
    // Where the disk is full they are recent to the next one again.
    return shown.ok || shown.refusal === 'full' ? accept(null) : refuse(shown.refusal);
  };

  const present = ({ handle, ref, afterBlock }: b.PresentRequest): b.PresentAnswer => {
    must(isRef(ref) && isCount(afterBlock), 'present: after which block?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    return store.read((view) => {
      const mailbox = opened(view, asker, ref, 'r');
      return mailbox.ok ? accept(presentBlocks(view, ref, afterBlock)) : mailbox;
    });
  };

  return {
    listMailboxes: list,
    mailboxNamed: named,
    sharing,
    subscribed,
    rightsOn,
    annotated,
    select,
    showRecent,
    present,
  };
}

type KnownMailbox = { readonly mailbox: number; readonly row: MailboxRow; readonly rights: string };

/** By its name as a client may write it; whatever can't be a name is a mailbox that is not there. */
function foundFor(view: View, asker: Asker, account: string, text: string): Result<KnownMailbox, 'no-such-mailbox'> {
  const name = mailboxName(text);
  const found = name.ok ? mailboxNamed(view, account, name.value) : undefined;
  if (!found) return refuse('no-such-mailbox');
  const rights = rightsFor(view, asker, account, found.mailbox);
  return mayKnow(rights) ? accept({ ...found, rights }) : refuse('no-such-mailbox');
}

function listed(view: View, account: string, mailbox: number, rights: string): b.ListedMailbox {
  const row = mailboxes.get(view, account, mailbox)!; // named, so there
  const { name, uidValidity, specialUse } = row;
  return {
    name,
    mailbox,
    uidValidity,
    rights,
    ...(specialUse !== undefined && { specialUse }),
    ...(rights.includes('r') && { status: statusOf(view, account, mailbox, row) }),
  };
}

function statusOf(view: View, account: string, mailbox: number, row: MailboxRow): b.MailboxStatus {
  const { uidNext, modSeq, messages, unseen, deleted, deletedOctets, octets, recentFrom } = row;
  const recent = recentFrom < uidNext ? countFrom(view, account, mailbox, recentFrom) : 0;
  return { uidNext, modSeq, messages, unseen, deleted, deletedOctets, octets, recent };
}

const asItIs = ({ recentFrom }: MailboxRow): RecentAnswer => ({ recentFrom, upTo: recentFrom });

function selected(view: View, ref: b.MailboxRef, row: MailboxRow, rights: string, recent: RecentAnswer): b.Selected {
  const { account, mailbox } = ref;
  const { name, uidNext, modSeq, messages, unseen, specialUse, vanishedFrom } = row;
  return {
    ref,
    name,
    uidNext,
    modSeq,
    messages,
    present: presentBlocks(view, ref),
    firstUnseen: unseen === 0 ? null : (firstWith(view, account, mailbox, 1, { unset: FLAG.seen })[0] ?? null),
    unseen,
    keywords: keywords.get(view, account, mailbox) ?? [],
    ...(specialUse !== undefined && { specialUse }),
    rights,
    recentFrom: recent.recentFrom,
    recentUpTo: recent.upTo,
    vanishedFrom,
  };
}

/** Of which UIDs there are messages, from above that block on. */
export function presentBlocks(
  view: View,
  { account, mailbox }: Pick<b.MailboxRef, 'account' | 'mailbox'>,
  afterBlock = -1,
): b.UidBlocks {
  const blocks: UidBlock[] = [];
  for (const block of blocksWith(view, account, mailbox, {}, afterBlock)) {
    if (blocks.length === MOST_BLOCKS) return { blocks, more: true };
    blocks.push(block);
  }
  return { blocks, more: false };
}

function countFrom(view: View, account: string, mailbox: number, from: number): number {
  let count = 0;
  for (const { block, bits } of blocksWith(view, account, mailbox, {}, blockOf(from) - 1)) {
    const before = Math.max(0, from - 1 - block * BLOCK_UIDS);
    for (const bit of bitsIn(bits)) if (bit >= before) count++;
  }
  return count;
}

/** A mailbox that was looked at; what comes behind it is next. */
type SharingPlace = { readonly account: string; readonly mailbox: number };
const START: SharingPlace = { account: '', mailbox: 0 };
/** No mailbox has this number, nor a higher one: a key holds one more. */
const LAST_MAILBOX = 2 ** 48 - 2;

/** As the answer's `next` and the request's `after` carry it: an account may have more mailboxes than one look is for. */
const textOf = ({ account, mailbox }: SharingPlace): string => `${mailbox}:${account}`;

function placeIn(text: unknown): SharingPlace | undefined {
  const [, mailbox = '', account = ''] = (typeof text === 'string' && /^(\d{1,15}):(.+)$/s.exec(text)) || [];
  return isName(account) ? { account, mailbox: Math.min(Number(mailbox), LAST_MAILBOX) } : undefined;
}

/** One look for each mailbox that has a list, whoever and however many stand on it. */
function sharingWith(view: View, asker: Asker, after: SharingPlace, most: number): b.SharingAccounts {
  const accounts: string[] = [];
  let last = after;
  for (let looked = 0; looked < MOST_LOOKED_AT && accounts.length < most; looked++) {
    const place = nextSharing(view, last);
    if (place === undefined) return { accounts, next: null };
    const { account, mailbox } = place;
    const isOwn = account === asker.account;
    const isShared = !isOwn && rightsFor(view, asker, account, mailbox).includes('l');
    if (isShared) accounts.push(account);
    last = isOwn || isShared ? { account, mailbox: LAST_MAILBOX } : place; // of this account enough is known
  }
  return { accounts, next: textOf(last) };
}

/** The next mailbox with a list of rights. */
function nextSharing(view: View, { account, mailbox }: SharingPlace): SharingPlace | undefined {
  const [first] = grants.range(view, [], { after: [account, mailbox + 1, ''], limit: 1 });
  return first && { account: first.key[0], mailbox: first.key[1] };
}

function annotationsOf(
  view: View,
  account: string,
  mailbox: number,
  asker: string,
  after: b.AnnotationsRequest['after'],
  most: number,
): b.Page<b.Annotation> {
  const entries: b.Annotation[] = [];
  let octets = 0;
  const who = after?.isPrivate ? asker : '';
  const from = after && { after: [account, mailbox, after.entry, who] as [string, number, string, string] };
  for (const { key, row } of annotations.range(view, [account, mailbox], from)) {
    if (key[3] !== '' && key[3] !== asker) continue; // another's own
    octets += row.length + key[2].length;
    if (entries.length === most || (octets > ANNOTATION_OCTETS && entries.length > 0)) return { entries, more: true };
    entries.push({ entry: key[2], isPrivate: key[3] !== '', value: row });
  }
  return { entries, more: false };
}
