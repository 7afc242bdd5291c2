/**
 * Writes the pages that are generated from the source: `npm run docs`. With `--check` it writes nothing, names each page
 * that is not what the source says, and exits with 1. A new generated page is one more line in `pages`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonSchema, referencePage } from '../config/reference.ts';
import { examplesPage } from '../test/support/imap-examples-page.ts';

type Page = { readonly path: string; readonly generate: () => string | Promise<string> };

const pages: readonly Page[] = [
  { path: 'docs/reference/configuration.md', generate: referencePage },
  { path: 'docs/config.schema.json', generate: () => `${JSON.stringify(jsonSchema(), null, 2)}\n` },
  { path: 'docs/imap-examples.md', generate: examplesPage },
];

const root = fileURLToPath(new URL('..', import.meta.url));

const current = (path: string): Promise<string | undefined> =>
  readFile(join(root, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== '--check');
  if (unknown !== undefined) {
    process.stderr.write(`docs: unknown argument ${unknown}; there is only --check\n`);
    process.exitCode = 2;
    return;
  }
  for (const { path, generate } of pages) {
    const wanted = await generate();
    if ((await current(path)) === wanted) continue;
    if (args.includes('--check')) {
      process.stderr.write(`docs: ${path} is stale: run \`npm run docs\`\n`);
      process.exitCode = 1;
    } else {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), wanted);
      process.stdout.write(`docs: wrote ${path}\n`);
    }
  }
}

await main(process.argv.slice(2));
