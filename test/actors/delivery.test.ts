/** One content to several owners: how it is cut, what each recipient hears, and that one owner's trouble is its own. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeliveryContext, type Destination, deliver } from '../../actors/delivery.ts';
import { MailboxSession } from '../../actors/mailbox-session.ts';
import type { SessionContext } from '../../actors/session-context.ts';
import { subjects } from '../../cluster/subjects.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { type Fate, faultyBus, ModelMailHost } from './mailbox-session-owner.ts';
import { manualClock } from './manual-clock.ts';

function house(fateOf?: (operation: string, mailHost: string) => Fate) {
  const clock = manualClock();
  const hosts = { n1: new ModelMailHost(), n2: new ModelMailHost() };
  const bus = faultyBus(clock, hosts, fateOf);
  const log = memoryLog();
  const shared = { bus, subjects: subjects('test'), clock, log, me: 'n3', startId: 'start' };
  const context: SessionContext = { ...shared, patienceMs: 10_000, attemptMs: 3_000 };
  let made = 0;
  const returned: string[] = [];
  const delivery: DeliveryContext = {
    chunkOctets: 8,
    log,
    sessions: {
      borrow: async (mailHost) => {
        const session = new MailboxSession(context, {
          session: `s.${++made}`,
          mailHost,
          ticket: 't',
          purpose: 'delivery',
        });
        return (await session.open()).ok ? session : undefined;
      },
      giveBack: ({ mailHost }) => void returned.push(`${mailHost} good`),
      discard: (session) => {
        returned.push(`${session.mailHost} bad`);
        void session.close();
      },
      nextStage: () => 'stage',
    },
  };
  return { clock, hosts, bus, log, delivery, returned };
}

const to = (account: string, mailHost: string): Destination => ({
  account,
  mailHost,
  trace: new Uint8Array(),
  internalDate: 0,
});
const joe = to('joe', 'n1');
const ann = to('ann', 'n2');
const bob = to('bob', 'n1');

/** In pieces that share one buffer, as a decoder's do: valid only until the next is pulled. */
async function* pieces(text: string, length = 3): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(length);
  for (let at = 0; at < text.length; at += length) {
    const written = buffer.write(text.slice(at, at + length));
    yield buffer.subarray(0, written);
    buffer.fill('#');
  }
}
const inboxes = (host: ModelMailHost) =>
  host.delivered.map(({ account, bytes }) => `${account}: ${Buffer.from(bytes)}`);
const answers = (outcomes: readonly { ok: boolean; refusal?: string }[]) =>
  outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.refusal));

test('each recipient gets the message once, from its own owner, and an answer in its place', async () => {
  const { clock, hosts, delivery, returned } = house();
  const outcomes = await clock.until(deliver(delivery, [joe, ann, bob], pieces('a message of 26 characters')));
  assert.equal(answers(outcomes), ['ok', 'ok', 'ok']);
  assert.equal(inboxes(hosts.n1), ['joe: a message of 26 characters', 'bob: a message of 26 characters']);
  assert.equal(inboxes(hosts.n2), ['ann: a message of 26 characters']);
  assert.equal(returned.sort(), ['n1 good', 'n2 good']);
});

test('any content, in any pieces, arrives octet for octet: inline up to a chunk, staged in whole chunks beyond', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ maxLength: 70, unit: 'grapheme-ascii' }),
      fc.integer({ min: 1, max: 30 }),
      async (text, length) => {
        const { clock, hosts, delivery } = house();
        let sha256 = '';
        const handle = hosts.n1.handle.bind(hosts.n1);
        hosts.n1.handle = (operation, request) => {
          if (operation === 'deliver') sha256 = (request as { content: { sha256: string } }).content.sha256;
          return handle(operation, request);
        };
        const outcomes = await clock.until(deliver(delivery, [joe], pieces(text, length)));
        assert.equal(answers(outcomes), ['ok']);
        assert.equal(inboxes(hosts.n1), [`joe: ${text}`]);
        assert.is(sha256, createHash('sha256').update(text).digest('hex'));
        const parts = hosts.n1.asked.filter((operation) => operation === 'stage').length;
        assert.is(parts, text.length <= 8 ? 0 : Math.ceil(text.length / 8));
        assert.ok(hosts.n1.largestPart <= 8);
        assert.ok(hosts.n1.mostPartsUnderWay <= 4);
      },
    ),
    { numRuns: 100 },
  );
});

test('who is gone when the content has come gets nothing and is told so; the others are delivered to', async () => {
  for (const text of ['tiny', 'more than one chunk of it']) {
    const { clock, hosts, delivery, returned } = house();
    let isWhole = false;
    async function* content() {
      yield* pieces(text);
      isWhole = true;
    }
    const standing = ({ account }: Destination) => {
      assert.ok(isWhole, 'asked before the end');
      return account === 'bob' ? undefined : ('no-such-user' as const);
    };
    const outcomes = await clock.until(deliver(delivery, [joe, ann, bob], content(), standing));
    assert.equal(answers(outcomes), ['no-such-user', 'no-such-user', 'ok']);
    assert.equal(inboxes(hosts.n1), [`bob: ${text}`]);
    assert.equal(inboxes(hosts.n2), []);
    assert.not.ok(hosts.n2.asked.includes('deliver'));
    // What was staged for nobody goes with its session.
    assert.equal(returned.sort(), ['n1 good', text === 'tiny' ? 'n2 good' : 'n2 bad']);
  }
});

