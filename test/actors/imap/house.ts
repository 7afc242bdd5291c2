/**
 * A house for IMAP tests: real authenticator, real owners of two mailHosts in memory, real front; only the directory is a Map.
 * ann and joe live on n1, zoe and the shared mailboxes of example.test on n2; the password of each is `pencil`. root is an
 * administrator.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { admissions } from '../../../actors/authenticator/admission.ts';
import { startAuthenticator } from '../../../actors/authenticator/authenticator.ts';
import { ChangeWatch } from '../../../actors/front/change-watch.ts';
import type { DefaultMailbox } from '../../../actors/front/default-mailboxes.ts';
import { DeliverySessions } from '../../../actors/front/delivery-sessions.ts';
import type { Front } from '../../../actors/front/front.ts';
import { imapServices } from '../../../actors/front/imap-services.ts';
import { lmtpServices } from '../../../actors/front/lmtp-services.ts';
import { type ImapOptions, imapProtocol } from '../../../actors/imap/session.ts';
import { localJournal } from '../../../actors/mailbox-owner/local-journal.ts';
import { createTenure, type Tenure } from '../../../actors/mailbox-owner/tenure.ts';
import type { Protocol } from '../../../actors/session.ts';
import type { Bus } from '../../../cluster/bus/bus.ts';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import type { Members } from '../../../cluster/directory/directory.ts';
import type { Lease } from '../../../cluster/leases/ownership.ts';
import { subjects } from '../../../cluster/subjects.ts';
import { createTickets } from '../../../cluster/tickets.ts';
import { type Clock, systemClock } from '../../../kernel/clock.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import type { Store } from '../../../store/store.ts';
import { FORMAT_VERSION } from '../../../store/tables.ts';
import { silentConnectionLog } from '../../../telemetry/connection-log.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';
import { account, fakeDirectory } from '../authenticator/fake-directory.ts';
import { credential, credentials } from '../authenticator/fixtures.ts';
import { caller, never } from '../front/fixtures.ts';

export const SECRET = 'pencil';

export type HouseOptions = {
  /** Of the front, and of authenticator and owners; absent: one local bus for all. */
  readonly buses?: { readonly front: Bus; readonly owners: Bus };
  readonly log?: Log;
  readonly defaultMailboxes?: readonly DefaultMailbox[];
  /** Of the sessions alone: keepalives, autologout. */
  readonly clock?: Clock;
  /** More accounts on n1. */
  readonly users?: readonly { readonly name: string; readonly password: string }[];
  /** Commits to the store of n1 before its owner begins. */
  readonly plant?: (store: Store, idOf: (user: string) => string) => Promise<void>;
};
export type House = Awaited<ReturnType<typeof house>>;

