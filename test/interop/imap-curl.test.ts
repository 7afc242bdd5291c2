/** IMAP as curl speaks it: log-ins, each command that a URL or a request can name, APPEND by upload. Skipped without curl. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ANN, fillInParts, PARTS, SMALL, SMALL_QUOTA_OCTETS, withImapPlace } from '../support/imap-interop.ts';
import { BODIES, Evidence, fill, type Place, placeNames, SECRET } from '../support/interop.ts';
import { type Ran, runProgram, startsProgram } from '../support/programs.ts';
import { message } from '../support/system.ts';

const curl = startsProgram('curl', '--version') ? test : test.skip;
const evidence = new Evidence('curl', 'IMAP');
/** Exit codes, from its manual page. */
const [QUOTE_ERROR, UPLOAD_FAILED, LOGIN_DENIED, NO_SUCH_MESSAGE] = [21, 25, 67, 78];

type Asked = {
  readonly options?: readonly string[];
  readonly secret?: string;
  readonly name?: string;
  readonly input?: string | Buffer;
};
type Ask = (path: string, asked?: Asked) => Promise<Ran>;

/** curl at one of the node's two IMAP ports; `localhost` is the name that the certificate is for. */
const curlAt =
  ({ authorityFile }: Place, scheme: 'imap' | 'imaps', port: number): Ask =>
  (path, { options = [], secret = SECRET, name = 'joe', input = '' } = {}) =>
    runProgram(
      [
        ...['curl', '--silent', '--show-error', '--verbose', '--max-time', '20', '--cacert', authorityFile],
        ...['--user', `${name}:${secret}`, ...options, `${scheme}://localhost:${port}/${path}`],
      ],
      { input },
    );

for (const where of placeNames())
  curl(`curl against ${where}`, () =>
    withImapPlace(where, async (place) => {
      await fill(place);
      await fillInParts(place);
      const { ports } = place.node;
      const clear = curlAt(place, 'imap', ports.imap!);
      await logsIn(clear, curlAt(place, 'imaps', ports.imaps!));
      await fetches(clear);
      await searches(clear);
      await changes(clear);
      await appends(place, clear);
      await shares(clear);
    }),
  );

/** What it does with a request of the caller's own. */
const request = async (ask: Ask, mailbox: string, words: string, more: Asked = {}): Promise<string> => {
  const ran = await ask(mailbox, { ...more, options: ['--request', words] });
  assert.is(ran.status, 0, ran.err);
  return ran.err;
};

async function logsIn(clear: Ask, implicit: Ask): Promise<void> {
  for (const [ask, options, said] of [
    [clear, ['--login-options', 'AUTH=PLAIN'], { 'AUTH=PLAIN': /^> A\d+ AUTHENTICATE PLAIN /m }],
    [
      clear,
      ['--login-options', 'AUTH=PLAIN', '--sasl-ir'],
      { 'SASL-IR': /^> A\d+ AUTHENTICATE PLAIN [A-Za-z0-9+/]+=*\r?$/m },
    ],
    [clear, ['--ssl-reqd'], { STARTTLS: /^> A\d+ STARTTLS\r?\n< A\d+ OK/m }],
    [implicit, [], { IMAPS: /SSL connection using TLSv1\.3/ }],
    [implicit, ['--tls-max', '1.2'], { IMAPS: /SSL connection using TLSv1\.2/ }],
  ] as const) {
    const right = await ask('INBOX;MAILINDEX=1', { options });
    assert.is(right.status, 0, right.err);
    assert.match(right.out, /\r\none\r\n$/);
    evidence.see(right.err, said);
    const wrong = await ask('INBOX;MAILINDEX=1', { options, secret: 'wrong' });
    assert.is(wrong.status, LOGIN_DENIED, wrong.err);
    assert.is(wrong.out, '');
    assert.match(wrong.err, /^< A\d+ NO \[AUTHENTICATIONFAILED\] /m);
  }
}

