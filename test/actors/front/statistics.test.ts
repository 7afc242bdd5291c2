/** What sessions do for their clients is counted where it is done, and once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliverySessions } from '../../../actors/front/delivery-sessions.ts';
import { lmtpServices } from '../../../actors/front/lmtp-services.ts';
import { pop3Services } from '../../../actors/front/pop3-services.ts';
import { poppwdServices } from '../../../actors/front/poppwd-services.ts';
import { Statistics } from '../../../telemetry/statistics.ts';
import { credential, joe } from '../authenticator/fixtures.ts';
import { caller, house, never } from './fixtures.ts';

async function counted(servesHere: boolean) {
  const around = await house(await joe({ name: 'ann@example.test', settings: { quotaOctets: 5 } }));
  const statistics = new Statistics();
  const front = { ...around.front, statistics, servesHere: () => servesHere };
  return { ...around, front, deeds: (protocol: string) => statistics.of(protocol).read().deeds };
}

for (const servesHere of [true, false])
  test(`POP3: log-ins that are ${servesHere ? 'at home' : 'forwarded'}, messages had and removed`, async () => {
    const { front, host, deeds } = await counted(servesHere);
    host.messages.set(3, Buffer.from('three'));
    host.messages.set(9, Buffer.from('no'));
    const session = pop3Services(front).begin(caller);
    const proof = (secret: string) => ({ name: 'joe', proof: { mechanism: 'PLAIN', secret } as const });
    assert.not.ok((await session.logIn(proof('wrong'), never)).ok);
    assert.ok((await session.logIn(proof('pencil'), never)).ok);
    const got = await session.retrieve(3, never);
    assert.ok(got.ok);
    assert.not.ok((await session.retrieve(4, never)).ok);
    assert.ok((await session.expunge([3, 9], never)).ok);
    await session.leave();
    assert.equal(deeds('pop3'), {
      ...(!servesHere && { 'sessions-forwarded': 1 }),
      'messages-retrieved': 1,
      'messages-removed': 2,
    });
  });

for (const [servesHere, overQuota] of [
  [true, 'permanent'],
  [false, 'temporary'],
] as const)
  test(`LMTP: each recipient by what it was told, ${servesHere ? 'here' : 'on another node'}, over quota ${overQuota}`, async () => {
    const { front, host, deeds, log } = await counted(servesHere);
    const sessions = new DeliverySessions(front, () => 'start.d1');
    const delivery = { sessions, chunkOctets: 8, log };
    const session = lmtpServices({ front, delivery, hostName: 'mx.example.test', overQuota }).begin(caller);
    const path = (localPart: string) => ({ localPart, domain: 'example.test' });
    host.isOverQuota = (account) => account === 'id-ann';
    const [joes, anns, nobody] = [
      await session.resolve(path('joe'), never),
      await session.resolve(path('ann'), never),
      await session.resolve(path('nobody'), never),
    ];
    assert.ok(joes.ok && anns.ok && !nobody.ok);
    const deliver = () =>
      session.deliver(
        {
          clientDomain: 'client.test',
          reversePath: null,
          smtputf8: false,
          secured: false,
          recipients: [
            { ...joes.value, forwardPath: path('joe') },
            { ...anns.value, forwardPath: path('ann') },
          ],
          content: (async function* () {
            yield Buffer.from('hello');
          })(),
        },
        never,
      );
    await deliver();
    host.isFull = true;
    await deliver();
    const found = deeds('lmtp');
    assert.is(found['recipients-refused'], 1);
    assert.is(found['messages-received'], 2);
    assert.is(found['deliveries-accepted'], 1);
    assert.is(found['deliveries-forwarded'], servesHere ? undefined : 1);
    const refused = overQuota === 'permanent' ? 1 : 0; // the owner that is full says so of both
    assert.equal([found['deliveries-refused'] ?? 0, found['deliveries-deferred']], [refused, 3 - refused]);
    await sessions.stop();
  });

test('poppwd: passwords changed, and refused', async () => {
  const { front, directory, deeds } = await counted(true);
  const session = () => poppwdServices(front, 30_000).begin(caller);
  const first = session();
  assert.ok((await first.logIn({ name: 'joe', secret: 'pencil' }, never)).ok);
  assert.ok((await first.changePassword('crayon', never)).ok);
  const second = session();
  assert.ok((await second.logIn({ name: 'joe', secret: 'crayon' }, never)).ok);
  directory.put(await joe({ version: 7, credentials: { DEFAULT: await credential('reset', 7) } }));
  assert.not.ok((await second.changePassword('chalk', never)).ok);
  assert.equal(deeds('poppwd'), { 'passwords-changed': 1, 'passwords-refused': 1 });
});

test.run();
