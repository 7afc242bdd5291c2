/**
 * One owner's time with a mailHost, under one lease: it begins its epoch, serves, and ends. Nothing is served before its
 * own epoch record is applied; nothing is answered once the lease has lapsed (docs/architecture.md, "Ownership").
 */
import type { Bus, Service, StreamHandler } from '../../cluster/bus/bus.ts';
import type { Members } from '../../cluster/directory/directory.ts';
import type { Lease } from '../../cluster/leases/ownership.ts';
import type { Subjects } from '../../cluster/subjects.ts';
import type { Clock } from '../../kernel/clock.ts';
import { refuse } from '../../kernel/result.ts';
import type { Store } from '../../store/store.ts';
import type { Log } from '../../telemetry/log.ts';
import { type AccountInUse, accountsInUse } from './accounts-in-use.ts';
import type { Admissions } from './admission.ts';
import { createAnnouncer } from './announcer.ts';
import { watchFronts } from './fronts.ts';
import { createHandles, type Random } from './handles.ts';
import { type Housekeeping, keepHouse } from './housekeeping.ts';
import type { Journal } from './journal.ts';
import type { Begun } from './machine.ts';
import type { OctetStreamRequest } from './message-requests.ts';
import type * as r from './requests.ts';
import { createService } from './service.ts';
import { createWriter } from './writer.ts';

export type TenureParts = {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly store: Store;
  readonly journal: Journal;
  readonly lease: Lease;
  readonly members: Members;
  readonly admissions: Admissions;
  readonly clock: Clock;
  /** How long an account may have nothing to do before its actor goes to sleep. */
  readonly passivateAfterMs: number;
  readonly random: Random;
  readonly log: Log;
};

export type Tenure = {
  /** Commits the epoch's own record, then serves; after `full` it may be asked again. Throws when the store is broken. */
  begin(): Promise<Begun>;
  /** Resolves when the lease or the journal was lost; rejects when the store failed. */
  readonly over: Promise<void>;
  /** Serves no more; what runs is finished, what waits is answered. */
  stop(): Promise<void>;
  inspect(): TenureInspection;
};
export type TenureInspection = {
  readonly epoch: number;
  readonly applied: number;
  readonly sessions: number;
  readonly waiting: number;
  readonly accounts: readonly AccountInUse[];
};

