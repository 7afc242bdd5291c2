/** Who may import whom. docs/architecture.md draws the same table; here it holds. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = resolve(dirname(new URL(import.meta.url).pathname), '..');

/** Each room, and the rooms it may import from besides itself: the table of docs/architecture.md, "The house". */
const rooms: Record<string, readonly string[]> = Object.fromEntries(
  [...readFileSync(join(root, 'docs/architecture.md'), 'utf8').matchAll(/^\| `(\w+)` \|[^|]*\| ([^|]*)\|$/gm)].map(
    ([, room, allowed]) => [room!, [...allowed!.matchAll(/`(\w+)`/g)].map((match) => match[1]!)],
  ),
);

test('the table of rooms is there, and every folder of the product is a room', () => {
  assert.is(Object.keys(rooms).length, 11);
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  assert.equal(Object.keys(rooms).sort(), files.filter((name) => !/docs|packaging|\./.test(name)).sort());
});

const sources = (folder: string): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(root, folder, file))
    : [];
const imports = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
const roomOf = (file: string) => relative(root, file).split('/')[0]!;

for (const [room, allowed] of Object.entries(rooms))
  test(`${room}/ imports only ${[room, ...allowed].join(', ')}`, () => {
    assert.ok(sources(room).length > 0, `${room}/ is empty`);
    for (const file of sources(room))
      for (const specifier of imports(file).filter((each) => each.startsWith('.'))) {
        const target = roomOf(resolve(dirname(file), specifier));
        assert.ok(target === room || allowed.includes(target), `${relative(root, file)} imports ${specifier}`);
      }
  });

test('protocols/ and mime/ do no input or output and know no clock', () => {
  for (const file of [...sources('protocols'), ...sources('mime')]) {
    for (const specifier of imports(file))
      assert.not.match(specifier, /^(node:(?!buffer$|crypto$|assert$)|xstate|@nats-io|lmdb)/, relative(root, file));
    assert.not.match(
      readFileSync(file, 'utf8'),
      /Date\.now|new Date\(\)|setTimeout|performance\./,
      relative(root, file),
    );
  }
});

test('only the connection and the listener hold sockets among the actors', () => {
  for (const file of sources('actors'))
    if (imports(file).some((specifier) => /^node:(net|tls)$/.test(specifier)))
      // certificates.ts makes the contexts that handshakes begin with, and sees no socket
      assert.ok(/^actors\/(connection|listener|certificates\.ts)/.test(relative(root, file)), relative(root, file));
});

test('actors/mailbox-owner/ knows no protocol', () => {
  for (const file of sources('actors/mailbox-owner'))
    for (const specifier of imports(file))
      assert.not.match(specifier, /protocols\/|\/(pop3|lmtp|poppwd|imap)\//, relative(root, file));
});

test('time comes as an argument: only kernel/clock.ts and bin/ ask the machine for it', () => {
  for (const room of ['actors', 'cluster', 'store', 'protocols', 'mime', 'config', 'telemetry'])
    for (const file of sources(room))
      assert.not.match(readFileSync(file, 'utf8'), /Date\.now\(|setTimeout\(|setInterval\(/, relative(root, file));
});

test('no default exports, no barrels, no namespaces, no enums', () => {
  for (const room of Object.keys(rooms))
    for (const file of sources(room)) {
      const text = readFileSync(file, 'utf8');
      assert.not.match(text, /^export default|^export \* from|^(export )?(const )?enum |^(export )?namespace /m, file);
    }
});

test('every file opens by telling its place', () => {
  for (const room of [...Object.keys(rooms), 'scripts', 'test'])
    for (const file of sources(room))
      assert.match(readFileSync(file, 'utf8'), /^(#!.*\n)?\/\*\*/, relative(root, file));
});

test('no file of the product is longer than 400 lines', () => {
  for (const room of Object.keys(rooms))
    for (const file of sources(room)) {
      const lines = readFileSync(file, 'utf8').split('\n').length;
      assert.ok(lines <= 400, `${relative(root, file)}: ${lines} lines`);
    }
});

test.run();
