/** A delivery over the bus, with the lines that it prepends, and the sessions that a front keeps for the next. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliverySessions } from '../../../actors/front/delivery-sessions.ts';
import { type LmtpServicesOptions, lmtpServices } from '../../../actors/front/lmtp-services.ts';
import { traceLines } from '../../../actors/front/trace.ts';
import type { DeliverRequest } from '../../../actors/mailbox-owner/requests.ts';
import { joe } from '../authenticator/fixtures.ts';
import { caller, house, never } from './fixtures.ts';

async function lmtp(options: Partial<LmtpServicesOptions> = {}) {
  const around = await house(await joe({ name: 'ann@example.test', settings: { quotaOctets: 5 } }));
  let made = 0;
  const sessions = new DeliverySessions(around.front, () => `start.d${++made}`);
  const delivery = { sessions, chunkOctets: 8, log: around.log };
  const services = lmtpServices({ front: around.front, delivery, hostName: 'mx.example.test', ...options });
  return { ...around, sessions, session: services.begin(caller), made: () => made };
}

const path = (localPart: string, domain = 'example.test') => ({ localPart, domain });

const plain = { smtputf8: false, secured: false };

async function* once(text: string) {
  yield Buffer.from(text);
}

test('a path is resolved, a message delivered, and its receipt says where it went', async () => {
  const { session, host } = await lmtp();
  const resolved = await session.resolve(path('Ann'), never);
  assert.ok(resolved.ok);
  assert.equal(await session.resolve(path('nobody'), never), { ok: false, refusal: 'no-such-user' });
  let request: DeliverRequest | undefined;
  const handle = host.handle.bind(host);
  host.handle = (operation, asked) => {
    if (operation === 'deliver') request = asked as DeliverRequest;
    return handle(operation, asked);
  };
  const recipients = [{ ...resolved.value, forwardPath: path('Ann') }];
  const delivery = {
    clientDomain: 'client.test',
    reversePath: path('bob'),
    ...plain,
    recipients,
    content: once('hello'),
  };
  assert.equal(await session.deliver(delivery, never), [{ ok: true, value: { mailHost: 'n1', sequence: 1 } }]);
  const [recipient] = request!.recipients;
  assert.is(recipient?.account, 'id-ann');
  assert.is(recipient?.quotaOctets, 5);
  assert.match(String(Buffer.from(recipient!.trace)), /^Return-Path: <bob@example.test>\r\nReceived: from client.test/);
});

test('RFC 6531 §3.2: a recipient by U-labels is looked up by A-labels, and named as it was in the trace', async () => {
  const around = await house(await joe({ name: 'ann@xn--bcher-kva.example', id: 'id-ann' }));
  const sessions = new DeliverySessions(around.front, () => 'start.d1');
  const delivery = { sessions, chunkOctets: 8, log: around.log };
  const session = lmtpServices({ front: around.front, delivery, hostName: 'mx.example.test' }).begin(caller);
  const forwardPath = path('ann', 'Bücher.example');
  const resolved = await session.resolve(forwardPath, never);
  assert.ok(resolved.ok);
  for (const domain of ['bücher.example.', 'ｂcher.example', 'bücher.test'])
    assert.equal(await session.resolve(path('ann', domain), never), { ok: false, refusal: 'no-such-user' });
  const recipients = [{ ...resolved.value, forwardPath }];
  const envelope = { clientDomain: 'client.test', reversePath: path('jürgen'), smtputf8: true, secured: true };
  assert.ok((await session.deliver({ ...envelope, recipients, content: once('hello') }, never))[0]?.ok);
});

test('T-18: only what is told to ignores quotas; what the account allows goes along', async () => {
  for (const ignoresQuota of [true, false]) {
    const { session, host } = await lmtp({ ignoresQuota });
    const resolved = await session.resolve(path('ann'), never);
    assert.ok(resolved.ok);
    let request: DeliverRequest | undefined;
    const handle = host.handle.bind(host);
    host.handle = (operation, asked) => {
      if (operation === 'deliver') request = asked as DeliverRequest;
      return handle(operation, asked);
    };
    const recipient = {
      ...resolved.value,
      forwardPath: path('ann'),
      folder: 'bugs',
      sizeLimitOctets: 7,
      mustExist: true,
    };
    const content = once('hello');
    await session.deliver(
      { clientDomain: 'c.test', reversePath: null, ...plain, recipients: [recipient], content },
      never,
    );
    const { trace: _, internalDate: __, ...asked } = request!.recipients[0]!;
    assert.equal(asked, {
      account: 'id-ann',
      quotaOctets: 5,
      folder: 'bugs',
      sizeLimitOctets: 7,
      mustExist: true,
      ...(ignoresQuota && { ignoresQuota: true }),
    });
  }
});

test('an account deleted, disabled or moved before the final dot gets nothing, where the mirror can be trusted', async () => {
  for (const [change, isFresh, refusal] of [
    [{ deleted: true, status: 'deleted', credentials: {} }, true, 'no-such-user'],
    [{ id: 'id-other' }, true, 'no-such-user'],
    [{ status: 'disabled' }, true, 'disabled'],
    [{ mailHost: 'n2' }, true, 'unavailable'],
    [{ status: 'noaccess' }, true, undefined],
    [{ status: 'disabled' }, false, undefined],
  ] as const) {
    const { session, host, directory } = await lmtp();
    const ann = await session.resolve(path('ann'), never);
    const other = await session.resolve(path('joe'), never);
    assert.ok(ann.ok && other.ok);
    const recipients = [
      { ...ann.value, forwardPath: path('ann') },
      { ...other.value, forwardPath: path('joe') },
    ];
    async function* content() {
      yield Buffer.from('hello');
      directory.put({ ...directory.find('ann@example.test')!, ...change, version: 2 });
      directory.fresh = isFresh;
    }
    const delivery = { clientDomain: 'client.test', reversePath: null, ...plain, recipients, content: content() };
    const [first, second] = await session.deliver(delivery, never);
    assert.is(first?.ok ? undefined : first?.refusal, refusal);
    assert.ok(second?.ok);
    assert.equal(
      host.delivered.map(({ account }) => account),
      refusal === undefined ? ['id-ann', 'id-joe'] : ['id-joe'],
    );
  }
});

test('RFC 5321 §4.4: the trace names path, client, host, session, recipient and time, in lines that end in CRLF', () => {
  const facts = {
    reversePath: null,
    forwardPath: path('a b"c'),
    clientDomain: 'client.test',
    clientAddress: '2001:db8::1',
    hostName: 'mx.example.test',
    session: 'start.1',
    smtputf8: false,
    tls: false,
    receivedAt: Date.UTC(2026, 10, 2, 3, 4, 5),
  };
  assert.is(
    String(Buffer.from(traceLines(facts))),
    [
      'Return-Path: <>',
      'Received: from client.test ([IPv6:2001:db8::1])',
      '\tby mx.example.test with LMTP id start.1',
      '\tfor <"a b\\"c"@example.test>; Mon, 02 Nov 2026 03:04:05 +0000',
      '',
    ].join('\r\n'),
  );
  const local = { ...facts, clientAddress: '', clientDomain: 'not a\r\ndomain' };
  assert.match(String(Buffer.from(traceLines(local))), /Received: from unknown\r\n/);
});

test('the trace names a client as LHLO took its name, with an underscore too', () => {
  const facts = { reversePath: null, forwardPath: path('joe'), hostName: 'mx.example.test', session: 'start.1' };
  const from = (clientDomain: string) => {
    const where = { clientDomain, clientAddress: '192.0.2.1', smtputf8: false, tls: false, receivedAt: 0 };
    return String(Buffer.from(traceLines({ ...facts, ...where }))).split('\r\n')[1];
  };
  assert.is(from('mail_out.x.example'), 'Received: from mail_out.x.example ([192.0.2.1])');
  assert.is(from('[IPv6:2001:db8::1]'), 'Received: from [IPv6:2001:db8::1] ([192.0.2.1])');
  for (const none of ['a b', 'x;y', '', 'x\r\ny']) assert.is(from(none), 'Received: from unknown ([192.0.2.1])');
});

test('RFC 3848 §1, RFC 6531 §4.3: the trace names the protocol with TLS and SMTPUTF8, a unix socket is neither', async () => {
  for (const [facts, from, protocol] of [
    [{ smtputf8: false, secured: false }, caller, 'LMTP'],
    [{ smtputf8: false, secured: true }, caller, 'LMTPS'],
    [{ smtputf8: true, secured: false }, caller, 'UTF8LMTP'],
    [{ smtputf8: true, secured: true }, { ...caller, tls: 'active' }, 'UTF8LMTPS'],
    [
      { smtputf8: true, secured: true },
      { session: 'start.1', address: '', port: 0, local: { address: '/ipc/lmtpd', port: 0 }, tls: 'active' },
      'UTF8LMTP',
    ],
  ] as const) {
    const around = await house();
    const sessions = new DeliverySessions(around.front, () => 'start.d1');
    const delivery = { sessions, chunkOctets: 8, log: around.log };
    const session = lmtpServices({ front: around.front, delivery, hostName: 'mx.example.test' }).begin(from);
    const resolved = await session.resolve(path('joe'), never);
    assert.ok(resolved.ok);
    let trace = '';
    const handle = around.host.handle.bind(around.host);
    around.host.handle = (operation, asked) => {
      if (operation === 'deliver') trace = String(Buffer.from((asked as DeliverRequest).recipients[0]!.trace));
      return handle(operation, asked);
    };
    const recipients = [{ ...resolved.value, forwardPath: path('jö+Entwürfe') }];
    const envelope = { clientDomain: 'client.test', reversePath: path('jürgen', 'bücher.example'), ...facts };
    await session.deliver({ ...envelope, recipients, content: once('hello') }, never);
    assert.match(trace, `\tby mx.example.test with ${protocol} id start.1\r\n`);
    assert.match(trace, from.address === '' ? 'from client.test\r\n' : 'from client.test ([127.0.0.1])\r\n');
    assert.match(trace, 'Return-Path: <jürgen@bücher.example>\r\n');
    assert.match(trace, '\tfor <jö+Entwürfe@example.test>; ');
  }
});

test('a session given back is lent again, a discarded one is ended, and an idle one ends by itself', async () => {
  const { sessions, host, clock, made } = await lmtp();
  const first = (await sessions.borrow('n1'))!;
  const second = (await sessions.borrow('n1'))!;
  sessions.giveBack(first);
  assert.is(await sessions.borrow('n1'), first);
  assert.is(made(), 2);
  sessions.discard(second);
  await second.close();
  assert.ok(host.sessions.get(second.id)?.ended);
  sessions.giveBack(first);
  clock.advance(59_999);
  assert.not.ok(first.isOver);
  clock.advance(1);
  assert.ok(first.isOver);
  await first.close();
  assert.ok(host.sessions.get(first.id)?.ended);
  assert.is.not(await sessions.borrow('n1'), first);
});

test('a session that was given back later ends later', async () => {
  const { sessions, clock } = await lmtp();
  const [first, second] = [(await sessions.borrow('n1'))!, (await sessions.borrow('n1'))!];
  sessions.giveBack(first);
  clock.advance(30_000);
  sessions.giveBack(second);
  clock.advance(30_000);
  assert.equal([first.isOver, second.isOver], [true, false]);
  clock.advance(30_000);
  assert.ok(second.isOver);
});

test('where the owner ended one session the idle ones are not trusted either', async () => {
  const { sessions, host, clock } = await lmtp();
  const [first, second] = [(await sessions.borrow('n1'))!, (await sessions.borrow('n1'))!];
  sessions.giveBack(first);
  host.failOver();
  for (const record of host.sessions.values()) record.ended = true;
  const delivered = await clock.until(second.deliver({ kind: 'inline', bytes: new Uint8Array(), sha256: '' }, []));
  assert.equal(delivered, { ok: false, refusal: 'ended' });
  sessions.discard(second);
  assert.ok(first.isOver);
  const third = (await sessions.borrow('n1'))!;
  assert.is.not(third, first);
});

test('stopping ends the idle sessions, and those lent when they come back', async () => {
  const { sessions, host } = await lmtp();
  const [first, second] = [(await sessions.borrow('n1'))!, (await sessions.borrow('n1'))!];
  sessions.giveBack(first);
  await sessions.stop();
  assert.ok(host.sessions.get(first.id)?.ended);
  sessions.giveBack(second);
  await second.close();
  assert.ok(host.sessions.get(second.id)?.ended);
});

test('no authenticator, or no owner that opens: no session', async () => {
  const { sessions, host, authenticator } = await lmtp();
  host.openRefusal = 'full';
  assert.is(await sessions.borrow('n1'), undefined);
  await authenticator.stop();
  assert.is(await sessions.borrow('n1'), undefined);
});

test.run();
