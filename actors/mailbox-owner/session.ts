/**
 * What all numbered and session-ending operations share: once and only once (docs/architecture.md, "The bus"), and how a
 * session ends.
 */
import type { Change } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import { endedSessions, locks, type SessionRow, sessions } from '../../store/tables.ts';

/** An owner's clock may be behind that of the owner before: a ticket counts as good for so long after its expiry. */
const CLOCK_MARGIN_MS = 5 * 60_000;
/** How long a front may still ask for the answer that it missed: longer than any front's patience. */
const REPEAT_MS = 10 * 60_000;

export type Numbered =
  | { readonly kind: 'new'; readonly row: SessionRow }
  /** This very request was answered before; the answer was stored with its effect. */
  | { readonly kind: 'answered'; readonly answer: unknown }
  /** A later request was answered: this is a late copy, and must not act. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'unknown' };

export function numbered(view: View, session: string, counter: number): Numbered {
  const row = sessions.get(view, session);
  if (!row) {
    const ended = endedSessions.get(view, session);
    return ended && ended.counter === counter && counter > 0
      ? { kind: 'answered', answer: ended.answer }
      : { kind: 'unknown' };
  }
  if (counter > row.counter) return { kind: 'new', row };
  return counter === row.counter && counter > 0 ? { kind: 'answered', answer: row.answer } : { kind: 'stale' };
}

/** The changes that end a session: its lock goes with it. It is remembered for as long as its ticket could be shown. */
export function ending(view: View, session: string, row: SessionRow, now: number): Change[] {
  const until = Math.max(row.expiresAt + CLOCK_MARGIN_MS, now + REPEAT_MS);
  const lock = row.account === null ? undefined : locks.get(view, row.account);
  const unlocked: Change[] =
    lock?.session === session ? [{ type: 'MaildropUnlocked', account: row.account!, lock: lock.lock }] : [];
  return [...unlocked, { type: 'SessionEnded', session, until }];
}
