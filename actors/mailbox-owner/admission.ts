/**
 * Who may open a session here: asked of whoever can read tickets and knows the accounts (the composition root gives it;
 * actors/authenticator/admission.ts is one). The mailbox owner itself knows neither signatures nor the directory.
 */
import type { Result } from '../../kernel/result.ts';

/** What a ticket says, once it was found good. */
export type Admission = {
  /** The account's identity; null for a session that delivers to any account. */
  readonly account: string | null;
  /** The session that the ticket was given to: it opens no other. */
  readonly session: string;
  /** `maildrop`, `deliver` and what others there are. */
  readonly rights: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
};

export type AdmissionRefusal = 'ticket-refused' | 'unavailable';

export type Admissions = {
  /** For a session that is new: the ticket is good, has not expired, and what it vouches for still holds. */
  admit(ticket: string): Promise<Result<Admission, AdmissionRefusal>>;
  /** For a session that lives: it was admitted before, so the ticket may have expired; its account must still be active. */
  readmit(ticket: string): Promise<Result<Admission, AdmissionRefusal>>;
  /** May mail for that account be taken here, as far as is known in this turn? Absent: for all. */
  keeps?(account: string): boolean;
};
