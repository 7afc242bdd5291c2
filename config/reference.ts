/**
 * What is generated from the schema: the JSON Schema for editors, and from that the option reference page. Pure; both
 * are written and compared by scripts/docs.ts.
 */
import { z } from 'zod';
import { configFile } from './schema.ts';

/** JSON Schema, draft 2020-12, of the file as written. `x-type`, `x-unit` and `x-default` are annotations of ours. */
export const jsonSchema = (): object => z.toJSONSchema(configFile, { io: 'input', target: 'draft-2020-12' });

/** The reference page, in Markdown. */
export function referencePage(): string {
  const root = jsonSchema() as Node;
  return `${INTRODUCTION}\n## Top of the file\n\n${optionTable(withoutTables(root))}\n${sections(root, '').join('\n')}`;
}

const isTable = (entry: Node): boolean => (entry.items ?? entry).properties !== undefined;

/** Each table below, and after it those inside it. */
const sections = (above: Node, prefix: string): readonly string[] =>
  Object.entries(above.properties ?? {})
    .filter(([, entry]) => isTable(entry))
    .flatMap(([key, entry]) => {
      const heading = entry.type === 'array' ? `[[${prefix}${key}]]` : `[${prefix}${key}]`;
      const table = entry.items ?? entry;
      const own = `## \`${heading}\`\n\n${entry.description}\n\n${optionTable(withoutTables(table))}`;
      return [own, ...sections(table, `${prefix}${key}.`)];
    });

const withoutTables = (node: Node): Node => ({
  ...node,
  properties: Object.fromEntries(Object.entries(node.properties ?? {}).filter(([, entry]) => !isTable(entry))),
});

type Node = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly 'x-type'?: string;
  readonly 'x-unit'?: string;
  readonly 'x-default'?: string;
};

const INTRODUCTION = `<!-- Generated from config/schema.ts by \`npm run docs\`. Do not edit. -->
# Configuration

A node reads one TOML file, \`homing.toml\` unless \`-f\` names another. A complete one is
[docs/examples/n1.toml](../examples/n1.toml); editors can check against [config.schema.json](../config.schema.json).

- An unknown option is an error. An error names the file, the option, the value and what is allowed.
- A **duration** is \`"500ms"\`, \`"30s"\`, \`"10m"\`, \`"2h"\`, \`"1d"\`, or a whole number of seconds.
- A **size** is \`"500kB"\` (1000), \`"64KiB"\` (1024), \`"50MiB"\`, \`"1GiB"\`, or a whole number of octets.
- A **path** begins at the directory of the configuration file, unless it is absolute.
`;

function optionTable({ properties = {}, required = [] }: Node): string {
  const rows = Object.entries(properties).map(([name, option]) => [
    `\`${name}\``,
    typeText(option),
    required.includes(name) ? '**required**' : defaultText(option),
    option['x-unit'] ?? '',
    (option.description ?? '') + exampleText(option),
  ]);
  const lines = [['Option', 'Type', 'Default', 'Unit', 'Meaning'], ['---', '---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('');
}

const typeText = (option: Node): string =>
  option.enum?.map((word) => code(word)).join(', ') ?? option['x-type'] ?? option.type ?? '';

const defaultText = (option: Node): string =>
  option['x-default'] ?? (option.default === undefined ? 'none' : code(option.default));

const exampleText = ({ examples }: Node): string =>
  examples === undefined ? '' : ` Example: ${examples.map((example) => code(example)).join(', ')}.`;

/** A value as TOML writes it: the same as JSON for all that occurs here. */
const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;
