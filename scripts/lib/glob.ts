/** Files below a folder by their ending, as paths relative to the project, `/`-separated. */
import { readdirSync } from 'node:fs';

export function globSync(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}
