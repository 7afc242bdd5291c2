/**
 * How root is set aside, used and given up, on a model of what the kernel keeps of a process (credentials(7)): which ids it
 * has, and what setuid(2), seteuid(2) and setgid(2) do and refuse. On a real process: test/system/privileges.test.ts.
 */
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError } from '../../bin/command-error.ts';
import { accountNamed, asRuntimeUser, type Identity, setRootAside, type User } from '../../bin/privileges.ts';

const test = suite<{ data: string }>('privileges');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'homing-root-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

/** The user of the data directory itself, so that no test needs root to make one. */
const owner = (data: string): User => ({
  name: 'homing',
  uid: statSync(data).uid + 4711,
  gid: 4712,
  groups: [4712, 8],
});

class Kernel {
  real = 0;
  effective = 0;
  saved = 0;
  group = { real: 0, effective: 0, saved: 0 };
  groups = [0, 27];
  /** One that lets go of nothing: for what the check at the end must find. */
  isBroken = false;

  readonly identity = {
    getuid: () => this.real,
    geteuid: () => this.effective,
    getgid: () => this.group.real,
    getegid: () => this.group.effective,
    getgroups: () => this.groups,
    setuid: (uid: number) => {
      if (this.effective === 0) {
        this.effective = uid;
        if (!this.isBroken || uid === 0) [this.real, this.saved] = [uid, uid];
      } else if (uid === this.real || uid === this.saved) this.effective = uid;
      else throw new Error('EPERM');
    },
    seteuid: (uid: number) => {
      if (this.effective !== 0 && uid !== this.real && uid !== this.saved) throw new Error('EPERM');
      this.effective = uid;
    },
    setgid: (gid: number) => {
      if (this.effective !== 0) throw new Error('EPERM');
      this.group = { real: gid, effective: gid, saved: gid };
    },
    setegid: (gid: number) => {
      if (this.effective !== 0 && gid !== this.group.real && gid !== this.group.saved) throw new Error('EPERM');
      this.group.effective = gid;
    },
    setgroups: (groups: readonly number[]) => {
      if (this.effective !== 0) throw new Error('EPERM');
      this.groups = [...groups];
    },
    initgroups: (_name: string, gid: number) => {
      if (this.effective !== 0) throw new Error('EPERM');
      this.groups = [gid, 8];
    },
  } satisfies Identity;
}

const thrownBy = (act: () => unknown): Error | undefined => {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  return undefined;
};

function rooted(data: string) {
  const user = owner(data);
  const kernel = new Kernel();
  // Whose files these are is told from the disk: made the user's where this runs as root, else the ids are the disk's.
  if (process.getuid!() === 0) chownSync(data, user.uid, user.gid);
  const there = { ...user, uid: statSync(data).uid };
  const begin = () => setRootAside({ data, runtimeUser: 'homing' }, 'h.toml', kernel.identity, () => there);
  return { kernel, user: there, begin };
}

test("root is set aside at once, with the groups of the user and none of root's", ({ data }) => {
  const { kernel, user, begin } = rooted(data);
  assert.equal(begin().user, user);
  assert.equal([kernel.real, kernel.effective, kernel.saved], [0, user.uid, 0]);
  assert.is(kernel.group.effective, user.gid);
  assert.equal(kernel.groups, [user.gid, 8]);
});

test('it is taken up for what needs it and set aside again, also after a fault, and only by the last of several', async ({
  data,
}) => {
  const { kernel, user, begin } = rooted(data);
  const { asRoot } = begin();
  assert.is(await asRoot(async () => kernel.effective), 0);
  assert.is(kernel.effective, user.uid);
  assert.is(kernel.group.effective, user.gid);
  const fault = await asRoot(() => Promise.reject(new Error('in use'))).catch((error: Error) => error.message);
  assert.is(fault, 'in use');
  assert.is(kernel.effective, user.uid);
  let endFirst = () => {};
  const first = asRoot(() => new Promise<void>((resolve) => (endFirst = resolve)));
  await asRoot(async () => {});
  assert.is(kernel.effective, 0, 'the first still needs it');
  endFirst();
  await first;
  assert.is(kernel.effective, user.uid);
});

