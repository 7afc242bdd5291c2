/** show-recent and keep-structures: what is noted for those who ask, under no counter. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { structures } from '../../../../store/tables.ts';
import { editOf, mailboxState } from '../mailbox-state.ts';
import { sha256 } from '../state.ts';

test('RFC 3501 §2.3.2: what came is recent to the first session that is shown it, and to no other', () => {
  const fresh = mailboxState();
  fresh.create('work');
  fresh.fill('work', [0, 0]);
  const show = () => {
    const answer = fresh.run({ type: 'show-recent', ref: fresh.ref('work') });
    return answer.ok ? answer.value.recentFrom : answer.refusal;
  };
  assert.is(show(), 1);
  assert.is(show(), 3);
  assert.equal(fresh.changes(), []);
  fresh.fill('work', [0]);
  assert.is(show(), 3);
  assert.is(show(), 4);
  const ref = fresh.ref('work');
  fresh.as('joe', editOf('joe', { type: 'delete', name: 'work' }));
  assert.equal(fresh.run({ type: 'show-recent', ref }), { ok: false, refusal: 'no-such-mailbox' });
});

test('of what came only as much is shown as was told of, and never less than before', () => {
  const fresh = mailboxState();
  fresh.create('work');
  fresh.fill('work', [0, 0, 0]);
  const show = (upTo: number) => {
    const answer = fresh.run({ type: 'show-recent', ref: fresh.ref('work'), upTo });
    return answer.ok ? answer.value : answer.refusal;
  };
  assert.equal(show(3), { recentFrom: 1, upTo: 3 });
  assert.equal(show(2), { recentFrom: 3, upTo: 3 });
  assert.equal(fresh.changes(), []);
  assert.equal(show(9), { recentFrom: 3, upTo: 4 });
});

test('what was made of a body is kept once, while the body is here, and goes with it', () => {
  const fresh = mailboxState();
  const hash = sha256(Buffer.from('one'));
  const keep = (text: string) => {
    const made = [hash, 'of none'].map((each) => ({ sha256: each, structure: Buffer.from(text) }));
    assert.ok(fresh.run({ type: 'keep-structures', structures: made }).ok);
  };
  keep('0 of another version');
  keep('1 first');
  keep('1 second');
  assert.equal(fresh.changes(), []);
  assert.equal(
    [...structures.range(fresh.view, [])].map(({ key, row }) => [key[0], String(row)]),
    [[hash, '1 first']],
  );
  fresh.run({ type: 'drop-account', account: 'joe', most: 100, now: 1 });
  assert.equal([...structures.range(fresh.view, [])], []);
});

test.run();
