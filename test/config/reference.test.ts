/** The generated pages and the examples are those of the schema. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../config/load.ts';
import { node } from '../../config/options/node.ts';
import { jsonSchema, referencePage } from '../../config/reference.ts';
import { tables } from '../../config/schema.ts';
import { configWarnings } from '../../config/warnings.ts';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));

type Node = {
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly properties: Readonly<Record<string, Node & { readonly items?: Node }>>;
};
const schema = jsonSchema() as Node;

test('the generated pages are those of the schema (`npm run docs`)', async () => {
  assert.is(await readFile(`${docs}reference/configuration.md`, 'utf8'), referencePage());
  assert.equal(
    JSON.parse(await readFile(`${docs}config.schema.json`, 'utf8')),
    JSON.parse(JSON.stringify(jsonSchema())),
  );
});

test('every option is documented, in the JSON Schema and on the page', () => {
  const page = referencePage();
  const documented = (shape: object, { properties, additionalProperties }: Node) => {
    assert.is(additionalProperties, false);
    assert.equal(
      Object.keys(shape).filter((key) => (properties[key]?.description ?? '').length < 15),
      [],
    );
    for (const key of Object.keys(shape)) assert.ok(page.includes(`| \`${key}\` |`), key);
  };
  const outermost = Object.keys(tables).filter((name) => !name.includes('.'));
  assert.equal(Object.keys(schema.properties), [...Object.keys(node), ...outermost]);
  documented(node, { ...schema, additionalProperties: schema.additionalProperties });
  for (const [name, shape] of Object.entries(tables)) {
    let table: Node & { readonly items?: Node } = schema;
    for (const key of name.split('.')) table = (table.items ?? table).properties[key]!;
    documented(shape, table.items ?? table);
    assert.match(page, new RegExp(`^## \`\\[+${name}\\]+\`$`, 'm'));
  }
});

test('every example file loads, through the real loader, without a warning', async () => {
  const files = (await readdir(`${docs}examples`)).filter((file) => file.endsWith('.toml'));
  assert.ok(files.includes('n1.toml'));
  for (const file of files) {
    const loaded = loadConfig(`${docs}examples/${file}`);
    assert.equal(loaded.ok ? configWarnings(loaded.value, file) : loaded.refusal, []);
  }
});

test('the example says what it seems to say', () => {
  const loaded = loadConfig(`${docs}examples/n1.toml`);
  assert.ok(loaded.ok);
  if (!loaded.ok) return;
  const { me, hostName, nats, listeners } = loaded.value;
  assert.equal([me, hostName, nats?.cluster], ['n1', 'n1.example.test', 'demo']);
  assert.equal(
    listeners.map(({ protocol, place }) => `${protocol} ${'path' in place ? 'unix' : 'tcp'}`),
    ['pop3 tcp', 'imap tcp', 'lmtp tcp', 'lmtp unix', 'poppwd tcp'],
  );
});

test.run();
