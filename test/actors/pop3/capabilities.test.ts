/** What CAPA tells in each state and under each policy, and that what it tells is so: RFC 2449 §5, P-03 to P-08. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Constants } from '../../../actors/pop3/context.ts';
import { TEXTS } from '../../../actors/pop3/texts.ts';
import type { Caller, Protocol, Said } from '../../../actors/session.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { overMemory } from '../../support/transcript.ts';
import { type FakeHouse, type FakeOptions, fakeHouse, pop3 } from './fake-services.ts';

const PLAIN = `AUTH PLAIN ${Buffer.from('\0mrose\0tanstaaf').toString('base64')}`;
const ALWAYS = [
  'TOP',
  'UIDL',
  'PIPELINING',
  'RESP-CODES',
  'AUTH-RESP-CODE',
  'EXPIRE NEVER',
  'IMPLEMENTATION Homing-0.1.0',
  'UTF8 USER',
  'LANG',
];
const CLEARTEXT = ['USER', 'SASL PLAIN'];

type Setting = { readonly constants?: Partial<Constants>; readonly tls?: Caller['tls']; readonly house?: FakeOptions };

/**
 * A driver of one session without a socket: hands over whole lines, collects what is said, and makes a handshake by
 * forgetting what it holds. As actors/connection.ts, it sends nothing that is not awaited.
 */
class Driver {
  readonly house: FakeHouse;
  readonly heard: string[] = [];
  readonly #session;
  handshakes = 0;
  /** A handshake is under way until the test says that it is done. */
  isSecuring = false;

  constructor({ constants = {}, tls = 'none', house = {} }: Setting = {}) {
    this.house = fakeHouse(house);
    const caller = { session: 'd.1', address: '', port: 0, local: { address: '', port: 0 }, tls };
    this.#session = pop3(this.house.services, silentLog, constants).begin(caller);
    this.#session.actor.on('*', (said) => this.#hear(said));
    this.#session.actor.start();
    this.heard.length = 0;
  }

  get isOver(): boolean {
    return this.#session.actor.getSnapshot().status !== 'active';
  }

  get isReady(): boolean {
    return this.#session.actor.getSnapshot().hasTag('ready');
  }

  #hear(said: Said<object>): void {
    if (said.type === 'expect') this.#session.decoder.expect(said.next);
    else if (said.type === 'start-tls') {
      this.handshakes += 1;
      this.isSecuring = true;
    } else if (said.type === 'reply') {
      const octets = this.#session.encoder.encode(said.reply);
      assert.ok(octets instanceof Uint8Array);
      this.heard.push(...Buffer.from(octets).toString('utf8').split('\r\n').slice(0, -1));
    }
  }

  /** All that is said to these lines, once the session awaits more. */
  async say(...lines: readonly string[]): Promise<readonly string[]> {
    this.heard.length = 0;
    this.#session.decoder.push(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
    for (;;) {
      while (!this.isReady && !this.isSecuring && !this.isOver)
        await new Promise<void>((resolve) => setImmediate(resolve));
      const piece = this.isSecuring || this.isOver ? undefined : this.#session.decoder.next();
      if (piece === undefined) return [...this.heard];
      assert.ok(piece.kind === 'command');
      this.#session.actor.send(piece.command);
    }
  }

  secure(): void {
    this.#session.decoder.discard();
    this.isSecuring = false;
    this.#session.actor.send({ type: 'secured' });
  }

  stop(): void {
    this.#session.actor.send({ type: 'stop', reason: 'idle' });
  }

  async capabilities(): Promise<readonly string[]> {
    const heard = await this.say('CAPA');
    assert.is(heard[0], '+OK capability list follows');
    assert.is(heard.at(-1), '.');
    return heard.slice(1, -1);
  }
}

const same = (one: readonly string[], other: readonly string[]) => assert.equal([...one].sort(), [...other].sort());

