/** A state in memory for tests of `decide`: operations are decided and applied at once, and the state is checked as it goes. */
import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { decide } from '../../../actors/mailbox-owner/decide.ts';
import type { Answer, Deliver, Open, OwnerOperation } from '../../../actors/mailbox-owner/operation.ts';
import type { DeliverRecipient } from '../../../actors/mailbox-owner/requests.ts';
import { apply } from '../../../store/apply.ts';
import type { Change } from '../../../store/change.ts';
import { flaws } from '../../../store/check.ts';
import type { View } from '../../../store/key-value.ts';
import { overlay } from '../../../store/overlay.ts';

export const NOW = 1_700_000_000_000;
export const front = { me: 'n1', startId: 'start-1' };
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const empty: View = { get: () => undefined, range: () => [] };

export type State = {
  readonly view: View;
  /** Decides and applies; a refusal must come without changes, and what is left must be sound. */
  run<O extends OwnerOperation>(operation: O): Answer<O>;
  /** The types of the changes of the last operation. */
  changes(): readonly Change['type'][];
  /** These changes, as they go into a record. */
  recorded(): readonly Change[];
};

export function state(): State {
  const view = overlay(empty);
  let last: readonly Change[] = [];
  return {
    view,
    run(operation) {
      const decision = decide(view, operation);
      last = decision.changes;
      if (!decision.answer.ok) assert.equal(last, []);
      for (const change of last) apply(view, change);
      assert.equal(flaws(view), []);
      return decision.answer;
    },
    changes: () => last.map(({ type }) => type),
    recorded: () => last,
  };
}

export const openMaildrop = (session: string, account = 'joe', more: Partial<Open> = {}): Open => ({
  type: 'open',
  session,
  purpose: 'maildrop',
  front,
  admission: { account, session, rights: ['maildrop'], expiresAtMs: NOW + 60_000 },
  again: false,
  abandoned: null,
  now: NOW,
  ...more,
});

export const openDelivery = (session: string, more: Partial<Open> = {}): Open => ({
  type: 'open',
  session,
  purpose: 'delivery',
  front,
  admission: { account: null, session, rights: ['deliver'], expiresAtMs: NOW + 60_000 },
  again: false,
  abandoned: null,
  now: NOW,
  ...more,
});

export const recipient = (account: string, more: Partial<DeliverRecipient> = {}): DeliverRecipient => ({
  account,
  trace: Buffer.from(`Return-Path: <sender@example.test>\r\nReceived: for ${account}\r\n`),
  internalDate: NOW,
  ...more,
});

export const inline = (text: string | Uint8Array) => {
  const bytes = Buffer.from(text);
  return { kind: 'inline', bytes, sha256: sha256(bytes) } as const;
};

export const deliverTo = (
  session: string,
  counter: number,
  body: string | Uint8Array,
  ...to: (string | DeliverRecipient)[]
): Deliver => ({
  type: 'deliver',
  session,
  counter,
  content: inline(body),
  recipients: to.map((each) => (typeof each === 'string' ? recipient(each) : each)),
  now: NOW,
});
