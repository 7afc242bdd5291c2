/** Every RFC that the code cites stands in docs/rfc.md, and every one there is cited or said to be not yet. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = resolve(dirname(new URL(import.meta.url).pathname), '..');
const rooms = [
  'actors',
  'admin',
  'bench',
  'bin',
  'cluster',
  'config',
  'kernel',
  'mime',
  'protocols',
  'store',
  'telemetry',
];

function cited(): Map<string, string> {
  const found = new Map<string, string>();
  for (const room of rooms)
    for (const file of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.ts'))
        for (const [, number] of readFileSync(join(root, room, file), 'utf8').matchAll(/\bRFCs? ?(\d{3,4})\b/g))
          found.set(number!, `${room}/${file}`);
  return found;
}

function listed(): Map<string, string> {
  const rows = readFileSync(join(root, 'docs/rfc.md'), 'utf8').matchAll(/^\| (\d{3,4}) \|[^|]*\| ([a-z]+) \|/gm);
  return new Map([...rows].map(([, number, status]) => [number!, status!.trim()]));
}

test('every RFC cited in the code is listed in docs/rfc.md', () => {
  const table = listed();
  assert.ok(table.size > 10, `${table.size} rows`);
  for (const [number, file] of cited()) assert.ok(table.has(number), `RFC ${number}, cited in ${file}, is not listed`);
});

test('every RFC listed as built is cited where it is built', () => {
  const found = cited();
  for (const [number, status] of listed())
    if (status !== 'later' && status !== 'background') assert.ok(found.has(number), `RFC ${number}: no code cites it`);
});

test.run();
