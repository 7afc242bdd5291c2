/**
 * The mailboxes that an account gets when it has none but INBOX: one for each special use that the configuration names (RFC 6154
 * §2), so that clients agree on where drafts, sent mail and the like are. Never a reason to refuse a log-in.
 */

import { INBOX } from '../../kernel/mailbox-name.ts';
import type { Log } from '../../telemetry/log.ts';
import type { OwnerSession } from '../imap/services.ts';

export type DefaultMailbox = { readonly name: string; readonly specialUse: string };

/** @param text  `Sent`, or `Sent=Sent Items`, as the configuration checks it */
export function defaultMailbox(text: string): DefaultMailbox {
  const at = text.indexOf('=');
  const use = at < 0 ? text : text.slice(0, at);
  return { name: at < 0 ? use : text.slice(at + 1), specialUse: `\\${use}` };
}

export async function makeDefaultMailboxes(
  owner: Pick<OwnerSession, 'id' | 'read' | 'change'>,
  account: string,
  wanted: readonly DefaultMailbox[],
  log: Log,
): Promise<void> {
  if (wanted.length === 0) return;
  const found = await owner.read('list-mailboxes', { account, limit: 2 });
  if (!found.ok || found.value.next !== null || found.value.entries.some(({ name }) => name !== INBOX)) return;
  for (const { name, specialUse } of wanted) {
    const made = await owner.change('edit-mailboxes', {
      ...{ account, withInbox: true },
      edit: { type: 'create', name, specialUse },
    });
    if (!made.ok && made.refusal !== 'exists') {
      log.warn('a default mailbox was not made', { session: owner.id, name, refusal: made.refusal });
      return; // at another log-in, if it is the first
    }
    await owner.change('edit-mailboxes', { account, withInbox: true, edit: { type: 'subscribe', name } });
  }
}
