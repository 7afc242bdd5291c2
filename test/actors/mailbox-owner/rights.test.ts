/** Sets of rights: one order, RFC 2086's letters understood, edits that add and take. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { editedRights, rightsOf } from '../../../actors/mailbox-owner/rights.ts';
import { isOrdered } from '../../../store/rights.ts';

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

test.run();
