/**
 * `auth.guest-ticket`: a session that is logged in to IMAP wants to work with the owner of another mailHost, where its account
 * may have rights on mailboxes of others (RFC 4314). It gets there what the log-in proved and nothing more; owners look the rights up.
 */
import type { Directory } from '../../cluster/directory/directory.ts';
import type { Tickets } from '../../cluster/tickets.ts';
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import { standingFault } from './grant.ts';
import type { GuestTicketAnswer, GuestTicketRequest } from './requests.ts';
import { rightsOfLogIn, TICKET_LIFETIME_MS } from './rights.ts';

export type GuestTicketOptions = {
  readonly directory: Directory;
  readonly tickets: Tickets;
  readonly clock: Clock;
  readonly log: Log;
  readonly freshenTimeoutMs: number;
  readonly isAdministrator?: (account: string) => boolean;
};

export function guestTickets(options: GuestTicketOptions): (request: GuestTicketRequest) => Promise<GuestTicketAnswer> {
  const { directory, tickets, clock, log } = options;
  return async ({ ticket, session, mailHost }) => {
    const no = (reason: string): GuestTicketAnswer => {
      log.info('no ticket for a guest', { session, mailHost, reason });
      return refuse(reason === 'stale-directory' ? 'unavailable' : 'ticket-refused');
    };
    const read = await tickets.readTicket(ticket); // expired or not: what counts is that the account still stands
    if (!read.ok) return no('not-ours');
    const { holder, rights } = read.value;
    if (holder === null || !rights.includes('mailboxes')) return no('other-ticket');
    if (!directory.isFresh() && !(await directory.freshen(options.freshenTimeoutMs))) return no('stale-directory');
    const account = directory.findById(holder.accountId);
    const fault = standingFault(account, holder.service, { ...holder, mailHost: account?.mailHost ?? '' });
    if (fault !== undefined) return no(fault);
    const expiresAtMs = clock.wall() + TICKET_LIFETIME_MS.open;
    // By what the configuration says now: who was an administrator at the log-in may be none any more.
    const administers = account !== undefined && options.isAdministrator?.(account.name) === true;
    const granted = [...rightsOfLogIn(holder.service, administers), 'guest'] as const;
    const claims = { session, mailHost, rights: granted, holder, expiresAtMs };
    return accept({ ticket: await tickets.signTicket(claims) });
  };
}
