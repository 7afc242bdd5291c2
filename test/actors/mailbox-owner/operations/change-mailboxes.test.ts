/** change-mailboxes: mailboxes come, go and change their names, and rights on them are set. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decide } from '../../../../actors/mailbox-owner/decide.ts';
import { madeByHand } from '../../../../actors/mailbox-owner/mailboxes.ts';
import type { ChangeMailboxes, OwnerOperation } from '../../../../actors/mailbox-owner/operation.ts';
import {
  MOST_DELETED_AT_ONCE,
  MOST_IDENTIFIERS,
  MOST_MAILBOXES,
  MOST_RENAMED_AT_ONCE,
} from '../../../../actors/mailbox-owner/operations/change-mailboxes.ts';
import type { MailboxEdit } from '../../../../actors/mailbox-owner/requests.ts';
import { apply } from '../../../../store/apply.ts';
import { changeOctets } from '../../../../store/change.ts';
import { encode } from '../../../../store/codec.ts';
import type { KeyValue } from '../../../../store/key-value.ts';
import {
  accounts,
  blobs,
  garbage,
  goingMailboxes,
  mailboxes,
  mailboxNames,
  messages,
  rights,
} from '../../../../store/tables.ts';
import { deliverTo, NOW, openDelivery, openMaildrop, recipient, type State, sha256, state } from '../state.ts';

const changing = (edit: MailboxEdit, account = 'joe', withInbox = true): ChangeMailboxes => ({
  type: 'change-mailboxes',
  account,
  withInbox,
  edit,
  now: NOW,
});
const done = { ok: true, value: { going: null } };
const no = (refusal: string) => ({ ok: false, refusal });

function world() {
  const fresh: State = state();
  const { view, run } = fresh;
  return {
    ...fresh,
    create: (name: string) => run(changing({ type: 'create', name })),
    remove: (name: string) => run(changing({ type: 'delete', name })),
    rename: (name: string, to: string) => run(changing({ type: 'rename', name, to })),
    grant: (name: string, identifier: string, letters: string) =>
      run(changing({ type: 'set-rights', name, identifier, rights: letters })),
    names: () => [...mailboxNames.range(view, ['joe'])].map(({ key }) => key[1]),
    numberOf: (name: string) => mailboxNames.get(view, 'joe', name)!,
    rightsOn: (name: string) =>
      [...rights.range(view, ['joe', mailboxNames.get(view, 'joe', name)!])].map(({ key, row }) => `${key[2]} ${row}`),
  };
}

test('RFC 9051 §6.3.4: a mailbox is made with the levels above it that are missing, each with a UIDVALIDITY of its own', () => {
  const { create, names, view, changes, numberOf } = world();
  assert.equal(create('important/March2000'), done);
  assert.equal(names(), ['important', 'important/March2000']);
  assert.equal(create('important/April/1st'), done);
  assert.equal(changes(), ['MailboxCreated', 'MailboxCreated']);
  const validities = names().map((name) => mailboxes.get(view, 'joe', numberOf(name))!.uidValidity);
  assert.is(new Set(validities).size, 4);
  assert.is(Math.min(...validities), Math.floor(NOW / 1000));
});

test('a name that exists, or is none, is refused; INBOX is made once, by whatever case', () => {
  const { create, names } = world();
  create('Work');
  assert.equal(create('Work'), no('exists'));
  assert.equal(create('work'), done);
  for (const bad of ['', '/', 'a//b', 'a\0', '/a', 'x'.repeat(300)]) assert.equal(create(bad), no('bad-name'));
  assert.equal(create('inbox'), done);
  assert.equal(create('INBOX'), no('exists'));
  assert.equal(names(), ['INBOX', 'Work', 'work']);
});

test('where there is no INBOX there is nothing of that name, and nothing below it', () => {
  const { run, create, names } = world();
  const shared = (edit: MailboxEdit) => run(changing(edit, 'joe', false));
  assert.equal(shared({ type: 'create', name: 'Inbox' }), no('bad-name'));
  assert.equal(shared({ type: 'create', name: 'inbox/bugs' }), no('bad-name'));
  create('bugs');
  assert.equal(shared({ type: 'rename', name: 'bugs', to: 'INBOX/bugs' }), no('bad-name'));
  assert.equal(shared({ type: 'set-rights', name: 'INBOX', identifier: 'anyone', rights: 'p' }), no('no-such-mailbox'));
  assert.equal(names(), ['bugs']);
});

/** Mail in INBOX and in two mailboxes below Work, of which one body is in two. */
function withMail() {
  const made = world();
  const { create, grant, run } = made;
  create('Work/a');
  create('Work/b');
  for (const name of ['Work/a', 'Work/b']) grant(name, 'anyone', 'p');
  run(openDelivery('d'));
  const to = (folder?: string) => recipient('joe', folder === undefined ? {} : { folder });
  run(deliverTo('d', 1, 'in both', to(), to('Work/a')));
  run(deliverTo('d', 2, 'in a', to('Work/a')));
  run(deliverTo('d', 3, 'in b', to('Work/b')));
  return { ...made, to };
}

