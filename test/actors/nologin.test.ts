/** nologin: which words of the file clients see, and that no file makes them unfit or costs more than a glance. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nologinText, readNologin } from '../../actors/nologin.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';

const GENERIC = 'no logins at the moment, try again later';
const text = (written: string) => nologinText(Buffer.from(written, 'utf8'));

test('only the first line is said, however it ends', () => {
  for (const written of [
    'back at noon',
    'back at noon\n',
    'back at noon\r\nsecret\n',
    'back at noon\nsecret',
    'back at noon\rX',
  ])
    assert.is(text(written), 'back at noon', JSON.stringify(written));
});

test('an empty first line gives a text of ours', () => {
  for (const written of ['', '\n', '\r\nmore', '   \n', '\0\x07\n', '\u200b'.repeat(0)])
    assert.is(text(written), GENERIC);
});

test('controls are left out, letters lose their marks, what is not ASCII is a question mark', () => {
  assert.is(text('a\x1b[31mb\tc \x7fd'), 'a[31mb c d');
  assert.is(text('Wartung für alle Gäste – bis 18:00'), 'Wartung fur alle Gaste ? bis 18:00');
  assert.is(text('\ufeffback'), 'back', 'a byte order mark is no letter');
});

test('whatever the file holds, it is one short line of printable ASCII', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (octets) => {
      assert.match(nologinText(octets), /^[ -~]{1,480}$/);
    }),
  );
  assert.is(`-ERR [ALERT] ${text('x'.repeat(5000))}\r\n`.length <= 512, true); // RFC 2449 §4
});

test('a file that is not there, that is no file, that may not be read, that is huge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-nologin-'));
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
  const path = join(folder, 'nologin');
  const read = () => readNologin(path, log);
  try {
    assert.is(read(), undefined);
    assert.is(readNologin(join(folder, 'etc', 'nologin'), log), undefined);
    writeFileSync(path, 'later');
    assert.is(read(), 'later');
    writeFileSync(path, 'y'.repeat(10_000_000));
    assert.is(read(), 'y'.repeat(480));
    if (process.getuid?.() !== 0) {
      chmodSync(path, 0);
      assert.is(read(), GENERIC);
      assert.equal(errors, ['nologin is there and cannot be read']);
    }
    rmSync(path);
    mkdirSync(path);
    assert.is(read(), GENERIC);
    rmSync(path, { recursive: true });
    symlinkSync('nologin', path); // leads nowhere: cannot even be looked at, and yet it is there
    const before = errors.length;
    assert.is(read(), GENERIC);
    assert.is(errors.length, before + 1);
    rmSync(path);
    if (spawnSync('mkfifo', [path]).status === 0) assert.is(read(), GENERIC, 'a pipe is not waited for');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
