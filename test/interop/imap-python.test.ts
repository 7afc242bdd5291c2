/**
 * IMAP as python3's imaplib speaks it: all its commands, and by its socket what it has no name for, such as IDLE. Skipped
 * without python3.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fillInParts, PARTS, SMALL_QUOTA_OCTETS, withImapPlace } from '../support/imap-interop.ts';
import { BODIES, Evidence, fill, placeNames, SECRET } from '../support/interop.ts';
import { runProgram, startsProgram } from '../support/programs.ts';

const python = startsProgram('python3', '--version') ? test : test.skip;
const evidence = new Evidence('python3', 'IMAP');

const IMAPLIB = `
import imaplib, json, re, ssl, sys, threading
clear, implicit, authority, secret, quota = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
trust = ssl.create_default_context(cafile=authority)
told = {}
text = lambda data: [each.decode('latin1') if isinstance(each, bytes) else [part.decode('latin1') for part in each] if isinstance(each, tuple) else each for each in data]
def must(answer):
    kind, data = answer
    assert kind in ('OK', 'BYE'), (kind, data)
    return text(data)

def plain():
    return imaplib.IMAP4('localhost', clear, timeout=20)
def upgraded():
    box = plain()
    must(box.starttls(trust))
    return box
def under():
    return imaplib.IMAP4_SSL('localhost', implicit, ssl_context=trust, timeout=20)
def by_login(box, name): return box.login(name, secret)
def by_plain(box, name): return box.authenticate('PLAIN', lambda _: ('\\0' + name + '\\0' + secret).encode())
def opened(how, name='joe', by=by_login):
    box = how()
    box.debug = 4
    must(by(box, name))
    return box

for key, how in (('clear', plain), ('starttls', upgraded), ('imaps', under)):
    for by in (by_login, by_plain):
        box = opened(how, by=by)
        told[key] = box.sock.version() if hasattr(box.sock, 'version') else None
        must(box.select(readonly=True))
        must(box.logout())
    box = how()
    try: box.login('joe', 'wrong')
    except imaplib.IMAP4.error as error: told[key + ' wrong'] = str(error)
    must(box.logout())

box = opened(upgraded)
told['namespace'] = must(box.namespace())
told['select'] = must(box.select())
told['uidvalidity'] = text(box.response('UIDVALIDITY')[1])

# whole and by parts
told['whole'] = must(box.fetch('1:*', '(UID RFC822.SIZE BODY.PEEK[])'))
for key, item in (('part', 'BODY.PEEK[1]'), ('mime', 'BODY.PEEK[2.MIME]'), ('fields', 'BODY.PEEK[HEADER.FIELDS (SUBJECT)]'),
    ('partial', 'BODY.PEEK[TEXT]<2.4>'), ('binary', 'BINARY.PEEK[2]'), ('structure', 'BODYSTRUCTURE'), ('envelope', 'ENVELOPE')):
    told[key] = must(box.fetch('4', item))
told['unseen'] = must(box.search(None, 'UNSEEN'))
must(box.fetch('4', 'BODY[TEXT]'))
told['seen'] = must(box.search(None, 'SEEN'))

# searches
told['subject'] = must(box.search(None, 'SUBJECT', '"number 1"'))
box.literal = 'tr\\u00eas'.encode()
told['literal'] = must(box.uid('SEARCH', 'CHARSET', 'UTF-8', 'BODY'))
told['sort'] = must(box.sort('(REVERSE SUBJECT)', 'UTF-8', 'SUBJECT', 'number'))
told['thread'] = must(box.thread('REFERENCES', 'UTF-8', 'ALL'))
try: box.search('X-NONE', 'ALL'); told['bad charset'] = text(box.search('X-NONE', 'ALL')[1])
except imaplib.IMAP4.error as error: told['bad charset'] = [str(error)]

# mailboxes
for name in ('lists', 'lists/b', '"gone soon"'): must(box.create(name))
must(box.rename('"gone soon"', 'gone')); must(box.delete('gone'))
must(box.subscribe('lists/b'))
told['list'] = must(box.list())
told['lsub'] = must(box.lsub('""', 'lists*'))
told['status'] = must(box.status('lists', '(MESSAGES UIDNEXT UIDVALIDITY)'))
told['again'] = text(box.create('lists')[1])

# flags, copy, move, expunge
told['store'] = must(box.store('1:2', '+FLAGS', '(\\\\Flagged $Work)'))
told['copy'] = must(box.copy('1:2', 'lists')); told['copyuid'] = text(box.response('COPYUID')[1])
told['move'] = must(box.uid('MOVE', '3', 'lists'))
told['left'] = must(box.uid('SEARCH', None, 'ALL'))
must(box.append('lists', '\\\\Draft', '"02-Mar-2026 10:00:00 +0100"', b'Subject: appended\\r\\n\\r\\nown\\r\\n' * 1))
told['appenduid'] = text(box.response('APPENDUID')[1])
must(box.select('lists'))
told['moved'] = must(box.fetch('1:*', '(FLAGS INTERNALDATE BODY.PEEK[TEXT])'))
must(box.store('2', '+FLAGS.SILENT', '\\\\Deleted'))
told['expunge'] = must(box.expunge())
told['kept'] = must(box.uid('SEARCH', None, 'ALL'))
must(box.unselect())
told['enabled'] = must(box.enable('IMAP4rev2')) ; told['enabled'] = text(box.untagged_responses.get('ENABLED', []))

# another session changes what this one waits for
told['idle'] = []
waiting = opened(under)
must(waiting.select())
def hear():
    while True:
        line = waiting.readline().decode('latin1').rstrip()
        told['idle'].append(line)
        if line.startswith('x1 '): return
def until(wanted):
    while not any(re.search(wanted, line) for line in told['idle']): told['idle'].append(waiting.readline().decode('latin1').rstrip())
waiting.send(b'x1 IDLE\\r\\n')
until(r'^\\+')
must(box.append('INBOX', None, None, b'Subject: news\\r\\n\\r\\nwhile idle\\r\\n')); until(r'^\\* 4 EXISTS')
must(box.select()); must(box.store('1', '+FLAGS', '\\\\Answered')); until(r'^\\* 1 FETCH .*Answered')
must(box.uid('STORE', '1', '+FLAGS.SILENT', '\\\\Deleted')); must(box.uid('EXPUNGE', '1')); until(r'^\\* 1 EXPUNGE')
waiting.send(b'DONE\\r\\n')
until(r'^x1 OK')
must(waiting.logout())

# rights
must(box.setacl('lists', 'ann', 'lrs'))
told['acl'] = must(box.getacl('lists'))
told['my rights'] = must(box.myrights('lists'))
ann = opened(under, 'ann')
told['shown'] = must(ann.list('""', 'user/*'))
must(ann.select('user/joe/lists'))
told['theirs'] = must(ann.uid('FETCH', '1', 'BODY.PEEK[TEXT]'))
try: told['refused'] = text(ann.store('1', '+FLAGS', '\\\\Deleted')[1])
except imaplib.IMAP4.error as error: told['refused'] = [str(error)]
must(box.deleteacl('lists', 'ann'))
told['hidden'] = text(ann.status('user/joe/lists', '(MESSAGES)')[1])
must(ann.logout())

# quota
root = opened(upgraded, 'root')
told['user quota'] = must(root.getquota('user/small'))
must(root.setquota('user/small', '(STORAGE ' + quota + ')'))
small = opened(upgraded, 'small')
must(small.append('INBOX', None, None, b'Subject: fits\\r\\n\\r\\n' + b'0123456\\r\\n' * 200))
told['over'] = text(small.append('INBOX', None, None, b'Subject: too much\\r\\n\\r\\n' + b'0123456\\r\\n' * 3000)[1])
told['quota'] = [text(each) for each in small.getquotaroot('INBOX')[1]]
try: told['not allowed'] = text(small.setquota('user/small', '(STORAGE 9)')[1])
except imaplib.IMAP4.error as error: told['not allowed'] = [str(error)]
for each in (small, root, box): must(each.logout())
print(json.dumps(told))
`;

for (const where of placeNames())
  python(`python3's imaplib against ${where}`, () =>
    withImapPlace(where, async (place) => {
      await fill(place);
      await fillInParts(place);
      const { ports } = place.node;
      const words = [ports.imap, ports.imaps, place.authorityFile, SECRET, SMALL_QUOTA_OCTETS / 1024].map(String);
      const ran = await runProgram(['python3', '-', ...words], { input: IMAPLIB });
      assert.is(ran.status, 0, ran.err.slice(-3000));
      const told = JSON.parse(ran.out);
      mustHaveLoggedIn(told);
      mustHaveFetched(told);
      mustHaveSearched(told);
      mustHaveChanged(told);
      mustHaveBeenTold(told.idle);
      mustHaveShared(told);
      evidence.see(ran.err, {
        LOGIN: /> b'\w+ LOGIN joe "pass word"'/,
        'AUTH=PLAIN': /> b'\w+ AUTHENTICATE PLAIN'\n.*< b'\+ '/,
        STARTTLS: /< b'\w+ OK \[CAPABILITY/,
        UNSELECT: /> b'\w+ UNSELECT'/,
      });
    }),
  );

// biome-ignore lint/suspicious/noExplicitAny: what a script of another language printed
type Told = any;

/** The literal of the first message that a FETCH told of. */
const literalOf = (answer: Told): string => answer[0][1];

