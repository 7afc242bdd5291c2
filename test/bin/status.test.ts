/** What the cluster looks like from one node: in one order, whoever was heard of last, and with those that can't be read. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clusterStatus, type NodeReport, serveStatus } from '../../bin/status.ts';
import { LocalBus } from '../../cluster/bus/local-bus.ts';
import { throughFrame } from '../../cluster/frames.ts';
import { subjects } from '../../cluster/subjects.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { FakeClock } from '../cluster/bus/fake-clock.ts';

const report = (revision: number, mailHost: string): NodeReport => ({
  sessions: 1,
  draining: false,
  revision,
  fresh: true,
  mailHosts: [{ mailHost, state: 'serving', epoch: 3, sessions: 2 }],
});

test('nodes are shown by name however the mirror lists them, with their lag behind the newest', async () => {
  const bus = new LocalBus({ clock: new FakeClock(), log: memoryLog(), carry: throughFrame });
  const names = subjects('demo');
  const nodes = ['n3', 'n1', 'n4', 'n2'];
  const members = {
    list: () => nodes.map((me) => ({ me, startId: 's', mailHosts: [me] })),
    isRegistered: () => true,
    onChange: () => ({ stop: async () => {} }),
  };
  const options = (me: string, revision: number) => {
    return { me, bus, subjects: names, members, report: () => report(revision, me) };
  };
  await serveStatus(options('n1', 7));
  await serveStatus(options('n2', 9));
  await bus.serve(names.node('n3', 'status'), () => ({ sessions: 'many' })); // of another version
  const status = await clusterStatus(options('n1', 7));
  assert.equal(
    status.nodes.map(({ node, state, lag }) => [node, state, lag]),
    [
      ['n1', 'serving', 2],
      ['n2', 'serving', 0],
      ['n3', 'not understood', undefined],
      ['n4', 'silent', undefined],
    ],
  );
  assert.equal(
    status.mailHosts.map(({ mailHost, owner }) => [mailHost, owner]),
    [
      ['n1', 'n1'],
      ['n2', 'n2'],
      ['n3', undefined],
      ['n4', undefined],
    ],
  );
});

test.run();
