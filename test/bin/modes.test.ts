/** What others may reach in the data directory, and what is done where it was more. */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError } from '../../bin/command-error.ts';
import { tightenData } from '../../bin/modes.ts';

const test = suite<{ data: string }>('modes of the data directory');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'homing-modes-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
};

test('missing directories are made for their owner alone, and nothing is said', ({ data }) => {
  assert.equal(tightenData(data), []);
  for (const name of ['ipc', 'run', 'log', 'etc']) assert.is(modeOf(join(data, name)), '700');
});

test('a data directory that is missing is not made', ({ data }) => {
  assert.equal(tightenData(join(data, 'none')), []);
  assert.not.ok(existsSync(join(data, 'none')));
});

test("an ipc that was loosened is its owner's alone again, and it is said: it is all that guards LMTP", ({ data }) => {
  for (const mode of [0o777, 0o755, 0o710, 0o701]) {
    mkdirSync(join(data, 'ipc'), { recursive: true });
    chmodSync(join(data, 'ipc'), mode);
    const said = tightenData(data);
    assert.is(said.length, 1);
    assert.match(said[0]!, `ipc: its mode was 0${mode.toString(8)}`);
    assert.is(modeOf(join(data, 'ipc')), '700');
  }
});

test('others may be let read run, log and etc, and never write there', ({ data }) => {
  tightenData(data);
  for (const name of ['run', 'log', 'etc']) chmodSync(join(data, name), 0o755);
  assert.equal(tightenData(data), []);
  for (const name of ['run', 'log', 'etc']) chmodSync(join(data, name), 0o777);
  assert.is(tightenData(data).length, 3);
  for (const name of ['run', 'log', 'etc']) assert.is(modeOf(join(data, name)), '755');
});

test('databases that others could read are 0600, and their directories are left alone', ({ data }) => {
  const files = ['directory/data.mdb', 'directory/lock.mdb', 'mail/n1/data.mdb', 'mail/n1/reserve'];
  for (const file of files) {
    mkdirSync(join(data, file, '..'), { recursive: true });
    writeFileSync(join(data, file), '');
    chmodSync(join(data, file), 0o644);
  }
  assert.is(tightenData(data).length, files.length);
  for (const file of files) assert.is(modeOf(join(data, file)), '600');
  assert.equal(tightenData(data), []);
});

test('a directory of another user ends the start and names both: its owner could put other sockets there', ({
  data,
}) => {
  tightenData(data);
  const own = process.getuid!();
  const error = thrownBy(() => tightenData(data, own + 1));
  if (own === 0) {
    chownSync(join(data, 'ipc'), 65_534, 65_534);
    const thrown = thrownBy(() => tightenData(data, 0));
    assert.instance(thrown, CommandError);
    assert.match((thrown as Error).message, /ipc: belongs to the user with id 65534, and not to that of the node, 0/);
  } else assert.instance(error, CommandError);
});

test.run();