test('a deleted mailbox takes its messages, rights and room with it; bodies that are elsewhere stay', () => {
  const { remove, changes, view, names, numberOf, create, grant, run, to } = withMail();
  const number = numberOf('Work/a');
  const { uidValidity } = mailboxes.get(view, 'joe', number)!;
  assert.equal(remove('Work/a'), done);
  assert.equal(changes(), ['Expunged', 'MailboxDeleted']);
  assert.equal(names(), ['INBOX', 'Work', 'Work/b']);
  assert.is([...messages.range(view, ['joe', number])].length, 0);
  assert.is([...rights.range(view, ['joe', number])].length, 0);
  assert.is(accounts.get(view, 'joe')!.messages, 2);
  assert.is(blobs.get(view, sha256(Buffer.from('in both')))?.references, 1);
  assert.is(blobs.get(view, sha256(Buffer.from('in a'))), undefined);
  assert.is([...garbage.range(view, [])].length, 1);
  assert.equal(remove('Work/a'), no('no-such-mailbox'));
  // Made anew it is another one: I-32.
  create('Work/a');
  assert.ok(numberOf('Work/a') > number);
  assert.ok(mailboxes.get(view, 'joe', numberOf('Work/a'))!.uidValidity > uidValidity);
  run(deliverTo('d', 4, 'posted', to('Work/a')));
  assert.is(mailboxes.get(view, 'joe', numberOf('Work/a'))!.messages, 0, 'nobody gave it rights');
  grant('Work/a', 'anyone', 'p');
  run(deliverTo('d', 5, 'posted', to('Work/a')));
  assert.is(mailboxes.get(view, 'joe', numberOf('Work/a'))!.messages, 1);
});

