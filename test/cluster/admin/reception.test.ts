/**
 * A node's and an operator's end together: every message that is not good changes nothing, is audited, and gets no more than
 * it may hear; one that is good is done once on each node, and the operator knows who answered and who did not.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answerOpener, sealAnswer } from '../../../cluster/admin/answer.ts';
import type { AdminChannel } from '../../../cluster/admin/channel.ts';
import { type Gathered, gather } from '../../../cluster/admin/gather.ts';
import { answerKeys, importPublic } from '../../../cluster/admin/keys.ts';
import { type AdminMessage, audienceOf, type Order, signMessage } from '../../../cluster/admin/message.ts';
import { MAX_DONE_AT_ONCE } from '../../../cluster/admin/reception.ts';
import { refuse } from '../../../kernel/result.ts';
import type { MemoryLog } from '../../../telemetry/memory-log.ts';
import { inWorld, keySetOf, operator, type World } from './world.ts';

const PING: Order = { verb: 'ping', arguments: {} };
const TIMEOUT_MS = 5000;

const asked = (
  world: World,
  order: Order = PING,
  more: Partial<Parameters<typeof gather>[0]> = {},
): Promise<Gathered> =>
  gather({
    channel: world.channel,
    cluster: 'demo',
    key: world.boss.key,
    answers: world.answers.publicJwk,
    order,
    timeoutMs: TIMEOUT_MS,
    clock: world.clock,
    ...more,
  });

/** When the timer is set and so many more answers than before have come, the time is over. */
async function timeOut(world: World, answers: number): Promise<void> {
  const before = world.channel.answered();
  await until(() => world.clock.waiting > 0 && world.channel.answered() >= before + answers);
  world.clock.advance(TIMEOUT_MS);
}

/** Cryptography ends on threads of its own: turns of the loop go by until then. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

const audits = (log: MemoryLog): Readonly<Record<string, unknown>>[] =>
  log.entries.filter(({ fields }) => fields['audit'] === true).map(({ level, fields }) => ({ level, ...fields }));

/** Sends octets as they are; what came back, opened as the operator would, or as they came. */
async function heard(world: World, octets: Uint8Array, log: MemoryLog, to?: string): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  let some: () => void = () => {};
  const answered = new Promise<void>((resolve) => (some = resolve));
  const before = audits(log).length;
  const sent = await world.channel.send(to, octets, (answer) => {
    answers.push(answer);
    some();
  });
  await answered;
  assert.is(audits(log).length, before + 1, 'one audit line');
  await sent.stop();
  return answers;
}

test('an order is done by every node, and audited by each before and after', () =>
  inWorld(async (world) => {
    const members = ['n1', 'n2'];
    const [n1] = [await world.node('n1', members), await world.node('n2', members)];
    const kick = { verb: 'kick', arguments: { account: 'joe@example.test' } };
    const { answers, silent, refused } = await asked(world, kick);
    assert.equal(
      answers.map(({ node, outcome }) => [node, outcome.ok && outcome.value]),
      [
        ['n1', 'done by n1'],
        ['n2', 'done by n2'],
      ],
    );
    assert.equal([silent, refused], [[], []]);
    assert.equal(world.performed.map(({ node }) => node).sort(), members);
    const lines = audits(n1.log);
    assert.equal(
      lines.map(({ outcome, level }) => [outcome, level]),
      [
        ['taken', 'info'],
        ['done', 'info'],
      ],
    );
    for (const { operator: by, verb, arguments: given, message } of lines) {
      assert.equal([by, verb, given], ['boss', 'kick', { account: 'joe@example.test' }]);
      assert.type(message, 'string');
    }
  }));

test('an order for one node is done there and nowhere else', () =>
  inWorld(async (world) => {
    for (const me of ['n1', 'n2']) await world.node(me, ['n1', 'n2']);
    const { answers, silent } = await asked(world, PING, { to: 'n2' });
    assert.equal([answers.map(({ node }) => node), silent], [['n2'], []]);
    assert.equal(
      world.performed.map(({ node }) => node),
      ['n2'],
    );
  }));

test('nodes that are known and do not answer are named when the time is over', () =>
  inWorld(async (world) => {
    await world.node('n1', ['n1', 'n2', 'n3']);
    await world.node('n3', ['n1', 'n2', 'n3']);
    const asking = asked(world);
    await timeOut(world, 2);
    const { answers, silent } = await asking;
    assert.equal([answers.map(({ node }) => node), silent], [['n1', 'n3'], ['n2']]);
    const other = asked(world, PING, { to: 'n9' });
    await timeOut(world, 0);
    assert.equal(await other, { answers: [], refused: [], silent: ['n9'] });
  }));

