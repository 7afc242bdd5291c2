/** The machine by itself: no socket, no services; what it says and where it is after each command (RFC 9051 §3). */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createActor, fromCallback, fromPromise } from 'xstate';
import { needsLogIn, needsSelected } from '../../../actors/imap/command-states.ts';
import type { Constants } from '../../../actors/imap/context.ts';
import { ImapSession } from '../../../actors/imap/imap-session.ts';
import { imapMachine } from '../../../actors/imap/machine.ts';
import type { Appending } from '../../../actors/imap/outcome.ts';
import * as replies from '../../../actors/imap/replies.ts';
import type { SessionServices } from '../../../actors/imap/services.ts';
import { stateWord } from '../../../actors/live-session.ts';
import type { Content, DriverEvent } from '../../../actors/session.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import type { Command, TaggedCommand } from '../../../protocols/imap/command.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import { silentLog } from '../../../telemetry/log.ts';

const constants: Constants = {
  ...{ product: 'Homing', version: '0.1.0', defaultDomain: 'example.test', sharedName: 'shared', loginFailures: 3 },
  ...{ cleartextLogin: true, idleKeepaliveMs: 0, quotaVisible: false, appendLimitOctets: 0 },
};

/** Commands do nothing but SELECT and CLOSE, which change the state; of messages the third is refused. */
function driven(tls: 'none' | 'offered' = 'none') {
  const session = new ImapSession({
    ...{ id: 's.1', constants, clock: systemClock, log: silentLog },
    services: {} as SessionServices, // asked for nothing
  });
  let messages = 0;
  const appending: Appending = {
    accepts: async () => accept(null),
    takes: async () => accept(null),
    finish: async () => replies.fault,
    abandon: () => {
      messages = 0;
    },
  };
  const machine = imapMachine.provide({
    actors: {
      logIn: fromPromise(async ({ input }) => {
        if (input.name === 'fault') throw new Error('broken');
        if (input.name !== 'ann') return refuse('bad-credentials');
        const holder = { account: 'ann@example.test', accountId: 'a', mailHost: 'n1', isAdministrator: false };
        session.logIn(holder);
        return accept(holder);
      }),
      perform: fromPromise(async ({ input: { command } }) => ({
        response: replies.tagged(command.tag, { status: 'OK', text: command.type }),
        become: ({ SELECT: 'selected', CLOSE: 'authenticated' } as const)[command.type as string],
      })),
      watch: fromCallback(({ sendBack, receive }) => {
        receive(() => sendBack({ type: 'idle.ended' }));
      }),
      beginAppend: fromPromise(async ({ input }) =>
        input.command.mailbox === 'full' ? refuse(replies.refusal('over-quota')) : accept(appending),
      ),
      acceptMessage: fromPromise(async ({ input }) => accept(input.appending)),
      takeMessage: fromPromise(async ({ input }) =>
        ++messages === 3 ? refuse(replies.refusal('over-quota')) : accept(input.appending),
      ),
      endAppend: fromPromise(async ({ input: { tag, append } }) => ({
        response: replies.tagged(tag, append.refused ?? { status: 'OK', text: 'APPEND' }),
      })),
    },
  });
  const said: Response[] = [];
  const expected: string[] = [];
  const actor = createActor(machine, { input: { constants, session, tls } });
  actor.on('*', (each) => {
    if (each.type === 'reply') said.push(each.reply);
    else expected.push(each.type === 'expect' ? each.next : each.type);
  });
  actor.start();
  said.length = 0;
  const rest = async () => {
    for (let turns = 0; turns < 30; turns++) await Promise.resolve();
  };
  return {
    actor,
    expected,
    state: () => stateWord(actor.getSnapshot().value),
    /** Sends it, waits until the machine rests, and gives what was said, flat. */
    async hears(event: Command | DriverEvent): Promise<readonly Response[]> {
      said.length = 0;
      actor.send(event);
      await rest();
      return flat(said);
    },
  };
}

const flat = (responses: Iterable<Response>): readonly Response[] =>
  [...responses].flatMap((each) =>
    each.type === 'batch' && Symbol.iterator in each.responses ? flat(each.responses) : [each],
  );
/** `a OK`, `* BYE`, `+`, or the type. */
const words = (responses: readonly Response[]): readonly string[] =>
  responses.map((each) =>
    each.type === 'status' ? `${each.tag ?? '*'} ${each.status}` : each.type === 'continue' ? '+' : each.type,
  );

const LOGIN = { type: 'LOGIN', tag: 'l', name: 'ann', secret: 'x' } as const;
const SELECT = { type: 'SELECT', tag: 's', mailbox: 'INBOX', condstore: false } as const;
const message = { flags: [], sizeOctets: 3, sync: true, binary: false } as const;
const APPEND = { type: 'APPEND', tag: 'p', mailbox: 'INBOX', ...message } as const;
const content = { type: 'content', content: { bareLf: false } as Content } as const;

test('the figure: not authenticated, authenticated, selected, authenticated again, logout', async () => {
  const { hears, state, actor } = driven();
  assert.is(state(), 'notAuthenticated.ready');
  assert.equal(words(await hears(LOGIN)), ['l OK']);
  assert.is(state(), 'authenticated.ready');
  assert.equal(words(await hears(SELECT)), ['s OK']);
  assert.is(state(), 'selected.ready');
  assert.equal(words(await hears({ type: 'CLOSE', tag: 'c' })), ['c OK']);
  assert.is(state(), 'authenticated.ready');
  assert.equal(words(await hears({ type: 'LOGOUT', tag: 'q' })), ['* BYE', 'q OK']);
  assert.is(actor.getSnapshot().status, 'done');
});

