/** Orders over one node's control socket: every node does them, those that can't are named, each writes an audit line. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adminVerb, type Gathered, serveOrders } from '../../admin/ask-nodes.ts';
import { cannot, done, type Verbs } from '../../admin/control.ts';
import { LocalBus } from '../../cluster/bus/local-bus.ts';
import { throughFrame } from '../../cluster/frames.ts';
import { subjects } from '../../cluster/subjects.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { FakeClock } from '../cluster/bus/fake-clock.ts';

function world(...nodes: readonly string[]) {
  const clock = new FakeClock();
  const log = memoryLog();
  const bus = new LocalBus({ clock, log, carry: throughFrame });
  const names = subjects('demo');
  const members = {
    list: () => nodes.map((me) => ({ me, startId: 's', mailHosts: [] })),
    isRegistered: () => true,
    onChange: () => ({ stop: async () => {} }),
  };
  const serve = (me: string, verbs: Verbs) => serveOrders({ me, bus, subjects: names, members, verbs, log });
  const verb = adminVerb({ me: nodes[0]!, bus, subjects: names, members, verbs: {}, log });
  const ask = async (given: object) => {
    const answer = await verb({ timeoutMs: 1000, ...given });
    return answer.ok ? (answer.value as Gathered) : answer.errors;
  };
  return { bus, clock, log, serve, ask };
}

test('all nodes are asked, and each answers for itself', async () => {
  const { serve, ask, log } = world('n2', 'n1');
  await serve('n1', { kick: async ({ account }) => done({ account, kicked: 1 }) });
  await serve('n2', { kick: async () => cannot('not today') });
  assert.equal(await ask({ verb: 'kick', arguments: { account: 'joe' } }), {
    answers: [
      { node: 'n1', outcome: { ok: true, value: { account: 'joe', kicked: 1 } } },
      { node: 'n2', outcome: { ok: false, errors: ['not today'] } },
    ],
    refused: [],
    silent: [],
  });
  const audits = log.entries.map(({ level, fields: { audit, outcome, by, verb } }) => [
    level,
    audit,
    outcome,
    by,
    verb,
  ]);
  const by = 'the control socket of n2';
  assert.equal(audits.sort(), [
    ['info', true, 'done', by, 'kick'],
    ['info', true, 'taken', by, 'kick'],
    ['info', true, 'taken', by, 'kick'],
    ['warn', true, 'failed', by, 'kick'],
  ]);
});

test('one node alone is asked when it is named; one that is gone is silent', async () => {
  const { serve, ask } = world('n1', 'n2', 'n3');
  await serve('n2', { ping: async () => done('here') });
  const here = { node: 'n2', outcome: { ok: true as const, value: 'here' } };
  assert.equal(await ask({ verb: 'ping', to: 'n2' }), { answers: [here], refused: [], silent: [] });
  assert.equal(await ask({ verb: 'ping' }), { answers: [here], refused: [], silent: ['n1', 'n3'] });
  assert.equal(await ask({ verb: 'ping', to: 'n9' }), { answers: [], refused: [], silent: ['n9'] });
});

test('a node that is stuck is silent when the time is over', async () => {
  const { serve, ask, clock } = world('n1');
  await serve('n1', { ping: () => new Promise(() => {}) });
  const asked = ask({ verb: 'ping' });
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1000);
  assert.equal(await asked, { answers: [], refused: [], silent: ['n1'] });
});

test('a list longer than one message comes whole', async () => {
  const { serve, ask } = world('n1');
  const long = Array.from({ length: 20_000 }, (_, at) => ({
    session: `session-${at}`,
    account: `é${at}@example.test`,
  }));
  await serve('n1', { sessions: async () => done(long) });
  const gathered = (await ask({ verb: 'sessions' })) as Gathered;
  assert.equal(gathered.answers, [{ node: 'n1', outcome: { ok: true, value: long } }]);
});

test('an unknown verb and a fault are answers; a fault is told in full to the log alone', async () => {
  const { serve, ask, log } = world('n1');
  await serve('n1', { broken: () => Promise.reject(new Error('a secret path')) });
  const of = async (verb: string) => ((await ask({ verb })) as Gathered).answers[0]!.outcome;
  assert.equal(await of('toString'), { ok: false, errors: ['this node does not know the verb "toString"'] });
  assert.equal(await of('broken'), { ok: false, errors: ['broken: internal fault, see the log of the node'] });
  assert.match(String(log.entries.find(({ level }) => level === 'error')?.fields['fault']), /a secret path/);
});

test('a node of another version that answers otherwise has failed, and is named', async () => {
  const { bus, ask } = world('n1');
  await bus.serveStream(subjects('demo').node('n1', 'admin'), async function* () {
    yield Buffer.from('{"status":"fine"}');
  });
  const [answer] = ((await ask({ verb: 'ping' })) as Gathered).answers;
  assert.is(answer?.node, 'n1');
  assert.match(JSON.stringify(answer?.outcome), /"ok":false.*not understood/);
});

test('what the command line sends is looked at before it is used', async () => {
  const { ask } = world('n1');
  for (const [given, complaint] of [
    [{}, /^verb: is missing/],
    [{ verb: 'ping', arguments: [] }, /^arguments: /],
    [{ verb: 'ping', to: 7 }, /^to: /],
    [{ verb: 'ping', timeoutMs: 'long' }, /^timeoutMs: /],
    [{ verb: 'ping', timeoutMs: Number.POSITIVE_INFINITY }, /^timeoutMs: /],
  ] as const)
    assert.match(String(await ask(given)), complaint);
});

test.run();