test('what a node can not do is its answer, and a fault is not told in full', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    world.outcome = async () => ({ ok: false, errors: ['there is no account joe'] });
    const [first] = (await asked(world)).answers;
    assert.equal(first!.outcome, { ok: false, errors: ['there is no account joe'] });
    world.outcome = () => Promise.reject(new Error('a secret path'));
    const [second] = (await asked(world)).answers;
    assert.not.match(JSON.stringify(second), /secret/);
    assert.not.ok(second!.outcome.ok);
    assert.equal(
      audits(log).map(({ outcome }) => outcome),
      ['taken', 'failed', 'taken', undefined, 'failed'],
    );
  }));

test('unsigned, forged, unknown and malformed messages: refused in one word, audited, nothing done', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    const stranger = operator('stranger');
    const good = await signMessage(world.boss.key, world.message());
    const tampered = Buffer.from(good);
    tampered[good.length - 10] = tampered[good.length - 10] === 65 ? 66 : 65;
    const [, claims] = Buffer.from(good).toString().split('.');
    const none = Buffer.from('{"alg":"none","kid":"boss","typ":"homing-admin+jwt"}').toString('base64url');
    for (const [reason, octets] of [
      ['unknown-key', await signMessage(stranger.key, world.message())],
      ['signature', await signMessage({ ...stranger.key, kid: 'boss' }, world.message())],
      ['signature', tampered],
      ['algorithm', Buffer.from(`${none}.${claims}.`)],
      ['malformed', Buffer.from('{"verb":"drain"}')],
      ['malformed', Buffer.from('x')],
      ['too-large', Buffer.alloc(20_000, 'a')],
    ] as const) {
      const [answer] = await heard(world, octets, log);
      const opener = await answerOpener(importPublic(world.answers.publicJwk));
      opener.expect({ id: 'unknown-to-him-who-sent', octets });
      assert.equal(await opener.open(answer!), { kind: 'refused', node: 'n1' });
      assert.is(Buffer.from(answer!).toString().split('.').length, 3);
      const { reason: said, outcome, level } = audits(log).at(-1)!;
      assert.equal([said, outcome, level], [reason, 'refused', 'warn']);
    }
    assert.equal(world.performed, []);
  }));

/** Sends octets as they are to who audits them and answers nothing. */
async function unanswered(world: World, octets: Uint8Array, log: MemoryLog, to: string): Promise<void> {
  const [before, answered] = [audits(log).length, world.channel.answered()];
  const sent = await world.channel.send(to, octets, () => {});
  await until(() => audits(log).length > before);
  await heard(world, Buffer.from('nonsense'), log, to); // whatever came before it has been answered by now
  assert.is(world.channel.answered(), answered + 1);
  await sent.stop();
}

test('expired, early, for others, too long-lived: the proved operator alone reads why', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    const now = world.clock.wall();
    const at = (issuedAtMs: number, lifetimeMs = 30_000) => ({ issuedAtMs, expiresAtMs: issuedAtMs + lifetimeMs });
    const cases: readonly (readonly [string, RegExp, Partial<AdminMessage>])[] = [
      ['expired', /expired/, at(now - 60_000)],
      ['not-yet', /future/, at(now + 60_000)],
      ['lives-too-long', /longer/, at(now, 61_000)],
      ['other-cluster', /another cluster/, { audience: audienceOf('other', world.answers.publicJwk.kid) }],
    ];
    for (const [reason, words, changed] of cases) {
      const opener = await answerOpener(importPublic(world.answers.publicJwk));
      const message = world.message({ ...changed, answerTo: opener.answerTo });
      const octets = await signMessage(world.boss.key, message);
      opener.expect({ id: message.id, octets });
      const [answer] = await heard(world, octets, log);
      const part = await opener.open(answer!);
      assert.match(part?.kind === 'part' ? part.text : '', words);
      assert.is(audits(log).at(-1)!['reason'], reason);
    }
    const other = await signMessage(world.boss.key, world.message({ to: 'n2' }));
    await unanswered(world, other, log, 'n1');
    assert.is(audits(log).at(-2)!['reason'], 'other-node');
    assert.equal(world.performed, []);
  }));

test('a message sent again is refused, and after a restart of the node too', () =>
  inWorld(async (world) => {
    const before = await world.node('n1');
    const octets = await signMessage(world.boss.key, world.message({ verb: 'drain' }));
    const sent = await world.channel.send('n1', octets, () => {});
    await before.log.until(({ fields }) => fields['outcome'] === 'done');
    await sent.stop();
    await unanswered(world, octets, before.log, 'n1');
    assert.is(audits(before.log).at(-2)!['reason'], 'replayed');
    await before.stop();
    const after = await world.node('n1');
    await unanswered(world, octets, after.log, 'n1');
    assert.is(audits(after.log).at(-2)!['reason'], 'replayed');
    world.clock.advance(36_000);
    await heard(world, octets, after.log);
    assert.is(audits(after.log).at(-1)!['reason'], 'expired');
    assert.is(world.performed.length, 1);
  }));

