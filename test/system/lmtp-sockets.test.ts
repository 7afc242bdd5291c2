/** LMTP as an MTA on the same machine finds it: its two unix sockets, quotas at each, and what the wire takes, read back by POP3. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { Pop3Client } from '../../bench/clients/pop3.ts';
import { configuration, type NodePlace } from '../../bench/fleet/configuration.ts';
import { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';

const picker = new PortPicker();
const JOE = 'joe@example.test';

async function withNode(
  more: Partial<NodePlace>,
  use: (node: NodeProcess, restart: (more: Partial<NodePlace>) => Promise<void>) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const ports = { pop3: await picker.next(), lmtp: await picker.next(), poppwd: await picker.next() };
  const file = join(directory, 'homing.toml');
  const write = (place: Partial<NodePlace>) =>
    writeFileSync(file, configuration({ me: 'n1', data: 'data', ports, ...place }));
  write(more);
  const node = new NodeProcess({ me: 'n1', file, data: join(directory, 'data'), ports });
  try {
    await node.init();
    await node.start();
    await node.ask('account.add', { name: JOE, secret: 'secret' });
    await use(node, async (place) => {
      await node.program?.stop();
      write(place);
      await node.start();
    });
  } finally {
    await node.program?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const OVER_QUOTA = { top: 'lmtp-enable-overquota-delivery = true\n' };
const socket = (node: NodeProcess, name: string): string => join(node.data, 'ipc', name);
const isSocket = (path: string): boolean => statSync(path).isSocket();
const large = Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(30));

/** The reply to the one recipient. */
async function deliverTo(path: string, message: Buffer): Promise<string> {
  const client = await LmtpClient.connect({ path });
  const [answer] = await client.deliver('me@example.test', [JOE], message);
  await client.quit();
  return answer!.lines.join(' ').replace(/\d+$/, 'N');
}

test('L-15, L-16, T-17 to T-19: lmtpd holds quotas, lmtpd-oq does not and is there only when it is asked for', () =>
  withNode({}, async (node, restart) => {
    const [ordinary, overQuota] = [socket(node, 'lmtpd'), socket(node, 'lmtpd-oq')];
    assert.ok(isSocket(ordinary));
    assert.not(existsSync(overQuota));
    assert.is(statSync(join(node.data, 'ipc')).mode & 0o777, 0o700);
    await node.ask('account.set', { name: JOE, settings: { 'quota-octets': '1024' } });
    assert.is(await deliverTo(ordinary, large), '452 4.2.2 mailbox is over quota');

    await restart(OVER_QUOTA);
    assert.ok(isSocket(ordinary) && isSocket(overQuota));
    assert.is(await deliverTo(ordinary, large), '452 4.2.2 mailbox is over quota');
    assert.is(await deliverTo(overQuota, large), '250 2.0.0 delivered n1/N');

    await restart({ tables: '[lmtp]\nover-quota = "permanent"\nsocket = false\n' });
    assert.not(existsSync(ordinary) || existsSync(overQuota));
    const client = await LmtpClient.connect(node.lmtp);
    const [answer] = await client.deliver('me@example.test', [JOE], large);
    assert.equal(answer?.lines, ['552 5.2.2 mailbox is over quota']);
    await client.quit();
  }));

test('T-19: a socket that a killed node left behind is gone when the next does not open it', () =>
  withNode(OVER_QUOTA, async (node, restart) => {
    await node.program!.kill();
    assert.ok(isSocket(socket(node, 'lmtpd-oq')), 'a killed node removes nothing');
    await restart({});
    assert.ok(isSocket(socket(node, 'lmtpd')));
    assert.not(existsSync(socket(node, 'lmtpd-oq')));
  }));

/** `connected`, or the code of what kept that user out. */
function connectAs(uid: number, path: string): string {
  const program = `
    const socket = require('node:net').connect(process.argv[1]);
    socket.on('connect', () => (console.log('connected'), socket.destroy()));
    socket.on('error', ({ code }) => console.log(code));`;
  return String(spawnSync(process.execPath, ['-e', program, path], { uid, cwd: '/' }).stdout).trim();
}