export async function house({ log = silentLog, clock = systemClock, ...given }: HouseOptions = {}) {
  const time = systemClock; // hashing and signing take their real time, so patience must too
  const awake = setTimeout(() => {}, 60_000); // its timers keep no process alive
  const local = given.buses === undefined ? new LocalBus({ clock: time, log }) : undefined;
  const { front: bus, owners: ownersBus } = given.buses ?? { front: local!, owners: local! };
  const names = subjects(given.buses === undefined ? 'test' : randomUUID());
  const pencil = { DEFAULT: await credential(SECRET, 1) };
  const user = (name: string, mailHost: string) => account({ name, mailHost, credentials: pencil });
  const directory = fakeDirectory(
    user('ann@example.test', 'n1'),
    user('joe@example.test', 'n1'),
    user('zoe@example.test', 'n2'),
    user('root@example.test', 'n1'),
    account({ name: 'shared@example.test', kind: 'shared', mailHost: 'n2' }),
  );
  for (const { name, password } of given.users ?? []) {
    const credentials = { DEFAULT: password === SECRET ? pencil.DEFAULT : await credential(password, 1) };
    directory.put(account({ name: `${name.toLowerCase()}@example.test`, mailHost: 'n1', credentials }));
  }
  const tickets = await createTickets(new Uint8Array(32).fill(7), time);
  const freshenTimeoutMs = 1_000;
  const quota = { octets: 0, messages: 0 };
  const authenticator = await startAuthenticator({
    ...{ bus: ownersBus, subjects: names, directory, tickets, clock: time, log, credentials, quota, freshenTimeoutMs },
    ...{ defaultDomain: 'example.test', sharedName: 'shared', ownerTimeoutMs: 1_000 },
    ...{ cacheLifetimeMs: 60_000, cacheEntries: 100, servesHere: () => true },
    isAdministrator: (name) => name === 'root@example.test',
  });
  const members: Members = {
    list: () => [{ me: 'n1', startId: 'start', mailHosts: ['n1', 'n2'] }],
    isRegistered: () => true,
    onChange: () => ({ stop: async () => {} }),
  };
  const owners = new Map<string, { tenure: Tenure | undefined; epoch: number; begin(): Promise<void> }>();
  for (const mailHost of ['n1', 'n2']) {
    const store = memoryStore({ storeId: `store of ${mailHost}`, mailHost, formatVersion: FORMAT_VERSION });
    const journal = localJournal(store);
    const owner = {
      tenure: undefined as Tenure | undefined,
      epoch: 0,
      async begin() {
        const lease: Lease = {
          mailHost,
          epoch: ++owner.epoch,
          isHeld: () => true,
          onLost: () => ({ stop: async () => {} }),
          release: async () => {},
        };
        owner.tenure = createTenure({
          ...{ bus: ownersBus, subjects: names, store, journal, lease, members, clock: time, passivateAfterMs: 60_000 },
          ...{
            random: randomBytes,
            log,
            admissions: admissions({ mailHost, directory, tickets, log, freshenTimeoutMs }),
          },
        });
        if ((await owner.tenure.begin()) !== 'begun') throw new Error(`${mailHost} did not begin`);
      },
    };
    owners.set(mailHost, owner);
    if (mailHost === 'n1') await given.plant?.(store, (name) => `id-${name.toLowerCase()}`);
    await owner.begin();
  }
  const front: Front = {
    ...{ bus, subjects: names, clock: time, log, directory, me: 'n1', startId: 'start' },
    ...{ patienceMs: 10_000, attemptMs: 5_000, freshenTimeoutMs, authTimeoutMs: 10_000 },
  };
  const watch = new ChangeWatch(front);
  let made = 0;
  const nextId = () => `start.x${++made}`;
  const services = imapServices({
    defaultMailboxes: given.defaultMailboxes ?? [],
    ...{ front, watch, quota, nextOperation: nextId, mailHosts: () => ['n1', 'n2'] },
  });
  const protocol = (more: Partial<ImapOptions> = {}): Protocol =>
    imapProtocol({
      ...{ product: 'Homing', version: '0.1.0', defaultDomain: 'example.test', sharedName: 'shared' },
      ...{ loginFailures: 3, cleartextLogin: true, idleKeepaliveMs: 0, quotaVisible: false, appendLimitOctets: 0 },
      ...{ connectionLog: silentConnectionLog, clock, log, services },
      ...more,
    });
  const sessions = new DeliverySessions(front, nextId);
  const delivery = { sessions, chunkOctets: CHUNK_OCTETS, log };
  const lmtp = lmtpServices({ front, delivery, hostName: 'mx.example.test' });
  return {
    ...{ protocol, services, directory, bus, watch, front },
    /** A message that comes by LMTP, to INBOX. */
    async deliver(localPart: string, text: string): Promise<void> {
      const session = lmtp.begin(caller);
      const forwardPath = { localPart, domain: 'example.test' };
      const resolved = await session.resolve(forwardPath, never);
      if (!resolved.ok) throw new Error(resolved.refusal);
      const content = (async function* () {
        yield Buffer.from(text);
      })();
      const recipients = [{ ...resolved.value, forwardPath }];
      const [outcome] = await session.deliver(
        { clientDomain: 'c.test', reversePath: null, smtputf8: false, secured: false, recipients, content },
        never,
      );
      if (!outcome?.ok) throw new Error(`not delivered: ${outcome?.refusal}`);
    },
    /** The owner of that mailHost ends; with `begins` the next one begins. */
    async takeOver(mailHost: string, begins = true): Promise<void> {
      const owner = owners.get(mailHost)!;
      await owner.tenure?.stop();
      owner.tenure = undefined;
      if (begins) await owner.begin();
    },
    async stop(): Promise<void> {
      await sessions.stop();
      await watch.stop();
      for (const { tenure } of owners.values()) await tenure?.stop();
      await authenticator.stop();
      await local?.close();
      clearTimeout(awake);
    },
  };
}
