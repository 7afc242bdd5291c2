/** The static checks alone: format, lint, types, generated documentation and diagrams. `npm run check`. */
import { staticChecks } from './lib/static-checks.ts';

let failed = 0;
for (const check of staticChecks) {
  const result = await check();
  failed += result.failed;
  console.log(`${result.failed ? 'FAIL' : 'ok  '} ${result.name}`);
  if (result.failed) console.log(result.output.trimEnd());
}
process.exitCode = failed ? 1 : 0;
