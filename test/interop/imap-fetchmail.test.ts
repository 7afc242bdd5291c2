/**
 * IMAP as fetchmail speaks it: STARTTLS and IMAPS, what is unseen alone and everything, with and without keeping, a mailbox
 * that is not INBOX, and waiting in IDLE. Skipped without fetchmail.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Program } from '../../bench/fleet/program.ts';
import { deliverTo, withImapPlace } from '../support/imap-interop.ts';
import { ImapWire } from '../support/imap-wire.ts';
import { BODIES, Evidence, fill, JOE, type Place, placeNames, SECRET } from '../support/interop.ts';
import { hasProgram, type Ran, runProgram } from '../support/programs.ts';
import { eventually } from '../support/system.ts';

const fetchmail = hasProgram('fetchmail') ? test : test.skip;
const evidence = new Evidence('fetchmail', 'IMAP');
/** Exit codes, from its manual page. */
const [DONE, NO_MAIL, AUTHENTICATION] = [0, 1, 3];

type Poll = {
  readonly tls: 'none' | 'starttls' | 'imaps';
  readonly keep?: boolean;
  readonly secret?: string;
  /** More words for the user's entry. */
  readonly more?: string;
};

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

  #command({ tls, keep = false, secret = SECRET, more = '' }: Poll): string[] {
    const { node, authorityFile } = this.#place;
    const port = tls === 'imaps' ? node.ports.imaps! : node.ports.imap!;
    const checked = `sslcertck sslcertfile "${authorityFile}"`;
    const ssl = { none: 'sslproto ""', starttls: `sslproto "TLS1.2+" ${checked}`, imaps: `ssl ${checked}` }[tls];
    const file = join(this.#home, 'rc');
    writeFileSync(
      file,
      `poll localhost service ${port} protocol imap auth password timeout 20:\n` +
        `  user "joe" password "${secret}" ${ssl} ${keep ? 'keep' : 'no keep'} no rewrite ${more}\n` +
        `  mda "/bin/sh -c 'cat >> ${this.#mail}'"\n`,
      { mode: 0o600 },
    );
    return ['fetchmail', '-vv', '--nosyslog', '--nodetach', '-f', file];
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, FETCHMAILHOME: this.#home, LC_ALL: 'C' };
  }

  poll(poll: Poll): Promise<Ran> {
    return runProgram(this.#command(poll), { environment: this.#environment });
  }

  /** Goes on waiting for mail until it is stopped. */
  wait(poll: Poll, onLine: (line: string) => void): Promise<Program> {
    return Program.start(this.#command({ ...poll, more: 'idle' }), {
      readyLine: /IMAP> \S+ IDLE/,
      environment: this.#environment,
      onLine,
    });
  }

  /** What its `mda` has got. */
  mail(): string {
    return existsSync(this.#mail) ? readFileSync(this.#mail, 'utf8') : '';
  }

  /** The same, since it was asked last; while fetchmail runs something could get lost. */
  taken(): string {
    const mail = this.mail();
    rmSync(this.#mail, { force: true });
    return mail;
  }
}

const subjectsIn = (mail: string): string[] => [...mail.matchAll(/^Subject: (.*)$/gm)].map(([, subject]) => subject!);

for (const where of placeNames())
  fetchmail(`fetchmail by IMAP against ${where}`, () =>
    withImapPlace(where, async (place) => {
      await fill(place);
      const client = new Fetchmail(place);
      const other = await ImapWire.open(place.node.imap!, 'joe', SECRET);
      await isRefused(client);
      await keeps(place, client, other);
      await removes(client, other);
      await waits(place, client);
      await other.logOut();
    }),
  );

async function isRefused(client: Fetchmail): Promise<void> {
  const wrong = await client.poll({ tls: 'starttls', secret: 'wrong' });
  assert.is(wrong.status, AUTHENTICATION, wrong.all);
  assert.match(wrong.all, /NO \[AUTHENTICATIONFAILED\]/);
}

async function keeps(place: Place, client: Fetchmail, other: ImapWire): Promise<void> {
  const first = await client.poll({ tls: 'starttls', keep: true });
  assert.is(first.status, DONE, first.all);
  const mail = client.taken();
  assert.equal(subjectsIn(mail), ['number 0', 'number 1', 'number 2']);
  for (const body of BODIES) assert.ok(mail.includes(`\n\n${body.replaceAll('\r\n', '\n')}\n`), body);
  evidence.see(first.all, {
    STARTTLS: /IMAP> \w+ STARTTLS\n[\s\S]*upgrade to TLS succeeded/,
    LOGIN: /IMAP> \w+ LOGIN "joe" \*\n/,
  });
  await other.must('SELECT INBOX');
  assert.equal((await other.must('SEARCH SEEN')).untagged.at(-1), ['SEARCH', '1', '2', '3'], 'read is seen');
  await deliverTo(place, JOE, 'fourth');
  const second = await client.poll({ tls: 'imaps', keep: true });
  assert.is(second.status, DONE, second.all);
  assert.equal(subjectsIn(client.taken()), ['fourth'], 'what is seen is not fetched again');
  evidence.see(second.all, { IMAPS: /SSL\/TLS: using protocol TLSv1\.3[\s\S]*IMAP< \* OK/ });
  const third = await client.poll({ tls: 'none', keep: true });
  assert.is(third.status, NO_MAIL, third.all);
}

async function removes(client: Fetchmail, other: ImapWire): Promise<void> {
  assert.equal(
    (await other.must('NOOP')).untagged.find(([, word]) => word === 'EXISTS'),
    ['4', 'EXISTS'],
  );
  const all = await client.poll({ tls: 'imaps', more: 'fetchall' });
  assert.is(all.status, DONE, all.all);
  assert.equal(subjectsIn(client.taken()), ['number 0', 'number 1', 'number 2', 'fourth']);
  assert.match(all.all, /IMAP> \w+ EXPUNGE/);
  const told = (await other.must('NOOP')).untagged.filter(([, word]) => word === 'EXPUNGE');
  assert.is(told.length, 4, 'another session hears that they went');
  await other.must('CREATE lists');
  await other.must('APPEND lists {}', Buffer.from('Subject: in lists\r\n\r\nbody\r\n'));
  const some = await client.poll({ tls: 'none', more: 'folder lists' });
  assert.is(some.status, DONE, some.all);
  assert.equal(subjectsIn(client.taken()), ['in lists']);
}

async function waits(place: Place, client: Fetchmail): Promise<void> {
  const said: string[] = [];
  await deliverTo(place, JOE, 'before');
  const program = await client.wait({ tls: 'starttls' }, (line) => said.push(line));
  try {
    for (const subject of ['while it waits', 'and once more']) {
      await deliverTo(place, JOE, subject);
      await eventually(`fetchmail to fetch: ${subject}`, 20_000, () =>
        subjectsIn(client.mail()).includes(subject) ? true : undefined,
      );
    }
    assert.equal(subjectsIn(client.mail()), ['before', 'while it waits', 'and once more']);
    evidence.see(said.join('\n'), { IDLE: /IMAP> \w+ IDLE[\s\S]*IMAP< \* 1 EXISTS[\s\S]*IMAP> DONE/ });
  } finally {
    await program.stop();
  }
}

fetchmail('what docs/interop.md says of fetchmail by IMAP is what was shown', () => evidence.mustBeDocumented());

test.run();