test("it is given up for good: every id is the user's, and there is no way back", async ({ data }) => {
  const { kernel, user, begin } = rooted(data);
  const privileges = begin();
  privileges.drop();
  privileges.drop();
  assert.equal([kernel.real, kernel.effective, kernel.saved], [user.uid, user.uid, user.uid]);
  assert.equal(kernel.group, { real: user.gid, effective: user.gid, saved: user.gid });
  assert.throws(() => kernel.identity.seteuid(0));
  assert.is(await privileges.asRoot(async () => kernel.effective), user.uid, 'what runs later runs as the user');
});

test('a system on which it could be taken back ends the start', ({ data }) => {
  const { kernel, begin } = rooted(data);
  const privileges = begin();
  kernel.isBroken = true;
  assert.match(thrownBy(() => privileges.drop())!.message, 'did not become "homing" for good');
});

test("a group that is left, or is not one of the user's, ends the start", ({ data }) => {
  for (const leave of ['effective', 'others'] as const) {
    const { kernel, begin } = rooted(data);
    const privileges = begin();
    const { setgid } = kernel.identity;
    kernel.identity.setgid = (gid) => {
      setgid(gid);
      if (leave === 'effective') kernel.group.effective = 0;
      else kernel.groups.push(27);
    };
    assert.match(thrownBy(() => privileges.drop())!.message, 'did not become "homing" for good');
  }
});

test('it can not be given up while it is used', async ({ data }) => {
  const { begin } = rooted(data);
  const privileges = begin();
  await privileges.asRoot(async () => assert.throws(() => privileges.drop(), /still in use/));
});

test("data that is not the user's is refused before anything is changed, wherever below the first such file is", ({
  data,
}) => {
  const stranger: User = { name: 'homing', uid: statSync(data).uid + 1, gid: 1, groups: [1] };
  const kernel = new Kernel();
  const refused = () =>
    thrownBy(() => setRootAside({ data, runtimeUser: 'homing' }, 'h.toml', kernel.identity, () => stranger));
  assert.instance(refused(), CommandError);
  assert.match(refused()!.message, `h.toml: data: ${data} belongs to the user with id`);
  assert.match(refused()!.message, `chown -R homing: ${data}`);
  assert.is(kernel.effective, 0);
  assert.equal(kernel.groups, [0, 27]);
  if (process.getuid!() !== 0) return; // only root can make what follows
  mkdirSync(join(data, 'mail/n1'), { recursive: true });
  for (const path of ['', 'mail', 'mail/n1']) chownSync(join(data, path), stranger.uid, 1);
  assert.is(refused(), undefined);
  writeFileSync(join(data, 'mail/n1/data.mdb'), '');
  kernel.identity.seteuid(0);
  assert.match(refused()!.message, 'mail/n1/data.mdb belongs to the user with id 0');
  rmSync(join(data, 'mail'), { recursive: true });
  // What a start as root, without a runtime-user, leaves behind.
  for (const name of ['run', 'log', 'etc', 'ipc', 'lost+found']) mkdirSync(join(data, name));
  for (const name of ['run', 'log', 'etc', 'ipc']) chownSync(join(data, name), stranger.uid, 1);
  kernel.identity.seteuid(0);
  assert.is(refused(), undefined, 'lost+found is not ours');
  for (const path of ['admin-seen', 'cluster.key', 'run/pop3d.lock', 'log/homing.log', 'ipc/control', 'etc/other']) {
    writeFileSync(join(data, path), '');
    kernel.identity.seteuid(0);
    assert.match(refused()?.message ?? 'not refused', `${path} belongs to the user with id 0`);
    rmSync(join(data, path));
  }
  writeFileSync(join(data, 'etc/nologin'), 'back at noon', { mode: 0o644 });
  kernel.identity.seteuid(0);
  assert.is(refused(), undefined, "root's own nologin can be read and removed");
});

