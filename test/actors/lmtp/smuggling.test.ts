/** Line ends that some take for the end of a message (docs/smuggling.md, CVE-2023-51764): one envelope is one message. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { overMemory } from '../../support/transcript.ts';
import { fakeHouse, lmtp } from './fake-services.ts';

const ENVELOPE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\n';
const EVIL = 'MAIL FROM:<evil@b.example>\r\nRCPT TO:<joe@foo.edu>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n';

/** With what a server that is taken in would see of it: none of these is CRLF . CRLF. */
const ENDS = [
  '\n.\n',
  '\r\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\n.\r',
  '\r.\n',
  '\n\n.\n\n',
  '\r\n.\r\r\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\n .\r\n',
  '\r\n..\r\n',
  '\x8d\x8a.\x8d\x8a',
  '\x85.\x85',
];

/** The message with that in its middle, its commands and its end; the replies after the RCPT's, and what was delivered. */
async function sent(end: string, by: 'DATA' | 'BDAT', allow8bitheaders = false) {
  const house = fakeHouse();
  const { client, close } = overMemory(lmtp(house.services, { allow8bitheaders }));
  const text = `Subject: x\r\n\r\nfirst${end}${EVIL}`;
  const body = by === 'DATA' ? `DATA\r\n${text}.\r\n` : `BDAT ${text.length} LAST\r\n${text}`;
  client.send(Buffer.from(`LHLO c.example\r\n${ENVELOPE}${body}QUIT\r\n`, 'latin1'));
  const replies = (await client.rest()).split('\r\n').slice(by === 'DATA' ? 11 : 10, -1);
  await close();
  return { replies, delivered: house.delivered, text };
}

for (const by of ['DATA', 'BDAT'] as const)
  for (const end of ENDS)
    test(`${JSON.stringify(end)} in a message sent by ${by} ends nothing: a bare LF refuses it, and all else is content`, async () => {
      const { replies, delivered, text } = await sent(end, by);
      const isRefused = /(^|[^\r])\n/.test(end);
      assert.equal(replies, [
        isRefused ? '554 5.6.0 message has a line feed without a carriage return' : '250 2.0.0 delivered n1/1',
        '221 2.0.0 foo.edu closing connection',
      ]);
      // In data, and only there, a dot behind CRLF is one of stuffing (RFC 5321 §4.5.2).
      const content = by === 'DATA' ? text.replace(/\r\n\.(?!\r\n)/, '\r\n') : text;
      assert.equal(
        delivered.map((each) => [each.accounts, each.text]),
        isRefused ? [] : [[['pat@foo.edu'], content]],
      );
    });

for (const head of [
  `BDAT 90 LAST${' '.repeat(2_100)}`,
  'BDAT\t90 LAST',
  ' BDAT 90 LAST',
  'BDAT  90 LAST',
  'BDAT 90 LAST\n',
  'NOOP\nBDAT 90 LAST',
  `NOOP \nBDAT 90 LAST\n${'x'.repeat(3000)}`,
  `MAIL FROM:<${'x'.repeat(40)}\nBDAT 90 LAST\n${'x'.repeat(3000)}`,
])
  test(`a message behind ${JSON.stringify(head.slice(0, 24))} is never read as commands: the session ends`, async () => {
    const house = fakeHouse();
    const { client, close } = overMemory(lmtp(house.services));
    client.send(Buffer.from(`LHLO c.example\r\n${ENVELOPE}${head}\r\n${EVIL}.\r\nQUIT\r\n`, 'latin1'));
    const replies = (await client.rest()).split('\r\n').slice(10, -1);
    assert.is(replies.length, 1);
    assert.match(replies[0]!, /^(501 5\.5\.4 BDAT|500 5\.5\.2 line too long)/);
    assert.equal(house.delivered, []);
    await close();
  });

test('CRLF . CRLF ends data, and is content in a chunk', async () => {
  const byData = await sent('\r\n.\r\n', 'DATA');
  assert.is(byData.delivered[0]?.text, 'Subject: x\r\n\r\nfirst\r\n');
  const byBdat = await sent('\r\n.\r\n', 'BDAT');
  assert.equal(
    byBdat.delivered.map(({ text }) => text),
    [byBdat.text],
  );
});

test.run();