test('SELECT while a mailbox is selected stays in the state', async () => {
  const { hears, state } = driven();
  for (const event of [LOGIN, SELECT, SELECT] as const) await hears(event);
  assert.is(state(), 'selected.ready');
});

test('nothing that TLS follows is said before it, and what was known in clear is not known after it', async () => {
  const { hears, state, expected } = driven('offered');
  assert.equal(words(await hears({ type: 'STARTTLS', tag: 'a' })), ['a OK']);
  assert.is(state(), 'notAuthenticated.securing');
  assert.equal(expected, ['start-tls']);
  assert.equal(words(await hears({ type: 'secured' })), []);
  assert.equal(words(await hears({ type: 'STARTTLS', tag: 'b' })), ['b BAD']);
});

test('COMPRESS waits for the driver, once; SELECT and what follows change nothing of it (RFC 4978 §3)', async () => {
  const { hears, state, expected } = driven();
  await hears(LOGIN);
  assert.equal(words(await hears({ type: 'COMPRESS', tag: 'a', mechanism: 'LZS' })), ['a BAD']);
  assert.equal(words(await hears({ type: 'COMPRESS', tag: 'b', mechanism: 'DEFLATE' })), ['b OK']);
  assert.is(state(), 'authenticated.compressing');
  assert.equal(expected, ['start-compression']);
  await hears({ type: 'compressed' });
  await hears(SELECT);
  assert.equal(words(await hears({ type: 'COMPRESS', tag: 'c', mechanism: 'DEFLATE' })), ['c NO']);
  assert.is(state(), 'selected.ready');
});

test('APPEND waits for each message, says + only to who waits for it, and answers once (RFC 3502)', async () => {
  const { hears, state, expected } = driven();
  await hears(LOGIN);
  assert.equal(words(await hears(APPEND)), ['+']);
  assert.equal(expected, ['body']);
  assert.equal(words(await hears(content)), []);
  assert.is(state(), 'authenticated.appending.between');
  assert.equal(words(await hears({ type: 'append-more', ...message, sync: false })), []);
  assert.equal(expected, ['body', 'body']);
  await hears(content);
  assert.equal(words(await hears({ type: 'append-end' })), ['p OK']);
  assert.is(state(), 'authenticated.ready');
});

test('an APPEND that is refused at once expects no octets; one refused later answers where it ends', async () => {
  const { hears, state, expected } = driven();
  for (const event of [LOGIN, SELECT] as const) await hears(event);
  assert.equal(words(await hears({ ...APPEND, mailbox: 'full' })), ['p NO']);
  assert.equal(expected, []);
  assert.is(state(), 'selected.ready');
  await hears(APPEND);
  for (let more = 0; more < 2; more++) {
    await hears(content);
    await hears({ type: 'append-more', ...message });
  }
  assert.equal(words(await hears(content)), []);
  assert.equal(words(await hears({ type: 'append-more', ...message })), ['p NO'], 'no + for what will not be taken');
  assert.is(state(), 'selected.ready');
  await hears(APPEND);
  await hears(content);
  assert.equal(words(await hears({ type: 'malformed', tag: 'p', reason: 'unknown command' })), ['p BAD']);
  assert.is(state(), 'selected.ready');
});

test('stop is obeyed wherever the next command is awaited, with a BYE', async () => {
  for (const events of [
    [],
    [LOGIN],
    [LOGIN, SELECT],
    [LOGIN, { type: 'IDLE', tag: 'i' }],
    [LOGIN, APPEND, content],
  ] as const) {
    const { hears, actor } = driven();
    for (const event of events) await hears(event);
    assert.ok(actor.getSnapshot().hasTag('ready'));
    assert.equal(words(await hears({ type: 'stop', reason: 'idle' })), ['* BYE']);
    assert.ok(actor.getSnapshot().hasTag('dismissed'));
  }
});

const simple = fc.constantFrom<TaggedCommand>(
  ...(['NOOP', 'CAPABILITY', 'NAMESPACE', 'CHECK', 'CLOSE', 'UNSELECT', 'STARTTLS'] as const).map((type) => ({
    type,
    tag: 't',
  })),
  { type: 'ID', tag: 't', fields: null },
  { type: 'COMPRESS', tag: 't', mechanism: 'DEFLATE' },
  { type: 'ENABLE', tag: 't', capabilities: ['CONDSTORE'] },
  { type: 'EXPUNGE', tag: 't', uid: false },
  { type: 'LIST', tag: 't', reference: '', patterns: ['*'], selection: [], returns: [], isExtended: false },
  { type: 'AUTHENTICATE', tag: 't', mechanism: 'X' },
  { ...SELECT, tag: 't' },
  { ...LOGIN, tag: 't' },
  { ...LOGIN, tag: 't', name: 'nobody' },
  { ...LOGIN, tag: 't', name: 'fault' },
);

test('each command gets exactly one tagged response, in whatever state, and the state is one of the figure', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(simple, { maxLength: 30 }), async (commands) => {
      const { hears, actor, state } = driven();
      for (const command of commands) {
        const before = state();
        const said = words(await hears(command));
        const tagged = said.filter((word) => word.startsWith('t '));
        assert.is(tagged.length, 1, `${command.type} in ${before}: ${said.join(', ')}`);
        const [where] = before.split('.');
        if (where === 'notAuthenticated' && needsLogIn(command) && command.type !== 'NOOP')
          assert.is(tagged[0], 't BAD');
        if (where === 'authenticated' && needsSelected(command)) assert.is(tagged[0], 't BAD');
        if (state().endsWith('.compressing')) await hears({ type: 'compressed' });
        if (actor.getSnapshot().status !== 'active') return;
        assert.ok(actor.getSnapshot().hasTag('ready'), state());
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
