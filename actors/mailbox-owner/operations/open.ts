/**
 * open: a session begins, or is resumed under its own name. `maildrop` takes the account's one POP3 lock
 * (RFC 1939 §4: exclusive-access lock) and fixes what the session will see. `mailboxes` takes nothing.
 */
import { accept, refuse } from '../../../kernel/result.ts';
import type { Change, SessionOpened } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { accounts, endedSessions, locks, type SessionRow, sessions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { inboxOf } from '../inbox.ts';
import type { Answers, Open, OpenedSession } from '../operation.ts';
import { ending } from '../session.ts';

type Answer = Answers['open'];

/** What a ticket must grant for each purpose. */
const RIGHTS = { maildrop: 'maildrop', delivery: 'deliver', mailboxes: 'mailboxes' } as const;
/** Such a ticket's session may do everything with every mailbox. */
const ADMINISTER = 'administer';

export function open(view: View, operation: Open): Decision<Answer> {
  const { session, purpose, admission } = operation;
  if (endedSessions.get(view, session)) return no('session-ended'); // also a ticket that has not expired yet
  const live = sessions.get(view, session);
  if (admission.session !== session || !admission.rights.includes(RIGHTS[purpose])) return no('ticket-refused');
  if (live) return resume(operation, live);
  if (operation.again) return no('session-ended'); // it lived when it was looked up, and has gone meanwhile
  if (purpose === 'delivery') {
    if (admission.account !== null) return no('ticket-refused'); // it is about no one account
    return { changes: [opened(operation, null, null)], answer: accept({ account: null, counter: 0, maildrop: null }) };
  }
  if (admission.account === null) return no('ticket-refused');
  return purpose === 'maildrop'
    ? openMaildrop(view, operation, admission.account)
    : openMailboxes(operation, admission.account);
}

function openMailboxes(operation: Open, account: string): Decision<Answer> {
  const administers = operation.admission.rights.includes(ADMINISTER) && { administers: true as const };
  const begun = opened(operation, account, null);
  return {
    changes: [{ ...begun, ...administers }],
    answer: accept({ account, counter: 0, maildrop: null, ...administers }),
  };
}

const no = (refusal: Exclude<Answer, { ok: true }>['refusal']): Decision<Answer> => ({
  changes: [],
  answer: refuse(refusal),
});

/** A session belongs to the front that opened it: nobody else's request can be about it. */
function resume({ purpose, front, admission }: Open, row: SessionRow): Decision<Answer> {
  const same =
    row.purpose === purpose &&
    row.account === admission.account &&
    row.front.me === front.me &&
    row.front.startId === front.startId;
  if (!same) return no('ticket-refused');
  const { account, counter, maildrop, administers } = row;
  return { changes: [], answer: accept({ account, counter, maildrop, ...(administers && { administers }) }) };
}

function openMaildrop(view: View, operation: Open, account: string): Decision<Answer> {
  const { session, front, now } = operation;
  const held = locks.get(view, account);
  if (held && held.session !== operation.abandoned) return no('in-use');
  const holder = held && sessions.get(view, held.session);
  const swept: readonly Change[] = held && holder ? ending(view, held.session, holder, now) : [];
  const inbox = inboxOf(view, account, now);
  const lock = (accounts.get(view, account)?.lastLock ?? 0) + 1;
  const { uidValidity, uidNext } = inbox.row;
  const maildrop = { lock, mailbox: inbox.mailbox, uidValidity, uidNext };
  return {
    changes: [
      ...swept,
      ...inbox.created,
      opened(operation, account, maildrop),
      { type: 'MaildropLocked', account, lock, session, front },
    ],
    answer: accept({ account, counter: 0, maildrop }),
  };
}

function opened(operation: Open, account: string | null, maildrop: OpenedSession['maildrop']): SessionOpened {
  const { session, purpose, front, admission } = operation;
  const expiresAt = admission.expiresAtMs;
  return { type: 'SessionOpened', session, purpose, account, front, expiresAt, maildrop };
}
