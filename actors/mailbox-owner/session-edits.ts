/**
 * The numbered requests of sessions of purpose `mailboxes` (edit-requests.ts, mailbox-requests.ts): checked, and handed to the
 * writer. A request of the wrong shape is a peer's mistake: it throws, as in service.ts, of which this is a part.
 */
import type { Clock } from '../../kernel/clock.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { MOST_KEYWORD_OCTETS } from '../../store/flags.ts';
import type { Store } from '../../store/store.ts';
import { endedSessions } from '../../store/tables.ts';
import type { Admissions } from './admission.ts';
import { type CheckContent, mustBeContent } from './content.ts';
import type * as e from './edit-requests.ts';
import { type Handles, sessionOf } from './handles.ts';
import type { EditMailboxesAnswer, EditMailboxesRequest, SessionEdit } from './mailbox-requests.ts';
import { isCount, isFlag, isName, isNumber, isRanges, isRef, isText, must } from './must.ts';
import type { Limits } from './operation.ts';
import { MOST_APPENDED_AT_ONCE } from './operations/limits.ts';
import { flat, type Writer } from './writer.ts';

export type SessionEditParts = {
  readonly store: Store;
  readonly writer: Writer;
  readonly handles: Handles;
  readonly admissions: Admissions;
  readonly clock: Clock;
  readonly checkContent: CheckContent;
  /** Called when there may be bodies to collect, or mailboxes to clear. */
  readonly stir: () => void;
  /** Removes what is in a mailbox that was deleted. */
  readonly clear: (account: string, mailbox: number) => Promise<void>;
};

/** Refusals of an operation that may be asked again as it is, or that say nothing of it. */
const MAY_PASS: readonly string[] = ['not-owner', 'unavailable', 'unknown-handle', 'stale', 'full'];

const MOST_NAME_OCTETS = 4_000;
const MOST_RANGES = 5_000;
const MOST_KEYWORDS = 1_000;
const MOST_ANNOTATIONS = 1_000;
const MOST_VALUE_OCTETS = 512 * 1024;

export function createSessionEdits(parts: SessionEditParts) {
  const { store, writer, handles, admissions, clock, checkContent, stir, clear } = parts;

  /** Of the session that the handle stands for; or of one that ended with this very request, whose answer is stored. */
  const sessionFor = ({ handle, counter }: { readonly handle: string; readonly counter: number }) => {
    must(typeof handle === 'string' && isNumber(counter), 'a numbered request without its number');
    const holding = handles.find(handle);
    if (holding) return holding.purpose === 'mailboxes' ? holding.session : undefined;
    const session = sessionOf(handle);
    const ended = store.read((view) => endedSessions.get(view, session));
    return ended?.counter === counter ? session : undefined;
  };

  const storeFlags = async (request: e.StoreFlagsRequest): Promise<e.StoreFlagsAnswer> => {
    const { counter, ref, uids, mode, flags, keywords, unchangedSince } = request;
    must(isRef(ref) && isRanges(uids, MOST_RANGES) && isCount(flags) && areKeywords(keywords), 'store-flags: what?');
    must(mode === 'add' || mode === 'remove' || mode === 'replace', 'store-flags: how?');
    must(unchangedSince === undefined || isCount(unchangedSince), 'store-flags: unchanged since');
    const session = sessionFor(request);
    if (session === undefined) return refuse('unknown-handle');
    const since = unchangedSince !== undefined && { unchangedSince };
    const operation = { type: 'store-flags', session, counter, ref, uids, mode, flags, keywords, ...since } as const;
    return flat(await writer.submit(operation));
  };

  const expunge = async (request: e.ExpungeRequest): Promise<e.ExpungeAnswer> => {
    const { counter, ref, uids } = request;
    must(isRef(ref) && (uids === null || isRanges(uids, MOST_RANGES)), 'expunge: what?');
    const session = sessionFor(request);
    if (session === undefined) return refuse('unknown-handle');
    const answer = flat(await writer.submit({ type: 'expunge', session, counter, ref, uids }));
    if (answer.ok && answer.value.uids.length > 0) stir();
    return answer;
  };

  const append = async (request: e.AppendRequest): Promise<e.AppendAnswer> => {
    const { counter, account, withInbox, name, messages } = request;
    must(isName(account) && isText(name, MOST_NAME_OCTETS) && typeof withInbox === 'boolean', 'append: where?');
    must(Array.isArray(messages) && messages.length > 0 && messages.length <= MOST_APPENDED_AT_ONCE, 'append: what?');
    for (const { content, flags, keywords, internalDate } of messages) {
      mustBeContent(content);
      must(isCount(flags) && areKeywords(keywords) && isCount(internalDate), 'append: flags or date');
    }
    const limits = limitsOf(request);
    const session = sessionFor(request);
    if (session === undefined) return refuse('unknown-handle');
    const checked: (e.AppendedMessage & { readonly content: Awaited<ReturnType<CheckContent>> })[] = [];
    for (const { content, flags, keywords, internalDate } of messages) {
      checked.push({ content: await checkContent(session, content), flags, keywords, internalDate });
    }
    if (admissions.keeps?.(account) === false) return refuse('unavailable'); // moved
    const to = { account, withInbox, name };
    const operation = {
      type: 'append',
      session,
      counter,
      ...to,
      messages: checked,
      ...limits,
      now: clock.wall(),
    } as const;
    const answer = flat(await writer.submit(operation));
    const staged = messages.flatMap(({ content }) => (content.kind === 'staged' ? [content.stage] : []));
    if (staged.length === 0) return answer;
    // Refused for good: it can't be asked again with them. A refusal is not stored, and its copy is refused again.
    if (!answer.ok && !MAY_PASS.includes(answer.refusal)) {
      await writer.submit({ type: 'drop-stages', session, stages: staged });
    }
    stir();
    return answer;
  };

  const copy = async (request: e.CopyRequest): Promise<e.CopyAnswer> => {
    const { counter, from, uids, least, to, move } = request;
    must(least === undefined || isCount(least), 'copy: how many at least?');
    must(isRef(from) && isRanges(uids, MOST_RANGES) && typeof move === 'boolean', 'copy: what?');
    must(isName(to?.account) && isText(to.name, MOST_NAME_OCTETS) && typeof to.withInbox === 'boolean', 'copy: where?');
    const limits = limitsOf(request);
    const session = sessionFor(request);
    if (session === undefined) return refuse('unknown-handle');
    const { account, withInbox, name } = to;
    if (admissions.keeps?.(account) === false) return refuse('unavailable'); // moved
    const what = { from, uids, ...(least !== undefined && { least }), to: { account, withInbox, name }, move };
    return flat(await writer.submit({ type: 'copy', session, counter, ...what, ...limits, now: clock.wall() }));
  };

  const editMailboxes = async (request: EditMailboxesRequest): Promise<EditMailboxesAnswer> => {
    const { counter, account, withInbox, edit } = request;
    must(isName(account) && typeof withInbox === 'boolean', 'edit-mailboxes: of which?');
    mustBeEdit(edit);
    const session = sessionFor(request);
    if (session === undefined) return refuse('unknown-handle');
    if (admissions.keeps?.(account) === false) return refuse('unavailable'); // moved
    const now = clock.wall();
    const operation = { type: 'edit-mailboxes', session, counter, account, withInbox, edit, now } as const;
    const edited = flat(await writer.submit(operation));
    if (!edited.ok) return edited;
    const { going, created } = edited.value;
    try {
      if (going !== null) await clear(account, going);
    } finally {
      if (edit.type === 'delete') stir();
    }
    return accept(created ? { created } : {});
  };

  return { storeFlags, expunge, append, copy, editMailboxes } satisfies {
    [name: string]: (request: never) => Promise<Result<unknown, string>>;
  };
}

