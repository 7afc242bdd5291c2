/** The verbs over accounts and passwords (bin/commands/account.ts, password.ts). */
import { checkImport } from '../actors/authenticator/account-import.ts';
import { readAccountEdit } from '../actors/authenticator/account-settings.ts';
import {
  type AccountRefusal,
  addAccount,
  deletePassword,
  listAccounts,
  setAccount,
  setPassword,
  showAccount,
  testPassword,
} from '../actors/authenticator/accounts.ts';
import { deleteAccount, deletedBefore } from '../actors/authenticator/delete-account.ts';
import { type MoveOptions, moveAccount } from '../actors/authenticator/move-account.ts';
import { renameAccount } from '../actors/authenticator/rename-account.ts';
import type { Usage } from '../actors/mailbox-owner/requests.ts';
import type { Service } from '../cluster/directory/account.ts';
import type { Result } from '../kernel/result.ts';
import { answerable, BadArgument, type Given, optionalText, text } from './arguments.ts';
import { type ControlAnswer, cannot, done, type Verb, type Verbs } from './control.ts';

export type AccountVerbsOptions = MoveOptions & {
  /** Where an account lives that names no mailHost. */
  readonly defaultMailHost: string;
  /** MailHosts that some node has initialised. */
  readonly knowsMailHost: (mailHost: string) => boolean;
  /** Removes the mail of a deleted account; false when its owner can't be reached. */
  readonly dropMail: (mailHost: string, accountId: string) => Promise<boolean>;
  /** What an account holds; undefined when its owner can't be asked. */
  readonly usage: (mailHost: string, accountId: string) => Promise<Usage | undefined>;
};

const FRESHEN_MS = 2_500;
const SERVICES: readonly Service[] = ['DEFAULT', 'POP', 'IMAP', 'PWD'];

export function accountVerbs(admin: AccountVerbsOptions): Verbs {
  const verbs: Record<string, Verb> = {
    'account.add': (given) => add(admin, given),
    'account.check-import': async ({ accounts }) => {
      if (!Array.isArray(accounts)) throw new BadArgument('accounts: must be a list');
      return done(checkImport(admin, accounts, admin.knowsMailHost));
    },
    'account.list': async () => done(listAccounts(admin)),
    'account.show': (given) => show(admin, text(given, 'name')),
    'account.set': (given) => set(admin, given),
    'account.rename': async (given) => answer(await renameAccount(admin, text(given, 'name'), text(given, 'to'))),
    'account.delete': (given) => remove(admin, text(given, 'name')),
    'password.set': async (given) =>
      answer(await setPassword(admin, text(given, 'name'), service(given), text(given, 'secret'))),
    'password.test': async (given) =>
      answer(await testPassword(admin, text(given, 'name'), service(given), text(given, 'secret'))),
    'password.show': async (given) => {
      const shown = showAccount(admin, text(given, 'name'));
      return shown.ok ? done(shown.value.passwords.map((each) => each.service)) : answer(shown);
    },
    'password.delete': async (given) => answer(await deletePassword(admin, text(given, 'name'), service(given))),
  };
  return Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, answerable(verb)]));
}

async function add(admin: AccountVerbsOptions, given: Given): Promise<ControlAnswer> {
  const mailHost = optionalText(given, 'mailHost') ?? admin.defaultMailHost;
  if (!admin.knowsMailHost(mailHost)) return cannot(`${mailHost}: no node has initialised a mailHost of this name`);
  const edit = readAccountEdit(settings(given));
  if (!edit.ok) return cannot(edit.refusal);
  const secret = optionalText(given, 'secret');
  const wanted = {
    name: text(given, 'name'),
    mailHost,
    ...(secret !== undefined && { secret }),
    ...(edit.value.status && { status: edit.value.status }),
    settings: Object.fromEntries(Object.entries(edit.value.settings ?? {}).filter(([, value]) => value !== undefined)),
  };
  return answer(await addAccount(admin, wanted));
}

/** With what it holds, or null where nobody can say. */
async function show(admin: AccountVerbsOptions, name: string): Promise<ControlAnswer> {
  const shown = showAccount(admin, name);
  if (!shown.ok) return answer(shown);
  const { mailHost, id } = shown.value;
  return done({ ...shown.value, usage: (await admin.usage(mailHost, id)) ?? null });
}

/** All words are looked at before the first of them does anything. */
async function set(admin: AccountVerbsOptions, given: Given): Promise<ControlAnswer> {
  const { 'mail-host': mailHost, ...words } = settings(given);
  const edit = readAccountEdit(words);
  if (!edit.ok) return cannot(edit.refusal);
  if (mailHost !== undefined && !admin.knowsMailHost(mailHost))
    return cannot(`mail-host: ${mailHost}: no node has initialised a mailHost of this name`);
  const name = text(given, 'name');
  if (mailHost !== undefined) {
    const moved = await moveAccount(admin, name, mailHost);
    if (!moved.ok || Object.keys(words).length === 0) return answer(moved);
  }
  return answer(await setAccount(admin, name, edit.value));
}

/**
 * The account first: from then on nobody can reach the mail, whether or not its owner is there to remove it. Asked again, of
 * an account that is gone already, it removes mail that was left then.
 */
async function remove(admin: AccountVerbsOptions, name: string): Promise<ControlAnswer> {
  const shown = showAccount(admin, name);
  if (!shown.ok) return (await dropAgain(admin, name)) ?? answer(shown);
  const deleted = await deleteAccount(admin, name);
  if (!deleted.ok) return answer(deleted);
  const { mailHost, id } = shown.value;
  if (deleted.value.mailOf !== undefined) return done({ ...deleted.value, mailDropped: false });
  return done({ ...deleted.value, mailDropped: await admin.dropMail(mailHost, id) });
}

async function dropAgain(admin: AccountVerbsOptions, name: string): Promise<ControlAnswer | undefined> {
  if (!deletedBefore(admin, name)) return undefined;
  // What is dropped must be nobody's by the newest that the directory knows.
  if (!(await admin.directory.freshen(FRESHEN_MS))) return cannot('the directory can not be reached now');
  const gone = deletedBefore(admin, name);
  return gone && done({ mailDropped: await admin.dropMail(gone.mailHost, gone.id), again: true });
}

const answer = (result: Result<unknown, AccountRefusal>): ControlAnswer =>
  result.ok ? done(result.value) : cannot(result.refusal.message);

function service(given: Given): Service {
  const word = (optionalText(given, 'service') ?? 'DEFAULT').toUpperCase();
  const known = SERVICES.find((each) => each === word);
  if (!known) throw new BadArgument(`service: ${JSON.stringify(word)} is none of ${SERVICES.join(', ')}`);
  return known;
}

function settings(given: Given): Record<string, string> {
  const value = given['settings'] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new BadArgument('settings: must be an object');
  for (const [key, word] of Object.entries(value as object))
    if (typeof word !== 'string') throw new BadArgument(`settings: ${key}: must be text`);
  return value as Record<string, string>;
}