test('P-04: the capabilities of a listener without TLS and limits, the same before and after log-in', async () => {
  const driver = new Driver();
  same(await driver.capabilities(), [...ALWAYS, ...CLEARTEXT]);
  await driver.say(PLAIN);
  same(await driver.capabilities(), [...ALWAYS, ...CLEARTEXT]);
});

test('all thirteen at once, where TLS is offered and a delay is set', async () => {
  const driver = new Driver({ tls: 'offered', constants: { loginDelayMs: 60_000 } });
  same(await driver.capabilities(), [...ALWAYS, ...CLEARTEXT, 'LOGIN-DELAY 60', 'STLS']);
  const tags = new Set((await driver.capabilities()).map((line) => line.split(' ')[0]));
  assert.is(tags.size, 13);
});

test('P-25: LOGIN-DELAY is told in whole seconds, in both states, and only where there is one', async () => {
  const driver = new Driver({ constants: { loginDelayMs: 1_500 } });
  assert.ok((await driver.capabilities()).includes('LOGIN-DELAY 2'));
  await driver.say(PLAIN);
  assert.ok((await driver.capabilities()).includes('LOGIN-DELAY 2'));
});

test('P-24: a log-in too soon after the last one gets LOGIN-DELAY, however the password came, and only with the right one', async () => {
  const driver = new Driver();
  const initial = (secret: string) => `AUTH PLAIN ${Buffer.from(`\0hasty\0${secret}`).toString('base64')}`;
  assert.equal(
    await driver.say('USER hasty', 'PASS tanstaaf', 'USER hasty', 'PASS x', initial('tanstaaf'), initial('x')),
    [
      '+OK send PASS',
      '-ERR [LOGIN-DELAY] too soon after the last log-in',
      '+OK send PASS',
      '-ERR [AUTH] wrong name or password',
      '-ERR [LOGIN-DELAY] too soon after the last log-in',
      '-ERR [AUTH] wrong name or password',
    ],
  );
});

test('P-07: without cleartext log-in neither USER nor SASL PLAIN is told or taken, and APOP goes on', async () => {
  const driver = new Driver({ constants: { cleartextLogin: false } });
  same(await driver.capabilities(), ALWAYS);
  const refused = '-ERR passwords are taken under TLS only';
  assert.equal(await driver.say('USER mrose', 'PASS tanstaaf', PLAIN, 'AUTH PLAIN', 'NOOP'), [
    refused,
    '-ERR PASS is not allowed now',
    refused,
    refused,
    '-ERR NOOP is not allowed now',
  ]);
  assert.equal(driver.house.asked, []);
  assert.equal(await driver.say(`APOP mrose ${'0'.repeat(32)}`), ['-ERR [AUTH] wrong name or password']);
  assert.equal(driver.house.asked, ['logIn']);
});

test('P-07: under TLS passwords are taken whatever the policy', async () => {
  const driver = new Driver({ tls: 'active', constants: { cleartextLogin: false } });
  same(await driver.capabilities(), [...ALWAYS, ...CLEARTEXT]);
  assert.equal(await driver.say('STLS'), ['-ERR TLS is active already']);
  assert.equal(await driver.say('USER mrose', 'PASS tanstaaf'), [
    '+OK send PASS',
    '+OK maildrop has 2 messages (320 octets)',
  ]);
});

test('RFC 2595 §4: STLS secures the session, which then is as at the beginning and takes passwords', async () => {
  const driver = new Driver({ tls: 'offered', constants: { cleartextLogin: false } });
  same(await driver.capabilities(), [...ALWAYS, 'STLS']);
  assert.equal(await driver.say('STLS'), ['+OK begin TLS negotiation']);
  assert.is(driver.handshakes, 1);
  assert.not(driver.isReady);
  driver.secure();
  assert.ok(driver.isReady);
  assert.equal(driver.heard, ['+OK begin TLS negotiation']); // no second greeting
  same(await driver.capabilities(), [...ALWAYS, ...CLEARTEXT]);
  assert.equal(await driver.say('STLS'), ['-ERR TLS is active already']);
  assert.equal(await driver.say(PLAIN), ['+OK maildrop has 2 messages (320 octets)']);
});

