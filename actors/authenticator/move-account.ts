/**
 * `account set NAME mail-host=H`: an account that has no mail, and no mailbox but INBOX, gets another mailHost. Any other is
 * refused: nothing here carries messages.
 *
 * What was accepted for the old mailHost may still be on its way there. So the account is first set aside, `movingFrom` its old
 * mailHost, while which recipients are put off; then no owner of the old one takes mail for it any more, and is asked once more.
 * Whatever is found there brings the account back. Who is interrupted leaves it set aside; the same command again finishes it.
 */
import type { Account } from '../../cluster/directory/account.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { Left } from '../mailbox-owner/requests.ts';
import { type AccountRefusal, type AccountView, type Administration, nameFor, namesOf, no, view } from './accounts.ts';

export type MoveOptions = Administration & {
  /**
   * Makes the mailHost forget an account that has no mail there, after all that it took for it before.
   * @param moved  only if that owner knows already that the account is not its own any more
   * @returns what it has instead; undefined: its owner does not answer, or does not know
   */
  readonly vacate: (mailHost: string, accountId: string, moved: boolean) => Promise<Left | undefined>;
};

type Outcome<T> = Promise<Result<T, AccountRefusal>>;

/** @param mailHost  one that the directory knows */
export async function moveAccount(admin: MoveOptions, name: string, mailHost: string): Outcome<AccountView> {
  const named = nameFor(admin, name);
  if (!named.ok) return named;
  const account = admin.directory.find(named.value);
  if (!account) return no('no-such-account', named.value);
  const other = namesOf(admin, account.id).find((each) => each.name !== account.name);
  if (other) return twoNames(account.name, other.name);
  const { movingFrom } = account;
  if (movingFrom === undefined) {
    if (account.mailHost === mailHost) return accept(view(account));
    const left = await admin.vacate(account.mailHost, account.id, false);
    if (!isNothing(left)) return stays(account, left);
    const begun = await change(admin, account, { mailHost, movingFrom: account.mailHost });
    return begun.ok ? await finish(admin, begun.value) : begun;
  }
  if (mailHost === account.mailHost) return await finish(admin, account);
  if (mailHost === movingFrom) return await shown(change(admin, account, { mailHost: movingFrom }));
  const message = `${account.name} was being moved from ${movingFrom} to ${account.mailHost} and is between them: name one of the two`;
  return refuse({ code: 'conflict', message });
}

/** Every node that could be asked knows by now that it moves; the old owner must, or it would still take mail. */
async function finish(admin: MoveOptions, account: Account): Outcome<AccountView> {
  const origin = account.movingFrom!;
  const left = await admin.vacate(origin, account.id, true);
  if (isNothing(left)) return await shown(change(admin, account, { mailHost: account.mailHost }));
  const back = await change(admin, account, { mailHost: origin });
  return back.ok ? stays(back.value, left) : back;
}

async function change(
  admin: MoveOptions,
  account: Account,
  place: { readonly mailHost: string; readonly movingFrom?: string },
): Outcome<Account> {
  const { version, name } = account;
  const edit = (current: Account | undefined) => {
    if (!current) return undefined;
    const { movingFrom: _from, version: _version, changedBy: _changedBy, ...rest } = current;
    return { ...rest, ...place };
  };
  const changed = await admin.directory.change(name, edit, { operation: admin.nextOperation(), ifVersion: version });
  if (!changed.ok) return no(changed.refusal, name);
  return changed.value ? accept(changed.value) : no('no-such-account', name);
}

const shown = async (changed: Outcome<Account>): Outcome<AccountView> => {
  const result = await changed;
  return result.ok ? accept(view(result.value)) : result;
};

/** Two records would say where the mail of one id lives. */
const twoNames = (name: string, other: string): Result<never, AccountRefusal> =>
  refuse({
    code: 'conflict',
    message: `${name} and ${other} are one account since an unfinished rename: finish or undo that first`,
  });

const isNothing = (left: Left | undefined): boolean => left?.messages === 0 && left.mailboxes === 0;

function stays({ name, mailHost }: Account, left: Left | undefined): Result<never, AccountRefusal> {
  const why =
    left === undefined
      ? `the owner of ${mailHost} does not answer, or does not know of the move yet, and it must say that the account has no mail`
      : `it has ${inWords(left)} on ${mailHost}, and only an account without mail or mailboxes of its own can move`;
  return refuse({ code: 'not-empty', message: `${name} stays on ${mailHost}: ${why}` });
}

function inWords({ messages, mailboxes }: Left): string {
  const counted = [
    ...(messages > 0 || mailboxes === 0 ? [`${messages} messages`] : []),
    ...(mailboxes > 0 ? [`${mailboxes} mailboxes beside INBOX`] : []),
  ];
  return counted.join(' and ');
}
