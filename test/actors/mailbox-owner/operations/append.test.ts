/** append: RFC 9051 §6.3.12, and several at once: RFC 3502. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Append } from '../../../../actors/mailbox-owner/operation.ts';
import { CHUNK_OCTETS, readMessage } from '../../../../store/blob.ts';
import { ALL_FLAGS, FLAG, MOST_KEYWORDS, MOST_KEYWORDS_A_MESSAGE } from '../../../../store/flags.ts';
import { accounts, blobs, garbage, keywords, messages, stages, structures } from '../../../../store/tables.ts';
import {
  appendTo,
  editOf,
  lettersFor,
  type MailboxState,
  mailboxState,
  message,
  openMailboxes,
  uids,
} from '../mailbox-state.ts';
import { NOW, sha256 } from '../state.ts';

const ready = (): MailboxState => {
  const fresh = mailboxState();
  fresh.create('work');
  return fresh;
};
const append = (fresh: MailboxState, more: Partial<Append> = {}, account = 'joe') =>
  fresh.as(account, appendTo('work', 'joe', more));

test('a message gets the next UID, its flags, and the date that it came with', () => {
  const fresh = ready();
  const { mailbox, uidValidity } = fresh.ref('work');
  const answer = append(fresh, { messages: [message('hello', FLAG.seen | FLAG.draft, ['work', '$Junk'])] });
  assert.equal(answer, { ok: true, value: { mailbox, uidValidity, modSeq: 2, uids: uids(1) } });
  const row = messages.get(fresh.view, 'joe', mailbox, 1)!;
  assert.is(String(readMessage(fresh.view, row, 0)), 'hello');
  const { internalDate, saveDate, sizeOctets, sequence, emailId, flags } = row;
  assert.equal(
    { internalDate, saveDate, sizeOctets, sequence, emailId, flags, keywords: row.keywords },
    {
      internalDate: NOW - 1_000,
      saveDate: NOW,
      sizeOctets: 5,
      sequence: 2,
      emailId: 2,
      flags: FLAG.seen | FLAG.draft,
      keywords: ['$Junk', 'work'],
    },
  );
  assert.is(accounts.get(fresh.view, 'joe')?.messages, 2);
});

test('RFC 3502: several come in their order, with one mod-sequence, and equal bodies are kept once', () => {
  const fresh = ready();
  const answer = append(fresh, { messages: [message('a', 1), message('b', 2), message('a', 4)] });
  assert.ok(answer.ok);
  assert.equal([answer.value.uids, answer.value.modSeq], [uids([1, 3]), 2]);
  assert.equal(fresh.flags('work'), [
    [1, 1],
    [2, 2],
    [3, 4],
  ]);
  assert.is(blobs.get(fresh.view, sha256(Buffer.from('a')))?.references, 2);
});

test('RFC 3502: where one does not fit none comes', () => {
  const fresh = ready();
  const { octets } = accounts.get(fresh.view, 'joe')!;
  const three = [message('aa'), message('bb'), message('cc')];
  const tries: [Partial<Append>, string | true][] = [
    [{ quotaOctets: octets + 5 }, 'over-quota'],
    [{ quotaMessages: 3 }, 'over-quota'],
    [{ sizeLimitOctets: 1 }, 'too-large'],
    [{ quotaOctets: octets + 6, quotaMessages: 4, sizeLimitOctets: 2 }, true],
    [{ quotaOctets: 0, quotaMessages: 0, sizeLimitOctets: 0 }, true],
  ];
  for (const [limits, expected] of tries) {
    const answer = append(fresh, { messages: three, ...limits });
    assert.is(answer.ok || answer.refusal, expected);
  }
  assert.is(fresh.flags('work').length, 6);
});

const stage = (fresh: MailboxState, name: string, bytes: Uint8Array, session = 's-joe') => {
  for (let index = 0; index * CHUNK_OCTETS < bytes.length; index++) {
    const part = bytes.subarray(index * CHUNK_OCTETS, (index + 1) * CHUNK_OCTETS);
    assert.ok(fresh.run({ type: 'stage', session, stage: name, index, bytes: part }).ok);
  }
  const { body } = stages.get(fresh.view, session, name)!;
  const content = { kind: 'staged', stage: name, body, sizeOctets: bytes.length, sha256: sha256(bytes) } as const;
  return { content, flags: 0, keywords: [], internalDate: NOW };
};

test('large bodies come staged, more of them than a delivery has, and are used up', () => {
  const fresh = ready();
  const bodies = [1, 2, 3, 4, 5, 6].map((each) => Buffer.alloc(CHUNK_OCTETS + each, `${each}`));
  const staged = bodies.map((bytes, at) => stage(fresh, `b${at}`, bytes));
  const again = stage(fresh, 'again', bodies[0]!);
  const structure = Buffer.from('made of it');
  const [first, ...rest] = staged;
  const withStructure = { ...first!, content: { ...first!.content, structure } };
  assert.ok(append(fresh, { messages: [withStructure, ...rest, again, message('inline'), message('other')] }).ok);
  assert.is(fresh.flags('work').length, 9);
  assert.equal([...stages.range(fresh.view, [])], []);
  assert.is([...garbage.range(fresh.view, [])].length, 1);
  const { blob } = messages.get(fresh.view, 'joe', fresh.ref('work').mailbox, 1)!;
  assert.equal(structures.get(fresh.view, blob), structure);
});

test('a stage that is not there, or another by now, or named twice, is missing, and nothing comes', () => {
  const fresh = ready();
  const one = stage(fresh, 'b', Buffer.from('staged'));
  const missing = { ...one, content: { ...one.content, stage: 'other' } };
  const longer = { ...one, content: { ...one.content, sizeOctets: 7 } };
  for (const staged of [[missing], [longer], [one, one], [message('x'), missing]]) {
    assert.equal(append(fresh, { messages: staged }), { ok: false, refusal: 'stage-missing' });
  }
  assert.ok(append(fresh, { messages: [one] }).ok);
});

test('INBOX comes into being for the account itself, and any other mailbox must be there', () => {
  const fresh = mailboxState();
  assert.ok(fresh.as('ann', appendTo('inbox', 'ann')).ok);
  assert.equal(fresh.names('ann'), ['INBOX']);
  const none = { ok: false, refusal: 'no-such-mailbox' };
  assert.equal(fresh.as('ann', appendTo('missing', 'ann')), none);
  assert.equal(fresh.as('ann', appendTo('a//b', 'ann')), none);
  assert.equal(fresh.as('ann', appendTo('INBOX', 'bob')), none);
  assert.equal(fresh.as('ann', appendTo('INBOX', 'shared', { withInbox: false })), none);
});

test('the right `i` is needed, and is enough; flags whose right is missing are left out', () => {
  const wanted = { messages: [message('x', ALL_FLAGS, ['$Junk'])] };
  const needed = lettersFor((letter) => {
    const fresh = ready();
    fresh.grant('work', 'ann', letter);
    const answer = append(fresh, wanted, 'ann');
    if (!answer.ok) assert.is(answer.refusal, letter === 'l' ? 'no-permission' : 'no-such-mailbox');
    else assert.equal(fresh.flags('work'), [[1, 0]]);
    return answer.ok;
  });
  assert.is(needed, 'i');
  for (const [letters, ...expected] of [
    ['is', FLAG.seen],
    ['it', FLAG.deleted],
    ['iw', FLAG.answered | FLAG.flagged | FLAG.draft, '$Junk'],
    ['istw', ALL_FLAGS, '$Junk'],
  ] as const) {
    const fresh = ready();
    fresh.grant('work', 'ann', letters);
    assert.ok(append(fresh, wanted, 'ann').ok);
    assert.equal(fresh.flags('work'), [[1, ...expected]]);
  }
});

test('keywords for which the mailbox has no room are left out', () => {
  const fresh = ready();
  const many = Array.from({ length: MOST_KEYWORDS - 1 }, (_, at) => message('a', 0, [`k${at}`]));
  assert.ok(append(fresh, { messages: [...many, message('b', 0, ['one', 'K0', 'two'])] }).ok);
  const { mailbox } = fresh.ref('work');
  assert.equal(messages.get(fresh.view, 'joe', mailbox, MOST_KEYWORDS)?.keywords, ['k0', 'one']);
  assert.equal(keywords.get(fresh.view, 'joe', mailbox)?.at(-1), 'one');
});

test('of more keywords than a message may have the first are kept', () => {
  const fresh = ready();
  const many = Array.from({ length: MOST_KEYWORDS_A_MESSAGE + 5 }, (_, at) => `k${at}`);
  assert.ok(append(fresh, { messages: [message('a', 0, ['K1', ...many])] }).ok);
  const [[, , ...kept] = []] = fresh.flags('work');
  assert.equal(new Set(kept), new Set(['K1', 'k0', ...many.slice(2, MOST_KEYWORDS_A_MESSAGE)]));
});

test('what is put aside may be given up, and then it is not there', () => {
  const fresh = ready();
  const [one, two] = [stage(fresh, 'a', Buffer.from('one')), stage(fresh, 'b', Buffer.from('two'))];
  const drop = (session: string, ...names: string[]) =>
    assert.ok(fresh.run({ type: 'drop-stages', session, stages: names }).ok);
  drop('s-ann', 'a');
  assert.equal(fresh.changes(), [], 'another’s is not touched');
  drop('s-joe', 'a', 'a', 'none');
  assert.equal(fresh.changes(), ['StageDropped']);
  assert.equal(append(fresh, { messages: [one] }), { ok: false, refusal: 'stage-missing' });
  assert.ok(append(fresh, { messages: [two] }).ok);
});

test('what a session puts aside counts against the quota of whom it is for', () => {
  const fresh = ready();
  const { octets } = accounts.get(fresh.view, 'joe')!;
  const within = { account: 'joe', quotaOctets: octets + 10 };
  const put = (name: string, text: string, limit: { account: string; quotaOctets: number } | undefined = within) =>
    fresh.run({
      type: 'stage',
      session: 's-joe',
      stage: name,
      index: 0,
      bytes: Buffer.from(text),
      ...(limit && { within: limit }),
    });
  assert.ok(put('a', '123456').ok);
  assert.ok(put('b', '7890').ok);
  assert.equal(put('c', '1'), { ok: false, refusal: 'over-quota' });
  assert.ok(put('a', '123456').ok, 'a part that is there is asked for again');
  assert.ok(put('c', '1', { account: 'joe', quotaOctets: 0 }).ok, '0 is no quota');
  fresh.run({ type: 'drop-stages', session: 's-joe', stages: ['a', 'c'] });
  assert.ok(put('d', '123456').ok);
});

test('the same counter again gets the stored answer, and no second copy comes', () => {
  const fresh = ready();
  const once = { ...appendTo('work'), session: 's-joe', counter: 4 };
  const answer = fresh.run(once);
  assert.ok(answer.ok);
  assert.equal(fresh.run(once), answer);
  assert.is(fresh.flags('work').length, 1);
  assert.equal(fresh.run({ ...once, counter: 3 }), { ok: false, refusal: 'stale' });
});

test('what a mailbox that was made anew gets is told with its new UIDVALIDITY', () => {
  const fresh = ready();
  const before = append(fresh);
  fresh.as('joe', editOf('joe', { type: 'delete', name: 'work' }));
  fresh.create('work');
  const after = append(fresh);
  assert.ok(before.ok && after.ok);
  assert.equal(after.value.uids, uids(1));
  assert.ok(after.value.uidValidity > before.value.uidValidity);
});

test('a session of a ticket that is not for mailboxes appends nothing', () => {
  const fresh = ready();
  const admission = { account: 'joe', session: 'm', rights: ['maildrop'], expiresAtMs: NOW + 9 };
  assert.equal(fresh.run(openMailboxes('m', 'joe', { admission })), { ok: false, refusal: 'ticket-refused' });
  assert.equal(fresh.run({ ...appendTo('work'), session: 'd', counter: 2 }), { ok: false, refusal: 'unknown-handle' });
});

test.run();
