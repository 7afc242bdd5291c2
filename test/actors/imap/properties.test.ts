/** Whatever a client sends: one tagged response for each tag, the same however the octets are cut, and no fault of ours. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Protocol } from '../../../actors/session.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { overMemory } from '../../support/transcript.ts';
import { house } from './house.ts';

const junk = fc.string({ unit: 'binary-ascii', maxLength: 200 }).map((text) => text.replace(/[\r\n{]/g, ' '));
const command = fc.oneof(
  { arbitrary: fc.constantFrom('LOGIN ann pencil', 'SELECT INBOX', 'CREATE a/b', 'LIST "" *'), weight: 3 },
  fc.constantFrom(
    'LOGIN ann x',
    'NOOP',
    'CAPABILITY',
    'ID NIL',
    'NAMESPACE',
    'CHECK',
    'CLOSE',
    'UNSELECT',
    'EXAMINE INBOX',
  ),
  fc.constantFrom(
    'DELETE a',
    'DELETE a/b',
    'RENAME a c',
    'SUBSCRIBE a',
    'LSUB "" %',
    'STATUS INBOX (MESSAGES)',
    'MYRIGHTS a',
  ),
  fc.constantFrom(
    'APPEND INBOX {5+}\r\nhello',
    'APPEND nosuch {5+}\r\nhello',
    'LOGIN {3+}\r\nann {1+}\r\nx',
    'CREATE {3+}\r\na%b',
  ),
  fc.constantFrom(
    'FETCH 1:* FLAGS',
    'STORE 1 +FLAGS (\\Deleted)',
    'EXPUNGE',
    'SEARCH ALL',
    'UID SEARCH 1:*',
    'ENABLE IMAP4rev2',
  ),
  fc.constantFrom(
    'AUTHENTICATE PLAIN\r\n*',
    'AUTHENTICATE PLAIN\r\n!!',
    'AUTHENTICATE X',
    'IDLE\r\nDONE',
    'STARTTLS',
    'XYZZY',
    '',
  ),
  junk,
);

/** All that is said to the commands, under the tags t0, t1 and on, cut there. */
async function said(protocol: Protocol, commands: readonly string[], cuts: readonly number[] = []): Promise<string> {
  const octets = Buffer.from(commands.map((each, at) => `t${at} ${each}\r\n`).join(''), 'latin1');
  const { client, close } = overMemory(protocol);
  let from = 0;
  for (const cut of [...new Set(cuts)].filter((each) => each < octets.length).sort((a, b) => a - b)) {
    client.send(octets.subarray(from, cut));
    from = cut;
  }
  client.send(octets.subarray(from));
  client.end();
  const heard = await client.rest();
  await close();
  return heard;
}

/** Numbers that the clock chose. */
const masked = (text: string): string =>
  text.replace(/UIDVALIDITY \d+|APPENDUID \d+/g, '').replace(/"[^"]* [+-]\d{4}"/g, '');

test('each tag is answered once, in order, and nothing breaks', async () => {
  const log = memoryLog();
  const home = await house({ log });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 12 }), async (commands) => {
      const heard = await said(home.protocol(), commands);
      const tags = [...heard.matchAll(/^t(\d+) (OK|NO|BAD) /gm)].map(([, tag]) => Number(tag));
      const isCut = /^\* BYE/m.test(heard);
      const expected = commands.map((_, at) => at);
      assert.equal(tags, isCut ? expected.slice(0, tags.length) : expected, heard);
    }),
    { numRuns: 120 },
  );
  assert.equal(
    log.entries.filter(({ level }) => level === 'error').map(({ message, fields }) => [message, fields]),
    [],
  );
  await home.stop();
});

test('the answers are the same however the octets are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 8 }),
      fc.array(fc.nat({ max: 300 }), { maxLength: 20 }),
      async (commands, cuts) => {
        const [one, other] = [await house(), await house()];
        const [whole, cut] = [await said(one.protocol(), commands), await said(other.protocol(), commands, cuts)];
        assert.is(masked(cut), masked(whole));
        await Promise.all([one.stop(), other.stop()]);
      },
    ),
    { numRuns: 25 },
  );
});

test.run();
