/**
 * edit-mailboxes: what a session changes of mailboxes as such, with the rights that RFC 4314 §4 asks for. What the changes
 * are is for change-mailboxes.ts and edit-notes.ts to say.
 */

import { INBOX, mailboxName, superiorsOf } from '../../../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { rights as grants, mailboxNames } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { SessionEdit, SessionEditRefusal } from '../mailbox-requests.ts';
import { created, type Found, mailboxNamed } from '../mailboxes.ts';
import { type Outcome, once } from '../once.ts';
import type { Answers, EditMailboxes, MailboxesEdited } from '../operation.ts';
import { type Asker, lacking, rightsFor } from '../rights.ts';
import { create, deleteRights, MOST_MAILBOXES, remove, rename, setRights } from './change-mailboxes.ts';
import { setAnnotations, setSpecialUse, specialUses, subscribe } from './edit-notes.ts';

/** Each level that is missing is made with all rights of the one above, in one step. */
const MOST_LEVELS = 50;

export type EditRefusal = SessionEditRefusal;
export type EditOutcome = Outcome<MailboxesEdited, EditRefusal>;

export function editMailboxes(view: View, operation: EditMailboxes): Decision<Answers['edit-mailboxes']> {
  return once(view, operation, (asker): EditOutcome => {
    const { edit, account } = operation;
    switch (edit.type) {
      case 'create':
        return createFor(view, asker, operation, edit);
      case 'delete': {
        const may = mustHave(view, asker, account, edit.name, 'x');
        return may.ok ? outcome(remove(view, { ...operation, edit })) : may;
      }
      case 'rename':
        return renameFor(view, asker, operation, edit);
      case 'set-rights':
      case 'delete-rights':
        return setRightsFor(view, asker, operation, edit);
      case 'subscribe':
      case 'unsubscribe':
        // Kept where its account's mail is, where it is looked for: with another's they might be elsewhere, and stay for ever.
        return asker.account === account ? subscribe(view, account, edit) : refuse('no-permission');
      case 'set-annotations':
        return setAnnotations(view, asker, account, edit);
      case 'set-special-use': {
        const may = mustHave(view, asker, account, edit.name, 'a');
        return may.ok ? setSpecialUse(account, may.value.mailbox, edit.specialUse) : may;
      }
    }
  });
}

type Edit<T extends SessionEdit['type']> = Extract<SessionEdit, { readonly type: T }>;

/** The mailbox of that name, if the account has the right; what it may not list is not there. */
export function mustHave(
  view: View,
  asker: Asker,
  account: string,
  text: string,
  right: string,
): Result<Found, EditRefusal> {
  const name = mailboxName(text);
  const found = name.ok ? mailboxNamed(view, account, name.value) : undefined;
  if (!found) return refuse('no-such-mailbox');
  const rights = rightsFor(view, asker, account, found.mailbox);
  return rights.includes(right) ? accept(found) : refuse(lacking(rights));
}

/** What was decided of an edit whose rights were looked at before, and more changes that come after it. */
function outcome(
  { changes, answer }: Decision<Answers['change-mailboxes']>,
  more: readonly Change[] = [],
  also: Omit<MailboxesEdited, 'going'> = {},
): EditOutcome {
  if (!answer.ok) return answer;
  return accept({ changes: [...changes, ...more], answer: { ...answer.value, ...also } });
}

/** The right `k` on the nearest superior that is there; where there is none only the account itself makes mailboxes. */
function mayMake(view: View, asker: Asker, account: string, name: string): boolean {
  const superior = nearest(view, account, name);
  if (superior) return rightsFor(view, asker, account, superior.mailbox).includes('k');
  return asker.account === account || asker.administers === true;
}

function nearest(view: View, account: string, name: string): Found | undefined {
  for (const superior of superiorsOf(name).toReversed()) {
    const found = mailboxNamed(view, account, superior);
    if (found) return found;
  }
  return undefined;
}

