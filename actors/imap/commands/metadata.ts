/** GETMETADATA and SETMETADATA: RFC 5464 §4.2, §4.3. Entries begin with `/private` or `/shared`; what they hold, owners keep. */

import { accept, type Result } from '../../../kernel/result.ts';
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { MetadataEntry } from '../../../protocols/imap/response.ts';
import type { Annotation, AnnotationEdit } from '../../mailbox-owner/mailbox-requests.ts';
import { MOST_ANNOTATION_OCTETS } from '../../mailbox-owner/operations/edit-notes.ts';
import type { ImapSession } from '../imap-session.ts';
import { mailboxAt } from '../mailbox-at.ts';
import { done, type Handler, refused } from '../outcome.ts';
import { type Refusal, refusal } from '../replies.ts';
import type { OwnerSession } from '../services.ts';

const PAGE = 250;
/** Values gathered for one answer; what is more is asked for one by one. */
const MOST_OCTETS = 4 * 1024 * 1024;

type Target = {
  readonly owner: OwnerSession;
  readonly account: string;
  readonly name: string | null;
  readonly shown: string;
  readonly withInbox: boolean;
};

export const getMetadata: Handler<CommandOf<'GETMETADATA'>> = async (command, session) => {
  const target = await targetOf(session, command.mailbox);
  if (!target.ok) return refusal(target.refusal);
  const all = await annotationsOf(target.value);
  if (!all.ok) return refusal(all.refusal);
  const wanted = all.value.filter((each) =>
    command.entries.some((entry) => isAsked(nameOf(each), entry, command.depth)),
  );
  const most = command.maxSizeOctets ?? Number.POSITIVE_INFINITY;
  const entries: MetadataEntry[] = wanted
    .filter(({ value }) => value.length <= most)
    .map((each) => ({ name: nameOf(each), value: each.value }));
  const longest = Math.max(0, ...wanted.filter(({ value }) => value.length > most).map(({ value }) => value.length));
  const untagged = entries.length > 0 ? [{ type: 'METADATA', mailbox: target.value.shown, entries } as const] : [];
  const code = longest > 0 ? ({ code: 'METADATA', longentries: longest } as const) : undefined; // RFC 5464 §4.2.1
  return done('GETMETADATA completed', untagged, code);
};

export const setMetadata: Handler<CommandOf<'SETMETADATA'>> = async ({ mailbox, entries }, session) => {
  const target = await targetOf(session, mailbox);
  if (!target.ok) return refusal(target.refusal);
  const annotations = entries.map(({ name, value }) => editOf(name, value));
  if (annotations.some((edit) => edit === undefined))
    return refused('entries begin with /private/ or /shared/', 'CANNOT');
  if (annotations.some((edit) => (edit?.value?.length ?? 0) > MOST_ANNOTATION_OCTETS)) return tooLarge;
  const { owner, account, withInbox, name } = target.value;
  // What is said of the server to everybody is its administrators': RFC 5464 §6.2.1.
  if (name === null && annotations.some((edit) => !edit!.isPrivate)) return refusal('no-permission');
  const edit = { type: 'set-annotations', name, annotations: annotations as AnnotationEdit[] } as const;
  const changed = await owner.change('edit-mailboxes', { account, withInbox, edit });
  if (changed.ok) return done('SETMETADATA completed');
  if (changed.refusal === 'too-many') return refusal('too-many', { code: 'METADATA', reason: 'TOOMANY' });
  return changed.refusal === 'too-large' ? tooLarge : refusal(changed.refusal);
};

/** RFC 5464 §4.3. */
const tooLarge = refusal('too-large', { code: 'METADATA', maxsize: MOST_ANNOTATION_OCTETS });

/** The server's own stand with the holder's account. */
async function targetOf(session: ImapSession, mailbox: string): Promise<Result<Target, Refusal>> {
  if (mailbox === '') {
    const owner = await session.owner();
    const account = session.holder.accountId;
    return owner.ok ? accept({ owner: owner.value, account, name: null, shown: '', withInbox: true }) : owner;
  }
  const found = await mailboxAt(session, mailbox); // and INBOX is made, if it was not there yet
  if (!found.ok) return found;
  const { place, owner } = found.value;
  return accept({ owner, account: place.account, name: place.name, shown: place.shown, withInbox: place.withInbox });
}

async function annotationsOf({ owner, account, name }: Target): Promise<Result<readonly Annotation[], Refusal>> {
  const all: Annotation[] = [];
  let octets = 0;
  for (;;) {
    const last = all.at(-1);
    const after = last && { after: { entry: last.entry, isPrivate: last.isPrivate } };
    const page = await owner.read('annotations', { account, name, limit: PAGE, ...after });
    if (!page.ok) return page;
    all.push(...page.value.entries);
    octets += page.value.entries.reduce((sum, { value }) => sum + value.length, 0);
    if (!page.value.more || page.value.entries.length === 0 || octets > MOST_OCTETS) return accept(all);
  }
}

const nameOf = ({ entry, isPrivate }: Annotation): string => `${isPrivate ? '/private' : '/shared'}${entry}`;

/** RFC 5464 §4.2.2: the entry itself, the level below it, or all below it. Names are compared without case (§3.2). */
function isAsked(name: string, asked: string, depth: CommandOf<'GETMETADATA'>['depth']): boolean {
  const root = asked.toLowerCase().replace(/\/$/, '');
  if (name === root) return true;
  if (depth === 0 || !name.startsWith(`${root}/`)) return false;
  return depth === 'infinity' || !name.slice(root.length + 1).includes('/');
}

function editOf(name: string, value: Uint8Array | null): AnnotationEdit | undefined {
  const found = /^\/(private|shared)(\/.+)$/.exec(name.toLowerCase());
  return found === null ? undefined : { entry: found[2]!, isPrivate: found[1] === 'private', value };
}
