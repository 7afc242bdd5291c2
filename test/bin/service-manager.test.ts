/** What a service manager hears of a node that is ready. The manager here is a datagram socket of python3. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tellReady } from '../../bin/service-manager.ts';

const MANAGER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
print(s.recv(4096).decode().strip(), flush=True)
while True: s.recv(4096) # systemd-notify waits until all that it sent was taken
`;

const has = (program: string) => spawnSync(program, ['--version']).status === 0;

test('nobody that waits: nothing is done', async () => {
  assert.is(await tellReady('serves', { PATH: '' }), undefined);
});

test('systemd hears that the node is ready and where it serves, on one line', async () => {
  if (!has('systemd-notify') || !has('python3')) return console.log('skipped: systemd-notify or python3 is missing');
  const directory = mkdtempSync(join(tmpdir(), 'homing-notify-'));
  const path = join(directory, 'notify');
  const manager = spawn('python3', ['-c', MANAGER, path]);
  try {
    let said = '';
    manager.stdout.on('data', (bytes) => (said += String(bytes)));
    await once(manager.stdout, 'data');
    assert.is(
      await tellReady('serves pop3 on 127.0.0.1:110,\nlmtp', { ...process.env, NOTIFY_SOCKET: path }),
      undefined,
    );
    while (!said.includes('STATUS=')) await once(manager.stdout, 'data');
    assert.is(said, 'bound\nREADY=1\nSTATUS=serves pop3 on 127.0.0.1:110, lmtp\n');
  } finally {
    manager.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('what kept it from being told is named, and is no reason to stop', async () => {
  const fault = await tellReady('serves', { PATH: '/nonexistent', NOTIFY_SOCKET: '/nonexistent/notify' });
  assert.match(String(fault), /^systemd-notify: .*ENOENT/);
});

test.run();
