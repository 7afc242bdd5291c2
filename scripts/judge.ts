/**
 * Compares what a node and Debian's Dovecot say of the same messages, all files *.eml below a directory: structures, each part,
 * and some hundred SEARCH, SORT and THREAD commands. Prints what it asked, which differences it knows (docs/imap-dovecot.md),
 * and every other one; with any of those it ends with 1.
 *
 *   npm run judge -- DIR
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasImapDovecot } from '../test/support/dovecot.ts';
import { asMessage } from '../test/support/judge.ts';
import { judgeByDovecot, told } from '../test/support/judge-run.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('name a directory of messages');
if (!hasImapDovecot())
  throw new Error('Dovecot can’t be started: it wants root (Debian: apt-get install dovecot-imapd)');

const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.eml'));
if (files.length === 0) throw new Error(`${directory}: no file *.eml`);
const messages = files.sort().map((file) => asMessage(file, readFileSync(join(directory, file))));
const { asked, known, unknown } = await judgeByDovecot(messages);
console.log(`${messages.length} messages`);
for (const [kind, count] of Object.entries(asked)) console.log(`asked    ${kind}: ${count}`);
for (const [id, count] of known) console.log(`known    ${id}: ${count}`);
for (const difference of unknown) console.log(`unknown  ${told(difference)}`);
console.log(`${unknown.length} unknown differences`);
process.exitCode = unknown.length > 0 ? 1 : 0;