test('a large mailbox goes in steps by its number, from its oldest message on; its name and rights go with the first', () => {
  const { create, grant, remove, rename, run, view, numberOf, names, changes } = world();
  create('Work');
  create('Play');
  grant('Work', 'anyone', 'p');
  const number = numberOf('Work');
  run(openDelivery('d'));
  const to = recipient('joe', { folder: 'Work' });
  // `run` looks the whole state over after each operation: most of them are applied without it.
  for (let number = 1; number <= MOST_DELETED_AT_ONCE + 2; number++)
    for (const change of decide(view, deliverTo('d', number, 'x', to)).changes) apply(view as KeyValue, change);
  const uidsLeft = () => [...messages.range(view, ['joe', number])].map(({ key }) => key[2]);
  assert.equal(remove('Work'), { ok: true, value: { going: number } });
  assert.equal(names(), ['Play']);
  assert.is([...rights.range(view, ['joe'])].length, 0);
  assert.equal(uidsLeft(), [MOST_DELETED_AT_ONCE + 1, MOST_DELETED_AT_ONCE + 2]);
  // What has the name now is another mailbox, and stays.
  assert.equal(remove('Work'), no('no-such-mailbox'));
  assert.equal(rename('Play', 'Work'), done);
  grant('Work', 'anyone', 'p');
  run(deliverTo('d', 1_000, 'to the new one', to));
  const clearing = (most: number, mailbox = number) => run({ type: 'clear', account: 'joe', mailbox, most });
  assert.equal(clearing(1), { ok: true, value: { more: true } });
  assert.equal(uidsLeft(), [MOST_DELETED_AT_ONCE + 2]);
  assert.equal(clearing(1), { ok: true, value: { more: false } });
  assert.equal(changes(), ['Expunged', 'MailboxDeleted']);
  for (const gone of [number, 99, numberOf('Work')])
    assert.equal(clearing(1, gone), { ok: true, value: { more: false } }, 'gone, never there, or not deleted');
  assert.equal(names(), ['Work']);
  assert.is(mailboxes.get(view, 'joe', numberOf('Work'))!.messages, 1);
  assert.is(accounts.get(view, 'joe')!.messages, 1);
});

test('a mailbox that is said to be going, and is not there, is forgotten: else it would be cleared for ever', () => {
  const { view } = world();
  goingMailboxes.put(view as KeyValue, ['joe', 9], null);
  const { changes } = decide(view, { type: 'clear', account: 'joe', mailbox: 9, most: 1 });
  for (const change of changes) apply(view as KeyValue, change);
  assert.is(goingMailboxes.get(view, 'joe', 9), undefined);
});

test('what is going is no mailbox made by hand: an empty-handed drop finds none', () => {
  const { create, grant, numberOf, remove, run, view } = world();
  create('Work');
  grant('Work', 'anyone', 'p');
  assert.is(madeByHand(view, 'joe'), 1);
  const number = numberOf('Work');
  run(openDelivery('d'));
  for (let at = 1; at <= MOST_DELETED_AT_ONCE + 1; at++)
    for (const change of decide(view, deliverTo('d', at, 'x', recipient('joe', { folder: 'Work' }))).changes)
      apply(view as KeyValue, change);
  assert.equal(remove('Work'), { ok: true, value: { going: number } });
  assert.is(madeByHand(view, 'joe'), 0);
});

test('a step counts for what it takes: so that no record grows beyond its bounds', () => {
  const { create, grant, remove, rename, run, view } = world();
  const octetsOf = (operation: OwnerOperation) =>
    decide(view, operation).changes.reduce((sum, change) => sum + changeOctets(change), 0);
  create('Work');
  grant('Work', 'anyone', 'p');
  run(openDelivery('d'));
  for (let number = 1; number <= 300; number++)
    for (const change of decide(view, deliverTo('d', number, 'x', recipient('joe', { folder: 'Work' }))).changes)
      apply(view as KeyValue, change);
  assert.ok(octetsOf(changing({ type: 'delete', name: 'Work' })) > 300 * 70, 'messages that a deletion takes');
  remove('Work');
  const name = (number: number) => `a/${'x'.repeat(250)}${number}`;
  for (let number = 1; number < MOST_RENAMED_AT_ONCE; number++)
    for (const change of decide(view, changing({ type: 'create', name: name(number) })).changes)
      apply(view as KeyValue, change);
  const renaming = changing({ type: 'rename', name: 'a', to: 'b' });
  assert.ok(octetsOf(renaming) > MOST_RENAMED_AT_ONCE * 250);
  assert.ok(encode(decide(view, renaming).changes).length < octetsOf(renaming));
  for (const change of decide(view, changing({ type: 'create', name: 'a/y' })).changes) apply(view as KeyValue, change);
  assert.equal(rename('a', 'b'), no('too-many'));
  assert.equal(remove('a/y'), done);
  assert.equal(rename('a', 'b'), done);
});