function createFor(view: View, asker: Asker, operation: EditMailboxes, edit: Edit<'create'>): EditOutcome {
  const { account } = operation;
  const name = mailboxName(edit.name);
  if (!name.ok || superiorsOf(name.value).length >= MOST_LEVELS) return refuse('bad-name');
  if (name.value === INBOX) return refuse('exists'); // always, made already or not: RFC 9051 §6.3.4
  const uses = edit.specialUse === undefined ? undefined : specialUses(edit.specialUse);
  if (uses && !uses.ok) return uses;
  if (!mayMake(view, asker, account, name.value)) return refuse('no-permission');
  const made = create(view, { ...operation, edit });
  const parent = nearest(view, account, name.value);
  const inherited = parent ? inheriting(view, account, parent.mailbox, made.changes) : [];
  const last = made.changes.at(-1);
  if (!made.answer.ok || last?.type !== 'MailboxCreated') return outcome(made);
  const { mailbox, uidValidity } = last;
  const special: Change[] = uses ? [{ type: 'SpecialUseSet', account, mailbox, specialUse: uses.value }] : [];
  return outcome(made, [...inherited, ...special], { created: { mailbox, uidValidity } });
}

/** RFC 4314 §4: what is made below a mailbox has its list of rights. */
function inheriting(view: View, account: string, parent: number, changes: readonly Change[]): Change[] {
  const list = [...grants.range(view, [account, parent])];
  return changes.flatMap((change) =>
    change.type !== 'MailboxCreated'
      ? []
      : list.map(({ key, row }): Change => {
          return { type: 'RightsSet', account, mailbox: change.mailbox, identifier: key[2], rights: row };
        }),
  );
}

/** RFC 4314 §4: `x` on the mailbox, and `k` on where it goes. */
function renameFor(view: View, asker: Asker, operation: EditMailboxes, edit: Edit<'rename'>): EditOutcome {
  const { account } = operation;
  const from = mustHave(view, asker, account, edit.name, 'x');
  if (!from.ok) return from;
  const to = mailboxName(edit.to);
  if (!to.ok || superiorsOf(to.value).length >= MOST_LEVELS) return refuse('bad-name');
  if (!mayMake(view, asker, account, to.value)) return refuse('no-permission');
  const parent = nearest(view, account, to.value);
  if (from.value.row.name === INBOX) return renameInbox(view, operation, from.value, to.value, parent);
  const renamed = rename(view, { ...operation, edit });
  return outcome(renamed, parent ? inheriting(view, account, parent.mailbox, renamed.changes) : []);
}

/**
 * RFC 9051 §6.3.6: INBOX stays, empty, and its inferiors where they are; its messages are in a new mailbox. So the mailbox
 * that was INBOX has the new name from now on, with all that is in it, and a UIDVALIDITY of its own; and another takes its
 * place, with its rights, its UIDVALIDITY, and UIDs and mod-sequences that go on: who has INBOX selected, or looks at it
 * later, finds that its messages are gone, and that new ones come.
 */
function renameInbox(
  view: View,
  { account, now }: EditMailboxes,
  inbox: Found,
  name: string,
  parent: Found | undefined,
): EditOutcome {
  if (mailboxNamed(view, account, name) || name === INBOX) return refuse('exists');
  const lacking = superiorsOf(name).filter((each) => each !== INBOX && !mailboxNamed(view, account, each));
  if ([...mailboxNames.range(view, [account])].length + lacking.length + 1 > MOST_MAILBOXES) return refuse('too-many');
  const [made, ...superiors] = created(view, account, [INBOX, ...lacking], now);
  const { uidValidity, uidNext, modSeq } = inbox.row;
  const anew = { ...made!, uidValidity, continues: { uidNext, modSeq: modSeq + 1 } };
  const moved = { mailbox: inbox.mailbox, name, uidValidity: made!.uidValidity };
  return accept({
    changes: [
      { type: 'MailboxesRenamed', account, mailboxes: [moved] },
      anew,
      ...superiors,
      ...inheriting(view, account, inbox.mailbox, [anew]),
      ...(parent ? inheriting(view, account, parent.mailbox, superiors) : []),
    ],
    answer: { going: null },
  });
}

function setRightsFor(
  view: View,
  asker: Asker,
  operation: EditMailboxes,
  edit: Edit<'set-rights' | 'delete-rights'>,
): EditOutcome {
  const may = mustHave(view, asker, operation.account, edit.name, 'a');
  if (!may.ok) return may;
  if (edit.type === 'set-rights') return outcome(setRights(view, { ...operation, edit }));
  return outcome(deleteRights(view, operation.account, may.value.mailbox, edit.identifier));
}
