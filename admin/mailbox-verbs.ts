/**
 * The verbs over mailboxes (bin/commands/mailbox.ts). The directory says whose they are and where; the owner there does what
 * is asked, so it must run. Names of people become ids on the way in and names again on the way out (store/rights.ts).
 */
import {
  type AccountRefusal,
  type Administration,
  addSharedHome,
  isSharedName,
  nameFor,
  no,
} from '../actors/authenticator/accounts.ts';
import { foldCase } from '../actors/authenticator/names.ts';
import { MOST_RENAMED_AT_ONCE } from '../actors/mailbox-owner/operations/change-mailboxes.ts';
import type {
  ChangeMailboxesAnswer,
  ChangeMailboxesRequest,
  Grant,
  MailboxEdit,
  MailboxEntry,
  MailboxesAnswer,
  MailboxesRequest,
  MailboxRefusal,
  Operation,
} from '../actors/mailbox-owner/requests.ts';
import { ANONYMOUS, ANYONE, editedRights, NEGATIVE } from '../actors/mailbox-owner/rights.ts';
import type { Account } from '../cluster/directory/account.ts';
import { mailboxName } from '../kernel/mailbox-name.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { answerable, BadArgument, type Given, optionalText, text } from './arguments.ts';
import { type ControlAnswer, cannot, done, type Verb, type Verbs } from './control.ts';

export type MailboxVerbsOptions = Administration & {
  /** Where a domain's shared mailboxes live if nobody says. */
  readonly defaultMailHost: string;
  readonly knowsMailHost: (mailHost: string) => boolean;
  /** One request, one answer of the mailHost's owner. `nobody`: it heard nothing; `unknown`: it may have done what was asked. */
  readonly askOwner: <A>(
    mailHost: string,
    operation: Operation,
    request: object,
  ) => Promise<Result<A, 'nobody' | 'unknown'>>;
};

/** As an operator sees it: identifiers by the names that accounts have now. */
export type MailboxView = Omit<MailboxEntry, 'rights'> & { readonly rights: Readonly<Record<string, string>> };

/** What is wrong, in words for the operator. */
type Outcome<T> = Promise<Result<T, string>>;

const PAGE = 100;

export function mailboxVerbs(admin: MailboxVerbsOptions): Verbs {
  const verbs: Record<string, Verb> = {
    'mailbox.create': async (given) => shown(await create(admin, given)),
    'mailbox.list': async (given) => {
      const home = homeOf(admin, text(given, 'name'));
      return home.ok ? shown(await list(admin, home.value)) : cannot(home.refusal);
    },
    'mailbox.delete': (given) => change(admin, given, (name) => ({ type: 'delete', name })),
    'mailbox.rename': (given) => change(admin, given, (name) => ({ type: 'rename', name, to: wellNamed(given, 'to') })),
    'mailbox.rights': async (given) => shown(await rights(admin, given)),
  };
  return Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, answerable(verb)]));
}

const shown = (result: Result<unknown, string>): ControlAnswer =>
  result.ok ? done(result.value) : cannot(result.refusal);

/** The first shared mailbox of a domain makes the account that it lives in. All words are looked at before that. */
async function create(admin: MailboxVerbsOptions, given: Given): Outcome<null> {
  const name = wellNamed(given, 'mailbox');
  const anyone = optionalText(given, 'anyone');
  if (anyone !== undefined) mustBeRights('anyone', anyone);
  const home = await homeFor(admin, text(given, 'name'), optionalText(given, 'mailHost'));
  if (!home.ok) return home;
  const made = await edit(admin, home.value, { type: 'create', name });
  if (!made.ok || anyone === undefined) return made;
  return edit(admin, home.value, { type: 'set-rights', name, identifier: ANYONE, rights: rightsFrom(anyone) });
}

async function homeFor(admin: MailboxVerbsOptions, name: string, mailHost: string | undefined): Outcome<Account> {
  const named = nameFor(admin, name);
  if (!named.ok) return refuse(named.refusal.message);
  if (mailHost !== undefined && !admin.knowsMailHost(mailHost)) {
    return refuse(`${mailHost}: no node has initialised a mailHost of this name`);
  }
  if (admin.directory.find(named.value) === undefined && isSharedName(admin, named.value)) {
    const added = await addSharedHome(admin, named.value, mailHost ?? admin.defaultMailHost);
    if (!added.ok) return refuse(added.refusal.message);
  }
  const home = homeOf(admin, named.value);
  if (!home.ok || mailHost === undefined || home.value.mailHost === mailHost) return home;
  return refuse(`${named.value} lives on ${home.value.mailHost}, not on ${mailHost}: all its mailboxes do`);
}