test('RFC 9051 §6.3.5: a mailbox above others is deleted alone', () => {
  const { remove, names, create } = withMail();
  assert.equal(remove('Work'), done);
  assert.equal(names(), ['INBOX', 'Work/a', 'Work/b']);
  assert.equal(create('Work'), done);
});

test('INBOX is neither deleted nor renamed, whether it is there yet or not', () => {
  for (const made of [world(), withMail()]) {
    assert.equal(made.remove('inbox'), no('is-inbox'));
    assert.equal(made.rename('INBOX', 'Old'), no('is-inbox'));
    made.create('x');
    assert.equal(made.rename('x', 'Inbox'), no('exists'));
  }
});

test('RFC 9051 §6.3.6: a renamed mailbox stays what it is, and those below it go with it', () => {
  const { rename, names, view, numberOf, rightsOn, changes } = withMail();
  const [number, below] = [numberOf('Work'), numberOf('Work/a')];
  const before = mailboxes.get(view, 'joe', below)!;
  assert.equal(rename('Work', 'Old/2000/Work'), done);
  assert.equal(changes(), ['MailboxesRenamed', 'MailboxCreated', 'MailboxCreated']);
  assert.equal(names(), ['INBOX', 'Old', 'Old/2000', 'Old/2000/Work', 'Old/2000/Work/a', 'Old/2000/Work/b']);
  assert.is(numberOf('Old/2000/Work'), number);
  assert.equal(mailboxes.get(view, 'joe', below), { ...before, name: 'Old/2000/Work/a' });
  assert.equal(rightsOn('Old/2000/Work/a'), ['anyone p']);
});

test('a rename may take the name of what it moves, and of nothing else', () => {
  const { rename, names, create, remove, numberOf } = world();
  for (const name of ['a/b/b', 'c', 'ab']) create(name);
  assert.equal(rename('a', 'a/b/c'), no('below-itself'));
  assert.equal(rename('a', 'a'), no('exists'));
  assert.equal(rename('a/b', 'c'), no('exists'));
  assert.equal(rename('nothing', 'd'), no('no-such-mailbox'));
  assert.equal(rename('a', 'a//b'), no('bad-name'));
  remove('a');
  const [outer, inner] = [numberOf('a/b'), numberOf('a/b/b')];
  assert.equal(rename('a/b', 'a'), done);
  assert.equal(names(), ['a', 'a/b', 'ab', 'c']);
  assert.equal([numberOf('a'), numberOf('a/b')], [outer, inner]);
  create('d/b');
  remove('d');
  assert.equal(rename('a', 'd'), no('exists'), 'd/b would be in the way of a/b');
});

test('a rename that would make a name below too long is refused', () => {
  const { rename, create } = world();
  create(`a/${'x/'.repeat(400)}x`);
  assert.equal(rename('a', 'y/'.repeat(150) + 'y'), no('bad-name'));
});

test('rights are set, changed and taken away, and kept in one order; other letters are refused', () => {
  const { grant, create, rightsOn, changes } = world();
  create('Work');
  assert.equal(grant('Work', 'id-ann', 'prl'), done);
  assert.equal(grant('Work', '-anyone', 'd'), done);
  assert.equal(rightsOn('Work'), ['-anyone te', 'id-ann lrp']);
  grant('Work', 'id-ann', '+s');
  grant('Work', 'id-ann', '-lp');
  assert.equal(rightsOn('Work'), ['-anyone te', 'id-ann rs']);
  assert.equal(grant('Work', 'id-ann', '+r'), done);
  assert.equal(changes(), [], 'nothing to change');
  assert.equal(grant('Work', 'id-ann', ''), done);
  assert.equal(rightsOn('Work'), ['-anyone te']);
  assert.equal(grant('Work', 'id-ann', 'q'), no('bad-rights'));
  assert.equal(grant('Play', 'id-ann', 'l'), no('no-such-mailbox'));
});

