/**
 * The parts of edit-mailboxes about what is noted beside mailboxes: subscriptions (RFC 9051 §6.3.7, §6.3.8), annotations
 * (RFC 5464) and what a mailbox is for (RFC 6154).
 */

import { mailboxName } from '../../../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { annotations, subscriptions } from '../../../store/tables.ts';
import type { AnnotationEdit, SessionEdit } from '../mailbox-requests.ts';
import { mailboxNamed } from '../mailboxes.ts';
import { done } from '../once.ts';
import { type Asker, lacking, rightsFor } from '../rights.ts';
import type { EditOutcome, EditRefusal } from './edit-mailboxes.ts';

/** Of one account. */
export const MOST_SUBSCRIPTIONS = 5_000;
/** Of one mailbox, shared or of one account. */
export const MOST_ANNOTATIONS = 100;
/** RFC 5464 §4.3: told as METADATA MAXSIZE. */
export const MOST_ANNOTATION_OCTETS = 64 * 1024;
/** Of one account in all, keys and what a row takes counted in: no quota looks at them. */
export const MOST_ANNOTATIONS_OCTETS = 1024 * 1024;
const ROW_OCTETS = 100;
const SHARED = '';

/** RFC 6154 §2 and RFC 8457 §3; \All and \Flagged are views of others, which no mailbox can be made to be here. */
const USES = ['\\Archive', '\\Drafts', '\\Important', '\\Junk', '\\Sent', '\\Trash'];

/** The uses that a client named, as they are kept: each once, in one order, parted by a space. */
export function specialUses(text: string): Result<string, 'bad-special-use'> {
  const named = new Set(text.split(' ').map((use) => use.toLowerCase()));
  const kept = USES.filter((use) => named.delete(use.toLowerCase()));
  return named.size === 0 ? accept(kept.join(' ')) : refuse('bad-special-use');
}

export function setSpecialUse(account: string, mailbox: number, text: string | null): EditOutcome {
  const uses = text === null ? accept(null) : specialUses(text);
  if (!uses.ok) return uses;
  return done({ going: null }, { type: 'SpecialUseSet', account, mailbox, specialUse: uses.value });
}

/** Of the session's own account, and of any name: the mailbox may be elsewhere, or not be there (RFC 9051 §6.3.7). */
export function subscribe(
  view: View,
  account: string,
  edit: Extract<SessionEdit, { readonly type: 'subscribe' | 'unsubscribe' }>,
): EditOutcome {
  const name = mailboxName(edit.name);
  if (!name.ok) return refuse('bad-name');
  const isThere = subscriptions.get(view, account, name.value) !== undefined;
  if (edit.type === 'unsubscribe') {
    return isThere ? done({ going: null }, { type: 'Unsubscribed', account, name: name.value }) : done({ going: null });
  }
  if (isThere) return done({ going: null });
  if ([...view.range(['subscription', account])].length >= MOST_SUBSCRIPTIONS) return refuse('too-many');
  return done({ going: null }, { type: 'Subscribed', account, name: name.value });
}

export function setAnnotations(
  view: View,
  asker: Asker,
  account: string,
  { name, annotations: edits }: Extract<SessionEdit, { readonly type: 'set-annotations' }>,
): EditOutcome {
  const of = name === null ? serverOf(asker, account, edits) : annotated(view, asker, account, name, edits);
  if (!of.ok) return of;
  const mailbox = of.value;
  if (!haveRoom(view, account, mailbox, asker, edits)) return refuse('too-many');
  const counts = new Map<string, number>();
  const changes: Change[] = [];
  for (const { entry, isPrivate, value } of edits) {
    if (value !== null && value.length > MOST_ANNOTATION_OCTETS) return refuse('too-large');
    const who = isPrivate ? asker.account : SHARED;
    const isThere = annotations.get(view, account, mailbox, entry, who) !== undefined;
    const count = (counts.get(who) ?? countOf(view, account, mailbox, who)) + (isThere ? 0 : 1);
    if (value !== null && !isThere && count > MOST_ANNOTATIONS) return refuse('too-many');
    if (value !== null) counts.set(who, count);
    if (value !== null || isThere) changes.push({ type: 'AnnotationSet', account, mailbox, entry, who, value });
  }
  return done({ going: null }, ...changes);
}

/** Is the account within its bound after these, or are they removals alone? There is no more to be counted than the bound. */
function haveRoom(
  view: View,
  account: string,
  mailbox: number,
  asker: Asker,
  edits: readonly AnnotationEdit[],
): boolean {
  const wanted = new Map<string, number>();
  for (const { entry, isPrivate, value } of edits) {
    const octets = value === null ? 0 : rowOctets(entry, value);
    wanted.set(`${mailbox}\0${entry}\0${isPrivate ? asker.account : SHARED}`, octets);
  }
  let after = [...wanted.values()].reduce((sum, octets) => sum + octets, 0);
  if (after === 0) return true;
  for (const { key, row } of annotations.range(view, [account])) {
    const [, at, entry, who] = key;
    if (!wanted.has(`${at}\0${entry}\0${who}`)) after += rowOctets(entry, row);
  }
  return after <= MOST_ANNOTATIONS_OCTETS;
}

const rowOctets = (entry: string, value: Uint8Array): number => ROW_OCTETS + Buffer.byteLength(entry) + value.length;

const countOf = (view: View, account: string, mailbox: number, who: string): number =>
  [...view.range(['annotation', account, mailbox])].filter(({ key }) => key[4] === who).length;

/** RFC 5464 §3.3: `l` and one of these; and what all see, only who may write there. */
function annotated(
  view: View,
  asker: Asker,
  account: string,
  text: string,
  edits: readonly AnnotationEdit[],
): Result<number, EditRefusal> {
  const name = mailboxName(text);
  const found = name.ok ? mailboxNamed(view, account, name.value) : undefined;
  if (!found) return refuse('no-such-mailbox');
  const rights = rightsFor(view, asker, account, found.mailbox);
  const mayAny = rights.includes('l') && /[rswip]/.test(rights);
  if (!mayAny || (edits.some(({ isPrivate }) => !isPrivate) && !rights.includes('w'))) return refuse(lacking(rights));
  return accept(found.mailbox);
}

/** Those of no mailbox: each account its own; what all see, who administers. */
function serverOf(asker: Asker, account: string, edits: readonly AnnotationEdit[]): Result<number, EditRefusal> {
  const isShared = edits.some(({ isPrivate }) => !isPrivate);
  const may = asker.administers === true || (asker.account === account && !isShared);
  return may ? accept(0) : refuse('no-permission');
}
