/** The checks that read the tree without running it; each counts as one test. */
import { type FileResult, run } from './run-file.ts';

const check = (name: string, command: readonly string[]) => async (): Promise<FileResult> => {
  const started = performance.now();
  const { output, code } = await run(command);
  const failed = code === 0 ? 0 : 1;
  return { name, passed: 1 - failed, failed, skipped: 0, ms: performance.now() - started, output };
};

const local = (script: string) => [process.execPath, '--import', 'tsx', script];

export const staticChecks = [
  check('format and lint', ['npx', 'biome', 'ci', '.']),
  check('types', ['npx', 'tsc', '-p', '.']),
  check('generated documentation is current', [...local('scripts/docs.ts'), '--check']),
  check('generated diagrams are current', [...local('scripts/diagrams.ts'), '--check']),
];