test('a list of rights has so many identifiers and no more, and those on it can be changed', () => {
  const { grant, create, rightsOn } = world();
  create('Work');
  for (let number = 0; number < MOST_IDENTIFIERS; number++) grant('Work', `id-${number}`, 'l');
  assert.equal(grant('Work', 'anyone', 'l'), no('too-many'));
  assert.equal(grant('Work', 'id-7', '+p'), done);
  assert.equal(grant('Work', 'id-8', ''), done);
  assert.equal(grant('Work', 'anyone', 'l'), done);
  assert.is(rightsOn('Work').length, MOST_IDENTIFIERS);
});

test('rights on an INBOX that is yet to come make it', () => {
  const { grant, rightsOn, run, view } = world();
  assert.equal(grant('inbox', 'id-ann', 'lr'), done);
  assert.equal(rightsOn('INBOX'), ['id-ann lr']);
  run(openMaildrop('s'));
  assert.is([...mailboxes.range(view, ['joe'])].length, 1);
});

test('an account has so many mailboxes and no more', () => {
  const { view, run, numberOf } = world();
  run(changing({ type: 'create', name: 'a' }));
  for (let number = 2; number < MOST_MAILBOXES; number++)
    mailboxNames.put(view as KeyValue, ['joe', `m${number}`], number);
  // `run` looks the state over after each, which these are not meant for: what is decided is looked at alone.
  const full = (edit: MailboxEdit) => decide(view, changing(edit)).answer;
  assert.equal(full({ type: 'create', name: 'b/c' }), no('too-many'));
  assert.equal(full({ type: 'create', name: 'b' }), done);
  assert.equal(full({ type: 'rename', name: 'a', to: 'b/c/d' }), no('too-many'));
  assert.equal(full({ type: 'rename', name: 'a', to: 'b/c' }), done);
  assert.is(numberOf('a'), 1);
});

test('what is vacated has no mailbox beside INBOX, and no rights on that', () => {
  const { run, create, remove, names, grant } = world();
  const vacating = { type: 'drop-account', account: 'joe', most: 0, now: NOW } as const;
  const left = { ok: true, value: { more: true, ended: [] } };
  create('Work');
  assert.equal(run(vacating), left);
  remove('Work');
  grant('INBOX', 'anyone', 'l');
  assert.equal(run(vacating), left);
  grant('INBOX', 'anyone', '');
  assert.equal(run(vacating), { ok: true, value: { more: false, ended: [] } });
  assert.equal(names(), []);
});

test('an account of many mailboxes and rights is dropped in steps, each of which takes so many rows', () => {
  const { run, create, grant, names, changes, view } = world();
  for (const name of ['a', 'b', 'c', 'd', 'e']) create(name);
  for (let number = 0; number < 20; number++) grant('c', `id-${number}`, 'l');
  const left: (readonly string[])[] = [];
  const dropped: number[] = [];
  for (let more = true; more; ) {
    const step = run({ type: 'drop-account', account: 'joe', most: 3, now: NOW });
    more = step.ok && step.value.more;
    left.push(names());
    dropped.push(changes().filter((type) => type === 'MailboxDeleted').length);
  }
  assert.equal(dropped, [2, 1, 2]); // two rows; 21, which can't be parted; two
  assert.equal(left, [['c', 'd', 'e'], ['d', 'e'], []]);
  assert.is([...rights.range(view, [])].length, 0);
  assert.is(accounts.get(view, 'joe')!.lastMailbox, 5);
});

test('an account that is dropped takes its mailboxes and their rights with it', () => {
  const { run, names, view } = withMail();
  let more = true;
  while (more) {
    const step = run({ type: 'drop-account', account: 'joe', most: 1, now: NOW });
    assert.ok(step.ok);
    more = step.value.more;
  }
  assert.equal(names(), []);
  assert.is([...rights.range(view, [])].length, 0);
  assert.is(accounts.get(view, 'joe')!.octets, 0);
});

test.run();
