/** The verbs that a node has whether it serves or not: those over its directory, and over mailboxes whose owner runs. */
import type {
  DropAccountAnswer,
  DropAccountRequest,
  Left,
  Operation,
  Usage,
  UsageAnswer,
  UsageRequest,
  VacateAnswer,
  VacateRequest,
} from '../actors/mailbox-owner/requests.ts';
import { accountVerbs } from '../admin/account-verbs.ts';
import type { Verbs } from '../admin/control.ts';
import { mailboxVerbs } from '../admin/mailbox-verbs.ts';
import { BusError } from '../cluster/bus/bus.ts';
import type { Config } from '../config/schema.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { CommandError } from './command-error.ts';
import type { Ground } from './ground.ts';

/** Dropping a large account or mailbox goes in steps at its owner; the answer comes after the last. */
const DROP_TIMEOUT_MS = 60_000;
const VACATE_TIMEOUT_MS = 10_000;
/** What is only shown beside other things is not waited for long. */
const USAGE_TIMEOUT_MS = 2_000;

/** Asks a mailHost's owner, once. `nobody`: it heard nothing; `unknown`: it may have. */
async function askOwner<A>(
  { bus, subjects }: Ground,
  mailHost: string,
  operation: Operation,
  request: object,
  timeoutMs: number = DROP_TIMEOUT_MS,
): Promise<Result<A, 'nobody' | 'unknown'>> {
  try {
    return accept((await bus.ask(subjects.mail(mailHost, operation), request, { timeoutMs })) as A); // requests.ts
  } catch (error) {
    if (error instanceof BusError) return refuse(error.failure === 'no-responders' ? 'nobody' : 'unknown');
    throw error;
  }
}

async function dropMail(ground: Ground, mailHost: string, account: string): Promise<boolean> {
  const request: DropAccountRequest = { account };
  const answer = await askOwner<DropAccountAnswer>(ground, mailHost, 'drop-account', request);
  return answer.ok && answer.value.ok;
}

async function vacate(ground: Ground, mailHost: string, request: VacateRequest): Promise<Left | undefined> {
  const answer = await askOwner<VacateAnswer>(ground, mailHost, 'vacate', request, VACATE_TIMEOUT_MS);
  return answer.ok && answer.value.ok ? answer.value.value : undefined;
}

async function usage(ground: Ground, mailHost: string, account: string): Promise<Usage | undefined> {
  const request: UsageRequest = { account };
  const answer = await askOwner<UsageAnswer>(ground, mailHost, 'usage', request, USAGE_TIMEOUT_MS);
  return answer.ok && answer.value.ok ? answer.value.value : undefined;
}

/** @param wake  called before an owner is asked: where none serves it may begin to */
export function verbsOf(
  config: Config,
  ground: Ground,
  wake: (mailHost: string) => Promise<void> = async () => {},
): Verbs {
  let operations = 0;
  const administration = {
    directory: ground.directory,
    defaultDomain: config.defaultDomain,
    sharedName: config.lmtpSharedName,
    credentials: { iterations: config.password.scramIterations, keepPlain: config.password.keepPlaintext },
    nextOperation: () => `${ground.startId}.admin.${++operations}`,
    defaultMailHost: config.mailHosts[0]!,
    knowsMailHost: (mailHost: string) => ground.mailHosts().includes(mailHost),
  };
  return {
    ...accountVerbs({
      ...administration,
      async dropMail(mailHost, account) {
        await wake(mailHost).catch((fault: unknown) => {
          const why = fault instanceof CommandError ? fault.lines : [String(fault)];
          throw new CommandError(...why, 'the account is deleted, its mail is not: repeat this when it can be');
        });
        return await dropMail(ground, mailHost, account);
      },
      async vacate(mailHost, account, moved) {
        await wake(mailHost);
        return await vacate(ground, mailHost, { account, ...(moved && { moved }) });
      },
      async usage(mailHost, account) {
        await wake(mailHost);
        return await usage(ground, mailHost, account);
      },
    }),
    ...mailboxVerbs({
      ...administration,
      async askOwner(mailHost, operation, request) {
        await wake(mailHost);
        return await askOwner(ground, mailHost, operation, request);
      },
    }),
  };
}
