/** state.ts with sessions of purpose `mailboxes`, whose counters go on by themselves. */
import * as assert from 'uvu/assert';
import type { MailboxRef } from '../../../actors/mailbox-owner/mailbox-requests.ts';
import type { Answer, Append, Open, OwnerOperation } from '../../../actors/mailbox-owner/operation.ts';
import { mailboxes, mailboxNames, messages, rights, sessions } from '../../../store/tables.ts';
import type { UidRanges } from '../../../store/uid-ranges.ts';
import { deliverTo, front, inline, NOW, openDelivery, type State, state } from './state.ts';

export const openMailboxes = (session: string, account = 'joe', more: Partial<Open> = {}): Open => ({
  type: 'open',
  session,
  purpose: 'mailboxes',
  front,
  admission: { account, session, rights: ['mailboxes'], expiresAtMs: NOW + 60_000 },
  again: false,
  abandoned: null,
  now: NOW,
  ...more,
});

type Numbered = Extract<OwnerOperation, { readonly counter: number }>;
type Unnumbered<O> = O extends unknown ? Omit<O, 'session' | 'counter'> : never;
type Asked = Extract<Numbered, { type: 'store-flags' | 'expunge' | 'append' | 'copy' | 'edit-mailboxes' }>;

export type MailboxState = State & {
  /** As the session of that account, under its next counter. */
  as<O extends Unnumbered<Asked>>(account: string, operation: O): Answer<Extract<Asked, { type: O['type'] }>>;
  ref(name: string, account?: string): MailboxRef;
  /** UID, flags and keywords of all messages there. */
  flags(name: string, account?: string): readonly [uid: number, flags: number, ...keywords: string[]][];
  /** Puts so many small messages of the given flags there. */
  fill(name: string, flags: readonly number[], account?: string): void;
  create(name: string, account?: string): void;
  /** Those letters and no others. */
  grant(name: string, identifier: string, letters: string, account?: string): void;
  rightsOn(name: string, account?: string): Readonly<Record<string, string>>;
  names(account?: string): readonly string[];
};

/** joe's INBOX is there; sessions of joe, ann and of root, who administers. */
export function mailboxState(): MailboxState {
  const fresh = state();
  const { run, view } = fresh;
  run(openDelivery('d'));
  run(deliverTo('d', 1, 'one', 'joe'));
  for (const account of ['joe', 'ann']) run(openMailboxes(`s-${account}`, account));
  const admission = { account: 'root', session: 's-root', rights: ['mailboxes', 'administer'], expiresAtMs: NOW + 9 };
  run(openMailboxes('s-root', 'root', { admission }));
  const idOf = (account: string, name: string) => mailboxNames.get(view, account, name)!;
  const as: MailboxState['as'] = (account, operation) => {
    const session = `s-${account}`;
    const counter = sessions.get(view, session)!.counter + 1;
    // What was left out is put in again: it is one of the operations whole, and the answer is that of its type.
    return run({ ...operation, session, counter } as unknown as Asked) as never;
  };
  const edit = (account: string, edits: Parameters<typeof editOf>[1]) =>
    assert.ok(as('root', editOf(account, edits)).ok, JSON.stringify(edits));
  return {
    ...fresh,
    as,
    ref(name, account = 'joe') {
      const mailbox = idOf(account, name);
      return { account, mailbox, uidValidity: mailboxes.get(view, account, mailbox)!.uidValidity };
    },
    flags: (name, account = 'joe') =>
      [...messages.range(view, [account, idOf(account, name)])].map(({ key, row }) => [
        key[2],
        row.flags,
        ...(row.keywords ?? []),
      ]),
    fill(name, flags, account = 'joe') {
      const filled = as('root', { ...appendTo(name, account), messages: flags.map((each) => message('x', each)) });
      assert.ok(filled.ok);
    },
    create: (name, account = 'joe') => edit(account, { type: 'create', name }),
    grant: (name, identifier, letters, account = 'joe') =>
      edit(account, { type: 'set-rights', name, identifier, rights: letters }),
    rightsOn: (name, account = 'joe') =>
      Object.fromEntries([...rights.range(view, [account, idOf(account, name)])].map(({ key, row }) => [key[2], row])),
    names: (account = 'joe') => [...mailboxNames.range(view, [account])].map(({ key }) => key[1]),
  };
}

type EditOperation = Unnumbered<Extract<Asked, { type: 'edit-mailboxes' }>>;
export const editOf = (account: string, edit: EditOperation['edit']): EditOperation => ({
  type: 'edit-mailboxes',
  account,
  withInbox: true,
  edit,
  now: NOW,
});

export const message = (text: string | Uint8Array, flags = 0, keywords: readonly string[] = []) => ({
  content: inline(text),
  flags,
  keywords,
  internalDate: NOW - 1_000,
});

export const appendTo = (name: string, account = 'joe', more: Partial<Append> = {}) => ({
  type: 'append' as const,
  account,
  withInbox: true,
  name,
  messages: [message('hello')],
  now: NOW,
  ...more,
});

/** What a mailbox's rights of one letter let do, in one string: those for which `attempt` succeeds. */
export const lettersFor = (attempt: (letter: string) => boolean): string => [...'lrswipkxtea'].filter(attempt).join('');

export const uids = (...ranges: (number | [number, number])[]): UidRanges =>
  ranges.map((range) => (typeof range === 'number' ? [range, range] : range));
