/** DEFLATE in the middle of a session: RFC 4978, on real sockets; and clients that misuse it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { beginCompression } from '../../actors/connection-compression.ts';
import { isSecured } from '../../actors/connection-tls.ts';

type Pair = { readonly client: Socket; readonly socket: Socket; readonly compressed: Duplex };

/** The server's side of a connection under compression, and the client's bare socket. Nothing of them is left afterwards. */
async function withPair(
  use: (pair: Pair) => Promise<void>,
  begin: (socket: Socket) => Duplex = beginCompression,
): Promise<void> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  const compressed = begin(socket);
  try {
    await use({ client, socket, compressed });
  } finally {
    compressed.destroy();
    client.destroy();
    for (const each of [client, socket])
      if (!each.closed) await new Promise<void>((done) => each.once('close', () => done()));
  }
}

/** All until its end; the iterator of a stream would destroy it there. */
const heardAll = (from: NodeJS.ReadableStream): Promise<Buffer> =>
  new Promise((resolve) => {
    const parts: Buffer[] = [];
    from.on('data', (part) => parts.push(part));
    from.on('end', () => resolve(Buffer.concat(parts)));
  });

const flushed = (octets: Uint8Array): Promise<Buffer> => {
  const deflate = createDeflateRaw();
  const parts: Buffer[] = [];
  deflate.on('data', (part) => parts.push(part));
  return new Promise((resolve) => {
    deflate.write(octets);
    deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(Buffer.concat(parts)));
  });
};

test('what is said goes out at once, each time, and can be inflated so far', () =>
  withPair(async ({ client, compressed }) => {
    const heard: Buffer[] = [];
    client.on('data', (octets) => heard.push(octets));
    for (const said of ['a OK done\r\n', '* 1 EXISTS\r\n']) {
      compressed.write(said);
      await once(client, 'data');
      const all = inflateRawSync(Buffer.concat(heard), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
      assert.ok(all.endsWith(said), all);
    }
  }));

test('property: what the client sends arrives whatever its pieces, and what is answered as well', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.array(fc.nat(400), { maxLength: 8 }), (octets, cuts) =>
      withPair(async ({ client, compressed }) => {
        const heard = heardAll(compressed);
        let left = await flushed(octets);
        for (const cut of cuts) {
          client.write(left.subarray(0, cut));
          left = left.subarray(cut);
        }
        client.end(left);
        assert.equal(await heard, Buffer.from(octets));
        const answered = heardAll(client);
        compressed.end(octets);
        assert.equal(inflateRawSync(await answered), Buffer.from(octets));
      }),
    ),
    { numRuns: 60 },
  ));

test('what the server was given to write before goes out before, as it is', () =>
  withPair(
    async ({ client, compressed }) => {
      compressed.end('* BYE\r\n');
      const all = await heardAll(client);
      const end = all.indexOf('\r\n') + 2;
      assert.is(all.subarray(0, end).toString(), 'a OK DEFLATE active\r\n');
      assert.is(inflateRawSync(all.subarray(end)).toString(), '* BYE\r\n');
    },
    (socket) => {
      socket.write('a OK DEFLATE active\r\n');
      return beginCompression(socket);
    },
  ));

test('hostile: what inflates to a thousand times its size is made only as it is read', () =>
  withPair(async ({ client, compressed }) => {
    client.write(deflateRawSync(Buffer.alloc(200_000_000))); // 200 kB of them
    await once(compressed, 'readable');
    const before = process.memoryUsage().arrayBuffers;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(compressed.readableLength <= 128 * 1024, `${compressed.readableLength} octets lie ready`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000, 'and no more behind them');
  }));

const complaints: string[] = [];
const complaining = (socket: Duplex): Duplex => beginCompression(socket, (why) => complaints.push(why));

test('hostile: what is no DEFLATE ends the connection', () =>
  withPair(async ({ client, socket, compressed }) => {
    const closed = new Promise<void>((resolve) => compressed.once('close', resolve));
    compressed.on('error', () => {}).resume();
    client.write(Buffer.alloc(1000, 0xff));
    await closed;
    assert.ok(socket.destroyed);
    assert.equal(complaints.splice(0), ['Z_DATA_ERROR']);
  }, complaining));

test('what a client sends behind the end of its stream is read and dropped', () =>
  withPair(async ({ client, compressed }) => {
    const heard = heardAll(compressed);
    client.write(Buffer.concat([deflateRawSync('a LOGOUT\r\n'), Buffer.alloc(100_000)]));
    client.write('x');
    assert.is((await heard).toString(), 'a LOGOUT\r\n');
    const answered = heardAll(client);
    compressed.end('* BYE\r\n');
    assert.is(inflateRawSync(await answered).toString(), '* BYE\r\n');
  }));

test('a client that has vanished is one that has ended', () =>
  withPair(async ({ client, socket, compressed }) => {
    client.destroy();
    compressed.resume();
    await once(compressed, 'end');
    compressed.destroy();
    assert.ok(socket.destroyed);
  }));

test('a client that ends its side is answered still', () =>
  withPair(async ({ client, compressed }) => {
    const heard = heardAll(compressed);
    client.end(await flushed(Buffer.from('a LOGOUT\r\n')));
    assert.is((await heard).toString(), 'a LOGOUT\r\n');
    const answered = heardAll(client);
    compressed.end('* BYE\r\n');
    assert.is(inflateRawSync(await answered).toString(), '* BYE\r\n');
  }));

test('what came before the connection was closed in order is still there to be read', () =>
  withPair(async ({ client, socket, compressed }) => {
    client.end(await flushed(Buffer.from('a LOGOUT\r\n')));
    client.resume();
    compressed.end();
    await once(socket, 'close');
    assert.not.ok(compressed.destroyed);
    const closed = new Promise((resolve) => compressed.once('close', resolve));
    assert.is((await heardAll(compressed)).toString(), 'a LOGOUT\r\n');
    await closed;
  }));

test('a slow reader holds the writer up', () =>
  withPair(async ({ client, compressed }) => {
    client.pause();
    const noise = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 2654435761) >>> 13));
    let wrote = 0;
    while (compressed.write(noise) && wrote < 1000) wrote += 1;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    while (compressed.write(noise) && wrote < 1000) wrote += 1;
    assert.ok(compressed.writableNeedDrain && wrote < 1000);
    client.resume();
    await once(compressed, 'drain');
  }));

test('TLS below counts as TLS, and nothing else does', async () => {
  await withPair(async ({ compressed }) => assert.not.ok(isSecured(compressed)));
  await withPair(
    async ({ compressed }) => assert.ok(isSecured(compressed)),
    (socket) => beginCompression(new TLSSocket(socket)),
  );
});

test.run();
