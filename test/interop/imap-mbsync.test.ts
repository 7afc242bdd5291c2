/**
 * IMAP as mbsync speaks it: mailboxes kept equal with Maildirs of its own, both ways: what is new, flags, what is deleted,
 * mailboxes made and removed on either side. Skipped without mbsync.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fillInParts, PARTS, withImapPlace } from '../support/imap-interop.ts';
import { fetched, ImapWire, stringOf } from '../support/imap-wire.ts';
import { BODIES, Evidence, fill, JOE, type Place, placeNames, SECRET } from '../support/interop.ts';
import { hasProgram, type Ran, runProgram } from '../support/programs.ts';
import { deliver, message, scaled } from '../support/system.ts';

const mbsync = hasProgram('mbsync') ? test : test.skip;
const evidence = new Evidence('mbsync', 'IMAP');

/** Of messages that are written into the Maildirs. */
const DATE = '14-Nov-2023 22:13:20 +0000';

type Under = 'none' | 'starttls' | 'imaps';

/** mbsync and its Maildirs. */
class Mbsync {
  readonly #place: Place;
  readonly #mail: string;

  constructor(place: Place) {
    this.#place = place;
    this.#mail = join(place.directory, 'mbsync');
    mkdirSync(this.#mail);
  }

  async run(tls: Under, secret = SECRET): Promise<Ran> {
    const { node, authorityFile } = this.#place;
    const rc = join(this.#mail, '.rc');
    const ssl = { none: 'SSLType None', starttls: 'SSLType STARTTLS', imaps: 'SSLType IMAPS' }[tls];
    writeFileSync(
      rc,
      `IMAPAccount joe\nHost localhost\nPort ${tls === 'imaps' ? node.ports.imaps : node.ports.imap}\nUser joe\n` +
        `Pass "${secret}"\nAuthMechs LOGIN\n${ssl}\nSystemCertificates no\nCertificateFile ${authorityFile}\n\n` +
        `IMAPStore far\nAccount joe\n\n` +
        `MaildirStore near\nPath ${this.#mail}/\nInbox ${this.#mail}/INBOX\nSubFolders Verbatim\n\n` +
        'Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\nSync All\n' +
        'CopyArrivalDate yes\nSyncState *\n',
      { mode: 0o600 },
    );
    return runProgram(['mbsync', '-DN', '-c', rc, '-a']);
  }

  async synchronise(tls: Under): Promise<string> {
    const ran = await this.run(tls);
    assert.is(ran.status, 0, ran.all.slice(-6000));
    return ran.all;
  }

  /** Each message of a Maildir by its subject: where it is, and its flags. */
  messages(mailbox: string): Map<string, { readonly file: string; readonly flags: string; readonly text: string }> {
    const folder = join(this.#mail, mailbox);
    const found = ['cur', 'new'].flatMap((part) =>
      readdirSync(join(folder, part)).map((name) => join(folder, part, name)),
    );
    return new Map(
      found.map((file) => {
        const text = readFileSync(file, 'utf8');
        return [/^Subject: (.*)$/m.exec(text)?.[1] ?? '', { file, flags: /:2,(\w*)$/.exec(file)?.[1] ?? '', text }];
      }),
    );
  }

  mark(mailbox: string, subject: string, flags: string): void {
    const { file } = this.messages(mailbox).get(subject)!;
    renameSync(
      file,
      file.replace(/\/(?:cur|new)\/([^/]*?)(?::2,\w*)?$/, (_, name) => `/cur/${name}:2,${flags}`),
    );
  }

  put(mailbox: string, subject: string, flags: string): void {
    for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(this.#mail, mailbox, part), { recursive: true });
    const file = join(
      this.#mail,
      mailbox,
      'cur',
      `${Date.parse(DATE) / 1000}.${subject.replaceAll(' ', '-')}.here:2,${flags}`,
    );
    const text = message(subject, 2000).toString().replaceAll('\r\n', '\n');
    writeFileSync(file, text);
    utimesSync(file, new Date(DATE), new Date(DATE));
  }

  has = (mailbox: string): boolean => existsSync(join(this.#mail, mailbox, 'cur'));
}

/** Subjects with the flags that a session sees, `\Recent` apart. */
async function seenIn(client: ImapWire, mailbox: string): Promise<Record<string, string>> {
  await client.must(`EXAMINE ${mailbox}`);
  const all = fetched(await client.must('UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])'));
  const entries = [...all.values()].map((items) => {
    const subject = stringOf(items.get('BODY[HEADER.FIELDS (SUBJECT)]'))!
      .trim()
      .replace(/^Subject: /, '');
    const flags = (items.get('FLAGS') as string[]).filter((flag) => flag !== '\\Recent').sort();
    return [subject, flags.join(' ')];
  });
  return Object.fromEntries(entries);
}

const flagsOf = (messages: ReturnType<Mbsync['messages']>): Record<string, string> =>
  Object.fromEntries([...messages].map(([subject, { flags }]) => [subject, flags]).sort());

for (const where of placeNames())
  mbsync(`mbsync against ${where}`, () =>
    withImapPlace(where, async (place) => {
      await fill(place);
      await fillInParts(place);
      const client = new Mbsync(place);
      const other = await ImapWire.open(place.node.imap!, 'joe', SECRET);
      await isRefused(client);
      await pulls(client, other);
      await goBothWays(place, client, other);
      await removes(client, other);
      await carriesMany(client, other);
      await other.logOut();
    }),
  );

async function isRefused(client: Mbsync): Promise<void> {
  const wrong = await client.run('none', 'wrong');
  assert.is(wrong.status, 1, wrong.all);
  assert.match(wrong.all, /NO \[AUTHENTICATIONFAILED\]/);
}

async function pulls(client: Mbsync, other: ImapWire): Promise<void> {
  await other.must('CREATE lists');
  await other.must('CREATE lists/deep');
  await other.must('SELECT INBOX');
  await other.must('STORE 2 +FLAGS (\\Answered \\Flagged)');
  await other.must('COPY 1 lists/deep');
  const said = await client.synchronise('starttls');
  const inbox = client.messages('INBOX');
  assert.equal(flagsOf(inbox), { 'in parts': '', 'number 0': '', 'number 1': 'FR', 'number 2': '' });
  for (const [at, body] of BODIES.entries())
    assert.ok(inbox.get(`number ${at}`)!.text.endsWith(`\n\n${body.replaceAll('\r\n', '\n')}\n`));
  const parts = PARTS.slice(PARTS.indexOf('\r\n\r\n')).replaceAll('\r\n', '\n'); // mbsync has a header field of its own
  assert.ok(inbox.get('in parts')!.text.endsWith(parts));
  assert.equal([...client.messages('lists/deep').keys()], ['number 0']);
  for (const mailbox of ['lists', 'Sent', 'Trash', 'Drafts']) assert.ok(client.has(mailbox), mailbox);
  evidence.see(said, {
    STARTTLS: />>> 1 STARTTLS\s+1 OK .*\s+Connection is now encrypted/,
    LOGIN: />>> \d+ LOGIN <user> <pass>\s+\d+ OK/,
    NAMESPACE: />>> \d+ NAMESPACE\s+\* NAMESPACE/,
  });
}

async function goBothWays({ node }: Place, client: Mbsync, other: ImapWire): Promise<void> {
  client.mark('INBOX', 'number 0', 'S');
  client.mark('INBOX', 'number 1', 'R');
  client.mark('INBOX', 'in parts', 'T');
  client.put('INBOX', 'written here', 'DS');
  client.put('made here/below', 'first of all', 'F');
  await other.must('SELECT INBOX');
  await other.must('STORE 3 +FLAGS (\\Flagged)');
  await other.must('SELECT lists/deep');
  await other.must('STORE 1 +FLAGS (\\Deleted)');
  await other.must('EXPUNGE');
  await other.must('APPEND Archive (\\Seen) {}', message('kept there'));
  assert.match(await deliver(node.lmtp, JOE, message('arrived since')), /^250/);
  const said = await client.synchronise('imaps');
  const far = await seenIn(other, 'INBOX');
  assert.equal(far, {
    'number 0': '\\Seen',
    'number 1': '\\Answered',
    'number 2': '\\Flagged',
    'written here': '\\Draft \\Seen',
    'arrived since': '',
  });
  assert.equal(flagsOf(client.messages('INBOX')), {
    'arrived since': '',
    'number 0': 'S',
    'number 1': 'R',
    'number 2': 'F',
    'written here': 'DS',
  });
  assert.equal(await seenIn(other, '"made here/below"'), { 'first of all': '\\Flagged' });
  const arrived = fetched(await other.must('FETCH 1 INTERNALDATE'))
    .get(1)!
    .get('INTERNALDATE');
  assert.equal(stringOf(arrived), DATE, 'the date of the file');
  assert.equal(flagsOf(client.messages('Archive')), { 'kept there': 'S' });
  assert.equal([...client.messages('lists/deep').keys()], []);
  evidence.see(said, {
    IMAPS: /Connection is now encrypted/,
    UIDPLUS: /OK \[APPENDUID \d+ \d+\]/,
    'LITERAL+': /APPEND .*\{\d+\+\}/,
  });
  const again = await client.synchronise('none');
  assert.not.match(again, />>> \d+ (?:APPEND|UID STORE|EXPUNGE|CREATE)/, 'nothing changes any more');
  assert.equal(await seenIn(other, 'INBOX'), far);
}

/** A mailbox that is empty and gone on one side goes on the other. */
async function removes(client: Mbsync, other: ImapWire): Promise<void> {
  await other.must('UNSELECT');
  await other.must('DELETE lists/deep');
  await client.synchronise('starttls');
  assert.not.ok(client.has('lists/deep'));
}

async function carriesMany(client: Mbsync, other: ImapWire): Promise<void> {
  const count = scaled(50, 500);
  for (let at = 0; at < count; at++) client.put('Archive', `many ${at}`, at % 2 ? 'S' : '');
  await client.synchronise('none');
  const far = await seenIn(other, 'Archive');
  assert.is(Object.keys(far).length, count + 1);
  for (let at = 0; at < count; at++) assert.is(far[`many ${at}`], at % 2 ? '\\Seen' : '');
}

mbsync('what docs/interop.md says of mbsync is what was shown', () => evidence.mustBeDocumented());

test.run();
