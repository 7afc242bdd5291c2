/**
 * What an administrator does to accounts and passwords, as functions over the directory: the command line's half of
 * the password database (requirements D-01 to D-11, W-14). Asks for no rights: who may call has been settled before.
 *
 * Nothing here shows a password or what is kept of one.
 */
import type { Account, AccountStatus, Service, Settings } from '../../cluster/directory/account.ts';
import type { ChangeRefusal, Directory } from '../../cluster/directory/directory.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { type CredentialOptions, isAcceptableSecret, makeCredential, matchesSecret } from './credential.ts';
import { accountName } from './names.ts';

export type AccountRefusal = {
  readonly code:
    | 'bad-name'
    | 'bad-secret'
    | 'reserved-name'
    | 'no-log-in'
    | 'exists'
    | 'not-empty'
    | 'no-such-account'
    | 'no-password'
    | ChangeRefusal;
  /** For the operator: what is wrong, with the account's name. */
  readonly message: string;
};

export type Administration = {
  readonly directory: Directory;
  readonly defaultDomain: string;
  /** The local part of shared mailboxes (`lmtp-shared-name`), which no account may have. */
  readonly sharedName: string;
  readonly credentials: CredentialOptions;
  /** A new operation's name, unique for ever. */
  readonly nextOperation: () => string;
};

/** An account without what must not be shown. */
export type AccountView = Pick<Account, 'name' | 'id' | 'kind' | 'mailHost' | 'status' | 'settings' | 'version'> & {
  /** The services that have a password of their own, and the version that set it (D-11). */
  readonly passwords: readonly { readonly service: Service; readonly revision: number }[];
};

export type NewAccount = {
  /** A bare name gets the default domain. */
  readonly name: string;
  readonly mailHost: string;
  /** The DEFAULT password; without one nobody can log in yet. */
  readonly secret?: string;
  readonly status?: AccountStatus;
  readonly settings?: Settings;
};

export type AccountEdit = {
  readonly status?: AccountStatus;
  /** Given keys replace, undefined removes, others stay. */
  readonly settings?: { readonly [K in keyof Settings]?: Settings[K] | undefined };
};

type Outcome<T> = Promise<Result<T, AccountRefusal>>;

export async function addAccount(admin: Administration, wanted: NewAccount): Outcome<AccountView> {
  const named = newNameFor(admin, wanted.name);
  if (!named.ok) return named;
  const made = wanted.secret === undefined ? accept(undefined) : await newCredential(admin, wanted.secret);
  if (!made.ok) return made;
  const operation = admin.nextOperation();
  const edit = (_current: Account | undefined, version: number) => ({
    name: named.value,
    id: operation,
    mailHost: wanted.mailHost,
    status: wanted.status ?? ('active' as const),
    credentials: made.value === undefined ? {} : { DEFAULT: { ...made.value, revision: version } },
    settings: defined(wanted.settings ?? {}),
  });
  const changed = await admin.directory.change(named.value, edit, { operation, ifVersion: 0 });
  if (changed.ok) return accept(view(changed.value!)); // the edit always makes one
  return changed.refusal === 'conflict' ? no('exists', named.value) : no(changed.refusal, named.value);
}

/**
 * The home of a domain's shared mailboxes, made when the first of them is (docs/adr/0018-shared-mailboxes.md). One that is
 * there already stays as it is.
 * @param mailHost  where it will live, if it is made
 */
export async function addSharedHome(admin: Administration, name: string, mailHost: string): Outcome<AccountView> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  if (!isSharedName(admin, named.value)) return no('no-such-account', named.value);
  const operation = admin.nextOperation();
  const edit = (current: Account | undefined) =>
    current
      ? undefined
      : {
          name: named.value,
          id: operation,
          kind: 'shared' as const,
          mailHost,
          status: 'active' as const,
          credentials: {},
          settings: {},
        };
  const changed = await admin.directory.change(named.value, edit, { operation });
  return changed.ok ? accept(view(changed.value!)) : no(changed.refusal, named.value);
}

/** By name. */
export const listAccounts = ({ directory }: Pick<Administration, 'directory'>): readonly AccountView[] =>
  [...directory.accounts()].map(view).sort((a, b) => (a.name < b.name ? -1 : 1));

export function showAccount(admin: Administration, name: string): Result<AccountView, AccountRefusal> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  const account = admin.directory.find(named.value);
  return account === undefined ? no('no-such-account', named.value) : accept(view(account));
}

export async function setAccount(admin: Administration, name: string, wanted: AccountEdit): Outcome<AccountView> {
  return await edited(admin, name, (current) => ({
    ...current,
    status: wanted.status ?? current.status,
    settings: defined({ ...current.settings, ...wanted.settings }),
  }));
}

/** Sets the password that `service` checks; DEFAULT for all that have none of their own. Not bound by passwordChange (W-14). */
export async function setPassword(
  admin: Administration,
  name: string,
  service: Service,
  secret: string,
): Outcome<AccountView> {
  const shown = showAccount(admin, name);
  if (shown.ok && shown.value.kind === 'shared') return no('no-log-in', shown.value.name);
  const made = await newCredential(admin, secret);
  if (!made.ok) return made;
  return await edited(admin, name, (current, revision) => ({
    ...current,
    credentials: { ...current.credentials, [service]: { ...made.value, revision } },
  }));
}

