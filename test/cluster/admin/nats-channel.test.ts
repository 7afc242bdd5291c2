/**
 * The admin channel over a real nats-server, the operator as a user that may use the admin subjects alone (docs/nats.md).
 * Skipped, visibly, where no nats-server is installed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NatsAdminChannel } from '../../../cluster/admin/nats-channel.ts';
import { connectNats } from '../../../cluster/nats/connect.ts';
import { subjects } from '../../../cluster/subjects.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { natsServer } from '../../support/nats-server.ts';
import { channelContract } from './channel-contract.ts';

const permissions = (...list: string[]) =>
  `permissions { publish: ${JSON.stringify(list)}, subscribe: ${JSON.stringify(list)} }`;
const { server: nats, missing } = await natsServer({
  configuration: `authorization { users = [
    { user: node, password: secret, ${permissions('homing.demo.>', '_INBOX_homing_demo.>', '$JS.API.INFO')} }
    { user: operator, password: secret, ${permissions('homing.demo.admin.>')} }
  ] }`,
});
const directory = mkdtempSync(join(tmpdir(), 'homing-admin-nats-'));
const passwordFile = join(directory, 'password');
writeFileSync(passwordFile, 'secret\n');

async function end(user: 'node' | 'operator') {
  const log = memoryLog();
  const options = { servers: [nats!.address], cluster: 'demo', user, passwordFile };
  const link = await connectNats(options, {
    me: user,
    log,
    clock: systemClock,
    ...(user === 'operator' && { jetStream: false as const }),
  });
  return { link, log, channel: new NatsAdminChannel({ link, subjects: subjects('demo'), log }) };
}

if (nats) {
  channelContract('over NATS, with the permissions of an operator', async () => {
    const [operator, nodes] = [await end('operator'), await end('node')];
    return {
      operator: operator.channel,
      nodes: nodes.channel,
      async close() {
        await operator.link.close();
        await nodes.link.close();
        assert.equal(
          operator.log.entries.filter(({ level }) => level === 'error'),
          [],
          'nothing was refused to it',
        );
      },
    };
  });
}

(nats ? test : test.skip)(
  'a reply subject that is no admin inbox is not answered: nobody speaks with a node’s voice',
  async () => {
    const [operator, node, listener] = [await end('operator'), await end('node'), await end('node')];
    const seen: string[] = [];
    const callback = (_error: unknown, { subject }: { subject: string }) => void seen.push(subject);
    listener.link.connection.subscribe('homing.demo.>', { callback });
    await listener.link.connection.flush();
    await node.channel.serve('n1', (_message, answer) => answer(Buffer.from('answer')));
    const { connection } = operator.link;
    for (const reply of ['homing.demo.mail.n1.deliver', 'homing.demo.admin.n1', 'homing.demo.admin.inboxes.x'])
      connection.publish('homing.demo.admin.n1', 'x', { reply });
    const inbox = 'homing.demo.admin.inbox.mine';
    const answered = new Promise<void>((resolve) => connection.subscribe(inbox, { callback: () => resolve() }));
    connection.publish('homing.demo.admin.all', 'x', { reply: inbox });
    await answered;
    await listener.link.connection.flush();
    assert.equal(new Set(seen), new Set(['homing.demo.admin.n1', 'homing.demo.admin.all', inbox]));
    for (const { link } of [operator, node, listener]) await link.close();
  },
);

test.after(async () => {
  await nats?.stop();
  rmSync(directory, { recursive: true, force: true });
});

if (!nats) console.log(`skipped: ${missing}`);
test.run();