test('nothing happens to who is the user already; who can not become it goes on, and it is said', ({ data }) => {
  const config = { data, runtimeUser: 'homing' };
  const user: User = { name: 'homing', uid: 1000, gid: 1000, groups: [1000] };
  const as = (real: number) => {
    const kernel = new Kernel();
    kernel.real = kernel.effective = kernel.saved = real;
    return { kernel, privileges: setRootAside(config, 'h.toml', kernel.identity, () => user) };
  };
  assert.equal(as(1000).privileges.warnings, []);
  const { kernel, privileges } = as(1001);
  assert.is(privileges.warnings.length, 1);
  assert.match(
    privileges.warnings[0]!,
    'h.toml: runtime-user: only root can become "homing": the node runs as the user with id 1001',
  );
  privileges.drop();
  assert.is(kernel.effective, 1001);
});

test('root without a runtime-user stays root, and it is said; others need none', ({ data }) => {
  const kernel = new Kernel();
  const begin = () => setRootAside({ data, runtimeUser: undefined }, 'h.toml', kernel.identity, () => undefined);
  assert.match(begin().warnings[0]!, 'h.toml: runtime-user: is not set: the node runs as root');
  kernel.real = 1000;
  assert.equal(begin().warnings, []);
});

test('an unknown user, and a runtime that can not change users, are named', ({ data }) => {
  const config = { data, runtimeUser: 'nobody-here' };
  const { identity } = new Kernel();
  const unknown = thrownBy(() => setRootAside(config, 'h.toml', identity, () => undefined));
  assert.instance(unknown, CommandError);
  assert.match(unknown!.message, 'h.toml: runtime-user: there is no user "nobody-here" on this machine');
  const { initgroups: _, ...lacking } = identity;
  const user: User = { name: 'nobody-here', uid: 5, gid: 5, groups: [5] };
  const unable = thrownBy(() => setRootAside(config, 'h.toml', lacking, () => user));
  assert.instance(unable, CommandError);
  assert.match(unable!.message, "this runtime can't become another user (it has no initgroups)");
  assert.is(identity.geteuid(), 0);
});

test('users are looked up by the system', () => {
  assert.equal(accountNamed('root'), { name: 'root', uid: 0, gid: 0, groups: accountNamed('root')!.groups });
  assert.ok(accountNamed('root')!.groups.includes(0));
  assert.is(accountNamed('no-such-user-of-this-machine'), undefined);
});

test("a command of root's works as the user for as long as it is at the databases, and may make the data directory", async ({
  data,
}) => {
  const user: User = {
    name: 'homing',
    uid: process.getuid!() === 0 ? 4711 : process.getuid!(),
    gid: process.getgid!(),
    groups: [],
  };
  const kernel = new Kernel();
  const made = join(data, 'new/n1');
  const options = { makesData: true, identity: kernel.identity, accounts: () => user };
  const during = await asRuntimeUser(
    { data: made, runtimeUser: 'homing' },
    'h.toml',
    async () => kernel.effective,
    options,
  );
  assert.is(during, user.uid);
  assert.is(kernel.effective, 0);
  assert.equal(kernel.groups, [0, 27], 'and root has its groups again');
  assert.is(statSync(made).uid, user.uid);
  assert.is(statSync(made).mode & 0o777, 0o700);
  assert.is(statSync(join(data, 'new')).mode & 0o777, 0o755, 'the user can get there');
});

test('root is no runtime user', ({ data }) => {
  const root: User = { name: 'toor', uid: 0, gid: 0, groups: [0] };
  const named = { data, runtimeUser: 'toor' };
  assert.throws(
    () => setRootAside(named, 'h.toml', new Kernel().identity, () => root),
    /^h\.toml: runtime-user: "toor" is root/,
  );
});

test.run();
