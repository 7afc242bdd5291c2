/** SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS: RFC 4314 §3, and RFC 2086 whose rights it takes in. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { STANDARD_RIGHTS } from '../../../store/rights.ts';
import { OWNERS_KEPT, ownersEntry } from '../../mailbox-owner/rights.ts';
import { mailboxAt } from '../mailbox-at.ts';
import { done, type Handler, wrong } from '../outcome.ts';
import { refusal } from '../replies.ts';
import { keptIdentifier, shownIdentifier, shownRights } from '../rights.ts';

/** With those of RFC 2086 that stand for several (RFC 4314 §2.1.1). */
const KNOWN_RIGHTS = `${STANDARD_RIGHTS}cd`;
const SIGNS = { replace: '', add: '+', remove: '-' } as const;

export const setAcl: Handler<CommandOf<'SETACL'>> = async ({ mailbox, identifier, mode, rights }, session) => {
  const unknown = [...rights].find((right) => !KNOWN_RIGHTS.includes(right));
  if (unknown !== undefined) return wrong(`there is no right ${unknown}`); // RFC 4314 §3.1: must be BAD
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  const { place, owner } = found.value;
  const kept = keptIdentifier(identifier, session.services.accounts, session.constants.defaultDomain);
  if (!kept.ok) return refusal(kept.refusal);
  const edit = {
    type: 'set-rights',
    name: place.name,
    identifier: kept.value,
    rights: `${SIGNS[mode]}${rights}`,
  } as const;
  const { account, withInbox } = place;
  const changed = await owner.change('edit-mailboxes', { account, withInbox, edit });
  return changed.ok ? done('SETACL completed') : refusal(changed.refusal);
};

export const deleteAcl: Handler<CommandOf<'DELETEACL'>> = async ({ mailbox, identifier }, session) => {
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  const { place, owner } = found.value;
  const kept = keptIdentifier(identifier, session.services.accounts, session.constants.defaultDomain);
  // Nobody has that name, so nothing of it is on the list; unless it is the id of one who is no more.
  const edit = { type: 'delete-rights', name: place.name, identifier: kept.ok ? kept.value : identifier } as const;
  const { account, withInbox } = place;
  const changed = await owner.change('edit-mailboxes', { account, withInbox, edit });
  return changed.ok ? done('DELETEACL completed') : refusal(changed.refusal);
};

export const getAcl: Handler<CommandOf<'GETACL'>> = async ({ mailbox }, session) => {
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  const { place, owner } = found.value;
  const listed = await owner.read('rights-on', { account: place.account, name: place.name });
  if (!listed.ok) return refusal(listed.refusal);
  const { accounts } = session.services;
  const { defaultDomain } = session.constants;
  // Whose it is comes first, with what its entry stands for: a mailbox of nobody's own has none.
  const isOwn = ({ identifier }: { readonly identifier: string }) => place.withInbox && identifier === place.account;
  const own = place.withInbox
    ? [{ identifier: place.account, rights: ownersEntry(listed.value.find(isOwn)?.rights) }]
    : [];
  const grants = [...own, ...listed.value.filter((grant) => !isOwn(grant))];
  const entries = grants.map(({ identifier, rights }) => ({
    identifier: shownIdentifier(identifier, accounts, defaultDomain),
    rights: shownRights(rights),
  }));
  return done('GETACL completed', [{ type: 'ACL', mailbox: place.shown, entries }]);
};

/** RFC 4314 §3.4: whose mailbox it is always keeps some; all others can be granted or not, each by itself. */
export const listRights: Handler<CommandOf<'LISTRIGHTS'>> = async ({ mailbox, identifier }, session) => {
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  const { place, mailbox: there } = found.value;
  if (!there.rights.includes('a')) return refusal('no-permission'); // RFC 4314 §4
  const kept = keptIdentifier(identifier, session.services.accounts, session.constants.defaultDomain);
  if (!kept.ok) return refusal(kept.refusal);
  const required = place.withInbox && kept.value === place.account ? OWNERS_KEPT : '';
  const optional = [...shownRights(STANDARD_RIGHTS)].filter((right) => !required.includes(right));
  return done('LISTRIGHTS completed', [
    {
      type: 'LISTRIGHTS',
      mailbox: place.shown,
      identifier,
      required,
      optional,
    },
  ]);
};

export const myRights: Handler<CommandOf<'MYRIGHTS'>> = async ({ mailbox }, session) => {
  const found = await mailboxAt(session, mailbox);
  if (!found.ok) return refusal(found.refusal);
  const rights = shownRights(found.value.mailbox.rights);
  return done('MYRIGHTS completed', [{ type: 'MYRIGHTS', mailbox: found.value.place.shown, rights }]);
};