function homeOf(admin: Administration, name: string): Result<Account, string> {
  const named = nameFor(admin, name);
  if (!named.ok) return refuse(named.refusal.message);
  const account = admin.directory.find(named.value);
  if (!account) return refuse(messageOf(no('no-such-account', named.value)));
  if (account.movingFrom === undefined) return accept(account);
  return refuse(`${account.name} is being moved from ${account.movingFrom} to ${account.mailHost}: finish that first`);
}

const messageOf = ({ refusal }: { readonly refusal: AccountRefusal }): string => refusal.message;

async function change(
  admin: MailboxVerbsOptions,
  given: Given,
  make: (name: string) => MailboxEdit,
): Promise<ControlAnswer> {
  const home = homeOf(admin, text(given, 'name'));
  if (!home.ok) return cannot(home.refusal);
  return shown(await edit(admin, home.value, make(wellNamed(given, 'mailbox'))));
}

async function edit(admin: MailboxVerbsOptions, home: Account, wanted: MailboxEdit): Outcome<null> {
  const request: ChangeMailboxesRequest = { account: home.id, withInbox: home.kind !== 'shared', edit: wanted };
  const answer = await admin.askOwner<ChangeMailboxesAnswer>(home.mailHost, 'change-mailboxes', request);
  if (!answer.ok) return refuse(silence(home, answer.refusal, 'nothing was changed'));
  return answer.value.ok ? answer.value : refuse(inWords(answer.value.refusal, home, wanted));
}

async function list(admin: MailboxVerbsOptions, home: Account): Outcome<readonly MailboxView[]> {
  const entries = await entriesOf(admin, home);
  return entries.ok ? accept(entries.value.map((entry) => viewOf(admin, entry))) : entries;
}

async function entriesOf(admin: MailboxVerbsOptions, home: Account): Outcome<readonly MailboxEntry[]> {
  const entries: MailboxEntry[] = [];
  for (;;) {
    const after = entries.at(-1)?.name;
    const page = await look(admin, home, { limit: PAGE, ...(after !== undefined && { after }) });
    if (!page.ok) return page;
    entries.push(...page.value);
    if (page.value.length < PAGE) return accept(entries);
  }
}

async function entryOf(admin: MailboxVerbsOptions, home: Account, name: string): Outcome<MailboxEntry | undefined> {
  const found = await look(admin, home, { name, limit: 1 });
  return found.ok ? accept(found.value[0]) : found;
}

async function look(
  admin: MailboxVerbsOptions,
  home: Account,
  wanted: Omit<MailboxesRequest, 'account'>,
): Outcome<readonly MailboxEntry[]> {
  const request: MailboxesRequest = { account: home.id, ...wanted };
  const answer = await admin.askOwner<MailboxesAnswer>(home.mailHost, 'mailboxes', request);
  if (!answer.ok) return refuse(silence(home, answer.refusal, 'there is nobody to say'));
  return answer.value.ok ? answer.value : refuse(silence(home, 'unknown', 'there is nobody to say'));
}

/** Sets what one identifier may do, if one is named, and tells what all may. */
async function rights(admin: MailboxVerbsOptions, given: Given): Outcome<MailboxView['rights']> {
  const home = homeOf(admin, text(given, 'name'));
  if (!home.ok) return home;
  const name = wellNamed(given, 'mailbox');
  const wanted = optionalText(given, 'identifier');
  if (wanted === undefined) return rightsOn(admin, home.value, name);
  const letters = text(given, 'rights');
  mustBeRights('rights', letters);
  const before = await entryOf(admin, home.value, name);
  if (!before.ok) return before;
  const identifier = identifierOf(admin, wanted, before.value?.rights ?? []);
  if (!identifier.ok) return identifier;
  const set = await edit(admin, home.value, {
    type: 'set-rights',
    name,
    identifier: identifier.value,
    rights: rightsFrom(letters),
  });
  if (!set.ok) return set;
  const after = await entryOf(admin, home.value, name);
  if (!after.ok) return refuse(`the rights are set; ${after.refusal}`);
  if (!after.value) return refuse(`the rights are set; ${home.value.name} has no mailbox ${name} any more`);
  return accept(viewOf(admin, after.value).rights);
}

