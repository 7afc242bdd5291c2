/** What a log-in at each service entitles to, and for how long a ticket says so (cluster/tickets.ts). */
import type { Right, TicketHolder } from '../../cluster/tickets.ts';

export const RIGHTS: Readonly<Record<TicketHolder['service'], readonly Right[]>> = {
  POP: ['maildrop'],
  IMAP: ['mailboxes'],
  PWD: ['change-password'],
};

/** Of an administrator (requirement I-41), in addition: every right on every mailbox. */
export const rightsOfLogIn = (service: TicketHolder['service'], administers: boolean): readonly Right[] =>
  service === 'IMAP' && administers ? [...RIGHTS[service], 'administer'] : RIGHTS[service];

/**
 * A ticket is for the one `open` that follows at once; a minute covers a failover (failover-patience, 30 s) in between,
 * and a later `open` of the same session rests on the owner's session record. NEWPASS follows when the user has thought of
 * a password: as long as a poppwd connection may idle, with room; that it compares with the version logged in with keeps
 * a late one harmless.
 */
export const TICKET_LIFETIME_MS = { open: 60_000, changePassword: 15 * 60_000 } as const;

export const lifetimeOf = (rights: readonly Right[]): number =>
  rights.includes('change-password') ? TICKET_LIFETIME_MS.changePassword : TICKET_LIFETIME_MS.open;
