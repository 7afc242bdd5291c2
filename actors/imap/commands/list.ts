/**
 * LIST: RFC 9051 §6.3.9, RFC 3501 §6.3.8, with RFC 5258 (LIST-EXTENDED), RFC 5819 (LIST-STATUS), RFC 6154 §2 (SPECIAL-USE), RFC
 * 8440 (LIST-MYRIGHTS) and RFC 3348 (CHILDREN, told always).
 */

import { SEPARATOR } from '../../../kernel/mailbox-name.ts';
import type { CommandOf, ListReturn, ListSelection } from '../../../protocols/imap/command.ts';
import { mailboxNameFrom } from '../../../protocols/imap/mailbox-name.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import { EveryUser } from '../every-user.ts';
import { type Named, namesFor } from '../hierarchy.ts';
import type { ImapSession } from '../imap-session.ts';
import { listing, subscribedNames, type Wanted } from '../listing.ts';
import { OTHER_USERS, SHARED } from '../names.ts';
import { done, type Handler, type Outcome } from '../outcome.ts';
import { Pattern } from '../patterns.ts';
import { refusal } from '../replies.ts';
import { shownRights } from '../rights.ts';
import { statusResponse } from './status.ts';

type ListCommand = CommandOf<'LIST'>;

export const list: Handler<ListCommand> = async (command, session, signal) => {
  const { reference, patterns, isExtended } = command;
  if (!isExtended && patterns.length === 1 && patterns[0] === '') return delimiter();
  const meant = patternsOf(reference, patterns, session.isUtf8);
  const wantsSubscriptions = command.selection.includes('SUBSCRIBED') || command.returns.includes('SUBSCRIBED');
  const isEvery = asksForEvery(meant, session);
  const [found, subscribed] = await Promise.all([
    listing(session, wantedBy(meant, isEvery), signal),
    wantsSubscriptions ? subscribedNames(session) : undefined,
  ]);
  if (!found.ok) return refusal(found.refusal);
  if (subscribed?.ok === false) return refusal(subscribed.refusal);
  const { mailboxes, isPartial } = found.value;
  const { selection } = command;
  const told = (names: readonly Named[]) => names.flatMap((named) => responsesFor(named, command, session));
  if (!isEvery) {
    const names = namesFor({ mailboxes, subscribed: subscribed?.value ?? [] }, meant, selection);
    return ending(isPartial, told(names));
  }
  const every = new EveryUser(session, { patterns: meant, selection, subscribed: subscribed?.value ?? [] });
  const others = namesFor({ mailboxes, subscribed: every.otherSubscriptions }, meant, selection);
  const responses = async function* (): AsyncGenerator<Response> {
    for await (const names of every.names(others)) yield* told(names);
  };
  return {
    ...ending(isPartial, [{ type: 'batch', responses: responses() }]),
    finish: async () => ending(isPartial || every.isPartial, []),
  };
};

const ending = (isPartial: boolean, responses: readonly Response[]): Outcome =>
  done(isPartial ? 'LIST completed, without mailboxes of others' : 'LIST completed', responses);

/** RFC 9051 §6.3.9: the empty name asks for the hierarchy delimiter and the root of the reference. */
const delimiter = (): Outcome =>
  done('LIST completed', [{ type: 'LIST', attributes: ['\\Noselect'], delimiter: SEPARATOR, mailbox: '' }]);

/** One that can't be a name is matched by nothing: RFC 9051 §6.3.9 has it ignored. */
export function patternsOf(reference: string, patterns: readonly string[], isUtf8: boolean): readonly Pattern[] {
  return patterns.flatMap((pattern) => {
    const text = mailboxNameFrom(reference + pattern, isUtf8);
    return text.ok ? [new Pattern(text.value.normalize('NFC'))] : [];
  });
}

/** An administrator gets every user's only where the pattern begins by asking for users'. */
const asksForEvery = (patterns: readonly Pattern[], { holder }: ImapSession): boolean =>
  holder.isAdministrator && patterns.some(({ prefix }) => prefix.startsWith(OTHER_USERS + SEPARATOR));

const wantedBy = (patterns: readonly Pattern[], isEvery: boolean): Wanted => ({
  shared: patterns.some((pattern) => pattern.reaches(SHARED)),
  users: !isEvery && patterns.some((pattern) => pattern.reaches(OTHER_USERS)),
});

function responsesFor(named: Named, command: ListCommand, session: ImapSession): Response[] {
  const { name, listed, hasSelectedChildren } = named;
  const isRecursive = command.selection.includes('RECURSIVEMATCH');
  const responses: Response[] = [
    {
      type: 'LIST',
      attributes: attributesOf(named, command, session),
      delimiter: SEPARATOR,
      mailbox: name,
      ...(isRecursive && hasSelectedChildren && { childInfo: command.selection.filter(isCriterion) }),
    },
  ];
  // What is told for its children only gets neither status nor rights: RFC 9051 §6.3.9.8.
  if (listed === undefined || (isRecursive && !meets(named, command.selection))) return responses;
  if (command.status !== undefined && listed.mailbox.status !== undefined)
    responses.push(statusResponse(session, listed.place, listed.mailbox, command.status));
  if (command.returns.includes('MYRIGHTS'))
    responses.push({ type: 'MYRIGHTS', mailbox: name, rights: shownRights(listed.mailbox.rights) });
  return responses;
}

function attributesOf(named: Named, command: ListCommand, session: ImapSession): readonly string[] {
  const { listed, isSubscribed, hasChildren } = named;
  const wants = (option: ListReturn & ListSelection) =>
    command.returns.includes(option) || command.selection.includes(option);
  const attributes: string[] = [];
  // \NonExistent says more, to those that can be expected to know it: RFC 9051 §7.3.1.
  if (listed === undefined) attributes.push(command.isExtended || !session.isRev1 ? '\\NonExistent' : '\\Noselect');
  else if (!listed.mailbox.rights.includes('r')) attributes.push('\\Noselect'); // RFC 4314 §4
  attributes.push(hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  if (isSubscribed && wants('SUBSCRIBED')) attributes.push('\\Subscribed');
  if (listed?.mailbox.specialUse !== undefined) attributes.push(listed.mailbox.specialUse);
  return attributes;
}

const isCriterion = (option: ListSelection): boolean => option === 'SUBSCRIBED' || option === 'SPECIAL-USE';

const meets = ({ listed, isSubscribed }: Named, selection: readonly ListSelection[]): boolean =>
  (!selection.includes('SUBSCRIBED') || isSubscribed) &&
  (!selection.includes('SPECIAL-USE') || listed?.mailbox.specialUse !== undefined);
