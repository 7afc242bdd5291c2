/** Sets of rights: one order, RFC 2086's letters understood, edits that add and take. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changeable, editedRights, lacking, rightsFor, rightsOf } from '../../../actors/mailbox-owner/rights.ts';
import { ALL_FLAGS, FLAG } from '../../../store/flags.ts';
import type { View } from '../../../store/key-value.ts';
import { overlay } from '../../../store/overlay.ts';
import { isOrdered, STANDARD_RIGHTS } from '../../../store/rights.ts';
import { rights as grants } from '../../../store/tables.ts';

const set = (letters: string) => {
  const rights = rightsOf(letters);
  return rights.ok ? rights.value : `not ${rights.refusal}`;
};

test('rights are kept once each and in one order; a letter that is none is named', () => {
  assert.is(set('prl'), 'lrp');
  assert.is(set('aaetxkpiwsrl'), 'lrswipkxtea');
  assert.is(set(''), '');
  assert.is(set('lrz'), 'not z');
  assert.is(set('L'), 'not L'); // RFC 4314 §2: no upper case
  assert.is(set('l7'), 'not 7');
});

test("RFC 4314 §2.1.1: RFC 2086's c stands for k and x, its d for e and t, as in the RFC's example", () => {
  assert.is(set('lrswida'), set('lrswideta'));
  assert.is(set('lrswida'), 'lrswitea');
  assert.is(set('c'), 'kx');
});

test('RFC 4314 §3.1: + adds, - takes, anything else replaces', () => {
  assert.equal(editedRights('lr', '+pd'), { ok: true, value: 'lrpte' });
  assert.equal(editedRights('lrp', '-rx'), { ok: true, value: 'lp' });
  assert.equal(editedRights('lrp', 'a'), { ok: true, value: 'a' });
  assert.equal(editedRights('lrp', ''), { ok: true, value: '' });
  assert.equal(editedRights('lrp', '-lrp'), { ok: true, value: '' });
  assert.equal(editedRights('', '+q'), { ok: false, refusal: 'q' });
  assert.equal(editedRights('', '+-l'), { ok: false, refusal: '-' });
});

test('whatever is accepted is in order, and taking what was added leaves what was before without it', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'lrswipkxteacd') });
  fc.assert(
    fc.property(letters, letters, (before, edit) => {
      const rights = set(before);
      assert.ok(isOrdered(rights));
      assert.is(set(rights), rights);
      const added = editedRights(rights, `+${edit}`);
      const taken = added.ok && editedRights(added.value, `-${edit}`);
      assert.equal(taken, editedRights(rights, `-${edit}`));
    }),
  );
});

const empty: View = { get: () => undefined, range: () => [] };
/** What `who` has on joe's mailbox 1, by that list. */
const held = (who: string, list: Readonly<Record<string, string>> = {}) => {
  const view = overlay(empty);
  for (const [identifier, letters] of Object.entries(list)) grants.put(view, ['joe', 1, identifier], letters);
  return rightsFor(view, { account: who }, 'joe', 1);
};

test('I-19: what is granted to an account and to anyone, less what is taken from either', () => {
  assert.is(held('ann'), '');
  assert.is(held('ann', { ann: 'lr', anyone: 'lp' }), 'lrp');
  assert.is(held('ann', { ann: 'lrw', anyone: 'lp', '-ann': 'r' }), 'lwp');
  assert.is(held('ann', { ann: 'lrw', '-anyone': 'w', '-bob': 'l' }), 'lr');
  assert.is(held('ann', { anonymous: 'lr' }), '');
  assert.is(held('anonymous', { anonymous: 'l', anyone: 'r' }), 'lr');
  assert.is(rightsFor(overlay(empty), { account: 'ann' }, 'joe', 2), '');
});

test('I-19: an owner has what is not left out or taken away, and always keeps `l` and `a`', () => {
  assert.is(held('joe'), STANDARD_RIGHTS);
  assert.is(held('joe', { anyone: 'l' }), STANDARD_RIGHTS);
  assert.is(held('joe', { joe: 'r' }), 'lra');
  assert.is(held('joe', { joe: 'r', anyone: 'i' }), 'lria');
  assert.is(held('joe', { '-joe': 'xa' }), 'lrswipktea');
  assert.is(held('joe', { '-anyone': STANDARD_RIGHTS }), 'la');
});

test('I-41: who administers has all rights, whatever is taken away', () => {
  const view = overlay(empty);
  grants.put(view, ['joe', 1, '-anyone'], STANDARD_RIGHTS);
  assert.is(rightsFor(view, { account: 'root', administers: true }, 'joe', 1), STANDARD_RIGHTS);
});

test('RFC 4314 §4: s is for \\Seen, t for \\Deleted, w for all others', () => {
  assert.equal(changeable(''), { flags: 0, keywords: false });
  assert.equal(changeable('lrs'), { flags: FLAG.seen, keywords: false });
  assert.equal(changeable('t'), { flags: FLAG.deleted, keywords: false });
  assert.equal(changeable('w'), { flags: FLAG.answered | FLAG.flagged | FLAG.draft, keywords: true });
  assert.equal(changeable(STANDARD_RIGHTS), { flags: ALL_FLAGS, keywords: true });
});

test('RFC 4314 §6: a mailbox that an account may not list is not there', () => {
  assert.is(lacking('lr'), 'no-permission');
  assert.is(lacking('rswi'), 'no-such-mailbox');
});

test.run();