test('RFC 2595 §2.1: what was said in clear, and what was slipped in before the handshake, has no effect after it', async () => {
  const driver = new Driver({ tls: 'offered' });
  assert.equal(await driver.say('USER mrose', 'LANG de', 'UTF8', 'STLS', 'USER mallory', 'PASS x'), [
    '+OK send PASS',
    '+OK de Sprache gewechselt',
    '+OK ab jetzt UTF-8',
    '+OK TLS-Aushandlung kann beginnen',
  ]);
  driver.secure();
  assert.equal(await driver.say('PASS tanstaaf'), ['-ERR PASS is not allowed now']);
  assert.equal(driver.house.asked, []);
});

test('failed log-ins before STLS count after it', async () => {
  const driver = new Driver({ tls: 'offered' });
  const wrong = ['USER mrose', 'PASS wrong'];
  await driver.say(...wrong, ...wrong, ...wrong, 'STLS');
  driver.secure();
  assert.equal(await driver.say(...wrong), ['+OK send PASS', '-ERR [AUTH] too many failed log-ins']);
  assert.ok(driver.isOver);
});

test('STLS is told and taken in AUTHORIZATION only', async () => {
  const driver = new Driver({ tls: 'offered' });
  await driver.say(PLAIN);
  assert.not((await driver.capabilities()).includes('STLS'));
  assert.equal(await driver.say('STLS'), ['-ERR STLS is not allowed now']);
  assert.is(driver.handshakes, 0);
});

test('RFC 6856 §2.2: a name and a password in UTF-8 log in, without UTF8 mode and by AUTH too', async () => {
  const given: string[] = [];
  const house = fakeHouse();
  const protocol: Protocol = pop3({
    begin: (caller) => ({
      ...house.services.begin(caller),
      logIn: async ({ name, proof }) => {
        given.push(name, proof.mechanism === 'PLAIN' ? proof.secret : '');
        return { ok: false, refusal: 'bad-credentials' };
      },
    }),
  });
  const { client, close } = overMemory(protocol);
  await client.line();
  client.send(
    Buffer.from(`USER jörg\r\nPASS käse\r\nAUTH PLAIN ${Buffer.from('\0jörg\0käse').toString('base64')}\r\n`),
  );
  await client.lines(3);
  assert.equal(given, ['jörg', 'käse', 'jörg', 'käse']);
  client.send(Buffer.from('USER jörg\r\n', 'latin1'));
  assert.is(await client.line(), '-ERR names and passwords must be UTF-8');
  await close();
});

const INTERNATIONAL = 'From: Jø <jø@x.example>\r\nSubject: Käse\r\n\r\nKäse\r\n';

test('RFC 6856 §2.1: a message with UTF-8 in its header section is sent as it is in UTF8 mode, as a surrogate otherwise', async () => {
  const retrieve = async (...before: readonly string[]): Promise<string> => {
    const house = fakeHouse({ messages: ['x'.repeat(Buffer.byteLength(INTERNATIONAL))], body: bytes });
    const { client, close } = overMemory(pop3(house.services));
    client.send([...before, 'USER mrose', 'PASS tanstaaf', 'RETR 1', 'TOP 1 0', 'QUIT', ''].join('\r\n'));
    const heard = Buffer.from(await client.rest(), 'latin1').toString('utf8');
    await close();
    return heard;
  };
  const headers = (heard: string) => heard.split('\r\n').filter((line) => /^(From|Subject):|^ /.test(line));
  assert.equal(headers(await retrieve('UTF8')), [
    'From: Jø <jø@x.example>',
    'Subject: Käse',
    'From: Jø <jø@x.example>',
    'Subject: Käse',
  ]);
  const heard = await retrieve();
  const surrogate = [
    'From:',
    ` =?utf-8?B?${Buffer.from('Jø <jø@x.example>').toString('base64')}?=`,
    ' <invalid@internationalized-address.invalid>',
    'Subject:',
    ` =?utf-8?B?${Buffer.from('Käse').toString('base64')}?=`,
  ];
  assert.equal(headers(heard), [...surrogate, ...surrogate]);
  assert.match(heard, '\r\n\r\nKäse\r\n.\r\n');
});