async function fetches(clear: Ask): Promise<void> {
  for (const [at, body] of BODIES.entries()) {
    assert.ok((await clear(`INBOX;MAILINDEX=${at + 1}`)).out.endsWith(`\r\n${body}\r\n`));
    assert.is((await clear(`INBOX;UID=${at + 1};SECTION=TEXT`)).out, `${body}\r\n`);
  }
  const [whole, ...sections] = await Promise.all(
    ['', ';SECTION=1', ';SECTION=2', ';SECTION=2.MIME', ';SECTION=HEADER.FIELDS%20(SUBJECT)'].map((section) =>
      clear(`INBOX;UID=4${section}`),
    ),
  );
  assert.ok(whole!.out.endsWith(PARTS));
  assert.equal(
    sections.map(({ out }) => out),
    [
      'the first part',
      'AAECAwQFBg==',
      'Content-Type: application/octet-stream; name="seven.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n',
      'Subject: in parts\r\n\r\n',
    ],
  );
  assert.is((await clear('INBOX;UID=4;SECTION=TEXT;PARTIAL=2.4')).out, 'fore');
  const none = await clear('INBOX;UID=99');
  assert.is(none.status, NO_SUCH_MESSAGE, none.err);
}

async function searches(clear: Ask): Promise<void> {
  for (const [query, found] of [
    ['ALL', ' 1 2 3 4'],
    ['SUBJECT%20%22number%202%22', ' 3'],
    ['NOT%20SUBJECT%20number', ' 4'],
    ['TEXT%20%22first%20part%22', ' 4'],
    ['UNSEEN%20FLAGGED', ''],
    ['OR%20UID%201%20LARGER%20600', ' 1 4'],
  ]) {
    const ran = await clear(`INBOX?${query}`);
    assert.is(ran.status, 0, ran.err);
    assert.is(ran.out.trimEnd(), `* SEARCH${found}`, query);
  }
  const sorted = await request(clear, 'INBOX', 'SORT (REVERSE SUBJECT) UTF-8 SUBJECT number');
  evidence.see(sorted, { SORT: /^< \* SORT 3 2 1\r?$/m });
  const threads = await request(clear, 'INBOX', 'THREAD REFERENCES UTF-8 ALL');
  evidence.see(threads, { THREAD: /^< \* THREAD (\(\d\)){4}\r?$/m });
  evidence.see(await request(clear, 'INBOX', 'SEARCH RETURN (COUNT MAX) SUBJECT number'), {
    ESEARCH: /^< \* ESEARCH \(TAG "A\d+"\) MAX 3 COUNT 3\r?$/m,
  });
}

async function changes(clear: Ask): Promise<void> {
  evidence.see(await request(clear, '', 'NAMESPACE'), { NAMESPACE: /^< \* NAMESPACE \(\("" "\/"\)\)/m });
  await request(clear, '', 'CREATE lists');
  await request(clear, '', 'CREATE lists/p&AOQ-th');
  const listed = await clear('', {});
  assert.match(listed.out, /^\* LIST \(.*\) "\/" lists\/p&AOQ-th\r$/m);
  assert.match(listed.out, /^\* LIST \(.*\\Sent.*\) "\/" Sent\r$/m);
  evidence.see(listed.out, { 'SPECIAL-USE': /\\Trash/ });
  assert.match(
    (await clear('lists/', { options: ['--request', 'STATUS lists (MESSAGES UIDNEXT)'] })).err,
    /MESSAGES 0 UIDNEXT 1/,
  );
  assert.match(
    await request(clear, 'INBOX', 'STORE 1:2 +FLAGS (\\Flagged $Work)'),
    /^< \* 2 FETCH \(FLAGS \(.*\$Work.*\)\)/m,
  );
  assert.is((await clear('INBOX?KEYWORD%20$Work%20FLAGGED')).out.trimEnd(), '* SEARCH 1 2');
  evidence.see(await request(clear, 'INBOX', 'UID COPY 1:2 lists'), { UIDPLUS: /OK \[COPYUID \d+ 1:2 1:2\]/ });
  evidence.see(await request(clear, 'INBOX', 'UID MOVE 3 lists'), {
    MOVE: /^< \* OK \[COPYUID \d+ 3 3\].*\r?\n< \* 3 EXPUNGE\r?$/m,
  });
  assert.is((await clear('lists;UID=3;SECTION=TEXT')).out, `${BODIES[2]}\r\n`);
  assert.is(
    (await clear('lists?KEYWORD%20$Work%20FLAGGED')).out.trimEnd(),
    '* SEARCH 1 2',
    'flags went with the copies',
  );
  await request(clear, 'lists', 'STORE 2 +FLAGS.SILENT (\\Deleted)');
  assert.match(await request(clear, 'lists', 'EXPUNGE'), /^< \* 2 EXPUNGE\r?$/m);
  assert.is((await clear('lists?UID%201:*')).out.trimEnd(), '* SEARCH 1 2');
  const wrong = await clear('', { options: ['--request', 'CREATE lists'] });
  assert.is(wrong.status, QUOTE_ERROR, wrong.err);
  assert.match(wrong.err, /^< A\d+ NO \[ALREADYEXISTS\]/m);
}