/** Has the operator's NATS password: sees what he sends, and sends it again, to any node, with his reply subject. */
function withThief(world: World, again: (send: (to: string | undefined) => Promise<void>) => Promise<void>) {
  const { channel } = world;
  const stolen: AdminChannel = {
    serve: channel.serve,
    async send(to, message, hear) {
      const sent = await channel.send(to, message, hear);
      await again(async (where) => void (await channel.send(where, message, hear)));
      return sent;
    },
  };
  return stolen;
}

test('a thief who sends an order again, there or elsewhere, does not put words between the operator and the nodes', () =>
  inWorld(async (world) => {
    const members = ['n1', 'n2'];
    const logs = [(await world.node('n1', members)).log, (await world.node('n2', members)).log];
    const finish: (() => void)[] = [];
    world.outcome = (node) =>
      new Promise((resolve) => finish.push(() => resolve({ ok: true, value: `done by ${node}` })));
    const done = (node: string) => [node, { ok: true, value: `done by ${node}` }];
    const refusals = () => logs.flatMap(audits).filter(({ outcome }) => outcome === 'refused').length;
    for (const [to, wanted] of [
      [undefined, ['n1', 'n2']],
      ['n1', ['n1']],
    ] as const) {
      const before = refusals();
      const channel = withThief(world, async (send) => {
        await until(() => finish.length === wanted.length); // they are at it
        for (const where of [undefined, 'n1', 'n2']) await send(where);
        await until(() => refusals() === before + 4);
        world.clock.advance(4000); // not yet over
        const [first, ...others] = finish.splice(0);
        first!();
        await until(() => world.channel.answered() > 0);
        await send(undefined); // and between two answers
        await until(() => refusals() === before + 6);
        for (const other of others) other();
      });
      const more = { channel, timeoutMs: 60_000, ...(to !== undefined && { to }) };
      const gathered = await asked(world, PING, more);
      assert.equal(
        gathered.answers.map(({ node, outcome }) => [node, outcome]),
        wanted.map(done),
      );
      assert.equal([gathered.refused, gathered.silent], [[], []]);
    }
    assert.is(world.performed.length, 3);
  }));

test('an order that takes longer than its message lives is answered by what it came to, whoever sends it again', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    let finish: () => void = () => {};
    world.outcome = () => new Promise((resolve) => (finish = () => resolve({ ok: true, value: 'done' })));
    const channel = withThief(world, async (send) => {
      await log.until(({ fields }) => fields['outcome'] === 'taken');
      world.clock.advance(40_000);
      await send('n1');
      await log.until(({ fields }) => fields['reason'] === 'expired');
      finish();
    });
    const { answers } = await asked(world, PING, { to: 'n1', channel, timeoutMs: 60_000 });
    assert.equal(answers[0]?.outcome, { ok: true, value: 'done' });
  }));

test('the list of keys is not read for what is no message at all', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    world.keys = refuse('must not be read');
    for (const octets of [Buffer.from('x'), Buffer.alloc(20_000, 'a')]) await heard(world, octets, log);
    assert.equal(
      audits(log).map(({ reason }) => reason),
      ['malformed', 'too-large'],
    );
  }));

test('orders that take long keep nobody out', () =>
  inWorld(async (world) => {
    await world.node('n1');
    const finish: (() => void)[] = [];
    world.outcome = (_node, { verb }) =>
      verb === 'ping'
        ? Promise.resolve({ ok: true, value: 'here' })
        : new Promise((resolve) => finish.push(() => resolve({ ok: true, value: null })));
    for (let each = 1; each <= 100; each++) {
      await world.channel.send('n1', await signMessage(world.boss.key, world.message({ verb: 'disable' })), () => {});
      await until(() => finish.length === each);
    }
    const { answers } = await asked(world, PING, { to: 'n1' });
    assert.equal(answers[0]?.outcome, { ok: true, value: 'here' });
    for (const each of finish) each();
  }));

test('an order that was refused because too many were under way is not done when somebody sends it again', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    const finish: (() => void)[] = [];
    world.outcome = () => new Promise((resolve) => finish.push(() => resolve({ ok: true, value: null })));
    for (let each = 1; each <= MAX_DONE_AT_ONCE; each++) {
      await world.channel.send('n1', await signMessage(world.boss.key, world.message({ verb: 'disable' })), () => {});
      await until(() => finish.length === each);
    }
    const late = await signMessage(world.boss.key, world.message({ verb: 'kick', arguments: { account: 'joe' } }));
    await heard(world, late, log, 'n1');
    assert.is(audits(log).at(-1)!['reason'], 'too-many');
    for (const each of finish) each();
    await until(() => world.channel.answered() === MAX_DONE_AT_ONCE + 1);
    await unanswered(world, late, log, 'n1');
    assert.is(audits(log).at(-2)!['reason'], 'replayed');
    assert.not(world.performed.some(({ order }) => order.verb === 'kick'));
  }));

