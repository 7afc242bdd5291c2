/** LSUB: RFC 3501 §6.3.9; LIST (SUBSCRIBED) took its place in IMAP4rev2. */

import { SEPARATOR } from '../../../kernel/mailbox-name.ts';
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import { subscribedFor } from '../hierarchy.ts';
import { subscribedNames } from '../listing.ts';
import { done, type Handler } from '../outcome.ts';
import { refusal } from '../replies.ts';
import { patternsOf } from './list.ts';

export const lsub: Handler<CommandOf<'LSUB'>> = async ({ reference, pattern }, session) => {
  if (pattern === '') return done('LSUB completed', [lsubResponse('', false)]);
  const [meant] = patternsOf(reference, [pattern], session.isUtf8);
  if (meant === undefined) return done('LSUB completed');
  const subscribed = await subscribedNames(session);
  if (!subscribed.ok) return refusal(subscribed.refusal);
  const names = subscribedFor(subscribed.value, meant);
  return done(
    'LSUB completed',
    names.map(({ name, isSubscribed }) => lsubResponse(name, isSubscribed)),
  );
};

/** Attributes of the mailbox are not asked for here; \Noselect says that the name itself is not subscribed to. */
const lsubResponse = (mailbox: string, isSubscribed: boolean): Response => ({
  type: 'LSUB',
  attributes: isSubscribed ? [] : ['\\Noselect'],
  delimiter: SEPARATOR,
  mailbox,
});