async function* bytes(): AsyncIterable<Uint8Array> {
  yield Buffer.from(INTERNATIONAL);
}

test('texts in German are UTF-8, and each language says something for everything', async () => {
  const driver = new Driver();
  assert.equal(await driver.say('LANG de', 'USER', `APOP mrose ${'x'}`), [
    '+OK de Sprache gewechselt',
    '-ERR USER braucht einen Namen',
    '-ERR APOP braucht einen Namen und eine MD5-Prüfsumme',
  ]);
  await driver.say(PLAIN);
  assert.equal(await driver.say('DELE 1', 'DELE 1', 'DELE 9'), [
    '+OK Nachricht 1 gelöscht',
    '-ERR Nachricht 1 ist zum Löschen vorgemerkt',
    '-ERR keine solche Nachricht, nur 2 im Postfach',
  ]);
  for (const texts of Object.values(TEXTS)) {
    const said = [texts.notNow('X'), texts.size(1, 2), texts.updated(0), texts.updated(1), texts.updated(2)];
    for (const text of [...said, ...Object.values(texts).filter((each) => typeof each === 'string')])
      assert.match(text, /^[^\r\n\0]{2,200}$/);
  }
});

test('whoever would act as another is refused before the house is asked, and the log says why without the password', async () => {
  const log = memoryLog();
  const house = fakeHouse();
  const { client, close } = overMemory(pop3(house.services, log));
  await client.line();
  client.send(`AUTH PLAIN ${Buffer.from('root\0mrose\0tanstaaf').toString('base64')}\r\n`);
  assert.is(await client.line(), '-ERR [AUTH] wrong name or password');
  assert.equal(house.asked, []);
  assert.is(
    log.entries.find(({ fields }) => fields['reason'] === 'other-authorization-id')?.fields['account'],
    'mrose',
  );
  assert.not.match(JSON.stringify(log.entries), /tanstaaf/);
  await close();
});

test('RFC 4616 §2: both names are prepared alike before they are compared: whoever names themselves in another form may act', async () => {
  for (const [authorizationId, name, isSame] of [
    ['mrose', 'mrose', true],
    ['MRose', 'mrose', true],
    ['mrose@example.test', 'mrose', true],
    ['mrose@EXAMPLE.test', 'mrose@example.test', true],
    ['m\u00ADrose', 'mrose', true], // a soft hyphen is mapped to nothing
    ['mrose@other.test', 'mrose', false],
    ['mrose2', 'mrose', false],
    ['m\u0435rose', 'mrose', false], // a letter that only looks the same
  ] as const) {
    const house = fakeHouse();
    const { client, close } = overMemory(pop3(house.services));
    await client.line();
    client.send(`AUTH PLAIN ${Buffer.from(`${authorizationId}\0${name}\0wrong`).toString('base64')}\r\n`);
    assert.is(await client.line(), '-ERR [AUTH] wrong name or password');
    assert.equal(house.asked, isSame ? ['logIn'] : [], authorizationId);
    await close();
  }
});

test('a name as long as a line is cut before it goes to the log', async () => {
  const log = memoryLog();
  const { client, close } = overMemory(pop3(fakeHouse().services, log));
  await client.line();
  client.send(`AUTH PLAIN\r\n${Buffer.from(`root\0${'y'.repeat(5000)}\0x`).toString('base64')}\r\n`);
  await client.lines(2);
  const { account } = log.entries.find(({ fields }) => fields['reason'] === 'other-authorization-id')!.fields;
  assert.is(account, `${'y'.repeat(320)}... (5000 characters)`);
  await close();
});

test('an idle client in the middle of an exchange is sent away like any other', async () => {
  const driver = new Driver();
  assert.equal(await driver.say('AUTH PLAIN'), ['+ ']);
  driver.stop();
  assert.ok(driver.isOver);
});

test.run();
