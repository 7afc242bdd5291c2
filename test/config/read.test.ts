/** No option that nothing reads: each key of the configuration is looked up by the program that is composed from it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../config/parse.ts';

const root = resolve(import.meta.dirname, '../..');
const program = ['bin', 'cluster', 'telemetry', 'actors/certificates.ts']
  .flatMap((room) =>
    room.endsWith('.ts')
      ? [join(root, room)]
      : readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((file) => join(root, room, file)),
  )
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

const WHOLE = `
me = "n1"
data = "n1"
default-domain = "example.test"
[nats]
servers = ["127.0.0.1:4222"]
cluster = "demo"
user = "u"
password-file = "p"
tls-ca-file = "ca"
tls-certificate-file = "c"
tls-key-file = "k"
[tls]
certificate-file = "c"
key-file = "k"
client-certificates = "request"
client-ca-file = "ca"
[[tls.name]]
names = ["a.test"]
certificate-file = "c"
key-file = "k"
[[listener]]
protocol = "pop3"
port = 1110
`;

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

test('every key of a whole configuration is read outside config/', () => {
  const parsed = parseConfig(WHOLE, { file: 'homing.toml', directory: '/', machine: 'host', platform: 'linux' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const keys = [...new Set(keysOf(parsed.value)), 'credentialsFile'];
  assert.ok(keys.length > 30, `${keys.length} keys`);
  for (const key of keys) assert.match(program, new RegExp(`\\b${key}\\b`), `nothing reads ${key}`);
});

test.run();
