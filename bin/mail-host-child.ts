/** One mailHost of this node's, with its store, as a supervisor starts and stops it: of a node that serves, or of a command. */
import { randomBytes } from 'node:crypto';
import { admissions } from '../actors/authenticator/admission.ts';
import { localJournal } from '../actors/mailbox-owner/local-journal.ts';
import { type MailHost, startMailHost } from '../actors/mailbox-owner/mail-host.ts';
import type { Child } from '../actors/supervisor.ts';
import type { Tickets } from '../cluster/tickets.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { type LmdbStore, openLmdbStore } from '../store/lmdb-store.ts';
import type { Log } from '../telemetry/log.ts';
import { CommandError } from './command-error.ts';
import { unopened } from './databases.ts';
import type { Ground } from './ground.ts';
import { mailPath } from './places.ts';

export type MailHostParts = {
  readonly config: Config;
  readonly ground: Ground;
  readonly clock: Clock;
  readonly log: Log;
  readonly tickets: Tickets;
  /** How long a round trip to the directory may take. */
  readonly freshenTimeoutMs: number;
  readonly mailHosts: Map<string, MailHost>;
  /** The stores that are open, for backup and check. */
  readonly stores: Map<string, LmdbStore>;
  readonly mailHost: string;
  /** Told when a mailHost can't go on: at the start that ends it, later the supervisor tries again. */
  readonly tellFault: (fault: Error) => void;
};

/** A store opened anew at each start: what failed may have left it in doubt. */
export function mailHostChild(parts: MailHostParts): Child {
  const { config, ground, clock, log, tickets, freshenTimeoutMs, mailHosts, stores, mailHost, tellFault } = parts;
  const { bus, subjects, directory, members, leases } = ground;
  return {
    name: `mailHost ${mailHost}`,
    async start() {
      const path = mailPath(config, mailHost);
      const opened = await openLmdbStore(path, log);
      if (!opened.ok) throw new CommandError(`${path}: ${unopened(opened.refusal)}`);
      const store = opened.value;
      if (store.identity.mailHost !== mailHost) {
        await store.close();
        throw new CommandError(`${path}: is the store of mailHost "${store.identity.mailHost}", not of "${mailHost}"`);
      }
      const owner = startMailHost({
        bus,
        subjects,
        store,
        journal: localJournal(store),
        leases,
        members,
        admissions: admissions({ mailHost, directory, tickets, log, freshenTimeoutMs }),
        clock,
        passivateAfterMs: config.owner.passivateAfterMs,
        random: randomBytes,
        log,
      });
      mailHosts.set(mailHost, owner);
      stores.set(mailHost, store);
      return {
        failed: owner.ended.then((end) => {
          if (end.how === 'stopped') return new Promise(() => {});
          const fault = new Error(`${path}: ${end.fault}`);
          tellFault(fault);
          return fault;
        }),
        async stop() {
          await owner.stop();
          mailHosts.delete(mailHost);
          stores.delete(mailHost);
          await store.close();
        },
      };
    },
  };
}
