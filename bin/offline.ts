/**
 * The verbs of a node that does not run: its databases are opened for as long as the command takes. Mailboxes are their
 * owner's to change, so for these the node becomes owner as when it serves, by lease and epoch, and stops before it ends.
 */

import type { MailHost } from '../actors/mailbox-owner/mail-host.ts';
import type { Verbs } from '../admin/control.ts';
import { createTickets } from '../cluster/tickets.ts';
import type { Config } from '../config/schema.ts';
import { pause, systemClock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { openLog } from '../telemetry/pino-log.ts';
import { CommandError } from './command-error.ts';
import { type Ground, openGround } from './ground.ts';
import { mailHostChild } from './mail-host-child.ts';
import { verbsOf } from './verbs.ts';

const READY_MS = 15_000;
const FRESHEN_TIMEOUT_MS = 2_500;

export async function openVerbs(config: Config): Promise<{ verbs: Verbs; close(): Promise<void> }> {
  const log = openLog({ level: 'error', format: 'text', destination: 'stderr', clock: systemClock });
  const signal = AbortSignal.timeout(READY_MS);
  const ground = await openGround({ config, clock: systemClock, log, signal }).catch((error) => {
    if (error instanceof CommandError || !signal.aborted) throw error;
    throw new CommandError(`no nats-server answers at ${config.nats?.servers.join(', ')}`);
  });
  if (!(await ground.ready(READY_MS))) {
    await ground.closers.close();
    throw new CommandError('the directory can not be reached now');
  }
  return {
    verbs: verbsOf(config, ground, ownersAtNeed(config, ground, log)),
    close: () => ground.closers.close(),
  };
}

/** Resolves when the mailHost is served here, or it is clear that it will not be: whoever asks its owner then hears so. */
function ownersAtNeed(config: Config, ground: Ground, log: Log): (mailHost: string) => Promise<void> {
  const begun = new Map<string, Promise<void>>();
  const begin = async (mailHost: string): Promise<void> => {
    const mailHosts = new Map<string, MailHost>();
    const tickets = await createTickets(ground.keys.tickets, systemClock);
    const shared = { config, ground, clock: systemClock, log, tickets, freshenTimeoutMs: FRESHEN_TIMEOUT_MS };
    const child = mailHostChild({ ...shared, mailHosts, stores: new Map(), mailHost, tellFault: () => {} });
    const owner = await child.start(new AbortController().signal);
    ground.closers.add(`mailHost ${mailHost}`, () => owner.stop());
    const waited = new AbortController();
    await Promise.race([
      mailHosts.get(mailHost)!.served,
      owner.failed?.then((fault) => {
        throw new CommandError(String(fault instanceof Error ? fault.message : fault));
      }),
      pause(systemClock, READY_MS, waited.signal).catch(() => {}), // another node has the lease
    ]).finally(() => waited.abort());
  };
  return async (mailHost) => {
    if (!config.mailHosts.includes(mailHost)) return; // another node's
    if (!begun.has(mailHost)) begun.set(mailHost, begin(mailHost));
    await begun.get(mailHost);
  };
}