test('nothing is done that could not be answered: a key of low order is refused before', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    const answerTo = { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') } as const;
    await heard(world, await signMessage(world.boss.key, world.message({ answerTo })), log);
    assert.is(audits(log).at(-1)!['reason'], 'claims');
    assert.equal(world.performed, []);
  }));

test('a key that was removed is not known any more; keys that can not be read refuse all', () =>
  inWorld(async (world) => {
    const { log } = await world.node('n1');
    assert.is((await asked(world)).answers.length, 1);
    world.keys = { ok: true, value: keySetOf() };
    const removed = asked(world, PING, { to: 'n1' });
    assert.equal((await removed).refused, ['n1']);
    world.keys = refuse('/etc/keys: no such file');
    assert.equal((await asked(world, PING, { to: 'n1' })).refused, ['n1']);
    assert.match(String(audits(log).at(-1)!['reason']), /no such file/);
    assert.is(world.performed.length, 1);
  }));

test('an answer that is not a node’s is none', () =>
  inWorld(async (world) => {
    const impostor = await answerKeys(new Uint8Array(32).fill(99));
    await world.channel.serve('n1', async (octets, answer) => {
      const claims = JSON.parse(Buffer.from(Buffer.from(octets).toString().split('.')[1]!, 'base64url').toString());
      const to = { id: claims.jti, answerTo: claims.answer_to };
      const forged = { node: 'n1', members: ['n1'], outcome: { ok: true as const, value: 'all is well' } };
      for (const part of await sealAnswer(impostor.signing, to, forged)) answer(part);
      answer(Buffer.from('all is well'));
    });
    const asking = asked(world, PING, { to: 'n1' });
    await timeOut(world, 2);
    assert.equal(await asking, { answers: [], refused: [], silent: ['n1'] });
  }));

test('a flood of messages that prove nothing fills neither the log nor the wire, and is counted', () =>
  inWorld(async (world) => {
    const flood = async (messages: number) => {
      for (let each = 0; each < messages; each++)
        await world.channel.send('n1', Buffer.from(`nonsense ${each}`), () => {});
    };
    const before = await world.node('n1');
    for (let sent = 0; sent < 200; sent += 20) {
      await flood(20);
      await until(() => world.channel.answered() === Math.min(sent + 20, 50));
    }
    assert.is((await asked(world)).answers.length, 1, 'and an operator is heard');
    await before.stop();
    const refused = audits(before.log).filter(({ outcome }) => outcome === 'refused');
    const counts = refused.map(({ count = 0 }) => count as number);
    assert.equal([counts.filter((count) => count === 0).length, counts.at(-1)], [50, 150]);

    const after = await world.node('n1');
    for (const messages of [10, 45]) {
      const answered = world.channel.answered();
      await flood(messages);
      await until(() => world.channel.answered() === answered + messages);
      world.clock.advance(10_000);
    }
    assert.is(audits(after.log).length, 55, 'each interval begins anew');
  }));

test('a recorded message that is sent for ever is counted too, and hides nothing else', () =>
  inWorld(async (world) => {
    const node = await world.node('n1');
    const now = world.clock.wall();
    const old = await signMessage(
      world.boss.key,
      world.message({ issuedAtMs: now - 60_000, expiresAtMs: now - 30_000 }),
    );
    for (let sent = 0; sent < 100; sent += 20) {
      for (let each = 0; each < 20; each++) await world.channel.send('n1', old, () => {});
      await until(() => world.channel.answered() === Math.min(sent + 20, 50));
    }
    await heard(world, Buffer.from('nonsense'), node.log);
    await node.stop();
    const refused = audits(node.log).filter(({ outcome }) => outcome === 'refused');
    assert.is(refused.filter(({ reason }) => reason === 'expired').length, 50);
    assert.is(refused.filter(({ reason }) => reason === 'malformed').length, 1);
    assert.is(refused.at(-1)!['count'], 50);
  }));

test('a stop waits for what is being done', () =>
  inWorld(async (world) => {
    const node = await world.node('n1');
    let finish: (outcome: { ok: true; value: null }) => void = () => {};
    world.outcome = () => new Promise((resolve) => (finish = resolve));
    const asking = asked(world, PING, { to: 'n1' });
    await node.log.until(({ fields }) => fields['outcome'] === 'taken');
    const stopped = node.stop().then(() => 'stopped');
    finish({ ok: true, value: null });
    assert.is((await asking).answers.length, 1);
    assert.is(await stopped, 'stopped');
  }));

test.run();
