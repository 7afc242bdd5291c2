/**
 * A process for data-lock.test.ts: takes the lock of each directory that standard input names, says how it went, and
 * keeps what it has; at `die` it is killed. The module to take it with is its argument. Started like bin/homing.js.
 */
import { createInterface } from 'node:readline';

if (!process.features.typescript && !('Deno' in globalThis)) (await import('tsx/esm/api')).register();
const { lockData } = await import(process.argv[2]);
console.log('up');
for await (const data of createInterface({ input: process.stdin })) {
  if (data === 'die') process.kill(process.pid, 'SIGKILL');
  try {
    await lockData(data);
    console.log('won');
  } catch (error) {
    console.log(error.name === 'CommandError' ? 'lost' : String(error));
  }
}
