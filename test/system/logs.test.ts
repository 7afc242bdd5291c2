/**
 * The two logs of whole nodes: what a session leaves in them, from its front to its owner, and that no secret does. Rows
 * G-13, G-16, G-17 and G-19 to G-21 of the requirements.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pop3Client, Pop3Refusal } from '../../bench/clients/pop3.ts';
import { PoppwdClient } from '../../bench/clients/poppwd.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import { readEntry } from '../support/connection-entries.ts';
import { deliver, eventually, hasNats, logIn, message, openSession, threeNodes, withFleet } from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const ANN = 'ann@example.test';
const SECRETS = ['first secret of ann', 'second secret of ann', 'a guess at it'] as const;
const tables = '[connection-log]\ndestination = "connection.log"\n';

const entriesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split(/(?<=\n)/)
    .filter((line) => line !== '')
    .map(readEntry);

const refusal = async (asked: Promise<unknown>): Promise<string> => {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Pop3Refusal)) throw new Error('it was not refused', { cause: error });
  return error.reply;
};

const sasl = (secret: string): string => Buffer.from(`\0${ANN}\0${secret}`).toString('base64');

/** Every way to show or prove a password, right and wrong; what went over the wire of them. */
async function prove(node: NodeProcess): Promise<readonly string[]> {
  const shown: string[] = [];
  for (const secret of [SECRETS[2], SECRETS[0]]) {
    const client = await Pop3Client.connect(node.pop3);
    const digest = createHash('md5')
      .update(/<[^>]+>/.exec(client.greeting)![0])
      .update(secret)
      .digest('hex');
    shown.push(digest, sasl(secret));
    if (secret === SECRETS[2]) {
      assert.match(await refusal(client.ask(`APOP ${ANN} ${digest}`)), /^-ERR \[AUTH\]/);
      assert.match(await refusal(client.ask(`AUTH PLAIN ${sasl(secret)}`)), /^-ERR \[AUTH\]/);
      await client.quit();
    } else {
      await client.ask(`APOP ${ANN} ${digest}`);
      await client.quit();
      const other = await Pop3Client.connect(node.pop3);
      await other.ask(`AUTH PLAIN ${sasl(secret)}`);
      await other.quit();
    }
  }
  return shown;
}

cluster('a session is followed from its front to its owner, in both logs, and no secret is in either', () =>
  withFleet(threeNodes({ logLevel: 'debug', tables }), async (fleet, directory) => {
    const file = join(directory, 'connection.log');
    const [n1, n2] = [fleet.node('n1'), fleet.node('n2')];
    await n1.ask('account.add', { name: ANN, secret: SECRETS[0], mailHost: 'n1' });
    assert.match(await deliver(n2.lmtp, ANN, message('for ann')), /^250/);
    const shown = await prove(n2);
    assert.match(await logIn(n2.pop3, ANN, SECRETS[2]), /^-ERR \[AUTH\]/);
    assert.match(await logIn(n2.pop3, 'nobody@example.test', SECRETS[0]), /^-ERR \[AUTH\]/);
    const changing = await PoppwdClient.connect(n2.poppwd);
    assert.match(await changing.changePassword(ANN, SECRETS[0], SECRETS[1]), /^200/);
    changing.close();
    const reading = await openSession(n2.pop3, ANN, SECRETS[1]);
    await reading.retrieve(1);
    await reading.quit();

    const entries = await eventually('all sessions to have ended', 10_000, () => {
      const all = entriesOf(file);
      const count = (codes: string) => all.filter(({ code }) => codes.includes(code)).length;
      return count('O') === 7 && count('CX') === 7 ? all : undefined;
    });
    assert.equal([...new Set(entries.map(({ source }) => source))], ['n2']);
    assert.equal([...new Set(entries.map(({ service }) => service))].sort(), ['POP3', 'POPPASSD']); // G-20
    for (const { transport } of entries) {
      // As clients reach it, be there a balancer between or not.
      assert.ok(
        [n2.pop3, n2.poppwd].some((at) => 'port' in at && String(at.port) === transport[2]),
        transport.join('|'),
      );
      assert.equal([transport[1], transport[3]], ['127.0.0.1', '127.0.0.1']);
    }
    const said = entries
      .filter(({ code }) => code === 'A')
      .map(({ fields }) => `${fields['mechanism']} ${fields['reason']}`);
    assert.equal(said, ['APOP wrong-secret', 'PLAIN wrong-secret', 'PASS wrong-secret', 'PASS no-such-account']);

    // G-19: the owner of the mailbox, another node, tells of the same session.
    const opened = entries.findLast(({ code, service }) => code === 'O' && service === 'POP3')!;
    const { session } = opened.fields;
    assert.equal([opened.fields['user'], opened.fields['mechanism']], [ANN, 'PASS']);
    const tells = (node: NodeProcess, what: string) =>
      node.lines.some((line) => line.includes(what) && new RegExp(`session=${session}(\\.\\d+)?( |$)`).test(line));
    for (const [node, what] of [
      [n2, 'connection open'],
      [n2, 'connection closed'],
      [n1, 'session opened'],
      [n1, 'session ended'],
    ] as const)
      await eventually(`${node.me} to say "${what}"`, 5_000, () => tells(node, what) || undefined);

    const lines = fleet.nodes.flatMap((node) => node.lines);
    for (const line of lines.filter((each) =>
      /connection (open|closed)|log-in|(?<!directory )session |password (not )?changed/.test(each),
    ))
      assert.match(line, / session=\S+/);
    for (const line of [...lines, readFileSync(file, 'utf8')])
      for (const secret of [...SECRETS, ...SECRETS.map(encodeURIComponent), ...shown])
        assert.not.ok(line.includes(secret), `a log holds ${secret}: ${line}`);

    // G-17: renamed, and a second later the next entries are in a new file.
    renameSync(file, `${file}.1`);
    await eventually('a new file', 10_000, async () => {
      assert.is(await logIn(n2.pop3, ANN, SECRETS[1]), 'ok');
      return existsSync(file) || undefined;
    });
    assert.ok(entriesOf(file).length > 0);
    assert.ok(entriesOf(`${file}.1`).length >= entries.length);

    // G-21: whoever is logged in is in the log, however the node ends.
    const last = await openSession(n2.pop3, ANN, SECRETS[1]);
    await n2.program!.kill();
    last.close();
    const left = entriesOf(file);
    const open = left.filter(({ code, fields }) => code === 'O' && fields['user'] === ANN);
    const lost = open.filter(
      ({ fields: { session: id } }) =>
        !left.some(({ code, fields }) => 'CX'.includes(code) && fields['session'] === id),
    );
    assert.is(lost.length, 1);
  }),
);

test.run();