function mustHaveLoggedIn(told: Told): void {
  assert.equal([told.clear, told.starttls, told.imaps], [null, 'TLSv1.3', 'TLSv1.3']);
  evidence.see(told.imaps, { IMAPS: /TLSv1\.3/ });
  for (const how of ['clear', 'starttls', 'imaps']) assert.match(told[`${how} wrong`], /\[AUTHENTICATIONFAILED\]/);
  evidence.see(told.namespace[0], { NAMESPACE: /^\(\("" "\/"\)\) \(\("user\/" "\/"\)\) \(\("shared\/" "\/"\)\)$/ });
  assert.equal(told.enabled, ['IMAP4rev2']);
  evidence.see(told.enabled[0], { ENABLE: /^IMAP4rev2$/ });
}

function mustHaveFetched(told: Told): void {
  assert.equal(told.select, ['4']);
  const whole = told.whole.filter(Array.isArray) as [head: string, octets: string][];
  for (const [at, [head, octets]] of whole.entries()) {
    const body = at < BODIES.length ? `\r\n\r\n${BODIES[at]}\r\n` : PARTS;
    assert.ok(octets.endsWith(Buffer.from(body).toString('latin1')), octets);
    assert.is(head, `${at + 1} (UID ${at + 1} RFC822.SIZE ${octets.length} BODY[] {${octets.length}}`);
  }
  assert.is(whole.length, 4);
  assert.is(literalOf(told.part), 'the first part');
  assert.match(literalOf(told.mime), /^Content-Type: application\/octet-stream; name="seven.bin"\r\n.*base64\r\n\r\n$/);
  assert.is(literalOf(told.fields), 'Subject: in parts\r\n\r\n');
  assert.equal(told.partial[0], ['4 (BODY[TEXT]<2> {4}', 'fore']);
  assert.equal(told.binary[0], ['4 (BINARY[2] ~{7}', '\0\x01\x02\x03\x04\x05\x06']);
  evidence.see(told.binary[0][0], { BINARY: /~\{7\}$/ });
  assert.match(told.structure[0], /\("text" "plain" \("charset" "utf-8"\) NIL NIL "7bit" 14 0 .*\) "mixed" /);
  assert.match(
    told.envelope[0],
    /\("Mon, 2 Mar 2026 10:00:00 \+0100" "in parts" \(\("Ann Example" NIL "ann" "example\.test"\)\)/,
  );
  assert.equal([told.unseen, told.seen], [['1 2 3 4'], ['4']], 'PEEK sets no \\Seen (RFC 3501 §6.4.5)');
}

function mustHaveSearched(told: Told): void {
  assert.equal([told.subject, told.literal], [['2'], ['3']]);
  assert.match(told['bad charset'][0], /BADCHARSET/);
  evidence.see(told.sort[0], { SORT: /^3 2 1$/ });
  evidence.see(told.thread[0], { THREAD: /^(\(\d\)){4}$/ });
}

function mustHaveChanged(told: Told): void {
  const names = told.list.map((line: string) => line.replace(/^.*"\/" /, ''));
  assert.equal(names.sort(), ['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash', 'lists', 'lists/b']);
  evidence.see(told.list.join('\n'), {
    'SPECIAL-USE': /\\Sent\) "\/" Sent/,
    CHILDREN: /\(\\HasChildren\) "\/" lists$/m,
  });
  assert.equal(told.lsub, ['() "/" lists/b']);
  assert.match(told.status[0], /^lists \(MESSAGES 0 UIDNEXT 1 UIDVALIDITY \d+\)$/);
  assert.match(told.again[0], /ALREADYEXISTS/);
  assert.match(told.store.join('\n'), /^1 \(FLAGS \(.*\\Flagged.*\$Work.*\)\)\n2 \(/);
  const uidValidity = / UIDVALIDITY (\d+)/.exec(told.status[0])![1];
  assert.equal(told.copyuid, [`${uidValidity} 1:2 1:2`]);
  assert.equal(told.appenduid, [`${uidValidity} 4`]);
  evidence.see(told.copyuid[0], { UIDPLUS: / 1:2 1:2$/ });
  assert.equal(told.left, ['1 2 4']);
  evidence.see(told.left[0], { MOVE: /^1 2 4$/ });
  const moved = told.moved.filter(Array.isArray) as [head: string, octets: string][];
  assert.equal(
    moved.map(([, octets]) => octets),
    [...BODIES, 'own'].map((body) => `${Buffer.from(body).toString('latin1')}\r\n`),
  );
  assert.match(moved[0]![0], /\\Flagged .*\$Work/);
  assert.match(moved[3]![0], /\\Draft .*INTERNALDATE " 2-Mar-2026 09:00:00 \+0000"/);
  assert.equal([told.expunge, told.kept], [['2'], ['1 3 4']]);
}

function mustHaveBeenTold(idle: readonly string[]): void {
  const said = idle.filter((line) => !/ RECENT$/.test(line)).join('\n');
  const flags = (some: string) => String.raw`\* 1 FETCH \(FLAGS \(${some}\)\)`;
  const [answered, deleted] = [flags('[^)]*Answered[^)]*'), flags('[^)]*Deleted[^)]*')];
  evidence.see(said, {
    IDLE: new RegExp(`^\\+ .*\n\\* 4 EXISTS\n${answered}\n(${deleted}\n)?\\* 1 EXPUNGE\nx1 OK [^\n]*$`),
  });
}

function mustHaveShared(told: Told): void {
  assert.match(told.acl[0], /^lists joe \w+ ann lrs$/);
  evidence.see(told.acl[0], { ACL: / ann lrs$/ });
  assert.match(told['my rights'][0], /^lists lrswipkxte/);
  assert.match(told.shown.join('\n'), /^\(.*\) "\/" user\/joe\/lists$/m);
  assert.is(literalOf(told.theirs), 'one\r\n');
  assert.match(told.refused[0], /NOPERM/);
  assert.match(told.hidden[0], /NONEXISTENT/);
  assert.equal(told['user quota'], [`user/small (STORAGE 0 ${SMALL_QUOTA_OCTETS / 1024})`]);
  assert.match(told.over[0], /OVERQUOTA/);
  assert.equal(told.quota, [['INBOX user/small'], [`user/small (STORAGE 1 ${SMALL_QUOTA_OCTETS / 1024})`]]);
  evidence.see(told.quota[1][0], { QUOTA: /STORAGE 1 / });
  assert.match(told['not allowed'][0], /NOPERM/);
}

python('what docs/interop.md says of python3 is what was shown', () => evidence.mustBeDocumented());

test.run();
