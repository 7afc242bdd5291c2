/** Frames and values at rest: what opens, what is refused and why, and that plain data passes unchanged. */
import { randomBytes } from 'node:crypto';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_MESSAGE } from '../../cluster/bus/bus.ts';
import {
  decode,
  encode,
  FRAME_OVERHEAD,
  FRAME_VERSION,
  FrameSealer,
  kinds,
  MAX_FRAME_AGE_MS,
  openValue,
  sealValue,
  throughFrame,
} from '../../cluster/frames.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { FakeClock } from './bus/fake-clock.ts';

const key = randomBytes(32);
const text = (words: string) => new TextEncoder().encode(words);

function sealers() {
  const clock = new FakeClock();
  const log = memoryLog();
  const make = (frameKey: Uint8Array = key, random?: (octets: number) => Uint8Array) =>
    new FrameSealer({ key: frameKey, clock, log, ...(random ? { random } : {}) });
  return { clock, log, make, sender: make(), receiver: make() };
}

/** What became of a frame: its words, or why it was refused. */
function opened(receiver: FrameSealer, frame: Uint8Array, subject = 'a.b', reply = 'r'): string {
  const result = receiver.open(frame, subject, reply);
  return result.ok ? new TextDecoder().decode(result.value.body) : result.refusal;
}

test('a frame opens under its subject and reply, with its kind', () => {
  const { sender, receiver } = sealers();
  const frame = sender.seal(kinds.request, 'a.b', 'r', text('what is '), text('said'));
  assert.is(frame.length, FRAME_OVERHEAD + 12);
  const result = receiver.open(frame, 'a.b', 'r');
  assert.ok(result.ok);
  assert.is(result.value.kind, kinds.request);
  assert.is(new TextDecoder().decode(result.value.body), 'what is said');
  assert.not(Buffer.isBuffer(result.value.body));
  assert.is(receiver.claimedKind(frame), kinds.request);
  assert.ok(sender.isOwn(frame));
  assert.not(receiver.isOwn(frame));
});

test('the text of a message is not in its frame, and the same message is never sealed to the same octets', () => {
  const { sender } = sealers();
  const frames = [1, 2].map(() => sender.seal(kinds.publish, 'a.b', '', text('a secret that nobody may read')));
  for (const frame of frames) assert.not.match(Buffer.from(frame).toString('latin1'), /secret/);
  assert.not.equal(Buffer.from(frames[0]!.subarray(32)), Buffer.from(frames[1]!.subarray(32)));
});

test('under another subject, another reply or another key a frame does not open', () => {
  const { make, sender, receiver } = sealers();
  const frame = sender.seal(kinds.request, 'a.b', 'r', text('x'));
  assert.is(opened(receiver, frame, 'a.c'), 'forged');
  assert.is(opened(receiver, frame, 'a.b', ''), 'forged');
  assert.is(opened(receiver, frame, 'a.b', 'elsewhere'), 'forged');
  assert.is(opened(make(randomBytes(32)), frame), 'forged');
  assert.is(receiver.refused.forged, 3);
  assert.is(opened(receiver, frame), 'x', 'and what was tried before does not use it up');
});

test('property: a frame with any octet changed, or cut anywhere, is refused', () => {
  const { sender, receiver } = sealers();
  const frame = sender.seal(kinds.answer, 'a.b', 'r', text('some words'));
  for (let at = 0; at < frame.length; at++) {
    const changed = Uint8Array.from(frame);
    changed[at]! ^= 1 << (at % 8);
    assert.is(opened(receiver, changed), at === 0 ? 'version' : 'forged', `octet ${at}`);
    assert.is(opened(receiver, frame.subarray(0, at)), at < FRAME_OVERHEAD ? 'truncated' : 'forged', `cut at ${at}`);
  }
  assert.is(opened(receiver, frame), 'some words');
});

test('property: opening never throws, whatever the octets', () => {
  const { receiver } = sealers();
  const octets = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(octets, fc.boolean(), (noise, isOfOurVersion) => {
      const frame = isOfOurVersion ? Uint8Array.of(FRAME_VERSION, ...noise) : noise;
      assert.not(receiver.open(frame, 'a.b', '').ok);
    }),
  );
});

test('a frame opens once; out of order is no matter (RFC 4303 §3.4.3)', () => {
  const { sender, receiver } = sealers();
  const frames = Array.from({ length: 300 }, (_, n) => sender.seal(kinds.publish, 'a.b', 'r', text(`${n}`)));
  for (const [n, frame] of [...frames.entries()].reverse()) assert.is(opened(receiver, frame), `${n}`);
  for (const frame of frames) assert.is(opened(receiver, frame), 'replayed');
  assert.is(receiver.refused.replayed, 300);
});

test('copies that are expected are dropped without a word', () => {
  const { log, sender, receiver } = sealers();
  const frame = sender.seal(kinds.publish, 'a.b', 'r', text('x'));
  assert.ok(receiver.open(frame, 'a.b', 'r', true).ok);
  assert.not(receiver.open(frame, 'a.b', 'r', true).ok);
  assert.is(receiver.refused.replayed, 0);
  assert.equal(log.entries, []);
});

