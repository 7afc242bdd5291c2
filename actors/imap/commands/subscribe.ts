/** SUBSCRIBE and UNSUBSCRIBE: RFC 9051 §6.3.7, §6.3.8. The name need not be one of a mailbox, now or later. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { mailboxNameFrom } from '../../../protocols/imap/mailbox-name.ts';
import type { ImapSession } from '../imap-session.ts';
import { withoutDelimiter } from '../names.ts';
import { done, type Handler, type Outcome } from '../outcome.ts';
import { refusal } from '../replies.ts';

export const subscribe: Handler<CommandOf<'SUBSCRIBE'>> = async ({ mailbox }, session) => {
  const place = session.resolve(withoutDelimiter(mailbox));
  return place.ok ? await edit(session, 'subscribe', place.value.shown) : refusal(place.refusal);
};

/** A subscription that is left over, of a user who is no more, can be ended too. */
export const unsubscribe: Handler<CommandOf<'UNSUBSCRIBE'>> = async ({ mailbox }, session) => {
  const place = session.resolve(withoutDelimiter(mailbox));
  if (place.ok) return await edit(session, 'unsubscribe', place.value.shown);
  const name = mailboxNameFrom(mailbox, session.isUtf8);
  return name.ok && name.value !== '' ? await edit(session, 'unsubscribe', name.value) : refusal('bad-name');
};

async function edit(session: ImapSession, type: 'subscribe' | 'unsubscribe', name: string): Promise<Outcome> {
  const owner = await session.owner();
  if (!owner.ok) return refusal(owner.refusal);
  const account = session.holder.accountId;
  const changed = await owner.value.change('edit-mailboxes', { account, withInbox: true, edit: { type, name } });
  return changed.ok ? done(`${type.toUpperCase()} completed`) : refusal(changed.refusal);
}
