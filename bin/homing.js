#!/usr/bin/env node
/**
 * The `homing` command. Runtimes that run erasable TypeScript start it as it is; older ones, and any Node that finds it
 * inside node_modules (where Node strips no types), go through tsx.
 */
const native = process.features.typescript && !import.meta.url.includes('/node_modules/');
if (!native && !('Deno' in globalThis)) (await import('tsx/esm/api')).register();
const { main } = await import('./homing.ts');
await main(process.argv);
