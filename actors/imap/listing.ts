/**
 * Which mailboxes there are for a session, gathered from the owners that have them: its own, the shared ones of its domain, and
 * those of others on which it has rights. Knows no pattern but whether one could mean them at all.
 */
import { pause } from '../../kernel/clock.ts';
import { INBOX, SEPARATOR } from '../../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { ListedMailbox } from '../mailbox-owner/mailbox-requests.ts';
import type { SessionRefusal } from '../mailbox-session.ts';
import type { ImapSession } from './imap-session.ts';
import type { Place } from './names.ts';
import type { KnownAccount, OwnerSession } from './services.ts';

export type Listed = { readonly place: Place; readonly mailbox: ListedMailbox };
export type Listing = {
  readonly mailboxes: readonly Listed[];
  /** Some owner of others' mailboxes did not answer in time: what it has is missing. */
  readonly isPartial: boolean;
};
/** Which of the others' are wanted; one's own always are. */
export type Wanted = {
  readonly shared: boolean;
  /** Of those who share with the holder; every user's are every-user.ts's. */
  readonly users: boolean;
};

const PAGE = 250;
/** Others' mailboxes are left out when their owner is away, rather than hold up one's own for as long as patience lasts. */
const OTHERS_MS = 2_000;

export async function listing(
  session: ImapSession,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Result<Listing, SessionRefusal>> {
  const others = [
    ...(wanted.shared ? [() => shared(session)] : []),
    ...(wanted.users ? session.services.mailHosts().map((mailHost) => () => usersOn(session, mailHost, signal)) : []),
  ];
  const [own, ...rest] = await Promise.all([
    mailboxesOf(session, holderOf(session)),
    ...others.map((gather) => inTime(session, gather, signal)),
  ]);
  if (!own.ok) return own;
  const found = new Map<string, Listed>();
  for (const part of [own, ...rest]) if (part.ok) for (const each of part.value) found.set(each.place.shown, each);
  return accept({ mailboxes: [...found.values()], isPartial: rest.some(({ ok }) => !ok) });
}

/** All names that the holder has subscribed to, ascending, as they are shown. */
export async function subscribedNames(session: ImapSession): Promise<Result<readonly string[], SessionRefusal>> {
  const owner = await session.owner();
  if (!owner.ok) return owner;
  const names: string[] = [];
  for (;;) {
    const after = names.at(-1);
    const page = await owner.value.read('subscriptions', { limit: PAGE, ...(after !== undefined && { after }) });
    if (!page.ok) return page;
    names.push(...page.value.entries);
    if (!page.value.more) return accept(names);
  }
}

type Gathered = Result<readonly Listed[], SessionRefusal>;

/** As the directory has it, or as it was at the log-in. */
const holderOf = ({ services, holder }: ImapSession): KnownAccount =>
  services.accounts.byId(holder.accountId) ?? {
    name: holder.account,
    id: holder.accountId,
    mailHost: holder.mailHost,
    isShared: false,
    quota: {},
  };

async function shared(session: ImapSession): Promise<Gathered> {
  const home = session.names.sharedHome();
  return home === undefined ? accept([]) : await mailboxesOf(session, home);
}

async function usersOn(session: ImapSession, mailHost: string, signal: AbortSignal): Promise<Gathered> {
  const owner = await session.owner(mailHost);
  if (!owner.ok) return owner;
  const found: Listed[] = [];
  let after: string | null = '';
  while (after !== null) {
    const page: Awaited<ReturnType<typeof sharingFrom>> = await sharingFrom(owner.value, after);
    if (!page.ok) return page;
    for (const id of page.value.accounts) {
      if (signal.aborted) return refuse('ended');
      const account = session.services.accounts.byId(id);
      // Shared mailboxes of one's own domain stand under `shared/`; an account that the directory lost has no name to show.
      if (account === undefined || id === session.names.sharedHome()?.id || id === session.holder.accountId) continue;
      const its = await mailboxesOf(session, account);
      if (!its.ok) return its;
      found.push(...its.value);
    }
    after = page.value.next;
  }
  return accept(found);
}

const sharingFrom = (owner: OwnerSession, after: string) =>
  owner.read('sharing-accounts', { limit: PAGE, ...(after !== '' && { after }) });

export async function mailboxesOf(session: ImapSession, account: KnownAccount): Promise<Gathered> {
  const owner = await session.owner(account.mailHost);
  if (!owner.ok) return owner;
  const found: Listed[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await owner.value.read('list-mailboxes', {
      account: account.id,
      limit: PAGE,
      ...(after !== undefined && { after }),
    });
    if (!page.ok) return page;
    for (const mailbox of page.value.entries) {
      found.push({ place: session.names.placeOf(account, mailbox.name), mailbox });
    }
    if (page.value.next === null) return accept(found);
    after = page.value.next;
  }
}

/** What was asked goes on by itself when it is late, and nobody waits for it. */
async function inTime(session: ImapSession, gather: () => Promise<Gathered>, signal: AbortSignal): Promise<Gathered> {
  const over = new AbortController();
  const stop = () => over.abort(new Error('no longer wanted'));
  signal.addEventListener('abort', stop, { once: true });
  const late = pause(session.clock, OTHERS_MS, over.signal).then(
    () => refuse('unavailable' as const),
    () => refuse('unavailable' as const),
  );
  try {
    return await Promise.race([gather(), late]);
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
  }
}

/** `a` and `a/b` for `a/b/c`, from above. */
export const superiors = (name: string): readonly string[] => {
  const levels = name.split(SEPARATOR);
  return levels.slice(1).map((_, at) => levels.slice(0, at + 1).join(SEPARATOR));
};

/** INBOX first, then as text (nobody asks for an order, but people see it). */
export const byName = (a: string, b: string): number =>
  Number(b === INBOX) - Number(a === INBOX) || (a < b ? -1 : Number(a > b));