export function createTenure(parts: TenureParts): Tenure {
  const { bus, subjects, store, journal, lease, members, admissions, clock, random } = parts;
  const { mailHost, epoch } = lease;
  const log = parts.log.with({ mailHost, epoch });
  const announcer = createAnnouncer({ bus, subjects, mailHost, epoch, log });
  const writer = createWriter({ store, journal, epoch, log, announce: announcer.prepare });
  const handles = createHandles(random);
  const accounts = accountsInUse(store, clock, parts.passivateAfterMs);
  const fronts = watchFronts(members, clock);
  const services: Service[] = [];
  const bodies: Service[] = [];
  let house: Housekeeping | undefined;
  let stopped = false;
  /** Settles with the last `begin`, and never fails: what is being stopped may still be beginning. */
  let beginning: Promise<void> = Promise.resolve();
  const stir = () => house?.stir();
  const service = createService({
    store,
    writer,
    epoch,
    handles,
    accounts,
    fronts,
    admissions,
    clock,
    log,
    stir,
  });

  const isOwner = () => !stopped && lease.isHeld();
  const subject = (operation: r.Operation) => subjects.mail(mailHost, operation);
  /** The bus carries what peers of this cluster sealed: requests have the types of requests.ts, or `must` throws. */
  const serve = async <Request>(operation: r.Operation, handler: (request: Request) => unknown): Promise<void> => {
    if (!isOwner()) return; // not any more
    const guarded = async (request: unknown) => {
      if (!isOwner()) return refuse('not-owner');
      const answer = await handler(request as Request);
      // Committed it may be, but another owner may have begun: it will give the stored answer.
      return lease.isHeld() ? answer : refuse('not-owner');
    };
    services.push(await bus.serve(subject(operation), guarded));
  };
  const serveBodies = async (operation: r.Operation, handler: StreamHandler): Promise<void> => {
    if (isOwner()) bodies.push(await bus.serveStream(subject(operation), handler));
  };
  const { looks, edits } = service;
  const serveLooks = async (): Promise<void> => {
    await serve('list-mailboxes', looks.listMailboxes);
    await serve('mailbox-named', looks.mailboxNamed);
    await serve('sharing-accounts', looks.sharing);
    await serve('subscriptions', looks.subscribed);
    await serve('rights-on', looks.rightsOn);
    await serve('annotations', looks.annotated);
    await serve('select', looks.select);
    await serve('show-recent', looks.showRecent);
    await serve('present', looks.present);
    await serve('messages', looks.messages);
    await serve('structure', looks.structure);
    await serve('changes', looks.changes);
    await serve('octets', looks.octets);
    await serve('search', looks.search);
    await serve('sort-keys', looks.sortKeys);
  };
  const serveEdits = async (): Promise<void> => {
    await serve('edit-mailboxes', edits.editMailboxes);
    await serve('store-flags', edits.storeFlags);
    await serve('expunge', edits.expunge);
    await serve('append', edits.append);
    await serve('copy', edits.copy);
  };
  const serveAll = async (): Promise<void> => {
    await serve('list', service.list);
    await serve('fetch', service.fetch);
    await serve('stage', service.stage);
    await serve('drop-stages', service.dropStages);
    await serve('deliver', service.deliver);
    await serve('quit', service.quit);
    await serve('close', service.close);
    await serve('may-post', service.mayPost);
    await serve('usage', service.usage);
    await serve('mailboxes', service.listMailboxes);
    await serve('change-mailboxes', service.changeMailboxes);
    await serve('drop-account', service.dropAccount);
    await serve('vacate', service.vacate);
    await serveLooks();
    await serveEdits();
    await serveBodies('body', (request) => service.body(request as r.BodyRequest, isOwner));
    await serveBodies('octet-stream', (request) => looks.octetStream(request as OctetStreamRequest, isOwner));
    await serve('open', service.open); // last: who can open can do all the rest
  };

  const over = new Promise<void>((resolve, reject) => {
    lease.onLost(resolve);
    void writer.ended.then((end) => (end.reason === 'lost' ? resolve() : reject(end.fault)));
  });
  over.catch(() => {}); // whoever waits for it hears of it; nobody has to

  const begin = async (): Promise<Begun> => {
    if (!isOwner()) return 'deposed';
    const before = store.applied().epoch;
    if (epoch <= before) throw new Error(`the lease's epoch ${epoch} is not above the store's ${before}`);
    const begun = await writer.submit({ type: 'begin-epoch' });
    if (!begun.ok && begun.refusal === 'unavailable') await over; // throws what failed
    if (!begun.ok) return begun.refusal === 'full' ? 'full' : 'deposed';
    if (!isOwner()) return 'deposed';
    house = keepHouse({ store, writer, fronts, clock, log, onEnded: service.forget });
    await serveAll();
    if (!isOwner()) return 'deposed';
    announcer.began();
    log.info('mailHost served', { applied: store.applied().number });
    return 'begun';
  };

  return {
    over,
    begin() {
      const begun = begin();
      beginning = begun.then(
        () => {},
        (fault: unknown) => {
          if (stopped) log.warn('beginning failed while it was being stopped', { fault }); // nobody else hears of it
        },
      );
      return begun;
    },
    async stop() {
      stopped = true;
      await beginning; // it makes no more from here on, and what it was making is there to be stopped
      // Not waited for: a reader may be slow for ever. Between two chunks a body holds nothing, and there is no next one.
      for (const each of bodies.splice(0))
        each.stop().catch((fault: unknown) => log.warn('bodies did not stop', { fault }));
      await Promise.all(services.splice(0).map((each) => each.stop()));
      await house?.stop();
      await writer.stop();
      await fronts.stop();
      accounts.stop();
    },
    inspect: () => ({
      epoch,
      applied: store.applied().number,
      sessions: handles.count(),
      waiting: writer.waiting(),
      accounts: accounts.list(),
    }),
  };
}
