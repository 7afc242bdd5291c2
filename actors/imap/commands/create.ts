/** CREATE, DELETE and RENAME: RFC 9051 §6.3.4 to §6.3.6, RFC 6154 §3. */

import { SEPARATOR } from '../../../kernel/mailbox-name.ts';
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import type { SessionEdit } from '../../mailbox-owner/mailbox-requests.ts';
import type { ImapSession } from '../imap-session.ts';
import { type Found, ownerAt } from '../mailbox-at.ts';
import { withoutDelimiter } from '../names.ts';
import { mailboxId } from '../object-id.ts';
import { done, type Handler, refused } from '../outcome.ts';
import { refusal } from '../replies.ts';

export const createMailbox: Handler<CommandOf<'CREATE'>> = async ({ mailbox, specialUse }, session) => {
  const placed = await ownerAt(session, withoutDelimiter(mailbox));
  if (!placed.ok) return refusal(placed.refusal, placed.refusal === 'no-such-mailbox' ? 'CANNOT' : undefined);
  if (specialUse.length > 1) return refused('one special use for a mailbox', 'USEATTR');
  const { place, owner } = placed.value;
  const [use] = specialUse;
  const edit = { type: 'create', name: place.name, ...(use !== undefined && { specialUse: use }) } as const;
  const made = await change(placed.value, edit);
  if (!made.ok) return refusal(made.refusal);
  const found = await owner.read('mailbox-named', { account: place.account, name: place.name });
  const code = found.ok
    ? ({ code: 'MAILBOXID', mailboxId: mailboxId(place.account, found.value) } as const) // RFC 8474 §4.1
    : undefined;
  return done('CREATE completed', renamed(session, mailbox, place.shown), code);
};

export const deleteMailbox: Handler<CommandOf<'DELETE'>> = async ({ mailbox }, session) => {
  const placed = await ownerAt(session, mailbox);
  if (!placed.ok) return refusal(placed.refusal);
  const gone = await change(placed.value, { type: 'delete', name: placed.value.place.name });
  return gone.ok ? done('DELETE completed') : refusal(gone.refusal);
};

export const renameMailbox: Handler<CommandOf<'RENAME'>> = async ({ from, to }, session) => {
  const placed = await ownerAt(session, from);
  if (!placed.ok) return refusal(placed.refusal);
  const target = session.resolve(withoutDelimiter(to));
  if (!target.ok) return refusal(target.refusal, 'CANNOT');
  const { place } = placed.value;
  if (target.value.account !== place.account) return refused('a mailbox stays with whom it belongs to', 'CANNOT');
  const moved = await change(placed.value, { type: 'rename', name: place.name, to: target.value.name });
  return moved.ok ? done('RENAME completed') : refusal(moved.refusal);
};

const change = ({ place: { account, withInbox }, owner }: Pick<Found, 'place' | 'owner'>, edit: SessionEdit) =>
  owner.change('edit-mailboxes', { account, withInbox, edit });

/** RFC 9051 §6.3.4: a client that knows IMAP4rev2 is told where it made a mailbox if that is another name than it gave. */
function renamed(session: ImapSession, given: string, shown: string): readonly Response[] {
  const plain = withoutDelimiter(given);
  if (session.isRev1 || plain === shown) return [];
  return [{ type: 'LIST', attributes: [], delimiter: SEPARATOR, mailbox: shown, oldName: plain }];
}