/** Is this the password in that very entry? DEFAULT does not stand in for a missing one. */
export async function testPassword(
  admin: Administration,
  name: string,
  service: Service,
  secret: string,
): Outcome<boolean> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  const account = admin.directory.find(named.value);
  if (account === undefined) return no('no-such-account', named.value);
  const credential = account.credentials[service];
  return credential === undefined
    ? no('no-password', named.value, service)
    : accept(await matchesSecret(credential, secret));
}

/** Removes the entry: from then on the service checks DEFAULT, or, without one, lets nobody in. */
export async function deletePassword(admin: Administration, name: string, service: Service): Outcome<AccountView> {
  const shown = showAccount(admin, name);
  if (!shown.ok) return shown;
  if (!shown.value.passwords.some((each) => each.service === service))
    return no('no-password', shown.value.name, service);
  return await edited(admin, name, (current) => {
    const { [service]: _removed, ...credentials } = current.credentials;
    return { ...current, credentials };
  });
}

/** Changes an account that exists; whatever was changed meanwhile stays, except what the edit itself replaces. */
async function edited(
  admin: Administration,
  name: string,
  edit: (current: Account, version: number) => Account,
): Outcome<AccountView> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  const changed = await admin.directory.change(
    named.value,
    (current, version) => current && unversioned(edit(current, version)),
    { operation: admin.nextOperation() },
  );
  if (!changed.ok) return no(changed.refusal, named.value);
  return changed.value === undefined ? no('no-such-account', named.value) : accept(view(changed.value));
}

async function newCredential({ credentials }: Administration, secret: string) {
  if (isAcceptableSecret(secret)) return accept(await makeCredential(secret, credentials));
  return refuse({
    code: 'bad-secret' as const,
    message: 'the password is empty or holds characters that can not be typed (RFC 4013 §2.3)',
  });
}

export function nameFor(
  { defaultDomain }: Pick<Administration, 'defaultDomain'>,
  name: string,
): Result<string, AccountRefusal> {
  const named = accountName(name, defaultDomain);
  if (named.ok) return named;
  return refuse({ code: 'bad-name', message: `${JSON.stringify(name)} can't be an account: ${named.refusal}` });
}

const localPartOf = (name: string): string => name.slice(0, name.lastIndexOf('@'));

/** Is it the name that a domain's shared mailboxes are addressed by? */
export const isSharedName = ({ sharedName }: Pick<Administration, 'sharedName'>, name: string): boolean =>
  localPartOf(name) === sharedName;

/** No account may have that name (requirement T-12), nor one that would come before a shared mailbox of the same address. */
export const isReserved = (admin: Pick<Administration, 'sharedName'>, name: string): boolean =>
  isSharedName(admin, name) || localPartOf(name).startsWith(`${admin.sharedName}+`);

/** The same for an account that is to get the name. */
export function newNameFor(admin: Administration, name: string): Result<string, AccountRefusal> {
  const named = nameFor(admin, name);
  return named.ok && isReserved(admin, named.value) ? no('reserved-name', named.value) : named;
}

export function no(
  code: Exclude<AccountRefusal['code'], 'bad-name' | 'bad-secret' | 'not-empty'>,
  name: string,
  service?: Service,
) {
  const messages: Readonly<Record<typeof code, string>> = {
    'reserved-name': `${name} is reserved for shared mailboxes (lmtp-shared-name) and can't be an account`,
    'no-log-in': `${name} is the home of shared mailboxes: nobody logs in there, so it has no password`,
    exists: `${name} exists already`,
    'no-such-account': `there is no account ${name}`,
    'no-password': `${name} has no ${service} password`,
    conflict: `${name} was changed by another at the same time; nothing was changed here`,
    unavailable: 'the directory can not be written now; nothing was changed',
    unknown: `the change to ${name} may stand, or not every node may know it yet; look before you repeat it`,
  };
  return refuse({ code, message: messages[code] });
}

export const view = ({ name, id, kind, mailHost, status, settings, version, credentials }: Account): AccountView => ({
  name,
  id,
  ...(kind !== undefined && { kind }),
  mailHost,
  status,
  settings,
  version,
  passwords: (Object.keys(credentials) as Service[]).sort().flatMap((service) => {
    const credential = credentials[service];
    return credential === undefined ? [] : [{ service, revision: credential.revision }];
  }),
});

/** One; two in the midst of a rename. */
export const namesOf = ({ directory }: Pick<Administration, 'directory'>, id: string): readonly Account[] =>
  [...directory.accounts()].filter((account) => account.id === id);

/** What stays under a name whose account is gone from there, so that versions go on. */
export const tombstone = (account: Account, renamedTo?: string): ReturnType<typeof unversioned> => ({
  ...unversioned(account),
  status: 'deleted',
  credentials: {},
  deleted: true,
  ...(renamedTo !== undefined && { renamedTo }),
});

export const unversioned = ({ version: _version, changedBy: _changedBy, ...rest }: Account) => rest;

/** Without the keys that are there but undefined, which a directory would not give back. */
const defined = (settings: AccountEdit['settings'] & object): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
