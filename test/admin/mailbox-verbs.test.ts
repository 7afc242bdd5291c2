/** The verbs over mailboxes: on a directory and an owner in memory, as an operator's words and answers. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deleteAccount } from '../../actors/authenticator/delete-account.ts';
import { renameAccount } from '../../actors/authenticator/rename-account.ts';
import type { Operation } from '../../actors/mailbox-owner/requests.ts';
import { accountVerbs } from '../../admin/account-verbs.ts';
import type { ControlAnswer } from '../../admin/control.ts';
import { type MailboxView, mailboxVerbs } from '../../admin/mailbox-verbs.ts';
import { BusError } from '../../cluster/bus/bus.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { account, fakeDirectory } from '../actors/authenticator/fake-directory.ts';
import { world } from '../actors/mailbox-owner/world.ts';

const JOE = 'joe@example.test';

async function house() {
  const w = await world(); // of the mailHost h1
  const directory = fakeDirectory(
    account({ mailHost: 'h1' }),
    account({ name: 'ann@example.test', mailHost: 'h1' }),
    account({ name: 'far@example.test', mailHost: 'h2' }),
  );
  let operations = 0;
  const silent = { why: undefined as 'unknown' | undefined };
  const requests: string[] = [];
  /** What happens before a request of this kind. */
  const before = new Map<string, () => Promise<unknown>>();
  const common = {
    directory,
    defaultDomain: 'example.test',
    sharedName: 'shared',
    credentials: { iterations: 4096, keepPlain: true },
    nextOperation: () => `op-${++operations}`,
    defaultMailHost: 'h1',
    knowsMailHost: (mailHost: string) => mailHost === 'h1' || mailHost === 'h2',
  };
  const verbs = {
    ...accountVerbs({
      ...common,
      dropMail: async () => true,
      vacate: async () => undefined,
      usage: async (mailHost, id) => (mailHost === 'h1' ? { octets: id.length, messages: 1 } : undefined),
    }),
    ...mailboxVerbs({
      ...common,
      async askOwner<A>(mailHost: string, operation: Operation, request: object) {
        if (silent.why) return refuse(silent.why);
        requests.push(operation);
        await before.get(operation)?.();
        if (mailHost !== 'h1') return refuse('nobody');
        try {
          return accept(await w.ask<A>(operation, request));
        } catch (error) {
          if (error instanceof BusError) return refuse('unknown');
          throw error;
        }
      },
    }),
  };
  const say = (verb: string, given: Record<string, unknown> = {}): Promise<ControlAnswer> => verbs[verb]!(given);
  const value = async <T>(verb: string, given: Record<string, unknown>): Promise<T> => {
    const answer = await say(verb, given);
    if (!answer.ok) throw new Error(answer.errors.join('; '));
    return answer.value as T;
  };
  const errorOf = async (verb: string, given: Record<string, unknown>): Promise<string> => {
    const answer = await say(verb, given);
    return answer.ok ? 'ok' : answer.errors.join('; ');
  };
  const names = async (name: string) => (await value<MailboxView[]>('mailbox.list', { name })).map((each) => each.name);
  return { w, directory, admin: common, silent, requests, before, say, value, errorOf, names };
}

const within = (what: string, use: (h: Awaited<ReturnType<typeof house>>) => Promise<void>) =>
  test(what, async () => {
    const h = await house();
    await use(h);
    await h.w.end();
  });

within('mailboxes are made, listed, renamed and deleted by the names of their accounts', async ({ value, names }) => {
  await value('mailbox.create', { name: 'Joe', mailbox: 'important/March2000' });
  await value('mailbox.create', { name: JOE, mailbox: 'Entwu\u0308rfe', anyone: 'p' });
  assert.equal(await names('joe'), ['Entw\u00fcrfe', 'important', 'important/March2000']);
  await value('mailbox.rename', { name: 'joe', mailbox: 'important', to: 'old' });
  await value('mailbox.delete', { name: 'joe', mailbox: 'old' });
  const rows = await value<MailboxView[]>('mailbox.list', { name: 'joe' });
  assert.equal(
    rows.map(({ name, messages, octets, rights }) => ({ name, messages, octets, rights })),
    [
      { name: 'Entw\u00fcrfe', messages: 0, octets: 0, rights: { anyone: 'p' } },
      { name: 'old/March2000', messages: 0, octets: 0, rights: {} },
    ],
  );
  assert.equal(await names('ann'), []);
});

