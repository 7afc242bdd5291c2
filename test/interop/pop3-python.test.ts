/** POP3 as python3's poplib speaks it: UTF8, STLS, POP3S, USER, APOP, every command. Skipped without python3. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BODIES, Evidence, fill, placeNames, withPlace } from '../support/interop.ts';
import { runProgram, startsProgram } from '../support/programs.ts';

const python = startsProgram('python3', '--version') ? test : test.skip;
const evidence = new Evidence('python3');
/** An account whose password needs UTF-8. */
const ZOE = { name: 'zoe@example.test', secret: 'pass wörd' };

const POPLIB = `
import json, poplib, ssl, sys
clear, implicit, authority, name, secret = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
trust = ssl.create_default_context(cafile=authority)
told = {}

def plain():
    box = poplib.POP3('localhost', clear, timeout=20)
    box.encoding = 'UTF-8'
    box.set_debuglevel(1)
    return box

def upgraded():
    box = plain()
    box.stls(trust)
    return box

def under():
    box = poplib.POP3_SSL('localhost', implicit, timeout=20, context=trust)
    box.encoding = 'UTF-8'
    box.set_debuglevel(1)
    return box

for how, opened in (('clear', plain), ('stls', upgraded), ('pop3s', under)):
    box = opened()
    one = told[how] = {'capa': box.capa(), 'utf8': box.utf8().decode()}
    box.user(name); box.pass_(secret)
    one['stat'] = box.stat()
    one['list'] = [line.decode() for line in box.list()[1]]
    one['uidl'] = [line.decode() for line in box.uidl()[1]]
    one['one uid'] = box.uidl(2).decode()
    _, lines, one['octets'] = box.retr(2)
    one['lines'] = [line.decode() for line in lines]
    one['top'] = [line.decode() for line in box.top(2, 1)[1]]
    one['languages'] = [line.decode() for line in box._longcmd('LANG')[1]]
    one['German'] = box._shortcmd('LANG de').decode()
    box.dele(1); box.rset(); box.noop()
    one['tls'] = box.sock.version() if hasattr(box.sock, 'version') else None
    one['quit'] = box.quit().decode()
    wrong = opened()
    wrong.user(name)
    try: wrong.pass_('wrong')
    except poplib.error_proto as error: one['wrong'] = str(error)
    wrong.quit()

# APOP and UTF8: RFC 6856 2.1
box = upgraded()
box.utf8()
told['apop'] = box.apop(name, secret).decode()
box.dele(1)
told['quit'] = box.quit().decode()
box = under()
box.user(name); box.pass_(secret)
told['left'] = box.stat()
box.quit()
sys.stderr.write(json.dumps(told))
`;

for (const where of placeNames())
  python(`python3's poplib against ${where}`, () =>
    withPlace(where, async (place) => {
      await place.fleet.node('n1').ask('account.add', { ...ZOE, mailHost: 'n1' });
      await fill(place, ZOE.name);
      const { ports } = place.node;
      const words = [String(ports.pop3), String(ports.pop3s), place.authorityFile, ZOE.name, ZOE.secret];
      const ran = await runProgram(['python3', '-', ...words], { input: POPLIB });
      assert.is(ran.status, 0, ran.err);
      const told = JSON.parse(ran.err);
      for (const how of ['clear', 'stls', 'pop3s'] as const) mustBeWhole(told[how], how);
      assert.match(told.apop, /^\+OK/);
      assert.match(told.quit, /^\+OK .*2/);
      assert.is(told.left[0], 2);
      evidence.see(ran.out, {
        STLS: /\*cmd\* 'STLS'/,
        UTF8: /\*cmd\* 'UTF8'/,
        USER: /\*cmd\* 'USER zoe/,
        APOP: /\*cmd\* 'APOP zoe/,
        UIDL: /\*cmd\* 'UIDL'/,
        TOP: /\*cmd\* 'TOP 2 1'/,
        LANG: /\*cmd\* 'LANG de'/,
      });
    }),
  );

// biome-ignore lint/suspicious/noExplicitAny: what a script of another language printed
function mustBeWhole(told: any, how: 'clear' | 'stls' | 'pop3s'): void {
  assert.is(told.tls, how === 'clear' ? null : 'TLSv1.3');
  if (how === 'pop3s') evidence.see(told.tls, { POP3S: /^TLSv1\.3$/ });
  assert.equal(told.capa.UTF8, ['USER']);
  assert.equal(told.capa.SASL, ['PLAIN']);
  assert.is('STLS' in told.capa, how === 'clear', 'offered only where it can be taken');
  evidence.see(`EXPIRE ${told.capa.EXPIRE}, ${told.capa.IMPLEMENTATION}`, {
    'EXPIRE NEVER': /^EXPIRE NEVER,/,
    IMPLEMENTATION: /Homing-\d/,
  });
  assert.match(told.utf8, /^\+OK/);
  assert.is(told.stat[0], BODIES.length);
  assert.equal(told.list[1], `2 ${told.octets}`);
  assert.is(new Set(told.uidl).size, BODIES.length);
  assert.ok(told['one uid'].endsWith(told.uidl[1]));
  assert.equal(told.lines.slice(-3), BODIES[1].split('\r\n'));
  assert.equal(told.top.slice(-3), ['Subject: number 1', '', '.two']);
  assert.match(told.languages.join(), /^en .*,de /);
  assert.match(told.German, /^\+OK/);
  evidence.see(told.wrong, { 'AUTH-RESP-CODE': /-ERR \[AUTH\]/ });
  assert.match(told.quit, /^\+OK/);
}

python('what docs/interop.md says of python3 is what was shown', () => evidence.mustBeDocumented());

test.run();
