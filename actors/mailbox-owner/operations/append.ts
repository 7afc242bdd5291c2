/**
 * append: messages into one mailbox, all or none (RFC 9051 §6.3.12, RFC 3502 §3); needs the right `i`, and for their flags
 * those that STORE needs: flags for which the right is missing are left out (RFC 4314 §4: APPEND).
 */

import { INBOX, mailboxName } from '../../../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../../../kernel/result.ts';
import type { Appended, Change } from '../../../store/change.ts';
import { folded, MOST_KEYWORDS_A_MESSAGE, spelt } from '../../../store/flags.ts';
import type { View } from '../../../store/key-value.ts';
import { accounts, keywords as keywordsOf } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { type Inbox, inboxOf } from '../inbox.ts';
import { mailboxNamed } from '../mailboxes.ts';
import { done, type OutcomeOf, once } from '../once.ts';
import type { Answers, Append } from '../operation.ts';
import { type Asker, changeable, lacking, rightsFor } from '../rights.ts';
import { isThere, keepBodies, sizeOf } from './keep-bodies.ts';
import { isOverQuota } from './quota.ts';

const NO_TRACE = new Uint8Array();

export function append(view: View, operation: Append): Decision<Answers['append']> {
  return once(view, operation, (asker): OutcomeOf<'append'> => {
    const { account, messages, session, sizeLimitOctets } = operation;
    const home = homeOf(view, asker, operation);
    if (!home.ok) return home;
    const sizes = messages.map(({ content }) => sizeOf(content));
    if (sizeLimitOctets && sizes.some((octets) => octets > sizeLimitOctets)) return refuse('too-large');
    const octets = sizes.reduce((sum, each) => sum + each, 0);
    if (isOverQuota(operation, accounts.get(view, account), { octets, messages: messages.length })) {
      return refuse('over-quota');
    }
    if (!areThere(view, operation)) return refuse('stage-missing');
    const { mailbox, row, created, rights } = home.value;
    const keep = keepBodies(view, session);
    const bodies = messages.flatMap(({ content }) => keep(content, true));
    const changes: Change[] = [...created, ...bodies, ...appended(view, operation, home.value, rights)];
    const { uidValidity, uidNext } = row;
    const uids = [[uidNext, uidNext + messages.length - 1]] as const;
    return done({ mailbox, uidValidity, modSeq: row.modSeq + 1, uids }, ...changes);
  });
}

type Home = Inbox & { readonly rights: string };

/** Where messages go that a session puts somewhere by name; INBOX comes into being for its own account. */
export function homeOf(
  view: View,
  asker: Asker,
  { account, name, withInbox, now }: Pick<Append, 'account' | 'name' | 'withInbox' | 'now'>,
): Result<Home, 'no-such-mailbox' | 'no-permission'> {
  const kept = mailboxName(name);
  if (!kept.ok) return refuse('no-such-mailbox');
  const found = mailboxNamed(view, account, kept.value);
  if (!found && (kept.value !== INBOX || !withInbox)) return refuse('no-such-mailbox');
  const home = found ? { ...found, created: [] } : inboxOf(view, account, now);
  const rights = rightsFor(view, asker, account, home.mailbox);
  return rights.includes('i') ? accept({ ...home, rights }) : refuse(lacking(rights));
}

/** Every staged body, each named once. */
function areThere(view: View, { session, messages }: Append): boolean {
  const names = messages.flatMap(({ content }) => (content.kind === 'staged' ? [content.stage] : []));
  return new Set(names).size === names.length && messages.every(({ content }) => isThere(view, session, content));
}

function appended(view: View, { account, messages, now }: Append, { mailbox, row }: Inbox, rights: string): Appended[] {
  const may = changeable(rights);
  const sequence = (accounts.get(view, account)?.lastSequence ?? 0) + 1;
  const known = [...(keywordsOf.get(view, account, mailbox) ?? [])];
  return messages.map(({ content, internalDate, ...wanted }, at) => {
    const { keywords, added } = spelt(known, may.keywords ? fitting(wanted.keywords) : []); // what does not fit is left out
    known.push(...added);
    const flags = wanted.flags & may.flags;
    return {
      type: 'Appended',
      account,
      mailbox,
      uid: row.uidNext + at,
      modSeq: row.modSeq + 1,
      sequence: sequence + at,
      internalDate,
      trace: NO_TRACE,
      sha256: content.sha256,
      ...(flags !== 0 && { flags }),
      ...(keywords && { keywords }),
      saveDate: now,
    };
  });
}

/** As many as a message may have, the first ones. */
function fitting(keywords: readonly string[]): readonly string[] {
  const named = new Map<string, string>();
  for (const keyword of keywords) if (!named.has(folded(keyword))) named.set(folded(keyword), keyword);
  return [...named.values()].slice(0, MOST_KEYWORDS_A_MESSAGE);
}
