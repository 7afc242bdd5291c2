/** IMAP as imapflow speaks it, as IMAP4rev2 and IMAP4rev1: what an application does, and QRESYNC after it was away. */
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { type ExpungeEvent, ImapFlow, type ImapFlowOptions } from 'imapflow';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ANN, fillInParts, PARTS, SMALL, SMALL_QUOTA_OCTETS, withImapPlace } from '../support/imap-interop.ts';
import { BODIES, Evidence, fill, JOE, type Place, placeNames, SECRET } from '../support/interop.ts';
import { deliver, eventually, message } from '../support/system.ts';

const evidence = new Evidence('imapflow', 'IMAP');

/** Connected clients, and all that they and the server said. */
class Clients {
  readonly #place: Place;
  readonly #open: ImapFlow[] = [];
  readonly said: string[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  async open(options: ImapFlowOptions & { readonly name?: string; readonly secret?: string } = {}): Promise<ImapFlow> {
    const { node, authorityFile } = this.#place;
    const { name = JOE, secret = SECRET, secure = false, ...others } = options;
    const hear = (entry: unknown) => {
      const { src, msg } = entry as { src?: string; msg?: string };
      if (src === 'c' || src === 's') this.said.push(`${src.toUpperCase()}: ${msg}`);
    };
    const client = new ImapFlow({
      ...{ host: 'localhost', port: secure ? node.ports.imaps! : node.ports.imap!, secure },
      ...{ tls: { ca: readFileSync(authorityFile) }, auth: { user: name, pass: secret } },
      ...{
        disableAutoIdle: true,
        logger: { debug: hear, info: hear, warn: hear, error: hear, trace: hear, fatal: hear },
      },
      ...others,
    });
    client.on('error', () => {}); // what is asked of it fails then, too
    this.#open.push(client);
    await client.connect();
    return client;
  }

  close(): void {
    for (const client of this.#open) client.close();
  }
}

for (const where of placeNames())
  test(`imapflow against ${where}`, () =>
    withImapPlace(where, async (place) => {
      await fill(place);
      await fillInParts(place);
      const clients = new Clients(place);
      try {
        await isRefused(clients);
        for (const disableIMAP4rev2 of [false, true]) {
          const client = await clients.open({ disableIMAP4rev2, secure: disableIMAP4rev2 });
          assert.is(client.secureConnection, true);
          if (client.port === place.node.ports.imaps)
            evidence.see(client.tls ? client.tls.version : 'clear', { IMAPS: /^TLSv1\.3$/ });
          await fetches(client);
          await changes(client, disableIMAP4rev2 ? 'rev1' : 'rev2');
          await client.logout();
        }
        await hears(clients);
        await comesBack(place, clients);
        await shares(clients);
        mustHaveSaid(clients.said.join('\n'));
      } finally {
        clients.close();
      }
    }));

async function isRefused(clients: Clients): Promise<void> {
  const error = await clients.open({ secret: 'wrong' }).catch((fault) => fault);
  assert.is(error.authenticationFailed, true);
  assert.is(error.serverResponseCode, 'AUTHENTICATIONFAILED');
}

async function fetches(client: ImapFlow): Promise<void> {
  const opened = await client.mailboxOpen('INBOX');
  assert.is(opened.exists, 4);
  const all = await client.fetchAll('1:*', {
    source: true,
    size: true,
    envelope: true,
    flags: true,
    internalDate: true,
  });
  assert.equal(
    all.map(({ envelope }) => envelope!.subject),
    ['number 0', 'number 1', 'number 2', 'in parts'],
  );
  for (const [at, { source, size }] of all.entries()) {
    assert.is(source!.length, size);
    assert.ok(source!.toString().endsWith(at < BODIES.length ? `\r\n\r\n${BODIES[at]}\r\n` : PARTS));
  }
  const last = all[3]!.envelope!;
  assert.equal(last.from, [{ name: 'Ann Example', address: 'ann@example.test' }]);
  assert.is(last.messageId, '<parts@example.test>');
  const four = await client.fetchOne('4', { bodyStructure: true, bodyParts: ['1', '2.mime'], headers: ['subject'] });
  if (!four) throw new Error('no message 4');
  assert.equal(
    four.bodyStructure!.childNodes!.map(({ part, type, encoding }) => [part, type, encoding]),
    [
      ['1', 'text/plain', '7bit'],
      ['2', 'application/octet-stream', 'base64'],
    ],
  );
  assert.is(four.bodyParts!.get('1')!.toString(), 'the first part');
  assert.is(four.headers!.toString(), 'Subject: in parts\r\n\r\n');
  const part = await client.download('4', '2');
  assert.equal([...(await buffer(part.content!))], [0, 1, 2, 3, 4, 5, 6]);
  assert.is(part.meta!.filename, 'seven.bin');
  for (const [query, found] of [
    [{ subject: 'number' }, [1, 2, 3]],
    [{ body: 'três' }, [3]],
    [{ or: [{ subject: 'number 1' }, { from: 'Ann' }], larger: 100 }, [1, 2, 3, 4]],
    [{ since: new Date('2020-01-01'), not: { subject: 'number' } }, [4]],
    [{ subject: 'no such thing' }, []],
  ] as const)
    assert.equal(await client.search(query as Parameters<ImapFlow['search']>[0]), found);
}

async function changes(client: ImapFlow, name: string): Promise<void> {
  const mailbox = `${name}/Müll & mehr`;
  assert.is((await client.mailboxCreate(mailbox)).created, true);
  assert.is((await client.mailboxCreate(mailbox)).created, false, 'it is there');
  const listed = await client.list({ statusQuery: { messages: true } });
  assert.ok(listed.some(({ path }) => path === mailbox));
  assert.is(listed.find(({ specialUse }) => specialUse === '\\Sent')?.path, 'Sent');
  assert.is(listed.find(({ path }) => path === 'INBOX')?.status?.messages, 4);
  const own = message(`appended as ${name}`, 100_000);
  const date = new Date('2026-03-02T09:00:00Z');
  const appended = await client.append(mailbox, own, ['\\Seen', '$Own'], date);
  if (!appended) throw new Error('not appended');
  assert.is(appended.uid, 1);
  await client.mailboxOpen('INBOX');
  assert.is(await client.messageFlagsAdd('1:2', ['\\Flagged', '$Work']), true);
  const copied = await client.messageCopy('1:2', mailbox);
  assert.equal(copied && [...copied.uidMap!], [
    [1, 2],
    [2, 3],
  ]);
  await client.messageFlagsRemove('1:2', ['\\Flagged', '$Work']);
  await client.mailboxOpen(mailbox);
  const all = await client.fetchAll('1:*', { uid: true, flags: true, internalDate: true, source: true });
  assert.ok(all[0]!.source!.equals(own));
  assert.equal(new Date(all[0]!.internalDate!), date);
  assert.equal(
    all.map(({ flags }) => ['\\Seen', '$Own', '\\Flagged', '$Work'].filter((flag) => flags!.has(flag))),
    [
      ['\\Seen', '$Own'],
      ['\\Flagged', '$Work'],
      ['\\Flagged', '$Work'],
    ],
  );
  const moved = await client.messageMove('1', 'Archive', { uid: true });
  assert.is(moved && moved.uidMap!.size, 1);
  assert.is(await client.messageDelete('2', { uid: true }), true);
  assert.equal(await client.search({ all: true }, { uid: true }), [3]);
  await client.mailboxClose();
  assert.is((await client.mailboxRename(mailbox, `${name}/other`)).newPath, `${name}/other`);
  assert.is((await client.mailboxDelete(`${name}/other`)).path, `${name}/other`);
}

/** What another session does is told while the client waits in IDLE. */
async function hears(clients: Clients): Promise<void> {
  const [client, other] = [await clients.open(), await clients.open({ secure: true })];
  const heard: string[] = [];
  await client.mailboxOpen('Drafts');
  client.on('exists', ({ count }) => heard.push(`exists ${count}`));
  client.on('flags', ({ seq, flags }) =>
    heard.push(`flags ${seq} ${[...flags].filter((each) => each !== '\\Recent')}`),
  );
  client.on('expunge', ({ seq, uid }: ExpungeEvent) => heard.push(`expunge ${seq ?? uid}`));
  const hear = (wanted: string) =>
    eventually(`imapflow to hear: ${wanted}`, 15_000, () => (heard.includes(wanted) ? true : undefined));
  const idling = client.idle();
  await eventually('imapflow to idle', 10_000, () => (client.idling ? true : undefined));
  await other.append('Drafts', message('a draft'));
  await hear('exists 1');
  await other.mailboxOpen('Drafts');
  await other.messageFlagsAdd('1', ['\\Answered']);
  await hear('flags 1 \\Answered');
  await other.messageDelete('1');
  await hear('expunge 1');
  await client.noop(); // ends IDLE
  await idling;
  await client.logout();
  await other.logout();
}

/** CONDSTORE and QRESYNC: what went and what changed while it was away. */
async function comesBack({ node }: Place, clients: Clients): Promise<void> {
  const first = await clients.open({ qresync: true });
  const { uidValidity, highestModseq } = await first.mailboxOpen('INBOX');
  await first.logout();
  const other = await clients.open();
  await other.mailboxOpen('INBOX');
  await other.messageDelete('2', { uid: true });
  await other.messageFlagsAdd('3', ['\\Answered'], { uid: true });
  assert.match(await deliver(node.lmtp, JOE, message('since')), /^250/);
  const back = await clients.open({ qresync: true });
  const vanished: ExpungeEvent[] = [];
  back.on('expunge', (event: ExpungeEvent) => vanished.push(event));
  const opened = await back.mailboxOpen('INBOX', { changedSince: highestModseq, uidValidity });
  assert.is(opened.exists, 4);
  const changed = await back.fetchAll('1:*', { uid: true, flags: true }, { changedSince: highestModseq! });
  assert.equal(
    changed.map(({ uid, flags }) => [uid, flags!.has('\\Answered')]),
    [
      [3, true],
      [5, false],
    ],
  );
  await other.messageDelete('1', { uid: true });
  await back.noop();
  assert.equal(
    vanished.map(({ uid, vanished: isVanished }) => [uid, isVanished]),
    [
      [2, true],
      [1, true],
    ],
  );
  await other.logout();
  await back.logout();
}

async function shares(clients: Clients): Promise<void> {
  const small = await clients.open({ name: SMALL });
  await small.append('INBOX', message('fits', 2000));
  const error = await small.append('INBOX', message('too much', SMALL_QUOTA_OCTETS)).catch((fault) => fault);
  assert.is(error.serverResponseCode, 'OVERQUOTA');
  const quota = await small.getQuota();
  assert.is(quota && quota.storage!.limit, SMALL_QUOTA_OCTETS);
  await small.logout();
  const ann = await clients.open({ name: ANN });
  assert.equal(
    (await ann.list()).filter(({ path }) => path.startsWith('user/')),
    [],
  );
  await ann.logout();
}

function mustHaveSaid(said: string): void {
  evidence.see(said, {
    STARTTLS: /^C: \w+ STARTTLS$/m,
    ID: /^C: \w+ ID \("name" "imapflow" /m,
    'AUTH=PLAIN': /^C: \w+ AUTHENTICATE PLAIN$/m,
    NAMESPACE: /^S: \* NAMESPACE \(\("" "\/"\)\)/m,
    ENABLE: /^S: \* ENABLED /m,
    IMAP4rev2: /^S: \* ENABLED .*IMAP4rev2/m,
    CONDSTORE: /^S: \* ENABLED .*CONDSTORE[\s\S]*\(CHANGEDSINCE \d+\)$/m,
    QRESYNC: /\(QRESYNC \(\d+ \d+\)\)$[\s\S]*^S: \* VANISHED \(EARLIER\) 2$[\s\S]*^S: \* VANISHED 1$/m,
    'LIST-EXTENDED': /^C: \w+ LIST "" "\*" RETURN \(/m,
    'LIST-STATUS': /^S: \* STATUS INBOX \(MESSAGES 4\)$/m,
    'SPECIAL-USE': /^S: \* LIST \(.*\\Sent.*\) "\/" Sent$/m,
    CHILDREN: /^S: \* LIST \(.*\\HasNoChildren/m,
    UIDPLUS: /^C: \w+ UID EXPUNGE 2$[\s\S]*OK \[APPENDUID /m,
    MOVE: /^C: \w+ UID MOVE 1 Archive$/m,
    ESEARCH: /^S: \* ESEARCH /m,
    WITHIN: /^C: \w+ SEARCH YOUNGER \d+ /m,
    OBJECTID: /EMAILID \(\w/,
    IDLE: /^C: \w+ IDLE$[\s\S]*^S: \+ [\s\S]*^C: DONE$/m,
    QUOTA: /^S: \* QUOTA user\/small \(STORAGE \d+ 20\)$/m,
  });
}

test('what docs/interop.md says of imapflow is what was shown', () => evidence.mustBeDocumented());

test.run();
