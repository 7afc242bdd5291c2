/**
 * Sends every message of a directory in by LMTP at one node and takes it out by POP3 at another, and compares octets.
 *
 *   npm run roundtrip -- DIR [--lmtp HOST:PORT] [--pop3 HOST:PORT] [--account NAME] [--password-file FILE]
 *
 * The defaults are those of `npm run cluster`, which must be running: in at n2, out at n3, to an account of n1. What LMTP can't carry is made so first, as any client does: line ends become CRLF, and the last line gets one.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LmtpClient } from '../bench/clients/lmtp.ts';
import { Pop3Client } from '../bench/clients/pop3.ts';
import type { Endpoint } from '../bench/clients/wire.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lmtp: { type: 'string', default: '127.0.0.1:2124' },
    pop3: { type: 'string', default: '127.0.0.1:3110' },
    account: { type: 'string', default: 'alice@example.test' },
    'password-file': { type: 'string', default: 'var/cluster/passwords' },
  },
});
const directory = positionals[0];
if (directory === undefined) throw new Error('name a directory of messages');

const endpoint = (text: string): Endpoint => {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
};

function messagesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.eml'))
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile())
    .sort();
}

/** As RFC 5321 §2.3.8 wants it: lines end in CRLF and nowhere else; a CR inside a line stays what it is. */
function withCrlf(message: Buffer): Buffer {
  const text = message.toString('latin1').replace(/\r?\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : text + '\r\n', 'latin1');
}

/** The header section of `message`, blank line included. */
function headerOctets(message: Buffer): number {
  if (message.subarray(0, 2).toString() === '\r\n') return 2;
  const blank = message.indexOf('\r\n\r\n');
  return blank < 0 ? message.length : blank + 4;
}

const hasEightBitHeader = (message: Buffer) =>
  message.subarray(0, headerOctets(message)).some((octet) => octet >= 0x80);

function masked(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  for (let at = 0; at < headerOctets(message); at++) copy[at]! &= 0x7f;
  return copy;
}

/** Below the trace lines that delivery put before the message (Return-Path, Delivered-To, Received with its folds). */
function belowTrace(message: Buffer): Buffer {
  let rest = message;
  while (/^(Return-Path|Delivered-To|Received):/i.test(rest.subarray(0, 14).toString('latin1'))) {
    let end = rest.indexOf('\r\n') + 2;
    while (rest[end] === 0x20 || rest[end] === 0x09) end = rest.indexOf('\r\n', end) + 2;
    if (rest.length - end < 0) break;
    rest = rest.subarray(end);
  }
  return rest;
}

const password = readFileSync(values['password-file'], 'utf8')
  .split('\n')
  .find((line) => line.startsWith(values.account + ' '))
  ?.slice(values.account.length + 1);
if (password === undefined) throw new Error(`${values['password-file']}: ${values.account}: no password there`);

const lmtp = await LmtpClient.connect(endpoint(values.lmtp));
let same = 0;
let maskedSame = 0;
let refused = 0;
const wrong: string[] = [];
for (const file of messagesBelow(directory)) {
  const message = withCrlf(readFileSync(file));
  const [answer] = await lmtp.deliver('sender@example.test', [values.account], message);
  if (answer!.code === 554 && hasEightBitHeader(message)) {
    refused++;
    continue;
  }
  if (answer!.code !== 250) {
    wrong.push(`${file}: ${answer!.lines[0]}`);
    continue;
  }
  const pop3 = await Pop3Client.connect(endpoint(values.pop3));
  await pop3.logIn(values.account, password);
  const { messages } = await pop3.stat();
  const got = await pop3.retrieve(messages);
  await pop3.quit();
  // The message may itself begin with trace lines: what delivery added is what makes the difference in length.
  const below = got.subarray(got.length - message.length);
  const added = got.subarray(0, got.length - message.length);
  if (belowTrace(added).length > 0) wrong.push(`${file}: more than trace lines was added: ${added.toString('latin1')}`);
  else if (below.equals(message)) same++;
  else if (hasEightBitHeader(message) && below.equals(masked(message))) maskedSame++;
  else wrong.push(`${file}: ${message.length} octets went in, other ones came out`);
}
await lmtp.quit();
for (const line of wrong) console.log(line);
console.log(
  `${same} identical, ${maskedSame} identical but for masked header octets, ${refused} refused for 8-bit headers, ${wrong.length} wrong`,
);
process.exitCode = wrong.length > 0 || same === 0 ? 1 : 0;
