/** Replies on their way into a socket: merged, one body at a time, as fast as the client reads, and broken off when it must be. */
import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Outlet, type Sender } from '../../actors/outlet.ts';

/** A socket that takes `room` octets before it wants to be drained, and what it is told. */
function wire(highWaterMark = 1_000_000) {
  const writes: string[] = [];
  const taken: (() => void)[] = [];
  const socket = new Writable({
    highWaterMark,
    write(bytes, _encoding, done) {
      writes.push(String(bytes));
      if (highWaterMark < 1_000_000) taken.push(done);
      else done();
    },
  });
  const told: string[] = [];
  const sender: Sender = {
    stalled: () => void told.push('stalled'),
    wrote: () => {},
    sent: () => void told.push('sent'),
    broke: (fault) => void told.push(`broke: ${(fault as Error).message}`),
  };
  const outlet = new Outlet();
  socket.on('drain', () => outlet.drain());
  return { outlet, socket, sender, writes, told, taken };
}

async function* pieces(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text);
}

test('octets go out in one write, then a body by itself, then what came behind it', async () => {
  const { outlet, socket, sender, writes, told } = wire();
  outlet.add(Buffer.from('a'));
  outlet.add(Buffer.from('b'));
  outlet.add(pieces('1', '2'));
  assert.ok(outlet.isFull);
  outlet.add(Buffer.from('c'));
  outlet.flush(socket, sender);
  assert.ok(outlet.isSending);
  outlet.flush(socket, sender); // nothing may come between a body's pieces
  while (!told.includes('sent')) await turn();
  assert.equal(writes, ['ab', '1', '2']);
  assert.not.ok(outlet.isEmpty);
  outlet.flush(socket, sender);
  assert.equal(writes, ['ab', '1', '2', 'c']);
  assert.ok(outlet.isEmpty);
  assert.is(outlet.octets, 5);
});

test('a body waits for the client to read, and tells that it does', async () => {
  const { outlet, socket, sender, writes, told, taken } = wire(1);
  outlet.add(pieces('12', '34'));
  outlet.flush(socket, sender);
  while (told.length === 0) await turn();
  assert.equal([told, writes], [['stalled'], ['12']]);
  while (!told.includes('sent')) {
    taken.shift()?.();
    await turn();
  }
  assert.equal(writes, ['12', '34']);
});

test('a body that breaks is told, and is not followed by anything', async () => {
  const { outlet, socket, sender, writes, told } = wire();
  outlet.add(
    (async function* () {
      yield Buffer.from('1');
      throw new Error('the owner died');
    })(),
  );
  outlet.add(Buffer.from('x'));
  outlet.flush(socket, sender);
  while (told.length === 0) await turn();
  assert.equal(told, ['broke: the owner died']);
  outlet.flush(socket, sender);
  assert.equal(writes, ['1']);
});

test('when it is closed a body is let go of, in whatever it waits', async () => {
  for (const isStalled of [false, true]) {
    const { outlet, socket, sender, told } = wire(isStalled ? 1 : undefined);
    let isLetGo = false;
    let next: () => void = () => {};
    outlet.add(
      (async function* () {
        try {
          yield Buffer.from('12');
          if (!isStalled) await new Promise<void>((resolve) => (next = resolve));
          yield Buffer.from('34');
        } finally {
          isLetGo = true;
        }
      })(),
    );
    outlet.flush(socket, sender);
    for (let turns = 0; turns < 5; turns += 1) await turn();
    outlet.close();
    next();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    assert.ok(isLetGo);
    assert.not.ok(told.includes('sent'));
  }
});

test.run();
