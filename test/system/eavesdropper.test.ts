/** Who hears every subject learns no secret and no mail, and what was heard does nothing when it is said again. */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PoppwdClient } from '../../bench/clients/poppwd.ts';
import { connectToNats } from '../support/nats-connection.ts';
import {
  deliver,
  hasNats,
  logIn,
  message,
  openSession,
  retrieveAll,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const EVE = 'eve@example.test';
const SECRETS = ['first secret of eve', 'second secret of eve', 'third secret of eve'];
const BODY = 'a body that nobody else may read';

cluster('a subscriber to every subject learns nothing and can replay nothing; no log holds a secret', () =>
  withFleet(threeNodes({ logLevel: 'debug' }), async (fleet) => {
    const connection = await connectToNats(fleet, fleet.nats[0]!);
    const heard: Msg[] = [];
    const ear = connection.subscribe('>', { callback: (_, one) => void heard.push(one) });
    await connection.flush();

    await fleet.node('n1').ask('account.add', { name: EVE, secret: SECRETS[0], mailHost: 'n1' });
    for (const [at, node] of fleet.nodes.entries())
      assert.match(await deliver(node.lmtp, EVE, message(`${BODY} ${at}`, at === 0 ? 400_000 : 1000)), /^250/);
    await change(fleet.node('n2').poppwd, SECRETS[0]!, SECRETS[1]!);
    assert.match(await logIn(fleet.node('n3').pop3, EVE, SECRETS[2]!), /^-ERR/);
    const reading = await openSession(fleet.node('n3').pop3, EVE, SECRETS[1]!);
    for (let number = 1; number <= 3; number++) assert.ok((await reading.retrieve(number)).includes(BODY));
    await reading.ask('DELE 1');
    await reading.quit();
    await change(fleet.node('n3').poppwd, SECRETS[1]!, SECRETS[2]!);
    await connection.flush();
    ear.unsubscribe();

    const spoken = heard;
    assert.ok(spoken.length > 50, `only ${spoken.length} messages were heard`);
    assertUnreadable(spoken);
    assertLogsClean(fleet.nodes.map(({ lines }) => lines));

    const before = await state(fleet.node('n2').pop3);
    await replay(connection, spoken);
    const after = await state(fleet.node('n2').pop3);
    assert.equal(after, before);
    for (const node of fleet.nodes) {
      for (const old of SECRETS.slice(0, 2)) assert.match(await logIn(node.pop3, EVE, old), /^-ERR \[AUTH\]/);
      assert.is(await logIn(node.pop3, EVE, SECRETS[2]!), 'ok');
    }
    await connection.close();
  }),
);

async function change(
  poppwd: Parameters<typeof PoppwdClient.connect>[0],
  before: string,
  after: string,
): Promise<void> {
  const client = await PoppwdClient.connect(poppwd);
  assert.match(await client.changePassword(EVE, before, after), /^200/);
  client.close();
}

/** Neither in clear nor in the encodings that a lazy protocol would use. */
function assertUnreadable(spoken: readonly Msg[]): void {
  const needles = [...SECRETS, BODY].flatMap((text) => [
    Buffer.from(text),
    Buffer.from(Buffer.from(text).toString('base64').slice(2, -4)),
    Buffer.from(Buffer.from(text).toString('hex')),
    Buffer.from(text, 'utf16le'),
  ]);
  for (const { subject, data } of spoken)
    for (const needle of needles) {
      assert.not.ok(Buffer.from(data).includes(needle), `${subject} tells ${needle}`);
      assert.not.ok(subject.includes(needle.toString('latin1')), subject);
    }
}

function assertLogsClean(logs: readonly (readonly string[])[]): void {
  assert.ok(
    logs.some((lines) => lines.length > 1),
    'no log was read',
  );
  for (const line of logs.flat())
    for (const text of [...SECRETS, BODY]) assert.not.ok(line.includes(text), `a log line holds a secret: ${line}`);
}

/** What the mailbox holds, as octets, without what each retrieval changes. */
const state = async (pop3: Parameters<typeof retrieveAll>[0]) =>
  (await retrieveAll(pop3, EVE, SECRETS[2]!)).map((each) => each.toString('latin1'));

/** Says it all again from another connection: as it was, without its headers, and with our own inbox as the reply. */
async function replay(connection: NatsConnection, spoken: readonly Msg[]): Promise<void> {
  const answers = connection.subscribe('stolen.>', {
    callback: (_, answer) => assertUnreadable([answer]),
  });
  for (const [at, { subject, data, headers, reply }] of spoken.entries()) {
    if (subject.startsWith('$SYS')) continue;
    connection.publish(subject, data, { ...(headers && { headers }), ...(reply && { reply }) });
    connection.publish(subject, data, { reply: `stolen.${at}` });
  }
  await connection.flush();
  answers.unsubscribe();
}

test.run();
