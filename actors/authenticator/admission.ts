/**
 * What an owner asks of a ticket at `open` (docs/architecture.md, "The bus"): is it this cluster's, for this mailHost, and
 * does what it vouched for still hold? So a password changed between log-in and `open` opens nothing.
 */
import type { Directory } from '../../cluster/directory/directory.ts';
import type { TicketClaims, Tickets } from '../../cluster/tickets.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import type { AdmissionRefusal, Admissions } from '../mailbox-owner/admission.ts';
import { standingFault } from './grant.ts';

export type AdmissionOptions = {
  readonly mailHost: string;
  readonly directory: Directory;
  readonly tickets: Tickets;
  readonly log: Log;
  readonly freshenTimeoutMs: number;
};

export function admissions(options: AdmissionOptions): Admissions {
  const { directory, tickets, log } = options;
  const no = (claims: TicketClaims | undefined, reason: string, refusal: AdmissionRefusal = 'ticket-refused') => {
    log.warn('session not admitted', { session: claims?.session, account: claims?.holder?.account, refusal, reason });
    return refuse(refusal);
  };
  const yes = ({ holder, session, rights, expiresAtMs }: TicketClaims) =>
    accept({ account: holder?.accountId ?? null, session, rights, expiresAtMs });

  return {
    async admit(ticket) {
      const read = await tickets.verifyTicket(ticket);
      if (!read.ok) return no(undefined, 'not-ours-or-expired');
      const claims = read.value;
      if (claims.mailHost !== options.mailHost) return no(claims, 'other-mail-host');
      if (claims.holder !== null && !directory.isFresh() && !(await directory.freshen(options.freshenTimeoutMs))) {
        return no(claims, 'stale-directory', 'unavailable');
      }
      if (claims.holder === null) return yes(claims);
      const { holder } = claims;
      const account = directory.findById(holder.accountId);
      // A guest is at home elsewhere, wherever that is by now.
      const mailHost = claims.rights.includes('guest') ? (account?.mailHost ?? '') : claims.mailHost;
      const fault = standingFault(account, holder.service, { ...holder, mailHost });
      return fault === undefined ? yes(claims) : no(claims, fault);
    },
    /** By the mirror as it stands; of an account that is gone another looks after the mail. */
    keeps(accountId) {
      const account = directory.findById(accountId);
      return account === undefined || account.mailHost === options.mailHost;
    },
    /** By the mirror as it stands: open sessions go on where the directory can't be asked. */
    async readmit(ticket) {
      const read = await tickets.readTicket(ticket);
      if (!read.ok) return no(undefined, 'not-ours');
      const claims = read.value;
      if (claims.mailHost !== options.mailHost) return no(claims, 'other-mail-host');
      if (claims.holder === null) return yes(claims);
      const account = directory.findById(claims.holder.accountId);
      if (account === undefined) return no(claims, 'no-such-account');
      return account.status === 'active' ? yes(claims) : no(claims, 'status');
    },
  };
}
