/** Programs made of keys: what is made once, and where the making stops. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Numbering } from '../../../actors/imap/numbering.ts';
import { programOf } from '../../../actors/imap/search-key-program.ts';
import type { SelectedMailbox } from '../../../actors/imap/selected-mailbox.ts';
import type { SearchKey } from '../../../protocols/imap/search-key.ts';

const saved = (count: number) => {
  const numbers = new Numbering(Uint32Array.from({ length: 2 * count }, (_, index) => index + 1));
  const odd = Uint32Array.from({ length: count }, (_, index) => 2 * index + 1);
  let made = 0;
  const messages = (set: unknown) => {
    if (set !== '$') return undefined;
    made++;
    return numbers.of(odd);
  };
  // Cast: no owner is asked for these keys.
  const mailbox = { view: { numbers, saved: odd }, ref: { account: 'a' }, messages } as unknown as SelectedMailbox;
  return { mailbox, made: () => made };
};
const dollars = (count: number): SearchKey => ({
  key: 'AND',
  keys: Array.from({ length: count }, () => ({ key: 'SEQUENCE', set: '$' }) as const),
});
const asked = { nowMs: 0, signal: new AbortController().signal };

test('what was saved is made once, however often it is named', async () => {
  const { mailbox, made } = saved(20);
  const program = await programOf(dollars(2_000), mailbox, asked);
  assert.ok(program.ok);
  assert.is(made(), 1);
  assert.is(program.ok && program.value.type === 'and' && new Set(program.value.keys).size, 1);
});

test('more ranges than an owner takes are refused before they are made', async () => {
  const { mailbox, made } = saved(50_000);
  const program = await programOf(dollars(2_000), mailbox, asked);
  assert.equal(program, { ok: false, refusal: 'bad-program' });
  assert.is(made(), 1);
});

test('nothing more is made after a refusal', async () => {
  const { mailbox, made } = saved(1);
  const bad: SearchKey = { key: 'SEQUENCE', set: [{ from: 9, to: 9 }] };
  const program = await programOf({ key: 'AND', keys: [bad, dollars(5)] }, mailbox, asked);
  assert.equal(program, { ok: false, refusal: 'no-such-number' });
  assert.is(made(), 0);
});

test.run();
