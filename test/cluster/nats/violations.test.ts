/** What a nats-server forbids is said by subject: at the start as the error, later in the log, and never in silence. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errors } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectNats, type NatsLink } from '../../../cluster/nats/connect.ts';
import { createViolations, violationIn } from '../../../cluster/nats/violations.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { natsServer } from '../../support/nats-server.ts';
import { FakeClock } from '../bus/fake-clock.ts';

const violation = (operation: 'publish' | 'subscription', subject: string) =>
  new errors.PermissionViolationError('', operation, subject);

test('a violation is said once a minute for each subject; names that are used once count as one', () => {
  const clock = new FakeClock();
  const log = memoryLog();
  const violations = createViolations(log, clock);
  const said = () => log.entries.map(({ fields }) => `${fields.operation} ${fields.subject}`);
  const ids = ['5XR1Q2S0OSN2DL0QSJ3TVW', 'AAAAAAAAAAAAAAAAAAAA01'];
  for (const id of ids) assert.ok(violations.take(violation('subscription', `_INBOX.${id}`)));
  for (const id of ids) assert.ok(violations.take(violation('publish', `$JS.API.CONSUMER.CREATE.KV_x.watch_${id}`)));
  assert.ok(violations.take(violation('publish', 'homing.demo.auth.x')));
  assert.ok(violations.take(violation('subscription', 'homing.demo.auth.x')));
  assert.equal(said(), [
    `subscription _INBOX.${ids[0]}`,
    `publish $JS.API.CONSUMER.CREATE.KV_x.watch_${ids[0]}`,
    'publish homing.demo.auth.x',
    'subscription homing.demo.auth.x',
  ]);
  clock.advance(60_000);
  violations.take(violation('publish', 'homing.demo.auth.x'));
  assert.is(said().length, 5);
  assert.ok(log.entries.every(({ level }) => level === 'error'));
});

test('what is no violation is left to others, and one is found below what it caused', () => {
  const log = memoryLog();
  assert.not(createViolations(log, new FakeClock()).take(new Error('another')));
  assert.equal(log.entries, []);
  assert.is(violationIn(new Error('another')), undefined);
  const caused = new Error('outer', { cause: new Error('inner', { cause: violation('publish', 'a.b') }) });
  assert.match(violationIn(caused)!, /may not publish to "a\.b"/);
});

const PERMITTED = {
  publish: ['$JS.API.INFO', 'homing.demo.>'],
  subscribe: ['_INBOX_homing_demo.>', 'homing.demo.>'],
};

type Connecting = { readonly as: (cluster: string, log?: ReturnType<typeof memoryLog>) => Promise<NatsLink> };

async function withPermissions(
  { publish, subscribe }: typeof PERMITTED,
  use: (connecting: Connecting) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'homing-violations-'));
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, 'p');
  const permissions = JSON.stringify({ publish, subscribe });
  const configuration = `authorization { users = [ { user: u, password: p, permissions: ${permissions} } ] }`;
  const { server } = await natsServer({ configuration });
  const as: Connecting['as'] = (cluster, log = memoryLog()) =>
    connectNats(
      { servers: [server!.address], cluster, user: 'u', passwordFile },
      { me: 'n1', log, clock: systemClock },
    );
  try {
    await use({ as });
  } finally {
    await server!.stop();
    await rm(directory, { recursive: true });
  }
}

const errorOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: Error) => error.message,
  );

const { server: any, missing } = await natsServer();
await any?.stop();

if (missing !== undefined) test.skip(missing, () => {});
else {
  test('a user that may not ask JetStream, or not hear the answer, is refused at the start with the subject', async () => {
    await withPermissions({ ...PERMITTED, publish: ['homing.demo.>'] }, async ({ as }) =>
      assert.match(await errorOf(as('demo')), /the user may not publish to "\$JS\.API\.INFO"; docs\/nats\.md/),
    );
    await withPermissions(PERMITTED, async ({ as }) =>
      assert.match(await errorOf(as('other')), /may not subscribe to "_INBOX_homing_other\.\w+\.\*"; docs\/nats\.md/),
    );
  });

  test('inboxes begin with the name of the cluster; what is forbidden later is logged with its subject', () =>
    withPermissions(PERMITTED, async ({ as }) => {
      const log = memoryLog();
      const link = await as('demo', log);
      const inbox = link.newInbox();
      assert.match(inbox, /^_INBOX_homing_demo\.\w+$/);
      assert.is.not(link.newInbox(), inbox);
      const said = (operation: string, subject: string) =>
        log.until(({ fields }) => fields.operation === operation && fields.subject === subject);
      link.connection.publish('homing.other.auth.x', 'x');
      await said('publish', 'homing.other.auth.x');
      link.connection.subscribe('homing.other.>', { callback: () => {} });
      await said('subscription', 'homing.other.>');
      assert.ok(link.connected(), 'it is no reason to hang up');
      await link.close();
    }));
}

test.run();
