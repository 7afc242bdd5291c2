/** Status responses and their codes, octet for octet, by the examples of the RFCs named. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bad, no, ok, type Response, untagged } from '../../../protocols/imap/response.ts';
import type { ResponseCode } from '../../../protocols/imap/response-code.ts';
import { octetsOf } from '../../properties/cuts.ts';
import { encoded } from './encoded.ts';

const says = (response: Response, line: string) => assert.is(encoded(response), `${line}\r\n`);
const code = (given: ResponseCode, written: string) => says(ok('a', 'x', given), `a OK [${written}] x`);

test('RFC 9051 §7.1: tagged and untagged, greetings and goodbyes', () => {
  says(ok('A001', 'LOGIN completed'), 'A001 OK LOGIN completed');
  says(no('A222', 'COPY failed'), 'A222 NO COPY failed');
  says(bad('A443', 'No such command as "BLURDYBLOOP"'), 'A443 BAD No such command as "BLURDYBLOOP"');
  says(untagged('BAD', 'Command line too long'), '* BAD Command line too long');
  says(untagged('PREAUTH', 'IMAP4rev2 server logged in as Smith'), '* PREAUTH IMAP4rev2 server logged in as Smith');
  says(untagged('BYE', 'Autologout; idle for too long'), '* BYE Autologout; idle for too long');
  says(untagged('OK', 'System shutdown in 10 minutes', 'ALERT'), '* OK [ALERT] System shutdown in 10 minutes');
});

test('RFC 9051 §9: a code without a text keeps its space', () => {
  says(untagged('OK', '', 'CLOSED'), '* OK [CLOSED] ');
});

test('RFC 9051 §7.6: a continuation request has a text, a challenge base64 or nothing', () => {
  says({ type: 'continue', text: 'Ready for literal data' }, '+ Ready for literal data');
  says({ type: 'challenge', octets: octetsOf('') }, '+ ');
  says({ type: 'challenge', octets: octetsOf('<1896@x>') }, '+ PDE4OTZAeD4=');
});

test('RFC 4315 §4: APPENDUID and COPYUID', () => {
  says(
    ok('A003', 'APPEND completed', { code: 'APPENDUID', uidValidity: 38505, uids: [3955] }),
    'A003 OK [APPENDUID 38505 3955] APPEND completed',
  );
  says(
    ok('A004', 'Done', {
      code: 'COPYUID',
      uidValidity: 38505,
      sourceUids: [304, 319, 320],
      destinationUids: [3956, 3957, 3958],
    }),
    'A004 OK [COPYUID 38505 304,319:320 3956:3958] Done',
  );
  code({ code: 'APPENDUID', uidValidity: 1, uids: [{ from: 7, to: 9 }] }, 'APPENDUID 1 7:9'); // MULTIAPPEND
  says(untagged('NO', 'Non-persistent UIDs', 'UIDNOTSTICKY'), '* NO [UIDNOTSTICKY] Non-persistent UIDs');
});

test('RFC 3501 §6.3.1, RFC 7162 §3.1.2: what SELECT tells', () => {
  const lines: [ResponseCode, string][] = [
    [{ code: 'UNSEEN', sequence: 12 }, 'UNSEEN 12'],
    [{ code: 'UIDVALIDITY', uidValidity: 3857529045 }, 'UIDVALIDITY 3857529045'],
    [{ code: 'UIDNEXT', uidNext: 4392 }, 'UIDNEXT 4392'],
    [{ code: 'PERMANENTFLAGS', flags: ['\\Deleted', '\\Seen', '\\*'] }, 'PERMANENTFLAGS (\\Deleted \\Seen \\*)'],
    [{ code: 'PERMANENTFLAGS', flags: [] }, 'PERMANENTFLAGS ()'],
    [{ code: 'HIGHESTMODSEQ', modSeq: 715194045007 }, 'HIGHESTMODSEQ 715194045007'],
    ['NOMODSEQ', 'NOMODSEQ'],
    ['READ-WRITE', 'READ-WRITE'],
    [{ code: 'MAILBOXID', mailboxId: 'F2212ea87-6097' }, 'MAILBOXID (F2212ea87-6097)'], // RFC 8474 §4.2
  ];
  for (const [given, written] of lines) code(given, written);
});

test('RFC 7162 §3.1.3: MODIFIED', () => {
  says(
    ok('d105', 'Conditional STORE failed', { code: 'MODIFIED', messages: [7, 9] }),
    'd105 OK [MODIFIED 7,9] Conditional STORE failed',
  );
});

test('RFC 9051 §7.1: BADCHARSET with those known, or without', () => {
  code({ code: 'BADCHARSET', charsets: [] }, 'BADCHARSET');
  code({ code: 'BADCHARSET', charsets: ['UTF-8', 'ISO 8859'] }, 'BADCHARSET (UTF-8 "ISO 8859")');
});

test('RFC 9051 §7.1: CAPABILITY in a greeting', () => {
  says(
    untagged('OK', 'ready', { code: 'CAPABILITY', capabilities: ['IMAP4rev2', 'AUTH=PLAIN', 'RIGHTS=ektx'] }),
    '* OK [CAPABILITY IMAP4rev2 AUTH=PLAIN RIGHTS=ektx] ready',
  );
});

test('RFC 5464 §4.2.1, §4.3: METADATA', () => {
  says(
    ok('a', 'GETMETADATA complete', { code: 'METADATA', longentries: 2199 }),
    'a OK [METADATA LONGENTRIES 2199] GETMETADATA complete',
  );
  code({ code: 'METADATA', maxsize: 1024 }, 'METADATA MAXSIZE 1024');
  code({ code: 'METADATA', reason: 'TOOMANY' }, 'METADATA TOOMANY');
  code({ code: 'METADATA', reason: 'NOPRIVATE' }, 'METADATA NOPRIVATE');
});

test('RFC 9051 §9: a text is ASCII until IMAP4rev2 is enabled, then UTF-8', () => {
  const greeting = untagged('OK', 'Grüße 👋');
  assert.is(encoded(greeting), '* OK Gr??e ?\r\n');
  assert.is(encoded(greeting, { utf8: true }), Buffer.from('* OK Grüße 👋\r\n').toString('latin1'));
});

test('a text of an operator that is too long is cut', () => {
  assert.is(encoded(untagged('OK', 'x'.repeat(5000))).length, '* OK '.length + 1000 + 2);
});

test('attack: nothing in a text, a tag or a code ends the line, or passes for a code', () => {
  const forged: Response[] = [
    ok('a', 'x\r\n* BYE'),
    ok('a', 'x\n'),
    untagged('OK', 'x\0'),
    ok('a', '[ALERT] x'),
    { type: 'continue', text: '[ALERT] x' },
    { type: 'continue', text: 'x\r\n' },
    ok('a\r\n', 'x'),
    ok('a b', 'x'),
    ok('', 'x'),
    ok('+', 'x'),
    ok('a', 'x', { code: 'CAPABILITY', capabilities: ['A] x\r\n'] }),
    ok('a', 'x', { code: 'PERMANENTFLAGS', flags: ['\\Seen) x'] }),
    ok('a', 'x', { code: 'PERMANENTFLAGS', flags: ['x]'] }),
    ok('a', 'x', { code: 'MAILBOXID', mailboxId: 'a) b' }),
    ok('a', 'x', { code: 'UIDNEXT', uidNext: Number.NaN }),
    ok('a', 'x', { code: 'UIDNEXT', uidNext: 1.5 }),
    ok('a', 'x', { code: 'UIDNEXT', uidNext: -1 }),
    ok('a', 'x', { code: 'UIDNEXT', uidNext: 0 }),
    ok('a', 'x', { code: 'MODIFIED', messages: [] }),
  ];
  for (const response of forged) assert.throws(() => encoded(response), undefined, JSON.stringify(response));
});

test.run();
