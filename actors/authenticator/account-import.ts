/** Looks a list of accounts over before the first is made: `{"name": ..., "password": ..., "mailHost": ...}` each. */
import { type Administration, isReserved } from './accounts.ts';
import { isAcceptableSecret } from './credential.ts';
import { accountName } from './names.ts';

/** What stands in the way of one account of the list, by its index. Never holds a password. */
export type ImportFault = { readonly index: number; readonly error: string };

const KEYS: ReadonlySet<string> = new Set(['name', 'password', 'mailHost']);

/** @param knowsMailHost  may an account live there? */
export function checkImport(
  admin: Pick<Administration, 'directory' | 'defaultDomain' | 'sharedName'>,
  accounts: readonly unknown[],
  knowsMailHost: (mailHost: string) => boolean,
): readonly ImportFault[] {
  const seen = new Set<string>();
  return accounts.flatMap((given, index) => {
    const no = (error: string): readonly ImportFault[] => [{ index, error }];
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return no('must be a JSON object');
    const { name, password, mailHost } = given as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(given).find((key) => !KEYS.has(key));
    if (unknown !== undefined) return no(`${JSON.stringify(unknown)}: no such key; there are ${[...KEYS].join(', ')}`);
    if (typeof name !== 'string') return no('name: must be text');
    const named = accountName(name, admin.defaultDomain);
    if (!named.ok) return no(`name: ${JSON.stringify(name)} can't be an account: ${named.refusal}`);
    if (isReserved(admin, named.value)) return no(`name: ${named.value} is reserved for shared mailboxes`);
    if (seen.has(named.value)) return no(`name: ${named.value} stands in the list before`);
    seen.add(named.value);
    if (admin.directory.find(named.value) !== undefined) return no(`name: ${named.value} exists already`);
    if (password !== undefined && (typeof password !== 'string' || !isAcceptableSecret(password))) {
      return no('password: must be text, not empty, without control characters');
    }
    if (mailHost !== undefined && (typeof mailHost !== 'string' || !knowsMailHost(mailHost))) {
      return no(`mailHost: ${JSON.stringify(mailHost)} is not known`);
    }
    return [];
  });
}
