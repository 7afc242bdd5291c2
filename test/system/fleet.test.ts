/** The fleet that tests and load runs start: what can't start leaves nothing behind. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFleet } from '../../bench/fleet/fleet.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { hasNats } from '../support/system.ts';

/** The command lines of the processes that name `directory`. */
const processesOn = (directory: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return []; // gone meanwhile
      }
    })
    .filter((command) => command.includes(directory));

(hasNats() ? test : test.skip)('a node whose port is taken fails the start, and every process is ended', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const base = (await new PortPicker().next()) - 110;
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(base + 110, '127.0.0.1', resolve));
  try {
    const said = await startFleet({ directory, nodes: ['n1', 'n2', 'n3'], nats: 1, portBase: base }).then(
      () => 'started',
      (error: Error) => error.message,
    );
    assert.match(said, /EADDRINUSE/);
    assert.equal(processesOn(directory), []);
  } finally {
    taken.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('ports of one picker are free and not the same', async () => {
  const picker = new PortPicker();
  const ports = [];
  for (let each = 0; each < 30; each++) ports.push(await picker.next());
  assert.is(new Set(ports).size, 30);
  assert.ok(ports.every((port) => port >= 10_000 && port < 32_768));
});

test.run();
