/** What operators may have a node do: each verb's answer, what it changes, and what it refuses. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClosedAccounts } from '../../actors/closed-accounts.ts';
import type { LiveSession } from '../../actors/live-session.ts';
import { nodeVerbs, type Reloaded } from '../../admin/node-verbs.ts';
import { accept, type Result } from '../../kernel/result.ts';
import { account, fakeDirectory } from '../actors/authenticator/fake-directory.ts';
import { FakeClock } from '../cluster/bus/fake-clock.ts';

/** Sessions show the name that they logged in by; the id is joe's whatever he is called. */
const idOf = (name?: string) => name && `id-${name.split('@')[0]}`;

const session = (id: string, name?: string): LiveSession => ({
  session: id,
  protocol: 'pop3',
  address: '192.0.2.1',
  port: 1234,
  state: name === undefined ? 'authorization.ready' : 'transaction.ready',
  account: name,
  accountId: idOf(name),
  since: 1_700_000_000_000 - 5000,
  tls: true,
});

const turns = () => new Promise((resolve) => setImmediate(resolve));

/** A node whose doors are arrays: a kicked session is gone at the next look, as one between two commands is. */
function node(sessions: LiveSession[] = []) {
  const clock = new FakeClock();
  const directory = fakeDirectory(account({ name: 'joe@example.test' }));
  const open = [...sessions];
  const doors = {
    kick(id: string) {
      const gone = open.filter((each) => each.accountId === id);
      for (const each of gone) open.splice(open.indexOf(each), 1);
      return gone.length;
    },
  };
  const world = {
    clock,
    directory,
    open,
    isDraining: false,
    fault: undefined as Error | undefined,
    nologin: undefined as string | undefined,
    reloads: accept({ applied: [], needRestart: [] }) as Result<Reloaded, readonly string[]>,
  };
  let operations = 0;
  const turn = async (isDraining: boolean) => {
    if (world.fault) throw world.fault;
    world.isDraining = isDraining;
  };
  const verbs = nodeVerbs({
    me: 'n1',
    version: '1.2.3',
    doors: {
      get size() {
        return open.length;
      },
      sessions: () => [...open],
      drain: () => turn(true),
      undrain: () => turn(false),
      get isDraining() {
        return world.isDraining;
      },
      ...doors,
    },
    closed: new ClosedAccounts(directory, doors),
    administration: { directory, defaultDomain: 'example.test', nextOperation: () => `operation-${++operations}` },
    setNologin: async (text) => {
      world.nologin = text;
    },
    nologin: () => world.nologin,
    reload: async () => world.reloads,
    clock,
  });
  const ask = (verb: string, given = {}) => verbs[verb]!(given);
  const value = async (verb: string, given = {}) => {
    const answer = await ask(verb, given);
    return answer.ok ? answer.value : answer.errors;
  };
  return { ...world, world, ask, value };
}

test('ping says how the node is, drain and undrain change it', async () => {
  const { value } = node([session('1')]);
  assert.equal(await value('ping'), { version: '1.2.3', state: 'serving', sessions: 1 });
  assert.equal(await value('drain'), { version: '1.2.3', state: 'draining', sessions: 1 });
  assert.equal(await value('ping'), { version: '1.2.3', state: 'draining', sessions: 1 });
  assert.equal(await value('undrain'), { version: '1.2.3', state: 'serving', sessions: 1 });
});

test('a port that can not be opened again is the answer, not a fault', async () => {
  const { value, world } = node();
  world.fault = new Error('pop3 on 127.0.0.1:110: EADDRINUSE');
  assert.equal(await value('undrain'), ['pop3 on 127.0.0.1:110: EADDRINUSE']);
});

test('sessions are shown with their age, and without anything else of them', async () => {
  const { value } = node([session('1', 'joe@example.test')]);
  const { since: _, accountId: __, ...others } = session('1', 'joe@example.test');
  assert.equal(await value('sessions'), [{ ...others, ageMs: 5000 }]);
});

test('kick ends the sessions of one account, named as operators name it', async () => {
  const { value, open } = node([session('1', 'joe@example.test'), session('2', 'ann@example.test'), session('3')]);
  assert.equal(await value('kick', { account: 'Joe' }), { account: 'joe@example.test', kicked: 1 });
  assert.equal(
    open.map((each) => each.session),
    ['2', '3'],
  );
  assert.equal(await value('kick', { account: 'joe@example.test' }), { account: 'joe@example.test', kicked: 0 });
});

