/**
 * Debian's Dovecot as judge of what IMAP means: what it and a node say of the same messages is the same, but for the differences
 * of docs/imap-dovecot.md. `npm run judge -- DIR` does so with other messages. Skipped without Dovecot.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasImapDovecot } from '../support/dovecot.ts';
import { explain, KNOWN } from '../support/judge-known.ts';
import { ownMessages } from '../support/judge-messages.ts';
import { judgeByDovecot, told } from '../support/judge-run.ts';

const dovecot = hasImapDovecot() ? test : test.skip;
const DOCUMENT = resolve(import.meta.dirname, '../../docs/imap-dovecot.md');

dovecot('Dovecot says the same of messages, parts, searches, sorts and threads', async () => {
  const { asked, known, unknown } = await judgeByDovecot(ownMessages());
  assert.is(unknown.map(told).join('\n'), '');
  assert.ok(asked['SEARCH']! >= 200 && asked['SORT']! >= 50 && asked['THREAD']! >= 20, JSON.stringify(asked));
  assert.ok(asked['parts']! > 200 && asked['BINARY']! > 50, JSON.stringify(asked));
  for (const id of ['no-such-section', 'long-boundary', 'encoded-message', 'no-date'])
    assert.ok(known.has(id), `${id}: not seen, is it still there?`);
});

test('a difference that no rule explains is unknown', () => {
  const messages = ownMessages();
  const message = messages.find(({ name }) => name === 'plain')!;
  assert.equal(explain({ message, ask: 'BODY.PEEK[1]', ours: 'a', theirs: 'b' }, messages), []);
  assert.equal(explain({ message, ask: 'ENVELOPE', ours: '["a"]', theirs: '["b"]' }, messages), []);
  assert.equal(explain({ ask: 'SEARCH SUBJECT plans', ours: '[1,19]', theirs: '[1]' }, messages), []);
  assert.equal(explain({ ask: 'SORT (SIZE) UTF-8 ALL', ours: '[1,2]', theirs: '[2,1]' }, messages), []);
  assert.equal(
    explain({ ask: 'THREAD REFERENCES UTF-8 ALL', ours: '[[1,2],[5]]', theirs: '[[1],[2,5]]' }, messages),
    [],
  );
});

test('docs/imap-dovecot.md has a row for each known difference, and no other', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, id, , , right, section]) => [id!.replaceAll('`', ''), right, section]);
  assert.equal(
    rows,
    KNOWN.map(({ id, right, section }) => [id, right, section]),
  );
});

test.run();
