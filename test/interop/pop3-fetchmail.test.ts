/**
 * POP3 as fetchmail speaks it: STLS and POP3S, UIDL with and without keeping, messages handed to a program of its own, and
 * what it makes of the response codes. Skipped without fetchmail.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BODIES, Evidence, fill, JOE, type Place, placeNames, SECRET, withPlace } from '../support/interop.ts';
import { hasProgram, type Ran, runProgram } from '../support/programs.ts';
import { deliver, message, openSession } from '../support/system.ts';

const fetchmail = hasProgram('fetchmail') ? test : test.skip;
const evidence = new Evidence('fetchmail');
/** Exit codes, from its manual page. */
const [DONE, NO_MAIL, LOCK_BUSY, AUTHENTICATION] = [0, 1, 9, 3];

type Poll = { readonly tls: 'none' | 'stls' | 'pop3s'; readonly keep?: boolean; readonly secret?: string };

class Fetchmail {
  readonly #place: Place;
  readonly #home: string;
  readonly #mail: string;

  constructor(place: Place) {
    this.#place = place;
    this.#home = join(place.directory, 'fetchmail');
    this.#mail = join(this.#home, 'mail');
    mkdirSync(this.#home);
  }

  poll({ tls, keep = false, secret = SECRET }: Poll): Promise<Ran> {
    const { node, authorityFile } = this.#place;
    const port = tls === 'pop3s' ? node.ports.pop3s! : node.ports.pop3;
    const checked = `sslcertck sslcertfile "${authorityFile}"`;
    const ssl = { none: 'sslproto ""', stls: `sslproto "TLS1.2+" ${checked}`, pop3s: `ssl ${checked}` }[tls];
    const file = join(this.#home, 'rc');
    writeFileSync(
      file,
      `set idfile "${join(this.#home, 'ids')}"\n` +
        `poll localhost service ${port} protocol pop3 uidl auth password timeout 20:\n` +
        `  user "joe" password "${secret}" ${ssl} ${keep ? 'keep' : 'no keep'} no rewrite\n` +
        `  mda "/bin/sh -c 'cat >> ${this.#mail}'"\n`,
      { mode: 0o600 },
    );
    const environment = { FETCHMAILHOME: this.#home, LC_ALL: 'C' };
    return runProgram(['fetchmail', '-vv', '-f', file], { environment });
  }

  /** What its `mda` has got since it was asked last. */
  taken(): string {
    const mail = existsSync(this.#mail) ? readFileSync(this.#mail, 'utf8') : '';
    rmSync(this.#mail, { force: true });
    return mail;
  }
}

const subjectsIn = (mail: string): string[] => [...mail.matchAll(/^Subject: (.*)$/gm)].map(([, subject]) => subject!);

for (const where of placeNames())
  fetchmail(`fetchmail against ${where}`, () =>
    withPlace(where, async (place) => {
      await fill(place);
      const client = new Fetchmail(place);
      await keeps(place, client);
      await isRefused(place, client);
      await removes(place, client);
    }),
  );

async function keeps({ node }: Place, client: Fetchmail): Promise<void> {
  const first = await client.poll({ tls: 'stls', keep: true });
  assert.is(first.status, DONE, first.all);
  const [one, two, three] = BODIES.map((body) => body.replaceAll('\r\n', '\n')) as [string, string, string];
  const mail = client.taken();
  assert.equal(subjectsIn(mail), ['number 0', 'number 1', 'number 2']);
  for (const body of [one, two, three]) assert.ok(mail.includes(`\n\n${body}\n`), body);
  evidence.see(first.all, {
    STLS: /POP3> STLS\n[\s\S]*upgrade to TLS succeeded/,
    USER: /POP3> USER joe\n.*\+OK[\s\S]*POP3> PASS/,
    UIDL: /POP3> UIDL\n.*\+OK/,
    TOP: /POP3> TOP 1 99999999\n.*\+OK/, // so that a server that marks what was retrieved does not
  });
  assert.match(await deliver(node.lmtp, JOE, message('fourth')), /^250/);
  const second = await client.poll({ tls: 'pop3s', keep: true });
  assert.is(second.status, DONE, second.all);
  assert.equal(subjectsIn(client.taken()), ['fourth'], 'by UIDL it knows the others');
  evidence.see(second.all, { POP3S: /SSL\/TLS: using protocol TLSv1\.3[\s\S]*POP3< \+OK/ });
  const third = await client.poll({ tls: 'none', keep: true });
  assert.is(third.status, NO_MAIL, third.all);
}

async function isRefused({ node }: Place, client: Fetchmail): Promise<void> {
  const wrong = await client.poll({ tls: 'stls', secret: 'wrong' });
  assert.is(wrong.status, AUTHENTICATION, wrong.all);
  evidence.see(wrong.all, { 'AUTH-RESP-CODE': /POP3< -ERR \[AUTH\]/ });
  const other = await openSession(node.pop3, JOE, SECRET);
  const busy = await client.poll({ tls: 'stls' });
  assert.is(busy.status, LOCK_BUSY, 'told by the response code alone: the text has no word for it that it knows');
  evidence.see(busy.all, { 'RESP-CODES': /POP3< -ERR \[IN-USE\][\s\S]*lock busy/ });
  await other.quit();
}

async function removes({ node }: Place, client: Fetchmail): Promise<void> {
  assert.match(await deliver(node.lmtp, JOE, message('fifth')), /^250/);
  const last = await client.poll({ tls: 'pop3s' });
  assert.is(last.status, DONE, last.all);
  assert.equal(subjectsIn(client.taken()), ['fifth']);
  const left = await openSession(node.pop3, JOE, SECRET);
  assert.is((await left.stat()).messages, 4, 'what it had been told to keep is kept');
  await left.quit();
}

fetchmail('what docs/interop.md says of fetchmail is what was shown', () => evidence.mustBeDocumented());

test.run();
