/** What processes cost, read of this very process and of children that it starts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuSeconds, memoryOf, treeOf } from '../../../bench/fleet/processes.ts';

const linux = existsSync('/proc/self/smaps_rollup') ? test : test.skip;

/** A shell that starts a sleep, and says when it has. */
async function shell(): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', 'sleep 60 & echo begun; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  await once(child.stdout!, 'data');
  return child;
}

linux('a tree is the process, what it started, and what that started', async () => {
  const child = await shell();
  try {
    const ours = treeOf(process.pid);
    const theirs = treeOf(child.pid!);
    assert.is(theirs.length, 2);
    assert.is(theirs[0], child.pid);
    for (const pid of [process.pid, ...theirs]) assert.ok(ours.includes(pid), String(pid));
    for (const kind of ['pss', 'anonymous'] as const) {
      assert.ok(memoryOf(ours)[kind] > memoryOf([process.pid])[kind], kind);
      assert.ok(memoryOf(theirs)[kind] > 0, kind);
    }
  } finally {
    process.kill(-child.pid!, 'SIGKILL');
  }
});

linux('the time of children that have ended counts with their parent', async () => {
  const child = spawn('sh', ['-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done']);
  const before = cpuSeconds([process.pid]);
  await once(child, 'exit');
  assert.ok(cpuSeconds([process.pid]) - before > 0.05, 'some hundred thousand rounds of a shell take longer');
});

linux('a process that has ended costs nothing', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.equal(memoryOf([child.pid!]), { pss: 0, anonymous: 0 });
  assert.is(cpuSeconds([child.pid!]), 0);
});

test.run();
