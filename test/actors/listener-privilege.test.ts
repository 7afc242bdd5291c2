/** Ports below 1024: opened with what root was set aside for, and with nothing more. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AsRoot, boundPlace, listenAt, type Place } from '../../actors/listener-socket.ts';

/** Counts, and refuses as the system does where there is no right to take up. */
function gate(isDenied = false) {
  const used = { times: 0 };
  const asRoot: AsRoot = async (open) => {
    used.times += 1;
    if (isDenied) throw Object.assign(new Error('denied'), { code: 'EACCES' });
    return await open();
  };
  return { used, asRoot };
}

async function opened(place: Place, asRoot: AsRoot): Promise<void> {
  const server = await listenAt(place, (socket) => socket.destroy(), { asRoot });
  const bound = boundPlace(server, place);
  const client = connect('path' in bound ? { path: bound.path } : { host: bound.address, port: bound.port });
  client.on('error', () => {});
  await once(client, 'close'); // it was accepted, or it never would be
  await new Promise((closed) => server.close(closed));
}

/** Below 1024 and free, where this process may know. */
async function lowPort(): Promise<number | undefined> {
  for (let port = 1023; port > 900; port -= 1) {
    const server = createServer();
    const code = await new Promise<string | undefined>((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      server.listen(port, '127.0.0.1', () => resolve(undefined));
    });
    if (code === 'EACCES') return undefined;
    if (code !== undefined) continue;
    await new Promise((closed) => server.close(closed));
    return port;
  }
  return undefined;
}

test('neither a free port nor a unix socket asks for root', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-low-'));
  try {
    const { used, asRoot } = gate(true);
    await opened({ address: '127.0.0.1', port: 0 }, asRoot);
    await opened({ path: join(directory, 'socket') }, asRoot);
    assert.is(used.times, 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a port below 1024 is opened within it', async () => {
  const { used, asRoot } = gate();
  const port = await lowPort();
  if (port === undefined) {
    const fault = await opened({ address: '127.0.0.1', port: 1023 }, asRoot).catch((error: Error) => error.message);
    assert.match(
      String(fault),
      /^cannot listen on 127\.0\.0\.1:1023: .*EACCES.*: a port below 1024 needs CAP_NET_BIND_SERVICE/,
    );
  } else await opened({ address: '127.0.0.1', port }, asRoot);
  assert.is(used.times, 1);
});

test.run();