within('what can not be is said, with what and where', async ({ errorOf, silent }) => {
  const create = (more: object) => errorOf('mailbox.create', { name: 'joe', mailbox: 'Work', ...more });
  assert.is(await create({}), 'ok');
  assert.match(await create({}), /joe@example\.test has a mailbox Work already/);
  assert.match(await create({ name: 'nobody' }), /there is no account nobody@example\.test/);
  assert.match(await create({ name: 'a b' }), /"a b" can't be an account/);
  assert.match(await create({ mailbox: 'a//b' }), /mailbox: "a\/\/b" can't be a mailbox: a level of it is empty/);
  assert.match(await create({ mailbox: 7 }), /mailbox: must be text/);
  assert.match(await create({ mailbox: undefined }), /mailbox: is missing/);
  assert.match(await create({ mailbox: 'x', anyone: 'q' }), /anyone: "q": "q" is no right: must be letters/);
  assert.match(await create({ mailbox: 'x', mailHost: 'h2' }), /joe@example\.test lives on h1, not on h2/);
  assert.match(await create({ mailbox: 'x', mailHost: 'h9' }), /h9: no node has initialised/);
  assert.match(await create({ name: 'far' }), /the owner of h2 does not run: nothing was changed/);
  assert.match(await errorOf('mailbox.delete', { name: 'joe', mailbox: 'Play' }), /has no mailbox Play/);
  assert.match(await errorOf('mailbox.delete', { name: 'joe', mailbox: 'inbox' }), /can't be deleted or renamed/);
  assert.match(await errorOf('mailbox.rename', { name: 'joe', mailbox: 'Work', to: 'Work/x' }), /which is below it/);
  assert.match(await errorOf('mailbox.rename', { name: 'joe', mailbox: 'Work', to: '/' }), /to: "\/" can't be/);
  assert.match(await errorOf('mailbox.list', { name: 'far' }), /the owner of h2 does not run/);
  silent.why = 'unknown';
  assert.match(await create({ mailbox: 'y' }), /gave no answer: what was asked may have been done or not/);
});

within('an account that is between two mailHosts is left alone', async ({ directory, errorOf }) => {
  directory.put({ ...directory.find(JOE)!, movingFrom: 'h2' });
  assert.match(await errorOf('mailbox.create', { name: 'joe', mailbox: 'x' }), /is being moved from h2 to h1/);
});

within("the first shared mailbox makes its domain's home, which has no password and no INBOX", async (h) => {
  const { value, errorOf, names, directory } = h;
  assert.match(await errorOf('mailbox.list', { name: 'shared' }), /there is no account shared@example\.test/);
  assert.match(await errorOf('mailbox.create', { name: 'shared', mailbox: 'a//b' }), /can't be a mailbox/);
  assert.is(directory.find('shared@example.test'), undefined, 'nothing is made for a mailbox that can not be');
  await value('mailbox.create', { name: 'shared@example.test', mailbox: 'bugreports', anyone: 'p', mailHost: 'h1' });
  await value('mailbox.create', { name: 'Shared', mailbox: 'ideas' });
  assert.equal(await names('shared'), ['bugreports', 'ideas']);
  const { kind, mailHost, credentials, status } = directory.find('shared@example.test')!;
  assert.equal(
    { kind, mailHost, credentials, status },
    { kind: 'shared', mailHost: 'h1', credentials: {}, status: 'active' },
  );
  assert.match(
    await errorOf('mailbox.create', { name: 'shared', mailbox: 'Inbox' }),
    /INBOX.* can't be a shared mailbox/,
  );
  assert.match(await errorOf('mailbox.create', { name: 'shared', mailbox: 'x', mailHost: 'h2' }), /lives on h1/);
  assert.match(await errorOf('password.set', { name: 'shared', secret: 'x' }), /nobody logs in there/);
  assert.is((await value<{ kind: string }>('account.show', { name: 'shared' })).kind, 'shared');
});

within('T-12: the shared name is no account and becomes none, at whatever domain', async (h) => {
  const { errorOf, admin, directory } = h;
  for (const name of ['shared', 'SHARED@example.test', 'shared@other.test', 'shared+bugs'])
    assert.match(await errorOf('account.add', { name }), /reserved for shared mailboxes \(lmtp-shared-name\)/);
  assert.match(await errorOf('account.rename', { name: 'joe', to: 'shared' }), /reserved for shared mailboxes/);
  assert.match(await errorOf('account.rename', { name: 'joe', to: 'shared+joe' }), /reserved for shared mailboxes/);
  const faults = await h.value<{ error: string }[]>('account.check-import', { accounts: [{ name: 'Shared' }] });
  assert.match(faults[0]!.error, /reserved/);
  // The name was another one when these were made: they follow it, and are no user's.
  directory.put(account({ name: 'public@example.test', id: 'id-public', kind: 'shared', mailHost: 'h1' }));
  const refused = await renameAccount(admin, 'public', 'jim');
  assert.ok(!refused.ok && /can only be named shared/.test(refused.refusal.message));
  assert.ok((await renameAccount(admin, 'public', 'shared')).ok);
  assert.is(directory.find('shared@example.test')?.kind, 'shared');
});

within(
  'rights are given by names and kept by ids: a rename takes them along, an account made anew has none',
  async (h) => {
    const { value, errorOf, admin } = h;
    const rights = (more: object = {}) =>
      value<Record<string, string>>('mailbox.rights', { name: 'joe', mailbox: 'Work', ...more });
    await value('mailbox.create', { name: 'joe', mailbox: 'Work' });
    assert.equal(await rights(), {});
    assert.equal(await rights({ identifier: 'Ann', rights: 'lrd' }), { 'ann@example.test': 'lrte' });
    await rights({ identifier: 'Anyone', rights: 'p' });
    assert.equal(await rights({ identifier: '-ann@example.test', rights: '+t' }), {
      '-ann@example.test': 't',
      'ann@example.test': 'lrte',
      anyone: 'p',
    });
    await rights({ identifier: 'anyone', rights: 'none' });
    assert.ok((await renameAccount(admin, 'ann', 'bea')).ok);
    assert.equal(await rights(), { '-bea@example.test': 't', 'bea@example.test': 'lrte' });
    await deleteAccount(admin, 'bea');
    const gone = await rights();
    assert.equal(Object.values(gone).sort(), ['lrte', 't']);
    for (const identifier of Object.keys(gone)) await rights({ identifier, rights: 'none' });
    assert.equal(await rights(), {});
    const set = (more: object) => errorOf('mailbox.rights', { name: 'joe', mailbox: 'Work', ...more });
    assert.match(await set({ identifier: 'ann', rights: 'l' }), /there is no account ann@example\.test/);
    assert.match(await set({ identifier: 'joe', rights: 'lz' }), /"lz": "z" is no right/);
    assert.match(await set({ identifier: 'joe' }), /rights: is missing/);
    assert.match(await set({ mailbox: 'Play' }), /has no mailbox Play/);
  },
);

within('rights are looked up on the one mailbox that they are of, however many there are', async (h) => {
  const { value, errorOf, requests, before, w } = h;
  for (let number = 1; number <= 120; number++) await value('mailbox.create', { name: 'joe', mailbox: `m${number}` });
  requests.length = 0;
  const given = { name: 'joe', mailbox: 'm120', identifier: 'anyone', rights: 'lp' };
  assert.equal(await value('mailbox.rights', given), { anyone: 'lp' });
  assert.equal(requests, ['mailboxes', 'change-mailboxes', 'mailboxes']);
  requests.length = 0;
  assert.equal(await value('mailbox.rights', { name: 'joe', mailbox: 'm120' }), { anyone: 'lp' });
  assert.equal(requests, ['mailboxes']);
  // Another operator is quicker than the second look.
  let looks = 0;
  before.set('mailboxes', async () => {
    if (++looks !== 2) return;
    const edit = { type: 'rename', name: 'm120', to: 'other' };
    await w.ask('change-mailboxes', { account: h.directory.find(JOE)!.id, withInbox: true, edit });
  });
  assert.match(await errorOf('mailbox.rights', given), /the rights are set; joe@example\.test has no mailbox m120 any/);
  assert.equal(await value('mailbox.rights', { name: 'joe', mailbox: 'other' }), { anyone: 'lp' });
});

within('what an account holds is shown with it, and null where nobody can say', async ({ value }) => {
  const usage = async (name: string) => (await value<{ usage: unknown }>('account.show', { name })).usage;
  assert.equal(await usage('joe'), { octets: 6, messages: 1 });
  assert.is(await usage('far'), null);
});

test.run();
