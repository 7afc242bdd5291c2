/** What the authenticator's tests share: a bus, a directory with joe in it, real tickets, and a log that remembers. */
import { type AuthenticatorOptions, startAuthenticator } from '../../../actors/authenticator/authenticator.ts';
import { type CredentialOptions, makeCredential } from '../../../actors/authenticator/credential.ts';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import type { Account, Credential } from '../../../cluster/directory/account.ts';
import { subjects } from '../../../cluster/subjects.ts';
import { createTickets } from '../../../cluster/tickets.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { manualClock } from '../manual-clock.ts';
import { account, fakeDirectory } from './fake-directory.ts';

export const credentials: CredentialOptions = { iterations: 4096, keepPlain: true };

export const credential = async (secret: string, revision: number, keepPlain = true): Promise<Credential> => ({
  ...(await makeCredential(secret, { ...credentials, keepPlain })),
  revision,
});

/** joe, whose DEFAULT password `pencil` was set by version 1. */
export const joe = async (given: Partial<Account> = {}): Promise<Account> =>
  account({ credentials: { DEFAULT: await credential('pencil', 1) }, ...given });

export async function surroundings(...accounts: readonly Account[]) {
  const clock = manualClock();
  const log = memoryLog();
  const directory = fakeDirectory(...accounts);
  const tickets = await createTickets(new Uint8Array(32).fill(7), clock);
  const bus = new LocalBus({ clock, log });
  const options: AuthenticatorOptions = {
    bus,
    subjects: subjects('test'),
    directory,
    tickets,
    clock,
    log,
    defaultDomain: 'example.test',
    sharedName: 'shared',
    quota: { octets: 0, messages: 0 },
    ownerTimeoutMs: 1_000,
    credentials,
    cacheLifetimeMs: 60_000,
    cacheEntries: 100,
    freshenTimeoutMs: 1_000,
    servesHere: (mailHost) => mailHost === 'n1',
  };
  return { ...options, clock, log, directory, options };
}

/** The same, with an authenticator that serves; `ask` asks it. */
export async function served(...accounts: readonly Account[]) {
  const around = await surroundings(...accounts);
  const authenticator = await startAuthenticator(around.options);
  const ask = (operation: string, request: object): Promise<unknown> =>
    around.bus.ask(around.subjects.auth(operation), request, { timeoutMs: 10_000 });
  return { ...around, authenticator, ask };
}
