/** The files that name the process to whoever sends it a signal. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { daemonOf, PROTOCOLS, protocolsServed } from '../../bin/daemons.ts';
import { pidFiles } from '../../bin/pid-files.ts';

const test = suite<{ data: string; run: string }>('pid files');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'homing-pid-'));
  context.run = join(context.data, 'run');
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

const KNOWN = PROTOCOLS.map(daemonOf);

test('a daemon is named after its protocol, each once however many listeners it has', () => {
  const listeners = [{ protocol: 'pop3' }, { protocol: 'lmtp' }, { protocol: 'pop3' }] as const;
  assert.equal(protocolsServed(listeners).map(daemonOf), ['pop3d', 'lmtpd']);
  assert.equal(protocolsServed([]), []);
});

test('each holds the process id in decimal and a line end, for its owner only, and nothing is left beside it', ({
  data,
  run,
}) => {
  pidFiles(data, KNOWN).set(['pop3d', 'lmtpd']);
  assert.equal(readdirSync(run).sort(), ['lmtpd.lock', 'pop3d.lock']);
  for (const name of ['lmtpd.lock', 'pop3d.lock']) {
    assert.is(readFileSync(join(run, name), 'latin1'), `${process.pid}\n`);
    assert.is(statSync(join(run, name)).mode & 0o777, 0o600);
  }
});

test('one of a dead process is replaced, also one that can not be written to, and a draft of it', ({ data, run }) => {
  mkdirSync(run);
  writeFileSync(join(run, 'pop3d.lock'), '999999\n');
  chmodSync(join(run, 'pop3d.lock'), 0o400);
  writeFileSync(join(run, 'pop3d.lock.draft'), '99');
  pidFiles(data, KNOWN, 4711).set(['pop3d']);
  assert.equal(readdirSync(run), ['pop3d.lock']);
  assert.is(readFileSync(join(run, 'pop3d.lock'), 'latin1'), '4711\n');
});

test('a dead one of a daemon that is not served any more goes; other files stay', ({ data, run }) => {
  mkdirSync(run);
  writeFileSync(join(run, 'lmtpd.lock'), '999999\n');
  writeFileSync(join(run, 'homing.lock'), 'the data lock');
  pidFiles(data, KNOWN).set(['pop3d']);
  assert.equal(readdirSync(run).sort(), ['homing.lock', 'pop3d.lock']);
});

test('a reader never finds an empty or a half-written one', ({ data, run }) => {
  const files = pidFiles(data, KNOWN, 12345);
  files.set(['pop3d']);
  const inode = statSync(join(run, 'pop3d.lock')).ino;
  files.set(['pop3d']);
  // Another file under the same name: what a reader has open of the old one is whole.
  assert.is.not(statSync(join(run, 'pop3d.lock')).ino, inode);
});

test("removing takes one's own, and leaves those that name another process", ({ data, run }) => {
  const files = pidFiles(data, KNOWN, 4711);
  files.set(['pop3d', 'lmtpd']);
  writeFileSync(join(run, 'lmtpd.lock'), '4712\n');
  files.remove();
  files.remove();
  assert.equal(readdirSync(run), ['lmtpd.lock']);
});

test.run();