/** Uploads from a file: IMAP wants the size before the octets. */
async function appends({ directory }: Place, clear: Ask): Promise<void> {
  const file = join(directory, 'upload.eml');
  const upload = (mailbox: string, own: Buffer, asked: Asked = {}) => {
    writeFileSync(file, own);
    return clear(mailbox, { ...asked, options: ['--upload-file', file] });
  };
  const own = message('sent by curl', 300_000);
  const up = await upload('Sent', own);
  assert.is(up.status, 0, up.err);
  evidence.see(up.err, { UIDPLUS: /^< A\d+ OK \[APPENDUID \d+ 1\]/m });
  assert.is((await clear('Sent;UID=1')).out, own.toString());
  const none = await upload('nowhere', own);
  assert.is(none.status, UPLOAD_FAILED, none.err);
  assert.match(none.err, /^< A\d+ NO \[TRYCREATE\]/m);
  const little = message('fits', 2000);
  assert.is((await upload('INBOX', little, { name: SMALL })).status, 0);
  const refused = await upload('INBOX', message('too much', SMALL_QUOTA_OCTETS), { name: SMALL });
  assert.is(refused.status, UPLOAD_FAILED, refused.err);
  assert.match(refused.err, /^< A\d+ NO \[OVERQUOTA\]/m);
  assert.is((await clear('INBOX?ALL', { name: SMALL })).out.trimEnd(), '* SEARCH 1');
  const used = Math.floor(little.length / 1024);
  evidence.see(await request(clear, '', 'GETQUOTAROOT INBOX', { name: SMALL }), {
    QUOTA: new RegExp(`^< \\* QUOTA user/small \\(STORAGE ${used} ${SMALL_QUOTA_OCTETS / 1024}\\)`, 'm'),
  });
}

async function shares(clear: Ask): Promise<void> {
  evidence.see(await request(clear, '', 'SETACL lists ann lrs'), {
    ACL: /^> A\d+ SETACL lists ann lrs\r?\n< A\d+ OK/m,
  });
  assert.match(await request(clear, '', 'GETACL lists'), /^< \* ACL lists .*ann lrs/m);
  const theirs = await clear('user/joe/lists;UID=1;SECTION=TEXT', { name: ANN });
  assert.is(theirs.out, `${BODIES[0]}\r\n`, theirs.err);
  const refused = await clear('user/joe/lists', { name: ANN, options: ['--request', 'STORE 1 +FLAGS (\\Deleted)'] });
  assert.match(refused.err, /^< A\d+ NO \[NOPERM\]/m);
}

curl('what docs/interop.md says of curl is what was shown', () => evidence.mustBeDocumented());

test.run();
