/**
 * The authenticator: answers on `auth.<op>` for whichever front asks, one of all nodes' for each question (the bus prefers
 * this node's own). Keeps nothing but a cache; the directory is the truth, and each answer says what was so just now.
 */
import { type Bus, BusError, type Service } from '../../cluster/bus/bus.ts';
import type { Directory } from '../../cluster/directory/directory.ts';
import type { Subjects } from '../../cluster/subjects.ts';
import type { Tickets } from '../../cluster/tickets.ts';
import type { Clock } from '../../kernel/clock.ts';
import { accept } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import type { MayPostAnswer, MayPostRequest } from '../mailbox-owner/requests.ts';
import { passwordChanger } from './change-password.ts';
import { type CredentialOptions, decoyCredential } from './credential.ts';
import { guestTickets } from './guest-ticket.ts';
import { type DefaultQuota, recipientFinder } from './recipient.ts';
import type {
  ChangePasswordRequest,
  DeliveryTicketAnswer,
  DeliveryTicketRequest,
  GuestTicketRequest,
  RecipientRequest,
  VerifyRequest,
} from './requests.ts';
import { TICKET_LIFETIME_MS } from './rights.ts';
import { createVerificationCache } from './verification-cache.ts';
import { verifier } from './verify.ts';

export const AUTHENTICATORS = 'authenticators';

export type AuthenticatorOptions = {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly directory: Directory;
  readonly tickets: Tickets;
  readonly clock: Clock;
  readonly log: Log;
  /** Where a bare login name and a bare `Postmaster` belong. */
  readonly defaultDomain: string;
  /** Accounts that administer mailboxes (requirement I-41); absent: there are none. */
  readonly isAdministrator?: (account: string) => boolean;
  readonly credentials: CredentialOptions;
  /** How long a right password is remembered, and how many are; see verification-cache.ts. */
  readonly cacheLifetimeMs: number;
  readonly cacheEntries: number;
  /** How long a log-in waits for the directory before it is put off. */
  readonly freshenTimeoutMs: number;
  /** The local part of shared mailboxes, and what an account may hold that has no limits of its own; 0: unlimited. */
  readonly sharedName: string;
  readonly quota: DefaultQuota;
  /** How long an owner may take to say what mailboxes it has. */
  readonly ownerTimeoutMs: number;
  /** Does this node serve that mailHost now? */
  readonly servesHere: (mailHost: string) => boolean;
};

/** Serves until stopped; resolves once others can reach it. */
export async function startAuthenticator(options: AuthenticatorOptions): Promise<Service> {
  const { bus, subjects, clock, tickets } = options;
  const cache = createVerificationCache({
    clock,
    lifetimeMs: options.cacheLifetimeMs,
    maxEntries: options.cacheEntries,
  });
  const verify = verifier({ ...options, cache, decoy: decoyCredential(options.credentials) });
  const findRecipient = recipientFinder({
    ...options,
    isConnected: () => bus.connected(),
    mayPost: (mailHost, request) => askMayPost(options, mailHost, request),
  });
  const changePassword = passwordChanger(options);
  const makeGuestTicket = guestTickets(options);
  const makeDeliveryTicket = async ({ session, mailHost }: DeliveryTicketRequest): Promise<DeliveryTicketAnswer> => {
    const expiresAtMs = clock.wall() + TICKET_LIFETIME_MS.open;
    return accept({
      ticket: await tickets.signTicket({ session, mailHost, rights: ['deliver'], holder: null, expiresAtMs }),
    });
  };

  // Casts below: only nodes of this cluster can speak on the bus, and requests.ts is what they speak.
  const services = await Promise.all([
    bus.serve(subjects.auth('verify'), (request) => verify(request as VerifyRequest), { queue: AUTHENTICATORS }),
    bus.serve(subjects.auth('recipient'), (request) => findRecipient(request as RecipientRequest), {
      queue: AUTHENTICATORS,
    }),
    bus.serve(subjects.auth('delivery-ticket'), (request) => makeDeliveryTicket(request as DeliveryTicketRequest), {
      queue: AUTHENTICATORS,
    }),
    bus.serve(subjects.auth('guest-ticket'), (request) => makeGuestTicket(request as GuestTicketRequest), {
      queue: AUTHENTICATORS,
    }),
    bus.serve(subjects.auth('change-password'), (request) => changePassword(request as ChangePasswordRequest), {
      queue: AUTHENTICATORS,
    }),
  ]);
  return {
    stop: async () => {
      await Promise.all(services.map((service) => service.stop()));
    },
  };
}

/** Undefined: no owner answered. */
async function askMayPost(
  { bus, subjects, log, ownerTimeoutMs }: AuthenticatorOptions,
  mailHost: string,
  request: MayPostRequest,
): Promise<boolean | undefined> {
  try {
    const asked = bus.ask(subjects.mail(mailHost, 'may-post'), request, { timeoutMs: ownerTimeoutMs });
    const answer = (await asked) as MayPostAnswer;
    return answer.ok ? answer.value : undefined;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    log.warn('no answer from an owner', { mailHost, operation: 'may-post', failure: error.failure });
    return undefined;
  }
}