async function rightsOn(admin: MailboxVerbsOptions, home: Account, name: string): Outcome<MailboxView['rights']> {
  const entry = await entryOf(admin, home, name);
  if (!entry.ok) return entry;
  return entry.value
    ? accept(viewOf(admin, entry.value).rights)
    : refuse(inWords('no-such-mailbox', home, { type: 'delete', name }));
}

/** An account's name, `anyone` or `anonymous`, with or without `-`; of an account that is gone the id, as it is listed. */
function identifierOf(admin: Administration, wanted: string, listed: readonly Grant[]): Result<string, string> {
  const sign = wanted.startsWith(NEGATIVE) ? NEGATIVE : '';
  const who = wanted.slice(sign.length);
  const folded = foldCase(who);
  if (folded === ANYONE || folded === ANONYMOUS) return accept(sign + folded);
  if (listed.some(({ identifier }) => identifier === wanted)) return accept(wanted);
  const named = nameFor(admin, who);
  if (!named.ok) return refuse(named.refusal.message);
  const account = admin.directory.find(named.value);
  if (!account) return refuse(messageOf(no('no-such-account', named.value)));
  return account.kind === 'shared' ? refuse(messageOf(no('no-log-in', account.name))) : accept(sign + account.id);
}

function viewOf(admin: Administration, { rights: grants, ...entry }: MailboxEntry): MailboxView {
  const named = grants.map(({ identifier, rights: letters }) => {
    const sign = identifier.startsWith(NEGATIVE) ? NEGATIVE : '';
    const account = admin.directory.findById(identifier.slice(sign.length));
    return [account ? sign + account.name : identifier, letters] as const;
  });
  return { ...entry, rights: Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** RFC 9051 §5.1, in words. */
function wellNamed(given: Given, key: string): string {
  const written = text(given, key);
  const name = mailboxName(written);
  if (!name.ok) throw new BadArgument(`${key}: ${JSON.stringify(written)} can't be a mailbox: ${name.refusal}`);
  return name.value;
}

/** `none` takes all away; the letters can't spell it. */
const rightsFrom = (letters: string): string => (letters === 'none' ? '' : letters);

function mustBeRights(key: string, letters: string): void {
  const read = editedRights('', rightsFrom(letters));
  if (read.ok) return;
  const allowed =
    'must be letters of lrswipkxtea (RFC 4314), c, d or `none`, after a + or - if they are to be added or taken';
  throw new BadArgument(`${key}: ${JSON.stringify(letters)}: ${JSON.stringify(read.refusal)} is no right: ${allowed}`);
}

function silence({ mailHost }: Pick<Account, 'mailHost'>, why: 'nobody' | 'unknown', so: string): string {
  if (why === 'nobody') return `the owner of ${mailHost} does not run: ${so}`;
  return `the owner of ${mailHost} gave no answer: what was asked may have been done or not; look before you repeat it`;
}

function inWords(
  refusal: MailboxRefusal | 'not-owner' | 'unavailable' | 'full',
  { name: owner, kind, mailHost }: Account,
  wanted: MailboxEdit,
): string {
  const { name } = wanted;
  const target = wanted.type === 'rename' ? wanted.to : name;
  switch (refusal) {
    case 'bad-name':
      return kind === 'shared'
        ? `${owner}: ${target} can't be a shared mailbox: INBOX, and what is below it, is a user's`
        : `${owner}: a mailbox below ${name} would get a name that is too long`;
    case 'exists':
      return `${owner} has a mailbox ${target} already, or one below it that would get the name of another`;
    case 'no-such-mailbox':
      return `${owner} has no mailbox ${name}`;
    case 'is-inbox':
      return `INBOX of ${owner} can't be deleted or renamed`;
    case 'below-itself':
      return `${owner}: ${name} can't be renamed to ${target}, which is below it`;
    case 'too-many':
      if (wanted.type === 'set-rights') return `${owner}: the list of rights on ${name} is full`;
      return wanted.type === 'rename'
        ? `${owner} would have too many mailboxes, or ${name} and those below it are more than ${MOST_RENAMED_AT_ONCE}: then rename those first`
        : `${owner} has too many mailboxes`;
    case 'bad-rights':
      return `${owner}: these are no rights`;
    case 'full':
      return `the store of ${mailHost} is full: nothing was changed`;
    case 'not-owner':
    case 'unavailable':
      return silence({ mailHost }, 'unknown', '');
  }
}