const isRoot = process.getuid?.() === 0;

(isRoot ? test : test.skip)('T-20: another user is kept out by the directory, whatever the mode of the socket', () =>
  withNode(OVER_QUOTA, async (node) => {
    chmodSync(dirname(node.data), 0o755);
    chmodSync(node.data, 0o755);
    for (const name of ['lmtpd', 'lmtpd-oq']) {
      chmodSync(socket(node, name), 0o777);
      assert.is(connectAs(65534, socket(node, name)), 'EACCES');
      assert.is(connectAs(0, socket(node, name)), 'connected');
    }
    chmodSync(join(node.data, 'ipc'), 0o755);
    assert.is(connectAs(65534, socket(node, 'lmtpd')), 'connected', 'it was the directory');
  }),
);

test('T-25: a message over the size limit of its recipient is refused for that recipient', () =>
  withNode({}, async (node) => {
    await node.ask('account.set', { name: JOE, settings: { 'size-limit': '1000' } });
    assert.is(await deliverTo(socket(node, 'lmtpd'), large), '552 5.3.4 message is too large for this mailbox');
    assert.is(await deliverTo(socket(node, 'lmtpd'), large.subarray(0, 900)), '250 2.0.0 delivered n1/N');
  }));

test('chunks and UTF-8 go in, and POP3 gives them back: whole, ended by a line, as a surrogate where UTF8 was not said', () =>
  withNode({}, async (node) => {
    const client = await LmtpClient.connect({ path: socket(node, 'lmtpd') });
    const parts = ['Subject: fünf\r', '\n\r\n.\r\nno ', 'end'];
    await client.ask('MAIL FROM:<jürgen@bücher.example> SMTPUTF8');
    await client.ask(`RCPT TO:<${JOE}>`);
    for (const [index, part] of parts.entries()) {
      const last = index === parts.length - 1;
      await client.wire.send(`BDAT ${Buffer.byteLength(part)}${last ? ' LAST' : ''}\r\n${part}`);
      assert.is((await client.reply()).code, 250);
    }
    await client.quit();
    const pop3 = await Pop3Client.connect(node.pop3);
    await pop3.logIn(JOE, 'secret');
    const surrogate = String(await pop3.retrieve(1));
    assert.match(
      surrogate,
      /^Return-Path: <j__rgen@b__cher\.example>\r\nReceived: from client\.example\.test\r\n\tby .* with UTF8LMTP id /,
    );
    const subject = Buffer.from('fünf').toString('base64');
    assert.match(surrogate, `\r\nSubject:\r\n =?utf-8?B?${subject}?=\r\n\r\n.\r\nno end\r\n`);
    await pop3.quit();
    const speaksUtf8 = await Pop3Client.connect(node.pop3);
    await speaksUtf8.ask('UTF8');
    await speaksUtf8.logIn(JOE, 'secret');
    const whole = String(await speaksUtf8.retrieve(1));
    assert.match(whole, /^Return-Path: <jürgen@bücher\.example>\r\n/);
    assert.ok(whole.endsWith(`\r\n${parts.join('')}\r\n`));
    assert.is((await speaksUtf8.stat()).octets, Buffer.byteLength(whole));
    await speaksUtf8.quit();
  }));

test('a socket that the configuration names is opened once, with the mode that it wants', () =>
  withNode({ tables: '[[listener]]\nprotocol = "lmtp"\npath = "data/ipc/lmtpd"\nmode = "0660"\n' }, async (node) => {
    assert.ok(isSocket(socket(node, 'lmtpd')));
    assert.is(statSync(socket(node, 'lmtpd')).mode & 0o777, 0o660);
    const rival = createServer();
    const refused = new Promise<NodeJS.ErrnoException>((resolve) => rival.once('error', resolve));
    rival.listen(socket(node, 'lmtpd'));
    assert.is((await refused).code, 'EADDRINUSE');
  }));

test.run();