function limitsOf({ quotaOctets, quotaMessages, sizeLimitOctets }: Limits): Limits {
  for (const limit of [quotaOctets, quotaMessages, sizeLimitOctets])
    must(limit === undefined || isCount(limit), 'a limit that is none');
  return {
    ...(quotaOctets !== undefined && { quotaOctets }),
    ...(quotaMessages !== undefined && { quotaMessages }),
    ...(sizeLimitOctets !== undefined && { sizeLimitOctets }),
  };
}

const areKeywords = (keywords: unknown): boolean =>
  Array.isArray(keywords) &&
  keywords.length <= MOST_KEYWORDS &&
  keywords.every((keyword) => keyword !== '' && isText(keyword, MOST_KEYWORD_OCTETS));

/** What may be written in each is for the operation to say; that it is text, and not without end, is said here. */
function mustBeEdit(edit: SessionEdit): void {
  const isMailbox = (name: unknown) => isText(name, MOST_NAME_OCTETS);
  switch (edit.type) {
    case 'create':
      must(isMailbox(edit.name) && isText(edit.specialUse ?? '', 100), 'edit-mailboxes: create');
      return;
    case 'delete':
    case 'subscribe':
    case 'unsubscribe':
      must(isMailbox(edit.name), 'edit-mailboxes: name');
      return;
    case 'rename':
      must(isMailbox(edit.name) && isMailbox(edit.to), 'edit-mailboxes: rename');
      return;
    case 'set-rights':
      must(isMailbox(edit.name) && isName(edit.identifier) && isText(edit.rights, 1_000), 'edit-mailboxes: rights');
      return;
    case 'delete-rights':
      must(isMailbox(edit.name) && isName(edit.identifier), 'edit-mailboxes: identifier');
      return;
    case 'set-special-use':
      must(isMailbox(edit.name) && isText(edit.specialUse ?? '', 100), 'edit-mailboxes: special use');
      return;
    case 'set-annotations': {
      const { name, annotations } = edit;
      must(name === null || isMailbox(name), 'edit-mailboxes: annotated');
      must(Array.isArray(annotations) && annotations.length <= MOST_ANNOTATIONS, 'edit-mailboxes: annotations');
      for (const { entry, isPrivate, value } of annotations) {
        must(isText(entry, 1_000) && isFlag(isPrivate), 'edit-mailboxes: annotation');
        must(
          value === null || (value instanceof Uint8Array && value.length <= MOST_VALUE_OCTETS),
          'edit-mailboxes: value',
        );
      }
      return;
    }
    default:
      throw new RangeError('mail request: edit-mailboxes: what?');
  }
}
