/** LMTP command lines, rule by rule: RFC 2033, RFC 5321 §4.1.1, RFC 1870, RFC 6152. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../../protocols/lmtp/parse-command.ts';
import { octetsOf } from '../../properties/cuts.ts';

const command = (line: string) => parseCommand(octetsOf(line)).command;
const refused = (line: string, code: number, enhanced: string): void => {
  const it = command(line);
  assert.is(it.type, 'malformed', JSON.stringify(line));
  if (it.type === 'malformed') assert.equal([it.code, it.enhanced], [code, enhanced], JSON.stringify(line));
};

test('RFC 5321 §2.4: keywords come in any case', () => {
  assert.equal(command('lhlo a.b'), { type: 'LHLO', domain: 'a.b' });
  assert.equal(command('mAiL fRoM:<>'), { type: 'MAIL', reversePath: null });
  assert.equal(command('rcpt to:<a@b>'), { type: 'RCPT', forwardPath: { localPart: 'a', domain: 'b' } });
});

test('RFC 2033 §4.1: LHLO names a domain or an address literal', () => {
  for (const domain of ['foo.edu', 'localhost', '[127.0.0.1]', '[IPv6:::1]', 'my_host.example'])
    assert.equal(command(`LHLO ${domain}`), { type: 'LHLO', domain });
  assert.equal(command('LHLO foo.edu and more'), { type: 'LHLO', domain: 'foo.edu' });
  for (const args of ['', ' ', ' -', ' a..b', ' [x', ' a;b', ' (x)']) refused(`LHLO${args}`, 501, '5.5.4');
});

test('RFC 2033 §4.1: HELO and EHLO are refused, AUTH, EXPN and HELP too', () => {
  for (const keyword of ['HELO', 'EHLO', 'AUTH', 'EXPN', 'HELP'] as const)
    assert.equal(command(`${keyword} x \xff`), { type: 'refused', keyword });
});

test('RFC 5321 §4.1.1.2: MAIL has a reverse-path', () => {
  assert.equal(command('MAIL FROM:<chris@bar.com>'), {
    type: 'MAIL',
    reversePath: { localPart: 'chris', domain: 'bar.com' },
  });
  assert.equal(command('MAIL FROM: <chris@bar.com>').type, 'MAIL');
  for (const args of ['', ' FROM', ' FROM:', ' <a@b>', ' TO:<a@b>', ' FROM:a@b', ' FROM :<a@b>'])
    refused(`MAIL${args}`, 501, '5.1.7');
});

test('RFC 1870 §6: SIZE is one number of up to 20 digits', () => {
  assert.equal(command('MAIL FROM:<> SIZE=1234'), { type: 'MAIL', reversePath: null, sizeOctets: 1234 });
  assert.equal(command('MAIL FROM:<> size=99999999999999999999'), {
    type: 'MAIL',
    reversePath: null,
    sizeOctets: Number.MAX_SAFE_INTEGER,
  });
  for (const p of ['SIZE', 'SIZE=', 'SIZE=x', 'SIZE=-1', 'SIZE=1 SIZE=1', 'SIZE=999999999999999999999'])
    refused(`MAIL FROM:<> ${p}`, 501, '5.5.4');
});

test('RFC 3207 §4: STARTTLS takes no parameter', () => {
  assert.equal(command('StartTLS'), { type: 'STARTTLS' });
  assert.equal(command('STARTTLS '), { type: 'STARTTLS' });
  refused('STARTTLS now', 501, '5.5.4');
});

test('RFC 6152 §2: BODY is 7BIT or 8BITMIME', () => {
  assert.equal(command('MAIL FROM:<> BODY=8bitmime SIZE=1'), {
    type: 'MAIL',
    reversePath: null,
    sizeOctets: 1,
    body: '8BITMIME',
  });
  assert.equal(command('MAIL FROM:<> BODY=7BIT'), { type: 'MAIL', reversePath: null, body: '7BIT' });
  refused('MAIL FROM:<> BODY=9BIT', 555, '5.5.4');
  refused('MAIL FROM:<> BODY=BINARYMIME', 555, '5.6.1');
  for (const p of ['BODY', 'BODY=', 'BODY=7BIT BODY=7BIT']) refused(`MAIL FROM:<> ${p}`, 501, '5.5.4');
});

test('RFC 5321 §4.1.1.11: a parameter that is not known is answered with 555', () => {
  for (const p of ['RET=HDRS', 'SMTPUTF9', 'AUTH=<>', 'X-Y=1 SIZE=1']) refused(`MAIL FROM:<> ${p}`, 555, '5.5.4');
  refused('RCPT TO:<a@b> NOTIFY=NEVER', 555, '5.5.4');
});

test('RFC 5321 §4.1.2: parameters that are not well formed are answered with 501', () => {
  for (const p of [' =1', ' A=B=C', ' -a', ' A=', 'SIZE=1']) refused(`MAIL FROM:<>${p}`, 501, '5.5.4');
  refused('RCPT TO:<a@b>x', 501, '5.5.4');
});

test('RFC 5321 §4.1.1.3: RCPT has a forward-path, which may be Postmaster alone', () => {
  assert.equal(command('RCPT TO:<@a.b:joe@c.d>'), { type: 'RCPT', forwardPath: { localPart: 'joe', domain: 'c.d' } });
  assert.equal(command('RCPT TO:<postmaster>'), { type: 'RCPT', forwardPath: { localPart: 'postmaster', domain: '' } });
  for (const args of ['', ' TO:', ' TO:<>', ' TO:<joe>', ' FROM:<a@b>', ' TO:joe@a.b'])
    refused(`RCPT${args}`, 501, '5.1.3');
});

test('RFC 5321 §4.1.1: DATA, RSET and QUIT take no argument; white space at the end is tolerated', () => {
  for (const type of ['DATA', 'RSET', 'QUIT'] as const) {
    assert.equal(command(type), { type });
    assert.equal(command(`${type} \t `), { type });
    refused(`${type} x`, 501, '5.5.4');
  }
  assert.equal(command('RCPT TO:<a@b> \t').type, 'RCPT');
});

test('RFC 5321 §4.1.1.9: what NOOP says is ignored', () => {
  assert.equal(command('NOOP'), { type: 'NOOP' });
  assert.equal(command('noop anything at all'), { type: 'NOOP' });
});

test('RFC 5321 §4.1.1.6: VRFY wants a text', () => {
  assert.equal(command('VRFY joe bloggs'), { type: 'VRFY', text: 'joe bloggs' });
  refused('VRFY', 501, '5.5.4');
});

test('RFC 5321 §4.2.4: an unknown command is answered with 500', () => {
  for (const line of ['', ' ', 'XYZZY', 'MAILFROM:<>', '\0', '\xff', 'DATA\0', ' NOOP']) refused(line, 500, '5.5.1');
});

test('attack: NUL, 8-bit and control octets in addresses are refused with 501', () => {
  for (const octet of [
    '\0',
    '\x80',
    '\xff',
    '\xc3',
    '\xc2\x85',
    '\xed\xa0\x80',
    '\x7f',
    '\x1b',
    '\t',
    '\r',
    '\n',
    '\r\n',
  ])
    for (const line of [
      `MAIL FROM:<a${octet}b@c.d>`,
      `RCPT TO:<"a${octet}"@c.d>`,
      `RCPT TO:<a@c${octet}.d>`,
      `LHLO a${octet}b`,
      `NOOP ${octet}x`,
    ])
      refused(line, 501, '5.5.2');
});

const u = (text: string) => Buffer.from(text).toString('latin1'); // as it goes over the wire

test('RFC 6531 §3.4: SMTPUTF8 has no value and comes once', () => {
  assert.equal(command('MAIL FROM:<a@b.c> smtputf8 BODY=8BITMIME'), {
    type: 'MAIL',
    reversePath: { localPart: 'a', domain: 'b.c' },
    body: '8BITMIME',
    smtputf8: true,
  });
  for (const p of ['SMTPUTF8=', 'SMTPUTF8=yes', 'SMTPUTF8 SMTPUTF8']) refused(`MAIL FROM:<> ${p}`, 501, '5.5.4');
});

test('RFC 6531 §3.3: local parts and domains beyond ASCII, dotted, quoted and with a source route', () => {
  const mail = (path: string) => {
    const it = command(u(`MAIL FROM:${path} SMTPUTF8`));
    return it.type === 'MAIL' ? it.reversePath : it;
  };
  assert.equal(mail('<jürgen@bücher.example>'), { localPart: 'jürgen', domain: 'bücher.example' });
  assert.equal(mail('<"jürgen müller"@例え.テスト>'), { localPart: 'jürgen müller', domain: '例え.テスト' });
  assert.equal(mail('<@bücher.example:🦉.x@a.b>'), { localPart: '🦉.x', domain: 'a.b' });
  const rcpt = command(u('RCPT TO:<jürgen@a.b>'));
  assert.equal(rcpt, { type: 'RCPT', forwardPath: { localPart: 'jürgen', domain: 'a.b' } });
  for (const bad of ['<jü@-ü.a>', '<jü@ü-.a>', '<jü@ü..a>', '<jü@a☃.b>', '<jü@ü ü>', '<jü..a@b>'])
    refused(u(`MAIL FROM:${bad} SMTPUTF8`), 501, '5.1.7');
});

test('RFC 6531 §3.5: a reverse-path that is not ASCII without SMTPUTF8 is answered with 550 5.6.7', () => {
  refused(u('MAIL FROM:<jürgen@a.b>'), 550, '5.6.7');
  refused(u('MAIL FROM:<a@bücher.example> BODY=8BITMIME'), 550, '5.6.7');
});

test('RFC 6531 §3.7.1: LHLO is in ASCII', () => refused(u('LHLO bücher.example'), 501, '5.5.2'));

test('RFC 6531 §3.7.4.2: VRFY takes UTF-8 and the parameter SMTPUTF8', () => {
  assert.equal(command(u('VRFY jürgen SMTPUTF8')), { type: 'VRFY', text: 'jürgen' });
  assert.equal(command('VRFY joe  smtputf8 '), { type: 'VRFY', text: 'joe' });
  assert.equal(command('VRFY smtputf8'), { type: 'VRFY', text: 'smtputf8' });
  refused('VRFY \xff SMTPUTF8', 501, '5.5.2');
});

test('RFC 3030 §2: BDAT has a number of octets, and LAST or nothing', () => {
  assert.equal(command('BDAT 86'), { type: 'BDAT', sizeOctets: 86, last: false });
  assert.equal(command('bdat 0 last'), { type: 'BDAT', sizeOctets: 0, last: true });
  assert.equal(command('BDAT 00000012  LAST '), { type: 'BDAT', sizeOctets: 12, last: true });
  const huge = command('BDAT 99999999999999999999');
  assert.equal(huge, { type: 'BDAT', sizeOctets: Number.MAX_SAFE_INTEGER, last: false });
});

test('attack: the octets of a BDAT that is not well formed are known, or the command says that they are not', () => {
  for (const args of ['7 LASTS', '7 LAST LAST', '7 FIRST', '7 \xff']) {
    refused(`BDAT ${args}`, 501, '5.5.4');
    assert.is(parseCommand(octetsOf(`BDAT ${args}`)).dropOctets, 7);
  }
  for (const args of [
    '',
    ' ',
    ' LAST',
    ' -1',
    ' 1.5',
    ' 0x10',
    ' 7LAST',
    ` ${'1'.repeat(21)}`,
    ' \t7',
    '1 LAST',
    '\t1',
    ' 1\n',
  ])
    assert.is(command(`BDAT${args}`).type, 'lost', args);
});

test('attack: a bare LF makes no second command', () => {
  refused('NOOP x\nMAIL FROM:<>', 501, '5.5.2');
  refused('RSET\nMAIL FROM:<>', 500, '5.5.1');
});

test('attack: a long run of blanks costs linear time', () => {
  const line = `NOOP ${' '.repeat(1_000_000)}x`;
  assert.equal(command(line), { type: 'NOOP' });
  assert.equal(command(`MAIL FROM:<>${' '.repeat(1_000_000)}SIZE=1`), {
    type: 'MAIL',
    reversePath: null,
    sizeOctets: 1,
  });
});

test('a reason holds nothing that the client sent', () => {
  for (const line of [
    'HUNTER2',
    'MAIL hunter2',
    'RCPT TO:<hunter2',
    'MAIL FROM:<> HUNTER2=1',
    'DATA hunter2',
    'LHLO hunter2!',
  ]) {
    const it = command(line);
    assert.ok(it.type === 'malformed' && !/hunter2/i.test(it.reason));
  }
});

test.run();
