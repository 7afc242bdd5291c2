/**
 * A mailHost served on a local bus, with everything around it in the test's hands: the clock, who is registered, which
 * tickets are good, the lease, and a journal that can refuse. A follower hears all its records.
 */
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { Admission } from '../../../actors/mailbox-owner/admission.ts';
import type { Journal } from '../../../actors/mailbox-owner/journal.ts';
import { localJournal } from '../../../actors/mailbox-owner/local-journal.ts';
import { type MailHost, startMailHost } from '../../../actors/mailbox-owner/mail-host.ts';
import type * as r from '../../../actors/mailbox-owner/requests.ts';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import type { Member, Members } from '../../../cluster/directory/directory.ts';
import type { Lease } from '../../../cluster/leases/ownership.ts';
import { subjects } from '../../../cluster/subjects.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import { seal } from '../../../store/record.ts';
import type { Store } from '../../../store/store.ts';
import { FORMAT_VERSION } from '../../../store/tables.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { follower } from '../../support/follower.ts';
import { manualClock } from '../manual-clock.ts';

export type World = Awaited<ReturnType<typeof world>>;

export async function world(
  store: Store = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION }),
  /** What requests and answers become on their way (LocalBusOptions). */
  carry: (value: unknown) => unknown = (value) => value,
) {
  const clock = manualClock(1_700_000_000_000);
  const bus = new LocalBus({ clock, log: silentLog, carry });
  const names = subjects('test');
  const copy = follower(store.identity);
  const members = fakeMembers();
  const leases = fakeLeases();
  const local = localJournal(store, copy.tap);
  /** What the journal does with the next records; empty: it appends them. `dies`: it does, and the owner never hears of it. */
  const fates: ('full' | 'lost' | 'throw' | 'dies' | Promise<unknown>)[] = [];
  const journal: Journal = {
    async append(record) {
      const fate = fates.shift();
      if (fate === 'throw') throw new Error('the disk is broken');
      if (fate === 'full' || fate === 'lost') return refuse(fate);
      await fate;
      const appended = await local.append(record);
      if (fate === 'dies') throw new Error('what stands is not known');
      return appended;
    },
  };
  /** Accounts that are not active any more. */
  const disabled = new Set<string>();
  /** Accounts whose mail is another mailHost's. */
  const elsewhere = new Set<string>();
  const admissions = {
    keeps: (account: string) => !elsewhere.has(account),
    admit: async (ticket: string) => {
      const admission = JSON.parse(ticket) as Admission;
      return admission.expiresAtMs < clock.wall() ? refuse('ticket-refused' as const) : accept(admission);
    },
    readmit: async (ticket: string) => {
      const admission = JSON.parse(ticket) as Admission;
      return disabled.has(admission.account ?? '') ? refuse('ticket-refused' as const) : accept(admission);
    },
  };
  let octet = 0;
  const random = (octets: number) => Buffer.alloc(octets, ++octet);
  const start = (): MailHost =>
    startMailHost({
      bus,
      subjects: names,
      store,
      journal,
      leases,
      members,
      admissions,
      clock,
      passivateAfterMs: 60_000,
      random,
      log: silentLog,
    });
  let host = start();

  const ask = async <Answer>(operation: r.Operation, request: unknown): Promise<Answer> => {
    const answer = bus.ask(names.mail('h1', operation), request, { timeoutMs: 60_000 });
    return (await answer) as Answer;
  };
  const ticket = (session: string, account: string | null) =>
    JSON.stringify({
      account,
      session,
      rights: [account === null ? 'deliver' : 'maildrop'],
      expiresAtMs: clock.wall() + 60_000,
    } satisfies Admission);

  await host.served;
  return {
    store,
    clock,
    bus,
    names,
    members,
    leases,
    fates,
    disabled,
    elsewhere,
    ask,
    ticket,
    host: () => host,
    open: (
      session: string,
      account: string | null,
      front = { me: 'n1', startId: 'a' },
      shown = ticket(session, account),
    ) =>
      ask<r.OpenAnswer>('open', {
        session,
        front,
        ticket: shown,
        purpose: account === null ? 'delivery' : 'maildrop',
      } satisfies r.OpenRequest),
    list: (handle: string) => ask<r.ListAnswer>('list', { handle, afterUid: 0, limit: 100 } satisfies r.ListRequest),
    fetch: (handle: string, uid: number, offset = 0) => ask<r.FetchAnswer>('fetch', { handle, uid, offset }),
    quit: (handle: string, counter: number, lock: number, uids: number[]) =>
      ask<r.QuitAnswer>('quit', { handle, counter, lock, uids } satisfies r.QuitRequest),
    close: (handle: string) => ask<r.CloseAnswer>('close', { handle } satisfies r.CloseRequest),
    deliver: (handle: string, counter: number, body: string | Uint8Array, ...accounts: string[]) =>
      ask<r.DeliverAnswer>('deliver', {
        handle,
        counter,
        content: { kind: 'inline', bytes: Buffer.from(body), sha256: hashOf(Buffer.from(body)) },
        recipients: accounts.map((account) => ({ account, trace: TRACE, internalDate: clock.wall() })),
      } satisfies r.DeliverRequest),
    stage: (handle: string, stage: string, index: number, bytes: Uint8Array) =>
      ask<r.StageAnswer>('stage', { handle, stage, index, bytes } satisfies r.StageRequest),
    deliverStaged: (handle: string, counter: number, stage: string, body: Uint8Array, ...accounts: string[]) =>
      ask<r.DeliverAnswer>('deliver', {
        handle,
        counter,
        content: { kind: 'staged', stage, sizeOctets: body.length, sha256: hashOf(body) },
        recipients: accounts.map((account) => ({ account, trace: TRACE, internalDate: clock.wall() })),
      } satisfies r.DeliverRequest),
    body: (handle: string, uid: number, offset = 0) =>
      bus.stream(names.mail('h1', 'body'), { handle, uid, offset } satisfies r.BodyRequest, { idleTimeoutMs: 60_000 }),
    /** A change that the owner itself makes only in the course of years. */
    apply: async (...changes: readonly Change[]) => {
      const record = seal(store.applied(), host.inspect().tenure!.epoch, changes);
      assert.ok((await local.append(record)).ok);
    },
    /** The owner stops and another begins, on the same store. */
    async restart() {
      await host.stop();
      host = start();
      await host.served;
    },
    /** Lets what is under way come to rest. */
    async rest() {
      for (let i = 0; i < 20; i++) await turn();
    },
    /** Stops the owner and asserts that the follower equals the store. */
    async end() {
      await host.stop();
      await bus.close();
      await copy.mustEqual(store);
      await store.close();
    },
  };
}

