/** The control socket between its two ends: whatever comes in gets an answer, and who goes away harms nobody. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { done, type Verbs } from '../../admin/control.ts';
import { connectControl } from '../../admin/control-client.ts';
import { serveControl } from '../../admin/control-server.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';

async function withServer(verbs: Verbs, use: (path: string) => Promise<void>, log: Log = silentLog): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const path = join(directory, 'ipc', 'control');
  const server = await serveControl(path, verbs, log);
  try {
    await use(path);
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Sends the octets as they are; the first `count` answers. */
async function answersTo(path: string, octets: string, count: number): Promise<{ ok: boolean; errors?: string[] }[]> {
  const socket = createConnection(path);
  socket.write(octets);
  const answers = [];
  for await (const line of createInterface({ input: socket })) {
    answers.push(JSON.parse(line));
    if (answers.length === count) break;
  }
  socket.destroy();
  return answers;
}

const echo: Verbs = { echo: async (given) => done(given) };

test('a line that is no request is refused, and the next one answered', () =>
  withServer(echo, async (path) => {
    const lines = ['null', '7', '[]', '"echo"', '{}', '{"verb":7}', '{"verb":"echo","arguments":7}', 'not JSON'];
    const inherited = ['constructor', 'toString', '__proto__'].map((verb) => JSON.stringify({ verb }));
    const all = [...lines, ...inherited, '{"verb":"echo","arguments":{"a":1}}'];
    const answers = await answersTo(path, all.map((line) => line + '\n').join(''), all.length);
    assert.equal(
      answers.map(({ ok }) => ok),
      all.map((_, index) => index === all.length - 1),
    );
    for (const { errors } of answers.slice(lines.length, -1)) assert.match(errors![0]!, /does not know the verb/);
    assert.equal(answers.at(-1), { ok: true, value: { a: 1 } });
  }));

test('a request too long is said to be so, and let go by', () =>
  withServer(echo, async (path) => {
    const request = (octets: number) => {
      const frame = JSON.stringify({ verb: 'echo', arguments: { a: '' } });
      return frame.replace('""', `"${'x'.repeat(octets - frame.length)}"`) + '\n';
    };
    const octets = request(1024 * 1024 + 1) + request(1024 * 1024) + request(5 * 1024 * 1024) + request(100);
    const answers = await answersTo(path, octets, 4);
    assert.equal(
      answers.map(({ ok }) => ok),
      [false, true, false, true],
    );
    assert.match(answers[0]!.errors![0]!, /^request too long/);
  }));

test('one that goes away while it is answered costs a line in the log, and the others nothing', async () => {
  const asked: (() => void)[] = [];
  const verbs: Verbs = {
    ...echo,
    large: () => new Promise((resolve) => asked.push(() => resolve(done('x'.repeat(4_000_000))))),
  };
  await withServer(verbs, async (path) => {
    for (let round = 0; round < 5; round++) {
      const socket = createConnection(path);
      await once(socket, 'connect');
      socket.write('{"verb":"large"}\n{"verb":"large"}\n');
      while (asked.length === 0) await new Promise(setImmediate);
      socket.destroy();
      asked.pop()!();
      await once(socket, 'close');
    }
    assert.equal(await answersTo(path, '{"verb":"echo"}\n', 1), [{ ok: true, value: {} }]);
  });
});

test('a server that goes away in the midst of it is told to the command as such', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  try {
    for (const said of ['', '{"ok":tr']) {
      const path = join(directory, `control${said.length}`);
      // Closing with octets unread makes the system reset the connection.
      const server = createServer({ pauseOnConnect: true }, (socket) => socket.write(said, () => socket.destroy()));
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const client = await connectControl(path);
      const answer = await client!.ask({ verb: 'echo' });
      assert.is(answer.ok, false);
      assert.match(JSON.stringify(answer), /the server went away before it answered/);
      client!.close();
      await new Promise((resolve) => server.close(resolve));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test.run();