test('over quota is one recipient of several, and a full store is all of one owner', async () => {
  const { clock, hosts, delivery } = house();
  hosts.n1.isOverQuota = (account) => account === 'joe';
  assert.equal(answers(await clock.until(deliver(delivery, [joe, bob, ann], pieces('x')))), ['over-quota', 'ok', 'ok']);
  hosts.n2.isFull = true;
  assert.equal(answers(await clock.until(deliver(delivery, [bob, ann], pieces('small')))), ['ok', 'full']);
  const large = pieces('more than one chunk of it');
  assert.equal(answers(await clock.until(deliver(delivery, [bob, ann], large))), ['ok', 'full']);
});

test('a mailbox that must be there and is not is told as an address that nobody has', async () => {
  const { clock, hosts, delivery } = house();
  hosts.n1.refusalFor = (recipient) =>
    recipient.mustExist ? 'no-such-mailbox' : recipient.sizeLimitOctets ? 'too-large-for-user' : undefined;
  const recipients = [
    { ...joe, folder: 'bugs', mustExist: true },
    { ...bob, sizeLimitOctets: 1 },
    { ...joe, folder: 'work', ignoresQuota: true },
  ];
  const outcomes = await clock.until(deliver(delivery, recipients, pieces('x')));
  assert.equal(answers(outcomes), ['no-such-user', 'too-large-for-user', 'ok']);
  const { mailHost: _, ...sent } = recipients[2]!;
  assert.equal(hosts.n1.recipients.at(-1), sent, 'all of it reaches the owner');
});

test('an owner that is not there fails its own recipients only, whenever it goes', async () => {
  for (const deaf of ['open', 'stage', 'deliver']) {
    const fate = (operation: string, mailHost: string) =>
      mailHost === 'n2' && operation === deaf ? ('nobody' as const) : ('done' as const);
    const { clock, hosts, delivery, returned } = house(fate);
    const outcomes = await clock.until(deliver(delivery, [ann, joe], pieces('a message of 26 characters')));
    assert.equal(answers(outcomes), ['unavailable', 'ok'], deaf);
    assert.equal(inboxes(hosts.n1), ['joe: a message of 26 characters']);
    assert.equal(returned.sort(), deaf === 'open' ? ['n1 good'] : ['n1 good', 'n2 bad']);
  }
});

test('an owner that breaks fails its own recipients only', async () => {
  const { clock, hosts, delivery, log } = house();
  const handle = hosts.n2.handle.bind(hosts.n2);
  hosts.n2.handle = (operation, request) => {
    if (operation === 'stage') throw new TypeError('broken');
    return handle(operation, request);
  };
  const outcomes = await clock.until(deliver(delivery, [ann, joe], pieces('a message of 26 characters')));
  assert.equal(answers(outcomes), ['unavailable', 'ok']);
  assert.ok(log.entries.some(({ level }) => level === 'error'));
});

test('content that is lost on the way is delivered to nobody, and what was staged is given up', async () => {
  for (const [text, returns] of [
    ['short', 'good'],
    ['long enough to be staged', 'bad'],
  ] as const) {
    const { clock, hosts, delivery, returned } = house();
    async function* lost() {
      yield* pieces(text);
      throw new Error('the client vanished');
    }
    const thrown = await clock.until(deliver(delivery, [joe, ann], lost())).catch((error: unknown) => error);
    assert.ok(thrown instanceof Error && thrown.message === 'the client vanished');
    assert.equal([...inboxes(hosts.n1), ...inboxes(hosts.n2)], []);
    assert.equal(returned.sort(), [`n1 ${returns}`, `n2 ${returns}`]);
  }
});

test('accepted means there once, for every recipient, under any faults', async () => {
  const fates = fc.constantFrom<Fate>(
    'done',
    'done',
    'done',
    'lost',
    'reply-lost',
    'dies-after',
    'dies-before',
    'late',
    'nobody',
    'fault',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fates, { maxLength: 30 }),
      fc.constantFrom('tiny', 'three chunks of eight'),
      async (list, text) => {
        const left = [...list];
        const { clock, hosts, bus, delivery } = house(() => left.shift() ?? 'done');
        const outcomes = await clock.until(deliver(delivery, [joe, ann], pieces(text)));
        while (bus.arriveLate());
        for (const [index, host] of [hosts.n1, hosts.n2].entries()) {
          const copies = host.delivered.length;
          assert.ok(outcomes[index]!.ok ? copies === 1 : copies <= 1);
          assert.ok(host.delivered.every(({ bytes }) => String(Buffer.from(bytes)) === text));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test.run();