export const TRACE = Buffer.from('Return-Path: <sender@example.test>\r\n');
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The value of an answer that must be one. */
export function must<T>(
  answer: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: unknown },
): T {
  if (!answer.ok) throw new Error(`refused: ${String(answer.refusal)}`);
  return answer.value;
}

function fakeMembers() {
  let list: Member[] = [{ me: 'n1', startId: 'a', mailHosts: ['h1'] }];
  const listeners = new Set<(members: readonly Member[]) => void>();
  const members: Members & { set(...starts: [me: string, startId: string][]): void } = {
    list: () => list,
    isRegistered: (me, startId) => list.some((member) => member.me === me && member.startId === startId),
    onChange(listener) {
      listeners.add(listener);
      return { stop: async () => void listeners.delete(listener) };
    },
    set(...starts) {
      list = starts.map(([me, startId]) => ({ me, startId, mailHosts: [] }));
      for (const listener of listeners) listener(list);
    },
  };
  return members;
}

/** Grants a lease at once unless told to hold back; `lose` is another node taking over. */
function fakeLeases() {
  let held: (() => void) | undefined;
  let largest = 0;
  let gate: Promise<void> = Promise.resolve();
  let releases: Promise<void> = Promise.resolve();
  return {
    async acquire(mailHost: string, storeEpoch: number): Promise<Lease> {
      await gate;
      let isHeld = true;
      const listeners = new Set<() => void>();
      const lose = () => {
        if (!isHeld) return;
        isHeld = false;
        for (const listener of listeners) listener();
      };
      held = lose;
      largest = Math.max(largest, storeEpoch) + 1;
      return {
        mailHost,
        epoch: largest,
        isHeld: () => isHeld,
        onLost(listener) {
          listeners.add(listener);
          return { stop: async () => void listeners.delete(listener) };
        },
        release: async () => {
          await releases;
          lose();
        },
      };
    },
    /** A lease that is given back is still on its way until what this returns was called. */
    holdReleases(): () => void {
      let open = () => {};
      releases = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
    /** Takes the lease away; it is granted again when what this returns was called. */
    lose(): () => void {
      let open = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      held?.();
      return open;
    },
  };
}