test('a frame older or newer than clocks may differ is refused, even by a receiver that knows nothing', () => {
  const { clock, make, sender } = sealers();
  const frame = sender.seal(kinds.request, 'a.b', 'r', text('x'));
  clock.advance(MAX_FRAME_AGE_MS);
  assert.is(opened(make(), frame), 'x');
  clock.advance(1);
  assert.is(opened(make(), frame), 'stale');
  const ahead = new FrameSealer({
    key,
    clock: new FakeClock(clock.wall() + MAX_FRAME_AGE_MS + 1),
    log: memoryLog(),
  }).seal(kinds.request, 'a.b', 'r', text('x'));
  assert.is(opened(make(), ahead), 'stale');
});

test('a frame of another version is refused with both versions named', () => {
  const { log, sender, receiver } = sealers();
  const frame = sender.seal(kinds.request, 'a.b', 'r', text('x'));
  frame[0] = FRAME_VERSION + 1;
  assert.is(opened(receiver, frame), 'version');
  assert.is(receiver.claimedKind(frame), undefined);
  const [entry] = log.entries;
  assert.is(entry?.level, 'warn');
  assert.is(entry?.fields.refusal, 'version');
  assert.is(entry?.fields.theirs, FRAME_VERSION + 1);
  assert.is(entry?.fields.ours, FRAME_VERSION);
});

test('refusals are all counted, and said at most every ten seconds, each kind for itself', () => {
  const { clock, log, receiver } = sealers();
  for (let n = 0; n < 100; n++) {
    opened(receiver, Uint8Array.of(FRAME_VERSION));
    opened(receiver, Uint8Array.of(99));
  }
  assert.is(receiver.refused.truncated, 100);
  assert.is(receiver.refused.version, 100);
  assert.is(log.entries.length, 2);
  clock.advance(10_000);
  opened(receiver, Uint8Array.of(99));
  assert.is(log.entries.length, 3);
  assert.is(log.entries[2]?.fields.since, 100);
});

test('the windows of more senders than are remembered: the oldest goes, forgers push nobody out', () => {
  const { make, receiver } = sealers();
  const first = make();
  const frame = first.seal(kinds.publish, 'a.b', 'r', text('first'));
  assert.is(opened(receiver, frame), 'first');
  for (let n = 0; n < 2000; n++) {
    const forged = first.seal(kinds.publish, 'a.b', 'r', text('x'));
    randomBytes(16).copy(forged as Buffer, 1);
    assert.is(opened(receiver, forged), 'forged');
  }
  assert.is(opened(receiver, frame), 'replayed', 'still remembered');
  for (let n = 0; n < 1024; n++) assert.is(opened(receiver, make().seal(kinds.publish, 'a.b', 'r', text('x'))), 'x');
  assert.is(opened(receiver, frame), 'first', 'forgotten: only the age of a frame protects now');
});

test('two starts with different ids never share a key: the same counter seals differently', () => {
  const { make } = sealers();
  const ids = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
  const [one, two] = ids.map((id) => make(key, () => id).seal(kinds.publish, 'a', '', new Uint8Array(32)));
  assert.not.equal(Buffer.from(one!.subarray(32)), Buffer.from(two!.subarray(32)));
});

const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.bigInt(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
      tie('value'),
      {
        noNullPrototype: true,
      },
    ),
  ),
})).value;

/** `assert.equal` takes a field that is named `constructor` for what made its object. */
const assertSame = (actual: unknown, expected: unknown): void =>
  assert.ok(isDeepStrictEqual(actual, expected), `${inspect(actual)} is not ${inspect(expected)}`);

test('property: plain data passes a frame unchanged', () => {
  const { sender, receiver } = sealers();
  fc.assert(
    fc.property(plain, (value) => {
      const result = receiver.open(sender.seal(kinds.answer, 'a.b', '', encode(value)), 'a.b', '');
      assert.ok(result.ok);
      assertSame(decode(result.value.body), value);
      assertSame(throughFrame(value), value);
    }),
  );
});

test('what passed a frame shares no memory with what was sent', () => {
  const sent = { bytes: Uint8Array.of(1, 2, 3) };
  const got = throughFrame(sent) as typeof sent;
  sent.bytes.fill(9);
  assert.equal([...got.bytes], [1, 2, 3]);
  for (let n = 0; n < 1000; n++) encode({ filler: 'x'.repeat(n) }); // msgpackr's own buffer is used on
  assert.equal([...got.bytes], [1, 2, 3]);
});

test('a message larger than may pass is refused', () => {
  assert.throws(
    () => throughFrame(new Uint8Array(MAX_MESSAGE)),
    (error: unknown) => error instanceof RangeError,
  );
});

test('property: a value at rest opens under its own name and key, and only there', () => {
  fc.assert(
    fc.property(plain, fc.string(), (value, name) => {
      const sealed = sealValue(key, name, value);
      const whole = openValue(key, name, sealed);
      assert.ok(whole.ok);
      assertSame(whole.value, value);
      assert.equal(openValue(key, `${name}x`, sealed), { ok: false, refusal: 'forged' });
      assert.equal(openValue(randomBytes(32), name, sealed), { ok: false, refusal: 'forged' });
    }),
  );
});

test('a value at rest that was changed, cut, or is of another version is refused', () => {
  const sealed = sealValue(key, 'k', { secret: 'abc' });
  assert.not.match(Buffer.from(sealed).toString('latin1'), /secret|abc/);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 1;
    assert.equal(openValue(key, 'k', changed), { ok: false, refusal: at === 0 ? 'version' : 'forged' });
    assert.equal(openValue(key, 'k', sealed.subarray(0, at)), { ok: false, refusal: 'forged' });
  }
  assert.not.equal(sealValue(key, 'k', 1), sealValue(key, 'k', 1), 'a nonce of its own each time');
});

test.run();