test('an account is kicked by what it is, whatever it was called when its sessions began', async () => {
  const { value, open, directory } = node([session('1', 'joe@example.test'), session('2', 'ann@example.test')]);
  const joe = directory.find('joe@example.test')!;
  directory.put({ ...joe, name: 'joseph@example.test' });
  directory.put({ ...joe, version: 2, deleted: true, renamedTo: 'joseph@example.test' });
  await turns();
  assert.is(open.length, 2, 'a rename ends no session');
  assert.equal(await value('kick', { account: 'joseph' }), { account: 'joseph@example.test', kicked: 1 });
  open.push(session('3', 'joe@example.test'));
  assert.equal(await value('kick', { account: 'joe' }), { account: 'joseph@example.test', kicked: 1 });
  assert.equal(await value('kick', { account: 'jo' }), ['there is no account jo@example.test']);
  open.push(session('4', 'joe@example.test'));
  assert.equal(await value('disable', { account: 'joseph' }), {
    ...{ account: 'joseph@example.test', status: 'disabled', kicked: 1 },
  });
  assert.equal(
    open.map((each) => each.session),
    ['2'],
  );
});

test('disable changes the status first, then ends the sessions, also those that were just logging in', async () => {
  const { ask, open, directory } = node([session('1', 'joe@example.test')]);
  directory.onChange(() => {
    assert.is(open.length, 1, 'not kicked before');
    void Promise.resolve().then(() => open.push(session('2', 'joe@example.test'))); // granted, and not yet a session
  });
  const value = { account: 'joe@example.test', status: 'disabled', kicked: 2 };
  assert.equal(await ask('disable', { account: 'joe' }), { ok: true, value });
  assert.is(directory.find('joe@example.test')?.status, 'disabled');
  assert.is(open.length, 0);
});

test('what another node disabled is ended here too, and told to whoever orders it here', async () => {
  const { value, open, directory } = node([session('1', 'joe@example.test')]);
  directory.put({ ...directory.find('joe@example.test')!, status: 'disabled' });
  await turns();
  assert.is(open.length, 0);
  assert.equal(await value('disable', { account: 'joe' }), {
    ...{ account: 'joe@example.test', status: 'disabled', kicked: 1 },
  });
});

test('a status that is so already is no change, so that several nodes may be told at once', async () => {
  const { ask, directory, value } = node();
  for (let node = 1; node <= 3; node++) assert.ok((await ask('disable', { account: 'joe' })).ok);
  assert.is(directory.find('joe@example.test')?.version, 2);
  assert.equal(await value('enable', { account: 'joe' }), { account: 'joe@example.test', status: 'active' });
  assert.is(directory.find('joe@example.test')?.version, 3);
});

test('a change that may stand or not is asked for again, three times in all', async () => {
  const { ask, value, directory } = node();
  const { change } = directory;
  let unknown = 2;
  directory.change = async (...given) => {
    const changed = await change(...given);
    unknown -= 1;
    return unknown >= 0 ? { ok: false, refusal: 'unknown' } : changed;
  };
  assert.ok((await ask('disable', { account: 'joe' })).ok);
  assert.is(directory.find('joe@example.test')?.version, 2);
  unknown = 3;
  assert.match(String(await value('enable', { account: 'joe' })), /may stand/);
});

test('no account, a directory that can not be written, an argument that is none: said, and nothing is kicked', async () => {
  const { value, open, directory } = node([session('1', 'joe@example.test')]);
  assert.equal(await value('disable', { account: 'nobody' }), ['there is no account nobody@example.test']);
  assert.match(String(await value('kick', { account: 'a b' })), /^account: /);
  assert.match(String(await value('kick')), /^account: is missing/);
  assert.match(String(await value('disable', { account: 7 })), /^account: must be text/);
  directory.fails = 'unavailable';
  assert.match(String(await value('disable', { account: 'joe' })), /can not be written now/);
  assert.is(open.length, 1);
});

test('nologin takes one line of text, and is undone', async () => {
  const { value, world } = node();
  assert.equal(await value('nologin', { text: 'zurück um 12' }), { nologin: 'zurück um 12' });
  for (const text of ['', '  ', 'a\r\nb', 'a\0', 'x'.repeat(401), 'ü'.repeat(201)])
    assert.match(String(await value('nologin', { text })), /^text: /, JSON.stringify(text));
  assert.is(world.nologin, 'zurück um 12');
  assert.equal(await value('nologin'), { nologin: null });
});

test('reload tells what is in force and what waits, or each thing wrong', async () => {
  const { value, world } = node();
  world.reloads = accept({ applied: ['log.level'], needRestart: ['me'] });
  assert.equal(await value('reload'), { applied: ['log.level'], needRestart: ['me'] });
  world.reloads = { ok: false, refusal: ['homing.toml: me: is missing', 'homing.toml: data: is missing'] };
  assert.equal(await value('reload'), ['homing.toml: me: is missing', 'homing.toml: data: is missing']);
});

test.run();
