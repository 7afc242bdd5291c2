/**
 * A mailHost (world.ts) with sessions of purpose `mailboxes`, and with what its owner publishes. The follower is compared at
 * the end, as in all tests that write.
 */
import { test } from 'uvu';
import type { Admission } from '../../../actors/mailbox-owner/admission.ts';
import type { ChangeEvent } from '../../../actors/mailbox-owner/event.ts';
import type { MailboxRef, Selected } from '../../../actors/mailbox-owner/mailbox-requests.ts';
import type * as r from '../../../actors/mailbox-owner/requests.ts';
import type { Edits, Reads } from '../../../actors/mailbox-owner/session-requests.ts';
import { throughFrame } from '../../../cluster/frames.ts';
import type { UidRanges } from '../../../store/uid-ranges.ts';
import { hashOf, must, TRACE, type World, world } from './world.ts';

type Unnumbered<Request> = Omit<Request, 'handle' | 'counter'>;
export type Session = Awaited<ReturnType<typeof session>>;

export const ALL: UidRanges = [[1, 2 ** 32 - 1]];

/** A session of that account, opened; `rights` are those of its ticket. */
export async function session(w: World, account: string, id = `s-${account}`, rights = ['mailboxes']) {
  const expiresAtMs = w.clock.wall() + 60_000;
  const ticket = JSON.stringify({ account, session: id, rights, expiresAtMs } satisfies Admission);
  const front = { me: 'n1', startId: 'a' };
  const open = () =>
    w.ask<r.OpenAnswer>('open', { session: id, front, ticket, purpose: 'mailboxes' } satisfies r.OpenRequest);
  let { handle } = must(await open());
  let counter = 0;
  const read = <O extends keyof Reads>(operation: O, request: Unnumbered<Reads[O]['request']>) =>
    w.ask<Reads[O]['answer']>(operation, { handle, ...request });
  const change = <O extends keyof Edits>(operation: O, request: Unnumbered<Edits[O]['request']>) =>
    w.ask<Edits[O]['answer']>(operation, { handle, counter: ++counter, ...request });
  return {
    account,
    read,
    change,
    /** Of the new owner. */
    async reopen() {
      ({ handle } = must(await open()));
    },
    handle: () => handle,
    select: async (name = 'INBOX', of = account): Promise<Selected> =>
      must(await read('select', { account: of, name, write: false })),
    create: async (name: string, of = account) =>
      must(await change('edit-mailboxes', { account: of, withInbox: true, edit: { type: 'create', name } })),
    grant: async (name: string, identifier: string, letters: string) =>
      must(
        await change('edit-mailboxes', {
          account,
          withInbox: true,
          edit: { type: 'set-rights', name, identifier, rights: letters },
        }),
      ),
    append: async (name: string, ...texts: string[]) =>
      must(
        await change('append', {
          account,
          withInbox: true,
          name,
          messages: texts.map((text) => message(text, { internalDate: w.clock.wall() })),
        }),
      ),
    flag: async (ref: MailboxRef, uids: UidRanges, flags: number, keywords: readonly string[] = []) =>
      must(await change('store-flags', { ref, uids, mode: 'add', flags, keywords })),
  };
}

export const message = (
  text: string,
  more: { flags?: number; keywords?: readonly string[]; internalDate?: number } = {},
) => {
  const bytes = Buffer.from(text);
  const content = { kind: 'inline', bytes, sha256: hashOf(bytes) } as const;
  return { content, flags: 0, keywords: [], internalDate: 0, ...more };
};

/** Delivers to INBOX, with trace lines before the body. */
export async function deliver(w: World, account: string, ...bodies: string[]): Promise<void> {
  const { handle } = must(await w.open(`d-${account}-${w.store.applied().number}`, null));
  for (const [at, body] of bodies.entries()) must(await w.deliver(handle, at + 1, body, account));
  must(await w.close(handle));
}

/** What the owner publishes of an account, from now on; `owner` events too. */
export async function events(w: World, account: string) {
  const heard: ChangeEvent[] = [];
  const hear = (event: unknown) => void heard.push(event as ChangeEvent);
  await w.bus.subscribe(w.names.changed('h1', account), hear);
  await w.bus.subscribe(w.names.changedOwner('h1'), hear);
  return {
    /** Since the last time. */
    take: async () => {
      await w.rest();
      return heard.splice(0);
    },
  };
}

export const within = (what: string, use: (w: World) => Promise<void>) =>
  test(what, async () => {
    const w = await world(undefined, throughFrame); // all that is asked and answered must pass NATS
    await use(w);
    await w.end();
  });

export { must, TRACE };
