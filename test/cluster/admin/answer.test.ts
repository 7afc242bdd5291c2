/** Answers: from a node of the cluster, to one message, for one pair of eyes; long ones in parts. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AnswerCollector,
  answerOpener,
  type NodeAnswer,
  sealAnswer,
  sealRefused,
} from '../../../cluster/admin/answer.ts';
import { answerKeys, importPublic } from '../../../cluster/admin/keys.ts';

const nodes = await answerKeys(new Uint8Array(32).fill(1));
const others = await answerKeys(new Uint8Array(32).fill(2));
const ID = 'abcdefghijklmnop';
const OCTETS = Buffer.from('the message');

async function expecting() {
  const opener = await answerOpener(importPublic(nodes.publicJwk));
  opener.expect({ id: ID, octets: OCTETS });
  return opener;
}
const answer = (value: unknown): NodeAnswer => ({ node: 'n1', members: ['n1', 'n2'], outcome: { ok: true, value } });

test('an answer is opened by whom it is for, and by nobody else', async () => {
  const opener = await expecting();
  const [sealed] = await sealAnswer(nodes.signing, { id: ID, answerTo: opener.answerTo }, answer('joe@example.test'));
  const part = await opener.open(sealed!);
  assert.is(part?.kind, 'part');
  assert.equal(part?.kind === 'part' && new AnswerCollector().take(part), answer('joe@example.test'));
  assert.not.match(Buffer.from(sealed!).toString('latin1'), /joe/);
  assert.is(await (await expecting()).open(sealed!), undefined);
});

test('an answer by another key, to another message, changed, or in clear is none', async () => {
  const opener = await expecting();
  const { answerTo } = opener;
  const [forged] = await sealAnswer(others.signing, { id: ID, answerTo }, answer(1));
  assert.is(await opener.open(forged!), undefined);
  const [earlier] = await sealAnswer(nodes.signing, { id: 'another-message-id', answerTo }, answer(1));
  assert.is(await opener.open(earlier!), undefined);
  const [good] = await sealAnswer(nodes.signing, { id: ID, answerTo }, answer(1));
  for (const at of [5, 60, good!.length >> 1, good!.length - 30]) {
    const changed = Buffer.from(good!);
    changed[at] = changed[at]! ^ 1;
    assert.is(await opener.open(changed), undefined, `octet ${at}`);
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (octets) =>
      assert.is(await opener.open(octets), undefined),
    ),
  );
});

test('the word "refused" comes in clear, signed over the very message', async () => {
  const opener = await expecting();
  assert.equal(await opener.open(await sealRefused(nodes.signing, OCTETS, 'n1')), { kind: 'refused', node: 'n1' });
  assert.is(await opener.open(await sealRefused(nodes.signing, Buffer.from('another'), 'n1')), undefined);
  assert.is(await opener.open(await sealRefused(others.signing, OCTETS, 'n1')), undefined);
});

test('a long answer comes in parts that NATS takes, in any order, each once or more', async () => {
  const opener = await expecting();
  const long = answer(
    Array.from({ length: 6000 }, (_, at) => ({ session: `é ${at} \u{1f600}`, account: `joe${at}@example.test` })),
  );
  const sealed = await sealAnswer(nodes.signing, { id: ID, answerTo: opener.answerTo }, long);
  assert.ok(sealed.length > 2);
  for (const part of sealed) assert.ok(part.length < 1_000_000);
  const collector = new AnswerCollector();
  const whole: unknown[] = [];
  for (const octets of [...sealed.slice(1), sealed[1]!, sealed[0]!]) {
    const part = await opener.open(octets);
    assert.ok(part?.kind === 'part');
    const taken = collector.take(part);
    if (taken) whole.push(taken);
  }
  assert.equal(whole, [long]);
});

test("a node's first whole answer stands, and parts of another one of its do not mix with it", () => {
  const part = (node: string, text: string, at = 0, parts = 1) =>
    ({ kind: 'part', node, part: at, parts, text }) as const;
  const whole = (value: string) => JSON.stringify({ members: ['n1'], outcome: { ok: true, value } });
  const collector = new AnswerCollector();
  const [first, last] = [whole('true').slice(0, 20), whole('true').slice(20)];
  assert.is(collector.take(part('n1', first, 0, 2)), undefined);
  assert.is(collector.take(part('n1', 'something else', 0, 2)), undefined);
  assert.is(collector.take(part('n1', 'of another length', 1, 3)), undefined);
  assert.equal(collector.take(part('n2', whole('of n2')))?.outcome, { ok: true, value: 'of n2' });
  assert.equal(collector.take(part('n1', last, 1, 2))?.outcome, { ok: true, value: 'true' });
  assert.is(collector.take(part('n1', whole('later'))), undefined);
  assert.is(collector.take(part('n2', whole('later'))), undefined);
});

test('an answer of another version is a failure of that node, whatever its shape, and no fault', () => {
  const taken = (text: string) => {
    const whole = new AnswerCollector().take({ kind: 'part', node: 'n1', part: 0, parts: 1, text });
    assert.is(whole?.node, 'n1');
    return whole!;
  };
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"members":7,"outcome":{"ok":"yes"}}',
    '{"outcome":{"ok":false,"errors":"x"}}',
  ])
    assert.match(String((taken(text).outcome as { errors?: unknown }).errors), /not understood/, text);
  assert.equal(taken('{"members":["n1",7],"outcome":{"ok":true}}').members, ['n1']);
  fc.assert(fc.property(fc.json(), (text) => void taken(text)));
});

test('nothing is sealed to a key of low order', async () => {
  const x = Buffer.alloc(32).toString('base64url');
  const sealing = sealAnswer(nodes.signing, { id: ID, answerTo: { kty: 'OKP', crv: 'X25519', x } }, answer(1));
  assert.is(
    await sealing.then(
      () => 'sealed',
      () => 'not',
    ),
    'not',
  );
});

test.run();
