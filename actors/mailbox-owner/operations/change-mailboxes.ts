/**
 * change-mailboxes: an account's mailboxes are made, deleted and renamed, and rights on them are set; what RFC 9051 §6.3.4 to
 * §6.3.6 and RFC 4314 §3.1 say of CREATE, DELETE, RENAME and SETACL, whoever asks. INBOX is neither deleted nor renamed.
 */

import { INBOX, isInferior, mailboxName, superiorsOf } from '../../../kernel/mailbox-name.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { mailboxNames, rights, sessions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { inboxOf } from '../inbox.ts';
import { countRights, created, mailboxNamed, removal } from '../mailboxes.ts';
import type { Answers, ChangeMailboxes } from '../operation.ts';
import type { MailboxEdit, MailboxRefusal } from '../requests.ts';
import { editedRights, ownersEntry } from '../rights.ts';

/** Of one account: so many are walked in one turn. */
export const MOST_MAILBOXES = 10_000;
/** On one mailbox: a page of mailboxes with their lists passes the bus. */
export const MOST_IDENTIFIERS = 100;
/** Messages: of others in the mailHost nobody waits long behind a step. */
export const MOST_DELETED_AT_ONCE = 500;
/** A rename is one step, for nobody may find half of it done. */
export const MOST_RENAMED_AT_ONCE = 1_000;

type Answer = Answers['change-mailboxes'];
/** Also of who asks for one of these with rights of his own: edit-mailboxes.ts. */
export type Edit<T extends MailboxEdit['type']> = Omit<ChangeMailboxes, 'type' | 'edit'> & {
  readonly edit: Extract<MailboxEdit, { type: T }>;
};

export function changeMailboxes(view: View, operation: ChangeMailboxes): Decision<Answer> {
  const { edit, session } = operation;
  if (session !== undefined && sessions.get(view, session) === undefined) return no('no-such-mailbox');
  switch (edit.type) {
    case 'create':
      return create(view, { ...operation, edit });
    case 'delete':
      return remove(view, { ...operation, edit });
    case 'rename':
      return rename(view, { ...operation, edit });
    case 'set-rights':
      return setRights(view, { ...operation, edit });
  }
}

const no = (refusal: MailboxRefusal): Decision<Answer> => ({ changes: [], answer: refuse(refusal) });
const yes = (changes: readonly Change[], going: number | null = null): Decision<Answer> => ({
  changes,
  answer: accept({ going }),
});

export function create(view: View, { account, edit, withInbox, now }: Edit<'create'>): Decision<Answer> {
  const name = mailboxName(edit.name);
  if (!name.ok || lacksInbox(name.value, withInbox)) return no('bad-name');
  if (mailboxNamed(view, account, name.value)) return no('exists');
  const names = [...missingSuperiors(view, account, name.value), name.value];
  if (countOf(view, account) + names.length > MOST_MAILBOXES) return no('too-many');
  return yes(created(view, account, names, now));
}

/** The name goes at once, and whatever is asked by it next is asked of another mailbox; what is left has a number only. */
export function remove(view: View, { account, edit }: Edit<'delete'>): Decision<Answer> {
  const name = mailboxName(edit.name);
  if (name.ok && name.value === INBOX) return no('is-inbox');
  const found = name.ok ? mailboxNamed(view, account, name.value) : undefined;
  if (!found) return no('no-such-mailbox');
  const { mailbox, row } = found;
  const { changes, more } = removal(view, account, mailbox, row, MOST_DELETED_AT_ONCE);
  return more ? yes([{ type: 'MailboxUnnamed', account, mailbox }, ...changes], mailbox) : yes(changes);
}

export function rename(view: View, { account, edit, withInbox, now }: Edit<'rename'>): Decision<Answer> {
  const from = mailboxName(edit.name);
  if (from.ok && from.value === INBOX) return no('is-inbox');
  if (!from.ok || !mailboxNamed(view, account, from.value)) return no('no-such-mailbox');
  const to = mailboxName(edit.to);
  if (!to.ok || lacksInbox(to.value, withInbox)) return no('bad-name');
  if (isInferior(to.value, from.value)) return no('below-itself');
  if (to.value === INBOX || to.value === from.value) return no('exists'); // INBOX always does, made already or not
  const moved = new Map<string, { readonly mailbox: number; readonly name: string }>();
  for (const { key, row: mailbox } of mailboxNames.range(view, [account])) {
    const old = key[1];
    if (old !== from.value && !isInferior(old, from.value)) continue;
    const name = mailboxName(to.value + old.slice(from.value.length));
    if (!name.ok) return no('bad-name'); // an inferior's would become too long
    if (moved.size === MOST_RENAMED_AT_ONCE) return no('too-many');
    moved.set(old, { mailbox, name: name.value });
  }
  for (const { name } of moved.values()) {
    if (!moved.has(name) && mailboxNamed(view, account, name)) return no('exists');
  }
  const lacking = missingSuperiors(view, account, to.value); // none of them is moved: that would be below itself
  if (countOf(view, account) + lacking.length > MOST_MAILBOXES) return no('too-many');
  const renamed: Change = { type: 'MailboxesRenamed', account, mailboxes: [...moved.values()] };
  return yes([renamed, ...created(view, account, lacking, now)]);
}

/** The account's own entry begins with all rights, which it has as long as there is none, and never comes to be without any. */
export function setRights(view: View, { account, edit, withInbox, now }: Edit<'set-rights'>): Decision<Answer> {
  const name = mailboxName(edit.name);
  if (!name.ok || lacksInbox(name.value, withInbox)) return no('no-such-mailbox');
  const isInbox = name.value === INBOX;
  const found = isInbox ? inboxOf(view, account, now) : mailboxNamed(view, account, name.value);
  if (!found) return no('no-such-mailbox');
  const { mailbox } = found;
  const { identifier } = edit;
  const entry = rights.get(view, account, mailbox, identifier);
  const isOwner = identifier === account;
  const before = isOwner ? ownersEntry(entry) : (entry ?? '');
  const edited = editedRights(before, edit.rights);
  if (!edited.ok) return no('bad-rights');
  const after = isOwner ? ownersEntry(edited.value) : edited.value;
  if (after === before) return yes([]);
  if (entry === undefined && countRights(view, account, mailbox) >= MOST_IDENTIFIERS) return no('too-many');
  const made = 'created' in found ? found.created : [];
  return yes([...made, { type: 'RightsSet', account, mailbox, identifier, rights: after }]);
}

/** The identifier is on the list no more; the account itself has all rights then (rights.ts). RFC 4314 §3.2. */
export function deleteRights(view: View, account: string, mailbox: number, identifier: string): Decision<Answer> {
  if (rights.get(view, account, mailbox, identifier) === undefined) return yes([]);
  return yes([{ type: 'RightsSet', account, mailbox, identifier, rights: '' }]);
}

/** Shared mailboxes have no INBOX beside them, and nothing stands below one that is not there. */
const lacksInbox = (name: string, withInbox: boolean): boolean =>
  !withInbox && (name === INBOX || isInferior(name, INBOX));

const missingSuperiors = (view: View, account: string, name: string): readonly string[] =>
  superiorsOf(name).filter((each) => !mailboxNamed(view, account, each));

const countOf = (view: View, account: string): number => [...mailboxNames.range(view, [account])].length;
