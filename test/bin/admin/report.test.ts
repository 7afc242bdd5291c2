/** What is printed of the nodes' answers: a table of what was done, a line for each node that did not do it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Gathered } from '../../../admin/ask-nodes.ts';
import { complaints, report } from '../../../bin/admin/report.ts';
import { CommandError } from '../../../bin/command-error.ts';

const gathered = (more: Partial<Gathered>): Gathered => ({ answers: [], refused: [], silent: [], ...more });

/** What is printed, and the lines that it ends with. */
function printed(verb: string, given: Gathered, asJson = false): { out: string; lines: readonly string[] } {
  const said: string[] = [];
  const { log } = console;
  console.log = (...words: unknown[]) => void said.push(words.join(' '));
  try {
    report(verb, given, asJson);
    return { out: said.join('\n'), lines: [] };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { out: said.join('\n'), lines: error.lines };
  } finally {
    console.log = log;
  }
}

const session = (ageMs: number, more = {}) => ({
  ...{ session: 's1', protocol: 'pop3', address: '192.0.2.7', port: 40_000, state: 'transaction.ready' },
  ...{ account: 'joe@example.test', tls: true, ageMs, ...more },
});
const sessionsOf = (...rows: readonly object[]) =>
  gathered({ answers: [{ node: 'n1', outcome: { ok: true, value: rows } }] });

test('sessions in a row each, with peer and age as people read them', () => {
  const rows = [
    session(61_000),
    session(999, { address: '2001:db8::1', account: undefined, tls: false }),
    session(90_061_000, { address: '', port: 0 }),
    session(3_725_000),
  ];
  assert.equal(printed('sessions', sessionsOf(...rows)).out.split('\n'), [
    'node  session  peer                 protocol  state              account           age   tls',
    'n1    s1       192.0.2.7:40000      pop3      transaction.ready  joe@example.test  1m1s  yes',
    'n1    s1       [2001:db8::1]:40000  pop3      transaction.ready  -                 0s    no',
    'n1    s1       -                    pop3      transaction.ready  joe@example.test  1d1h  yes',
    'n1    s1       192.0.2.7:40000      pop3      transaction.ready  joe@example.test  1h2m  yes',
  ]);
  assert.match(printed('sessions', sessionsOf()).out, /^node +session .* tls$/);
});

test('lists in a cell, and a dash for what is not there', () => {
  const value = { applied: ['listener', 'log.level'], needRestart: [] };
  const { out } = printed('reload', gathered({ answers: [{ node: 'n1', outcome: { ok: true, value } }] }));
  assert.equal(out.split('\n')[1], 'n1    listener, log.level  -');
});

test('whoever did not do it is named, beside those that did', () => {
  const mixed = gathered({
    answers: [
      { node: 'n1', outcome: { ok: true, value: { state: 'serving', sessions: 3, version: '1' } } },
      { node: 'n2', outcome: { ok: false, errors: ['first', 'second'] } },
    ],
    refused: ['n3'],
    silent: ['n4'],
  });
  const { out, lines } = printed('ping', mixed);
  assert.equal(out.split('\n'), ['node  state    sessions  version', 'n1    serving  3         1']);
  assert.equal(lines, ['n2: first', 'n2: second', 'n3: refused; the log of the node says why', 'n4: did not answer']);
  const json = printed('ping', mixed, true);
  assert.equal(json.lines, lines);
  assert.equal(JSON.parse(json.out), {
    answers: [
      { node: 'n1', ok: true, value: { state: 'serving', sessions: 3, version: '1' } },
      { node: 'n2', ok: false, errors: ['first', 'second'] },
    ],
    refused: ['n3'],
    silent: ['n4'],
  });
  assert.equal(complaints(gathered({})), ['no node answered']);
});

test("what a node of another version says and is not understood is that node's failure, not a fault", () => {
  const one = (verb: string, value: unknown) =>
    printed(verb, gathered({ answers: [{ node: 'n1', outcome: { ok: true, value } }] })).lines;
  for (const value of [undefined, null, 'x', 7, {}, [1], [{ session: 's1' }]])
    assert.match(String(one('sessions', value)), /^n1: its answer is not understood/, JSON.stringify(value));
  for (const verb of ['ping', 'drain', 'undrain'])
    for (const value of [undefined, [], { state: 'serving' }, { state: 7, sessions: 1 }])
      assert.match(String(one(verb, value)), /^n1: its answer is not understood/);
  for (const verb of ['kick', 'reload']) assert.match(String(one(verb, 'done')), /^n1: its answer is not understood/);
  assert.equal(one('ping', { state: 'serving', sessions: 1, more: { than: 'known' } }), []);
});

test.run();
