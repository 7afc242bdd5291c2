/** The verbs that a node has whether it serves or not: those over its directory. */

import type {
  DropAccountAnswer,
  DropAccountRequest,
  VacateAnswer,
  VacateRequest,
} from '../actors/mailbox-owner/requests.ts';
import { accountVerbs } from '../admin/account-verbs.ts';
import type { Verbs } from '../admin/control.ts';
import { BusError } from '../cluster/bus/bus.ts';
import type { Config } from '../config/schema.ts';
import type { Ground } from './ground.ts';

/** Dropping a large account goes in steps at its owner; the answer comes after the last. */
const DROP_TIMEOUT_MS = 60_000;
const VACATE_TIMEOUT_MS = 10_000;

async function dropMail({ bus, subjects }: Ground, mailHost: string, account: string): Promise<boolean> {
  const request: DropAccountRequest = { account };
  try {
    const answer = await bus.ask(subjects.mail(mailHost, 'drop-account'), request, { timeoutMs: DROP_TIMEOUT_MS });
    return (answer as DropAccountAnswer).ok;
  } catch (error) {
    if (error instanceof BusError) return false;
    throw error;
  }
}

async function vacate(
  { bus, subjects }: Ground,
  mailHost: string,
  request: VacateRequest,
): Promise<number | undefined> {
  try {
    const timeout = { timeoutMs: VACATE_TIMEOUT_MS };
    const answer = (await bus.ask(subjects.mail(mailHost, 'vacate'), request, timeout)) as VacateAnswer;
    return answer.ok ? answer.value.messages : undefined;
  } catch (error) {
    if (error instanceof BusError) return undefined;
    throw error;
  }
}

export function verbsOf(config: Config, ground: Ground): Verbs {
  let operations = 0;
  return accountVerbs({
    directory: ground.directory,
    defaultDomain: config.defaultDomain,
    credentials: { iterations: config.password.scramIterations, keepPlain: config.password.keepPlaintext },
    nextOperation: () => `${ground.startId}.admin.${++operations}`,
    defaultMailHost: config.mailHosts[0]!,
    knowsMailHost: (mailHost) => ground.mailHosts().includes(mailHost),
    dropMail: (mailHost, account) => dropMail(ground, mailHost, account),
    vacate: (mailHost, account, moved) => vacate(ground, mailHost, { account, ...(moved && { moved }) }),
  });
}
